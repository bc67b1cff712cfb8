//! Durable intake, what is still to be delivered, and the retry schedule.
//!
//! A message enters by [`Queue::commit`], whose [`Committed`] token is the only thing that can be turned into a 250. It is
//! delivered from memory as a rule; what waits long moves to `queue/waiting.db` and a text file, so that the journal can be trimmed.
//!
//! Must not know: how mail is delivered, who exists.

use std::path::PathBuf;
use std::sync::Arc;

use disk::SharedDisk;
use disk::blob::Blob;
use events::{Events, MessageId};
pub use journal::Committed;
use journal::Journal;
use serde::{Deserialize, Serialize};
use shared::Address;

/// The journal's kind bytes of this room's records.
pub const JOURNAL_KINDS: [journal::Kind; 2] = [journal::Kind(2), journal::Kind(3)];

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
    /// DSN's RET: `true` full, `false` headers only.
    pub return_full: Option<bool>,
    /// DSN's ENVID, xtext-decoded.
    pub envelope_id: Option<String>,
    pub session: u64,
    /// Unix seconds.
    pub received: i64,
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

/// The queue. Cheap to clone.
#[derive(Clone)]
pub struct Queue {
    _inner: Arc<()>,
}

/// A message on its way through delivery, with the recipients that are due. Dropped without `finish`, it is due again.
pub struct Job {
    pub id: MessageId,
    pub record: journal::RecordId,
    pub envelope: Arc<Envelope>,
    pub text: Blob,
    /// Indices into `envelope.recipients`.
    pub due: Vec<u32>,
    /// Attempts so far.
    pub attempts: u32,
}

/// What became of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Delivered { reply: String },
    /// For good; the sender is told by whoever reports this.
    Failed { reply: String },
    /// Try again; `at` in Unix seconds, `None`: by the schedule.
    PutOff { reply: String, at: Option<i64> },
}

impl Queue {
    /// Opens the queue and takes up what the replay and `waiting.db` hold.
    pub fn open(disk: SharedDisk, journal: Journal, replay: &[journal::Record], events: Events, options: Options) -> Result<Self, QueueError> {
        let _ = (disk, journal, replay, events, options);
        todo!()
    }

    /// Begins to take in a text of unknown size: small ones stay in memory, large ones go to a file.
    pub fn intake(&self) -> Intake {
        todo!()
    }

    /// Makes message and envelope durable. The message is due at once.
    pub async fn commit(&self, envelope: Envelope, text: Blob) -> Result<Committed, QueueError> {
        let _ = (envelope, text);
        todo!()
    }

    /// The next message with due recipients; waits for one. `None`: the queue was closed.
    pub async fn next(&self) -> Option<Job> {
        todo!()
    }

    /// Tells what became of the due recipients. Returns once that is as durable as it must be: a delivery to a mailbox needs no sync (the mailbox knows the key),
    /// an answer of a remote host does.
    pub async fn finish(&self, job: Job, outcomes: Vec<(u32, Outcome)>) -> Result<(), QueueError> {
        let _ = (job, outcomes);
        todo!()
    }

    pub async fn close(&self) {
        todo!()
    }
}

/// Collects a text; also used for IMAP's APPEND.
pub struct Intake {
    _private: (),
}

impl Intake {
    /// Adds bytes; past 64 KiB they go to a file, off the runtime's threads.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), QueueError> {
        let _ = bytes;
        todo!()
    }

    pub fn len(&self) -> u64 {
        todo!()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text; a file is synced with its directory before this returns.
    pub async fn finish(self) -> Result<Blob, QueueError> {
        todo!()
    }
}
