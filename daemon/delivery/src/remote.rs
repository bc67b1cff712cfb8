//! The recipients of other hosts: where they are, in which order hosts are tried, and what is made durable between them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use disk::blob::Blob;
use dns::{DnsError, Exchange};
use events::Scope;
use events::kinds::delivery::{HostRests, HostSlowedDown};
use queue::{Envelope, Job, Outcome, QueueError};
use shared::DomainName;
use shared::route::RouteProtocol;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use crate::aggregate::About;
use crate::asking::ASK_AGAIN_S;
use crate::hosts::{Limits, NotNow, Place};
use crate::pool::Key;
use crate::process::Verdicts;
use crate::security::{self, Findings, Security};
use crate::seven_bit::Form;
use crate::transaction::{self, Login};
use crate::verdict::{Verdict, replies};
use crate::way::{self, Hop, Way};
use crate::{Inner, now, sign, text};

/// Addresses tried for one message and domain.
const TRIES_MAX: usize = 8;
/// A domain whose exchangers have no address.
pub(crate) const NO_HOST: &str = "550 5.4.4 No host takes mail for the domain";

/// A message on its way out.
pub(crate) struct Mail {
    pub(crate) id: events::MessageId,
    pub(crate) envelope: Arc<Envelope>,
    pub(crate) text: Blob,
    /// Bytes at its beginning that stay here.
    pub(crate) skip: u64,
    /// What goes on top of the rest.
    pub(crate) top: Vec<u8>,
    pub(crate) header_is_ascii: bool,
    /// What hosts without 8BITMIME get, once one was met.
    pub(crate) seven_bit: OnceCell<Form>,
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
    pub(crate) protocol: RouteProtocol,
    pub(crate) security: Security,
    pub(crate) login: Option<Login>,
    /// Who is told how a session ends; `None`: nobody.
    pub(crate) about: Option<Arc<About>>,
}

impl Target {
    /// Who may share a connection with it.
    pub(crate) fn key(&self) -> Key {
        Key {
            address: self.address,
            host: self.host.clone(),
            protocol: self.protocol,
            security: self.security.clone(),
            login: self.login.clone(),
        }
    }
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
        id: job.id,
        envelope: job.envelope.clone(),
        text: job.text.clone(),
        skip: skip as u64,
        top,
        header_is_ascii: header.is_ascii(),
        seven_bit: OnceCell::new(),
    });
    let mut indices: Vec<u32> = groups.into_values().flatten().collect();
    // As the sender named them.
    indices.sort_unstable();
    // RFC 8689 §5: REQUIRETLS outweighs the field.
    let relaxed = !job.envelope.require_tls && text::needs_no_tls(&header);
    let (ways, lost) = way::sort(inner, job, indices, relaxed).await;
    verdicts.extend(lost);
    let mut tasks = JoinSet::new();
    for (way, indices) in ways {
        let (inner, mail) = (inner.clone(), mail.clone());
        for index in &indices {
            verdicts.insert(*index, Verdict::put_off("451 4.3.0 The try was broken off"));
        }
        tasks.spawn(async move { group(&inner, &mail, &way, &indices).await });
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

/// One way, host after host.
async fn group(inner: &Arc<Inner>, mail: &Mail, way: &Way, indices: &[u32]) -> Vec<(u32, Verdict)> {
    let all = |verdict: Verdict| indices.iter().map(|index| (*index, verdict.clone())).collect();
    let mut findings = Findings::new();
    let Some(asks) = inner.asking.begin(way, inner.backlog.available_permits()) else {
        let at = now() + ASK_AGAIN_S;
        return all(Verdict::NotTried { at });
    };
    let found = targets(inner, way, &mut findings).await;
    drop(asks);
    for (about, finding) in &findings {
        inner.count_tls(about, Some(finding));
    }
    let targets = match found {
        Ok(targets) => targets,
        Err(verdict) => return all(verdict),
    };
    let limits = Limits::from_settings(&inner.parts.directory.settings());
    // Hosts of which one may be back tell more than those that can't take the message.
    let mut last: Option<Verdict> = None;
    for target in targets.into_iter().take(TRIES_MAX) {
        let put_off = |status: &str, reason: &str| Verdict::PutOff {
            host: Some(target.host.clone()),
            reply: format!("451 {status} {} [{}]: {reason}", target.host, target.address.ip()),
        };
        let no_require_tls = || Verdict::Failed {
            host: Some(target.host.clone()),
            reply: replies::NO_REQUIRETLS.to_owned(),
        };
        // RFC 8689 §4.2.1: over a connection that is verified, or not at all.
        if mail.envelope.require_tls && !target.security.is_verified() {
            last.get_or_insert_with(no_require_tls);
            continue;
        }
        let place = match place(inner, &target, limits).await {
            Ok(place) => place,
            Err(NotNow::Rests(reason)) => {
                last = Some(put_off("4.4.1", &reason));
                continue;
            }
            Err(NotNow::Busy(at)) => return all(Verdict::NotTried { at }),
        };
        let permit = inner.outgoing.acquire().await;
        let tried = transaction::attempt(inner, mail, &target, indices).await;
        drop(permit);
        match tried {
            Ok(found) => {
                place.host.works();
                weigh(inner, &place, &target, limits, &found);
                return found;
            }
            Err(failure) => {
                if failure.host_is_down {
                    rest(inner, &place, &target, limits, &failure.reason);
                }
                if failure.has_enough {
                    slow_down(inner, &place, &target, true);
                }
                if failure.lacks_require_tls {
                    last.get_or_insert_with(no_require_tls);
                    continue;
                }
                let status = if failure.is_insecure { "4.7.5" } else { "4.4.1" };
                last = Some(put_off(status, &failure.reason));
                if let Some(verdict) = failure.final_verdict {
                    return all(verdict);
                }
            }
        }
    }
    all(last.unwrap_or_else(|| Verdict::failed(NO_HOST)))
}

/// A place at the host, and its turn.
async fn place(inner: &Inner, target: &Target, limits: Limits) -> Result<Place, NotNow> {
    let place = inner
        .hosts
        .place(
            target.address,
            limits,
            inner.backlog.available_permits(),
            now_ms(),
        )
        .await?;
    let wait = place.host.turn(limits, now_ms())?;
    if wait > 0 {
        tokio::time::sleep(Duration::from_millis(wait.unsigned_abs())).await;
    }
    Ok(place)
}

/// What the host did with the message says how many more it should get.
fn weigh(inner: &Inner, place: &Place, target: &Target, limits: Limits, found: &[(u32, Verdict)]) {
    let put_off = |verdict: &Verdict| match verdict {
        Verdict::PutOff { host: Some(_), reply } => Some(reply.starts_with("421")),
        _ => None,
    };
    if found
        .iter()
        .any(|(_, verdict)| matches!(verdict, Verdict::Relayed { .. }))
    {
        place.host.took(limits, now());
        return;
    }
    let said: Vec<bool> = found.iter().filter_map(|(_, verdict)| put_off(verdict)).collect();
    if !said.is_empty() {
        slow_down(inner, place, target, said.contains(&true));
    }
}

fn slow_down(inner: &Inner, place: &Place, target: &Target, at_once: bool) {
    let Some(connections) = place.host.put_off(at_once) else {
        return;
    };
    let event = HostSlowedDown {
        host: target.host.clone(),
        address: target.address.to_string(),
        connections: connections as u64,
    };
    inner.parts.events.emit(Scope::default(), event);
}

fn rest(inner: &Inner, place: &Place, target: &Target, limits: Limits, reason: &str) {
    let now = now();
    let until = place.host.failed(reason, limits, now);
    let event = HostRests {
        host: target.host.clone(),
        address: target.address.to_string(),
        reason: reason.to_owned(),
        seconds: (until - now).max(0).unsigned_abs(),
    };
    inner.parts.events.emit(Scope::default(), event);
}

/// The addresses to be tried, best first; `findings`: what is wrong with the security of hosts that are not among them, or of the domain.
pub(crate) async fn targets(
    inner: &Inner,
    way: &Way,
    findings: &mut Findings,
) -> Result<Vec<Target>, Verdict> {
    let mut found = Found::default();
    for hop in &way.hops {
        if found.targets.len() >= TRIES_MAX {
            break;
        }
        match hop {
            Hop::Address(host, address) => found.targets.push(Target {
                host: host.clone(),
                address: *address,
                protocol: way.protocol,
                security: Security::OPPORTUNISTIC,
                login: None,
                about: None,
            }),
            Hop::Host(host, port) => {
                found.host(inner, way, None, host, *port).await;
            }
            Hop::Exchangers(domain) => {
                if let Err(verdict) = exchangers(inner, way, domain, &mut found).await {
                    found.trouble(verdict);
                }
            }
        }
    }
    findings.append(&mut found.findings);
    match (found.targets.is_empty(), found.trouble) {
        (true, Some(Verdict::Failed { reply, host })) if way.chosen => {
            // It is the administrator's to mend, not the sender's: 4.4.4 for what would be for good.
            let text = reply.splitn(3, ' ').nth(2).unwrap_or(&reply);
            let reply = format!("451 4.4.4 {text}");
            Err(Verdict::PutOff { host, reply })
        }
        (true, Some(trouble)) => Err(trouble),
        _ => Ok(found.targets),
    }
}

/// What the hops lead to, and why not to more.
#[derive(Default)]
struct Found {
    targets: Vec<Target>,
    trouble: Option<Verdict>,
    findings: Findings,
}

impl Found {
    /// What is for now tells more than what is for good: a host may be back.
    fn trouble(&mut self, verdict: Verdict) {
        if self.trouble.is_none() || matches!(verdict, Verdict::PutOff { .. }) {
            self.trouble = Some(verdict);
        }
    }

    /// The addresses of a host, if it may be used.
    async fn host(
        &mut self,
        inner: &Inner,
        way: &Way,
        domain: Option<&security::Domain>,
        host: &str,
        port: u16,
    ) {
        let addresses = match addresses(inner, host).await {
            Ok(addresses) => addresses,
            // An exchanger that is not there is one less.
            Err(Verdict::Failed { .. }) if domain.is_some() => return,
            Err(verdict) => return self.trouble(verdict),
        };
        let here = !addresses.is_empty() && addresses.iter().all(IpAddr::is_loopback);
        let findings = &mut self.findings;
        let held = match security::of(inner, way, domain, (host, port), here, findings).await {
            Ok(held) => held,
            Err(verdict) => return self.trouble(verdict),
        };
        self.targets.extend(addresses.into_iter().map(|ip| Target {
            host: host.to_owned(),
            address: SocketAddr::new(ip, port),
            protocol: way.protocol,
            security: held.security.clone(),
            login: way.login.clone(),
            about: held.about.clone(),
        }));
    }
}

/// The hosts that take mail for a domain.
async fn exchangers(inner: &Inner, way: &Way, domain: &DomainName, found: &mut Found) -> Result<(), Verdict> {
    let settings = inner.parts.directory.settings();
    let port = u16::try_from(settings.number("outgoing.port")).unwrap_or(25);
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
    let known = security::Domain::ask(inner, way, domain, &mut found.findings).await?;
    let before = found.targets.len();
    let better = exchangers
        .iter()
        .filter(|exchanger| ours.is_none_or(|ours| exchanger.preference < ours));
    for exchanger in better {
        if found.targets.len() >= TRIES_MAX {
            break;
        }
        found.host(inner, way, Some(&known), &exchanger.host, port).await;
    }
    let nothing = found.targets.len() == before
        && !found
            .trouble
            .as_ref()
            .is_some_and(|trouble| matches!(trouble, Verdict::PutOff { .. }));
    match ours {
        Some(_) if nothing => Err(Verdict::failed(replies::LOOP)),
        _ => Ok(()),
    }
}

async fn addresses(inner: &Inner, host: &str) -> Result<Vec<IpAddr>, Verdict> {
    match inner.parts.dns.addresses(host).await {
        Ok(addresses) => Ok(addresses),
        Err(DnsError::NoSuchDomain) => Err(Verdict::failed(replies::NO_DOMAIN)),
        Err(DnsError::Temporary(reason)) => Err(Verdict::put_off(&format!("451 4.4.3 DNS: {reason}"))),
    }
}

/// Unix milliseconds.
fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}
