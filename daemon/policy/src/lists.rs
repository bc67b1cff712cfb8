//! The white and the black list, compiled: what an entry means is told by its shape.
//!
//! - an address, `address/bits` or `first-last`: peers;
//! - with an `@`: mail addresses; `@domain` and `*@domain` are everybody there, `*` stands for any text;
//! - anything else: host names of peers; `.domain` and `*.domain` are all hosts below, `*` stands for any text.

use std::collections::HashSet;
use std::net::IpAddr;

use shared::{Address, networks};

use crate::ranges::Ranges;

/// Entries with a `*` in an unusual place are tried one after the other: no more than these.
const PATTERNS_MAX: usize = 10_000;

/// One list while it is gathered and when it is compiled.
#[derive(Clone, Debug, Default)]
pub(crate) struct List {
    gathered: Vec<(u128, u128)>,
    ranges: Ranges,
    mails: Names,
    hosts: Names,
}

/// Both lists, the own networks and the proxies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) allow: List,
    pub(crate) block: List,
    own: Ranges,
    proxies: Ranges,
}

/// Names in lower case.
#[derive(Clone, Debug, Default)]
struct Names {
    exact: HashSet<Box<str>>,
    /// What follows `*@` or `*.`.
    below: HashSet<Box<str>>,
    patterns: Vec<Box<str>>,
}

impl Snapshot {
    pub(crate) fn new(mut allow: List, mut block: List, own: &str, proxies: &str) -> Self {
        allow.compile();
        block.compile();
        let networks = |text: &str| Ranges::new(networks::list_of_valid(text));
        Self {
            allow,
            block,
            own: networks(own),
            proxies: networks(proxies),
        }
    }

    /// Whether it says for others whom it connects for; the address is canonical.
    pub(crate) fn is_proxy(&self, peer: IpAddr) -> bool {
        self.proxies.contains(peer)
    }

    /// Loopback and own networks; the address is canonical.
    pub(crate) fn is_exempt(&self, peer: IpAddr) -> bool {
        peer.is_loopback() || self.own.contains(peer)
    }

    /// Whether any entry wants the host name of a peer.
    pub(crate) fn names_hosts(&self) -> bool {
        !self.allow.hosts.is_empty() || !self.block.hosts.is_empty()
    }
}

impl List {
    pub(crate) fn add(&mut self, entry: &str) {
        let entry = entry.trim().to_lowercase();
        if let Some(range) = networks::parse(&entry) {
            self.gathered.push(range);
        } else if let Some((local, domain)) = entry.rsplit_once('@') {
            let everybody = local.is_empty() || local == "*";
            self.mails.add(&entry, everybody.then_some(domain));
        } else {
            let below = entry.strip_prefix("*.").or_else(|| entry.strip_prefix('.'));
            self.hosts.add(&entry, below);
        }
    }

    /// The entry for that peer.
    pub(crate) fn address(&self, peer: IpAddr) -> Option<String> {
        self.ranges.find(peer)
    }

    /// The entry for that mail address.
    pub(crate) fn mail(&self, address: &Address) -> Option<String> {
        if self.mails.is_empty() {
            return None;
        }
        let domain = address.domain().as_str();
        self.mails
            .find(&address.key(), std::iter::once(domain))
            .map(|found| match found {
                Found::Below(domain) => format!("@{domain}"),
                Found::Entry(entry) => entry,
            })
    }

    /// The entry for that host name, in lower case.
    pub(crate) fn host(&self, name: &str) -> Option<String> {
        let above = name.match_indices('.').filter_map(|(at, _)| name.get(at + 1..));
        self.hosts.find(name, above).map(|found| match found {
            Found::Below(domain) => format!(".{domain}"),
            Found::Entry(entry) => entry,
        })
    }

    fn compile(&mut self) {
        self.ranges = Ranges::new(std::mem::take(&mut self.gathered));
    }
}

enum Found {
    Below(String),
    Entry(String),
}

impl Names {
    fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.below.is_empty() && self.patterns.is_empty()
    }

    fn add(&mut self, entry: &str, below: Option<&str>) {
        match below.filter(|below| !below.contains('*')) {
            Some(below) => {
                self.below.insert(below.into());
            }
            None if entry.contains('*') => {
                if self.patterns.len() < PATTERNS_MAX {
                    self.patterns.push(entry.into());
                }
            }
            None => {
                self.exact.insert(entry.into());
            }
        }
    }

    fn find<'a>(&self, name: &str, mut above: impl Iterator<Item = &'a str>) -> Option<Found> {
        if self.exact.contains(name) {
            return Some(Found::Entry(name.to_owned()));
        }
        if let Some(domain) = above.find(|domain| self.below.contains(*domain)) {
            return Some(Found::Below(domain.to_owned()));
        }
        let pattern = self.patterns.iter().find(|pattern| matches(pattern, name))?;
        Some(Found::Entry(pattern.to_string()))
    }
}

/// Whether a name has the shape of a pattern whose `*` stand for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<_> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    // The shortest way to each part leaves the most for those behind it.
    for part in parts {
        match name.find(part).and_then(|at| name.get(at + part.len()..)) {
            Some(rest) => name = rest,
            None => return false,
        }
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn list(entries: &[&str]) -> List {
        let mut list = List::default();
        for entry in entries {
            list.add(entry);
        }
        list.compile();
        list
    }

    #[test]
    fn mail_addresses_match_their_entries() {
        let list = list(&[
            "Spam@Bad.test",
            "@worse.test",
            "*@worst.test",
            "news*@list.*",
            "*bot@a.test",
        ]);
        for (address, want) in [
            ("spam@bad.test", Some("spam@bad.test")),
            ("ham@bad.test", None),
            ("x@worse.test", Some("@worse.test")),
            ("x@sub.worse.test", None),
            ("y@worst.test", Some("@worst.test")),
            ("newsletter@list.test", Some("news*@list.*")),
            ("new@list.test", None),
            ("a.bot@a.test", Some("*bot@a.test")),
            ("a.bot@b.test", None),
        ] {
            assert_eq!(
                list.mail(&Address::parse(address).unwrap()).as_deref(),
                want,
                "{address}"
            );
        }
    }

    #[test]
    fn host_names_match_their_entries() {
        let list = list(&["mail.good.test", ".below.test", "*.star.test", "dsl-*.isp.test"]);
        for (host, want) in [
            ("mail.good.test", Some("mail.good.test")),
            ("good.test", None),
            ("a.b.below.test", Some(".below.test")),
            ("below.test", None),
            ("x.star.test", Some(".star.test")),
            ("dsl-1-2.isp.test", Some("dsl-*.isp.test")),
            ("xdsl-1.isp.test", None),
        ] {
            assert_eq!(list.host(host).as_deref(), want, "{host}");
        }
    }
}
