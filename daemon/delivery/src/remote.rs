//! The recipients of other hosts: where they are, in which order hosts are tried, and what is made durable between them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use disk::blob::Blob;
use dns::{DnsError, Exchange};
use queue::{Envelope, Job, Outcome, QueueError};
use shared::DomainName;
use tokio::task::JoinSet;

use crate::process::Verdicts;
use crate::transaction::{self, Login};
use crate::verdict::{Verdict, replies};
use crate::{Inner, now, sign, text};

/// Addresses tried for one message and domain.
const TRIES_MAX: usize = 8;

/// A message on its way out.
pub(crate) struct Mail {
    pub(crate) envelope: Arc<Envelope>,
    pub(crate) text: Blob,
    /// Bytes at its beginning that stay here.
    pub(crate) skip: u64,
    /// What goes on top of the rest.
    pub(crate) top: Vec<u8>,
    pub(crate) header_is_ascii: bool,
}

impl Mail {
    /// Bytes that go to the other host, without dots.
    pub(crate) fn len(&self) -> u64 {
        self.text.len() - self.skip + self.top.len() as u64
    }
}

/// A host to be tried.
pub(crate) struct Target {
    /// The name that its certificate should have.
    pub(crate) host: String,
    pub(crate) address: SocketAddr,
    pub(crate) login: Option<Login>,
}

/// Tries every group, each with its own hosts. What a host took is durable before this goes on.
pub(crate) async fn deliver(
    inner: &Arc<Inner>,
    job: &mut Job,
    groups: BTreeMap<DomainName, Vec<u32>>,
    verdicts: &mut Verdicts,
) -> Result<(), QueueError> {
    let header: Bytes = match text::header(&inner.parts.disk, &job.text).await {
        Ok(header) => header,
        Err(_) => {
            verdicts.extend(
                groups
                    .into_values()
                    .flatten()
                    .map(|index| (index, Verdict::put_off(replies::QUEUE))),
            );
            return Ok(());
        }
    };
    if text::goes_in_circles(&header) {
        verdicts.extend(
            groups
                .into_values()
                .flatten()
                .map(|index| (index, Verdict::failed(replies::LOOP))),
        );
        return Ok(());
    }
    let skip = text::return_path_len(&job.envelope, &header);
    let Some(top) = sign::fields(inner, job, &header, skip).await else {
        let put_off = |index| (index, Verdict::put_off(replies::QUEUE));
        verdicts.extend(groups.into_values().flatten().map(put_off));
        return Ok(());
    };
    let mail = Arc::new(Mail {
        envelope: job.envelope.clone(),
        text: job.text.clone(),
        skip: skip as u64,
        top,
        header_is_ascii: header.is_ascii(),
    });
    let mut tasks = JoinSet::new();
    for (domain, indices) in merge_for_smarthost(inner, groups) {
        let (inner, mail) = (inner.clone(), mail.clone());
        for index in &indices {
            verdicts.insert(*index, Verdict::put_off("451 4.3.0 The try was broken off"));
        }
        tasks.spawn(async move {
            let _permit = inner.outgoing.acquire().await;
            group(&inner, &mail, &domain, &indices).await
        });
    }
    while let Some(done) = tasks.join_next().await {
        // A panic leaves the group put off.
        let Ok(found) = done else { continue };
        if !tasks.is_empty() {
            keep(inner, job, &found).await?;
        }
        verdicts.extend(found);
    }
    Ok(())
}

/// Makes durable what hosts took while others are still being tried.
async fn keep(inner: &Arc<Inner>, job: &mut Job, found: &[(u32, Verdict)]) -> Result<(), QueueError> {
    let taken: Vec<(u32, Outcome)> = found
        .iter()
        .filter(|(_, verdict)| matches!(verdict, Verdict::Relayed { .. }))
        .map(|(index, verdict)| (*index, verdict.outcome(None)))
        .collect();
    if taken.is_empty() {
        return Ok(());
    }
    inner.parts.queue.progress(job, &taken).await
}

/// A smarthost takes all recipients in one transaction.
fn merge_for_smarthost(inner: &Inner, groups: BTreeMap<DomainName, Vec<u32>>) -> Vec<(DomainName, Vec<u32>)> {
    if inner
        .parts
        .directory
        .settings()
        .text("outgoing.smarthost")
        .is_empty()
    {
        return groups.into_iter().collect();
    }
    let (direct, smart): (Vec<_>, Vec<_>) = groups
        .into_iter()
        .partition(|(domain, _)| inner.parts.dns.route(domain).is_some());
    let first = smart.first().map(|(domain, _)| domain.clone());
    let merged = first.map(|domain| {
        (
            domain,
            smart.into_iter().flat_map(|(_, indices)| indices).collect(),
        )
    });
    direct.into_iter().chain(merged).collect()
}

async fn group(inner: &Arc<Inner>, mail: &Mail, domain: &DomainName, indices: &[u32]) -> Vec<(u32, Verdict)> {
    let all = |verdict: Verdict| indices.iter().map(|index| (*index, verdict.clone())).collect();
    let targets = match targets(inner, domain).await {
        Ok(targets) => targets,
        Err(verdict) => return all(verdict),
    };
    let mut last = Verdict::failed("550 5.4.4 No host takes mail for the domain");
    for target in targets.into_iter().take(TRIES_MAX) {
        let (name, now) = (target.address.to_string(), now());
        let put_off = |reason: &str| Verdict::PutOff {
            host: Some(target.host.clone()),
            reply: format!("451 4.4.1 {} [{}]: {reason}", target.host, target.address.ip()),
        };
        if let Some(reason) = inner.hosts.resting(&name, now) {
            last = put_off(&reason);
            continue;
        }
        match transaction::attempt(inner, mail, &target, indices).await {
            Ok(found) => {
                inner.hosts.works(&name);
                return found;
            }
            Err(failure) => {
                if failure.host_is_down {
                    inner.hosts.failed(&name, &failure.reason, now);
                }
                last = put_off(&failure.reason);
                if let Some(verdict) = failure.final_verdict {
                    return all(verdict);
                }
            }
        }
    }
    all(last)
}

/// The addresses to be tried, best first.
async fn targets(inner: &Inner, domain: &DomainName) -> Result<Vec<Target>, Verdict> {
    let settings = inner.parts.directory.settings();
    let port = u16::try_from(settings.number("outgoing.port")).unwrap_or(25);
    if let Some(address) = inner.parts.dns.route(domain) {
        return Ok(vec![Target {
            host: domain.to_string(),
            address,
            login: None,
        }]);
    }
    let smarthost = settings.text("outgoing.smarthost");
    if !smarthost.is_empty() {
        let (host, port) = host_and_port(smarthost, port);
        let user = settings.text("outgoing.smarthost-user");
        let login = (!user.is_empty()).then(|| Login {
            user: user.to_owned(),
            password: (inner.parts.smarthost_password)().unwrap_or_default(),
        });
        let addresses = addresses(inner, &host).await?;
        let target = |ip| Target {
            host: host.clone(),
            address: SocketAddr::new(ip, port),
            login: login.clone(),
        };
        return Ok(addresses.into_iter().map(target).collect());
    }
    let exchangers = match inner.parts.dns.exchange(domain).await {
        Ok(Exchange::Hosts(hosts)) => hosts,
        Ok(Exchange::Null) => return Err(Verdict::failed(replies::NULL_MX)),
        Err(DnsError::NoSuchDomain) => return Err(Verdict::failed(replies::NO_DOMAIN)),
        Err(DnsError::Temporary(reason)) => {
            return Err(Verdict::put_off(&format!("451 4.4.3 DNS: {reason}")));
        }
    };
    // RFC 5321 §5.1: hosts no better than this one would bring the message back.
    let own = settings.text("server.hostname");
    let ours = exchangers
        .iter()
        .find(|exchanger| exchanger.host == own)
        .map(|exchanger| exchanger.preference);
    let mut out = Vec::new();
    let mut trouble = None;
    let better = exchangers
        .iter()
        .filter(|exchanger| ours.is_none_or(|ours| exchanger.preference < ours));
    for exchanger in better {
        if out.len() >= TRIES_MAX {
            break;
        }
        let host = exchanger.host.clone();
        match addresses(inner, &host).await {
            Ok(found) => out.extend(found.into_iter().map(|ip| Target {
                host: host.clone(),
                address: SocketAddr::new(ip, port),
                login: None,
            })),
            Err(verdict @ Verdict::PutOff { .. }) => trouble = Some(verdict),
            Err(_) => {}
        }
    }
    match (out.is_empty(), ours, trouble) {
        (false, ..) => Ok(out),
        (true, _, Some(trouble)) => Err(trouble),
        (true, Some(_), None) => Err(Verdict::failed(replies::LOOP)),
        (true, None, None) => Ok(out),
    }
}

async fn addresses(inner: &Inner, host: &str) -> Result<Vec<IpAddr>, Verdict> {
    match inner.parts.dns.addresses(host).await {
        Ok(addresses) => Ok(addresses),
        Err(DnsError::NoSuchDomain) => Err(Verdict::failed(replies::NO_DOMAIN)),
        Err(DnsError::Temporary(reason)) => Err(Verdict::put_off(&format!("451 4.4.3 DNS: {reason}"))),
    }
}

/// `host`, `host:port` or `[IPv6]:port`.
fn host_and_port(text: &str, port: u16) -> (String, u16) {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return (address.ip().to_string(), address.port());
    }
    match text
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host, port.parse().ok()?)))
    {
        Some((host, port)) if !host.contains(':') => (host.to_owned(), port),
        _ => (text.trim_matches(['[', ']']).to_owned(), port),
    }
}
