//! The text of a policy record (RFC 7208 §4.6, §5, §6, §12). One fault anywhere makes all of it an error.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::macros::Macros;
use crate::results::Outcome;

/// Terms of one record. DNS lets a text be 64 KiB long.
const TERMS_MAX_COUNT: usize = 1000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) directives: Vec<Directive>,
    pub(crate) redirect: Option<Macros>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directive {
    /// The result if the mechanism matches.
    pub(crate) result: Outcome,
    pub(crate) mechanism: Mechanism,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mechanism {
    All,
    Include(Macros),
    /// Without a domain: the one that is asked about.
    A(Option<Macros>, Lengths),
    Mx(Option<Macros>, Lengths),
    Ptr(Option<Macros>),
    Ip4(Ipv4Addr, u8),
    Ip6(Ipv6Addr, u8),
    Exists(Macros),
}

/// Lengths of the prefixes that have to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lengths {
    pub(crate) v4: u8,
    pub(crate) v6: u8,
}

/// Whether a text is an SPF record at all (§4.5).
pub(crate) fn is_record(text: &[u8]) -> bool {
    let version = text.get(..6).unwrap_or_default();
    version.eq_ignore_ascii_case(b"v=spf1") && matches!(text.get(6), None | Some(b' '))
}

impl Record {
    /// `None`: a syntax error.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok().filter(|text| text.is_ascii())?;
        let mut record = Self {
            directives: Vec::new(),
            redirect: None,
        };
        let mut explanation = false;
        for (count, term) in text
            .get(6..)?
            .split(' ')
            .filter(|term| !term.is_empty())
            .enumerate()
        {
            if count >= TERMS_MAX_COUNT {
                return None;
            }
            match modifier(term) {
                Some((name, value)) if name.eq_ignore_ascii_case("redirect") => {
                    let target = Macros::domain(value)?;
                    record.redirect.replace(target).is_none().then_some(())?;
                }
                Some((name, value)) if name.eq_ignore_ascii_case("exp") => {
                    Macros::domain(value)?;
                    (!std::mem::replace(&mut explanation, true)).then_some(())?;
                }
                // §6: unknown modifiers are ignored, if they are well-formed.
                Some((_, value)) => drop(Macros::any(value)?),
                None => record.directives.push(directive(term)?),
            }
        }
        Some(record)
    }
}

/// `name=value`; a mechanism has none of `:` and `/` before such a `=`.
fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    let mut chars = name.chars();
    let first = chars.next()?.is_ascii_alphabetic();
    let rest = chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    (first && rest).then_some((name, value))
}

fn directive(term: &str) -> Option<Directive> {
    let (result, term) = match term.as_bytes().first()? {
        b'+' => (Outcome::Pass, &term[1..]),
        b'-' => (Outcome::Fail, &term[1..]),
        b'~' => (Outcome::SoftFail, &term[1..]),
        b'?' => (Outcome::Neutral, &term[1..]),
        _ => (Outcome::Pass, term),
    };
    let end = term.find([':', '/']).unwrap_or(term.len());
    let (name, rest) = term.split_at(end);
    let argument = rest.strip_prefix(':');
    let mechanism = match name.to_ascii_lowercase().as_str() {
        "all" if rest.is_empty() => Mechanism::All,
        "include" => Mechanism::Include(Macros::domain(argument?)?),
        "exists" => Mechanism::Exists(Macros::domain(argument?)?),
        "a" => {
            let (domain, lengths) = domain_and_lengths(rest)?;
            Mechanism::A(domain, lengths)
        }
        "mx" => {
            let (domain, lengths) = domain_and_lengths(rest)?;
            Mechanism::Mx(domain, lengths)
        }
        "ptr" if rest.is_empty() => Mechanism::Ptr(None),
        "ptr" => Mechanism::Ptr(Some(Macros::domain(argument?)?)),
        "ip4" => {
            let (address, length) = with_length(argument?, 32)?;
            Mechanism::Ip4(address.parse().ok()?, length)
        }
        "ip6" => {
            let (address, length) = with_length(argument?, 128)?;
            Mechanism::Ip6(address.parse().ok()?, length)
        }
        _ => return None,
    };
    Some(Directive { result, mechanism })
}

/// `[:domain][/length][//length]`; a slash may stand inside a macro as well.
fn domain_and_lengths(rest: &str) -> Option<(Option<Macros>, Lengths)> {
    let mut lengths = Lengths { v4: 32, v6: 128 };
    let mut rest = rest;
    if let Some((before, length)) = rest.rsplit_once("//")
        && is_length(length)
    {
        lengths.v6 = parse_length(length, 128)?;
        rest = before;
    }
    if let Some((before, length)) = rest.rsplit_once('/')
        && is_length(length)
    {
        lengths.v4 = parse_length(length, 32)?;
        rest = before;
    }
    let domain = match rest {
        "" => None,
        rest => Some(Macros::domain(rest.strip_prefix(':')?)?),
    };
    Some((domain, lengths))
}

fn is_length(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Without leading zeros (§5.6).
fn parse_length(text: &str, max: u8) -> Option<u8> {
    let plain = text == "0" || !text.starts_with('0');
    let length: u8 = text.parse().ok().filter(|_| plain)?;
    (length <= max).then_some(length)
}

fn with_length(text: &str, max: u8) -> Option<(&str, u8)> {
    match text.split_once('/') {
        None => Some((text, max)),
        Some((address, length)) => Some((address, parse_length(length, max).filter(|_| is_length(length))?)),
    }
}
