//! Logins by real clients: each mechanism on each protocol, app passwords, and what a domain lets its users log in with.

use std::path::Path;
use std::process::Command;

use batpost_tests::programs::{run, try_run};
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

/// openssl at work in a folder.
fn openssl(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args(arguments);
    run(&mut command, b"").stdout
}

/// Whether curl gets in with these further options.
fn curl_with(server: &Server, service: &str, options: &[&str]) -> bool {
    let mut command = Command::new("curl");
    command.args(["-s", "-k", "--max-time", "60"]).args(options);
    if service == "submissions" {
        command.args(["--mail-rcpt", USER, "-X", "NOOP"]);
    }
    let scheme = if service == "submissions" {
        "smtps"
    } else {
        service
    };
    command.arg(format!("{scheme}://127.0.0.1:{}/", server.port_of(service)));
    try_run(&mut command, b"").status.success()
}

#[test]
fn curl_logs_in_by_a_client_certificate() {
    if !has("curl") || !has("openssl") {
        return;
    }
    let server = crate::server(2);
    let folder = server.data().join("client");
    std::fs::create_dir(&folder).unwrap();
    let make = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=laptop",
    ];
    openssl(
        &folder,
        &[&make[..], &["-keyout", "key.pem", "-out", "cert.pem"]].concat(),
    );
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let options = |user: &str| -> Vec<String> {
        let login = format!("{user}:");
        [
            "--cert",
            certificate,
            "--key",
            key,
            "--login-options",
            "AUTH=EXTERNAL",
            "--user",
            &login,
        ]
        .map(str::to_owned)
        .to_vec()
    };
    let enters = |service: &str, user: &str| {
        let options = options(user);
        curl_with(
            &server,
            service,
            &options.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    };
    server.ctl_ok(&[
        "user",
        "certificate",
        "add",
        USER,
        certificate,
        "--label",
        "laptop",
    ]);
    assert!(!enters("imaps", USER), "nobody asks for certificates yet");
    server.ctl_ok(&["setting", "set", "tls.client-certificates", "true"]);
    server.wait_for("certificates to be asked for", || enters("imaps", USER));
    for service in ["imaps", "pop3s", "submissions"] {
        assert!(enters(service, USER), "{service}");
        assert!(!enters(service, "user2@example.test"), "{service}");
    }
    server.ctl_ok(&["user", "certificate", "remove", USER, certificate]);
    assert!(!enters("imaps", USER));
    // Others go on as before.
    assert!(curl(&server, "imaps", "", PASSWORD));
}

#[test]
fn curl_logs_in_by_a_token() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    if !has("curl") || !has("openssl") {
        return;
    }
    let server = crate::server(1);
    let folder = server.data().join("provider");
    std::fs::create_dir(&folder).unwrap();
    openssl(&folder, &["genpkey", "-algorithm", "ed25519", "-out", "key.pem"]);
    let public = openssl(&folder, &["pkey", "-in", "key.pem", "-pubout", "-outform", "DER"]);
    let x = URL_SAFE_NO_PAD.encode(&public[public.len() - 32..]);
    let keys = folder.join("keys.json");
    std::fs::write(
        &keys,
        format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}"#),
    )
    .unwrap();
    let token = |user: &str| {
        let claims = format!(r#"{{"iss":"https://id.test","exp":99999999999,"email":"{user}"}}"#);
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA"}"#);
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
        std::fs::write(folder.join("signed"), &signed).unwrap();
        let signature = openssl(
            &folder,
            &["pkeyutl", "-sign", "-rawin", "-inkey", "key.pem", "-in", "signed"],
        );
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    };
    server.ctl_ok(&["setting", "set", "oauth.issuer", "https://id.test"]);
    server.ctl_ok(&["setting", "set", "oauth.keys", keys.to_str().unwrap()]);
    let (right, other) = (token(USER), token("user2@example.test"));
    for service in ["imaps", "pop3s", "submissions"] {
        for mechanism in ["AUTH=OAUTHBEARER", "AUTH=XOAUTH2"] {
            let enters = |token: &str| {
                let options = [
                    "--user",
                    USER,
                    "--oauth2-bearer",
                    token,
                    "--login-options",
                    mechanism,
                ];
                curl_with(&server, service, &options)
            };
            assert!(enters(&right), "{service} {mechanism}");
            assert!(!enters(&other), "{service} {mechanism}");
        }
    }
}
