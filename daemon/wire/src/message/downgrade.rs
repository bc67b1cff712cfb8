//! International mail for clients that don't know it (RFC 6858): the same message with headers in ASCII.
//!
//! Only header fields whose non-ASCII bytes are UTF-8 are rewritten, in the message and in all parts within it. Raw bytes in another charset
//! are older than the rule and stay as they are. Bodies stay too: a body in 8 bits is no news.

mod edits;

use super::addresses::{Entry, MISSING_DOMAIN, MISSING_MAILBOX, Mailbox, entries};
use super::header::{Field, headers};
use super::mime::{ContentType, Disposition, Param};
use super::text::{Text, with_range};
use super::{Part, Structure, decode};
use crate::base64;
pub use edits::{Edit, Edits, Piece};

/// What stands for an address that can't be written in ASCII (RFC 6858 §2.1).
pub const INVALID_ADDRESS: &str = "invalid@internationalized-address.invalid";
/// Bytes of text in one encoded word: 75 characters with what is around them (RFC 2047 §2).
const WORD_TEXT_MAX_BYTES: usize = 45;
/// A line without its end (RFC 5322 §2.1.1).
pub(super) const LINE_MAX_BYTES: usize = 998;
/// Characters of one piece of a parameter (RFC 2231 §3).
const PIECE_MAX_BYTES: usize = 60;

pub(super) const ADDRESS_FIELDS: [&str; 13] = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "bcc",
    "resent-from",
    "resent-sender",
    "resent-reply-to",
    "resent-to",
    "resent-cc",
    "resent-bcc",
    "disposition-notification-to",
];
/// Fields whose value has a grammar without encoded words: they are left out (RFC 6858 §2.4).
pub(super) const STRUCTURED_FIELDS: [&str; 20] = [
    "message-id",
    "resent-message-id",
    "in-reply-to",
    "references",
    "date",
    "resent-date",
    "received",
    "mime-version",
    "content-id",
    "content-location",
    "content-transfer-encoding",
    "content-language",
    "dkim-signature",
    "authentication-results",
    "arc-seal",
    "arc-message-signature",
    "arc-authentication-results",
    "list-id",
    "list-post",
    "list-unsubscribe",
];

/// The message as clients without UTF8=ACCEPT see it; `None`: as it is.
pub fn downgrade(text: &[u8], structure: &Structure) -> Option<Vec<u8>> {
    let edits = Edits::of(&mut { text }, structure)?;
    let mut out = Vec::with_capacity(edits.len());
    for piece in edits.pieces(0, edits.len()) {
        out.extend_from_slice(match piece {
            Piece::Kept(range) => text.get(range).unwrap_or_default(),
            Piece::Put(put) => put,
        });
    }
    Some(out)
}

/// How many bytes [`downgrade`] gives; `None`: the message stays as it is.
pub fn downgraded_size(text: &mut impl Text, structure: &Structure) -> Option<u64> {
    Edits::of(text, structure).map(|edits| edits.len() as u64)
}

impl Edits {
    /// What [`downgrade`] does to this text; `None`: it stays as it is.
    pub fn of(text: &mut impl Text, structure: &Structure) -> Option<Self> {
        let edits = edits(text, structure);
        (!edits.is_empty()).then(|| Self::new(edits, text.len()))
    }
}

/// In the order of the text, disjoint.
fn edits(text: &mut impl Text, structure: &Structure) -> Vec<Edit> {
    let mut found = Vec::new();
    structure.root.walk(&mut |part| {
        with_range(text, part.header.clone(), |header| {
            part_edits(header, part, &mut found);
        });
    });
    found.sort_by_key(|(range, _)| range.start);
    // Parts that share a header are one and the same.
    found.dedup_by(|later, earlier| later.0.start < earlier.0.end);
    found
}

fn part_edits(header: &[u8], part: &Part, out: &mut Vec<Edit>) {
    let global = part.content.is("message", "global") && part.message.is_some();
    if header.is_ascii() && !global {
        return;
    }
    for field in headers(header) {
        let international = !field.value.is_ascii() && std::str::from_utf8(field.value).is_ok();
        let renamed = global && field.is("content-type");
        if !international && !renamed {
            continue;
        }
        let crlf = header
            .get(field.range.clone())
            .is_some_and(|line| line.ends_with(b"\r\n"));
        let Some(put) = rewritten(&field, if crlf { "\r\n" } else { "\n" }) else {
            continue;
        };
        let range = part.header.start + field.range.start..part.header.start + field.range.end;
        out.push((range, put.into_bytes()));
    }
}

/// A field in ASCII, with its line end, that says all that it said; `None`: its grammar has no way to say it, or it is no UTF-8. Parameters
/// need not be: those are `unknown-8bit`.
pub(super) fn without_loss(field: &Field<'_>) -> Option<String> {
    // An address that can't be said, or is none, becomes one that leads nowhere.
    let leads_nowhere = |text: &[u8]| {
        let has = |part: &[u8]| memchr::memmem::find(text, part).is_some();
        has(INVALID_ADDRESS.as_bytes()) || has(MISSING_MAILBOX) || has(MISSING_DOMAIN)
    };
    let has_parameters = field.is("content-type") || field.is("content-disposition");
    let is_text = has_parameters || std::str::from_utf8(field.value).is_ok();
    if !is_text || field.name.is_empty() || leads_nowhere(field.value) {
        return None;
    }
    let put = rewritten(field, "\r\n")?;
    if field.is("content-type") {
        // It would be another type, or parts would no longer be found.
        let (_, value) = put.split_once(':')?;
        if !is_same(
            ContentType::parse(field.value),
            ContentType::parse(value.as_bytes()),
        ) {
            return None;
        }
    }
    let fits = put.lines().all(|line| line.len() <= LINE_MAX_BYTES);
    (fits && put.is_ascii() && !put.is_empty() && !leads_nowhere(put.as_bytes())).then_some(put)
}

/// Whether two values of Content-Type name the same type and boundary.
pub(super) fn is_same(before: Option<ContentType>, after: Option<ContentType>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => {
            let same = before.is(&after.type_, &after.subtype);
            same && before.param("boundary") == after.param("boundary")
        }
        (before, after) => before.is_none() && after.is_none(),
    }
}

/// A field in ASCII, with its line end; empty: it is left out; `None`: it stays.
fn rewritten(field: &Field<'_>, line_end: &str) -> Option<String> {
    // A line that is no field has no name and no meaning.
    let name = std::str::from_utf8(field.name).ok()?;
    let is = |known: &&str| field.is(known);
    let value = if field.is("content-type") {
        let mut content = ContentType::parse(field.value)?;
        if content
            .param("boundary")
            .is_some_and(|boundary| !boundary.is_ascii())
        {
            return None;
        }
        // RFC 6532 §3.7: what is inside is an ordinary message now.
        if content.is("message", "global") {
            "rfc822".clone_into(&mut content.subtype);
        }
        parameters(ascii_word(&content.essence()), &content.params, line_end)
    } else if field.is("content-disposition") {
        let disposition = Disposition::parse(field.value)?;
        parameters(ascii_word(&disposition.kind), &disposition.params, line_end)
    } else if field.is("return-path") {
        format!("<{INVALID_ADDRESS}>")
    } else if ADDRESS_FIELDS.iter().any(is) {
        addresses(field.value, line_end)
    } else if STRUCTURED_FIELDS.iter().any(is) {
        return Some(String::new());
    } else {
        encoded_words(&decode::header_text(field.value), line_end)
    };
    Some(format!("{name}: {value}{line_end}"))
}

fn ascii_word(word: &str) -> String {
    if word.is_ascii() {
        word.to_owned()
    } else {
        "application/octet-stream".to_owned()
    }
}

fn addresses(value: &[u8], line_end: &str) -> String {
    let mut out = String::new();
    let mut in_group = false;
    let mut first = true;
    for entry in entries(value) {
        if !matches!(entry, Entry::GroupEnd) && !std::mem::take(&mut first) {
            out.push(',');
            out.push_str(line_end);
            out.push(' ');
        }
        match entry {
            Entry::Mailbox(mailbox) => out.push_str(&address(&mailbox, line_end)),
            Entry::GroupStart(name) => {
                out.push_str(&phrase(&decode::header_text(&name), line_end));
                out.push_str(": ");
                in_group = true;
                first = true;
            }
            Entry::GroupEnd => {
                if std::mem::take(&mut in_group) {
                    out.push(';');
                }
                first = false;
            }
        }
    }
    out
}

fn address(mailbox: &Mailbox, line_end: &str) -> String {
    let name = mailbox
        .name
        .as_deref()
        .map(decode::header_text)
        .unwrap_or_default();
    let local = String::from_utf8_lossy(&mailbox.local);
    let domain = String::from_utf8_lossy(&mailbox.domain);
    if !local.is_ascii() || !domain.is_ascii() {
        // The name says whom it was from, and nobody answers into the void unknowingly.
        let shown = if name.is_empty() {
            format!("{local}@{domain}")
        } else {
            format!("{name} <{local}@{domain}>")
        };
        return format!("{} <{INVALID_ADDRESS}>", phrase(&shown, line_end));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte);
    let local = if local.bytes().all(plain) {
        local.into_owned()
    } else {
        quoted(&local)
    };
    if name.is_empty() {
        format!("{local}@{domain}")
    } else {
        format!("{} <{local}@{domain}>", phrase(&name, line_end))
    }
}

/// A display name: words, a quoted string or encoded words.
fn phrase(name: &str, line_end: &str) -> String {
    if !name.is_ascii() {
        return encoded_words(name, line_end);
    }
    if name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b' ')
    {
        return name.to_owned();
    }
    quoted(name)
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for decoded in text.chars().filter(|decoded| !decoded.is_control()) {
        if matches!(decoded, '"' | '\\') {
            out.push('\\');
        }
        out.push(decoded);
    }
    out.push('"');
    out
}

/// RFC 2047 §2, folded between the words.
pub(super) fn encoded_words(text: &str, line_end: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut end = rest.len().min(WORD_TEXT_MAX_BYTES);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (word, after) = rest.split_at(end);
        if !out.is_empty() {
            out.push_str(line_end);
            out.push(' ');
        }
        out.push_str("=?UTF-8?B?");
        out.push_str(&base64::encode(word.as_bytes()));
        out.push_str("?=");
        rest = after;
    }
    out
}

/// `head; name="value"; name*=UTF-8''…` (RFC 2231 §4).
fn parameters(head: String, params: &[Param], line_end: &str) -> String {
    let mut out = head;
    for (name, value) in params {
        if !name.is_ascii() {
            continue;
        }
        let mut put = |piece: &str| {
            out.push(';');
            out.push_str(line_end);
            out.push(' ');
            out.push_str(piece);
        };
        if value.is_ascii() && name.ends_with('*') {
            put(&format!("{name}={}", String::from_utf8_lossy(value)));
        } else if value.is_ascii() {
            put(&format!("{name}={}", quoted(&String::from_utf8_lossy(value))));
        } else {
            let known = std::str::from_utf8(value).is_ok();
            // RFC 1428 §3
            let charset = if known { "UTF-8" } else { "unknown-8bit" };
            let pieces = percent_pieces(value);
            let base = name.trim_end_matches('*');
            if let [only] = pieces.as_slice() {
                put(&format!("{base}*={charset}''{only}"));
                continue;
            }
            for (number, piece) in pieces.iter().enumerate() {
                let charset = if number == 0 {
                    format!("{charset}''")
                } else {
                    String::new()
                };
                put(&format!("{base}*{number}*={charset}{piece}"));
            }
        }
    }
    out
}

fn percent_pieces(value: &[u8]) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for &byte in value {
        let unit = if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`{|}~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        };
        if let Some(last) = pieces.last_mut()
            && last.len() + unit.len() <= PIECE_MAX_BYTES
        {
            last.push_str(&unit);
        } else {
            pieces.push(unit);
        }
    }
    pieces
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::message::Message;
    use proptest::prelude::*;

    fn shown(text: &[u8]) -> Option<String> {
        let structure = Message::parse(text);
        let out = downgrade(text, &structure)?;
        let edits = Edits::of(&mut { text }, &structure)?;
        assert_eq!(downgraded_size(&mut { text }, &structure), Some(out.len() as u64));
        let header = structure.root.header.end;
        assert_eq!(edits.moved(header), Message::parse(&out).root.header.end);
        // Any part of it is that part of the whole.
        for at in 0..=out.len() {
            for len in [1, 7, 60, out.len()] {
                let mut part = Vec::new();
                for piece in edits.pieces(at, len) {
                    match piece {
                        Piece::Kept(range) => part.extend_from_slice(&text[range]),
                        Piece::Put(put) => part.extend_from_slice(put),
                    }
                }
                assert_eq!(part, out[at..out.len().min(at + len)], "{len} from {at}");
            }
        }
        // It is international no more.
        assert_eq!(downgrade(&out, &Message::parse(&out)), None);
        Some(String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn fields() {
        let cases = [
            ("Subject: ü", "Subject: =?UTF-8?B?w7w=?="),
            ("X-Note: =?utf-8?q?=C3=BC?= ü", "X-Note: =?UTF-8?B?w7wgw7w=?="),
            ("Message-ID: <ü@x>", ""),
            ("From: Jörg <j@x.test>", "From: =?UTF-8?B?SsO2cmc=?= <j@x.test>"),
            (
                "From: jörg@x.test",
                "From: =?UTF-8?B?asO2cmdAeC50ZXN0?= <invalid@internationalized-address.invalid>",
            ),
            (
                "To: Ann B. <a@x>, Ö: é@x, b@y;",
                "To: \"Ann B.\" <a@x>,\r\n =?UTF-8?B?w5Y=?=: =?UTF-8?B?w6lAeA==?= <invalid@internationalized-address.invalid>,\r\n b@y;",
            ),
            (
                "Return-Path: <ü@x>",
                "Return-Path: <invalid@internationalized-address.invalid>",
            ),
            (
                "Content-Type: text/plain; charset=utf-8; name=\"ü.txt\"",
                "Content-Type: text/plain;\r\n charset=\"utf-8\";\r\n name*=UTF-8''%C3%BC.txt",
            ),
        ];
        for (field, expected) in cases {
            let expected = if expected.is_empty() {
                String::new()
            } else {
                format!("{expected}\r\n")
            };
            let text = format!("A: 1\r\n{field}\r\nB: 2\r\n\r\nbödy\r\n");
            assert_eq!(
                shown(text.as_bytes()).unwrap(),
                format!("A: 1\r\n{expected}B: 2\r\n\r\nbödy\r\n")
            );
        }
    }

    #[test]
    fn what_stays() {
        assert_eq!(shown(b"Subject: =?utf-8?q?=C3=BC?=\r\n\r\nb\xc3\xb6dy"), None);
        // Another charset, raw.
        assert_eq!(shown(b"Subject: \xcf\xf0\xe8\r\n\r\nx"), None);
        assert_eq!(shown(b""), None);
    }

    #[test]
    fn parts_and_messages_within() {
        let text = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/global\r\n\r\n\
            Subject: é\r\n\r\ninner é\r\n--b\r\nContent-Disposition: attachment; filename=\"отчёт о проделанной работе.txt\"\r\n\r\nx\r\n--b--\r\n";
        let out = shown(text.as_bytes()).unwrap();
        assert!(
            out.contains("Content-Type: message/rfc822\r\n\r\nSubject: =?UTF-8?B?w6k=?=\r\n\r\ninner é\r\n")
        );
        let parsed = Message::parse(out.as_bytes());
        assert_eq!(
            parsed.root.children[1].filename().unwrap(),
            "отчёт о проделанной работе.txt"
        );
        assert!(out.lines().all(|line| line.len() < 100));
    }

    proptest! {
        #[test]
        fn any_text(text in "(?s)((Subject|To|Content-Type|X-A):[a-z/;=\"<>@, é\n ]{0,40}\n){0,4}\n.{0,20}") {
            let structure = Message::parse(text.as_bytes());
            let out = downgrade(text.as_bytes(), &structure);
            prop_assert_eq!(out.as_ref().map(|out| out.len() as u64), downgraded_size(&mut text.as_bytes(), &structure));
        }
    }
}
