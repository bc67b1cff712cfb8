//! Durable intake, what is still to be delivered, and the retry schedule.
//!
//! A message enters by [`Queue::commit`], whose [`Committed`] token is the only thing that can be turned into a 250. It is
//! delivered from memory as a rule; what waits long moves to `queue/waiting.db`, so that the journal can be trimmed.
//!
//! Must not know: how mail is delivered, who exists.
//!
//! # The states of a message, and what a crash leaves in each
//!
//! | state | where it is | after a crash |
//! |---|---|---|
//! | taken in | memory; a text above 64 KiB in `queue/large/<random>` | gone; nobody was told 250; the file is removed at open, since nothing names it |
//! | committed | a journal record of kind 2 (envelope, states, small text or the large file's name) and memory | replayed: due again at once |
//! | in delivery | the same, lent out as a [`Job`] | the same. A mailbox knows the message by its id, and takes nothing twice; what a remote host answered is in a record of kind 3 ([`Queue::progress`]) and is not tried again; a message that this one caused (bounce, forwarded copy) carries the marks of its cause in its own record, so that it is not made twice |
//! | waiting | a row of `waiting.db` that names the record it came from; before the row is durable, so is the journal with what mailboxes took of the message | the row and the record may both be there: the row wins over a record that is not newer. A record of kind 3 (`gone`) says the same and lets the record be released |
//! | revived | the retry is due: a new record of kind 2 under the old message id, then the row is deleted, then it is lent out. While the row can't be deleted (a full disk), the message is lent out to nobody and its row is not touched | the row and the newer record may both be there: the record wins, the row is deleted at open |
//! | done | a record of kind 3 (`gone`), the record released | not taken up again |
//!
//! So every message in delivery is a live journal record: its mailbox deliveries need no sync of their own, because the record
//! (and the large file that it names) stays until the journal is trimmed, which asks the mailboxes to sync first. A record of kind 3 is
//! released at once: it has a higher number than what it speaks of, so it cannot be trimmed before it.
//!
//! A message keeps its [`MessageId`] (its first record's number) for life; its record changes with each revival.
//!
//! [`Queue::open`] releases records: open the mailboxes first, so that a trim asks them.

mod admin;
mod again;
mod failure;
mod files;
mod finish;
mod formats;
mod intake;
mod list;
mod live;
mod looks;
mod record;
mod replay;
mod route;
mod rows;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
mod waiting;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use disk::SharedDisk;
use disk::blob::Blob;
use events::{Events, MessageId};
pub use formats::check_formats;
pub use intake::Intake;
pub use journal::Committed;
use journal::{Journal, JournalError, RecordId};
use serde::{Deserialize, Serialize};
use shared::Address;

pub use admin::Counts;
pub use again::Again;
use live::{Inner, Ticket};
pub use record::text_of;

/// The journal's kind bytes of this room's records: messages, and what became of them.
pub const JOURNAL_KINDS: [journal::Kind; 2] = [KIND_MESSAGE, KIND_STEP];
pub(crate) const KIND_MESSAGE: journal::Kind = journal::Kind(2);
pub(crate) const KIND_STEP: journal::Kind = journal::Kind(3);
/// Texts above this many bytes lie in files of their own.
pub const SMALL_TEXT_MAX_BYTES: usize = 64 * 1024;
/// A reply is kept up to this many bytes.
pub const REPLY_MAX_BYTES: usize = 1000;
/// How long a commit waits for room in memory before the text is left to the journal alone.
const COMMIT_WAIT_MAX: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, thiserror::Error)]
pub enum QueueError {
    #[error("the queue can't take mail now: {0}")]
    Unavailable(String),
    #[error("no such message")]
    NoSuchMessage,
}

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    Smtp,
    Submission,
    Lmtp,
    /// From a mailbox elsewhere: whoever wrote it sent it there, and hears nothing of what becomes of it here.
    Fetched,
    /// The server wrote it (bounce, warning, vacation).
    Server,
}

/// The envelope of a message (RFC 5321 §2.3.1, RFC 3461).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// `None`: the null reverse-path.
    pub sender: Option<Address>,
    pub recipients: Vec<Recipient>,
    pub origin: Origin,
    /// Who logged in.
    pub user: Option<Address>,
    pub smtputf8: bool,
    pub eight_bit: bool,
    /// It leaves over verified TLS only, or not at all (RFC 8689).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_tls: bool,
    /// Where it goes in the mailbox of its one recipient, if that is not INBOX.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// DSN's RET: `true` full, `false` headers only.
    pub return_full: Option<bool>,
    /// DSN's ENVID, xtext-decoded.
    pub envelope_id: Option<String>,
    pub session: u64,
    /// Unix seconds.
    pub received: i64,
}

impl Envelope {
    /// Of a message that the server writes itself: with the null reverse-path, and nobody hears that it did not arrive.
    pub fn from_server(to: &[Address], session: u64, received: i64) -> Self {
        let recipient = |address: &Address| Recipient {
            address: address.clone(),
            notify: Some(Notify::default()),
            original: None,
        };
        Self {
            sender: None,
            recipients: to.iter().map(recipient).collect(),
            origin: Origin::Server,
            user: None,
            smtputf8: !to.iter().all(Address::is_ascii),
            eight_bit: false,
            require_tls: false,
            folder: None,
            return_full: None,
            envelope_id: None,
            session,
            received,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    pub address: Address,
    /// DSN's NOTIFY; `None`: the default (failure, delay).
    pub notify: Option<Notify>,
    /// DSN's ORCPT as it came.
    pub original: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    pub success: bool,
    pub failure: bool,
    pub delay: bool,
}

#[derive(Clone, Debug)]
pub struct Options {
    /// `<data>/queue`.
    pub dir: PathBuf,
    /// SQLite's VFS by name; `None`: the real disk.
    pub vfs: Option<String>,
    /// Bytes of accepted texts held in memory until delivered; beyond it `commit` waits.
    pub memory_max_bytes: usize,
}

/// The queue. Cheap to clone. When the last clone is dropped without [`Queue::close`], it ends as if the process had been killed: at once, and what was not
/// durable is lost.
#[derive(Clone)]
pub struct Queue {
    inner: Arc<Inner>,
    _handles: Arc<Handles>,
}

/// Lives as long as any handle on the queue, whoever else holds what is inside (jobs, work that goes on by itself).
struct Handles(Arc<Inner>);

impl Drop for Handles {
    fn drop(&mut self) {
        self.0.closed.store(true, Ordering::Release);
        self.0.ready.notify_waiters();
        self.0.waiting.abandon();
    }
}

/// A message on its way through delivery, with the recipients that are due. Dropped without `finish`, it is due again.
pub struct Job {
    pub id: MessageId,
    pub record: RecordId,
    pub envelope: Arc<Envelope>,
    pub text: Blob,
    /// Indices into `envelope.recipients`.
    pub due: Vec<u32>,
    /// Attempts so far.
    pub attempts: u32,
    /// Where an administrator sends it, whatever its recipients' domains say: `host` or `host:port`.
    pub route: Option<String>,
    /// What delivery noted of this message earlier (see [`Queue::commit_from`] and [`Job::mark`]).
    pub marks: Vec<String>,
    ticket: Ticket,
}

impl Job {
    /// The record that the message came in with: its id. `record` is another one after each time that it was put off.
    pub fn first_record(&self) -> RecordId {
        RecordId(self.id.0)
    }

    /// Notes something that must not be done twice; kept with the next `progress` or `finish` and for as long as the message lives.
    pub fn mark(&mut self, mark: String) {
        if !self.has_mark(&mark) {
            self.marks.push(mark);
        }
    }

    pub fn has_mark(&self, mark: &str) -> bool {
        self.marks.iter().any(|known| known == mark)
    }

    /// Whether an administrator removed the message, perhaps since it was taken: then every recipient is to fail. Says whether the sender is
    /// to be told.
    pub fn removal(&self) -> Option<bool> {
        self.ticket.removal()
    }
}

/// What became of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It lies in a mailbox here, which knows the key: needs no sync.
    Stored,
    /// Another host took it.
    Delivered { reply: String },
    /// For good; the sender is told by whoever reports this.
    Failed { reply: String },
    /// Try again; `at` in Unix seconds, `None`: by the schedule.
    PutOff { reply: String, at: Option<i64> },
    /// Not tried for want of room: comes again without counting as an attempt. Unix seconds.
    NotTried { at: i64 },
}

/// When a message that was put off is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Seconds to the first retry; doubles with each one.
    pub first_s: u64,
    /// Most seconds between two tries.
    pub max_s: u64,
    /// Seconds after which a message is given up.
    pub lifetime_s: u64,
}

impl Schedule {
    pub fn from_settings(settings: &shared::settings::Settings) -> Self {
        Self {
            first_s: settings.number("queue.retry-first"),
            max_s: settings.number("queue.retry-max"),
            lifetime_s: settings.number("queue.lifetime"),
        }
    }

    /// When to try again after that many attempts (this one included); `None`: the lifetime is over.
    pub fn next_try(&self, received: i64, attempts: u32, now: i64) -> Option<i64> {
        let doublings = attempts.saturating_sub(1).min(32);
        let pause = self
            .first_s
            .max(1)
            .saturating_mul(1 << doublings)
            .min(self.max_s.max(self.first_s).max(1));
        let end = received.saturating_add_unsigned(self.lifetime_s);
        if now >= end {
            return None;
        }
        // The last try is at the end of the lifetime, not before.
        Some(now.saturating_add_unsigned(pause).min(end))
    }
}

impl Queue {
    /// Opens the queue and takes up what the replay and `waiting.db` hold.
    pub fn open(
        disk: SharedDisk,
        journal: Journal,
        replay: &[journal::Record],
        events: Events,
        options: Options,
    ) -> Result<Self, QueueError> {
        let inner = replay::open(disk, journal, replay, events, options)?;
        let handles = Arc::new(Handles(inner.clone()));
        Ok(Self {
            inner,
            _handles: handles,
        })
    }

    /// Begins to take in a text of unknown size: small ones stay in memory, large ones go to a file.
    pub fn intake(&self) -> Intake {
        Intake::new(self.inner.files.clone())
    }

    /// The schedule for what is put off without a time.
    pub fn set_schedule(&self, schedule: Schedule) {
        self.inner.state.lock().schedule = schedule;
    }

    pub fn schedule(&self) -> Schedule {
        self.inner.state.lock().schedule
    }

    /// Makes message and envelope durable. The message is due at once. Waits while too many texts are in memory, but not for ever: after a
    /// while the text is left to the journal and read back when it is delivered.
    pub async fn commit(&self, envelope: Envelope, text: Blob) -> Result<Committed, QueueError> {
        let _taking_in = live::TakingIn::new(&self.inner);
        let cost = record::memory_cost(&envelope, &text);
        let permit = match self.inner.permit(cost) {
            Some(permit) => Some(permit),
            None => tokio::time::timeout(COMMIT_WAIT_MAX, self.inner.permit_wait(cost))
                .await
                .ok()
                .flatten(),
        };
        self.inner.admit(envelope, text, None, permit).await
    }

    /// Whether somebody waits now for a message to be taken in.
    pub fn is_taking_in(&self) -> bool {
        self.inner.taking_in.load(Ordering::Relaxed) > 0
    }

    /// Makes a message durable that another one caused (a bounce, a forwarded copy) and notes the marks with the cause, in one step: after
    /// a crash the cause comes back with these marks and need not do it again. Never waits for memory.
    pub async fn commit_from(
        &self,
        job: &mut Job,
        marks: &[String],
        envelope: Envelope,
        text: Blob,
    ) -> Result<Committed, QueueError> {
        let cost = record::memory_cost(&envelope, &text);
        let permit = self.inner.permit(cost);
        let cause = record::Cause {
            id: job.id.0,
            marks: marks.to_vec(),
        };
        let committed = self.inner.admit(envelope, text, Some(cause), permit).await?;
        for mark in marks {
            job.mark(mark.clone());
        }
        self.inner.keep_marks(job);
        Ok(committed)
    }

    /// The next message with due recipients; waits for one. `None`: the queue was closed.
    pub async fn next(&self) -> Option<Job> {
        loop {
            let notified = self.inner.ready.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if self.inner.closed.load(Ordering::Acquire) {
                return None;
            }
            let Some(taken) = self.inner.take() else {
                notified.await;
                continue;
            };
            if let Some(job) = taken.into_job(&self.inner).await {
                return Some(job);
            }
        }
    }

    /// Makes durable what became of some of the due recipients while others are still being tried: after a crash they are not tried again.
    /// Outcomes other than `Stored`, `Delivered` and `Failed` are left to `finish`.
    pub async fn progress(&self, job: &mut Job, outcomes: &[(u32, Outcome)]) -> Result<(), QueueError> {
        finish::progress(&self.inner, job, outcomes).await
    }

    /// Tells what became of the due recipients. Returns once that is as durable as it must be: a delivery to a mailbox needs no sync (the mailbox knows the key),
    /// an answer of a remote host does.
    pub async fn finish(&self, job: Job, outcomes: Vec<(u32, Outcome)>) -> Result<(), QueueError> {
        finish::finish(&self.inner, job, outcomes).await
    }

    /// Stops lending out messages and closes `waiting.db`. The journal stays open.
    pub async fn close(&self) {
        self.inner.closed.store(true, Ordering::Release);
        self.inner.ready.notify_waiters();
        self.inner.waiting.close().await;
    }
}

/// Unix seconds.
pub(crate) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64)
}

impl From<JournalError> for QueueError {
    fn from(error: JournalError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// A failed call to the disk.
pub(crate) fn unavailable(what: &str, error: &dyn std::fmt::Display) -> QueueError {
    QueueError::Unavailable(format!("{what}: {error}"))
}

/// Cuts a reply to what is kept of it.
pub(crate) fn shorten(mut reply: String) -> String {
    if reply.len() > REPLY_MAX_BYTES {
        let mut end = REPLY_MAX_BYTES;
        while !reply.is_char_boundary(end) {
            end -= 1;
        }
        reply.truncate(end);
    }
    reply
}
