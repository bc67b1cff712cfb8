//! Which way a recipient's mail goes: what an administrator said of this message, `batpost.toml`, the routes and the settings, in this order.
//!
//! Must not know: whether the hosts are there.

use std::net::SocketAddr;

use queue::Job;
use shared::route::{NextHop, RouteProtocol, RouteTls};
use shared::{Address, DomainName};

use crate::verdict::{Verdict, replies};
use crate::{Inner, transaction::Login};

/// Where LMTP is spoken if no port is named.
const LMTP_PORT: u16 = 24;

/// What decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Said of this one message.
    Message,
    Override,
    Route,
    Smarthost,
    Direct,
}

impl By {
    /// As the control protocol names it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Override => "override",
            Self::Route => "route",
            Self::Smarthost => "smarthost",
            Self::Direct => "direct",
        }
    }
}

/// A next host, or where hosts are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hop {
    Address(String, SocketAddr),
    Host(String, u16),
    Exchangers(DomainName),
}

/// Where to, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) by: By,
    /// The route's name, if one decided.
    pub(crate) route: String,
    pub(crate) hops: Vec<Hop>,
    /// The hops are an administrator's choice: that they can't be found says nothing about the recipient.
    pub(crate) chosen: bool,
    pub(crate) tls: RouteTls,
    pub(crate) protocol: RouteProtocol,
    pub(crate) login: Option<Login>,
    /// The message says that it may go over a way that is not secure, whatever the recipients' domains say (RFC 8689 §5). What an administrator
    /// says of the way still holds.
    pub(crate) relaxed: bool,
}

/// The way of that recipient's mail.
pub(crate) async fn of(inner: &Inner, sender: Option<&Address>, recipient: &Address) -> Result<Way, Verdict> {
    let domain = recipient.domain();
    if let Some(address) = inner.parts.dns.route(domain) {
        return Ok(plain(
            By::Override,
            vec![Hop::Address(domain.to_string(), address)],
        ));
    }
    let settings = inner.parts.directory.settings();
    let port = port(inner);
    let found = inner.parts.directory.way(sender, recipient).await;
    let found = found.map_err(|_| Verdict::put_off(replies::DIRECTORY))?;
    if let Some(found) = found {
        let route = &found.route;
        let port = match route.protocol {
            RouteProtocol::Smtp => port,
            RouteProtocol::Lmtp => LMTP_PORT,
        };
        let mut hops: Vec<Hop> = route.hosts.iter().filter_map(|host| hop(host, port)).collect();
        if hops.is_empty() {
            hops.push(Hop::Exchangers(domain.clone()));
        }
        let chosen = !route.hosts.is_empty();
        let login = (!route.user.is_empty()).then(|| Login {
            user: route.user.clone(),
            password: found.password.clone().unwrap_or_default(),
        });
        return Ok(Way {
            by: By::Route,
            route: route.name.clone(),
            hops,
            chosen,
            tls: route.tls,
            protocol: route.protocol,
            login,
            relaxed: false,
        });
    }
    let smarthost = settings.text("outgoing.smarthost");
    if let Some(hop) = hop(smarthost, port) {
        let user = settings.text("outgoing.smarthost-user");
        let mut login = None;
        if !user.is_empty() {
            // It may lie in a file.
            let ask = inner.parts.smarthost_password.clone();
            let password = tokio::task::spawn_blocking(move || ask()).await;
            login = Some(Login {
                user: user.to_owned(),
                password: password.ok().flatten().unwrap_or_default(),
            });
        }
        return Ok(Way {
            login,
            ..plain(By::Smarthost, vec![hop])
        });
    }
    Ok(plain(By::Direct, vec![Hop::Exchangers(domain.clone())]))
}

pub(crate) fn plain(by: By, hops: Vec<Hop>) -> Way {
    Way {
        by,
        route: String::new(),
        hops,
        chosen: by != By::Direct,
        tls: RouteTls::Opportunistic,
        protocol: RouteProtocol::Smtp,
        login: None,
        relaxed: false,
    }
}

fn port(inner: &Inner) -> u16 {
    u16::try_from(inner.parts.directory.settings().number("outgoing.port")).unwrap_or(25)
}

/// Recipients that go the same way, so that one transaction takes them. Each way with one of its domains. `relaxed`: see [`Way`].
pub(crate) async fn sort(
    inner: &Inner,
    job: &Job,
    indices: Vec<u32>,
    relaxed: bool,
) -> (Vec<(Way, Vec<u32>)>, Vec<(u32, Verdict)>) {
    if let Some(hop) = job.route.as_deref().and_then(|route| hop(route, port(inner))) {
        let way = Way {
            relaxed,
            ..plain(By::Message, vec![hop])
        };
        return (vec![(way, indices)], Vec::new());
    }
    let envelope = &job.envelope;
    let mut ways: Vec<(Way, Vec<u32>)> = Vec::new();
    let mut lost = Vec::new();
    for index in indices {
        let Some(recipient) = envelope.recipients.get(index as usize) else {
            continue;
        };
        let found = of(inner, envelope.sender.as_ref(), &recipient.address).await;
        match found.map(|way| Way { relaxed, ..way }) {
            Ok(way) => match ways.iter_mut().find(|(other, _)| *other == way) {
                Some((_, indices)) => indices.push(index),
                None => ways.push((way, vec![index])),
            },
            Err(verdict) => lost.push((index, verdict)),
        }
    }
    (ways, lost)
}

/// `None`: nothing is there, or nothing that could be used (routes and settings are checked when they are set).
fn hop(text: &str, port: u16) -> Option<Hop> {
    match NextHop::parse(text).ok()? {
        NextHop::Host(host, named) => Some(Hop::Host(host, named.unwrap_or(port))),
        NextHop::Exchangers(domain) => Some(Hop::Exchangers(domain)),
    }
}
