//! Sending and reading mail over plain connections.

use crate::server::Server;

/// Sends a message by SMTP as a stranger; the queue id of the answer. Text with CRLF, dots not yet doubled.
pub fn send(server: &Server, from: &str, to: &[&str], text: &[u8]) -> String {
    let mut smtp = server.connect("smtp");
    smtp.smtp("", "220");
    smtp.smtp("EHLO client.test", "250");
    smtp.smtp(&format!("MAIL FROM:<{from}>"), "250");
    for recipient in to {
        smtp.smtp(&format!("RCPT TO:<{recipient}>"), "250");
    }
    smtp.smtp("DATA", "354");
    smtp.send_raw(&stuffed(text));
    let reply = smtp.smtp("", "250");
    smtp.smtp("QUIT", "221");
    reply.rsplit(' ').next().unwrap_or_default().to_owned()
}

/// The text as DATA wants it: dots doubled, a CRLF and the end behind it.
pub fn stuffed(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 8);
    let mut line_start = true;
    for &byte in text {
        if line_start && byte == b'.' {
            out.push(b'.');
        }
        out.push(byte);
        line_start = byte == b'\n';
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

/// All messages of a user's INBOX by IMAP, in the order of their UIDs, as raw bytes.
pub fn fetch_all(server: &Server, user: &str, password: &str) -> Vec<Vec<u8>> {
    let mut imap = server.connect("imap");
    imap.until("* OK");
    imap.ask(&format!("a LOGIN {user} {password}"), "a OK");
    // Otherwise international mail is shown in an older form (RFC 6858).
    imap.ask("u ENABLE UTF8=ACCEPT", "u OK");
    let mut exists = 0;
    imap.send("b SELECT INBOX");
    loop {
        let line = imap.line();
        exists = told_to_exist(&line).unwrap_or(exists);
        if line.starts_with("b ") {
            assert!(line.starts_with("b OK"), "{line}");
            break;
        }
    }
    let (mut messages, selected) = (Vec::new(), exists);
    if exists > 0 {
        imap.send("c FETCH 1:* BODY.PEEK[]");
        loop {
            let line = imap.line();
            // One may come meanwhile.
            exists = told_to_exist(&line).unwrap_or(exists);
            if line.starts_with("c ") {
                assert!(line.starts_with("c OK"), "{line}");
                break;
            }
            if let Some(size) = line.rsplit_once('{').and_then(|(_, size)| size.strip_suffix('}')) {
                messages.push(imap.bytes(size.parse().expect("a size")));
            }
        }
    }
    assert!(
        (selected..=exists).contains(&messages.len()),
        "{} messages, EXISTS says {selected} and then {exists}",
        messages.len()
    );
    imap.ask("d LOGOUT", "d OK");
    messages
}

fn told_to_exist(line: &str) -> Option<usize> {
    let count = line.strip_prefix("* ")?.strip_suffix(" EXISTS")?;
    Some(count.parse().expect("a number"))
}

/// The text without the header fields that the server puts on top: Return-Path and the newest Received.
pub fn without_trace(text: &[u8]) -> &[u8] {
    let mut rest = text;
    for name in [&b"Return-Path:"[..], &b"Received:"[..]] {
        assert!(
            rest.starts_with(name),
            "{} is missing",
            String::from_utf8_lossy(name)
        );
        let mut at = 0;
        loop {
            let end = rest[at..]
                .windows(2)
                .position(|two| two == b"\r\n")
                .expect("the field has an end");
            at += end + 2;
            if !rest.get(at).is_some_and(|byte| *byte == b' ' || *byte == b'\t') {
                break;
            }
        }
        rest = &rest[at..];
    }
    rest
}
