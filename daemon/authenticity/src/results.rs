//! What was found out about a message's sender, and the field that tells it (RFC 8601).

use std::fmt::Write;

use shared::{Address, DomainName};

/// The results of RFC 8601 §2.7; not every method knows every one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    #[default]
    None,
    Pass,
    Fail,
    SoftFail,
    Neutral,
    TempError,
    PermError,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::Neutral => "neutral",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// SPF (RFC 7208): may this peer send for that domain?
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spf {
    pub result: Outcome,
    /// The domain that was asked about; `None`: there was none.
    pub domain: Option<DomainName>,
    /// The reverse-path; `None`: it is empty, and the name in EHLO was asked about (RFC 7208 §2.4).
    pub sender: Option<Address>,
}

/// One DKIM signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dkim {
    pub result: Outcome,
    pub reason: &'static str,
    pub domain: Option<DomainName>,
    pub selector: String,
    pub algorithm: String,
    /// Its first characters (RFC 6008).
    pub signature: String,
}

/// What a domain wants to be done with mail that says to be its own and isn't.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    #[default]
    None,
    Quarantine,
    Reject,
}

impl Wish {
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }
}

/// DMARC: does what the recipient sees as the sender stand by the message?
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dmarc {
    pub result: Outcome,
    /// The domain in From; `None`: there is none, or more than one.
    pub from: Option<DomainName>,
    /// What the domain wishes for this message if it fails.
    pub wish: Wish,
    /// The record that holds for the domain.
    pub record: Option<std::sync::Arc<crate::dmarc::Record>>,
    pub spf_aligned: bool,
    pub dkim_aligned: bool,
}

/// The ARC chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arc {
    pub result: Outcome,
    /// Its sets.
    pub len: u64,
    /// Who sealed last.
    pub signer: Option<DomainName>,
}

impl Arc {
    pub(crate) fn new(result: Outcome, len: u64, signer: Option<DomainName>) -> Self {
        Self { result, len, signer }
    }
}

/// Everything found out about one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    pub spf: Spf,
    pub dkim: Vec<Dkim>,
    pub dmarc: Dmarc,
    pub arc: Arc,
    /// Fields that arrived and claim to be this server's own.
    pub forged: usize,
}

impl Results {
    /// The domains whose signatures hold.
    pub fn signers(&self) -> impl Iterator<Item = &DomainName> {
        let good = self.dkim.iter().filter(|dkim| dkim.result == Outcome::Pass);
        good.filter_map(|dkim| dkim.domain.as_ref())
    }

    /// The field Authentication-Results with its line end. `server`: the name of this server (the authserv-id).
    pub fn field(&self, server: &str) -> String {
        format!(
            "Authentication-Results: {server}{}{}\r\n",
            self.comment(),
            self.methods()
        )
    }

    /// The methods with their results, each on a line of its own.
    pub(crate) fn methods(&self) -> String {
        let mut out = String::with_capacity(256);
        // Writing to a text in memory can't fail, here and below.
        let _ = write!(out, ";\r\n\tspf={}", self.spf.result.name());
        self.spf_property(&mut out);
        if self.dkim.is_empty() {
            out.push_str(";\r\n\tdkim=none");
        }
        for dkim in &self.dkim {
            let _ = write!(out, ";\r\n\tdkim={}", dkim.result.name());
            if !dkim.reason.is_empty() {
                let _ = write!(out, " ({})", dkim.reason);
            }
            if let Some(domain) = &dkim.domain {
                let _ = write!(out, " header.d={domain}");
            }
            for (name, value) in [("s", &dkim.selector), ("a", &dkim.algorithm)] {
                if is_token(value) {
                    let _ = write!(out, " header.{name}={value}");
                }
            }
            if !dkim.signature.is_empty() && dkim.signature.chars().all(is_base64) {
                // Base64 has characters that a token has not.
                let _ = write!(out, " header.b=\"{}\"", dkim.signature);
            }
        }
        let _ = write!(out, ";\r\n\tdmarc={}", self.dmarc.result.name());
        if self.dmarc.record.is_some() {
            let _ = write!(out, " (p={})", self.dmarc.wish.name());
        }
        if let Some(from) = &self.dmarc.from {
            let _ = write!(out, " header.from={from}");
        }
        if self.arc.result != Outcome::None {
            let _ = write!(out, ";\r\n\tarc={} (i={})", self.arc.result.name(), self.arc.len);
        }
        out
    }

    fn spf_property(&self, out: &mut String) {
        match (&self.spf.sender, &self.spf.domain) {
            (Some(sender), Some(domain)) if is_token(sender.local()) => {
                let _ = write!(out, " smtp.mailfrom={}@{domain}", sender.local());
            }
            (Some(_), Some(domain)) => {
                let _ = write!(out, " smtp.mailfrom={domain}");
            }
            (None, Some(domain)) => {
                let _ = write!(out, " smtp.helo={domain}");
            }
            (_, None) => {}
        }
    }

    /// Fields that arrive are never removed, so whoever looks below this one has to be told.
    fn comment(&self) -> String {
        match self.forged {
            0 => String::new(),
            count => format!(" ({count} below in this name came with the message and mean nothing)"),
        }
    }
}

/// Nothing that would have to be quoted (RFC 2045 §5.1), and not too long.
fn is_token(text: &str) -> bool {
    const TOKEN_MAX_BYTES: usize = 128;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&byte);
    (1..=TOKEN_MAX_BYTES).contains(&text.len()) && text.bytes().all(plain)
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')
}
