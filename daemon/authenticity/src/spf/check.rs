//! check_host (RFC 7208 §4).

use std::net::IpAddr;

use dns::DnsError;
use shared::{Address, DomainName};

use super::macros::{Macros, Values};
use super::record::{Directive, Lengths, Mechanism, Record, is_record};
use crate::questions::{Family, Questions};
use crate::results::{Outcome, Spf};

/// Terms of all records together that ask DNS (§4.6.4).
const LOOKUPS_MAX_COUNT: u32 = 10;
/// Questions without an answer (§4.6.4).
const VOID_LOOKUPS_MAX_COUNT: u32 = 2;
/// Exchangers of one `mx`, names of one `ptr` (§4.6.4).
const NAMES_MAX_COUNT: usize = 10;

/// Asks about the domain of the reverse-path, or of EHLO where that is empty (§2.4).
pub(crate) async fn check(peer: IpAddr, helo: &str, sender: Option<&Address>, questions: &Questions) -> Spf {
    let peer = peer.to_canonical();
    let domain = match sender {
        Some(sender) => Some(sender.domain().clone()),
        // An address literal is no domain (§2.3).
        None => DomainName::parse(helo)
            .ok()
            .filter(|name| name.as_str().contains('.')),
    };
    let Some(domain) = domain else {
        return Spf::default();
    };
    let identity = match sender {
        Some(sender) => format!("{}@{domain}", sender.local()),
        None => format!("postmaster@{domain}"),
    };
    let mut evaluation = Evaluation {
        peer,
        helo,
        sender: &identity,
        questions,
        lookups: 0,
        voids: 0,
        name: None,
    };
    let result = match evaluation.host(domain.as_str()).await {
        Ok(result) | Err(result) => result,
    };
    Spf {
        result,
        domain: Some(domain),
        sender: sender.cloned(),
    }
}

struct Evaluation<'a> {
    peer: IpAddr,
    helo: &'a str,
    sender: &'a str,
    questions: &'a Questions,
    lookups: u32,
    voids: u32,
    /// The peer's confirmed name, once it was wanted.
    name: Option<String>,
}

/// An error ends the whole evaluation with that result.
type Evaluated<T> = Result<T, Outcome>;

impl Evaluation<'_> {
    async fn host(&mut self, domain: &str) -> Evaluated<Outcome> {
        // §4.3: a name that can't be asked about has no policy.
        if DomainName::parse(domain).is_err() || !domain.contains('.') {
            return Ok(Outcome::None);
        }
        let texts = match self.questions.txt(domain).await {
            Ok(texts) => texts,
            Err(DnsError::NoSuchDomain) => return Ok(Outcome::None),
            Err(DnsError::Temporary(_)) => return Err(Outcome::TempError),
        };
        let mut records = texts.iter().filter(|text| is_record(text));
        let Some(text) = records.next() else {
            return Ok(Outcome::None);
        };
        // §4.5
        if records.next().is_some() {
            return Err(Outcome::PermError);
        }
        let record = Record::parse(text).ok_or(Outcome::PermError)?;
        for Directive { result, mechanism } in &record.directives {
            if self.matches(mechanism, domain).await? {
                return Ok(*result);
            }
        }
        let Some(redirect) = &record.redirect else {
            return Ok(Outcome::Neutral);
        };
        self.count()?;
        let target = self.expand(redirect, domain).await?;
        // §6.1
        match Box::pin(self.host(&target)).await? {
            Outcome::None => Err(Outcome::PermError),
            other => Ok(other),
        }
    }

    async fn matches(&mut self, mechanism: &Mechanism, domain: &str) -> Evaluated<bool> {
        match mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Ip4(address, length) => Ok(agrees(self.peer, (*address).into(), *length)),
            Mechanism::Ip6(address, length) => Ok(agrees(self.peer, (*address).into(), *length)),
            Mechanism::Include(target) => {
                self.count()?;
                let target = self.expand(target, domain).await?;
                // §5.2
                match Box::pin(self.host(&target)).await? {
                    Outcome::Pass => Ok(true),
                    Outcome::None => Err(Outcome::PermError),
                    _ => Ok(false),
                }
            }
            Mechanism::A(target, lengths) => {
                self.count()?;
                let target = self.target(target.as_ref(), domain).await?;
                let found = self.addresses(&target, Family::of(self.peer), true).await?;
                Ok(self.any(&found, *lengths))
            }
            Mechanism::Mx(target, lengths) => {
                self.count()?;
                let target = self.target(target.as_ref(), domain).await?;
                self.exchangers(&target, *lengths).await
            }
            Mechanism::Exists(target) => {
                self.count()?;
                let target = self.expand(target, domain).await?;
                // §5.7: always A.
                Ok(!self.addresses(&target, Family::V4, true).await?.is_empty())
            }
            Mechanism::Ptr(target) => {
                self.count()?;
                let target = self.target(target.as_ref(), domain).await?;
                let names = self.names().await;
                Ok(names.iter().any(|name| is_at_or_below(name, &target)))
            }
        }
    }

    async fn exchangers(&mut self, target: &str, lengths: Lengths) -> Evaluated<bool> {
        let found = match self.questions.mx(target).await {
            Ok(found) => found,
            Err(DnsError::NoSuchDomain) => Vec::new(),
            Err(DnsError::Temporary(_)) => return Err(Outcome::TempError),
        };
        if found.is_empty() {
            self.count_void()?;
        }
        // §4.6.4
        if found.len() > NAMES_MAX_COUNT {
            return Err(Outcome::PermError);
        }
        for exchanger in found.iter().filter(|exchanger| !exchanger.host.is_empty()) {
            let family = Family::of(self.peer);
            let addresses = self.addresses(&exchanger.host, family, false).await?;
            if self.any(&addresses, lengths) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The peer's names that know its address (§5.5). What can't be found out is no name.
    async fn names(&mut self) -> Vec<String> {
        let found = self.questions.names(self.peer).await.unwrap_or_default();
        let mut names = Vec::new();
        for name in found.into_iter().take(NAMES_MAX_COUNT) {
            let addresses = self.questions.addresses(&name, Family::of(self.peer)).await;
            if addresses.is_ok_and(|addresses| addresses.contains(&self.peer)) {
                names.push(name.trim_end_matches('.').to_ascii_lowercase());
            }
        }
        names
    }

    /// §7.3 `p`
    async fn name(&mut self, domain: &str) -> String {
        if let Some(name) = &self.name {
            return name.clone();
        }
        let names = self.names().await;
        let best = names
            .iter()
            .find(|name| name.eq_ignore_ascii_case(domain))
            .or_else(|| names.iter().find(|name| is_at_or_below(name, domain)))
            .or(names.first());
        let name = best.cloned().unwrap_or_else(|| "unknown".to_owned());
        self.name.insert(name).clone()
    }

    async fn target(&mut self, target: Option<&Macros>, domain: &str) -> Evaluated<String> {
        match target {
            Some(target) => self.expand(target, domain).await,
            None => Ok(domain.to_owned()),
        }
    }

    async fn expand(&mut self, target: &Macros, domain: &str) -> Evaluated<String> {
        let name = if target.needs_name() {
            self.name(domain).await
        } else {
            String::new()
        };
        Ok(target.expand(&Values {
            sender: self.sender,
            domain,
            peer: self.peer,
            helo: self.helo,
            name: &name,
        }))
    }

    async fn addresses(&mut self, host: &str, family: Family, counts: bool) -> Evaluated<Vec<IpAddr>> {
        let found = match self.questions.addresses(host, family).await {
            Ok(found) => found,
            Err(DnsError::NoSuchDomain) => Vec::new(),
            Err(DnsError::Temporary(_)) => return Err(Outcome::TempError),
        };
        if found.is_empty() && counts {
            self.count_void()?;
        }
        Ok(found)
    }

    fn any(&self, addresses: &[IpAddr], lengths: Lengths) -> bool {
        addresses.iter().any(|address| {
            let length = if address.is_ipv4() { lengths.v4 } else { lengths.v6 };
            agrees(self.peer, *address, length)
        })
    }

    fn count(&mut self) -> Evaluated<()> {
        self.lookups += 1;
        if self.lookups > LOOKUPS_MAX_COUNT {
            return Err(Outcome::PermError);
        }
        Ok(())
    }

    fn count_void(&mut self) -> Evaluated<()> {
        self.voids += 1;
        if self.voids > VOID_LOOKUPS_MAX_COUNT {
            return Err(Outcome::PermError);
        }
        Ok(())
    }
}

/// Whether the first bits of two addresses of one family are the same.
fn agrees(peer: IpAddr, address: IpAddr, length: u8) -> bool {
    match (peer, address) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let apart = u32::from(a) ^ u32::from(b);
            apart.checked_shr(32 - u32::from(length)).unwrap_or(0) == 0
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            let apart = u128::from(a) ^ u128::from(b);
            apart.checked_shr(128 - u32::from(length)).unwrap_or(0) == 0
        }
        _ => false,
    }
}

fn is_at_or_below(name: &str, top: &str) -> bool {
    let (name, top) = (name.to_ascii_lowercase(), top.to_ascii_lowercase());
    name.strip_suffix(top.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
