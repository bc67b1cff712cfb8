//! An append-only log of opaque records, shared by the rooms above: one sync makes many records durable.
//!
//! A room appends a record, waits for its [`Committed`], tells the peer, applies the record's effects where they
//! belong, and releases the record. When all records of a segment are released, the rooms are asked to make the
//! effects durable ([`Journal::on_trim`]); then the segment is used again. After a crash everything that was not trimmed
//! is replayed, so effects must bear being applied twice.
//!
//! This room must not know what a record means, and knows nothing of mail.
//!
//! # On the disk
//!
//! ```text
//! mark            clean?  trim_below  next  epoch  crc        replaced as a whole
//! segment-NNNNNN  [ header, 512 bytes | record | record | … | zeros, or records of the file's last use ]
//!   header        magic  id  first  previous_last  trim_below  epoch  crc
//!   record        magic  payload_bytes  id  segment  durable  kind  payload_crc  header_crc | payload | padding to 8
//! ```
//!
//! - A segment is a file of zeros, or one that was trimmed, so that a write changes no metadata and needs no space. Its
//!   `id` rises with each use; a record that carries another segment's id is a leftover.
//! - The next segment is begun only when the one before is synced to its end. `previous_last` says where that end
//!   is, so that what an unclean open gave up stays given up.
//! - A record's `durable` says up to where the log was synced when it was written. That tells damage (reported, what
//!   follows is replayed) from a torn end (what follows was never committed, and is given up).
//! - Ids rise by one. An unclean open jumps far ahead of any id that could have been given and lost. The jump is
//!   durable (`next`) before an id is given from it.
//!
//! # What a crash leaves
//!
//! | when | what the next open finds |
//! |---|---|
//! | record queued, or written and not synced | the record or not; nobody was told. A record behind a torn one is given up |
//! | synced, not released | the record is replayed |
//! | released, not trimmed | the record is replayed; its effects may or may not be there |
//! | callbacks done, mark not durable | the same |
//! | mark durable, segment not reused | the segment is spare |
//! | segment begun, nothing synced in it | the file's earlier use, which is trimmed, or an empty segment |
//! | a file made and not begun | blank: removed |
//! | closed | clean; only what was not released is replayed |
//!
//! After a failed write or sync nobody knows what is on the disk: the journal stops acknowledging, and the next open
//! reads what is there, writes the unsynced end once more, and syncs it before it is replayed.

mod format;
mod keeper;
mod live;
mod open;
mod read;
mod scan;
mod segment;
mod state;
#[cfg(test)]
mod tests;
mod writer;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use disk::SharedDisk;
use parking_lot::Mutex;
use tokio::sync::oneshot;

pub use read::Replay;
pub use state::Told;
use state::{Door, Inner, Waiter};

/// Number of a record: strictly rising in the order of the log, never given twice, also over crashes and trims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub u64);

/// What kind of record it is; means something to the rooms above only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind(pub u8);

/// Proof that a record is durable. Only this crate can make one.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a record is committed in order to tell somebody"]
pub struct Committed {
    id: RecordId,
}

impl Committed {
    /// The record that is durable.
    pub fn id(&self) -> RecordId {
        self.id
    }
}

/// A record as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub id: RecordId,
    pub kind: Kind,
    pub payload: Bytes,
}

/// A place in the journal where something durable is damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file; empty if it is missing.
    pub file: String,
    /// Records lost: from this one …
    pub first: RecordId,
    /// … to this one. Both 0: a header or the mark, and perhaps no record.
    pub last: RecordId,
}

/// Limits and times.
#[derive(Clone, Debug)]
pub struct Options {
    /// Size of the first segment of an empty journal, in bytes.
    pub segment_bytes_first: u64,
    /// Size to which segments grow under load, in bytes. A larger record gets a segment of its own.
    pub segment_bytes_max: u64,
    /// Largest payload of one record, in bytes.
    pub record_bytes_max: usize,
    /// Bytes appended and not yet written; `commit` waits for room, `append` says [`JournalError::Busy`].
    pub in_flight_bytes_max: usize,
    /// Trimmed segments that are kept for reuse.
    pub spare_segments_max: usize,
    /// A record that nobody waits for is synced after this time at the latest.
    pub idle_sync: Duration,
    /// The first id of a journal that has no files. At least 1.
    pub first_id: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            segment_bytes_first: 4 << 20,
            segment_bytes_max: 32 << 20,
            record_bytes_max: 64 << 20,
            in_flight_bytes_max: 32 << 20,
            spare_segments_max: 3,
            idle_sync: Duration::from_millis(500),
            first_id: 1,
        }
    }
}

/// Figures for the monitor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Records appended since the open.
    pub records: u64,
    /// Bytes appended since the open, headers included.
    pub bytes: u64,
    /// Syncs since the open.
    pub syncs: u64,
    /// Segments that hold records that are not trimmed, or are being written.
    pub segments: usize,
    /// Bytes of all segments on the disk, spare ones included.
    pub disk_bytes: u64,
    /// The oldest record that is not released: it holds its segment and all later ones.
    pub oldest_live: Option<RecordId>,
    /// Trims since the open.
    pub trims: u64,
}

/// Why the journal did not do it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JournalError {
    /// A write or sync failed: nothing is acknowledged any more until the journal is opened anew.
    #[error("the journal stopped after a failed write: {0}")]
    Failed(Arc<str>),
    /// No space for a further segment. Nothing was taken.
    #[error("no space is left for the journal")]
    Full,
    /// Too much is in flight. Nothing was taken.
    #[error("the journal is busy")]
    Busy,
    /// The payload is larger than [`Options::record_bytes_max`].
    #[error("a record of {0} bytes is too large for the journal")]
    TooLarge(usize),
    /// The record is not held by the journal, or is damaged.
    #[error("record {} is not in the journal", .0.0)]
    Unknown(RecordId),
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
    /// The disk said no, while opening, reading or trimming.
    #[error("journal: can't {what}: {error}")]
    Io {
        what: &'static str,
        error: Arc<io::Error>,
    },
}

/// Called with the id below which records are about to be given up.
pub type OnTrim = Box<dyn Fn(RecordId) -> io::Result<()> + Send + Sync>;
/// Called with the id below which no record will ever be replayed.
pub type AfterTrim = Box<dyn Fn(RecordId) + Send + Sync>;

/// An open journal; cheap to clone. The last clone dropped without [`Journal::close`] is an unclean stop. Callbacks
/// should hold their room by a weak reference, or neither will ever be dropped.
#[derive(Clone, Debug)]
pub struct Journal {
    handle: Arc<Handle>,
}

/// Ends the threads with the last clone.
#[derive(Debug)]
struct Handle {
    inner: Arc<Inner>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Journal {
    /// Opens the journal in `dir` (made if missing). Every record of the replay is held until it is released.
    pub fn open(disk: SharedDisk, dir: &Path, options: Options) -> Result<(Journal, Replay), JournalError> {
        let first_id = options.first_id.max(1);
        let (inner, replay) = open::open(disk, dir, Options { first_id, ..options })?;
        let inner = Arc::new(inner);
        let writer = {
            let state = inner.state.lock();
            let active = state.segments.back().cloned().ok_or(JournalError::Closed)?;
            writer::Writer::new(Arc::clone(&inner), active, state.written)
        };
        let journal = Journal {
            handle: Arc::new(Handle {
                inner: Arc::clone(&inner),
                threads: Mutex::default(),
            }),
        };
        let keeper = Arc::clone(&inner);
        journal.handle.spawn("journal-writer", move || writer.run())?;
        journal
            .handle
            .spawn("journal-keeper", move || keeper::run(&keeper))?;
        Ok((journal, replay))
    }

    /// Takes a record (the parts follow one another) and returns at once. Ids are in the order of the log. The record holds
    /// its segment until [`Journal::release`]. It is durable only when [`Journal::durable`] says so.
    pub fn append(&self, kind: Kind, payload: &[&[u8]]) -> Result<RecordId, JournalError> {
        let mut record = self.inner().prepare(kind, payload)?;
        self.inner().enqueue(&mut record, None, false).map(RecordId)
    }

    /// The same for a record whose sync somebody will wait for: it is begun at once, while the caller goes on.
    pub fn append_to_sync(&self, kind: Kind, payload: &[&[u8]]) -> Result<RecordId, JournalError> {
        let mut record = self.inner().prepare(kind, payload)?;
        self.inner().enqueue(&mut record, None, true).map(RecordId)
    }

    /// Appends, waiting for room, and returns when the record is durable. One sync serves all who wait. If the future is
    /// dropped, the record may be in the log or not, and would be held for ever: let it run to its end.
    pub async fn commit(&self, kind: Kind, payload: &[&[u8]]) -> Result<Committed, JournalError> {
        let mut record = self.inner().prepare(kind, payload)?;
        let (id, outcome) = loop {
            let room = self.inner().room.notified();
            tokio::pin!(room);
            // Before the try, so that no room that is made meanwhile is missed.
            room.as_mut().enable();
            let (sender, receiver) = oneshot::channel();
            match self
                .inner()
                .enqueue(&mut record, Some(Waiter::Task(sender)), false)
            {
                Ok(id) => break (RecordId(id), receiver),
                Err(JournalError::Busy) => room.await,
                Err(error) => return Err(error),
            }
        };
        outcome.await.map_err(|_| JournalError::Closed)??;
        Ok(Committed { id })
    }

    /// Waits until an appended record is durable, and sees to it that it soon is.
    pub async fn durable(&self, id: RecordId) -> Result<Committed, JournalError> {
        let outcome = {
            let mut state = self.inner().state.lock();
            if id.0 <= state.durable {
                return Ok(Committed { id });
            }
            if let Door::Failed(cause) = &state.door {
                return Err(JournalError::Failed(Arc::clone(cause)));
            }
            if id.0 >= state.next {
                return Err(JournalError::Unknown(id));
            }
            let (sender, receiver) = oneshot::channel();
            state.waiters.push((id.0, Waiter::Task(sender)));
            self.inner().hurry(&mut state);
            receiver
        };
        outcome.await.map_err(|_| JournalError::Closed)??;
        Ok(Committed { id })
    }

    /// Has `told` called when an appended record is durable: at once if it is, else on the writer's thread, which `told` must not hold up.
    pub fn when_durable(&self, id: RecordId, told: Told) {
        let mut state = self.inner().state.lock();
        let outcome = match &state.door {
            _ if id.0 <= state.durable => Ok(()),
            Door::Failed(cause) => Err(JournalError::Failed(Arc::clone(cause))),
            _ if id.0 >= state.next => Err(JournalError::Unknown(id)),
            _ => {
                state.waiters.push((id.0, Waiter::Call(told)));
                if state.sync_to < id.0 {
                    self.inner().hurry(&mut state);
                }
                return;
            }
        };
        drop(state);
        told(outcome);
    }

    /// The same when it is in the log's file: it outlives this process then, but not a power cut.
    pub fn when_written(&self, id: RecordId, told: Told) {
        let mut state = self.inner().state.lock();
        let outcome = match &state.door {
            _ if id.0 <= state.written => Ok(()),
            Door::Failed(cause) => Err(JournalError::Failed(Arc::clone(cause))),
            _ if id.0 >= state.next => Err(JournalError::Unknown(id)),
            _ => {
                state.write_waiters.push((id.0, Waiter::Call(told)));
                self.inner().hurry(&mut state);
                return;
            }
        };
        drop(state);
        told(outcome);
    }

    /// The same for a thread that may block; never on a worker of the runtime.
    pub fn durable_blocking(&self, id: RecordId) -> Result<Committed, JournalError> {
        let mut state = self.inner().state.lock();
        while id.0 > state.durable {
            if let Door::Failed(cause) = &state.door {
                return Err(JournalError::Failed(Arc::clone(cause)));
            }
            if id.0 >= state.next {
                return Err(JournalError::Unknown(id));
            }
            state.sync_to = state.sync_to.max(id.0);
            self.inner().hurry(&mut state);
            self.inner().done.wait(&mut state);
        }
        Ok(Committed { id })
    }

    /// Holds a held record once more: it needs one more [`Journal::release`].
    pub fn pin(&self, id: RecordId) {
        self.inner().state.lock().live.pin(id.0);
    }

    /// The effects of the record are applied (not necessarily synced): its segment may go as soon as the callbacks of
    /// [`Journal::on_trim`] have made them durable.
    pub fn release(&self, id: RecordId) {
        let mut state = self.inner().state.lock();
        if state.live.release(id.0)
            && state
                .segments
                .get(1)
                .is_some_and(|next| next.header.first <= state.trim_target())
        {
            drop(state);
            self.inner().chores.notify_one();
        }
    }

    /// Adds a callback, called before all records below the id are given up: it makes their effects durable. An error puts
    /// the trim off, and the callback is asked again later. After a failed sync it must go on failing until its room
    /// was opened anew: a second sync would succeed without having written. It may append, and must not call
    /// [`Journal::trim`] or [`Journal::close`].
    pub fn on_trim(&self, callback: OnTrim) {
        self.inner().on_trim.lock().push(Arc::new(callback));
    }

    /// Adds a callback, called when a trim is durable: no record below the id will ever be replayed again.
    pub fn after_trim(&self, callback: AfterTrim) {
        self.inner().after_trim.lock().push(Arc::new(callback));
    }

    /// Trims what can be trimmed now, up to the oldest record that is held. Blocks.
    pub fn trim(&self) -> Result<(), JournalError> {
        self.inner().state.lock().check()?;
        keeper::trim(self.inner(), keeper::How::Now)
    }

    /// The payload of a held record. Blocks for a read of the disk.
    pub fn read(&self, id: RecordId) -> Result<Bytes, JournalError> {
        let (segment, offset) = {
            let mut state = self.inner().state.lock();
            loop {
                if let Some(place) = state.find(id.0)? {
                    break place;
                }
                if let Door::Failed(cause) = &state.door {
                    return Err(JournalError::Failed(Arc::clone(cause)));
                }
                self.inner().hurry(&mut state);
                self.inner().done.wait(&mut state);
            }
        };
        Ok(read::read_record(&segment, offset, id)?.payload)
    }

    /// Waits until a write or sync fails, after which nothing is acknowledged any more; the cause.
    pub async fn until_failed(&self) -> Arc<str> {
        loop {
            let failed = self.inner().failed.notified();
            if let Door::Failed(cause) = &self.inner().state.lock().door {
                return Arc::clone(cause);
            }
            failed.await;
        }
    }

    /// Whether a write or sync failed; then nothing is acknowledged any more.
    pub fn failed(&self) -> bool {
        matches!(self.inner().state.lock().door, Door::Failed(_))
    }

    /// Syncs, trims, and marks the stop as clean. Blocks. Nothing is taken any more, from any clone. If a callback
    /// fails, the stop is not a clean one.
    pub fn close(&self) -> Result<(), JournalError> {
        {
            let mut state = self.inner().state.lock();
            state.check()?;
            state.door = Door::Closed;
        }
        self.handle.stop();
        let trimmed = keeper::trim(self.inner(), keeper::How::AndClose);
        *self.inner().lock.lock() = None;
        trimmed
    }

    /// Figures for the monitor.
    pub fn stats(&self) -> Stats {
        let state = self.inner().state.lock();
        let files = state
            .segments
            .iter()
            .map(|segment| &segment.file)
            .chain(&state.spares);
        Stats {
            records: state.records,
            bytes: state.bytes,
            syncs: state.syncs,
            segments: state.segments.len(),
            disk_bytes: files.map(|file| file.bytes).sum(),
            oldest_live: state.live.oldest().map(RecordId),
            trims: state.trims,
        }
    }

    fn inner(&self) -> &Arc<Inner> {
        &self.handle.inner
    }
}

impl Handle {
    fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), JournalError> {
        let inner = Arc::clone(&self.inner);
        let guarded = move || {
            if catch_unwind(AssertUnwindSafe(run)).is_err() {
                inner.fail("a thread of the journal", &"it panicked");
            }
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(guarded);
        self.threads
            .lock()
            .push(thread.map_err(|error| JournalError::io("start a thread", error))?);
        Ok(())
    }

    /// Lets the writer finish what was taken, and both threads end.
    fn stop(&self) {
        self.inner.state.lock().stop = true;
        self.inner.wake_all();
        let threads = std::mem::take(&mut *self.threads.lock());
        for thread in threads {
            // A callback may hold the last clone: a thread cannot wait for itself.
            if thread.thread().id() != std::thread::current().id() {
                // A panic was caught and told already.
                let _ = thread.join();
            }
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop();
        *self.inner.lock.lock() = None;
    }
}
