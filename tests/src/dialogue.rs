//! Dialogues: scripts of what is sent and what must come back.
//!
//! ```text
//! # What a user would lose if this failed.
//! open a smtp           a connection to a service, under a name
//! a< 220 …              the next line; … stands for any text
//! a> EHLO client.test   a line, sent with CRLF
//! a<* 250 …             lines up to the first that fits
//! a>> \x00abc\r\n       bytes as written: \r \n \t \\ \xNN
//! a<                    an empty line
//! a<!                   the peer has closed
//! a<!*                  the same, whatever it says before
//! put Subject: x\r\n…   a message, bytes as written, into the INBOX of $user
//! arrived 1             once the queue is empty the INBOX of $user holds that many messages
//! ctl domain list       batpostctl must succeed; "…" is one word
//! ctl! user show x@y    batpostctl must refuse
//! ```
//!
//! Each script has two users of its own: `$user` with `$pass`, `$other` with `$otherpass`; `$plain` is the first one's response
//! to the mechanism PLAIN. `$big` stands for 70,000 letters.

use std::collections::HashMap;
use std::path::Path;

use crate::line::Line;
use crate::server::{Server, User};

/// How many letters `$big` is: more than any buffer of a session, and more than a small message.
const BIG_BYTES: usize = 70_000;

/// Plays a script against a server; panics with the script's line that failed.
pub fn play(server: &Server, script: &Path, user: &User, other: &User) {
    let text = std::fs::read_to_string(script).expect("the script can be read");
    let mut open: HashMap<String, Line> = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let place = format!("{}:{}", script.display(), number + 1);
        let line = filled(line, user, other);
        if let Some(text) = line.strip_prefix("put ") {
            put(server, user, &unescape(text), &place);
        } else if let Some(count) = line.strip_prefix("arrived ") {
            server.wait_for_empty_queue();
            let there = crate::mail::fetch_all(server, &user.address, &user.password).len();
            assert_eq!(there.to_string(), count, "{place}: messages in the INBOX");
        } else {
            step(server, &mut open, &line, &place);
        }
    }
}

/// The line with the names put in.
fn filled(line: &str, user: &User, other: &User) -> String {
    line.replace("$plain", &user.plain())
        .replace("$user", &user.address)
        .replace("$pass", &user.password)
        .replace("$otherpass", &other.password)
        .replace("$other", &other.address)
        .replace("$big", &"x".repeat(BIG_BYTES))
}

/// Appends a message to a user's INBOX.
fn put(server: &Server, user: &User, message: &[u8], place: &str) {
    let mut imap = server.connect("imap");
    imap.ask(&format!("a LOGIN {} {}", user.address, user.password), "a OK");
    imap.send(&format!("b APPEND INBOX {{{}+}}", message.len()));
    imap.send_raw(message);
    imap.send("");
    let answer = imap.until("b ");
    assert!(answer.starts_with("b OK"), "{place}: {answer}");
}

/// The words of a command line; what stands between quotation marks is one.
fn words(line: &str) -> Vec<&str> {
    let parts = line.split('"').enumerate();
    parts
        .flat_map(|(index, part)| match index % 2 {
            0 => part.split_whitespace().collect(),
            _ => vec![part],
        })
        .collect()
}

fn step(server: &Server, open: &mut HashMap<String, Line>, line: &str, place: &str) {
    if let Some(rest) = line.strip_prefix("open ") {
        let (name, service) = rest
            .split_once(' ')
            .unwrap_or_else(|| panic!("{place}: open NAME SERVICE"));
        open.insert(name.to_owned(), server.connect(service.trim()));
        return;
    }
    if let Some(arguments) = line.strip_prefix("ctl! ") {
        let words = words(arguments);
        assert_eq!(
            server.ctl(&words).status.code(),
            Some(1),
            "{place}: batpostctl {arguments}"
        );
        return;
    }
    if let Some(arguments) = line.strip_prefix("ctl ") {
        let words = words(arguments);
        let done = server.ctl(&words);
        assert!(
            done.status.success(),
            "{place}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        return;
    }
    let at = line
        .find(['<', '>'])
        .unwrap_or_else(|| panic!("{place}: not understood: {line}"));
    let (name, rest) = line.split_at(at);
    let peer = open
        .get_mut(name)
        .unwrap_or_else(|| panic!("{place}: {name} is not open"));
    if let Some(bytes) = rest.strip_prefix(">> ") {
        peer.send_raw(&unescape(bytes));
    } else if let Some(text) = rest.strip_prefix("> ") {
        peer.send(text);
    } else if rest == ">" {
        peer.send("");
    } else if rest == "<!*" {
        while peer.try_line().is_some() {}
    } else if rest == "<!" {
        let more = peer.try_line();
        assert!(
            more.is_none(),
            "{place}: the peer did not close but said {:?}",
            more.map(|m| String::from_utf8_lossy(&m).into_owned())
        );
    } else if let Some(pattern) = rest.strip_prefix("<* ") {
        let mut seen = Vec::new();
        loop {
            let Some(answer) = peer.try_line() else {
                panic!("{place}: closed; before it came {seen:#?}")
            };
            let answer = String::from_utf8_lossy(&answer).into_owned();
            if fits(pattern, &answer) {
                break;
            }
            seen.push(answer);
            assert!(seen.len() < 10_000, "{place}: no such line");
        }
    } else if let Some(pattern) = rest.strip_prefix("< ").or((rest == "<").then_some("")) {
        let Some(answer) = peer.try_line() else {
            panic!("{place}: the peer closed")
        };
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(
            fits(pattern, &answer),
            "{place}: expected {pattern:?}, got {answer:?}"
        );
    } else {
        panic!("{place}: not understood: {line}");
    }
}

/// Whether a text fits a pattern in which … stands for any text.
pub fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'r') => out.push(b'\r'),
            Some(b'n') => out.push(b'\n'),
            Some(b't') => out.push(b'\t'),
            Some(b'x') => {
                let digits = [bytes.next(), bytes.next()].map(|digit| char::from(digit.unwrap_or(b'0')));
                let value = digits
                    .iter()
                    .fold(0, |value, digit| value * 16 + digit.to_digit(16).unwrap_or(0));
                out.push(u8::try_from(value).unwrap_or_default());
            }
            Some(other) => out.push(other),
            None => out.push(b'\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_any_text_where_they_say_so() {
        assert!(fits("250 …", "250 2.0.0 Ok"));
        assert!(fits("* LIST (…) \"/\" …", "* LIST (\\Sent) \"/\" Sent"));
        assert!(fits("a…b…c", "a-b-b-c"));
        assert!(!fits("250 Ok", "250 Ok!"));
        assert!(!fits("…end", "ends"));
    }

    #[test]
    fn bytes_are_sent_as_written() {
        assert_eq!(unescape("a\\r\\n\\x00\\\\"), b"a\r\n\0\\");
    }
}
