//! Certificates are changed while the server runs.

use std::path::Path;
use std::process::Command;

use batpost_tests::programs::{run, try_run};
use batpost_tests::server::{Server, has};

/// A certificate for a name and its key, each in a file.
fn make(folder: &Path, name: &str) {
    let mut command = Command::new("openssl");
    command.current_dir(folder);
    command.args([
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-keyout", "key.pem", "-out",
        "cert.pem",
    ]);
    command.args([
        "-subj",
        &format!("/CN={name}"),
        "-addext",
        &format!("subjectAltName=DNS:{name}"),
    ]);
    run(&mut command, b"");
}

/// Whose certificate a client that asks for a name is shown.
fn shown(server: &Server, name: &str) -> String {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-servername", name]);
    command.args(["-connect", &format!("127.0.0.1:{}", server.port_of("imaps"))]);
    let said = try_run(&mut command, b"a LOGOUT\r\n");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let subject = said
        .lines()
        .find(|line| line.trim_start().starts_with("subject="));
    subject.unwrap_or_default().to_owned()
}

// A renewal must neither need a restart nor throw out who is at work.
#[test]
fn a_certificate_is_imported_served_and_removed_without_a_restart() {
    if !has("openssl") {
        return;
    }
    let server = crate::server(1);
    let folder = server.data().join("made");
    std::fs::create_dir(&folder).unwrap();
    make(&folder, "imap.example.test");
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    assert!(!shown(&server, "imap.example.test").contains("imap.example.test"));
    let mut line = server.connect("imap");
    line.line();
    let refused = server.ctl(&["certificate", "add", certificate]);
    assert_eq!(refused.status.code(), Some(1), "without the key");
    server.ctl_ok(&["certificate", "add", certificate, key]);
    assert!(shown(&server, "imap.example.test").contains("imap.example.test"));
    assert!(!shown(&server, "other.example.test").contains("imap.example.test"));
    let rows = server.ctl_json(&["certificate", "list"]);
    let added = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["id"] != "")
        .unwrap();
    assert_eq!(added["served_for"][0], "imap.example.test");
    assert!(added["not_after"].as_i64().unwrap() > 1_700_000_000);
    server.ctl_ok(&["certificate", "reload"]);
    server.ctl_ok(&["certificate", "remove", added["id"].as_str().unwrap()]);
    assert!(!shown(&server, "imap.example.test").contains("imap.example.test"));
    line.ask("a NOOP", "a OK");
}
