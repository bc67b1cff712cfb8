//! A mail program that knows an address and a password finds out the rest by itself (Thunderbird's autoconfig, Outlook's autodiscover), over
//! the daemon's own web ports, and what it finds lets it in.

use std::process::Command;

use batpost_tests::programs::run;
use batpost_tests::server::{User, has};

// People would have to type host names, ports and kinds of encryption, or would type those that they are told and not get in.
#[test]
fn a_mail_program_finds_out_how_to_log_in_and_gets_in() {
    if !has("python3") {
        return;
    }
    let mut server = crate::web_server();
    server.start();
    server.add_users(1);
    let user = User::numbered(1);
    let mut command = Command::new("python3");
    command.arg(crate::top().join("tests/clients/autoconfig.py"));
    command.args([80, 443].map(|port| server.port(port).to_string()));
    command.arg(server.data().join("tls/cert.pem"));
    command.args([&user.address, &user.password]);
    let done = run(&mut command, b"");
    // IMAP, POP3 and submission, each in both ways.
    assert_eq!(String::from_utf8_lossy(&done.stdout).trim(), "ok 6");
}
