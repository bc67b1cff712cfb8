//! What an IMAP server says, for whoever fetches mail from it (RFC 9051 §7, RFC 3501 §7): as far as that needs it.
//!
//! A response is a line, or pieces of a line with literals between them. The caller reads a piece, asks [`literal`] what follows it, and
//! hands the pieces of a FETCH to [`Fetch::piece`]: no literal need be held.

use crate::base64;

/// The longest piece of a response.
pub const RESPONSE_LINE_MAX_BYTES: usize = 64 * 1024;
/// Parentheses in each other.
const DEPTH_MAX: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Ok,
    No,
    Bad,
    PreAuth,
    Bye,
}

/// The beginning of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response<'a> {
    /// A challenge, or leave to go on.
    Continue(&'a [u8]),
    Tagged {
        tag: &'a [u8],
        condition: Condition,
        text: String,
    },
    Condition {
        condition: Condition,
        text: String,
    },
    /// In upper case.
    Capability(Vec<String>),
    Exists(u32),
    /// What stands behind the word FETCH.
    Fetch(&'a [u8]),
    /// Anything else that a server may tell.
    Other,
}

/// Reads a line (its first piece if it has literals) without its CRLF. `None`: it is no response.
pub fn response(line: &[u8]) -> Option<Response<'_>> {
    if let Some(rest) = line.strip_prefix(b"+") {
        return Some(Response::Continue(rest.trim_ascii_start()));
    }
    let (tag, rest) = word(line);
    if tag != b"*" {
        let (condition, text) = condition(rest)?;
        return Some(Response::Tagged { tag, condition, text });
    }
    if let Some((condition, text)) = condition(rest) {
        return Some(Response::Condition { condition, text });
    }
    let (first, rest) = word(rest);
    if first.eq_ignore_ascii_case(b"CAPABILITY") {
        return Some(Response::Capability(capabilities(&String::from_utf8_lossy(rest))));
    }
    let Some(number) = number(first) else {
        return (!first.is_empty()).then_some(Response::Other);
    };
    let (kind, rest) = word(rest);
    Some(match kind.to_ascii_uppercase().as_slice() {
        b"EXISTS" => Response::Exists(number),
        b"FETCH" => Response::Fetch(rest),
        _ => Response::Other,
    })
}

/// The response code of a text (RFC 9051 §7.1) without its brackets: its name in upper case and what follows that.
pub fn code(text: &str) -> Option<(String, &str)> {
    let (code, _) = text.strip_prefix('[')?.split_once(']')?;
    let (name, rest) = code.split_once(' ').unwrap_or((code, ""));
    Some((name.to_ascii_uppercase(), rest))
}

/// The words of a capability list.
pub fn capabilities(text: &str) -> Vec<String> {
    text.split_ascii_whitespace()
        .map(str::to_ascii_uppercase)
        .collect()
}

/// The challenge of a continuation, decoded.
pub fn challenge(text: &[u8]) -> Option<Vec<u8>> {
    base64::decode(text.trim_ascii())
}

/// The bytes of the literal that follows a piece of a response (RFC 9051 §4.3).
pub fn literal(piece: &[u8]) -> Option<u64> {
    let digits = piece.strip_suffix(b"}")?;
    let digits = digits.get(memchr::memrchr(b'{', digits)? + 1..)?;
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| plain)?.parse().ok()
}

/// A quoted string; `None` if it must be a literal.
pub fn quoted(text: &str) -> Option<String> {
    if !text.bytes().all(|byte| (32..=126).contains(&byte)) {
        return None;
    }
    Some(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// What follows a piece of a FETCH response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// The message's text: so many bytes.
    Text(u64),
    /// A literal that is none of ours.
    Literal(u64),
    /// The response is complete.
    Nothing,
}

/// The items of a FETCH response, gathered piece by piece.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetch {
    pub uid: Option<u32>,
    pub size: Option<u64>,
    /// A text that came as a quoted string, or is NIL.
    pub quoted: Option<Vec<u8>>,
    depth: usize,
    name: Option<Vec<u8>>,
}

impl Fetch {
    /// Reads on; `None`: it is no FETCH response.
    pub fn piece(&mut self, mut rest: &[u8]) -> Option<Follows> {
        while let Some((&byte, after)) = rest.split_first() {
            match byte {
                b' ' => rest = after,
                b'(' => {
                    self.depth += 1;
                    if self.depth > DEPTH_MAX {
                        return None;
                    }
                    rest = after;
                }
                b')' => {
                    self.depth = self.depth.checked_sub(1)?;
                    if self.depth == 1 {
                        self.name = None;
                    }
                    rest = after;
                }
                b'"' => {
                    let (text, after) = quoted_string(after)?;
                    self.value(Value::Quoted(text));
                    rest = after;
                }
                b'{' => {
                    // Nothing stands behind it in this piece.
                    let bytes = literal(rest).filter(|_| memchr::memchr(b' ', rest).is_none())?;
                    let is_text = self.depth == 1 && self.is_text();
                    self.value(Value::Literal);
                    return Some(if is_text {
                        Follows::Text(bytes)
                    } else {
                        Follows::Literal(bytes)
                    });
                }
                _ => {
                    let (atom, after) = atom(rest)?;
                    self.value(Value::Atom(atom));
                    rest = after;
                }
            }
        }
        (self.depth == 0).then_some(Follows::Nothing)
    }

    fn is_text(&self) -> bool {
        self.name.as_deref() == Some(b"BODY[]")
    }

    fn value(&mut self, value: Value<'_>) {
        if self.depth != 1 {
            return;
        }
        let is_text = self.is_text();
        let Some(name) = self.name.take() else {
            if let Value::Atom(name) = value {
                self.name = Some(name.to_ascii_uppercase());
            }
            return;
        };
        match (name.as_slice(), value) {
            (b"UID", Value::Atom(atom)) => self.uid = number(atom),
            (b"RFC822.SIZE", Value::Atom(atom)) => {
                self.size = std::str::from_utf8(atom).ok().and_then(|size| size.parse().ok());
            }
            (_, Value::Quoted(text)) if is_text => self.quoted = Some(text),
            _ => {}
        }
    }
}

enum Value<'a> {
    Atom(&'a [u8]),
    Quoted(Vec<u8>),
    Literal,
}

/// An atom, with a section in brackets if it has one.
fn atom(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr3(b' ', b'(', b')', text).unwrap_or(text.len());
    let end = match memchr::memchr(b'[', text.get(..end)?) {
        None => end,
        Some(open) => {
            let close = open + memchr::memchr(b']', text.get(open..)?)? + 1;
            let tail = text.get(close..)?;
            close + memchr::memchr3(b' ', b'(', b')', tail).unwrap_or(tail.len())
        }
    };
    (end > 0).then(|| text.split_at(end))
}

fn quoted_string(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (mut out, mut at) = (Vec::new(), 0);
    loop {
        match *text.get(at)? {
            b'"' => return Some((out, text.get(at + 1..)?)),
            b'\\' => {
                out.push(*text.get(at + 1)?);
                at += 2;
            }
            byte => {
                out.push(byte);
                at += 1;
            }
        }
    }
}

fn condition(text: &[u8]) -> Option<(Condition, String)> {
    let (name, rest) = word(text);
    let condition = match name.to_ascii_uppercase().as_slice() {
        b"OK" => Condition::Ok,
        b"NO" => Condition::No,
        b"BAD" => Condition::Bad,
        b"PREAUTH" => Condition::PreAuth,
        b"BYE" => Condition::Bye,
        _ => return None,
    };
    Some((condition, String::from_utf8_lossy(rest).into_owned()))
}

fn word(text: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b' ', text) {
        Some(at) => (
            text.get(..at).unwrap_or_default(),
            text.get(at + 1..).unwrap_or_default(),
        ),
        None => (text, b""),
    }
}

fn number(text: &[u8]) -> Option<u32> {
    let plain = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| plain)?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn responses() {
        let ok = |text: &str| Response::Condition {
            condition: Condition::Ok,
            text: text.to_owned(),
        };
        let words = ["IMAP4REV1", "IDLE"].map(str::to_owned).to_vec();
        for (line, expected) in [
            (b"* OK ready" as &[u8], Some(ok("ready"))),
            (b"* ok [UIDVALIDITY 7] UIDs", Some(ok("[UIDVALIDITY 7] UIDs"))),
            (b"* CAPABILITY imap4rev1 IDLE", Some(Response::Capability(words))),
            (b"* 12 EXISTS", Some(Response::Exists(12))),
            (b"* 12 fetch (UID 3)", Some(Response::Fetch(b"(UID 3)"))),
            (b"* 12 EXPUNGE", Some(Response::Other)),
            (b"* FLAGS (\\Seen)", Some(Response::Other)),
            (b"+ go on", Some(Response::Continue(b"go on"))),
            (b"+", Some(Response::Continue(b""))),
            (
                b"a1 NO [AUTHENTICATIONFAILED] no",
                Some(Response::Tagged {
                    tag: b"a1",
                    condition: Condition::No,
                    text: "[AUTHENTICATIONFAILED] no".to_owned(),
                }),
            ),
            (b"+OK POP3", Some(Response::Continue(b"OK POP3"))),
            (b"HTTP/1.1 400 Bad Request", None),
            (b"", None),
            (b"*", None),
        ] {
            assert_eq!(response(line), expected, "{}", line.escape_ascii());
        }
        assert_eq!(code("[uidvalidity 7] x"), Some(("UIDVALIDITY".to_owned(), "7")));
        assert_eq!(code("no code"), None);
    }

    #[test]
    fn literals_and_strings() {
        assert_eq!(literal(b"* 1 FETCH (BODY[] {123}"), Some(123));
        for none in [
            b"{}" as &[u8],
            b"{x}",
            b"{12",
            b"12}",
            b"{-1}",
            b"{99999999999999999999}",
            b"",
        ] {
            assert_eq!(literal(none), None, "{}", none.escape_ascii());
        }
        assert_eq!(quoted("a\"b\\c").unwrap(), "\"a\\\"b\\\\c\"");
        assert_eq!(quoted("a\r\nb"), None);
        assert_eq!(quoted("пароль"), None);
    }

    #[test]
    fn fetch_responses_in_pieces() {
        let mut fetch = Fetch::default();
        assert_eq!(
            fetch.piece(b"(FLAGS (\\Seen (x)) BODY[] {5}"),
            Some(Follows::Text(5))
        );
        assert_eq!(fetch.piece(b" UID 7 RFC822.SIZE 5)"), Some(Follows::Nothing));
        assert_eq!((fetch.uid, fetch.size), (Some(7), Some(5)));

        let mut fetch = Fetch::default();
        let line = b"(UID 7 X-A {3}";
        assert_eq!(fetch.piece(line), Some(Follows::Literal(3)));
        assert_eq!(
            fetch.piece(b" BODY[HEADER.FIELDS (TO)] {2}"),
            Some(Follows::Literal(2))
        );
        assert_eq!(fetch.piece(b" BODY[] \"a\\\"b\")"), Some(Follows::Nothing));
        assert_eq!(fetch.quoted.as_deref(), Some(b"a\"b" as &[u8]));

        for bad in [
            b"(UID 7" as &[u8],
            b"UID 7)",
            b"(UID {3} x)",
            b"(BODY[",
            b"(\"abc",
        ] {
            assert_eq!(Fetch::default().piece(bad), None, "{}", bad.escape_ascii());
        }
        assert_eq!(Fetch::default().piece(&b"(".repeat(100)), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(line in "[*+ ()\\[\\]{}\"\\\\0-9A-Z\r]{0,40}") {
            let _ = response(line.as_bytes());
            let _ = literal(line.as_bytes());
            let _ = code(&line);
            let _ = Fetch::default().piece(line.as_bytes());
        }
    }
}
