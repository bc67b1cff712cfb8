//! Routes: where mail for other hosts goes, and how.
//!
//! The first route in the order of place, then name, whose patterns fit sender and recipient decides; without one the smarthost of the settings takes
//! the mail if there is one, and the exchangers of the recipient's domain if not.

use serde::{Deserialize, Serialize};

use crate::{Address, DomainName, Refusal};

/// Where a route stands whose place nobody chose.
pub const PLACE_DEFAULT: u32 = 100;
/// Patterns of one side of a route, and hosts of a route.
pub const ROUTE_PATTERNS_MAX_COUNT: usize = 1000;
pub const ROUTE_HOSTS_MAX_COUNT: usize = 20;
/// Bytes of a route's name, user or password.
pub const ROUTE_TEXT_LENGTH_MAX_BYTES: usize = 255;

/// Encryption towards the next host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteTls {
    /// Never.
    None,
    /// If the host offers it; verified where DANE or MTA-STS ask for that.
    #[default]
    Opportunistic,
    /// With a certificate that names the host and that an authority vouches for, or not at all.
    Verified,
    /// With a certificate that signed records of the DNS name, or not at all.
    Dane,
}

impl RouteTls {
    pub const ALL: [Self; 4] = [Self::None, Self::Opportunistic, Self::Verified, Self::Dane];

    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Opportunistic => "opportunistic",
            Self::Verified => "verified",
            Self::Dane => "dane",
        }
    }

    pub fn parse(word: &str) -> Result<Self, Refusal> {
        let found = Self::ALL.into_iter().find(|mode| mode.word() == word);
        found.ok_or_else(|| Refusal::new("route-tls-unknown").with("value", word).field("tls"))
    }
}

/// What the next host speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteProtocol {
    #[default]
    Smtp,
    /// RFC 2033: each recipient is answered for.
    Lmtp,
}

impl RouteProtocol {
    pub fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Lmtp => "lmtp",
        }
    }

    pub fn parse(word: &str) -> Result<Self, Refusal> {
        match word {
            "smtp" => Ok(Self::Smtp),
            "lmtp" => Ok(Self::Lmtp),
            _ => Err(Refusal::new("route-protocol-unknown")
                .with("value", word)
                .field("protocol")),
        }
    }
}

/// A route, without its password: that is set with a request and never shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    pub name: String,
    /// Lower places are asked first.
    #[serde(default = "place")]
    pub place: u32,
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Recipients: `example.test`, `*.example.test`, `user@example.test`, `*`. Empty: all.
    #[serde(default)]
    pub to: Vec<String>,
    /// Senders, likewise; `<>` is the sender of bounces. Empty: all.
    #[serde(default)]
    pub from: Vec<String>,
    /// Tried in this order: `host`, `host:port`, or `mx:domain` for the exchangers of a domain. Empty: those of the recipient's domain.
    #[serde(default)]
    pub hosts: Vec<String>,
    #[serde(default)]
    pub tls: RouteTls,
    #[serde(default)]
    pub protocol: RouteProtocol,
    /// Logs in under that name; empty: without a login.
    #[serde(default)]
    pub user: String,
    #[serde(default)]
    pub has_password: bool,
    #[serde(default)]
    pub comment: String,
    #[serde(default)]
    pub revision: u64,
}

/// Where mail for an address would go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteAnswer {
    /// `here` (an address of this server), `override` (of `batpost.toml`), `route`, `smarthost` (of the settings) or `direct`.
    pub by: String,
    /// The route's name, if one decides.
    pub route: String,
    pub protocol: RouteProtocol,
    pub tls: RouteTls,
    /// Logs in under that name; empty: without a login.
    pub user: String,
    /// In the order in which they would be tried.
    pub hosts: Vec<RouteHost>,
    /// Why it would go nowhere, as a report would say it; empty if it goes.
    pub problem: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteHost {
    pub host: String,
    /// With the port.
    pub address: String,
    /// What the certificate would have to satisfy: `none`, `opportunistic`, `verified`, `mta-sts`, `dane`.
    pub security: String,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NextHop {
    /// A host, with the port if it is named. An address of IPv6 is without its brackets.
    Host(String, Option<u16>),
    /// The exchangers of a domain.
    Exchangers(DomainName),
}

impl NextHop {
    /// `host`, `host:port`, `[IPv6]:port` or `mx:domain`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let bad = || {
            Refusal::new("route-host-invalid")
                .with("value", text)
                .field("hosts")
        };
        if let Some(domain) = text.strip_prefix("mx:") {
            return DomainName::parse(domain).map(Self::Exchangers).map_err(|_| bad());
        }
        if let Ok(address) = text.trim_matches(['[', ']']).parse::<std::net::IpAddr>() {
            return Ok(Self::Host(address.to_string(), None));
        }
        if let Ok(address) = text.parse::<std::net::SocketAddr>() {
            return Ok(Self::Host(address.ip().to_string(), Some(address.port())));
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| bad())?)),
            None => (text, None),
        };
        let host = DomainName::parse(host).map_err(|_| bad())?;
        Ok(Self::Host(host.as_str().to_owned(), port))
    }
}

impl Route {
    /// A route of that name with everything else as if nobody had chosen.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            place: PLACE_DEFAULT,
            enabled: true,
            to: Vec::new(),
            from: Vec::new(),
            hosts: Vec::new(),
            tls: RouteTls::default(),
            protocol: RouteProtocol::default(),
            user: String::new(),
            has_password: false,
            comment: String::new(),
            revision: 0,
        }
    }

    /// Checks everything and brings it into its canonical form.
    pub fn check(mut self) -> Result<Self, Refusal> {
        self.name = self.name.trim().to_owned();
        let printable = |text: &str| !text.chars().any(char::is_control);
        if self.name.is_empty() || self.name.len() > 64 || !printable(&self.name) {
            return Err(Refusal::new("route-name-invalid")
                .with("name", &self.name)
                .field("name"));
        }
        for (field, text) in [("user", &self.user), ("comment", &self.comment)] {
            if text.len() > ROUTE_TEXT_LENGTH_MAX_BYTES || !printable(text) {
                return Err(Refusal::new("text-invalid").with("field", field).field(field));
            }
        }
        for (field, count, max) in [
            ("to", self.to.len(), ROUTE_PATTERNS_MAX_COUNT),
            ("from", self.from.len(), ROUTE_PATTERNS_MAX_COUNT),
            ("hosts", self.hosts.len(), ROUTE_HOSTS_MAX_COUNT),
        ] {
            if count > max {
                return Err(Refusal::new("too-many")
                    .with("field", field)
                    .with("max", max)
                    .field(field));
            }
        }
        for pattern in &mut self.to {
            *pattern = canonical(pattern, "to")?;
        }
        for pattern in &mut self.from {
            *pattern = canonical(pattern, "from")?;
        }
        for host in &mut self.hosts {
            *host = host.trim().to_ascii_lowercase();
            NextHop::parse(host)?;
        }
        // A host that takes mail over LMTP is named: an exchanger of the DNS speaks SMTP (RFC 2033 §5).
        if self.protocol == RouteProtocol::Lmtp
            && (self.hosts.is_empty() || self.hosts.iter().any(|host| host.starts_with("mx:")))
        {
            return Err(Refusal::new("route-lmtp-needs-host").field("hosts"));
        }
        if !self.user.is_empty() && self.hosts.is_empty() {
            return Err(Refusal::new("route-login-needs-host").field("hosts"));
        }
        Ok(self)
    }

    /// Whether it takes that mail.
    pub fn takes(&self, sender: Option<&Address>, recipient: &Address) -> bool {
        self.enabled
            && (self.to.is_empty() || self.to.iter().any(|pattern| fits(pattern, Some(recipient))))
            && (self.from.is_empty() || self.from.iter().any(|pattern| fits(pattern, sender)))
    }
}

fn canonical(pattern: &str, field: &str) -> Result<String, Refusal> {
    let pattern = pattern.trim();
    let bad = || {
        Refusal::new("route-pattern-invalid")
            .with("pattern", pattern)
            .field(field)
    };
    if pattern == "*" || (pattern == "<>" && field == "from") {
        return Ok(pattern.to_owned());
    }
    if let Some(parent) = pattern.strip_prefix("*.") {
        let parent = DomainName::parse(parent).map_err(|_| bad())?;
        return Ok(format!("*.{parent}"));
    }
    if pattern.contains('@') {
        return Address::parse(pattern)
            .map(|address| address.key())
            .map_err(|_| bad());
    }
    DomainName::parse(pattern)
        .map(|domain| domain.as_str().to_owned())
        .map_err(|_| bad())
}

/// `None` is the sender of bounces: only `*` and `<>` are for it.
fn fits(pattern: &str, address: Option<&Address>) -> bool {
    let Some(address) = address else {
        return matches!(pattern, "*" | "<>");
    };
    let domain = address.domain().as_str();
    match pattern {
        "*" => true,
        "<>" => false,
        _ if pattern.contains('@') => address.key() == pattern,
        _ => match pattern.strip_prefix("*.") {
            Some(parent) => domain
                .strip_suffix(parent)
                .is_some_and(|child| child.ends_with('.')),
            None => domain == pattern,
        },
    }
}

fn yes() -> bool {
    true
}

fn place() -> u32 {
    PLACE_DEFAULT
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn patterns_take_what_they_say() {
        for (pattern, recipient, takes) in [
            ("*", "a@b.test", true),
            ("B.Test", "a@b.test", true),
            ("b.test", "a@c.b.test", false),
            ("*.b.test", "a@c.b.test", true),
            ("*.b.test", "a@b.test", false),
            ("*.b.test", "a@cb.test", false),
            ("a@b.test", "A@B.test", true),
            ("a@b.test", "c@b.test", false),
            ("почта.рф", "a@xn--80a1acny.xn--p1ai", true),
        ] {
            let mut route = Route::new("r");
            route.to = vec![pattern.to_owned()];
            let route = route.check().unwrap();
            assert_eq!(
                route.takes(None, &address(recipient)),
                takes,
                "{pattern} {recipient}"
            );
        }
        let mut route = Route::new("r");
        route.from = vec!["<>".to_owned()];
        assert!(route.takes(None, &address("a@b.test")));
        assert!(!route.takes(Some(&address("c@d.test")), &address("a@b.test")));
        route.enabled = false;
        assert!(!route.takes(None, &address("a@b.test")));
    }

    #[test]
    fn next_hops_are_read_as_people_write_them() {
        let host = |name: &str, port| Ok(NextHop::Host(name.to_owned(), port));
        for (text, expected) in [
            ("mail.test", host("mail.test", None)),
            ("Mail.test:587", host("mail.test", Some(587))),
            ("127.0.0.1", host("127.0.0.1", None)),
            ("127.0.0.1:24", host("127.0.0.1", Some(24))),
            ("::1", host("::1", None)),
            ("[::1]", host("::1", None)),
            ("[::1]:24", host("::1", Some(24))),
            (
                "mx:b.test",
                Ok(NextHop::Exchangers(DomainName::parse("b.test").unwrap())),
            ),
            ("mail.test:x", Err("route-host-invalid")),
            ("mail.test:70000", Err("route-host-invalid")),
            ("two words", Err("route-host-invalid")),
            ("", Err("route-host-invalid")),
        ] {
            let found = NextHop::parse(text);
            assert_eq!(
                found.as_ref().map_err(|refusal| refusal.code.as_str()),
                expected.as_ref().map_err(|code| *code),
                "{text}"
            );
        }
    }

    #[test]
    fn what_can_not_work_is_refused() {
        let with = |change: &dyn Fn(&mut Route)| {
            let mut route = Route::new("r");
            change(&mut route);
            route.check().map_err(|refusal| refusal.code)
        };
        for (change, code) in [
            (
                &(|route: &mut Route| route.name = " ".to_owned()) as &dyn Fn(&mut Route),
                "route-name-invalid",
            ),
            (&|route| route.to = vec!["<>".to_owned()], "route-pattern-invalid"),
            (
                &|route| route.from = vec!["a b".to_owned()],
                "route-pattern-invalid",
            ),
            (
                &|route| route.protocol = RouteProtocol::Lmtp,
                "route-lmtp-needs-host",
            ),
            (&|route| route.user = "me".to_owned(), "route-login-needs-host"),
            (&|route| route.user = "m\ne".to_owned(), "text-invalid"),
        ] {
            assert_eq!(with(change).unwrap_err(), code);
        }
    }
}
