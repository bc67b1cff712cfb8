//! Mail of users that lies in mailboxes elsewhere: external accounts, visited by POP3 and IMAP as a client.
//!
//! Each account is visited at its interval, give or take a little, some at once; after a failure later and later. A message goes through the
//! queue's door like any other mail to the user's address, so that aliases, forwarding, rules and quota hold for it. Exactly once, as well as it can
//! be had: the message is durable, then the mark that it was fetched, and only then is it deleted over there; a crash between the first two
//! fetches it once more (QUIRKS.md).
//!
//! The other server is not trusted: every line, literal, count and time is bounded, and what is no answer ends the visit.
//!
//! Must not know: sessions of this server, how the queue keeps a message, how a mailbox does.

mod connect;
mod imap;
mod intake;
mod link;
mod login;
mod memory;
mod pop3;
mod problem;
mod schedule;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
mod tests;
mod visit;
mod visit_imap;
mod visit_pop3;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use directory::{ChangeError, Directory, ExternalAccount};
use dns::Dns;
use events::kinds::fetch::{ExternalFailed, ExternalFetched, ExternalRecovered};
use events::{Events, Scope};
use mailbox::Mailboxes;
use parking_lot::Mutex;
use queue::Queue;
use shared::external::ExternalState;
use shared::model::OwnerId;
use shared::protocol::ExternalAnswer;
use shared::{Address, Refusal};
use tls::Tls;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;

use memory::Memory;
use problem::Problem;
use schedule::Schedule;

/// Visits and tests by hand at the same time.
const BY_HAND_MAX_COUNT: usize = 8;

/// The rooms that fetching works with.
#[derive(Clone)]
pub struct Parts {
    pub queue: Queue,
    pub directory: Directory,
    pub mailboxes: Mailboxes,
    pub dns: Dns,
    pub tls: Tls,
    pub events: Events,
    pub timeouts: Timeouts,
}

/// How long another server is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub connect: Duration,
    /// Each answer, and each piece of one.
    pub answer: Duration,
    /// After that much of a visit no message is begun; what is left comes with the next one.
    pub visit: Duration,
    /// The visit's last message, beyond that.
    pub message: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            answer: Duration::from_mins(2),
            visit: Duration::from_mins(30),
            message: Duration::from_mins(30),
        }
    }
}

/// An account: its owner, and its name in lower case.
pub(crate) type Key = (OwnerId, String);

/// The running service. Cheap to clone.
#[derive(Clone)]
pub struct Fetch {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) parts: Parts,
    pub(crate) schedule: Schedule,
    /// Those that are visited now, with the account's revision that the visit knows: the newest there will be, until it was read.
    running: Mutex<HashMap<Key, u64>>,
    /// Whenever one of them is over.
    ended: Notify,
    by_hand: Semaphore,
    /// Trials of accounts, which must not wait for visits.
    tests: Semaphore,
    visits: AtomicU64,
    pub(crate) stopped: watch::Sender<bool>,
    tasks: Mutex<JoinSet<()>>,
}

impl Fetch {
    pub fn start(parts: Parts) -> Self {
        let inner = Arc::new(Inner {
            parts,
            schedule: Schedule::default(),
            running: Mutex::default(),
            ended: Notify::new(),
            by_hand: Semaphore::new(BY_HAND_MAX_COUNT),
            tests: Semaphore::new(BY_HAND_MAX_COUNT),
            visits: AtomicU64::new(0),
            stopped: watch::Sender::new(false),
            tasks: Mutex::default(),
        });
        inner.spawn(schedule::run(inner.clone()));
        Self { inner }
    }

    /// How it stands with an account. `key`: the name in lower case.
    pub async fn state(&self, owner: OwnerId, key: &str) -> Result<ExternalState, ChangeError> {
        let kept = self.inner.parts.directory.external_state(owner, key).await?;
        let place = (owner, key.to_owned());
        let mut state = Memory::parse(kept.as_deref()).state;
        state.is_running = self.inner.running(&place).is_some();
        state.next_visit = self.inner.schedule.due(&place);
        Ok(state)
    }

    /// Visits an account now and waits for the end of that, or, without `wait`, begins it. One that is visited already is not visited twice.
    pub async fn now(&self, user: &Address, name: &str, wait: bool) -> Result<ExternalState, ChangeError> {
        let account = self.account(user, name).await?;
        let (owner, key) = (account.owner, account.key);
        let place = (owner, key.clone());
        let ended = self.inner.ended.notified();
        let mut ended = std::pin::pin!(ended);
        ended.as_mut().enable();
        let mut other = self.inner.running(&place);
        let mut is_answer = other.is_some();
        while wait && let Some(revision) = other {
            // That visit is the answer, unless it knows an older password.
            is_answer = revision >= account.external.revision;
            ended.as_mut().await;
            ended.set(self.inner.ended.notified());
            ended.as_mut().enable();
            other = self.inner.running(&place);
        }
        if is_answer {
            return self.state(owner, &key).await;
        }
        let inner = self.inner.clone();
        let (told, end) = tokio::sync::oneshot::channel();
        // A caller that goes away ends no visit.
        self.inner.spawn(async move {
            let permit = inner.by_hand.acquire().await;
            inner.visit(place).await;
            drop(permit);
            // Perhaps nobody waits.
            let _ = told.send(());
        });
        if wait {
            // A visit that panicked has left the state as it was.
            let _ = end.await;
        }
        self.state(owner, &key).await
    }

    /// Connects and logs in, and takes nothing.
    pub async fn test(&self, user: &Address, name: &str) -> Result<ExternalAnswer, ChangeError> {
        let account = self.account(user, name).await?;
        let _permit = self.inner.tests.acquire().await;
        Ok(visit::test(&self.inner, &account).await)
    }

    /// Ends the service: visits under way have that long to come to a good end.
    pub async fn close(&self, patience: Duration) {
        self.inner.stopped.send_replace(true);
        let mut tasks = std::mem::take(&mut *self.inner.tasks.lock());
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, all).await.is_err() {
            tasks.shutdown().await;
        }
    }

    async fn account(&self, user: &Address, name: &str) -> Result<ExternalAccount, ChangeError> {
        let directory = &self.inner.parts.directory;
        let unknown = |code: &str, name: &str| Refusal::new(code).with("name", name);
        let known = directory.account(user).await?;
        let known = known.ok_or_else(|| unknown("user-unknown", &user.to_string()))?;
        let found = directory
            .external(known.owner, &name.trim().to_lowercase())
            .await?;
        Ok(found.ok_or_else(|| unknown("external-unknown", name))?)
    }
}

impl Inner {
    /// Runs a task that `close` waits for; once it does, none begins. A panic costs one visit.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock();
        if *self.stopped.borrow() {
            return;
        }
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    fn running(&self, place: &Key) -> Option<u64> {
        self.running.lock().get(place).copied()
    }

    pub(crate) fn next_visit(&self) -> u64 {
        self.visits.fetch_add(1, Ordering::Relaxed)
    }

    /// Visits an account and tells what came of it, unless it is visited already, or can't be read now: however that is, it has a next turn.
    pub(crate) async fn visit(&self, place: Key) {
        let Some(running) = Running::begin(self, &place) else {
            // If that visit knows an older password, it does not count; if not, it says itself when the next one is.
            self.schedule.put_off(&place);
            return;
        };
        let (owner, key) = &place;
        let directory = &self.parts.directory;
        let account = match directory.external(*owner, key).await {
            Ok(Some(account)) => account,
            // It was removed, then it has no turn any more; or its user is not there now.
            Ok(None) => return self.schedule.skipped(&place),
            Err(_) => return self.schedule.put_off(&place),
        };
        running.knows(account.external.revision);
        let Ok(kept) = directory.external_state(*owner, key).await else {
            return self.schedule.put_off(&place);
        };
        let mut memory = Memory::parse(kept.as_deref());
        if memory.revision != account.external.revision {
            // What failed may have been mended.
            memory.revision = account.external.revision;
            memory.state.failures = 0;
            memory.aside.clear();
        }
        memory.state.fetched = 0;
        memory.state.fetched_bytes = 0;
        let done = visit::visit(self, &account, &mut memory).await;
        self.tell(&account, &mut memory, done);
        let kept = directory
            .keep_external(&account, &[], &[], Some(&memory.render()))
            .await;
        if let Ok(true) = kept {
            directory.tell_external(&account);
        }
        self.schedule
            .visited(&place, account.external.revision, memory.state.failures);
    }

    fn tell(&self, account: &ExternalAccount, memory: &mut Memory, done: Result<Option<Problem>, Problem>) {
        let (user, name) = (account.external.user.to_string(), account.external.name.clone());
        let host = account.external.host.clone();
        let state = &mut memory.state;
        state.last_visit = now();
        let events = &self.parts.events;
        if state.fetched > 0 {
            let event = ExternalFetched {
                user: user.clone(),
                account: name.clone(),
                host: host.clone(),
                messages: state.fetched,
                bytes: state.fetched_bytes,
            };
            events.emit(Scope::default(), event);
        }
        let had = state.problem.take();
        // A visit that came to its end is none that failed, though people are told what it met.
        state.failures = if done.is_ok() {
            0
        } else {
            state.failures.saturating_add(1)
        };
        let Some(problem) = done.unwrap_or_else(Some) else {
            state.last_success = state.last_visit;
            if had.is_some() {
                let event = ExternalRecovered {
                    user,
                    account: name,
                    host,
                };
                events.emit(Scope::default(), event);
            }
            return;
        };
        let refusal = problem.refusal();
        if had.is_none_or(|had| had.code != refusal.code) {
            let reason = problem.to_string();
            let event = ExternalFailed {
                user,
                account: name,
                host,
                reason,
            };
            events.emit(Scope::default(), event);
        }
        state.problem = Some(refusal);
    }
}

/// An account is visited as long as this lives.
struct Running<'a> {
    inner: &'a Inner,
    place: Key,
}

impl<'a> Running<'a> {
    fn begin(inner: &'a Inner, place: &Key) -> Option<Self> {
        match inner.running.lock().entry(place.clone()) {
            Entry::Occupied(_) => None,
            Entry::Vacant(free) => {
                free.insert(u64::MAX);
                Some(Self {
                    inner,
                    place: place.clone(),
                })
            }
        }
    }

    fn knows(&self, revision: u64) {
        self.inner.running.lock().insert(self.place.clone(), revision);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.inner.running.lock().remove(&self.place);
        self.inner.ended.notify_waiters();
    }
}

/// Unix seconds.
pub(crate) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64)
}
