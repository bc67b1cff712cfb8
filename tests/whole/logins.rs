//! Logins by real clients: each mechanism on each protocol, app passwords, and what a domain lets its users log in with.
//!
//! Who meets what, each with a right and a wrong password (or token, or certificate):
//!
//! | mechanism | submission | POP3 | IMAP |
//! |---|---|---|---|
//! | PLAIN, LOGIN, CRAM-MD5, DIGEST-MD5 | curl, swaks, gsasl, msmtp | curl, mpop | curl, gsasl |
//! | SCRAM-SHA-1, SCRAM-SHA-256 | gsasl, msmtp | mpop | gsasl |
//! | both -PLUS, tls-exporter | gsasl, libgsasl | libgsasl | gsasl, libgsasl |
//! | both -PLUS, tls-server-end-point | scramp | scramp | scramp |
//! | APOP | | curl | |
//! | EXTERNAL, OAUTHBEARER, XOAUTH2 | curl | curl | curl |

use std::path::Path;
use std::process::Command;

use batpost_tests::programs::{run, try_run};
use batpost_tests::server::{Server, has};

use crate::clients::{lacks_nothing, maildir, python_with, write_private};

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
    command.args(["--server", "127.0.0.1", "--to", USER, "--from", USER]);
    command.args(["--quit-after", "AUTH", "--tls", "--port"]);
    command.arg(server.port_of("submission").to_string());
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

/// Over loopback as it is, which is secure there.
const PLAIN: &[&str] = &["--no-starttls"];
/// The certificate is nobody's: an empty name of a file of authorities takes it.
const TLS: &[&str] = &["--starttls", "--x509-ca-file="];
/// As one that can't bind a login to its connection.
const UNBOUND: &[&str] = &["--starttls", "--x509-ca-file=", "--no-cb"];

fn gsasl(server: &Server, service: &str, how: &[&str], mechanism: &str, password: &str) -> bool {
    let protocol = if service == "imap" { "--imap" } else { "--smtp" };
    let mut command = Command::new("gsasl");
    command.args(["--client", "--quiet", protocol, "--mechanism", mechanism]);
    command.arg(format!("--connect=127.0.0.1:{}", server.port_of(service)));
    command.args(["--authentication-id", USER, "--password", password]);
    command
        .args(how)
        .args(["--realm=batpost", "--hostname=localhost"]);
    try_run(&mut command, b"").status.success()
}

/// Whether mpop (POP3) or msmtp (submission) gets in and does its work; `tls`: from the first byte, else STARTTLS.
fn mpop_or_msmtp(server: &Server, program: &str, tls: bool, mechanism: &str, password: &str) -> bool {
    let home = tempfile::tempdir().unwrap();
    let (config, folder) = (home.path().join("rc"), home.path().join("mail"));
    maildir(&folder);
    let (service, own) = match (program, tls) {
        ("mpop", tls) => (
            if tls { "pop3s" } else { "pop3" },
            format!(
                "uidls_file {}\ndelivery maildir {}\n",
                home.path().join("uidls").display(),
                folder.display()
            ),
        ),
        (_, true) => ("submissions", format!("from {USER}\n")),
        (_, false) => ("submission", format!("from {USER}\n")),
    };
    let text = format!(
        "account a\nhost 127.0.0.1\nport {}\ntls on\ntls_starttls {}\ntls_certcheck off\nauth {}\nuser {USER}\n\
         password {password}\n{own}",
        server.port_of(service),
        if tls { "off" } else { "on" },
        mechanism.to_ascii_lowercase(),
    );
    write_private(&config, &text);
    let mut command = Command::new(program);
    command.arg("-C").arg(&config).env("HOME", home.path());
    if program == "mpop" {
        command.arg("-a");
    } else {
        command.args(["-a", "a", USER]);
    }
    try_run(&mut command, b"Subject: a login\n\ntext\n")
        .status
        .success()
}

fn app_password(server: &Server, arguments: &[&str]) -> String {
    let made = server.ctl_ok(&[&["user", "app-password", "add", USER], arguments].concat());
    made.trim().to_owned()
}

/// Whether this build of curl knows SCRAM.
fn curl_knows_scram() -> bool {
    let said = run(Command::new("curl").arg("--version"), b"").stdout;
    let said = String::from_utf8_lossy(&said);
    let features = said.lines().find(|line| line.starts_with("Features:"));
    features.is_some_and(|features| features.split(' ').any(|feature| feature == "gsasl"))
}

// Whoever is locked out by a mechanism that the own program insists on has no mail.
#[test]
fn every_mechanism_of_curl_lets_in_with_password_and_app_password() {
    if !has("curl") {
        return;
    }
    let server = crate::server(1);
    let app = app_password(&server, &["curl"]);
    let mut mechanisms = vec!["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", ""];
    if curl_knows_scram() {
        mechanisms.extend(["SCRAM-SHA-1", "SCRAM-SHA-256"]);
    } else {
        // Debian's does not: gsasl, mpop, msmtp and scramp are who meets SCRAM below.
        eprintln!("SKIPPED: SCRAM with curl, whose build has no gsasl");
    }
    for service in ["imaps", "pop3s", "submissions"] {
        for mechanism in &mechanisms {
            let what = format!("{service} {mechanism}");
            assert!(curl(&server, service, mechanism, PASSWORD), "{what}");
            assert!(curl(&server, service, mechanism, &app), "{what}");
            assert!(!curl(&server, service, mechanism, "wrong"), "{what}");
        }
    }
    let only = app_password(&server, &["only IMAP", "--protocol", "imap"]);
    assert!(curl(&server, "imaps", "", &only) && !curl(&server, "pop3s", "", &only));
    let rows = server.ctl_json(&["user", "app-password", "list", USER]);
    assert_eq!(rows[0]["label"], "curl");
    server.ctl_ok(&["user", "app-password", "remove", USER, "CURL"]);
    assert!(!curl(&server, "imaps", "", &app) && curl(&server, "imaps", "", PASSWORD));
}

/// What libgsasl's programs know of what we offer.
const OF_GSASL: [&str; 6] = [
    "PLAIN",
    "LOGIN",
    "CRAM-MD5",
    "DIGEST-MD5",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
];

#[test]
fn every_mechanism_of_swaks_lets_in() {
    if !has("swaks") {
        return;
    }
    let server = crate::server(1);
    let mut mechanisms = vec!["PLAIN", "LOGIN", "CRAM-MD5"];
    let mut perl = Command::new("perl");
    perl.args(["-MAuthen::SASL::Perl::DIGEST_MD5", "-e", "1"]);
    if lacks_nothing(&mut perl, "Perl's Authen::SASL with Digest::HMAC") {
        mechanisms.push("DIGEST-MD5");
    }
    for mechanism in mechanisms {
        assert!(swaks(&server, mechanism, PASSWORD), "{mechanism}");
        assert!(!swaks(&server, mechanism, "wrong"), "{mechanism}");
    }
}

// gsasl itself speaks IMAP and SMTP only: for POP3 see mpop.
#[test]
fn every_mechanism_of_gsasl_lets_in() {
    if !has("gsasl") {
        return;
    }
    let server = crate::server(1);
    for service in ["imap", "submission"] {
        // -PLUS is bound by tls-exporter.
        let bound = ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"].map(|mechanism| (mechanism, TLS));
        let others = OF_GSASL.map(|mechanism| [(mechanism, PLAIN), (mechanism, UNBOUND)]);
        for (mechanism, how) in others.into_iter().flatten().chain(bound) {
            let what = format!("{service} {mechanism} {how:?}");
            assert!(gsasl(&server, service, how, mechanism, PASSWORD), "{what}");
            assert!(!gsasl(&server, service, how, mechanism, "wrong"), "{what}");
        }
        // RFC 5802 §6: it could bind and saw no -PLUS, so somebody in between took that from what we offer.
        for mechanism in ["SCRAM-SHA-1", "SCRAM-SHA-256"] {
            assert!(
                !gsasl(&server, service, TLS, mechanism, PASSWORD),
                "{service} {mechanism}"
            );
        }
    }
}

#[test]
fn every_mechanism_of_mpop_and_msmtp_lets_in() {
    let server = crate::server(1);
    for program in ["mpop", "msmtp"] {
        if !has(program) {
            continue;
        }
        for mechanism in OF_GSASL {
            for tls in [false, true] {
                let enters = |password| mpop_or_msmtp(&server, program, tls, mechanism, password);
                assert!(enters(PASSWORD), "{program} {mechanism}, TLS at once: {tls}");
                assert!(!enters("wrong"), "{program} {mechanism}, TLS at once: {tls}");
            }
        }
    }
}

// A client that makes sure that nobody sits in between would not get in, or would not notice who does.
#[test]
fn scram_bound_to_its_connection_lets_in_on_every_protocol() {
    // Its libgsasl is what the script uses.
    let Some(python) = python_with("OpenSSL, scramp").filter(|_| has("gsasl")) else {
        return;
    };
    let server = crate::server(1);
    for (protocol, service, tls) in [
        ("imap", "imap", "starttls"),
        ("imap", "imaps", "implicit"),
        ("smtp", "submission", "starttls"),
        ("smtp", "submissions", "implicit"),
        ("pop3", "pop3", "starttls"),
        ("pop3", "pop3s", "implicit"),
    ] {
        let mut command = Command::new(&python);
        command.arg(crate::top().join("tests/clients/bindings.py"));
        command.args([
            protocol,
            &server.port_of(service).to_string(),
            tls,
            USER,
            PASSWORD,
        ]);
        let done = run(&mut command, b"");
        assert_eq!(String::from_utf8_lossy(&done.stdout).trim(), "ok", "{service}");
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
