//! POP3 on the wire (RFC 1939, RFC 2449, RFC 5034, RFC 6856): commands and multi-line responses.

pub mod client;

use crate::base64;
use crate::message::header_end;
pub use crate::smtp::{Stuffer, stuff};

/// The longest command line, CRLF included. RFC 2449 §4 demands 255; an AUTH response may be longer
/// (RFC 5034 §4).
pub const COMMAND_MAX_BYTES: usize = 12_288;
/// The longest line of any other command.
const OTHER_MAX_BYTES: usize = 512;

/// A command of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    User {
        name: String,
    },
    /// All after the first space: a password may have spaces in it (RFC 1939 §7).
    Pass {
        password: String,
    },
    /// The digest is in lower case.
    Apop {
        name: String,
        digest: String,
    },
    /// RFC 5034 §4; no mechanism asks for the list of them. The initial response is decoded.
    Auth {
        mechanism: Option<String>,
        initial: Option<Vec<u8>>,
    },
    Stls,
    Capa,
    Stat,
    List {
        number: Option<u32>,
    },
    Retr {
        number: u32,
    },
    Dele {
        number: u32,
    },
    Noop,
    Rset,
    Top {
        number: u32,
        lines: u64,
    },
    Uidl {
        number: Option<u32>,
    },
    Quit,
    /// RFC 6856 §2.1
    Utf8,
    /// RFC 6856 §3.1; without a tag it asks for the list of languages.
    Lang {
        tag: Option<String>,
    },
}

/// Why a line is no command; the text of the `-ERR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct SyntaxError {
    pub text: &'static str,
}

const UNKNOWN: SyntaxError = SyntaxError {
    text: "Unknown command",
};
const TOO_LONG: SyntaxError = SyntaxError {
    text: "Line too long",
};
const BARE: SyntaxError = SyntaxError {
    text: "Bare CR, LF or NUL in a command",
};
const ARGUMENTS: SyntaxError = SyntaxError {
    text: "Wrong number of arguments",
};
const NUMBER: SyntaxError = SyntaxError {
    text: "Not a message number",
};
const BAD_BASE64: SyntaxError = SyntaxError { text: "Bad base64" };
const NOT_UTF8: SyntaxError = SyntaxError {
    text: "Argument is not UTF-8",
};

/// Parses a line, with or without its CRLF.
pub fn parse(line: &[u8]) -> Result<Command, SyntaxError> {
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    if line.len() > COMMAND_MAX_BYTES {
        return Err(TOO_LONG);
    }
    if memchr::memchr3(b'\r', b'\n', 0, line).is_some() {
        return Err(BARE);
    }
    let line = std::str::from_utf8(line).map_err(|_| NOT_UTF8)?;
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let verb = verb.to_ascii_uppercase();
    if line.len() > OTHER_MAX_BYTES && verb != "AUTH" {
        return Err(TOO_LONG);
    }
    let words: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
    match (verb.as_str(), words.as_slice()) {
        ("USER", [_, ..]) => Ok(Command::User {
            name: rest.trim().to_owned(),
        }),
        ("PASS", _) if !rest.is_empty() => Ok(Command::Pass {
            password: rest.to_owned(),
        }),
        ("APOP", [name @ .., digest]) if !name.is_empty() => Ok(Command::Apop {
            name: name.join(" "),
            digest: digest.to_ascii_lowercase(),
        }),
        ("AUTH", _) => auth(&words),
        ("STLS", []) => Ok(Command::Stls),
        ("CAPA", []) => Ok(Command::Capa),
        ("STAT", []) => Ok(Command::Stat),
        ("NOOP", []) => Ok(Command::Noop),
        ("RSET", []) => Ok(Command::Rset),
        ("QUIT", []) => Ok(Command::Quit),
        ("UTF8", []) => Ok(Command::Utf8),
        ("LIST", []) => Ok(Command::List { number: None }),
        ("UIDL", []) => Ok(Command::Uidl { number: None }),
        ("LANG", []) => Ok(Command::Lang { tag: None }),
        ("LIST", [word]) => Ok(Command::List {
            number: Some(number(word)?),
        }),
        ("UIDL", [word]) => Ok(Command::Uidl {
            number: Some(number(word)?),
        }),
        ("RETR", [word]) => Ok(Command::Retr {
            number: number(word)?,
        }),
        ("DELE", [word]) => Ok(Command::Dele {
            number: number(word)?,
        }),
        ("LANG", [tag]) => Ok(Command::Lang {
            tag: Some((*tag).to_owned()),
        }),
        ("TOP", [word, lines]) => Ok(Command::Top {
            number: number(word)?,
            lines: count(lines)?,
        }),
        (
            "USER" | "PASS" | "APOP" | "STLS" | "CAPA" | "STAT" | "NOOP" | "RSET" | "QUIT" | "UTF8" | "LIST"
            | "UIDL" | "LANG" | "RETR" | "DELE" | "TOP",
            _,
        ) => Err(ARGUMENTS),
        _ => Err(UNKNOWN),
    }
}

/// What TOP shows: the header, the blank line and so many lines of the body (RFC 1939 §7).
pub fn top(text: &[u8], lines: u64) -> &[u8] {
    let start = header_end(text);
    let body = &text[start..];
    let end = match lines.checked_sub(1) {
        None => 0,
        Some(before) => {
            let before = usize::try_from(before).unwrap_or(usize::MAX);
            memchr::memchr_iter(b'\n', body)
                .nth(before)
                .map_or(body.len(), |at| at + 1)
        }
    };
    &text[..start + end]
}

fn auth(words: &[&str]) -> Result<Command, SyntaxError> {
    let (mechanism, initial) = match words {
        [] => (None, None),
        [mechanism] => (Some(mechanism), None),
        // RFC 5034 §4: an empty initial response.
        [mechanism, "="] => (Some(mechanism), Some(Vec::new())),
        [mechanism, text] => (
            Some(mechanism),
            Some(base64::decode(text.as_bytes()).ok_or(BAD_BASE64)?),
        ),
        _ => return Err(ARGUMENTS),
    };
    Ok(Command::Auth {
        mechanism: mechanism.map(|name| name.to_ascii_uppercase()),
        initial,
    })
}

fn number(word: &str) -> Result<u32, SyntaxError> {
    let number = count(word)?;
    u32::try_from(number)
        .ok()
        .filter(|&number| number > 0)
        .ok_or(NUMBER)
}

fn count(word: &str) -> Result<u64, SyntaxError> {
    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        word.parse().map_err(|_| NUMBER)
    } else {
        Err(NUMBER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn commands() {
        let text = str::to_owned;
        let cases: &[(&[u8], Result<Command, SyntaxError>)] = &[
            (b"user a@b\r\n", Ok(Command::User { name: text("a@b") })),
            (
                b"PASS  a b ",
                Ok(Command::Pass {
                    password: text(" a b "),
                }),
            ),
            (b"PASS", Err(ARGUMENTS)),
            (
                b"APOP a B1",
                Ok(Command::Apop {
                    name: text("a"),
                    digest: text("b1"),
                }),
            ),
            (b"APOP a", Err(ARGUMENTS)),
            (
                b"AUTH",
                Ok(Command::Auth {
                    mechanism: None,
                    initial: None,
                }),
            ),
            (
                b"AUTH plain",
                Ok(Command::Auth {
                    mechanism: Some(text("PLAIN")),
                    initial: None,
                }),
            ),
            (
                b"AUTH PLAIN =",
                Ok(Command::Auth {
                    mechanism: Some(text("PLAIN")),
                    initial: Some(vec![]),
                }),
            ),
            (
                b"AUTH PLAIN YQ==",
                Ok(Command::Auth {
                    mechanism: Some(text("PLAIN")),
                    initial: Some(b"a".to_vec()),
                }),
            ),
            (b"AUTH PLAIN ?", Err(BAD_BASE64)),
            (b"LIST", Ok(Command::List { number: None })),
            (b"LIST 2 ", Ok(Command::List { number: Some(2) })),
            (b"LIST 0", Err(NUMBER)),
            (b"LIST +1", Err(NUMBER)),
            (b"RETR 4294967296", Err(NUMBER)),
            (b"RETR", Err(ARGUMENTS)),
            (b"TOP 1 0", Ok(Command::Top { number: 1, lines: 0 })),
            (b"TOP 1", Err(ARGUMENTS)),
            (b"UIDL 3", Ok(Command::Uidl { number: Some(3) })),
            (b"LANG *", Ok(Command::Lang { tag: Some(text("*")) })),
            (b"UTF8", Ok(Command::Utf8)),
            (b"QUIT now", Err(ARGUMENTS)),
            (b"XTND", Err(UNKNOWN)),
            (b"", Err(UNKNOWN)),
            (b"NOOP\rQUIT", Err(BARE)),
            (b"USER \xff", Err(NOT_UTF8)),
        ];
        for (line, expected) in cases {
            assert_eq!(parse(line), *expected, "{}", line.escape_ascii());
        }
        assert_eq!(parse(&b"USER ".repeat(200)), Err(TOO_LONG));
    }

    #[test]
    fn top_of_a_message() {
        let text = b"A: 1\r\n\r\none\r\ntwo\r\nthree";
        let cases: &[(u64, &[u8])] = &[
            (0, b"A: 1\r\n\r\n"),
            (1, b"A: 1\r\n\r\none\r\n"),
            (2, b"A: 1\r\n\r\none\r\ntwo\r\n"),
            (3, text),
            (u64::MAX, text),
        ];
        for (lines, expected) in cases {
            assert_eq!(top(text, *lines), *expected);
        }
        assert_eq!(top(b"no header end", 5), b"no header end");
    }

    proptest! {
        #[test]
        fn no_line_panics(line in proptest::collection::vec(any::<u8>(), 0..60), number in any::<u64>()) {
            let _ = parse(&line);
            prop_assert!(top(&line, number).len() <= line.len());
        }
    }
}
