//! What is told of the security of connections to other domains' hosts (TLS-RPT, RFC 8460 §4): the policy that a session was held to, and how it
//! ended. Reasons are words of ours, never a peer's, and of a policy only so much is kept: a peer can't fill the table with what is always new.
//!
//! Must not know: where rows are kept, when and how reports are sent.

use std::fmt::Write;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use shared::DomainName;
use shared::protocol::ReportKind;

use super::is_on;
use crate::Inner;

/// Lines of a policy that are told, and bytes of each.
const POLICY_LINES_MAX_COUNT: usize = 20;
const POLICY_LINE_MAX_BYTES: usize = 512;

/// RFC 8460 §4.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Flaw {
    StartTlsNotSupported,
    CertificateHostMismatch,
    CertificateExpired,
    CertificateNotTrusted,
    ValidationFailure,
    TlsaInvalid,
    DnssecInvalid,
    DaneRequired,
    StsPolicyFetchError,
    StsPolicyInvalid,
    StsWebpkiInvalid,
}

impl Flaw {
    fn word(self) -> &'static str {
        match self {
            Self::StartTlsNotSupported => "starttls-not-supported",
            Self::CertificateHostMismatch => "certificate-host-mismatch",
            Self::CertificateExpired => "certificate-expired",
            Self::CertificateNotTrusted => "certificate-not-trusted",
            Self::ValidationFailure => "validation-failure",
            Self::TlsaInvalid => "tlsa-invalid",
            Self::DnssecInvalid => "dnssec-invalid",
            Self::DaneRequired => "dane-required",
            Self::StsPolicyFetchError => "sts-policy-fetch-error",
            Self::StsPolicyInvalid => "sts-policy-invalid",
            Self::StsWebpkiInvalid => "sts-webpki-invalid",
        }
    }

    /// With a reason in one word, which may be empty.
    pub(crate) fn of_certificate(flaw: tls::Flaw) -> (Self, &'static str) {
        match flaw {
            tls::Flaw::Expired => (Self::CertificateExpired, ""),
            tls::Flaw::WrongName => (Self::CertificateHostMismatch, ""),
            tls::Flaw::NoRecord => (Self::TlsaInvalid, "no-record-matches"),
            tls::Flaw::Untrusted(reason) => (Self::CertificateNotTrusted, reason),
        }
    }
}

/// What a session is held to (RFC 8460 §4.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Policy {
    /// `tlsa`, `sts` or `no-policy-found`.
    pub(super) kind: String,
    pub(super) lines: Vec<String>,
    /// Where it stands: the recipients' domain, for `tlsa` the host.
    pub(super) domain: String,
    /// Of `sts`: the hosts that it names.
    pub(super) hosts: Vec<String>,
}

impl Policy {
    pub(crate) fn none(domain: &DomainName) -> Self {
        Self::new("no-policy-found", domain.as_str(), Vec::new())
    }

    /// `records`: usage, selector, matching type, data.
    pub(crate) fn tlsa<'a>(host: &str, records: impl Iterator<Item = (u8, u8, u8, &'a [u8])>) -> Self {
        let lines = records.take(POLICY_LINES_MAX_COUNT);
        let lines = lines.map(|(usage, selector, matching, data)| {
            let mut line = format!("{usage} {selector} {matching} ");
            for byte in data.iter().take(POLICY_LINE_MAX_BYTES) {
                // Writing to a text in memory can't fail.
                let _ = write!(line, "{byte:02x}");
            }
            line
        });
        Self::new("tlsa", host, lines.collect())
    }

    /// Without lines: it could not be had.
    pub(crate) fn sts(domain: &DomainName, lines: Vec<String>, hosts: &[String]) -> Self {
        Self {
            hosts: bounded(hosts.to_vec()),
            ..Self::new("sts", domain.as_str(), lines)
        }
    }

    fn new(kind: &str, domain: &str, lines: Vec<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            lines: bounded(lines),
            domain: domain.to_owned(),
            hosts: Vec::new(),
        }
    }
}

fn bounded(mut lines: Vec<String>) -> Vec<String> {
    lines.truncate(POLICY_LINES_MAX_COUNT);
    for line in &mut lines {
        if line.len() > POLICY_LINE_MAX_BYTES {
            line.truncate(line.floor_char_boundary(POLICY_LINE_MAX_BYTES));
            line.push_str("...");
        }
    }
    lines
}

/// Who is told of sessions, and what they are held to.
#[derive(Clone, Debug)]
pub(crate) struct About {
    /// The recipients' domain.
    pub(crate) to: DomainName,
    pub(crate) policy: Policy,
}

/// A failure, perhaps before there was a session.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) flaw: Flaw,
    /// One word, perhaps none.
    pub(crate) reason: &'static str,
    /// Empty: it is not about a host.
    pub(crate) host: String,
    /// Its address and ours.
    pub(crate) addresses: Option<(IpAddr, Option<IpAddr>)>,
}

impl Finding {
    pub(crate) fn new(flaw: Flaw, reason: &'static str, host: &str) -> Self {
        Self {
            flaw,
            reason,
            host: host.to_owned(),
            addresses: None,
        }
    }
}

/// What is kept of sessions that are alike. Kept as JSON: missing members have their defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Seen {
    /// Who is told.
    pub(super) to: String,
    pub(super) policy: Policy,
    /// Empty: all was well, and nothing else is kept.
    pub(super) result: String,
    pub(super) reason: String,
    pub(super) host: String,
    pub(super) address: String,
    pub(super) own_address: String,
}

impl Inner {
    /// Whether anybody is told.
    pub(crate) fn reports_tls(&self) -> bool {
        is_on(&self.parts.directory.settings(), ReportKind::Tls)
    }

    /// Counts a session, or what kept it from coming about.
    pub(crate) fn count_tls(&self, about: &About, finding: Option<&Finding>) {
        let mut seen = Seen {
            to: about.to.to_string(),
            policy: about.policy.clone(),
            ..Seen::default()
        };
        if let Some(finding) = finding {
            finding.flaw.word().clone_into(&mut seen.result);
            finding.reason.clone_into(&mut seen.reason);
            seen.host.clone_from(&finding.host);
            if let Some((host, own)) = finding.addresses {
                seen.address = host.to_canonical().to_string();
                seen.own_address = own.map(|own| own.to_canonical().to_string()).unwrap_or_default();
            }
        }
        if let Ok(body) = serde_json::to_string(&seen) {
            self.gathered.count(ReportKind::Tls, &seen.to, body);
        }
    }
}
