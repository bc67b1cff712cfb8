//! The parameters of MAIL and RCPT (RFC 5321 §4.1.2 and the extensions named beside each).

use super::command::{SyntaxError, decimal};
use super::reply::Enhanced;
use super::xtext;

/// Parameters of one command.
pub const PARAMS_MAX_COUNT: usize = 20;
/// The longest envelope identifier (RFC 3461 §4.4).
const ENVID_MAX_BYTES: usize = 100;
/// The longest ORCPT value (RFC 3461 §4.2).
const ORCPT_MAX_BYTES: usize = 500;

const UNKNOWN: SyntaxError = SyntaxError::new(555, Enhanced(5, 5, 4), "Parameter not recognised");
const BAD: SyntaxError = SyntaxError::new(501, Enhanced(5, 5, 4), "Bad parameter value");
const TWICE: SyntaxError = SyntaxError::new(501, Enhanced(5, 5, 4), "Parameter given twice");
const TOO_MANY: SyntaxError = SyntaxError::new(501, Enhanced(5, 5, 4), "Too many parameters");

/// Of MAIL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MailParams {
    /// Bytes that the client announces (RFC 1870).
    pub size: Option<u64>,
    /// RFC 6152, RFC 3030.
    pub body: Option<Body>,
    /// RFC 6531.
    pub smtputf8: bool,
    /// RFC 3461 §4.3.
    pub ret: Option<Ret>,
    /// RFC 3461 §4.4, decoded.
    pub envid: Option<String>,
    /// RFC 4954 §5.
    pub auth: Option<AuthSender>,
    /// RFC 8689.
    pub requiretls: bool,
    /// RFC 6710: -9 to 9.
    pub priority: Option<i8>,
    /// RFC 4865: seconds to hold the message.
    pub hold_for: Option<u64>,
    /// RFC 4865: the moment until which to hold it, as written (RFC 3339).
    pub hold_until: Option<String>,
    /// RFC 2852.
    pub by: Option<DeliverBy>,
}

/// Of RCPT.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RcptParams {
    /// RFC 3461 §4.1.
    pub notify: Option<Notify>,
    /// RFC 3461 §4.2.
    pub orcpt: Option<OriginalRecipient>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    SevenBit,
    EightBitMime,
    BinaryMime,
}

/// Who submitted the message first (RFC 4954 §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthSender {
    /// `<>`: not known, or not to be trusted.
    Nobody,
    /// Decoded.
    Address(String),
}

/// How much of the message a failure report returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ret {
    Full,
    Headers,
}

/// When to report; all false is NEVER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Notify {
    pub success: bool,
    pub failure: bool,
    pub delay: bool,
}

/// The recipient that the sender named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginalRecipient {
    /// `rfc822`, `utf-8` …, as written.
    pub kind: String,
    /// Decoded.
    pub address: String,
}

/// RFC 2852 §4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliverBy {
    pub seconds: i64,
    /// `N` instead of `R`: only notify.
    pub notify: bool,
    pub trace: bool,
}

impl MailParams {
    pub(super) fn parse(text: &[u8]) -> Result<Self, SyntaxError> {
        let mut params = MailParams::default();
        for item in items(text)? {
            let (name, value) = item;
            match name.as_str() {
                "SIZE" => params.size = Some(value.and_then(decimal).ok_or(BAD)?),
                "BODY" => params.body = Some(value.and_then(body).ok_or(BAD)?),
                "SMTPUTF8" => params.smtputf8 = flag(value)?,
                "RET" => params.ret = Some(value.and_then(ret).ok_or(BAD)?),
                "ENVID" => params.envid = Some(bounded_xtext(value, ENVID_MAX_BYTES).ok_or(BAD)?),
                "AUTH" => params.auth = Some(mail_auth(value).ok_or(BAD)?),
                "REQUIRETLS" => params.requiretls = flag(value)?,
                "MT-PRIORITY" => params.priority = Some(value.and_then(priority).ok_or(BAD)?),
                "HOLDFOR" => params.hold_for = Some(value.and_then(decimal).ok_or(BAD)?),
                "HOLDUNTIL" => params.hold_until = Some(plain(value).ok_or(BAD)?),
                "BY" => params.by = Some(value.and_then(deliver_by).ok_or(BAD)?),
                _ => return Err(UNKNOWN),
            }
        }
        Ok(params)
    }
}

impl RcptParams {
    pub(super) fn parse(text: &[u8]) -> Result<Self, SyntaxError> {
        let mut params = RcptParams::default();
        for (name, value) in items(text)? {
            match name.as_str() {
                "NOTIFY" => params.notify = Some(value.and_then(notify).ok_or(BAD)?),
                "ORCPT" => params.orcpt = Some(value.and_then(orcpt).ok_or(BAD)?),
                _ => return Err(UNKNOWN),
            }
        }
        Ok(params)
    }
}

type Item<'a> = (String, Option<&'a [u8]>);

/// `NAME=value` and `NAME`, names in upper case, none twice.
fn items(text: &[u8]) -> Result<Vec<Item<'_>>, SyntaxError> {
    let mut items: Vec<Item<'_>> = Vec::new();
    for word in text.split(|&byte| byte == b' ').filter(|word| !word.is_empty()) {
        if items.len() == PARAMS_MAX_COUNT {
            return Err(TOO_MANY);
        }
        let (name, value) = match memchr::memchr(b'=', word) {
            Some(at) => (&word[..at], Some(&word[at + 1..])),
            None => (word, None),
        };
        let name = String::from_utf8_lossy(name).to_ascii_uppercase();
        if items.iter().any(|(known, _)| *known == name) {
            return Err(TWICE);
        }
        items.push((name, value));
    }
    Ok(items)
}

fn flag(value: Option<&[u8]>) -> Result<bool, SyntaxError> {
    if value.is_none() { Ok(true) } else { Err(BAD) }
}

fn body(value: &[u8]) -> Option<Body> {
    match value.to_ascii_uppercase().as_slice() {
        b"7BIT" => Some(Body::SevenBit),
        b"8BITMIME" => Some(Body::EightBitMime),
        b"BINARYMIME" => Some(Body::BinaryMime),
        _ => None,
    }
}

fn ret(value: &[u8]) -> Option<Ret> {
    match value.to_ascii_uppercase().as_slice() {
        b"FULL" => Some(Ret::Full),
        b"HDRS" => Some(Ret::Headers),
        _ => None,
    }
}

fn bounded_xtext(value: Option<&[u8]>, max_bytes: usize) -> Option<String> {
    let value = value.filter(|value| !value.is_empty() && value.len() <= max_bytes)?;
    xtext::decode(value)
}

fn mail_auth(value: Option<&[u8]>) -> Option<AuthSender> {
    let text = bounded_xtext(value, ORCPT_MAX_BYTES)?;
    Some(if text == "<>" {
        AuthSender::Nobody
    } else {
        AuthSender::Address(text)
    })
}

fn plain(value: Option<&[u8]>) -> Option<String> {
    let value = value.filter(|value| !value.is_empty() && value.len() <= 40 && value.is_ascii())?;
    Some(String::from_utf8_lossy(value).into_owned())
}

fn priority(value: &[u8]) -> Option<i8> {
    let number: i8 = std::str::from_utf8(value).ok()?.parse().ok()?;
    (-9..=9).contains(&number).then_some(number)
}

fn deliver_by(value: &[u8]) -> Option<DeliverBy> {
    let (seconds, mode) = std::str::from_utf8(value).ok()?.split_once(';')?;
    if seconds.trim_start_matches('-').len() > 9 {
        return None;
    }
    let seconds = seconds.parse().ok()?;
    let (notify, trace) = match mode.to_ascii_uppercase().as_str() {
        "N" => (true, false),
        "NT" => (true, true),
        "R" => (false, false),
        "RT" => (false, true),
        _ => return None,
    };
    Some(DeliverBy {
        seconds,
        notify,
        trace,
    })
}

fn notify(value: &[u8]) -> Option<Notify> {
    let mut wanted = Notify::default();
    if value.eq_ignore_ascii_case(b"NEVER") {
        return Some(wanted);
    }
    for word in value.split(|&byte| byte == b',') {
        match word.to_ascii_uppercase().as_slice() {
            b"SUCCESS" => wanted.success = true,
            b"FAILURE" => wanted.failure = true,
            b"DELAY" => wanted.delay = true,
            _ => return None,
        }
    }
    Some(wanted)
}

fn orcpt(value: &[u8]) -> Option<OriginalRecipient> {
    if value.len() > ORCPT_MAX_BYTES {
        return None;
    }
    let at = memchr::memchr(b';', value)?;
    let kind = std::str::from_utf8(&value[..at]).ok()?;
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if kind.is_empty() || !kind.bytes().all(valid) {
        return None;
    }
    let address = xtext::decode(&value[at + 1..]).filter(|address| !address.is_empty())?;
    Some(OriginalRecipient {
        kind: kind.to_owned(),
        address,
    })
}
