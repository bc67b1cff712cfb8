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

/// What is known of the domain whose exchangers are used.
pub(crate) struct Domain {
    name: DomainName,
    /// Its exchangers are proved by signatures.
    signed: bool,
    policy: Option<Arc<Policy>>,
}

impl Domain {
    /// Asks the DNS, and the domain's web server for its policy.
    pub(crate) async fn ask(inner: &Inner, way: &Way, name: &DomainName) -> Result<Self, Verdict> {
        let asked = way.tls == RouteTls::Opportunistic && way.login.is_none();
        let signed = if way.tls == RouteTls::Dane || (asked && uses_dane(inner).await) {
            let signed = inner.parts.dns.is_secure(name).await;
            // RFC 7672 §2.1.2: what should be signed and is not must not be believed.
            signed.or_else(|error| match error {
                DnsError::NoSuchDomain => Ok(false),
                DnsError::Temporary(reason) => Err(unproved(name.as_str(), &reason)),
            })?
        } else {
            false
        };
        let settings = inner.parts.directory.settings();
        let policy = if asked && settings.flag("outgoing.mta-sts") {
            inner.sts.policy(inner, name).await
        } else {
            None
        };
        Ok(Self {
            name: name.clone(),
            signed,
            policy,
        })
    }
}

/// What holds for a host. `here`: it is this machine. `Err`: it must not be used.
pub(crate) async fn of(
    inner: &Inner,
    way: &Way,
    domain: Option<&Domain>,
    (host, port): (&str, u16),
    here: bool,
) -> Result<Security, Verdict> {
    match way.tls {
        RouteTls::None => {
            return Ok(Security {
                want: Want::Never,
                ..Security::OPPORTUNISTIC
            });
        }
        RouteTls::Verified => return Ok(Security::verified(Source::Route)),
        RouteTls::Dane => {
            let signed = domain.is_none_or(|domain| domain.signed);
            let found = if signed {
                dane(inner, domain, host, port).await?
            } else {
                None
            };
            let found = found.filter(Security::is_verified);
            return found.ok_or_else(|| unproved(host, "there are no records to verify it by"));
        }
        RouteTls::Opportunistic => {}
    }
    // Over a network, a password goes to nobody but who it is for.
    if way.login.is_some() && !here {
        return Ok(Security::verified(Source::Login));
    }
    let Some(domain) = domain else {
        return Ok(Security::OPPORTUNISTIC);
    };
    if domain.signed
        && let Some(security) = dane(inner, Some(domain), host, port).await?
    {
        return Ok(security);
    }
    let Some(policy) = &domain.policy else {
        return Ok(Security::OPPORTUNISTIC);
    };
    let named = policy.names(host);
    match policy.mode {
        Mode::Enforce if named => Ok(Security::verified(Source::MtaSts)),
        // RFC 8461 §5: such a host is no exchanger of the domain.
        Mode::Enforce => Err(Verdict::PutOff {
            host: Some(host.to_owned()),
            reply: format!(
                "451 4.7.5 {host}: the policy of {} does not name the host",
                domain.name
            ),
        }),
        Mode::Testing => Ok(Security {
            check: Check::Roots,
            source: Source::MtaSts,
            ..Security::OPPORTUNISTIC
        }),
        Mode::None => Ok(Security::OPPORTUNISTIC),
    }
}

/// What the host's TLSA records ask for; `None`: there are none.
async fn dane(
    inner: &Inner,
    domain: Option<&Domain>,
    host: &str,
    port: u16,
) -> Result<Option<Security>, Verdict> {
    let records = match inner.parts.dns.dane(host, port).await {
        Ok(Dane::Records(records)) => records,
        Ok(Dane::None) | Err(DnsError::NoSuchDomain) => return Ok(None),
        Err(DnsError::Temporary(reason)) => return Err(unproved(host, &reason)),
    };
    let usable: Vec<Record> = records
        .into_iter()
        .map(|record| (record.usage, record.selector, record.matching, record.data))
        .filter(|record| dane_record(record).is_usable())
        .collect();
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
    Ok(Some(Security {
        want: Want::Must,
        check,
        must_hold,
        source: Source::Dane,
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
