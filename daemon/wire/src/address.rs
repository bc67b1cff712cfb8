//! The paths of SMTP (RFC 5321 §4.1.2, RFC 6531 §3.3): `<local@domain>`, the empty reverse-path, address
//! literals. Source routes are read and dropped (RFC 5321 §3.3, appendix C).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use shared::address::{Address, DOMAIN_LENGTH_MAX_BYTES, DomainName, LOCAL_LENGTH_MAX_BYTES};

/// The longest path with its angle brackets. RFC 5321 §4.5.3.1.3 demands 256; a source route may precede it.
pub const PATH_MAX_BYTES: usize = 1024;

/// A reverse-path or forward-path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Path {
    /// `<>`: only as reverse-path (RFC 5321 §4.5.5).
    Null,
    /// `<postmaster>` without a domain: only as forward-path (RFC 5321 §4.1.1.3).
    Postmaster,
    Mailbox(Mailbox),
}

/// A mailbox of SMTP: unlike [`Address`] its host may be an address literal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mailbox {
    /// Without quotes and backslashes.
    pub local: String,
    pub host: Host,
}

/// What follows the `@`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    Domain(DomainName),
    /// `[192.0.2.1]`, `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3).
    Literal(IpAddr),
}

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("no path in angle brackets")]
    Brackets,
    #[error("path too long")]
    TooLong,
    #[error("bad local part")]
    Local,
    #[error("bad domain")]
    Domain,
    /// RFC 6531 §3.1: only with the parameter SMTPUTF8.
    #[error("address is not UTF-8")]
    NotUtf8,
}

impl Path {
    /// The address, if it is one with a domain name.
    pub fn address(&self) -> Option<Address> {
        match self {
            Path::Mailbox(Mailbox {
                local,
                host: Host::Domain(domain),
            }) => Address::from_parts(local, domain.clone()).ok(),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        *self == Path::Null
    }

    /// Whether SMTPUTF8 is needed to write it.
    pub fn is_ascii(&self) -> bool {
        match self {
            Path::Mailbox(mailbox) => mailbox.local.is_ascii(),
            _ => true,
        }
    }
}

impl From<Address> for Path {
    fn from(address: Address) -> Self {
        let host = Host::Domain(address.domain().clone());
        Path::Mailbox(Mailbox {
            local: address.local().to_owned(),
            host,
        })
    }
}

/// Without angle brackets; the empty path is the empty text.
impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Null => Ok(()),
            Path::Postmaster => out.write_str("postmaster"),
            Path::Mailbox(mailbox) => mailbox.fmt(out),
        }
    }
}

/// The local part is quoted where it must be.
impl fmt::Display for Mailbox {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_dot_string(&self.local) {
            out.write_str(&self.local)?;
        } else {
            out.write_str("\"")?;
            for c in self.local.chars() {
                if matches!(c, '"' | '\\') {
                    out.write_str("\\")?;
                }
                write!(out, "{c}")?;
            }
            out.write_str("\"")?;
        }
        match &self.host {
            Host::Domain(domain) => write!(out, "@{domain}"),
            Host::Literal(IpAddr::V4(ip)) => write!(out, "@[{ip}]"),
            Host::Literal(IpAddr::V6(ip)) => write!(out, "@[IPv6:{ip}]"),
        }
    }
}

/// Parses a path at the start of `text`, beginning with `<`; the answer has the path and what follows it.
pub fn parse_path(text: &[u8]) -> Result<(Path, &[u8]), PathError> {
    let inner = text.strip_prefix(b"<").ok_or(PathError::Brackets)?;
    let len = closing_bracket(inner).ok_or(PathError::Brackets)?;
    if len > PATH_MAX_BYTES {
        return Err(PathError::TooLong);
    }
    let path = std::str::from_utf8(&inner[..len]).map_err(|_| PathError::NotUtf8)?;
    Ok((parse_inner(path)?, &inner[len + 1..]))
}

/// Parses `local@domain` without angle brackets.
pub fn parse_mailbox(text: &str) -> Result<Mailbox, PathError> {
    let (local, host) = if text.starts_with('"') {
        quoted_local(text)?
    } else {
        let at = text.find('@').ok_or(PathError::Domain)?;
        let (local, host) = text.split_at(at);
        if !is_dot_string(local) {
            return Err(PathError::Local);
        }
        (local.to_owned(), host)
    };
    if local.is_empty() || local.len() > LOCAL_LENGTH_MAX_BYTES {
        return Err(PathError::Local);
    }
    let host = parse_host(host.strip_prefix('@').ok_or(PathError::Domain)?)?;
    Ok(Mailbox { local, host })
}

/// Parses a domain name or an address literal, as after `@` and in EHLO.
pub fn parse_host(text: &str) -> Result<Host, PathError> {
    if text.len() > DOMAIN_LENGTH_MAX_BYTES * 4 {
        return Err(PathError::TooLong);
    }
    if let Some(inner) = text.strip_prefix('[') {
        let inner = inner.strip_suffix(']').ok_or(PathError::Domain)?;
        let tagged = inner.get(..5).filter(|tag| tag.eq_ignore_ascii_case("IPv6:"));
        let ip = match tagged {
            Some(_) => inner[5..].parse::<Ipv6Addr>().map(IpAddr::V6),
            None => inner.parse::<Ipv4Addr>().map(IpAddr::V4),
        };
        return ip.map(Host::Literal).map_err(|_| PathError::Domain);
    }
    // RFC 5321 §2.3.5 knows no final dot.
    if text.ends_with('.') {
        return Err(PathError::Domain);
    }
    DomainName::parse(text)
        .map(Host::Domain)
        .map_err(|_| PathError::Domain)
}

/// The offset of the `>` outside of quotes.
fn closing_bracket(inner: &[u8]) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, &byte) in inner.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

fn parse_inner(path: &str) -> Result<Path, PathError> {
    if path.is_empty() {
        return Ok(Path::Null);
    }
    if path.eq_ignore_ascii_case("postmaster") {
        return Ok(Path::Postmaster);
    }
    // RFC 5321 §4.1.2, A-d-l: `@one,@two:` before the mailbox.
    let mailbox = if path.starts_with('@') {
        path.split_once(':').ok_or(PathError::Local)?.1
    } else {
        path
    };
    parse_mailbox(mailbox).map(Path::Mailbox)
}

/// Quoted-string (RFC 5321 §4.1.2): the text within, and what follows the closing quote.
fn quoted_local(text: &str) -> Result<(String, &str), PathError> {
    let mut local = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        let c = match c {
            '"' => return Ok((local, &text[at + 1..])),
            '\\' => chars.next().ok_or(PathError::Local)?.1,
            c => c,
        };
        if c.is_control() {
            return Err(PathError::Local);
        }
        local.push(c);
    }
    Err(PathError::Local)
}

/// Dot-string (RFC 5321 §4.1.2, RFC 6531 §3.3).
fn is_dot_string(local: &str) -> bool {
    let atext = |c: char| {
        c.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~".contains(c)
            || (!c.is_ascii() && !c.is_control() && !c.is_whitespace())
    };
    local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(atext))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shown(text: &str) -> String {
        match parse_path(text.as_bytes()) {
            Ok((path, rest)) => format!("{path}|{}", String::from_utf8_lossy(rest)),
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn paths() {
        let cases = [
            ("<>", "|"),
            ("<> SIZE=1", "| SIZE=1"),
            ("<a@B.example>", "a@b.example|"),
            ("<A.b+c@b>", "A.b+c@b|"),
            ("<Postmaster>", "postmaster|"),
            ("<\"a b\\\"\\\\>@x\"@b> X", "\"a b\\\"\\\\>@x\"@b| X"),
            ("<\"ab\"@c>", "ab@c|"),
            ("<@one,@two.x:a@b>", "a@b|"),
            ("<a@[192.0.2.1]>", "a@[192.0.2.1]|"),
            ("<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]|"),
            ("<\u{438}@\u{43f}.example>", "\u{438}@xn--o1a.example|"),
            ("a@b", "Brackets"),
            ("<a@b", "Brackets"),
            ("<a>", "Domain"),
            ("<@b>", "Local"),
            ("<a..b@c>", "Local"),
            ("<.a@c>", "Local"),
            ("<a b@c>", "Local"),
            ("<a@b@c>", "Domain"),
            ("<a@>", "Domain"),
            ("<a@b.>", "Domain"),
            ("<a@b..c>", "Domain"),
            ("<a@[1.2.3]>", "Domain"),
            ("<a@[IPv6:x]>", "Domain"),
            ("<a@-b>", "Domain"),
            ("<\"\"@b>", "Local"),
            ("<\"a\tb\"@b>", "Local"),
            ("<\"a>", "Brackets"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), expected, "{text}");
        }
        assert_eq!(parse_path(b"<\xff@b>"), Err(PathError::NotUtf8));
        assert_eq!(shown(&format!("<{}@b>", "a".repeat(65))), "Local");
        assert_eq!(shown(&format!("<{}@b>", "a".repeat(5000))), "TooLong");
    }

    #[test]
    fn paths_and_addresses() {
        let (path, _) = parse_path(b"<\"a b\"@c.example>").unwrap();
        let address = path.address().unwrap();
        assert_eq!(address.to_string(), "\"a b\"@c.example");
        assert_eq!(Path::from(address), path);
        assert_eq!(parse_path(b"<a@[192.0.2.1]>").unwrap().0.address(), None);
        assert!(!parse_path("<\u{438}@b>".as_bytes()).unwrap().0.is_ascii());
    }
}
