//! Logins by real clients: each mechanism on each protocol, app passwords, and what a domain lets its users log in with.

use std::process::Command;

use batpost_tests::programs::try_run;
use batpost_tests::server::{Server, has};

const USER: &str = "user1@example.test";
const PASSWORD: &str = "pass1";

/// Whether curl gets in. It verifies no certificate here: the server's is its own.
fn curl(server: &Server, service: &str, mechanism: &str, password: &str) -> bool {
    let scheme = match service {
        "imaps" => "imaps",
        "pop3s" => "pop3s",
        _ => "smtps",
    };
    let mut command = Command::new("curl");
    command.args(["-s", "-k", "--max-time", "60", "--user"]);
    command.arg(format!("{USER}:{password}"));
    if !mechanism.is_empty() {
        command.args(["--login-options", &format!("AUTH={mechanism}")]);
    }
    if scheme == "smtps" {
        // Asks the server for nothing but whether it knows the user.
        command.args(["--mail-rcpt", USER, "-X", "NOOP"]);
    }
    command.arg(format!("{scheme}://127.0.0.1:{}/", server.port_of(service)));
    try_run(&mut command, b"").status.success()
}

fn swaks(server: &Server, mechanism: &str, password: &str) -> bool {
    let mut command = Command::new("swaks");
    command.args([
        "--server",
        "127.0.0.1",
        "--to",
        USER,
        "--from",
        USER,
        "--quit-after",
        "AUTH",
    ]);
    command.args(["--port", &server.port_of("submission").to_string(), "--tls"]);
    command.args([
        "--auth",
        mechanism,
        "--auth-user",
        USER,
        "--auth-password",
        password,
    ]);
    try_run(&mut command, b"").status.success()
}

fn gsasl(server: &Server, protocol: &str, service: &str, mechanism: &str, password: &str) -> bool {
    let mut command = Command::new("gsasl");
    command.args(["--client", "--quiet", protocol, "--mechanism", mechanism]);
    command.arg(format!("--connect=127.0.0.1:{}", server.port_of(service)));
    command.args(["--authentication-id", USER, "--password", password]);
    // Loopback is secure without; with TLS gsasl would want a certificate that it can verify.
    command.args(["--no-starttls", "--realm=batpost", "--hostname=localhost"]);
    try_run(&mut command, b"").status.success()
}

fn app_password(server: &Server, arguments: &[&str]) -> String {
    let made = server.ctl_ok(&[&["user", "app-password", "add", USER], arguments].concat());
    made.trim().to_owned()
}

// Whoever is locked out by a mechanism that the own program insists on has no mail.
#[test]
fn every_mechanism_of_curl_lets_in_with_password_and_app_password() {
    if !has("curl") {
        return;
    }
    let server = crate::server(1);
    let app = app_password(&server, &["curl"]);
    for service in ["imaps", "pop3s", "submissions"] {
        for mechanism in [
            "PLAIN",
            "LOGIN",
            "CRAM-MD5",
            "DIGEST-MD5",
            "SCRAM-SHA-1",
            "SCRAM-SHA-256",
            "",
        ] {
            // Not every build of curl has all of them: what it lacks it says without a word to the server.
            let known = curl(&server, service, mechanism, PASSWORD);
            assert!(known || mechanism.starts_with("SCRAM"), "{service} {mechanism}");
            assert_eq!(
                curl(&server, service, mechanism, &app),
                known,
                "{service} {mechanism}"
            );
            assert!(
                !curl(&server, service, mechanism, "wrong"),
                "{service} {mechanism}"
            );
        }
    }
    let only = app_password(&server, &["only IMAP", "--protocol", "imap"]);
    assert!(curl(&server, "imaps", "", &only) && !curl(&server, "pop3s", "", &only));
    let rows = server.ctl_json(&["user", "app-password", "list", USER]);
    assert_eq!(rows[0]["label"], "curl");
    server.ctl_ok(&["user", "app-password", "remove", USER, "CURL"]);
    assert!(!curl(&server, "imaps", "", &app) && curl(&server, "imaps", "", PASSWORD));
}

#[test]
fn every_mechanism_of_swaks_and_gsasl_lets_in() {
    let server = crate::server(1);
    if has("swaks") {
        for mechanism in ["PLAIN", "LOGIN", "CRAM-MD5"] {
            assert!(swaks(&server, mechanism, PASSWORD), "swaks {mechanism}");
            assert!(!swaks(&server, mechanism, "wrong"), "swaks {mechanism}");
        }
    }
    if !has("gsasl") {
        return;
    }
    for (protocol, service) in [("--imap", "imap"), ("--smtp", "submission")] {
        for mechanism in [
            "PLAIN",
            "LOGIN",
            "CRAM-MD5",
            "DIGEST-MD5",
            "SCRAM-SHA-1",
            "SCRAM-SHA-256",
        ] {
            let what = format!("gsasl {protocol} {mechanism}");
            assert!(gsasl(&server, protocol, service, mechanism, PASSWORD), "{what}");
            assert!(!gsasl(&server, protocol, service, mechanism, "wrong"), "{what}");
        }
    }
}

#[test]
fn a_domain_chooses_its_mechanisms_and_apop_only_works_by_its_choice() {
    if !has("curl") {
        return;
    }
    let server = crate::server(1);
    assert!(!curl(&server, "pop3s", "+APOP", PASSWORD));
    let set = |mechanisms: &[&str]| {
        let mut arguments = vec!["domain", "set", "example.test"];
        for mechanism in mechanisms {
            arguments.extend(["--mechanism", mechanism]);
        }
        server.ctl_ok(&arguments);
    };
    set(&["PLAIN", "APOP"]);
    assert!(curl(&server, "pop3s", "PLAIN", PASSWORD));
    assert!(curl(&server, "pop3s", "+APOP", PASSWORD));
    assert!(!curl(&server, "pop3s", "+APOP", "wrong"));
    assert!(!curl(&server, "pop3s", "CRAM-MD5", PASSWORD));
    let shown = server.ctl_ok(&["domain", "logins", "example.test"]);
    assert!(
        shown.contains("APOP") && shown.contains("keep the passwords themselves"),
        "{shown}"
    );
    set(&["standard"]);
    assert!(!curl(&server, "pop3s", "+APOP", PASSWORD));
}
