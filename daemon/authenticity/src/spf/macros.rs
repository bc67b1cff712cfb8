//! Macros in domains (RFC 7208 §7).

use std::fmt::Write;
use std::net::IpAddr;

/// A text with macros, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Macros(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Macro {
        letter: char,
        /// Keep that many parts from the right.
        keep: Option<usize>,
        reverse: bool,
        delimiters: String,
        escape: bool,
    },
}

/// What the letters stand for.
#[derive(Clone, Debug)]
pub(crate) struct Values<'a> {
    /// `local@domain`.
    pub(crate) sender: &'a str,
    pub(crate) domain: &'a str,
    pub(crate) peer: IpAddr,
    pub(crate) helo: &'a str,
    /// The peer's confirmed name, where `%{p}` was used.
    pub(crate) name: &'a str,
}

/// The longest domain that can be asked about, in its written form.
const DOMAIN_MAX_BYTES: usize = 253;

impl Macros {
    /// A domain-spec: what a name may end in is looked at (§7.1).
    pub(crate) fn domain(text: &str) -> Option<Self> {
        let macros = Self::parse(text, "slodiphv")?;
        match macros.0.last()? {
            Part::Macro { .. } => Some(macros),
            Part::Text(text) => {
                let text = text.strip_suffix('.').unwrap_or(text);
                // At least two labels, the last one a top-level label, unless a macro stands before it.
                let (before, top) = text.rsplit_once('.')?;
                let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
                let top_ok = !top.is_empty()
                    && top.chars().all(plain)
                    && !top.starts_with('-')
                    && !top.ends_with('-')
                    && !top.chars().all(|c| c.is_ascii_digit());
                (top_ok && (!before.is_empty() || macros.0.len() > 1)).then_some(macros)
            }
        }
    }

    /// A macro-string with all letters.
    pub(crate) fn any(text: &str) -> Option<Self> {
        Self::parse(text, "slodiphvcrt")
    }

    fn parse(text: &str, letters: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if !('\x21'..='\x7e').contains(&c) {
                return None;
            }
            if c != '%' {
                literal.push(c);
                rest = &rest[1..];
                continue;
            }
            match rest.as_bytes().get(1)? {
                b'%' => literal.push('%'),
                b'_' => literal.push(' '),
                b'-' => literal.push_str("%20"),
                b'{' => {
                    let end = rest.find('}')?;
                    if !literal.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut literal)));
                    }
                    parts.push(expand(&rest[2..end], letters)?);
                    rest = &rest[end + 1..];
                    continue;
                }
                _ => return None,
            }
            rest = &rest[2..];
        }
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Some(Self(parts))
    }

    /// Whether the peer's name has to be known.
    pub(crate) fn needs_name(&self) -> bool {
        self.0
            .iter()
            .any(|part| matches!(part, Part::Macro { letter: 'p', .. }))
    }

    /// The text with the values put in; names that are too long lose labels at the left (§7.3).
    pub(crate) fn expand(&self, values: &Values<'_>) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Macro {
                    letter,
                    keep,
                    reverse,
                    delimiters,
                    escape,
                } => {
                    let value = transform(&values.of(*letter), *keep, *reverse, delimiters);
                    out.push_str(&if *escape { escaped(&value) } else { value });
                }
            }
        }
        let mut rest = out.trim_end_matches('.');
        while rest.len() > DOMAIN_MAX_BYTES {
            match rest.split_once('.') {
                Some((_, shorter)) => rest = shorter,
                None => break,
            }
        }
        rest.to_owned()
    }
}

/// `d2r-.`: a letter, digits, `r`, delimiters.
fn expand(text: &str, letters: &str) -> Option<Part> {
    let letter = text.chars().next()?;
    let lower = letter.to_ascii_lowercase();
    letters.contains(lower).then_some(())?;
    let rest = &text[1..];
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let keep = match &rest[..digits] {
        "" => None,
        digits => Some(digits.parse().ok().filter(|keep: &usize| *keep > 0)?),
    };
    let rest = &rest[digits..];
    let (reverse, delimiters) = match rest.strip_prefix(['r', 'R']) {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    delimiters
        .chars()
        .all(|c| ".-+,/_=".contains(c))
        .then(|| Part::Macro {
            letter: lower,
            keep,
            reverse,
            delimiters: if delimiters.is_empty() { "." } else { delimiters }.to_owned(),
            escape: letter.is_ascii_uppercase(),
        })
}

fn transform(value: &str, keep: Option<usize>, reverse: bool, delimiters: &str) -> String {
    if keep.is_none() && !reverse && delimiters == "." {
        return value.to_owned();
    }
    let mut parts: Vec<&str> = value.split(|c| delimiters.contains(c)).collect();
    if reverse {
        parts.reverse();
    }
    let skip = keep.map_or(0, |keep| parts.len().saturating_sub(keep));
    parts.get(skip..).unwrap_or_default().join(".")
}

/// Everything but the unreserved characters of URLs (RFC 7208 §7.3).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a text in memory can't fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

impl Values<'_> {
    fn of(&self, letter: char) -> String {
        let (local, domain) = self
            .sender
            .rsplit_once('@')
            .unwrap_or(("postmaster", self.sender));
        match (letter, self.peer) {
            ('s', _) => self.sender.to_owned(),
            ('l', _) => local.to_owned(),
            ('o', _) => domain.to_owned(),
            ('d', _) => self.domain.to_owned(),
            ('h', _) => self.helo.to_owned(),
            ('p', _) => self.name.to_owned(),
            ('v', IpAddr::V4(_)) => "in-addr".to_owned(),
            ('v', IpAddr::V6(_)) => "ip6".to_owned(),
            ('i', IpAddr::V4(peer)) => peer.to_string(),
            // §7.3: nibbles with dots.
            ('i', IpAddr::V6(peer)) => {
                let digits = peer
                    .octets()
                    .into_iter()
                    .flat_map(|octet| [octet >> 4, octet & 15]);
                digits
                    .map(|digit| format!("{digit:x}"))
                    .collect::<Vec<_>>()
                    .join(".")
            }
            _ => String::new(),
        }
    }
}
