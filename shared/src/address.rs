//! Domain names and mail addresses, parsed once, at the edge (RFC 5321 §4.1.2, RFC 6531 §3.3, IDNA 2008).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Refusal;

/// Longest local part in bytes (RFC 5321 §4.5.3.1.1).
pub const LOCAL_LENGTH_MAX_BYTES: usize = 64;
/// Longest domain in bytes, in its ASCII form (RFC 5321 §4.5.3.1.2).
pub const DOMAIN_LENGTH_MAX_BYTES: usize = 255;

/// A domain name in lower case, kept in its ASCII form (`xn--…`); `Display` gives that form, `unicode` the readable one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DomainName(String);

impl DomainName {
    /// Parses a host or domain name, with or without a final dot. Refuses empty labels, labels over 63 bytes and
    /// characters that no host name may hold.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let bad = || Refusal::new("domain-invalid").with("domain", text);
        let text_trimmed = text.strip_suffix('.').unwrap_or(text);
        let ascii = if text_trimmed.is_ascii() {
            text_trimmed.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii(text_trimmed).map_err(|_| bad())?
        };
        let label_ok = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if ascii.len() > DOMAIN_LENGTH_MAX_BYTES || !ascii.split('.').all(label_ok) {
            return Err(bad());
        }
        Ok(Self(ascii))
    }

    /// The ASCII form in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that people read.
    pub fn unicode(&self) -> String {
        idna::domain_to_unicode(&self.0).0
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for DomainName {
    type Err = Refusal;
    fn from_str(text: &str) -> Result<Self, Refusal> {
        Self::parse(text)
    }
}

impl TryFrom<String> for DomainName {
    type Error = Refusal;
    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::parse(&text)
    }
}

impl From<DomainName> for String {
    fn from(name: DomainName) -> Self {
        name.0
    }
}

/// A mail address: a local part as it was written (unquoted) and a domain. Two addresses of this server are compared by
/// [`Address::key`], which folds the case of the local part; others' local parts are never folded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    local: String,
    domain: DomainName,
}

impl Address {
    /// Parses `local@domain`; the local part may be quoted. No display name, no angle brackets.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let bad = || Refusal::new("address-invalid").with("address", text);
        let at = text.rfind('@').ok_or_else(bad)?;
        let (local, domain) = (&text[..at], &text[at + 1..]);
        let local = match local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(quoted) => unquote(quoted).ok_or_else(bad)?,
            None => local.to_owned(),
        };
        let domain = DomainName::parse(domain).map_err(|_| bad())?;
        Self::from_parts(&local, domain).map_err(|_| bad())
    }

    /// Makes an address of an unquoted local part. Refuses an empty or too long one and control characters.
    pub fn from_parts(local: &str, domain: DomainName) -> Result<Self, Refusal> {
        if local.is_empty() || local.len() > LOCAL_LENGTH_MAX_BYTES || local.chars().any(char::is_control) {
            return Err(Refusal::new("address-invalid").with("address", format!("{local}@{domain}")));
        }
        Ok(Self {
            local: local.to_owned(),
            domain,
        })
    }

    /// The local part, unquoted, in the case it was written in.
    pub fn local(&self) -> &str {
        &self.local
    }

    pub fn domain(&self) -> &DomainName {
        &self.domain
    }

    /// What two addresses of this server are compared by: everything in lower case.
    pub fn key(&self) -> String {
        format!("{}@{}", self.local.to_lowercase(), self.domain)
    }

    pub fn is_ascii(&self) -> bool {
        self.local.is_ascii()
    }
}

/// The form that goes into SMTP and header fields: the local part is quoted where it must be.
impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_dot_string(&self.local) {
            return write!(out, "{}@{}", self.local, self.domain);
        }
        out.write_str("\"")?;
        for c in self.local.chars() {
            if c == '"' || c == '\\' {
                out.write_str("\\")?;
            }
            write!(out, "{c}")?;
        }
        write!(out, "\"@{}", self.domain)
    }
}

impl FromStr for Address {
    type Err = Refusal;
    fn from_str(text: &str) -> Result<Self, Refusal> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Address {
    type Error = Refusal;
    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::parse(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

fn unquote(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push(chars.next()?),
            '"' => return None,
            other => out.push(other),
        }
    }
    Some(out)
}

/// Dot-string of RFC 5321 §4.1.2, with the letters of RFC 6531.
fn is_dot_string(local: &str) -> bool {
    local.split('.').all(|atom| {
        !atom.is_empty()
            && atom
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || !c.is_ascii())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_keep_what_was_written_and_compare_by_key() {
        for (text, shown, key) in [
            (
                "Ivan.Petrov@Example.TEST",
                "Ivan.Petrov@example.test",
                "ivan.petrov@example.test",
            ),
            ("\"a b\"@example.test", "\"a b\"@example.test", "a b@example.test"),
            (
                "\"plain\"@example.test",
                "plain@example.test",
                "plain@example.test",
            ),
            (
                "почта@пример.рф",
                "почта@xn--e1afmkfd.xn--p1ai",
                "почта@xn--e1afmkfd.xn--p1ai",
            ),
            ("a@b@example.test", "\"a@b\"@example.test", "a@b@example.test"),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(address.key(), key);
            assert_eq!(Address::parse(&address.to_string()).unwrap(), address);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "a",
            "@",
            "a@",
            "@b",
            "a@b..c",
            "a@-b",
            "a@b c",
            "a\r@b",
            "\"a\"b\"@c",
        ] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
    }
}
