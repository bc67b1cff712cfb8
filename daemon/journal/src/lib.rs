//! TODO head.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use disk::SharedDisk;

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

/// What was found when the journal was opened; an iterator over every record from the trim mark on, in order.
/// Each of them holds its segment until it is released.
#[derive(Debug)]
pub struct Replay {
    /// Whether the last stop was a clean one ([`Journal::close`]).
    pub clean: bool,
    /// Rises at every unclean open.
    pub epoch: u64,
    /// Records that were durable once and can't be read any more: what was found instead.
    pub damage: Vec<Damage>,
}

/// A place in the log where durable records are damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub file: String,
    /// Records lost: from this one …
    pub first: RecordId,
    /// … to this one.
    pub last: RecordId,
}

impl Iterator for Replay {
    type Item = Result<Record, JournalError>;
    fn next(&mut self) -> Option<Self::Item> {
        todo!()
    }
}

/// Limits and times.
#[derive(Clone, Debug)]
pub struct Options {
    /// Size of the first segment of an empty journal, in bytes.
    pub segment_bytes_first: u64,
    /// Size to which segments grow under load, in bytes.
    pub segment_bytes_max: u64,
    /// Largest payload of one record, in bytes.
    pub record_bytes_max: usize,
    /// Bytes appended and not yet written; `commit` waits for room, `append` says [`JournalError::Busy`].
    pub in_flight_bytes_max: usize,
    /// Released segments that are kept for reuse.
    pub spare_segments_max: usize,
    /// A record that nobody waits for is synced after this time at the latest.
    pub idle_sync: Duration,
}

/// Figures for the monitor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Records appended since the open.
    pub records: u64,
    /// Payload bytes appended since the open.
    pub bytes: u64,
    /// Syncs since the open.
    pub syncs: u64,
    /// Segments that hold records that are not trimmed.
    pub segments: usize,
    /// Bytes of all segments on the disk, spare ones included.
    pub disk_bytes: u64,
    /// The oldest record that is not released: what holds the oldest segment.
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
    /// No space for a further segment. Nothing was written.
    #[error("no space is left for the journal")]
    Full,
    /// Too much is in flight. Nothing was written.
    #[error("the journal is busy")]
    Busy,
    /// The payload is larger than [`Options::record_bytes_max`].
    #[error("a record of {0} bytes is too large for the journal")]
    TooLarge(usize),
    /// The record is not in the journal (any more), or is damaged.
    #[error("record {} is not in the journal", .0.0)]
    Unknown(RecordId),
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
    /// Opening or reading failed.
    #[error("journal: {what}: {error}")]
    Io { what: &'static str, error: Arc<io::Error> },
}

/// An open journal; cheap to clone. The last clone dropped without [`Journal::close`] is an unclean stop.
#[derive(Clone, Debug)]
pub struct Journal {}

/// Called before records below the id are trimmed.
pub type OnTrim = Box<dyn Fn(RecordId) -> io::Result<()> + Send + Sync>;
/// Called after the trim below the id is durable.
pub type AfterTrim = Box<dyn Fn(RecordId) + Send + Sync>;

impl Journal {
    /// Opens the journal in `dir` (made if missing).
    pub fn open(disk: SharedDisk, dir: &Path, options: Options) -> Result<(Journal, Replay), JournalError> {
        todo!()
    }

    /// Takes a record (the parts follow one another) and returns at once. Ids are in the order of the log. The
    /// record holds its segment until [`Journal::release`]. It is durable only when [`Journal::durable`] says so.
    pub fn append(&self, kind: Kind, payload: &[&[u8]]) -> Result<RecordId, JournalError> {
        todo!()
    }

    /// Appends, waiting for room, and returns when the record is durable. One sync serves all who wait.
    /// If the future is dropped, the record may be written or not.
    pub async fn commit(&self, kind: Kind, payload: &[&[u8]]) -> Result<Committed, JournalError> {
        todo!()
    }

    /// Waits until an appended record is durable, and sees to it that it soon is.
    pub async fn durable(&self, id: RecordId) -> Result<Committed, JournalError> {
        todo!()
    }

    /// The same for a thread that may block; never on a tokio worker.
    pub fn durable_blocking(&self, id: RecordId) -> Result<Committed, JournalError> {
        todo!()
    }

    /// Holds a live record once more: it needs one more [`Journal::release`].
    pub fn pin(&self, id: RecordId) {
        todo!()
    }

    /// The effects of the record are applied (not necessarily synced): its segment may go as soon as the
    /// callbacks of [`Journal::on_trim`] have made them durable.
    pub fn release(&self, id: RecordId) {
        todo!()
    }

    /// Adds a callback on the trimmer's thread, called before all records below the id are given up: it makes
    /// their effects durable. An error puts the trim off; the callback is asked again later. After a failed sync it must
    /// go on failing until its room was opened anew: a second sync would succeed without having written.
    pub fn on_trim(&self, callback: OnTrim) {
        todo!()
    }

    /// Adds a callback on the trimmer's thread, called when the trim is durable: no record below the id will ever
    /// be replayed again.
    pub fn after_trim(&self, callback: AfterTrim) {
        todo!()
    }

    /// Trims what can be trimmed now, up to the oldest record that is not released. Blocks.
    pub fn trim(&self) -> Result<(), JournalError> {
        todo!()
    }

    /// The payload of a record that is not released. Blocks for a read of the disk.
    pub fn read(&self, id: RecordId) -> Result<Bytes, JournalError> {
        todo!()
    }

    /// Whether a write or sync failed; then nothing is acknowledged any more.
    pub fn failed(&self) -> bool {
        todo!()
    }

    /// Syncs, trims, and marks the stop as clean. Blocks. Later calls of the other methods say
    /// [`JournalError::Closed`].
    pub fn close(&self) -> Result<(), JournalError> {
        todo!()
    }

    /// Figures for the monitor.
    pub fn stats(&self) -> Stats {
        todo!()
    }
}
