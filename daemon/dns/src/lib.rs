//! Resolving names: where mail for a domain goes, and the addresses of hosts.
//!
//! "There is none" and "nobody could be asked" are different answers: [`DnsError::Temporary`] is never taken for a no. A machine without a network
//! has a resolver that always answers so. Answers are cached by hickory, by their own lifetimes.
//!
//! What DANE rests on ([`Dns::dane`], [`Dns::signed_exchangers`]) is asked through a second resolver that validates DNSSEC itself, from the root's key on:
//! no name server is believed to have done so.
//!
//! Must not know: what the answers are used for.

mod scripted;
mod secure;
mod system;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::DomainName;

pub use scripted::Scripted;
use system::System;

/// Mail exchangers of one domain that are looked at.
pub const EXCHANGERS_MAX_COUNT: usize = 50;
/// Addresses of one host that are looked at.
pub const ADDRESSES_MAX_COUNT: usize = 20;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// The name does not exist.
    #[error("no such domain")]
    NoSuchDomain,
    /// Nobody could be asked, or nobody knew: ask again later.
    #[error("DNS can't answer now: {0}")]
    Temporary(String),
}

/// Who takes mail for a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// Best first; hosts of the same preference in a random order (RFC 5321 §5.1). A domain without exchangers is its own (the implicit MX).
    Hosts(Vec<Exchanger>),
    /// The domain takes no mail (RFC 7505).
    Null,
}

/// A host that takes mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchanger {
    pub preference: u16,
    /// In lower case, without a final dot.
    pub host: String,
}

/// A TLSA record (RFC 6698 §2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tlsa {
    pub usage: u8,
    pub selector: u8,
    pub matching: u8,
    pub data: Vec<u8>,
}

/// What signed answers say of a host's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dane {
    /// Nothing: its zone or its addresses are not signed, or it is proved that there are no records.
    None,
    Records(Vec<Tlsa>),
}

/// The part of `batpost.toml` that this room knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Name servers to ask instead of the system's.
    pub servers: Vec<SocketAddr>,
    /// Milliseconds that a server is waited for; 5,000 if not set.
    pub timeout_ms: Option<u64>,
    /// Where mail for a domain goes, whatever DNS says: `"remote.test" = "127.0.0.1:2600"`.
    pub overrides: BTreeMap<DomainName, SocketAddr>,
    /// A file with the keys that DNSSEC begins with (DNSKEY records), instead of the root's: for a house with a root of its own.
    pub trust_anchor: Option<PathBuf>,
}

/// The resolver. Cheap to clone.
#[derive(Clone)]
pub struct Dns {
    source: Source,
    overrides: Arc<BTreeMap<DomainName, SocketAddr>>,
}

impl std::fmt::Debug for Dns {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Dns").finish_non_exhaustive()
    }
}

#[derive(Clone)]
enum Source {
    System(Box<System>),
    Scripted(Arc<Scripted>),
    /// There is no resolver; the reason.
    None(Arc<str>),
}

impl Dns {
    /// The system's resolver, or the named servers. Never fails: without either every question has a temporary failure.
    pub fn new(config: &Config) -> Self {
        let source = match System::new(config) {
            Ok(system) => Source::System(Box::new(system)),
            Err(reason) => Source::None(reason.into()),
        };
        Self {
            source,
            overrides: Arc::new(config.overrides.clone()),
        }
    }

    /// Answers from a table: tests and the demonstration.
    pub fn scripted(table: Scripted) -> Self {
        Self {
            source: Source::Scripted(Arc::new(table)),
            overrides: Arc::default(),
        }
    }

    /// Adds overrides.
    pub fn with_overrides(mut self, overrides: BTreeMap<DomainName, SocketAddr>) -> Self {
        self.overrides = Arc::new(overrides);
        self
    }

    /// Where the configuration sends mail for a domain, whatever DNS says.
    pub fn route(&self, domain: &DomainName) -> Option<SocketAddr> {
        self.overrides.get(domain).copied()
    }

    /// Who takes mail for a domain (RFC 5321 §5.1).
    pub async fn exchange(&self, domain: &DomainName) -> Result<Exchange, DnsError> {
        let mut found = self.mx(domain).await?;
        if let [only] = found.as_slice()
            && only.host.is_empty()
        {
            return Ok(Exchange::Null);
        }
        found.retain(|exchanger| !exchanger.host.is_empty());
        if found.is_empty() {
            found.push(Exchanger {
                preference: 0,
                host: domain.as_str().to_owned(),
            });
        }
        let mut keyed: Vec<_> = found
            .into_iter()
            .map(|exchanger| (exchanger.preference, random(), exchanger))
            .collect();
        keyed.sort_by_key(|(preference, random, _)| (*preference, *random));
        keyed.truncate(EXCHANGERS_MAX_COUNT);
        Ok(Exchange::Hosts(
            keyed.into_iter().map(|(_, _, exchanger)| exchanger).collect(),
        ))
    }

    /// The MX records of a domain as they are; none is an empty answer. The null MX is an empty host.
    pub async fn mx(&self, domain: &DomainName) -> Result<Vec<Exchanger>, DnsError> {
        match &self.source {
            Source::System(system) => system.mx(domain.as_str()).await,
            Source::Scripted(table) => table.mx(domain.as_str()),
            Source::None(reason) => Err(DnsError::Temporary(reason.to_string())),
        }
    }

    /// The addresses of a host, IPv6 and IPv4 by turns so that a broken family costs one try; none is an empty answer.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsError> {
        let found = match &self.source {
            Source::System(system) => system.addresses(host).await?,
            Source::Scripted(table) => table.addresses(host)?,
            Source::None(reason) => return Err(DnsError::Temporary(reason.to_string())),
        };
        let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) = found.into_iter().partition(IpAddr::is_ipv4);
        let (mut v4, mut v6) = (v4.into_iter(), v6.into_iter());
        let mut out = Vec::new();
        while out.len() < ADDRESSES_MAX_COUNT {
            let (six, four) = (v6.next(), v4.next());
            if six.is_none() && four.is_none() {
                break;
            }
            out.extend(six.into_iter().chain(four));
        }
        Ok(out)
    }

    /// The IPv4 addresses of a host alone, all that the answer holds; none is an empty answer.
    pub async fn addresses_v4(&self, host: &str) -> Result<Vec<IpAddr>, DnsError> {
        self.family(host, false).await
    }

    /// The IPv6 addresses of a host alone.
    pub async fn addresses_v6(&self, host: &str) -> Result<Vec<IpAddr>, DnsError> {
        self.family(host, true).await
    }

    async fn family(&self, host: &str, v6: bool) -> Result<Vec<IpAddr>, DnsError> {
        let mut found = match &self.source {
            Source::System(system) => system.family(host, v6).await?,
            Source::Scripted(table) => table.addresses(host)?,
            Source::None(reason) => return Err(DnsError::Temporary(reason.to_string())),
        };
        found.retain(|address| address.is_ipv6() == v6);
        Ok(found)
    }

    /// The TXT records of a name, each with its strings put together; none is an empty answer.
    pub async fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, DnsError> {
        match &self.source {
            Source::System(system) => system.txt(name).await,
            Source::Scripted(table) => table.txt(name),
            Source::None(reason) => Err(DnsError::Temporary(reason.to_string())),
        }
    }

    /// The same, asked anew whatever was answered before: for a record that is waited for.
    pub async fn txt_now(&self, name: &str) -> Result<Vec<Vec<u8>>, DnsError> {
        match &self.source {
            Source::System(system) => system.txt_now(name).await,
            _ => self.txt(name).await,
        }
    }

    /// What signed answers say of the certificate of that host on that port (RFC 7672 §2.2). An answer that should be signed and is not, or that can't
    /// be had, is [`DnsError::Temporary`]: the host must not be used now.
    pub async fn dane(&self, host: &str, port: u16) -> Result<Dane, DnsError> {
        match &self.source {
            Source::System(system) => system.secure.dane(host, port).await,
            Source::Scripted(table) => table.dane(host, port),
            Source::None(reason) => Err(DnsError::Temporary(reason.to_string())),
        }
    }

    /// The hosts that signatures prove to take the mail of a domain (RFC 7672 §2.2.1), in lower case; the domain itself if it is proved to name
    /// none. `None`: it is proved that nobody signs there. [`Dns::exchange`] asks without proof: whoever answered it may have named others.
    pub async fn signed_exchangers(&self, domain: &DomainName) -> Result<Option<Vec<String>>, DnsError> {
        match &self.source {
            Source::System(system) => system.secure.mx(domain.as_str()).await,
            Source::Scripted(table) => table.signed_exchangers(domain.as_str()),
            Source::None(reason) => Err(DnsError::Temporary(reason.to_string())),
        }
    }

    /// Why nothing can be proved now, if that is so: the name servers keep the signatures from us, or can't be asked.
    pub async fn cannot_validate(&self) -> Option<String> {
        match &self.source {
            Source::System(system) => system.secure.cannot_validate().await,
            Source::Scripted(_) => None,
            Source::None(reason) => Some(reason.to_string()),
        }
    }

    /// The names that an address says it has; nobody vouches for them.
    pub async fn names(&self, address: IpAddr) -> Result<Vec<String>, DnsError> {
        match &self.source {
            Source::System(system) => system.names(address).await,
            Source::Scripted(table) => table.names(address),
            Source::None(reason) => Err(DnsError::Temporary(reason.to_string())),
        }
    }
}

/// Good enough to spread load.
fn random() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}
