//! NTLM by curl, on all three protocols: a program that knows nothing else gets in where the domain wants it, and nowhere else.

use std::process::Command;

use batpost_tests::programs::try_run;
use batpost_tests::server::{Server, has};

const USER: &str = "user1@example.test";
const PASSWORD: &str = "pass1";
const SERVICES: [&str; 3] = ["imaps", "pop3s", "submissions"];

/// Whether curl gets in by NTLM. `early`: its first message goes with the command (SASL-IR).
fn enters(server: &Server, service: &str, user: &str, password: &str, early: bool) -> bool {
    let scheme = if service == "submissions" {
        "smtps"
    } else {
        service
    };
    let mut command = Command::new("curl");
    command.args(["-s", "-k", "--max-time", "60", "--login-options", "AUTH=NTLM"]);
    command.args(["--user", &format!("{user}:{password}")]);
    if early {
        command.arg("--sasl-ir");
    }
    if scheme == "smtps" {
        // Asks the server for nothing but whether it knows the user.
        command.args(["--mail-rcpt", USER, "-X", "NOOP"]);
    }
    command.arg(format!("{scheme}://127.0.0.1:{}/", server.port_of(service)));
    try_run(&mut command, b"").status.success()
}

/// Whether curl gets in by sending the password.
fn says_password(server: &Server) {
    let mut command = Command::new("curl");
    command.args(["-s", "-k", "--max-time", "60", "--login-options", "AUTH=PLAIN"]);
    command.args(["--user", &format!("{USER}:{PASSWORD}")]);
    command.arg(format!("imaps://127.0.0.1:{}/", server.port_of("imaps")));
    assert!(try_run(&mut command, b"").status.success());
}

/// Not every build of curl has it.
fn curl_has_ntlm() -> bool {
    has("curl") && {
        let version = try_run(Command::new("curl").arg("--version"), b"");
        String::from_utf8_lossy(&version.stdout).contains(" NTLM")
    }
}

fn set(server: &Server, mechanisms: &[&str]) {
    let mut arguments = vec!["domain", "set", "example.test"];
    for mechanism in mechanisms {
        arguments.extend(["--mechanism", mechanism]);
    }
    server.ctl_ok(&arguments);
}

fn offers(server: &Server) -> bool {
    let mut imap = server.connect("imap");
    imap.line();
    imap.ask("a CAPABILITY", "* CAPABILITY").contains("AUTH=NTLM")
}

#[test]
fn curl_logs_in_by_ntlm_only_where_a_domain_has_it_on() {
    if !curl_has_ntlm() {
        return;
    }
    let server = crate::server(1);
    assert!(!offers(&server));
    for service in SERVICES {
        assert!(!enters(&server, service, USER, PASSWORD, false), "{service}");
    }
    set(&server, &["PLAIN", "NTLM"]);
    assert!(offers(&server));
    assert!(
        !enters(&server, "imaps", USER, PASSWORD, false),
        "nobody has said the password yet"
    );
    says_password(&server);
    let app = server.ctl_ok(&["user", "app-password", "add", USER, "old program"]);
    for service in SERVICES {
        for early in [false, true] {
            for user in [
                USER,
                "user1",
                "example.test\\user1",
                "EXAMPLE\\user1",
                "WORKGROUP\\USER1",
            ] {
                assert!(
                    enters(&server, service, user, PASSWORD, early),
                    "{service} {user} {early}"
                );
            }
            assert!(enters(&server, service, USER, app.trim(), early), "{service}");
            assert!(!enters(&server, service, USER, "wrong", early), "{service}");
            let nobody = "nobody@example.test";
            assert!(!enters(&server, service, nobody, PASSWORD, early), "{service}");
        }
    }
    let shown = server.ctl_ok(&["domain", "logins", "example.test"]);
    assert!(
        shown.contains("NTLM") && shown.contains("nearly the password"),
        "{shown}"
    );
    set(&server, &["standard"]);
    assert!(!offers(&server));
    assert!(!enters(&server, "imaps", USER, PASSWORD, false));
    // What was kept for it is gone: it does not work again by itself.
    set(&server, &["PLAIN", "NTLM"]);
    assert!(!enters(&server, "imaps", USER, PASSWORD, false));
}
