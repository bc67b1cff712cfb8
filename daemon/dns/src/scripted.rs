//! A resolver that answers from a table.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use crate::{Dane, DnsError, Exchanger, Tlsa};

/// The table. What it does not hold does not exist, unless it is [`Scripted::unreachable`].
#[derive(Clone, Debug, Default)]
pub struct Scripted {
    mx: HashMap<String, Vec<Exchanger>>,
    addresses: HashMap<String, Vec<IpAddr>>,
    txt: HashMap<String, Vec<Vec<u8>>>,
    tlsa: HashMap<String, Vec<Tlsa>>,
    /// Names whose answers are signed.
    secure: HashSet<String>,
    /// Exchangers that signatures name, where the answer without proof names others.
    proved: HashMap<String, Vec<String>>,
    /// What addresses say they are called; the others have the names that know them.
    names: HashMap<IpAddr, Vec<String>>,
    failing: HashSet<String>,
    unreachable: bool,
}

impl Scripted {
    pub fn new() -> Self {
        Self::default()
    }

    /// A resolver without a network: every question fails for now.
    pub fn unreachable() -> Self {
        Self {
            unreachable: true,
            ..Self::default()
        }
    }

    /// An MX record; the host `""` is the null MX.
    pub fn with_mx(mut self, domain: &str, preference: u16, host: &str) -> Self {
        self.mx.entry(domain.to_owned()).or_default().push(Exchanger {
            preference,
            host: host.to_owned(),
        });
        self
    }

    /// Somebody forges the exchangers of a domain that signs them: this is the one that is proved.
    pub fn with_proved_exchanger(mut self, domain: &str, host: &str) -> Self {
        let hosts = self.proved.entry(domain.to_owned()).or_default();
        hosts.push(host.to_owned());
        self
    }

    pub fn with_address(mut self, host: &str, address: IpAddr) -> Self {
        self.addresses.entry(host.to_owned()).or_default().push(address);
        self
    }

    pub fn with_txt(mut self, name: &str, text: &str) -> Self {
        self.txt
            .entry(name.to_owned())
            .or_default()
            .push(text.as_bytes().to_vec());
        self
    }

    /// A TLSA record of a host, whose answers are signed then.
    pub fn with_tlsa(mut self, host: &str, port: u16, record: Tlsa) -> Self {
        self.secure.insert(host.to_owned());
        let name = format!("_{port}._tcp.{host}");
        self.tlsa.entry(name).or_default().push(record);
        self
    }

    /// Answers about this name are signed.
    pub fn with_secure(mut self, name: &str) -> Self {
        self.secure.insert(name.to_owned());
        self
    }

    /// A PTR record, which nobody vouches for.
    pub fn with_name(mut self, address: IpAddr, name: &str) -> Self {
        self.names.entry(address).or_default().push(name.to_owned());
        self
    }

    /// Questions about this name fail for now.
    pub fn with_failure(mut self, name: &str) -> Self {
        self.failing.insert(name.to_owned());
        self
    }

    pub(crate) fn mx(&self, domain: &str) -> Result<Vec<Exchanger>, DnsError> {
        self.answer(&self.mx, domain)
    }

    pub(crate) fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsError> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        self.answer(&self.addresses, host)
    }

    pub(crate) fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, DnsError> {
        self.answer(&self.txt, name)
    }

    pub(crate) fn names(&self, address: IpAddr) -> Result<Vec<String>, DnsError> {
        let known = self
            .addresses
            .iter()
            .filter(|(_, addresses)| addresses.contains(&address));
        let names = match self.names.get(&address) {
            Some(names) => names.clone(),
            None => known.map(|(name, _)| name.clone()).collect(),
        };
        match () {
            () if self.unreachable => Err(DnsError::Temporary("no network".to_owned())),
            () if names.is_empty() => Err(DnsError::NoSuchDomain),
            () => Ok(names),
        }
    }

    pub(crate) fn signed_exchangers(&self, domain: &str) -> Result<Option<Vec<String>>, DnsError> {
        let known = match self.mx(domain) {
            Ok(known) => known,
            Err(DnsError::NoSuchDomain) => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut hosts = self.proved.get(domain).cloned().unwrap_or_default();
        if hosts.is_empty() {
            hosts.extend(known.into_iter().map(|exchanger| exchanger.host));
        }
        if hosts.is_empty() {
            hosts.push(domain.to_owned());
        }
        Ok(self.secure.contains(domain).then_some(hosts))
    }

    pub(crate) fn dane(&self, host: &str, port: u16) -> Result<Dane, DnsError> {
        if !self.secure.contains(host) {
            return Ok(Dane::None);
        }
        match self.answer(&self.tlsa, &format!("_{port}._tcp.{host}")) {
            Ok(records) if !records.is_empty() => Ok(Dane::Records(records)),
            Ok(_) | Err(DnsError::NoSuchDomain) => Ok(Dane::None),
            Err(error) => Err(error),
        }
    }

    fn answer<T: Clone>(&self, table: &HashMap<String, Vec<T>>, name: &str) -> Result<Vec<T>, DnsError> {
        if self.unreachable || self.failing.contains(name) {
            return Err(DnsError::Temporary("no network".to_owned()));
        }
        let exists =
            self.mx.contains_key(name) || self.addresses.contains_key(name) || self.txt.contains_key(name);
        match table.get(name) {
            Some(found) => Ok(found.clone()),
            None if exists => Ok(Vec::new()),
            None => Err(DnsError::NoSuchDomain),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use shared::DomainName;

    use super::*;
    use crate::{Config, Dns, Exchange};

    fn domain(name: &str) -> DomainName {
        DomainName::parse(name).unwrap()
    }

    #[tokio::test]
    async fn a_domain_leads_to_its_exchangers_to_itself_or_nowhere() {
        let local: IpAddr = "127.0.0.1".parse().unwrap();
        let table = Scripted::new()
            .with_mx("two.test", 20, "second.two.test")
            .with_mx("two.test", 10, "first.two.test")
            .with_mx("null.test", 0, "")
            .with_address("implicit.test", local)
            .with_failure("down.test");
        let dns = Dns::scripted(table);
        let hosts = |names: &[(u16, &str)]| {
            let exchanger = |(preference, host): &(u16, &str)| Exchanger {
                preference: *preference,
                host: (*host).to_owned(),
            };
            Ok(Exchange::Hosts(names.iter().map(exchanger).collect()))
        };
        for (name, expected) in [
            (
                "two.test",
                hosts(&[(10, "first.two.test"), (20, "second.two.test")]),
            ),
            ("null.test", Ok(Exchange::Null)),
            ("implicit.test", hosts(&[(0, "implicit.test")])),
            ("down.test", Err(DnsError::Temporary("no network".to_owned()))),
            ("nowhere.test", Err(DnsError::NoSuchDomain)),
        ] {
            assert_eq!(dns.exchange(&domain(name)).await, expected, "{name}");
        }
    }

    #[tokio::test]
    async fn address_families_take_turns() {
        let addresses: Vec<IpAddr> = ["10.0.0.1", "10.0.0.2", "::1"]
            .iter()
            .map(|a| a.parse().unwrap())
            .collect();
        let table = addresses.iter().fold(Scripted::new(), |table, address| {
            table.with_address("h.test", *address)
        });
        let expected = ["::1", "10.0.0.1", "10.0.0.2"].map(|a| a.parse::<IpAddr>().unwrap());
        assert_eq!(Dns::scripted(table).addresses("h.test").await.unwrap(), expected);
    }

    /// Mail would be bounced as soon as the network is away.
    #[tokio::test]
    async fn servers_that_do_not_answer_are_a_temporary_failure() {
        // Nobody listens on a port that was just given back.
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let servers = vec![socket.local_addr().unwrap()];
        drop(socket);
        let overrides = BTreeMap::from([(domain("remote.test"), "127.0.0.1:2600".parse().unwrap())]);
        let dns = Dns::new(&Config {
            servers,
            timeout_ms: Some(20),
            overrides,
            trust_anchor: None,
        });
        assert!(matches!(
            dns.exchange(&domain("example.test")).await,
            Err(DnsError::Temporary(_))
        ));
        assert!(matches!(
            dns.addresses("example.test").await,
            Err(DnsError::Temporary(_))
        ));
        // What can't be asked proves nothing, and is no leave to go on without proof.
        assert!(dns.dane("example.test", 25).await.is_err());
        assert!(dns.signed_exchangers(&domain("example.test")).await.is_err());
        assert!(dns.cannot_validate().await.is_none());
        assert_eq!(dns.route(&domain("remote.test")).unwrap().port(), 2600);
    }
}
