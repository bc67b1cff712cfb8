//! Starting and stopping: what goes wrong is said in one clear line, and what was kept is found again.

#[cfg(unix)]
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;
#[cfg(unix)]
use std::process::Stdio;

#[cfg(unix)]
use batpost_tests::line::Line;
use batpost_tests::mail;
use batpost_tests::programs::try_run;
use batpost_tests::server::Server;
#[cfg(unix)]
use batpost_tests::server::{free_offset, signal};

use crate::PROGRAMS;

/// Runs batpostd, which must end by itself with code 1 and one line that says what is wrong.
fn refused(arguments: &[&str], data: &Path, saying: &[&str]) {
    let mut command = Command::new(PROGRAMS.batpostd);
    command
        .args(arguments)
        .arg("--data")
        .arg(data)
        .env("LC_ALL", "C.UTF-8");
    let done = try_run(&mut command, b"");
    let told = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(1), "{arguments:?}: {told}");
    assert_eq!(told.lines().count(), 1, "{arguments:?}: {told}");
    for part in saying {
        assert!(told.contains(part), "{arguments:?}: {part:?} is not in {told}");
    }
}

#[test]
fn an_occupied_port_is_named() {
    let server = Server::initialised(PROGRAMS);
    let port = server.port_of("imap");
    let _occupied = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    refused(&["run"], &server.data(), &[&format!("127.0.0.1:{port}")]);
}

#[test]
fn a_directory_that_was_not_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    refused(
        &["run"],
        &dir.path().join("nowhere"),
        &["nowhere", "batpostd init"],
    );
    refused(&["run"], dir.path(), &[&*dir.path().to_string_lossy()]);
}

#[test]
fn an_unwritable_directory_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let inside = file.join("data");
    refused(
        &["init", "--hostname", "mail.example.test"],
        &inside,
        &[&*file.to_string_lossy()],
    );
    refused(&["init", "--hostname", "not a name"], dir.path(), &["not a name"]);
}

#[test]
fn a_damaged_configuration_is_named_with_its_line() {
    let server = Server::initialised(PROGRAMS);
    let path = server.data().join("batpost.toml");
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{whole}\n[fnord\n")).unwrap();
    let line = (whole.lines().count() + 2).to_string();
    refused(&["run"], &server.data(), &["batpost.toml", &line]);
    std::fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    refused(&["run"], &server.data(), &["batpost.toml"]);
}

#[test]
fn a_second_daemon_and_a_second_init_are_refused() {
    let server = crate::server(0);
    let data = server.data();
    refused(&["run"], &data, &[&*data.to_string_lossy()]);
    refused(
        &["init", "--hostname", "mail.example.test"],
        &data,
        &[&*data.to_string_lossy()],
    );
}

#[test]
fn a_second_start_finds_the_mail_again() {
    let mut server = crate::server(1);
    mail::send(
        &server,
        "a@b.test",
        &["user1@example.test"],
        b"Subject: kept\r\n\r\ntext\r\n",
    );
    server.wait_for_empty_queue();
    let before = mail::fetch_all(&server, "user1@example.test", "pass1");
    server.stop();
    server.start();
    assert_eq!(mail::fetch_all(&server, "user1@example.test", "pass1"), before);
    assert_eq!(before.len(), 1);
}

/// What a service manager does: sessions are told, the daemon ends with 0, and the ports are free again.
#[cfg(unix)]
#[test]
fn a_signal_stops_it_cleanly() {
    let mut server = crate::server(1);
    let mut imap = server.connect("imap");
    imap.until("* OK");
    imap.ask("a LOGIN user1@example.test pass1", "a OK");
    signal(server.process(), "TERM");
    imap.until("* BYE");
    let status = server.wait();
    assert!(status.success(), "{status}");
    TcpListener::bind((Ipv4Addr::LOCALHOST, server.port_of("imap"))).unwrap();
}

/// The README's first command.
#[cfg(unix)]
#[test]
fn the_demonstration_runs_and_keeps_its_mail() {
    let offset = free_offset();
    let dir = tempfile::tempdir().unwrap();
    let first = demonstration(dir.path(), offset, "ru_RU.UTF-8", 1);
    assert!(first.contains("останавливает"), "{first}");
    let second = demonstration(dir.path(), offset, "C.UTF-8", 2);
    assert!(second.contains("Ctrl-C") || second.contains("Ctrl+C"), "{second}");
}

/// Documents and scripts name these ports. Another program that holds one of them is told of, and nothing runs.
#[cfg(unix)]
#[test]
fn the_demonstration_has_ports_of_its_own() {
    // Held by us, if not by somebody else already.
    let _held = TcpListener::bind((Ipv4Addr::LOCALHOST, 2143));
    let dir = tempfile::tempdir().unwrap();
    let run = Command::new(PROGRAMS.batpostd)
        .args(["demo", "--data"])
        .arg(dir.path())
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    assert!(!run.status.success());
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(told.contains("in use"), "{told}");
    let config = std::fs::read_to_string(dir.path().join("batpost.toml")).unwrap();
    assert!(config.contains("port_offset = 2000"), "{config}");
}

/// Runs it, sends a message, and expects so many in all; what it printed.
#[cfg(unix)]
fn demonstration(data: &Path, offset: u16, locale: &str, messages: usize) -> String {
    let mut child = Command::new(PROGRAMS.batpostd)
        .args(["demo", "--port-offset"])
        .arg(offset.to_string())
        .arg("--data")
        .arg(data)
        .env("LC_ALL", locale)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut told = String::new();
    while !told.contains("Ctrl") {
        assert!(out.read_line(&mut told).unwrap() > 0, "it ended: {told}");
    }
    let password = std::fs::read_to_string(data.join("demo-password")).unwrap();
    assert!(told.contains(&password), "{told}");
    let mut lmtp = Line::connect(offset + 24);
    lmtp.smtp("", "220");
    lmtp.smtp("LHLO client.test", "250");
    lmtp.smtp("MAIL FROM:<bob@example.test>", "250");
    lmtp.smtp("RCPT TO:<alice@example.test>", "250");
    lmtp.smtp("DATA", "354");
    lmtp.smtp("Subject: try\r\n\r\n.", "250");
    let mut imap = Line::connect(offset + 143);
    imap.until("* OK");
    imap.ask(&format!("a LOGIN alice@example.test {password}"), "a OK");
    imap.ask("b SELECT INBOX", "b OK");
    imap.send("c IDLE");
    // It may be there already, or come while we wait.
    let mut again = Line::connect(offset + 143);
    again.until("* OK");
    again.ask(&format!("a LOGIN alice@example.test {password}"), "a OK");
    while !again
        .ask("b STATUS INBOX (MESSAGES)", "* STATUS")
        .ends_with(&format!("(MESSAGES {messages})"))
    {}
    signal(child.id(), "INT");
    imap.until("* BYE");
    assert!(child.wait().unwrap().success());
    told
}
