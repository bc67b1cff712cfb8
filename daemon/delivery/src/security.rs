//! How a connection to a host is secured: what the way, DANE (RFC 7672) and MTA-STS (RFC 8461) ask for.
//!
//! DANE goes before MTA-STS: where signed records say which certificate is right, nothing else makes another one right (RFC 8461 §2). Neither is asked
//! where a route says what is to be done.
//!
//! Must not know: what is sent.

use std::sync::Arc;

use dns::{Dane, DnsError};
use events::Scope;
use events::kinds::delivery::DaneUnavailable;
use shared::DomainName;
use shared::route::RouteTls;
use tls::{DaneRecord, Trust};

use crate::Inner;
use crate::aggregate::{About, Finding, Flaw, Policy as Told};
use crate::sts::{Mode, Policy};
use crate::verdict::Verdict;
use crate::way::Way;

/// Whether TLS is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Want {
    Never,
    IfOffered,
    Must,
}

/// Who asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// Nobody.
    None,
    Route,
    /// A password is to be sent.
    Login,
    MtaSts,
    Dane,
}

impl Source {
    /// For events and the control protocol.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Route => "route",
            Self::Login => "login",
            Self::MtaSts => "mta-sts",
            Self::Dane => "dane",
        }
    }
}

/// What is asked of the certificate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Check {
    Nothing,
    /// It leads to a root and names the host.
    Roots,
    Records {
        records: Vec<Record>,
        names: Vec<String>,
    },
}

/// A usable TLSA record: usage, selector, matching type, data.
pub(crate) type Record = (u8, u8, u8, Vec<u8>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Security {
    pub(crate) want: Want,
    pub(crate) check: Check,
    /// Whether a certificate that does not hold ends the connection; else it is only noted.
    pub(crate) must_hold: bool,
    pub(crate) source: Source,
}

impl Security {
    pub(crate) const OPPORTUNISTIC: Self = Self {
        want: Want::IfOffered,
        check: Check::Nothing,
        must_hold: false,
        source: Source::None,
    };

    fn verified(source: Source) -> Self {
        Self {
            want: Want::Must,
            check: Check::Roots,
            must_hold: true,
            source,
        }
    }

    /// Nothing is said to a host that is not who it should be.
    pub(crate) fn is_verified(&self) -> bool {
        self.want == Want::Must && self.must_hold && self.check != Check::Nothing
    }

    pub(crate) fn trust(&self) -> Trust {
        match &self.check {
            Check::Nothing => Trust::Opportunistic,
            Check::Roots => Trust::Verified,
            Check::Records { records, names } => Trust::Dane {
                records: records.iter().map(dane_record).collect(),
                names: names.clone(),
            },
        }
    }

    /// As `route.test` shows it.
    pub(crate) fn word(&self) -> &'static str {
        match (self.want, self.source) {
            (Want::Never, _) => "none",
            (_, Source::Dane) => "dane",
            (_, Source::MtaSts) => "mta-sts",
            (Want::Must, _) => "verified",
            (Want::IfOffered, _) => "opportunistic",
        }
    }
}

fn dane_record((usage, selector, matching, data): &Record) -> DaneRecord {
    DaneRecord {
        usage: *usage,
        selector: *selector,
        matching: *matching,
        data: data.clone(),
    }
}

/// What holds for a host, and who is told how it ends.
pub(crate) struct Held {
    pub(crate) security: Security,
    pub(crate) about: Option<Arc<About>>,
}

impl From<Security> for Held {
    fn from(security: Security) -> Self {
        Self {
            security,
            about: None,
        }
    }
}

/// What a domain is told though there was no session.
pub(crate) type Findings = Vec<(About, Finding)>;

/// What is known of the domain whose exchangers are used.
pub(crate) struct Domain {
    name: DomainName,
    /// The hosts that signatures prove to take its mail; `None`: nobody signs there, or it was not looked for.
    signed: Option<Vec<String>>,
    policy: Option<Arc<Policy>>,
    /// It is told how sessions end.
    told: bool,
}

impl Domain {
    /// Asks the DNS, and the domain's web server for its policy.
    pub(crate) async fn ask(
        inner: &Inner,
        way: &Way,
        name: &DomainName,
        findings: &mut Findings,
    ) -> Result<Self, Verdict> {
        // RFC 8689 §5: who does not care for security is not asked about it, and what comes of that is nobody's failure.
        let asked = way.tls == RouteTls::Opportunistic && way.login.is_none() && !way.relaxed;
        let told = (asked || (way.tls == RouteTls::Dane && !way.relaxed)) && inner.reports_tls();
        let signed = if way.tls == RouteTls::Dane || (asked && uses_dane(inner).await) {
            let signed = inner.parts.dns.signed_exchangers(name).await;
            // RFC 7672 §2.1.2: what should be signed and is not must not be believed.
            signed.or_else(|error| match error {
                DnsError::NoSuchDomain => Ok(None),
                DnsError::Temporary(reason) => {
                    if told {
                        let about = About {
                            to: name.clone(),
                            policy: Told::tlsa(name.as_str(), std::iter::empty()),
                        };
                        findings.push((about, Finding::new(Flaw::DnssecInvalid, "mx", "")));
                    }
                    Err(unproved(name.as_str(), &reason))
                }
            })?
        } else {
            None
        };
        let settings = inner.parts.directory.settings();
        let mut domain = Self {
            name: name.clone(),
            signed,
            policy: None,
            told,
        };
        if asked && settings.flag("outgoing.mta-sts") {
            let (policy, flaw) = inner.sts.policy(inner, name).await;
            if let Some((flaw, reason)) = flaw {
                let policy = Told::sts(name, Vec::new(), &[]);
                domain.tell(policy, Finding::new(flaw, reason, ""), findings);
            }
            domain.policy = policy;
        }
        Ok(domain)
    }

    fn tell(&self, policy: Told, finding: Finding, findings: &mut Findings) {
        findings.extend(self.about(policy).map(|about| (about, finding)));
    }

    fn about(&self, policy: Told) -> Option<About> {
        self.told.then(|| About {
            to: self.name.clone(),
            policy,
        })
    }

    /// A host of it, held to that.
    fn held(&self, security: Security, policy: Told) -> Held {
        Held {
            security,
            about: self.about(policy).map(Arc::new),
        }
    }
}

/// What holds for a host. `here`: it is this machine. `Err`: it must not be used.
pub(crate) async fn of(
    inner: &Inner,
    way: &Way,
    domain: Option<&Domain>,
    (host, port): (&str, u16),
    here: bool,
    findings: &mut Findings,
) -> Result<Held, Verdict> {
    // The hosts were asked for without proof; what is proved is more.
    if let Some((domain, hosts)) = domain.and_then(|domain| Some((domain, domain.signed.as_ref()?)))
        && !hosts.contains(&host.to_ascii_lowercase())
    {
        let finding = Finding::new(Flaw::DnssecInvalid, "mx", host);
        domain.tell(
            Told::tlsa(domain.name.as_str(), std::iter::empty()),
            finding,
            findings,
        );
        return Err(unproved(host, "the domain's signed records do not name it"));
    }
    match way.tls {
        RouteTls::None => {
            let security = Security {
                want: Want::Never,
                ..Security::OPPORTUNISTIC
            };
            return Ok(security.into());
        }
        RouteTls::Verified => return Ok(Security::verified(Source::Route).into()),
        RouteTls::Dane => {
            let signed = domain.is_none_or(|domain| domain.signed.is_some());
            let found = if signed {
                dane(inner, domain, (host, port), findings).await?
            } else {
                None
            };
            let found = found.filter(|held| held.security.is_verified());
            if let (None, Some(domain)) = (&found, domain) {
                let finding = Finding::new(Flaw::DaneRequired, "", host);
                domain.tell(Told::none(&domain.name), finding, findings);
            }
            return found.ok_or_else(|| unproved(host, "there are no records to verify it by"));
        }
        RouteTls::Opportunistic => {}
    }
    // Over a network, a password goes to nobody but who it is for.
    if way.login.is_some() && !here {
        return Ok(Security::verified(Source::Login).into());
    }
    let Some(domain) = domain else {
        return Ok(Security::OPPORTUNISTIC.into());
    };
    if domain.signed.is_some()
        && let Some(held) = dane(inner, Some(domain), (host, port), findings).await?
    {
        return Ok(held);
    }
    let Some(policy) = &domain.policy else {
        return Ok(domain.held(Security::OPPORTUNISTIC, Told::none(&domain.name)));
    };
    by_policy(domain, policy, host, findings)
}

/// What the domain's policy (MTA-STS) asks for.
fn by_policy(domain: &Domain, policy: &Policy, host: &str, findings: &mut Findings) -> Result<Held, Verdict> {
    let told = policy.told(&domain.name);
    let named = policy.names(host) || policy.mode == Mode::None;
    if !named {
        let finding = Finding::new(Flaw::ValidationFailure, "host-not-in-policy", host);
        domain.tell(told.clone(), finding, findings);
    }
    let testing = Security {
        check: Check::Roots,
        source: Source::MtaSts,
        ..Security::OPPORTUNISTIC
    };
    match policy.mode {
        Mode::Enforce if named => Ok(domain.held(Security::verified(Source::MtaSts), told)),
        // RFC 8461 §5: such a host is no exchanger of the domain.
        Mode::Enforce => Err(Verdict::PutOff {
            host: Some(host.to_owned()),
            reply: format!(
                "451 4.7.5 {host}: the policy of {} does not name the host",
                domain.name
            ),
        }),
        Mode::Testing if named => Ok(domain.held(testing, told)),
        // Told already.
        Mode::Testing => Ok(testing.into()),
        Mode::None => Ok(domain.held(Security::OPPORTUNISTIC, told)),
    }
}

/// What the host's TLSA records ask for; `None`: there are none.
async fn dane(
    inner: &Inner,
    domain: Option<&Domain>,
    (host, port): (&str, u16),
    findings: &mut Findings,
) -> Result<Option<Held>, Verdict> {
    let records = match inner.parts.dns.dane(host, port).await {
        Ok(Dane::Records(records)) => records,
        Ok(Dane::None) | Err(DnsError::NoSuchDomain) => return Ok(None),
        Err(DnsError::Temporary(reason)) => {
            if let Some(domain) = domain {
                let finding = Finding::new(Flaw::DnssecInvalid, "tlsa", host);
                domain.tell(Told::tlsa(host, std::iter::empty()), finding, findings);
            }
            return Err(unproved(host, &reason));
        }
    };
    let records: Vec<Record> = records
        .into_iter()
        .map(|record| (record.usage, record.selector, record.matching, record.data))
        .collect();
    let told = records
        .iter()
        .map(|(usage, selector, matching, data)| (*usage, *selector, *matching, data.as_slice()));
    let told = Told::tlsa(host, told);
    let mut usable = records;
    usable.retain(|record| dane_record(record).is_usable());
    // RFC 7672 §2.2: records that say nothing to us still say that there is TLS.
    let (check, must_hold) = if usable.is_empty() {
        (Check::Nothing, false)
    } else {
        // RFC 7672 §3.1.2: the name may be that of the domain as well.
        let names = domain.iter().map(|domain| domain.name.to_string()).collect();
        (
            Check::Records {
                records: usable,
                names,
            },
            true,
        )
    };
    let security = Security {
        want: Want::Must,
        check,
        must_hold,
        source: Source::Dane,
    };
    Ok(Some(match domain {
        Some(domain) => domain.held(security, told),
        None => security.into(),
    }))
}

/// Whether DANE is on, and can be used at all.
async fn uses_dane(inner: &Inner) -> bool {
    if !inner.parts.directory.settings().flag("outgoing.dane") {
        return false;
    }
    let reason = inner.parts.dns.cannot_validate().await;
    let mut told = inner.dane_trouble.lock();
    if *told != reason {
        told.clone_from(&reason);
        if let Some(reason) = reason.clone() {
            drop(told);
            inner
                .parts
                .events
                .emit(Scope::default(), DaneUnavailable { reason });
        }
    }
    reason.is_none()
}

fn unproved(name: &str, reason: &str) -> Verdict {
    Verdict::PutOff {
        host: Some(name.to_owned()),
        reply: format!("451 4.7.5 {name}: {reason}"),
    }
}
