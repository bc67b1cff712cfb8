//! Policies of domains about the security of their exchangers: MTA-STS (RFC 8461).
//!
//! A policy is kept in memory and in `mta-sts/` of the data directory, a file for each domain, and holds until its `max_age` is over, also when neither
//! the DNS nor the web server answers: that is what protects against those who make them silent (§10.2). The record in the DNS is looked at for each
//! message (the resolver keeps it), the policy is fetched anew when its id changes and when a day has gone by. A fetch that failed is not tried again
//! for some minutes. One fetch at a time for one domain, for which only those wait who know no policy yet.
//!
//! Must not know: what follows from a policy.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use disk::SharedDisk;
use dns::DnsError;
use events::Scope;
use events::kinds::delivery::{StsFailed, StsPolicy};
use http::{Http, HttpError, Limits, Request};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use shared::DomainName;
use tokio::time::timeout;

use crate::aggregate::{Flaw, Policy as Told};
use crate::{Inner, now};

/// Policies kept in memory, and on the disk.
const POLICIES_MAX_COUNT: usize = 10_000;
/// RFC 8461 §3.2 and §3.3.
const MAX_AGE_MAX_S: i64 = 31_557_600;
const POLICY_MAX_BYTES: usize = 64 * 1024;
const FETCH_TIMEOUT: Duration = Duration::from_mins(1);
const HOSTS_MAX_COUNT: usize = 100;
const ID_LENGTH_MAX_BYTES: usize = 32;
/// Seconds after which a policy is fetched anew though its id is the same.
const REFRESH_AFTER_S: i64 = 86_400;
/// Seconds after a failed fetch in which none is tried (§3.3).
const FAILURE_PAUSE_S: i64 = 300;
/// How long the record in the DNS is waited for.
const RECORD_TIMEOUT: Duration = Duration::from_secs(10);
/// Seconds for which the DNS is not asked again when it gave no answer.
const SILENCE_S: i64 = 30;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    Enforce,
    Testing,
    None,
}

/// A policy as it was fetched; the file on the disk is its JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Policy {
    /// The id of the record in the DNS at that time.
    id: String,
    pub(crate) mode: Mode,
    mx: Vec<String>,
    /// Seconds.
    max_age: i64,
    /// Unix seconds.
    fetched: i64,
}

impl Policy {
    /// Reads the text of a policy (§3.2); `None` if it is none.
    fn parse(text: &str, id: &str, now: i64) -> Option<Self> {
        let (mut version, mut mode, mut max_age, mut mx) = (false, None, None, Vec::new());
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (key, value) = line.split_once(':')?;
            let value = value.trim();
            match key.trim() {
                "version" => version = value == "STSv1",
                // The first of several counts.
                "mode" if mode.is_none() => {
                    mode = Some(match value {
                        "enforce" => Mode::Enforce,
                        "testing" => Mode::Testing,
                        "none" => Mode::None,
                        _ => return None,
                    });
                }
                "max_age" if max_age.is_none() => max_age = Some(value.parse::<u64>().ok()?),
                "mx" if mx.len() < HOSTS_MAX_COUNT => {
                    mx.push(value.trim_end_matches('.').to_ascii_lowercase());
                }
                _ => {}
            }
        }
        let (mode, max_age) = (mode?, max_age?);
        if !version || (mx.is_empty() && mode != Mode::None) {
            return None;
        }
        Some(Self {
            id: id.to_owned(),
            mode,
            mx,
            max_age: i64::try_from(max_age).unwrap_or(MAX_AGE_MAX_S).min(MAX_AGE_MAX_S),
            fetched: now,
        })
    }

    /// Whether that host may be an exchanger of the domain (§4.1): a `*` stands for one label.
    pub(crate) fn names(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.mx.iter().any(|pattern| match pattern.strip_prefix("*.") {
            Some(parent) => host
                .split_once('.')
                .is_some_and(|(first, rest)| !first.is_empty() && rest == parent),
            None => *pattern == host,
        })
    }

    /// For a report: the lines as they were published, but for those that mean nothing here.
    pub(crate) fn told(&self, domain: &DomainName) -> Told {
        let mode = match self.mode {
            Mode::Enforce => "enforce",
            Mode::Testing => "testing",
            Mode::None => "none",
        };
        let mut lines = vec![
            "version: STSv1".to_owned(),
            format!("mode: {mode}"),
            format!("max_age: {}", self.max_age),
        ];
        lines.extend(self.mx.iter().map(|mx| format!("mx: {mx}")));
        Told::sts(domain, lines, &self.mx)
    }

    fn holds(&self, now: i64) -> bool {
        // A clock that was set back must not make a policy hold for ever.
        self.fetched <= now + MAX_AGE_MAX_S && now < self.fetched.saturating_add(self.max_age)
    }
}

/// What is known of one domain.
#[derive(Default)]
struct Known {
    state: Mutex<State>,
    /// Held by whom fetches.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// The file was looked for.
    read: bool,
    policy: Option<Arc<Policy>>,
    failed_at: Option<i64>,
    /// The DNS is not asked before that time.
    silent_until: i64,
}

impl Known {
    /// The policy, if it holds.
    fn policy(&self, now: i64) -> Option<Arc<Policy>> {
        let mut state = self.state.lock();
        state.policy = state.policy.take().filter(|policy| policy.holds(now));
        state.policy.clone()
    }

    fn is_to_be_fetched(&self, id: &str, now: i64) -> bool {
        let state = self.state.lock();
        let fresh = |policy: &Arc<Policy>| policy.id == id && now - policy.fetched < REFRESH_AFTER_S;
        let paused = state.failed_at.is_some_and(|at| now - at < FAILURE_PAUSE_S);
        !paused && !state.policy.as_ref().is_some_and(fresh)
    }
}

pub(crate) struct Sts {
    http: Http,
    disk: SharedDisk,
    dir: PathBuf,
    known: Mutex<HashMap<DomainName, Arc<Known>>>,
}

impl Sts {
    pub(crate) fn new(http: Http, disk: SharedDisk, dir: PathBuf) -> Self {
        Self {
            http,
            disk,
            dir,
            known: Mutex::default(),
        }
    }

    /// The policy of a domain as it holds now, if there is one, and what was just wrong with fetching it.
    pub(crate) async fn policy(
        &self,
        inner: &Inner,
        domain: &DomainName,
    ) -> (Option<Arc<Policy>>, Option<(Flaw, &'static str)>) {
        let known = self.known(domain);
        let is_read = known.state.lock().read;
        if !is_read {
            let read = self.read(domain).await.map(Arc::new);
            let mut state = known.state.lock();
            if !state.read {
                (state.policy, state.read) = (read, true);
            }
        }
        let held = known.policy(now());
        let Some(id) = self.id(inner, domain, &known).await else {
            // §5.1, §10.2: a record that went away ends no policy before its time.
            return (held, None);
        };
        if !known.is_to_be_fetched(&id, now()) {
            return (held, None);
        }
        let _alone = match known.fetching.try_lock() {
            Ok(alone) => alone,
            // What is known is good enough while somebody else fetches.
            Err(_) if held.is_some() => return (held, None),
            Err(_) => known.fetching.lock().await,
        };
        let now = now();
        if !known.is_to_be_fetched(&id, now) {
            return (known.policy(now), None);
        }
        let events = &inner.parts.events;
        let mut flaw = None;
        match self.fetch(domain, &id, now).await {
            Ok(policy) => {
                let event = StsPolicy {
                    domain: domain.to_string(),
                    hosts: policy.mx.join(", "),
                };
                events.emit(Scope::default(), event);
                self.write(domain, &policy).await;
                let mut state = known.state.lock();
                state.failed_at = None;
                state.policy = Some(Arc::new(policy));
            }
            Err((found, reason)) => {
                let event = StsFailed {
                    domain: domain.to_string(),
                    reason,
                };
                events.emit(Scope::default(), event);
                known.state.lock().failed_at = Some(now);
                flaw = Some((found, ""));
            }
        }
        (known.policy(now), flaw)
    }

    /// What the record in the DNS says. Servers that don't answer are not waited for by each message.
    async fn id(&self, inner: &Inner, domain: &DomainName, known: &Known) -> Option<String> {
        let silent_until = known.state.lock().silent_until;
        // A clock that was set back must not make it silent for ever.
        if (1..=SILENCE_S).contains(&(silent_until - now())) {
            return None;
        }
        let name = format!("_mta-sts.{domain}");
        match timeout(RECORD_TIMEOUT, inner.parts.dns.txt(&name)).await {
            Ok(Ok(records)) => id(&records),
            Ok(Err(DnsError::NoSuchDomain)) => None,
            Ok(Err(DnsError::Temporary(_))) | Err(_) => {
                known.state.lock().silent_until = now() + SILENCE_S;
                None
            }
        }
    }

    fn known(&self, domain: &DomainName) -> Arc<Known> {
        let mut all = self.known.lock();
        if all.len() >= POLICIES_MAX_COUNT && !all.contains_key(domain) {
            // What is in nobody's hands is read from the disk again.
            all.retain(|_, known| Arc::strong_count(known) > 1);
        }
        all.entry(domain.clone()).or_default().clone()
    }

    /// §3.3: HTTPS with a certificate for that name, the status 200, no redirection, a text.
    async fn fetch(&self, domain: &DomainName, id: &str, now: i64) -> Result<Policy, (Flaw, String)> {
        let unfetched = |reason: String| (Flaw::StsPolicyFetchError, reason);
        let url = format!("https://mta-sts.{domain}/.well-known/mta-sts.txt");
        let limits = Limits {
            total: FETCH_TIMEOUT,
            body_max_bytes: POLICY_MAX_BYTES,
            redirects_max_count: 0,
            ..Limits::default()
        };
        let request = Request::get(&url).map_err(|error| unfetched(error.to_string()))?;
        let answer = self.http.send(request, &limits).await;
        let answer = answer.map_err(|error| match error {
            // RFC 8460 §4.3.2.2
            HttpError::Certificate(_) => (Flaw::StsWebpkiInvalid, error.to_string()),
            error => unfetched(error.to_string()),
        })?;
        if answer.status != 200 {
            return Err(unfetched(format!("{url}: status {}", answer.status)));
        }
        let invalid = |what: &str| (Flaw::StsPolicyInvalid, format!("{url}: {what}"));
        if answer.content_type() != "text/plain" {
            return Err(invalid("not text/plain"));
        }
        let text = std::str::from_utf8(&answer.body).map_err(|_| invalid("no text"))?;
        Policy::parse(text, id, now).ok_or_else(|| invalid("no policy"))
    }

    async fn read(&self, domain: &DomainName) -> Option<Policy> {
        let (disk, path) = (self.disk.clone(), self.path(domain));
        let bytes = tokio::task::spawn_blocking(move || disk.read(&path)).await;
        serde_json::from_slice(&bytes.ok()?.ok()?).ok()
    }

    /// A policy that can't be kept on the disk still holds until the next start.
    async fn write(&self, domain: &DomainName, policy: &Policy) {
        let (disk, dir, path) = (self.disk.clone(), self.dir.clone(), self.path(domain));
        let Ok(json) = serde_json::to_vec(policy) else {
            return;
        };
        let _ = tokio::task::spawn_blocking(move || {
            disk.create_dir_all_synced(&dir)?;
            make_room(&disk, &dir, &path)?;
            disk.write_atomic(&path, &json)
        })
        .await;
    }

    /// With a prefix: a name such as `con` alone would be a device to Windows.
    fn path(&self, domain: &DomainName) -> PathBuf {
        self.dir.join(format!("policy-{domain}.json"))
    }
}

/// Removes policies that are over when there are too many; refuses if that is not enough.
fn make_room(disk: &SharedDisk, dir: &std::path::Path, path: &std::path::Path) -> std::io::Result<()> {
    if disk.exists(path)? || disk.read_dir(dir)?.len() < POLICIES_MAX_COUNT {
        return Ok(());
    }
    let now = now();
    for name in disk.read_dir(dir)? {
        let old = dir.join(name);
        let policy = disk
            .read(&old)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Policy>(&bytes).ok());
        if policy.is_none_or(|policy| !policy.holds(now)) {
            disk.remove_file(&old)?;
        }
    }
    if disk.read_dir(dir)?.len() < POLICIES_MAX_COUNT {
        return Ok(());
    }
    Err(std::io::ErrorKind::QuotaExceeded.into())
}

/// The id in the record of the DNS, if there is exactly one (§3.1).
fn id(records: &[Vec<u8>]) -> Option<String> {
    let mut found = records
        .iter()
        .filter_map(|record| std::str::from_utf8(record).ok())
        .filter(|record| {
            let mut fields = record.split(';').map(str::trim);
            fields.next() == Some("v=STSv1")
        });
    let (Some(record), None) = (found.next(), found.next()) else {
        return None;
    };
    let id = record
        .split(';')
        .filter_map(|field| field.trim().strip_prefix("id="))
        .map(str::trim)
        .next()?;
    let valid = !id.is_empty()
        && id.len() <= ID_LENGTH_MAX_BYTES
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    valid.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn policies_are_read_as_they_are_written() {
        let good = "version: STSv1\r\nmode: enforce\r\nmx: Mail.A.test\r\nmx: *.b.test\r\nmax_age: 604800\r\nother: 1\r\n";
        let policy = Policy::parse(good, "1", 100).unwrap();
        assert_eq!((policy.mode, policy.max_age), (Mode::Enforce, 604_800));
        for (host, named) in [
            ("mail.a.test", true),
            ("mail.a.test.", true),
            ("x.b.test", true),
            ("x.y.b.test", false),
            ("b.test", false),
            (".b.test", false),
            ("other.a.test", false),
        ] {
            assert_eq!(policy.names(host), named, "{host}");
        }
        assert!(policy.holds(100 + 604_799) && !policy.holds(100 + 604_800));
        for bad in [
            "",
            "<html>",
            "mode: enforce\nmx: a.test\nmax_age: 1",
            "version: STSv2\nmode: enforce\nmx: a.test\nmax_age: 1",
            "version: STSv1\nmode: perhaps\nmx: a.test\nmax_age: 1",
            "version: STSv1\nmode: enforce\nmax_age: 1",
            "version: STSv1\nmode: enforce\nmx: a.test\nmax_age: -1",
            "version: STSv1\nmode: enforce\nmx: a.test",
        ] {
            assert_eq!(Policy::parse(bad, "1", 0), None, "{bad}");
        }
        let none = Policy::parse("version: STSv1\nmode: none\nmax_age: 99999999999", "1", 0).unwrap();
        assert_eq!((none.mode, none.max_age), (Mode::None, MAX_AGE_MAX_S));
    }

    #[test]
    fn the_record_has_one_id() {
        let id = |records: &[&str]| id(&records.iter().map(|r| r.as_bytes().to_vec()).collect::<Vec<_>>());
        assert_eq!(id(&["v=STSv1; id=20260101T1;"]).unwrap(), "20260101T1");
        assert_eq!(id(&["other", "v=STSv1;id=a"]).unwrap(), "a");
        for bad in [
            &["v=STSv1; id=a", "v=STSv1; id=a"][..],
            &["v=STSv1"],
            &["v=STSv1; id="],
            &["v=STSv1; id=a b"],
            &["v=STSv10; id=a"],
        ] {
            assert_eq!(id(bad), None, "{bad:?}");
        }
    }
}
