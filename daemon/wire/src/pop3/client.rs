//! What a POP3 server says, for whoever fetches mail from it: status lines, listings, and texts with the dots taken off.

use crate::base64;
pub use crate::smtp::Fed;

/// The longest line of a response outside a message's text. RFC 2449 §4 has 512 bytes; a challenge may be longer (RFC 5034 §4).
pub const RESPONSE_LINE_MAX_BYTES: usize = 12_288;
/// The longest UIDL. RFC 1939 §7 has 70 characters; some servers give longer ones.
const UIDL_MAX_BYTES: usize = 255;

/// A status line, or a challenge of AUTH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    Ok(String),
    /// With the response code of RFC 2449 §8 in upper case, without its brackets.
    Err {
        code: Option<String>,
        text: String,
    },
    Challenge(Vec<u8>),
}

/// Reads a line without its CRLF. `None`: it is none of them.
pub fn status(line: &[u8]) -> Option<Status> {
    let text = |rest: &[u8]| String::from_utf8_lossy(rest).trim().to_owned();
    if let Some(rest) = line.strip_prefix(b"+OK") {
        return Some(Status::Ok(text(rest)));
    }
    if let Some(rest) = line.strip_prefix(b"-ERR") {
        let text = text(rest);
        let code = text
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
            .map(|(code, _)| code.to_ascii_uppercase());
        return Some(Status::Err { code, text });
    }
    match line.split_first() {
        Some((b'+', [])) => Some(Status::Challenge(Vec::new())),
        Some((b'+', [b' ', rest @ ..])) => base64::decode(rest.trim_ascii()).map(Status::Challenge),
        _ => None,
    }
}

/// The timestamp of a greeting that offers APOP, with its angle brackets (RFC 1939 §7).
pub fn timestamp(greeting: &str) -> Option<&str> {
    let start = greeting.find('<')?;
    let end = start + greeting.get(start..)?.find('>')? + 1;
    greeting.get(start..end).filter(|found| found.contains('@'))
}

/// A line of LIST: a message's number and its size in bytes.
pub fn listed(line: &[u8]) -> Option<(u32, u64)> {
    let (number, rest) = numbered(line)?;
    Some((number, rest.split(' ').next()?.parse().ok()?))
}

/// A line of UIDL: a message's number and its unique id.
pub fn unique(line: &[u8]) -> Option<(u32, &str)> {
    let (number, id) = numbered(line)?;
    let id = id.trim_ascii_end();
    let plain =
        !id.is_empty() && id.len() <= UIDL_MAX_BYTES && id.bytes().all(|byte| (33..=126).contains(&byte));
    plain.then_some((number, id))
}

fn numbered(line: &[u8]) -> Option<(u32, &str)> {
    let (number, rest) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    let number: u32 = number.parse().ok()?;
    (number > 0).then_some((number, rest.trim_ascii_start()))
}

/// Takes the dots off a multi-line response (RFC 1939 §3), in pieces of any size. Its end is CRLF "." CRLF and nothing else; line ends that are
/// none stay as they are.
#[derive(Debug, Clone, Default)]
pub struct Unstuffer {
    state: State,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// After CRLF, or at the very beginning.
    #[default]
    LineStart,
    Text,
    Cr,
    /// After a dot at the start of a line, which is not handed on.
    Dot,
    DotCr,
    Ended,
}

impl Unstuffer {
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads input up to the end of the response, and appends the content to `out`.
    pub fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) -> Fed {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            match (self.state, byte) {
                (State::LineStart, b'.') => {
                    self.state = State::Dot;
                    at += 1;
                }
                (State::Dot, b'\r') => {
                    self.state = State::DotCr;
                    at += 1;
                }
                (State::DotCr, b'\n') => {
                    self.state = State::Ended;
                    return Fed {
                        consumed: at + 1,
                        ended: true,
                    };
                }
                (State::DotCr, _) => {
                    // The CR was content after all.
                    out.push(b'\r');
                    self.state = State::Cr;
                }
                (State::Cr, b'\n') => {
                    out.push(b'\n');
                    self.state = State::LineStart;
                    at += 1;
                }
                (State::Ended, _) => {
                    return Fed {
                        consumed: 0,
                        ended: true,
                    };
                }
                (State::LineStart | State::Dot | State::Cr | State::Text, _) => {
                    let rest = input.get(at..).unwrap_or_default();
                    let len = memchr::memchr(b'\r', rest).map_or(rest.len(), |at| at + 1);
                    let (text, _) = rest.split_at(len);
                    out.extend_from_slice(text);
                    self.state = if text.ends_with(b"\r") {
                        State::Cr
                    } else {
                        State::Text
                    };
                    at += len;
                }
            }
        }
        Fed {
            consumed: at,
            ended: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn status_lines() {
        let err = |code: Option<&str>, text: &str| {
            Some(Status::Err {
                code: code.map(str::to_owned),
                text: text.to_owned(),
            })
        };
        for (line, expected) in [
            (b"+OK" as &[u8], Some(Status::Ok(String::new()))),
            (b"+OK 2 messages", Some(Status::Ok("2 messages".to_owned()))),
            (b"-ERR", err(None, "")),
            (b"-ERR [in-use] busy", err(Some("IN-USE"), "[in-use] busy")),
            (b"-ERR [broken", err(None, "[broken")),
            (b"+ YWI=", Some(Status::Challenge(b"ab".to_vec()))),
            (b"+", Some(Status::Challenge(Vec::new()))),
            (b"+ ?", None),
            (b"220 mail.test ESMTP", None),
            (b"", None),
        ] {
            assert_eq!(status(line), expected, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn listings_and_timestamps() {
        assert_eq!(listed(b"1 120"), Some((1, 120)));
        assert_eq!(listed(b"1 120 more"), Some((1, 120)));
        for bad in [
            b"" as &[u8],
            b"0 1",
            b"x 1",
            b"1",
            b"1 x",
            b"1 99999999999999999999",
        ] {
            assert_eq!(listed(bad), None, "{}", bad.escape_ascii());
        }
        assert_eq!(unique(b"3 abc!"), Some((3, "abc!")));
        assert_eq!(unique(b"3 "), None);
        assert_eq!(unique(b"3 a b"), None);
        assert_eq!(unique(format!("3 {}", "x".repeat(256)).as_bytes()), None);
        assert_eq!(timestamp("ready <1.2@host>"), Some("<1.2@host>"));
        assert_eq!(timestamp("ready <nothing> >"), None);
        assert_eq!(timestamp("> <1.2@host"), None);
    }

    fn unstuffed(pieces: &[&[u8]]) -> (Vec<u8>, bool, usize) {
        let (mut unstuffer, mut out, mut consumed) = (Unstuffer::new(), Vec::new(), 0);
        for piece in pieces {
            let fed = unstuffer.feed(piece, &mut out);
            consumed += fed.consumed;
            if fed.ended {
                return (out, true, consumed);
            }
        }
        (out, false, consumed)
    }

    #[test]
    fn only_the_true_end_ends_a_text() {
        let cases: &[(&[u8], &[u8], bool, usize)] = &[
            (b".\r\n+OK", b"", true, 3),
            (b"a\r\n..b\r\n.\r\n", b"a\r\n.b\r\n", true, 11),
            (b"a\n.\n.\r\n", b"a\n.\n.\r\n", false, 7),
            (b"a\r\n.\nb\r\n.\r\n", b"a\r\n\nb\r\n", true, 11),
            (b"a\r\n.\r\r\n.\r\n", b"a\r\n\r\r\n", true, 10),
            (b"a\r.\r\n.\r\n", b"a\r.\r\n", true, 8),
        ];
        for (input, expected, ended, consumed) in cases {
            let found = unstuffed(&[input]);
            assert_eq!(
                found,
                (expected.to_vec(), *ended, *consumed),
                "{}",
                input.escape_ascii()
            );
            let bytes: Vec<&[u8]> = input.chunks(1).collect();
            assert_eq!(unstuffed(&bytes), found, "{}", input.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn what_is_stuffed_comes_out(lines in proptest::collection::vec("[.a]{0,4}", 0..6)) {
            let text: String = lines.iter().flat_map(|line| [line.as_str(), "\r\n"]).collect();
            let mut wire = Vec::new();
            super::super::stuff(text.as_bytes(), &mut wire);
            prop_assert_eq!(unstuffed(&[&wire]).0, text.into_bytes());
        }

        #[test]
        fn nothing_panics(line in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = status(&line);
            let _ = listed(&line);
            let _ = unique(&line);
            let _ = timestamp(&String::from_utf8_lossy(&line));
        }
    }
}
