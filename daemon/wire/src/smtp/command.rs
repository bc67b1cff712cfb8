//! One command from one line. Strict: what RFC 5321 does not allow is refused with a reply that says why.

use super::params::{MailParams, RcptParams};
use super::reply::{Enhanced, Reply};
use crate::address::{Path, PathError, parse_path};
use crate::base64;

/// The longest line of a command, CRLF included: AUTH with an initial response (RFC 4954 §4 demands 12288).
pub const COMMAND_MAX_BYTES: usize = 12_288;
/// The longest line of any other command. RFC 5321 §4.5.3.1.4 demands 512; extensions add to it.
const OTHER_MAX_BYTES: usize = 4096;
/// The longest name of a SASL mechanism (RFC 4422 §3.1).
const MECHANISM_MAX_BYTES: usize = 20;

/// A command of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The name is what the client says; whether it is a host name is for policy to judge.
    Ehlo {
        name: String,
    },
    Helo {
        name: String,
    },
    /// RFC 2033 §4.1
    Lhlo {
        name: String,
    },
    Mail {
        path: Path,
        params: MailParams,
    },
    Rcpt {
        path: Path,
        params: RcptParams,
    },
    Data,
    /// RFC 3030 §2; the size is that of the chunk in bytes.
    Bdat {
        size: u64,
        last: bool,
    },
    Rset,
    Noop,
    Quit,
    Vrfy {
        text: String,
    },
    Expn {
        text: String,
    },
    Help {
        text: Option<String>,
    },
    StartTls,
    /// RFC 4954 §4. The mechanism is in upper case, the initial response decoded.
    Auth {
        mechanism: String,
        initial: Option<Vec<u8>>,
    },
}

/// Why a line is no command, as the reply that tells the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{code} {enhanced} {text}")]
pub struct SyntaxError {
    pub code: u16,
    pub enhanced: Enhanced,
    pub text: &'static str,
}

impl SyntaxError {
    pub(super) const fn new(code: u16, enhanced: Enhanced, text: &'static str) -> Self {
        SyntaxError { code, enhanced, text }
    }

    pub fn reply(&self) -> Reply {
        Reply::new(self.code, Some(self.enhanced), self.text)
    }
}

const UNKNOWN: SyntaxError = SyntaxError::new(500, Enhanced(5, 5, 2), "Command not recognised");
const TOO_LONG: SyntaxError = SyntaxError::new(500, Enhanced(5, 5, 2), "Line too long");
const BARE: SyntaxError = SyntaxError::new(500, Enhanced(5, 5, 2), "Bare CR, LF or NUL in a command");
const NO_ARGUMENTS: SyntaxError = SyntaxError::new(501, Enhanced(5, 5, 4), "No arguments allowed");
const NEEDS_NAME: SyntaxError = SyntaxError::new(501, Enhanced(5, 5, 4), "Host name missing");
const NEEDS_ARGUMENT: SyntaxError = SyntaxError::new(501, Enhanced(5, 5, 4), "Argument missing");
const NEEDS_FROM: SyntaxError = SyntaxError::new(501, Enhanced(5, 5, 4), "Syntax: MAIL FROM:<address>");
const NEEDS_TO: SyntaxError = SyntaxError::new(501, Enhanced(5, 5, 4), "Syntax: RCPT TO:<address>");
const BAD_SENDER: SyntaxError = SyntaxError::new(501, Enhanced(5, 1, 7), "Bad sender address syntax");
const BAD_RECIPIENT: SyntaxError = SyntaxError::new(501, Enhanced(5, 1, 3), "Bad recipient address syntax");
const BAD_BDAT: SyntaxError = SyntaxError::new(501, Enhanced(5, 5, 4), "Syntax: BDAT size [LAST]");
const BAD_AUTH: SyntaxError = SyntaxError::new(
    501,
    Enhanced(5, 5, 4),
    "Syntax: AUTH mechanism [initial-response]",
);
const BAD_BASE64: SyntaxError = SyntaxError::new(501, Enhanced(5, 5, 2), "Bad base64");
const NOT_UTF8: SyntaxError = SyntaxError::new(501, Enhanced(5, 5, 4), "Argument is not UTF-8");
/// RFC 6531 §3.5
const NEEDS_SMTPUTF8: SyntaxError = SyntaxError::new(
    553,
    Enhanced(5, 6, 7),
    "Address needs SMTPUTF8, which MAIL did not declare",
);

/// Parses a line, with or without its CRLF.
pub fn parse(line: &[u8]) -> Result<Command, SyntaxError> {
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    if line.len() > COMMAND_MAX_BYTES {
        return Err(TOO_LONG);
    }
    if memchr::memchr3(b'\r', b'\n', 0, line).is_some() {
        return Err(BARE);
    }
    let verb_len = line.iter().position(|&byte| byte == b' ').unwrap_or(line.len());
    let (verb, rest) = line.split_at(verb_len);
    let verb = verb.to_ascii_uppercase();
    if line.len() > OTHER_MAX_BYTES && verb != b"AUTH" {
        return Err(TOO_LONG);
    }
    // RFC 5321 §4.1.1: trailing white space is tolerated.
    let rest = rest.trim_ascii();
    match verb.as_slice() {
        b"EHLO" => host_name(rest).map(|name| Command::Ehlo { name }),
        b"HELO" => host_name(rest).map(|name| Command::Helo { name }),
        b"LHLO" => host_name(rest).map(|name| Command::Lhlo { name }),
        b"MAIL" => mail(rest),
        b"RCPT" => rcpt(rest),
        b"BDAT" => bdat(rest),
        b"AUTH" => auth(rest),
        b"DATA" => bare(rest, Command::Data),
        b"RSET" => bare(rest, Command::Rset),
        b"QUIT" => bare(rest, Command::Quit),
        b"STARTTLS" => bare(rest, Command::StartTls),
        b"NOOP" => Ok(Command::Noop),
        b"VRFY" => argument(rest).map(|text| Command::Vrfy { text }),
        b"EXPN" => argument(rest).map(|text| Command::Expn { text }),
        b"HELP" => Ok(Command::Help {
            text: argument(rest).ok(),
        }),
        _ => Err(UNKNOWN),
    }
}

/// Whether a forward-path may follow a MAIL with or without SMTPUTF8 (RFC 6531 §3.5).
pub fn check_smtputf8(path: &Path, declared: bool) -> Result<(), SyntaxError> {
    if declared || path.is_ascii() {
        Ok(())
    } else {
        Err(NEEDS_SMTPUTF8)
    }
}

fn bare(rest: &[u8], command: Command) -> Result<Command, SyntaxError> {
    if rest.is_empty() {
        Ok(command)
    } else {
        Err(NO_ARGUMENTS)
    }
}

fn host_name(rest: &[u8]) -> Result<String, SyntaxError> {
    if rest.is_empty() || rest.contains(&b' ') {
        return Err(NEEDS_NAME);
    }
    std::str::from_utf8(rest).map(str::to_owned).map_err(|_| NOT_UTF8)
}

fn argument(rest: &[u8]) -> Result<String, SyntaxError> {
    if rest.is_empty() {
        return Err(NEEDS_ARGUMENT);
    }
    std::str::from_utf8(rest).map(str::to_owned).map_err(|_| NOT_UTF8)
}

fn mail(rest: &[u8]) -> Result<Command, SyntaxError> {
    let (path, params) = path_after(rest, b"FROM:", NEEDS_FROM, BAD_SENDER)?;
    if path == Path::Postmaster {
        return Err(BAD_SENDER);
    }
    let params = MailParams::parse(params)?;
    check_smtputf8(&path, params.smtputf8)?;
    Ok(Command::Mail { path, params })
}

fn rcpt(rest: &[u8]) -> Result<Command, SyntaxError> {
    let (path, params) = path_after(rest, b"TO:", NEEDS_TO, BAD_RECIPIENT)?;
    if path == Path::Null {
        return Err(BAD_RECIPIENT);
    }
    Ok(Command::Rcpt {
        path,
        params: RcptParams::parse(params)?,
    })
}

/// The path after `FROM:` or `TO:`, and the parameters. A space after the colon is forgiven: much of the
/// world sends it.
fn path_after<'a>(
    rest: &'a [u8],
    keyword: &[u8],
    usage: SyntaxError,
    bad: SyntaxError,
) -> Result<(Path, &'a [u8]), SyntaxError> {
    let (head, after) = rest.split_at_checked(keyword.len()).ok_or(usage)?;
    if !head.eq_ignore_ascii_case(keyword) {
        return Err(usage);
    }
    let (path, params) = parse_path(after.trim_ascii_start()).map_err(|error| match error {
        PathError::Brackets => usage,
        _ => bad,
    })?;
    if params.first().is_some_and(|&byte| byte != b' ') {
        return Err(usage);
    }
    Ok((path, params))
}

fn bdat(rest: &[u8]) -> Result<Command, SyntaxError> {
    let mut words = rest.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let size = words.next().and_then(decimal).ok_or(BAD_BDAT)?;
    let last = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case(b"LAST") => true,
        Some(_) => return Err(BAD_BDAT),
    };
    if words.next().is_some() {
        return Err(BAD_BDAT);
    }
    Ok(Command::Bdat { size, last })
}

fn auth(rest: &[u8]) -> Result<Command, SyntaxError> {
    let mut words = rest.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let mechanism = words.next().ok_or(BAD_AUTH)?;
    // RFC 4422 §3.1
    let valid = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if mechanism.len() > MECHANISM_MAX_BYTES || !mechanism.iter().all(valid) {
        return Err(BAD_AUTH);
    }
    let initial = match words.next() {
        None => None,
        // RFC 4954 §4: an empty initial response.
        Some(b"=") => Some(Vec::new()),
        Some(text) => Some(base64::decode(text).ok_or(BAD_BASE64)?),
    };
    if words.next().is_some() {
        return Err(BAD_AUTH);
    }
    let mechanism = String::from_utf8_lossy(mechanism).to_ascii_uppercase();
    Ok(Command::Auth { mechanism, initial })
}

/// Digits only, at most 20 (RFC 1870 §3).
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 20 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::smtp::{AuthSender, Body, Notify, Ret};

    #[test]
    fn simple_commands() {
        let name = || "x".to_owned();
        let cases: &[(&[u8], Command)] = &[
            (b"EHLO x", Command::Ehlo { name: name() }),
            (b"ehlo x\r\n", Command::Ehlo { name: name() }),
            (b"HELO x ", Command::Helo { name: name() }),
            (b"LHLO x", Command::Lhlo { name: name() }),
            (b"DATA", Command::Data),
            (b"RSET", Command::Rset),
            (b"QUIT", Command::Quit),
            (b"NOOP hello", Command::Noop),
            (b"StartTLS", Command::StartTls),
            (b"HELP", Command::Help { text: None }),
            (b"VRFY x", Command::Vrfy { text: name() }),
            (b"BDAT 0 LAST", Command::Bdat { size: 0, last: true }),
            (
                b"BDAT 18446744073709551615",
                Command::Bdat {
                    size: u64::MAX,
                    last: false,
                },
            ),
            (
                b"AUTH plain",
                Command::Auth {
                    mechanism: "PLAIN".into(),
                    initial: None,
                },
            ),
            (
                b"AUTH PLAIN =",
                Command::Auth {
                    mechanism: "PLAIN".into(),
                    initial: Some(vec![]),
                },
            ),
            (
                b"AUTH PLAIN YQ==",
                Command::Auth {
                    mechanism: "PLAIN".into(),
                    initial: Some(b"a".to_vec()),
                },
            ),
        ];
        for (line, command) in cases {
            assert_eq!(
                parse(line).as_ref(),
                Ok(command),
                "{}",
                String::from_utf8_lossy(line)
            );
        }
    }

    #[test]
    fn refused_lines() {
        let cases: &[(&[u8], u16, &str)] = &[
            (b"", 500, "5.5.2"),
            (b"GET / HTTP/1.1", 500, "5.5.2"),
            (b"NOOP\n", 500, "5.5.2"),
            (b"NOOP\rQUIT", 500, "5.5.2"),
            (b"NOOP\0", 500, "5.5.2"),
            (b"EHLO", 501, "5.5.4"),
            (b"EHLO \xff", 501, "5.5.4"),
            (b"DATA now", 501, "5.5.4"),
            (b"QUIT 1", 501, "5.5.4"),
            (b"BDAT", 501, "5.5.4"),
            (b"BDAT -1", 501, "5.5.4"),
            (b"BDAT 1 FIRST", 501, "5.5.4"),
            (b"BDAT 1 LAST x", 501, "5.5.4"),
            (b"BDAT 99999999999999999999", 501, "5.5.4"),
            (b"AUTH", 501, "5.5.4"),
            (b"AUTH PLAIN !", 501, "5.5.2"),
            (b"AUTH PL(IN", 501, "5.5.4"),
            (b"MAIL <a@b>", 501, "5.5.4"),
            (b"MAIL FROM:a@b", 501, "5.5.4"),
            (b"MAIL FROM:<a@>", 501, "5.1.7"),
            (b"MAIL FROM:<postmaster>", 501, "5.1.7"),
            (b"MAIL FROM:<a@b>X", 501, "5.5.4"),
            (b"MAIL FROM:<a@b> FOO=1", 555, "5.5.4"),
            (b"MAIL FROM:<a@b> SIZE=x", 501, "5.5.4"),
            (b"MAIL FROM:<a@b> SIZE=1 size=2", 501, "5.5.4"),
            (b"MAIL FROM:<a@b> BODY=9BIT", 501, "5.5.4"),
            ("MAIL FROM:<\u{438}@b>".as_bytes(), 553, "5.6.7"),
            (b"RCPT TO:<>", 501, "5.1.3"),
            (b"RCPT TO:<a b@c>", 501, "5.1.3"),
            (b"RCPT TO:<a@b> NOTIFY=NEVER,DELAY", 501, "5.5.4"),
            (b"RCPT TO:<a@b> ORCPT=x", 501, "5.5.4"),
        ];
        for (line, code, enhanced) in cases {
            let error = parse(line).unwrap_err();
            let found = (error.code, error.enhanced.to_string());
            assert_eq!(
                found,
                (*code, (*enhanced).to_owned()),
                "{}",
                String::from_utf8_lossy(line)
            );
        }
        let long = [b"NOOP ".to_vec(), vec![b'x'; 5000]].concat();
        assert_eq!(parse(&long), Err(TOO_LONG));
    }

    #[test]
    fn mail_and_rcpt_with_parameters() {
        let line =
            "MAIL FROM: <\u{438}@b> SIZE=1000 body=8bitmime SMTPUTF8 RET=HDRS ENVID=a+2Bb AUTH=<> REQUIRETLS";
        let Ok(Command::Mail { path, params }) = parse(line.as_bytes()) else {
            panic!("{line}")
        };
        assert_eq!(path.to_string(), "\u{438}@b");
        assert_eq!((params.size, params.body), (Some(1000), Some(Body::EightBitMime)));
        assert!(params.smtputf8 && params.requiretls);
        assert_eq!(
            (params.ret, params.envid.as_deref()),
            (Some(Ret::Headers), Some("a+b"))
        );
        assert_eq!(params.auth, Some(AuthSender::Nobody));

        let line = b"RCPT TO:<a@b> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+40b";
        let Ok(Command::Rcpt { path, params }) = parse(line) else {
            panic!()
        };
        assert_eq!(path.to_string(), "a@b");
        assert_eq!(
            params.notify,
            Some(Notify {
                success: true,
                failure: false,
                delay: true
            })
        );
        let orcpt = params.orcpt.unwrap();
        assert_eq!((orcpt.kind.as_str(), orcpt.address.as_str()), ("rfc822", "a@b"));
    }
}
