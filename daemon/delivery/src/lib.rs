//! From the queue to mailboxes, to other hosts, or back to the sender.
//!
//! A worker takes a [`Job`], resolves its due recipients and delivers to the mailboxes here; many workers run at once, and the mailboxes put
//! together what arrives for one owner. What is for other hosts goes on in a task of its own under a limit, so that slow hosts hold nobody else up.
//!
//! What must not happen twice is keyed: a mailbox knows record and target (always 0: the keys are each owner's own, and an owner gets a
//! message once however many addresses lead there); what a message causes (bounces, reports, forwarded copies) is committed together with marks
//! on its cause; what a remote host took is made durable before the next host is tried.
//!
//! Confessed: a text with 8-bit bytes goes as it is to a host that does not offer 8BITMIME (RFC 6152 §3 would have it converted or
//! returned); such hosts are old and take it, and the mail is worth more than the rule.
//!
//! Must not know: sessions of the server, how the queue or a mailbox keeps things.

mod aggregate;
mod asking;
mod client;
mod explain;
mod hosts;
mod local;
mod pool;
mod process;
mod remote;
mod report;
mod security;
mod session;
mod seven_bit;
mod sign;
mod sts;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
mod tests;
mod text;
mod transaction;
mod turns;
mod vacation;
mod verdict;
mod way;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use directory::Directory;
use disk::SharedDisk;
use dns::Dns;
use events::Events;
use http::Http;
use mailbox::Mailboxes;
use parking_lot::Mutex;
use queue::{Job, Queue, Schedule};
use shared::Address;
use shared::protocol::{RouteAnswer, ServiceState};
use tls::Tls;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

pub use aggregate::ReportError;
use hosts::Hosts;
use pool::Pool;
use sts::Sts;

/// Messages that are delivered to mailboxes at the same time.
pub const WORKERS: usize = 128;
/// Messages for other hosts that wait in memory for their turn; further ones wait in the queue.
pub const REMOTE_BACKLOG_MAX: usize = 4000;

/// The rooms that delivery works with.
#[derive(Clone)]
pub struct Parts {
    pub queue: Queue,
    pub directory: Directory,
    pub mailboxes: Mailboxes,
    pub dns: Dns,
    pub tls: Tls,
    pub disk: SharedDisk,
    pub events: Events,
    /// The password for `outgoing.smarthost-user`, asked for when it is needed.
    pub smarthost_password: Arc<dyn Fn() -> Option<String> + Send + Sync>,
    pub timeouts: Timeouts,
    /// For policies of other domains.
    pub http: Http,
    /// Where those are kept; made when it is needed.
    pub sts_dir: PathBuf,
}

/// How long another host is waited for (RFC 5321 §4.5.3.2).
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub connect: Duration,
    pub greeting: Duration,
    /// EHLO, MAIL, RCPT, AUTH, STARTTLS and the TLS handshake.
    pub command: Duration,
    pub data_start: Duration,
    /// Each block of the text.
    pub data_block: Duration,
    /// The answer to the end of the text.
    pub data_end: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        Self {
            connect: Duration::from_secs(30),
            greeting: minutes(5),
            command: minutes(5),
            data_start: minutes(2),
            data_block: minutes(3),
            data_end: minutes(10),
        }
    }
}

/// Figures for the monitor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Messages that are being worked on.
    pub active: u64,
    /// Messages worked on since the start.
    pub total: u64,
    /// Most messages that are worked on at once.
    pub max: u64,
}

/// The running service `delivery`. Cheap to clone.
#[derive(Clone)]
pub struct Delivery {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) parts: Parts,
    pub(crate) asking: asking::Asking,
    pub(crate) hosts: Hosts,
    pub(crate) signers: sign::Signers,
    pub(crate) gathered: aggregate::Gathered,
    /// Held while reports are sent.
    pub(crate) reporting: tokio::sync::Mutex<()>,
    pub(crate) answering: vacation::Answering,
    pub(crate) pool: Pool,
    pub(crate) sts: Sts,
    /// Why DANE can't be used, as it was told last.
    pub(crate) dane_trouble: Mutex<Option<String>>,
    pub(crate) turns: turns::Turns,
    /// Which messages the mailboxes must remember, as it was when the journal had been trimmed up to that record.
    pub(crate) needed: Mutex<(u64, Arc<mailbox::Needed>)>,
    state: watch::Sender<ServiceState>,
    pub(crate) stopped: watch::Sender<bool>,
    tasks: Mutex<JoinSet<()>>,
    active: AtomicU64,
    total: AtomicU64,
    pub(crate) backlog: Arc<Semaphore>,
    pub(crate) outgoing: Arc<Semaphore>,
    outgoing_permits: AtomicU64,
}

impl Delivery {
    /// Starts the workers.
    pub fn start(parts: Parts) -> Self {
        let concurrency = parts.directory.settings().number("outgoing.concurrency").max(1);
        let sts = Sts::new(parts.http.clone(), parts.disk.clone(), parts.sts_dir.clone());
        let inner = Arc::new(Inner {
            parts,
            asking: asking::Asking::default(),
            hosts: Hosts::default(),
            signers: sign::Signers::default(),
            gathered: aggregate::Gathered::default(),
            reporting: tokio::sync::Mutex::default(),
            answering: vacation::Answering::default(),
            pool: Pool::default(),
            sts,
            dane_trouble: Mutex::new(None),
            turns: turns::Turns::default(),
            needed: Mutex::new((0, Arc::new(mailbox::Needed::UNKNOWN))),
            state: watch::Sender::new(ServiceState::Running),
            stopped: watch::Sender::new(false),
            tasks: Mutex::new(JoinSet::new()),
            active: AtomicU64::new(0),
            total: AtomicU64::new(0),
            backlog: Arc::new(Semaphore::new(REMOTE_BACKLOG_MAX)),
            outgoing: Arc::new(Semaphore::new(concurrency as usize)),
            outgoing_permits: AtomicU64::new(concurrency),
        });
        inner.take_settings();
        for _ in 0..WORKERS {
            inner.spawn(work(inner.clone()));
        }
        inner.spawn(follow_settings(inner.clone()));
        inner.spawn(aggregate::keep(inner.clone()));
        inner.spawn(aggregate::run(inner.clone()));
        Self { inner }
    }

    pub fn state(&self) -> ServiceState {
        *self.inner.state.borrow()
    }

    /// Paused and stopped: no message is taken from the queue; what is under way comes to its end.
    pub fn set_state(&self, state: ServiceState) {
        self.inner.state.send_replace(state);
    }

    pub fn figures(&self) -> Figures {
        let outgoing = self.inner.outgoing_permits.load(Ordering::Relaxed);
        Figures {
            active: self.inner.active.load(Ordering::Relaxed),
            total: self.inner.total.load(Ordering::Relaxed),
            max: WORKERS as u64 + outgoing,
        }
    }

    /// Hosts that could not be reached are tried now, not after their rest: somebody wants mail to go at once.
    pub fn wake_hosts(&self) {
        self.inner.hosts.wake();
    }

    /// Where mail for that address would go now; without a sender: a bounce.
    pub async fn route(&self, sender: Option<&Address>, recipient: &Address) -> RouteAnswer {
        explain::explain(&self.inner, sender, recipient).await
    }

    /// Ends the service: what is under way has that long to come to its end, then it is given back to the queue.
    pub async fn close(&self, patience: Duration) {
        self.inner.stopped.send_replace(true);
        // From here on nothing is added.
        let mut tasks = std::mem::take(&mut *self.inner.tasks.lock());
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, all).await.is_err() {
            tasks.shutdown().await;
        }
    }
}

impl Inner {
    /// Runs a task that `close` waits for; once it does, none begins: what the task holds, such as a job, is given back.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock();
        if *self.stopped.borrow() {
            return;
        }
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Counts a message as long as the guard lives.
    pub(crate) fn count(self: &Arc<Self>) -> Active {
        self.active.fetch_add(1, Ordering::Relaxed);
        Active(self.clone())
    }

    fn take_settings(&self) {
        let settings = self.parts.directory.settings();
        self.parts.queue.set_schedule(Schedule::from_settings(&settings));
        let wanted = settings.number("outgoing.concurrency").max(1);
        let had = self.outgoing_permits.swap(wanted, Ordering::Relaxed);
        if wanted > had {
            self.outgoing.add_permits((wanted - had) as usize);
        } else {
            let removed = self.outgoing.forget_permits((had - wanted) as usize) as u64;
            // Those in use can't be taken away now; the figure stays true.
            self.outgoing_permits
                .fetch_add(had - wanted - removed, Ordering::Relaxed);
        }
    }
}

/// Counts a message while it is worked on.
pub(crate) struct Active(Arc<Inner>);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn work(inner: Arc<Inner>) {
    let mut state = inner.state.subscribe();
    let mut stopped = inner.stopped.subscribe();
    loop {
        let running = *state.borrow_and_update() == ServiceState::Running;
        let job = tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => return,
            changed = state.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
            job = inner.parts.queue.next(), if running => job,
        };
        let Some(job) = job else { return };
        inner.total.fetch_add(1, Ordering::Relaxed);
        run(&inner, job).await;
    }
}

/// A panic costs this message's try, not the worker.
async fn run(inner: &Arc<Inner>, job: Job) {
    let message = job.id;
    let work = process::process(inner, job, inner.count());
    let reason = match caught(work).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(panic) => panic,
    };
    let fault = events::kinds::server::InternalFault {
        place: "delivery".to_owned(),
        reason,
    };
    inner.parts.events.emit(events::Scope::message(message), fault);
}

/// What comes of it, or what a panic in it said. Not a task of its own, which would go from thread to thread with each message.
pub(crate) async fn caught<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let mut work = std::pin::pin!(work);
    // What panicked is not polled again.
    let polled = std::future::poll_fn(|context| {
        let poll = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        poll.map_or_else(|panic| Poll::Ready(Err(panic)), |poll| poll.map(Ok))
    });
    polled.await.map_err(|panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        text.unwrap_or("a panic").to_owned()
    })
}

async fn follow_settings(inner: Arc<Inner>) {
    let mut changes = inner.parts.directory.changes();
    let mut stopped = inner.stopped.subscribe();
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            change = changes.recv() => match change {
                Ok(change) if matches!(change.kind.as_str(), "dkim" | "domain") => inner.signers.forget(),
                Ok(change) if change.kind != "setting" => {}
                Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {
                    inner.signers.forget();
                    inner.take_settings();
                }
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
            },
        }
    }
}

/// Unix seconds.
pub(crate) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64)
}
