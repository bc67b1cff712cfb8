//! Folders, messages, flags, UIDs and MODSEQs, rights, quota, search and the change feed: the only writer of mailboxes.
//!
//! One owner (user, group, public tree) is one SQLite database `mail/ab/<owner>/mail.db`, with large texts in files
//! beside it. Everything that changes an owner is one logical record in the `journal` with its outcome stated (UIDs and
//! MODSEQs included), applied to the database in the order of the journal; the database is a view of the journal that
//! a replay can finish. See `replay.rs` for what a crash leaves in each state.
//!
//! | file | what |
//! |---|---|
//! | `core.rs`, `slot.rs` | the workers, and the queue of jobs of each owner |
//! | `store.rs`, `schema.rs`, `sqlite.rs` | an open mailbox; its tables; how SQLite is set |
//! | `uids.rs`, `uidset.rs`, `memory.rs` | which UIDs a folder has, in the database and in memory; what changed last |
//! | `ctx.rs`, `record.rs`, `apply.rs` | deciding, writing and applying an operation |
//! | `write/`, `read/` | the operations |
//! | `index.rs`, `index/` | the index of texts for BODY and TEXT searches |
//! | `texts.rs`, `saved.rs`, `threads.rs` | small and large texts; dates of saving; threads |
//! | `feed.rs` | what happens in a mailbox, for those who watch all of it |
//! | `shares.rs` | folders and rights that others look at |
//! | `shown.rs` | a text as a client sees it |
//! | `keys.rs` | what searching and sorting need of headers |
//! | `durability.rs`, `replay.rs` | what is synced when; what a crash leaves |
//! | `check.rs` | finding and repairing damage |
//!
//! Numbers. MODSEQs are the one row of numbers of an owner: folders and texts take theirs from it too. They and the UIDs are given from blocks whose
//! reservation was durable before, so none is ever given twice, whatever was lost.
//!
//! Must not know: sessions, the wire, who may log in.

mod apply;
mod check;
mod codec;
mod core;
mod ctx;
mod durability;
mod feed;
mod glance;
mod index;
mod keys;
mod linger;
mod memory;
mod names;
mod owner;
mod read;
mod record;
mod replay;
mod saved;
mod schema;
mod shares;
mod shown;
mod slot;
mod sqlite;
mod store;
#[cfg(test)]
mod tests;
mod texts;
mod threads;
mod trouble;
mod types;
mod uids;
mod uidset;
mod write;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use disk::SharedDisk;
use disk::blob::Blob;
use events::Events;
use journal::{Journal, Record};
use parking_lot::Mutex;
pub use shared::model::OwnerId;
pub use wire::imap::Flags;

use crate::core::Core;
use crate::durability::Durability;
pub use feed::{Feed, Granted, HAPPENINGS_MAX, Happening, Missed, Origin, Told, Touched};
pub use owner::{Fetching, Owner};
pub use shown::{Reader, Shown};
pub use types::*;
pub use uidset::UidSet;

/// The journal's kind byte of this room's records.
pub const JOURNAL_KIND: journal::Kind = journal::Kind(1);
/// Keywords that one folder may know.
pub const KEYWORDS_PER_FOLDER_MAX: usize = 64;
/// Annotations of one folder that everybody shares, and those that one user has there.
pub const ANNOTATIONS_MAX: usize = 100;
/// Texts above this many bytes lie in files of their own.
pub const SMALL_TEXT_MAX_BYTES: usize = 64 * 1024;
/// Databases held open unless the options say otherwise.
const OPEN_OWNERS_MAX: usize = 500;
/// Bytes of a write-ahead log unless the options say otherwise.
const LOG_MAX_BYTES: u64 = 4 << 20;
/// [`Options::linger`].
const LINGER: Duration = Duration::from_millis(100);

/// Why a mailbox could not do what was asked. Everything else is the caller's "try again later".
#[derive(Debug, Clone, thiserror::Error)]
pub enum MailboxError {
    #[error("no such folder")]
    NoSuchFolder,
    #[error("the folder exists already")]
    FolderExists,
    #[error("this folder can't be changed so: {0}")]
    NotAllowed(&'static str),
    #[error("invalid folder name")]
    InvalidName,
    #[error("over quota")]
    OverQuota,
    #[error("too many keywords in this folder")]
    TooManyKeywords,
    /// A named limit of the owner is reached.
    #[error("{0}")]
    TooMany(&'static str),
    #[error("the mailbox can't be reached now: {0}")]
    Unavailable(String),
    /// The disk is full; nothing was done.
    #[error("the mailbox can't be reached now: {0}")]
    Full(String),
    /// A sync failed: nothing is taken any more until the room is opened anew.
    #[error("the mailbox can't be reached now: {0}")]
    SyncFailed(String),
    /// The store is damaged for this owner; others are served.
    #[error("the mailbox is damaged: {0}")]
    Damaged(String),
}

pub type Result<T> = std::result::Result<T, MailboxError>;

/// The text of a message in one of the queue's records.
pub type QueuedText = Arc<dyn Fn(&Record) -> Option<Blob> + Send + Sync>;

#[derive(Clone)]
pub struct Options {
    /// `<data>/mail`.
    pub dir: PathBuf,
    /// Databases held open at most.
    pub open_owners_max: usize,
    /// Worker threads; 0: twice the cores.
    pub workers: usize,
    /// SQLite's VFS by name; `None`: its own default (the real disk).
    pub vfs: Option<String>,
    /// The write-ahead log of a mailbox is folded into its database beyond this many bytes.
    pub log_max_bytes: u64,
    /// A transaction waits so long for further jobs of its owner before it is committed; zero: not at all.
    pub linger: Duration,
    /// [`journal::Replay::epoch`].
    pub epoch: u64,
    /// Deliveries of the replay find their texts by it: `queue::text_of`.
    pub queued_text: Option<QueuedText>,
}

impl Options {
    /// The usual ones for this directory.
    pub fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            open_owners_max: OPEN_OWNERS_MAX,
            workers: 0,
            vfs: None,
            log_max_bytes: LOG_MAX_BYTES,
            linger: LINGER,
            epoch: 0,
            queued_text: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Options")
            .field("dir", &self.dir)
            .field("open_owners_max", &self.open_owners_max)
            .field("workers", &self.workers)
            .field("vfs", &self.vfs)
            .field("log_max_bytes", &self.log_max_bytes)
            .field("linger", &self.linger)
            .field("epoch", &self.epoch)
            .field("queued_text", &self.queued_text.is_some())
            .finish()
    }
}

/// All mailboxes. Cheap to clone.
#[derive(Clone)]
pub struct Mailboxes {
    handle: Arc<Handle>,
}

/// Ends the workers with the last of the handles.
pub(crate) struct Handle {
    pub(crate) core: Arc<Core>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.core.stop();
    }
}

impl Mailboxes {
    /// Opens the room and replays this room's records. [`Options::epoch`] is the journal's: an owner that has not seen it
    /// passes over the UIDs and MODSEQs of its reserved blocks. Blocks; `replay` holds all rooms' records in their order.
    pub fn open(
        disk: SharedDisk,
        journal: Journal,
        replay: &[Record],
        events: Events,
        options: Options,
    ) -> Result<Self> {
        replay::check(replay)?;
        disk.create_dir_all_synced(&options.dir)?;
        // Made by a process that died, the name may not be durable yet.
        if let Some(above) = options.dir.parent() {
            disk.sync_dir(above)?;
        }
        // Its number says where the journal is now: messages before it that are not in the replay are not in the journal any more.
        let mut head = Vec::new();
        let mark = journal.append(
            JOURNAL_KIND,
            &record::encode(OwnerId(0), now(), &record::Op::Mark, &mut head),
        )?;
        journal.release(mark);
        let oldest = replay.first().map_or(mark, |record| record.id.min(mark));
        let durability = Arc::new(Durability::new(Arc::clone(&disk), events.clone(), oldest.0));
        let workers = match options.workers {
            0 => 2 * std::thread::available_parallelism().map_or(2, usize::from),
            workers => workers,
        };
        let trimmed = Arc::clone(&durability);
        journal.after_trim(Box::new(move |below| trimmed.after_trim(below)));
        let trimming = Arc::clone(&durability);
        let core = Arc::new(Core::new(disk, journal, events, options, durability));
        let settling = Arc::downgrade(&core);
        core.journal.on_trim(Box::new(move |below| {
            trimming.pass(below);
            match settling.upgrade() {
                Some(core) => core.settle_all()?,
                None => trimming.check_closed()?,
            }
            trimming.sync_all()
        }));
        let mut threads = Vec::with_capacity(workers);
        for number in 0..workers {
            let core = Arc::clone(&core);
            let thread = std::thread::Builder::new().name(format!("mailbox-{number}"));
            threads.push(thread.spawn(move || core.work())?);
        }
        let settling = Arc::clone(&core);
        let thread = std::thread::Builder::new().name("mailbox-settle".to_owned());
        threads.push(thread.spawn(move || settling.settle_when_due())?);
        let indexing = Arc::clone(&core);
        let thread = std::thread::Builder::new().name("mailbox-index".to_owned());
        threads.push(thread.spawn(move || index::run(&indexing))?);
        let handle = Arc::new(Handle {
            core,
            threads: Mutex::new(threads),
        });
        replay::replay(&handle.core, replay);
        Ok(Self { handle })
    }

    /// A handle on an owner's mailbox; nothing is opened yet. A mailbox that has never been used is made with its INBOX and
    /// the usual folders (Drafts, Sent, Junk, Trash, Archive with their special uses) at its first use.
    pub fn owner(&self, id: OwnerId) -> Owner {
        Owner {
            handle: Arc::clone(&self.handle),
            slot: self.handle.core.slot(id),
            origin: 0,
        }
    }

    /// [`Self::deliver_known`] for a message that has had no record but this one.
    pub async fn deliver(&self, owner: OwnerId, delivery: Delivery) -> Result<Appended> {
        let known = Known {
            first: delivery.message,
            needed: Arc::new(Needed {
                below: u64::MAX,
                ids: Vec::new(),
            }),
        };
        self.deliver_known(owner, delivery, known).await
    }

    /// No record of the journal below this one will be replayed. For [`Needed::below`], which must not be newer than what is known of the
    /// messages in the queue: ask this first.
    pub fn trimmed(&self) -> u64 {
        self.handle.core.durability.trimmed()
    }

    /// Puts a queued message into an owner's folder (created if missing; `None`: INBOX) and returns when it is visible. Idempotent: the
    /// same key is delivered once, also after a crash. Does not wait for a sync: the queue's record carries durability until then. (A
    /// message whose record is not in the journal any more is made durable here.)
    pub async fn deliver_known(&self, owner: OwnerId, delivery: Delivery, known: Known) -> Result<Appended> {
        let core = &self.handle.core;
        let slot = core.slot(owner);
        let (appended, record) = core
            .run(&slot, move |ctx| write::deliver::deliver(ctx, delivery, known))
            .await?;
        if let Some(record) = record {
            let _durable = core.journal.durable(record).await?;
        }
        Ok(appended)
    }

    /// Owners that have a mailbox on the disk.
    pub fn owners(&self) -> Result<Vec<OwnerId>> {
        let core = &self.handle.core;
        let mut owners = Vec::new();
        for bucket in core.disk.read_dir(&core.options.dir)? {
            let bucket = core.options.dir.join(bucket);
            if !core.disk.metadata(&bucket)?.is_dir {
                continue;
            }
            let names = core.disk.read_dir(&bucket)?;
            owners.extend(
                names
                    .iter()
                    .filter_map(|name| u64::from_str_radix(name, 16).ok())
                    .map(OwnerId),
            );
        }
        owners.sort_unstable();
        Ok(owners)
    }

    /// Waits until a sync fails, after which nothing is taken until the room is opened anew; the cause.
    pub async fn until_failed(&self) -> String {
        self.handle.core.durability.until_failed().await
    }

    /// Whether texts are indexed for searches. Off: the indices that exist stay as they are, and are not asked.
    pub fn set_indexing(&self, on: bool) {
        self.handle.core.index.set_on(on);
    }

    /// Applies and syncs everything, closes the databases.
    pub async fn close(&self) {
        let handle = Arc::clone(&self.handle);
        let closed = tokio::task::spawn_blocking(move || {
            handle.core.index.stop();
            handle.core.finish();
            // What could not be committed stays in the journal: then the stop is not a clean one, and the next start applies it.
            if handle.core.settle_all().is_ok() {
                handle.core.durability.close();
            }
            // A failure was told; the journal keeps the records.
            let _ = handle.core.durability.sync_all();
            handle.core.close_all();
            handle.core.stop();
            let threads = std::mem::take(&mut *handle.threads.lock());
            for thread in threads {
                let _ = thread.join();
            }
        });
        let _ = closed.await;
    }
}

/// Unix seconds.
pub(crate) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64)
}
