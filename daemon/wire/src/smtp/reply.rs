//! Replies (RFC 5321 §4.2) with enhanced status codes (RFC 2034, RFC 3463): written by the server, read by
//! the client.

use std::fmt;

/// Lines of one reply that a client reads.
pub const REPLY_LINES_MAX_COUNT: usize = 256;
/// The longest line of a reply that a client keeps; RFC 5321 §4.5.3.1.5 allows 512.
pub const REPLY_LINE_MAX_BYTES: usize = 2048;

/// An enhanced status code: class, subject, detail (RFC 3463 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Enhanced(pub u8, pub u16, pub u16);

impl Enhanced {
    /// Parses `2.1.5`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| {
            let digits = !part.is_empty() && part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
            if digits { part.parse::<u16>().ok() } else { None }
        });
        let (class, subject, detail) = (parts.next()??, parts.next()??, parts.next()??);
        (matches!(class, 2 | 4 | 5) && parts.next().is_none()).then_some(Enhanced(
            class as u8,
            subject,
            detail,
        ))
    }
}

impl fmt::Display for Enhanced {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// A reply of one or more lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    pub enhanced: Option<Enhanced>,
    /// The texts without codes; at least one.
    pub lines: Vec<String>,
}

impl Reply {
    pub fn new(code: u16, enhanced: Option<Enhanced>, text: impl Into<String>) -> Self {
        Reply {
            code,
            enhanced,
            lines: vec![text.into()],
        }
    }

    pub fn with_line(mut self, text: impl Into<String>) -> Self {
        self.lines.push(text.into());
        self
    }

    /// Appends the reply as it goes over the wire. Line ends and other control characters in a text become
    /// spaces: a text may hold what a peer sent.
    pub fn render(&self, out: &mut Vec<u8>) {
        let last = self.lines.len().saturating_sub(1);
        if self.lines.is_empty() {
            out.extend_from_slice(format!("{:03} \r\n", self.code).as_bytes());
        }
        for (index, line) in self.lines.iter().enumerate() {
            out.extend_from_slice(&digits(self.code));
            out.push(if index == last { b' ' } else { b'-' });
            if let Some(enhanced) = self.enhanced {
                out.extend_from_slice(enhanced.to_string().as_bytes());
                out.push(b' ');
            }
            out.extend(
                line.bytes()
                    .map(|byte| if byte < b' ' || byte == 127 { b' ' } else { byte }),
            );
            out.extend_from_slice(b"\r\n");
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        self.render(&mut out);
        out
    }

    /// 2xx
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// 3xx
    pub fn is_intermediate(&self) -> bool {
        self.code / 100 == 3
    }

    /// 4xx
    pub fn is_transient(&self) -> bool {
        self.code / 100 == 4
    }

    /// 5xx
    pub fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }

    /// All texts, separated by spaces.
    pub fn text(&self) -> String {
        self.lines.join(" ")
    }
}

/// Code, enhanced code and texts on one line.
impl fmt::Display for Reply {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:03}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(out, " {enhanced}")?;
        }
        write!(out, " {}", self.text())
    }
}

/// Why lines are no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    #[error("a line without a reply code")]
    NoCode,
    #[error("lines with different reply codes")]
    CodesDiffer,
    #[error("a reply of too many lines")]
    TooManyLines,
}

/// Puts the lines of a server's reply together.
#[derive(Debug, Default)]
pub struct ReplyParser {
    so_far: Option<Reply>,
}

impl ReplyParser {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one line, with or without its line end; the reply when it is complete. After an error the
    /// connection is of no more use.
    pub fn line(&mut self, line: &[u8]) -> Result<Option<Reply>, ReplyError> {
        let line = line.trim_ascii_end();
        let line = &line[..line.len().min(REPLY_LINE_MAX_BYTES)];
        let (code, rest) = line.split_at_checked(3).ok_or(ReplyError::NoCode)?;
        if !matches!(code, [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9']) {
            return Err(ReplyError::NoCode);
        }
        let code = code
            .iter()
            .fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
        let (last, text) = match rest.split_first() {
            None => (true, &b""[..]),
            Some((b' ', text)) => (true, text),
            Some((b'-', text)) => (false, text),
            Some(_) => return Err(ReplyError::NoCode),
        };
        let text = String::from_utf8_lossy(text);
        let (enhanced, text) = split_enhanced(&text, code);
        let reply = self.so_far.get_or_insert(Reply {
            code,
            enhanced,
            lines: Vec::new(),
        });
        if reply.code != code {
            return Err(ReplyError::CodesDiffer);
        }
        if reply.lines.len() == REPLY_LINES_MAX_COUNT {
            return Err(ReplyError::TooManyLines);
        }
        reply.enhanced = reply.enhanced.or(enhanced);
        reply.lines.push(text.to_owned());
        Ok(if last { self.so_far.take() } else { None })
    }
}

/// Takes an enhanced code of the same class from the front of a text.
fn split_enhanced(text: &str, code: u16) -> (Option<Enhanced>, &str) {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    match Enhanced::parse(first).filter(|enhanced| u16::from(enhanced.0) == code / 100) {
        Some(enhanced) => (Some(enhanced), rest),
        None => (None, text),
    }
}

fn digits(code: u16) -> [u8; 3] {
    let digit = |value: u16| b'0' + (value % 10) as u8;
    [digit(code / 100), digit(code / 10), digit(code)]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rendering() {
        let ok = Reply::new(250, Some(Enhanced(2, 1, 0)), "fine");
        assert_eq!(ok.to_bytes(), b"250 2.1.0 fine\r\n");
        let ehlo = Reply::new(250, None, "host")
            .with_line("SIZE 10")
            .with_line("X\r\nY");
        assert_eq!(ehlo.to_bytes(), b"250-host\r\n250-SIZE 10\r\n250 X  Y\r\n");
        assert_eq!(ok.to_string(), "250 2.1.0 fine");
    }

    #[test]
    fn parsing() {
        let mut parser = ReplyParser::new();
        assert_eq!(parser.line(b"250-2.0.0 a\r\n"), Ok(None));
        assert_eq!(parser.line(b"250-2.0.0 b"), Ok(None));
        let reply = parser.line(b"250\n").unwrap().unwrap();
        assert_eq!(
            (reply.enhanced, reply.lines),
            (
                Some(Enhanced(2, 0, 0)),
                vec!["a".into(), "b".into(), String::new()]
            )
        );
        let reply = parser.line(b"550 2.0.0 odd").unwrap().unwrap();
        assert_eq!((reply.enhanced, reply.text()), (None, "2.0.0 odd".into()));
        assert_eq!(parser.line(b"hello"), Err(ReplyError::NoCode));
        assert_eq!(parser.line(b"25"), Err(ReplyError::NoCode));
        assert_eq!(parser.line(b"2500"), Err(ReplyError::NoCode));
        assert_eq!(parser.line(b"650 x"), Err(ReplyError::NoCode));
        assert_eq!(parser.line(b"250-x"), Ok(None));
        assert_eq!(parser.line(b"251 x"), Err(ReplyError::CodesDiffer));
        let mut parser = ReplyParser::new();
        let mut answers = (0..1000).map(|_| parser.line(b"250-x"));
        assert!(answers.any(|answer| answer == Err(ReplyError::TooManyLines)));
    }
}
