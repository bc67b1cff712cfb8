//! Real mail, delivered by SMTP and fetched by IMAP and POP3: the bytes are those that were sent, whatever they are.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use batpost_tests::line::Line;
use batpost_tests::mail::{fetch_all, stuffed, without_trace};
use batpost_tests::server::Server;

/// Messages of one user, so that no session grows with the corpus.
const MESSAGES_PER_USER: usize = 100;
/// More Received fields are taken for a loop.
const RECEIVED_MAX_COUNT: usize = 50;
const ADDRESS: &str = "example.test";

/// The messages of a folder, in the order of their names.
fn messages(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.is_file() && path.extension().is_none_or(|extension| extension == "eml"));
    paths.retain(|path| path.file_name().is_some_and(|name| name != "README.md"));
    paths.sort();
    paths
        .iter()
        .map(|path| (path.display().to_string(), std::fs::read(path).unwrap()))
        .collect()
}

/// What DATA can't carry: NUL, or a CR or LF that stands alone (RFC 5321 §2.3.8).
fn is_unsendable(text: &[u8]) -> bool {
    text.iter().enumerate().any(|(at, byte)| match byte {
        b'\r' => text.get(at + 1) != Some(&b'\n'),
        b'\n' => at == 0 || text[at - 1] != b'\r',
        byte => *byte == 0,
    })
}

/// How many servers a message has passed.
fn received_fields(text: &[u8]) -> usize {
    let header = text.split(|byte| *byte == b'\n').take_while(|line| line != b"\r");
    header
        .filter(|line| line.len() > 9 && line[..9].eq_ignore_ascii_case(b"received:"))
        .count()
}

/// Sends messages over one connection; each must be taken or refused as it deserves. Gives those that were taken.
fn deliver<'a>(server: &Server, user: &str, all: &'a [(String, Vec<u8>)]) -> Vec<&'a (String, Vec<u8>)> {
    let mut smtp = server.connect("smtp");
    smtp.smtp("", "220");
    smtp.smtp("EHLO client.test", "250");
    let mut taken = Vec::new();
    for message in all {
        let (name, text) = message;
        smtp.smtp("MAIL FROM:<sender@elsewhere.test>", "250");
        smtp.smtp(&format!("RCPT TO:<{user}>"), "250");
        smtp.smtp("DATA", "354");
        smtp.send_raw(&stuffed(text));
        if is_unsendable(text) || received_fields(text) > RECEIVED_MAX_COUNT {
            println!("can't be sent: {name}");
            smtp.smtp("", "554");
        } else {
            smtp.smtp("", "250");
            taken.push(message);
        }
    }
    taken
}

/// All messages by POP3, dots taken off.
fn by_pop3(server: &Server, user: &str, password: &str) -> Vec<Vec<u8>> {
    let mut pop3 = server.connect("pop3");
    pop3.line();
    pop3.ask("UTF8", "+OK");
    pop3.ask(&format!("USER {user}"), "+OK");
    pop3.ask(&format!("PASS {password}"), "+OK");
    let stat = pop3.ask("STAT", "+OK");
    let count: usize = stat.split(' ').nth(1).unwrap().parse().unwrap();
    let mut commands = String::new();
    for number in 1..=count {
        write!(commands, "RETR {number}\r\n").unwrap();
    }
    pop3.send_raw(commands.as_bytes());
    (0..count).map(|_| one_by_pop3(&mut pop3)).collect()
}

fn one_by_pop3(pop3: &mut Line) -> Vec<u8> {
    pop3.until("+OK");
    let mut text = Vec::new();
    loop {
        let line = pop3.raw_line().expect("the message has an end");
        if line == b".\r\n" {
            return text;
        }
        text.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

/// DATA ends a text that has no line end at its end with one.
fn whole(text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    if !text.ends_with(b"\r\n") {
        text.extend_from_slice(b"\r\n");
    }
    text
}

fn goes_through_unchanged(folder: &Path) -> usize {
    let all = messages(folder);
    let users = all.len().div_ceil(MESSAGES_PER_USER);
    let server = crate::server(users);
    let mut sent = Vec::new();
    for (index, part) in all.chunks(MESSAGES_PER_USER).enumerate() {
        sent.push(deliver(&server, &format!("user{}@{ADDRESS}", index + 1), part));
    }
    server.wait_for_empty_queue();
    let mut checked = 0;
    for (index, sent) in sent.iter().enumerate() {
        let (user, password) = (
            format!("user{}@{ADDRESS}", index + 1),
            format!("pass{}", index + 1),
        );
        let imap = fetch_all(&server, &user, &password);
        let pop3 = by_pop3(&server, &user, &password);
        assert_eq!(
            (imap.len(), pop3.len()),
            (sent.len(), sent.len()),
            "messages of {user}"
        );
        // Several workers deliver, so the order is not that of sending.
        let mut wanted: Vec<(Vec<u8>, &str)> = sent
            .iter()
            .map(|(name, text)| (whole(text), name.as_str()))
            .collect();
        for (by_imap, by_pop3) in imap.iter().zip(&pop3) {
            assert!(
                by_imap == by_pop3,
                "IMAP and POP3 differ: {}",
                String::from_utf8_lossy(by_imap)
            );
            let text = without_trace(by_imap);
            let at = wanted.iter().position(|(wanted, _)| wanted == text);
            let at = at.unwrap_or_else(|| panic!("changed on its way: {}", String::from_utf8_lossy(text)));
            wanted.swap_remove(at);
            checked += 1;
        }
        assert!(
            wanted.is_empty(),
            "{:?}",
            wanted.iter().map(|(_, name)| name).collect::<Vec<_>>()
        );
    }
    checked
}

#[test]
fn hard_mail_goes_through_unchanged() {
    let checked = goes_through_unchanged(&crate::top().join("tests/corpus"));
    assert!(checked >= 10, "{checked}");
}

/// The corpus is real people's mail and lies beside the repository, where it is at all.
#[test]
fn real_mail_goes_through_unchanged() {
    let folder = std::env::var_os("BATPOST_CORPUS")
        .map_or_else(|| crate::top().join("../shared/corpus/mail"), PathBuf::from);
    if !folder.is_dir() {
        eprintln!("SKIPPED: there is no corpus of real mail at {}", folder.display());
        return;
    }
    let checked = goes_through_unchanged(&folder);
    assert!(checked > 0);
    println!("{checked} messages of {} compared", folder.display());
}
