//! What may be asked of DNS for one message: until a moment, and no more than so often. What is not answered is a temporary failure.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use dns::{Dns, DnsError, Exchanger};
use shared::DomainName;
use tokio::time::{Instant, timeout_at};

/// Questions for one message, SPF, keys and policies together.
const QUESTIONS_MAX_COUNT: u32 = 120;

/// The two families of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    pub(crate) fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

#[derive(Debug)]
pub(crate) struct Questions {
    dns: Dns,
    deadline: Instant,
    asked: AtomicU32,
}

impl Questions {
    pub(crate) fn new(dns: &Dns, deadline: Instant) -> Self {
        Self {
            dns: dns.clone(),
            deadline,
            asked: AtomicU32::new(0),
        }
    }

    /// The TXT records of a name; none is an empty answer, also where the name does not exist.
    pub(crate) async fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, DnsError> {
        match self.ask(self.dns.txt(&lower(name))).await {
            Err(DnsError::NoSuchDomain) => Ok(Vec::new()),
            other => other,
        }
    }

    /// The addresses of one family.
    pub(crate) async fn addresses(&self, host: &str, family: Family) -> Result<Vec<IpAddr>, DnsError> {
        let host = lower(host);
        match family {
            Family::V4 => self.ask(self.dns.addresses_v4(&host)).await,
            Family::V6 => self.ask(self.dns.addresses_v6(&host)).await,
        }
    }

    pub(crate) async fn mx(&self, domain: &str) -> Result<Vec<Exchanger>, DnsError> {
        let domain = DomainName::parse(domain).map_err(|_| DnsError::NoSuchDomain)?;
        self.ask(self.dns.mx(&domain)).await
    }

    pub(crate) async fn names(&self, address: IpAddr) -> Result<Vec<String>, DnsError> {
        self.ask(self.dns.names(address)).await
    }

    async fn ask<T>(&self, question: impl Future<Output = Result<T, DnsError>>) -> Result<T, DnsError> {
        if self.asked.fetch_add(1, Ordering::Relaxed) >= QUESTIONS_MAX_COUNT {
            return Err(DnsError::Temporary("too many questions".to_owned()));
        }
        let late = || DnsError::Temporary("no answer in time".to_owned());
        timeout_at(self.deadline, question)
            .await
            .unwrap_or_else(|_| Err(late()))
    }
}

fn lower(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}
