//! DMARC (RFC 7489): whose policy holds for a message, and whether its sender stands by it.
//!
//! The organizational domain is found by walking up the tree of DNS (RFC 9989 §4.10), not by a list of public suffixes: what the domains
//! say of themselves is always up to date. Both ways agree wherever a domain publishes one record at its top.

use std::collections::HashMap;

use dns::DnsError;
use shared::DomainName;

use crate::questions::Questions;
use crate::results::{Dmarc, Outcome, Results, Wish};
use crate::tags::Tags;

/// Names asked on one walk (RFC 9989 §4.10).
const WALK_MAX_COUNT: usize = 8;
/// Addresses for reports that are looked at in one record.
const REPORT_ADDRESSES_MAX_COUNT: usize = 10;

/// A policy record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it stands, without `_dmarc.`.
    pub domain: DomainName,
    pub wish: Wish,
    pub subdomain_wish: Wish,
    pub strict_dkim: bool,
    pub strict_spf: bool,
    pub percent: u8,
    /// Where aggregate reports are wanted.
    pub reports: Vec<shared::Address>,
    /// `psd=y`, `psd=n`.
    public_suffix: Option<bool>,
}

impl Record {
    /// `None` if it is none or says nothing (RFC 7489 §6.6.3 step 6).
    fn parse(domain: &DomainName, text: &[u8]) -> Option<Self> {
        let tags = Tags::parse(text)?;
        if !tags.begins_with("v", "DMARC1") {
            return None;
        }
        let wish = |tag| match tags.get(tag)?.to_ascii_lowercase().as_str() {
            "none" => Some(Wish::None),
            "quarantine" => Some(Wish::Quarantine),
            "reject" => Some(Wish::Reject),
            _ => None,
        };
        let reports: Vec<shared::Address> = tags
            .get("rua")
            .into_iter()
            .flat_map(|list| list.split(','))
            .filter_map(report_address)
            .take(REPORT_ADDRESSES_MAX_COUNT)
            .collect();
        let own = match wish("p") {
            Some(own) => own,
            None if !reports.is_empty() => Wish::None,
            None => return None,
        };
        let strict = |tag| tags.get(tag).is_some_and(|mode| mode.eq_ignore_ascii_case("s"));
        let percent = tags.number("pct").filter(|percent| *percent <= 100);
        Some(Self {
            domain: domain.clone(),
            wish: own,
            subdomain_wish: wish("sp").unwrap_or(own),
            strict_dkim: strict("adkim"),
            strict_spf: strict("aspf"),
            percent: percent.unwrap_or(100) as u8,
            reports,
            public_suffix: match tags.get("psd") {
                Some("y") => Some(true),
                Some("n") => Some(false),
                _ => None,
            },
        })
    }
}

/// `mailto:` with an optional size (RFC 7489 §6.2), which is the receiver's own business.
fn report_address(uri: &str) -> Option<shared::Address> {
    let uri = uri.trim();
    let address = uri
        .get(..7)
        .filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
        .and(uri.get(7..))?;
    let address = address.split(['!', '?']).next().unwrap_or_default();
    shared::Address::parse(address).ok()
}

/// The records of a domain and those above it.
struct Walk {
    start: DomainName,
    /// From the bottom up.
    found: Vec<Record>,
}

impl Walk {
    async fn from(start: &DomainName, questions: &Questions) -> Result<Self, DnsError> {
        let mut found = Vec::new();
        let labels: Vec<&str> = start.as_str().split('.').collect();
        let mut at = 0;
        for _ in 0..WALK_MAX_COUNT {
            let Some(name) = labels.get(at..).filter(|labels| !labels.is_empty()) else {
                break;
            };
            let Ok(name) = DomainName::parse(&name.join(".")) else {
                break;
            };
            if let Some(record) = record_at(&name, questions).await? {
                let end = record.public_suffix.is_some();
                found.push(record);
                if end {
                    break;
                }
            }
            // A name of many labels is not walked label by label.
            at = if at == 0 && labels.len() > WALK_MAX_COUNT {
                labels.len() - (WALK_MAX_COUNT - 1)
            } else {
                at + 1
            };
        }
        Ok(Self {
            start: start.clone(),
            found,
        })
    }

    fn organization(&self) -> DomainName {
        let by_itself = |record: &&Record| record.public_suffix == Some(false);
        if let Some(record) = self.found.iter().find(by_itself) {
            return record.domain.clone();
        }
        let suffix = |record: &&Record| record.public_suffix == Some(true) && record.domain != self.start;
        if let Some(record) = self.found.iter().find(suffix) {
            return one_below(&self.start, &record.domain);
        }
        match self.found.last() {
            Some(record) => record.domain.clone(),
            None => self.start.clone(),
        }
    }

    /// The record that holds for the domain at the start.
    fn policy(&self) -> Option<&Record> {
        let organization = self.organization();
        let at = |domain: &DomainName| self.found.iter().find(|record| record.domain == *domain);
        at(&self.start)
            .or_else(|| at(&organization))
            .or(self.found.last())
    }
}

async fn record_at(name: &DomainName, questions: &Questions) -> Result<Option<Record>, DnsError> {
    let texts = questions.txt(&format!("_dmarc.{name}")).await?;
    let mut records = texts.iter().filter_map(|text| Record::parse(name, text));
    // More than one is none (RFC 7489 §6.6.3 step 5).
    Ok(records.next().filter(|_| records.next().is_none()))
}

/// The name directly under `above` on the way to `name`.
fn one_below(name: &DomainName, above: &DomainName) -> DomainName {
    let rest = name.as_str().strip_suffix(above.as_str()).unwrap_or_default();
    let label = rest.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    DomainName::parse(&format!("{label}.{above}")).unwrap_or_else(|_| name.clone())
}

/// What the domain in From says, before it is known how SPF and DKIM end.
pub(crate) enum Policy {
    /// No single domain, or none that takes part.
    None,
    Temporary,
    Found {
        record: Box<Record>,
        organization: DomainName,
    },
}

pub(crate) async fn policy(from: Option<&DomainName>, questions: &Questions) -> Policy {
    let Some(from) = from else { return Policy::None };
    let walk = match Walk::from(from, questions).await {
        Ok(walk) => walk,
        Err(DnsError::Temporary(_)) => return Policy::Temporary,
        Err(DnsError::NoSuchDomain) => return Policy::None,
    };
    match walk.policy() {
        None => Policy::None,
        Some(record) => Policy::Found {
            record: Box::new(record.clone()),
            organization: walk.organization(),
        },
    }
}

/// Whether SPF or a signature stands for the domain in From (RFC 7489 §3.1, §6.6.2).
pub(crate) async fn judge(
    from: Option<DomainName>,
    policy: Policy,
    results: &Results,
    questions: &Questions,
) -> Dmarc {
    let (record, organization) = match policy {
        Policy::None => {
            return Dmarc {
                from,
                ..Dmarc::default()
            };
        }
        Policy::Temporary => {
            return Dmarc {
                result: Outcome::TempError,
                from,
                ..Dmarc::default()
            };
        }
        Policy::Found { record, organization } => (record, organization),
    };
    let Some(domain) = from.clone() else {
        return Dmarc::default();
    };
    let mut alignment = Alignment {
        domain: &domain,
        organization,
        known: HashMap::new(),
        questions,
        uncertain: false,
    };
    let spf = Some(&results.spf).filter(|spf| spf.result == Outcome::Pass);
    let spf_aligned = match spf.and_then(|spf| spf.domain.as_ref()) {
        Some(domain) => alignment.holds(domain, record.strict_spf).await,
        None => false,
    };
    let mut dkim_aligned = false;
    for signer in results.signers() {
        dkim_aligned = dkim_aligned || alignment.holds(signer, record.strict_dkim).await;
    }
    // What could not be found out might have been in favour.
    let uncertain = alignment.uncertain
        || results.spf.result == Outcome::TempError
        || results.dkim.iter().any(|dkim| dkim.result == Outcome::TempError);
    Dmarc {
        result: match (spf_aligned || dkim_aligned, uncertain) {
            (true, _) => Outcome::Pass,
            (false, true) => Outcome::TempError,
            (false, false) => Outcome::Fail,
        },
        wish: if record.domain == domain {
            record.wish
        } else {
            record.subdomain_wish
        },
        from,
        record: Some(record.into()),
        spf_aligned,
        dkim_aligned,
    }
}

struct Alignment<'a> {
    domain: &'a DomainName,
    organization: DomainName,
    /// Organizations asked for already.
    known: HashMap<DomainName, DomainName>,
    questions: &'a Questions,
    uncertain: bool,
}

impl Alignment<'_> {
    async fn holds(&mut self, other: &DomainName, strict: bool) -> bool {
        if other == self.domain {
            return true;
        }
        // Below or beside the same top at the most: a walk is asked for only if it could say yes.
        if strict || !is_at_or_below(other, &self.organization) {
            return false;
        }
        if let Some(known) = self.known.get(other) {
            return *known == self.organization;
        }
        let Ok(walk) = Walk::from(other, self.questions).await else {
            self.uncertain = true;
            return false;
        };
        let organization = walk.organization();
        let same = organization == self.organization;
        self.known.insert(other.clone(), organization);
        same
    }
}

fn is_at_or_below(name: &DomainName, top: &DomainName) -> bool {
    name.as_str()
        .strip_suffix(top.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
