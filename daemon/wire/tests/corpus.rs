//! Hard mail: a user would see the wrong parts, a wrong sender or nothing at all if these failed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use batpost_wire::message::{
    Message, Order, Part, Structure, Summary, envelope, header_end, searchable, structure,
};
use proptest::prelude::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The `.eml` files of a folder in the order of their names.
fn mails(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .collect();
    found.sort();
    found
        .into_iter()
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect()
}

/// What must hold for the parts of any text.
fn check(text: &[u8], structure: &Structure) {
    assert_eq!(structure.root.header.start, 0);
    assert_eq!(structure.root.header.end, header_end(text));
    assert_eq!(structure.root.body.end, text.len());
    check_part(text, &structure.root);
    let mut numbers = Vec::new();
    check_sections(structure, &structure.root, true, &mut numbers);
}

fn check_part(text: &[u8], part: &Part) {
    assert_eq!(part.header.end, part.body.start);
    assert!(
        part.header.start <= part.header.end
            && part.body.start <= part.body.end
            && part.body.end <= text.len()
    );
    assert_eq!(part.lines, line_feeds(&text[part.body.clone()]));
    let mut from = part.body.start;
    for child in part.children.iter().chain(part.message.as_deref()) {
        assert!(
            child.header.start >= from && child.body.end <= part.body.end,
            "{child:?} in {part:?}"
        );
        from = child.body.end;
        check_part(text, child);
    }
}

fn line_feeds(text: &[u8]) -> usize {
    text.split(|&byte| byte == b'\n').count() - 1
}

/// Each part is found under its number, and nothing under the next one.
fn check_sections(structure: &Structure, part: &Part, is_message: bool, numbers: &mut Vec<u32>) {
    if is_message && !part.is_multipart() {
        numbers.push(1);
        assert_eq!(structure.section(numbers), Some(part));
        if let Some(inner) = &part.message {
            check_sections(structure, inner, true, numbers);
        }
        numbers.pop();
        return;
    }
    for (number, child) in (1..).zip(&part.children) {
        numbers.push(number);
        assert_eq!(structure.section(numbers), Some(child), "{numbers:?}");
        match &child.message {
            Some(inner) => check_sections(structure, inner, true, numbers),
            None => check_sections(structure, child, false, numbers),
        }
        numbers.pop();
    }
    numbers.push(u32::try_from(part.children.len()).unwrap() + 1);
    assert_eq!(structure.section(numbers), None, "{numbers:?}");
    numbers.pop();
}

/// Parses and renders everything; the numbers must agree with one another.
fn exercise(text: &[u8]) -> Summary {
    let parsed = Message::parse(text);
    check(text, &parsed);
    let summary = Summary::of(text);
    assert_eq!(summary.structure, structure::render(text, &parsed, true));
    assert_eq!(summary.envelope, envelope::render(&text[..header_end(text)]));
    assert_eq!(summary.size, text.len() as u64);
    assert_eq!(summary.lines as usize, line_feeds(text));
    balanced(&summary.envelope);
    balanced(&summary.structure);
    let body = structure::render(text, &parsed, false);
    balanced(&body);
    assert_eq!(structure::body_of(&summary.structure), Some(body));
    let all = searchable::pieces(text, &parsed, searchable::Scope::All, &mut |_| {
        ControlFlow::Continue(())
    });
    assert!(all.is_continue());
    parsed.root.walk(&mut |part| {
        let _ = part.filename();
    });
    summary
}

/// A rendered value is one parenthesised list with its strings closed and its literals whole.
fn balanced(value: &[u8]) {
    let (mut depth, mut at) = (0, 0);
    while at < value.len() {
        match value[at] {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'"' => {
                at += 1;
                while value[at] != b'"' {
                    assert!(value[at] < 128 && !matches!(value[at], b'\r' | b'\n' | 0));
                    at += if value[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'{' => {
                let len = value[at..].iter().position(|&byte| byte == b'}').unwrap();
                let size: usize = std::str::from_utf8(&value[at + 1..at + len])
                    .unwrap()
                    .parse()
                    .unwrap();
                assert_eq!(&value[at + len + 1..at + len + 3], b"\r\n");
                at += len + 2 + size;
            }
            byte => assert!(
                byte == b' ' || byte.is_ascii_alphanumeric(),
                "{}",
                value.escape_ascii()
            ),
        }
        at += 1;
        assert!(depth > 0 || at == value.len(), "{}", value.escape_ascii());
    }
    assert_eq!(depth, 0);
}

#[test]
fn our_corpus_is_shown_as_expected() {
    let folder = root().join("tests/corpus");
    let bless = std::env::var_os("BATPOST_BLESS").is_some();
    let mails = mails(&folder);
    assert!(mails.len() >= 12);
    for (path, text) in mails {
        let summary = exercise(&text);
        let found = format!(
            "{}\n{}\n",
            summary.envelope.escape_ascii(),
            summary.structure.escape_ascii()
        );
        let expected = path.with_extension("expected");
        if bless {
            fs::write(&expected, &found).unwrap();
        }
        let expected = fs::read_to_string(expected).unwrap_or_default();
        assert_eq!(expected.replace("\r\n", "\n"), found, "{}", path.display());
    }
}

/// 800 real messages, where the machine has them.
#[test]
fn real_mail_is_shown() {
    let folder =
        std::env::var_os("BATPOST_CORPUS").map_or_else(|| root().join("../shared/corpus"), PathBuf::from);
    let folder = folder.join("mail");
    if !folder.is_dir() {
        eprintln!(
            "SKIPPED: no corpus at {}; name one in BATPOST_CORPUS",
            folder.display()
        );
        return;
    }
    for (path, text) in mails(&folder) {
        exercise(&text);
        assert!(
            !Order::of(&text).display_from.is_empty() || !text.starts_with(b"From:"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn nesting_and_parts_are_bounded() {
    let deep: Vec<String> = (0..5000)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"))
        .collect();
    exercise(deep.concat().as_bytes());
    let messages = "Content-Type: message/rfc822\r\n\r\n".repeat(5000);
    exercise(messages.as_bytes());
    let wide = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        "--b\r\n\r\nx\r\n".repeat(100_000)
    );
    let parsed = Message::parse(wide.as_bytes());
    check(wide.as_bytes(), &parsed);
    assert_eq!(parsed.root.children.len(), 999);
    let dashes = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        "--\r\n".repeat(200_000)
    );
    exercise(dashes.as_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_text_never_fails(text in proptest::collection::vec(any::<u8>(), 0..400)) {
        exercise(&text);
        let _ = structure::body_of(&text);
    }

    #[test]
    fn mutated_mail_never_fails(
        which in any::<prop::sample::Index>(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0_u8..4, any::<u8>()), 1..12),
    ) {
        let mails = mails(&root().join("tests/corpus"));
        let mut text = mails[which.index(mails.len())].1.clone();
        for (place, kind, byte) in edits {
            if text.is_empty() {
                break;
            }
            let at = place.index(text.len());
            match kind {
                0 => text[at] = byte,
                1 => text.insert(at, byte),
                2 => drop(text.drain(at..(at + usize::from(byte)).min(text.len()))),
                _ => text.truncate(text.len() - at % 64),
            }
        }
        exercise(&text);
    }
}
