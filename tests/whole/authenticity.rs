//! Senders of mail from outside: the server asks a real name server, which a thread of the test is.

use std::fmt::Write as _;
use std::net::UdpSocket;

use batpost_tests::mail::fetch_all;
use batpost_tests::server::Server;

use crate::PROGRAMS;

/// Answers questions for TXT from a table, all others with "no such name" or "no such record"; gives its port.
fn name_server(table: &'static [(&'static str, &'static str)]) -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((len, from)) = socket.recv_from(&mut question) {
            if let Some(answer) = answer(&question[..len], table) {
                let _ = socket.send_to(&answer, from);
            }
        }
    });
    port
}

/// The format of messages of DNS.
fn answer(question: &[u8], table: &[(&str, &str)]) -> Option<Vec<u8>> {
    const TXT: &[u8] = &[0, 16];
    let mut name = Vec::new();
    let mut at = 12;
    while let Some(len @ 1..) = question.get(at).map(|len| usize::from(*len)) {
        name.push(String::from_utf8_lossy(question.get(at + 1..at + 1 + len)?).to_lowercase());
        at += 1 + len;
    }
    let (name, kind, end) = (name.join("."), question.get(at + 1..at + 3)?, at + 5);
    let known = table.iter().find(|(known, _)| *known == name);
    let text = known.filter(|_| kind == TXT).map(|(_, text)| *text);
    let mut out = question.get(..2)?.to_vec();
    out.extend([
        0x81,
        if known.is_some() { 0x80 } else { 0x83 },
        0,
        1,
        0,
        u8::from(text.is_some()),
        0,
        0,
        0,
        0,
    ]);
    out.extend(question.get(12..end)?);
    if let Some(text) = text {
        // The name of the question, TXT, IN, 60 seconds.
        out.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60]);
        out.extend((text.len() as u16 + 1).to_be_bytes());
        out.push(text.len() as u8);
        out.extend(text.as_bytes());
    }
    Some(out)
}

// Nobody would know which mail is forged, and domains would not learn who uses their names.
#[test]
fn senders_are_checked_and_reported_on() {
    let port = name_server(&[
        ("good.test", "v=spf1 ip4:127.0.0.0/8 -all"),
        ("_dmarc.good.test", "v=DMARC1; p=reject; rua=mailto:r@good.test"),
        ("bad.test", "v=spf1 -all"),
    ]);
    let mut server = Server::initialised(PROGRAMS);
    let path = server.data().join("batpost.toml");
    let mut config = std::fs::read_to_string(&path).unwrap();
    write!(config, "\n[dns]\nservers = [\"127.0.0.1:{port}\"]\n").unwrap();
    std::fs::write(&path, config).unwrap();
    server.start();
    server.add_users(1);
    server.ctl_ok(&["setting", "set", "smtp.sender-checks-own", "true"]);
    server.ctl_ok(&["setting", "set", "dmarc.reports", "true"]);
    for sender in ["good.test", "bad.test"] {
        let mut smtp = server.connect("smtp");
        smtp.smtp("", "220");
        smtp.smtp("EHLO client.test", "250");
        smtp.smtp(&format!("MAIL FROM:<x@{sender}>"), "250");
        smtp.smtp("RCPT TO:<user1@example.test>", "250");
        smtp.smtp("DATA", "354");
        smtp.send_raw(format!("From: x@{sender}\r\n\r\nhello\r\n.\r\n").as_bytes());
        smtp.smtp("", "250");
        smtp.smtp("QUIT", "221");
    }
    server.wait_for_empty_queue();
    let texts: Vec<String> = fetch_all(&server, "user1@example.test", "pass1")
        .iter()
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .collect();
    for (sender, results) in [
        (
            "good.test",
            ";\r\n\tspf=pass smtp.mailfrom=x@good.test;\r\n\tdkim=none;\r\n\tdmarc=pass (p=reject) header.from=good.test\r\n",
        ),
        (
            "bad.test",
            ";\r\n\tspf=fail smtp.mailfrom=x@bad.test;\r\n\tdkim=none;\r\n\tdmarc=none header.from=bad.test\r\n",
        ),
    ] {
        let text = texts
            .iter()
            .find(|text| text.starts_with(&format!("Return-Path: <x@{sender}>")));
        assert!(text.is_some_and(|text| text.contains(results)), "{texts:?}");
    }
    let waiting = server.ctl_json(&["report", "list"]);
    assert_eq!(waiting["rows"][0]["domain"], "good.test");
    assert_eq!(waiting["rows"][0]["count"], 1);
    assert_eq!(waiting["rows"][0]["kind"], "dmarc");
    assert!(
        server
            .ctl_ok(&["report", "send", "--kind", "dmarc"])
            .contains('1')
    );
    assert_eq!(server.ctl_json(&["report", "list"])["total"], 0);
}
