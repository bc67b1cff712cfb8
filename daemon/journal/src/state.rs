//! What the callers, the writer and the keeper share.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use disk::{Lock, SharedDisk};
use parking_lot::{Condvar, Mutex};
use tokio::sync::{Notify, oneshot};

use crate::format::{Mark, begin_record, record_bytes};
use crate::live::{Live, Place};
use crate::segment::{Segment, SegmentFile};
use crate::{AfterTrim, JournalError, Kind, OnTrim, Options};

/// Ids that may be given and not be durable; fewer than [`ID_JUMP`], so that a jump passes all that were lost.
pub(crate) const UNSYNCED_RECORDS_MAX: u64 = 1 << 19;

/// How far the ids jump at an unclean open.
pub(crate) const ID_JUMP: u64 = 1 << 24;

/// A payload from here on asks the disk for space before it is taken.
const LARGE_RECORD_BYTES: usize = 1 << 20;

/// Called with a record's fate, on the writer's thread as a rule.
pub type Told = Box<dyn FnOnce(Result<(), JournalError>) + Send>;

/// Who waits for a record.
pub(crate) enum Waiter {
    Task(oneshot::Sender<Result<(), JournalError>>),
    Call(Told),
}

impl Waiter {
    pub(crate) fn tell(self, outcome: Result<(), JournalError>) {
        match self {
            // Whoever does not wait any more need not be told.
            Self::Task(sender) => drop(sender.send(outcome)),
            Self::Call(told) => told(outcome),
        }
    }
}

impl std::fmt::Debug for Waiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waiter")
    }
}

/// A record on its way to the writer.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) id: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Whether the journal takes records.
#[derive(Clone, Debug)]
pub(crate) enum Door {
    Open,
    /// Closing or closed.
    Closed,
    /// A write failed.
    Failed(Arc<str>),
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) door: Door,
    pub(crate) next: u64,
    /// Highest id that is in its segment's file, synced or not.
    pub(crate) written: u64,
    /// Highest id that is synced.
    pub(crate) durable: u64,
    pub(crate) queue: Vec<Queued>,
    /// Somebody waits for what is queued.
    pub(crate) urgent: bool,
    /// The writer looks at the queue by itself soon.
    pub(crate) writer_looks: bool,
    /// Bytes of records that are not written yet, those in the writer's hands included.
    pub(crate) queued_bytes: u64,
    /// Who waits until a record is synced.
    pub(crate) waiters: Vec<(u64, Waiter)>,
    /// Who waits until a record is in its segment's file.
    pub(crate) write_waiters: Vec<(u64, Waiter)>,
    /// Somebody wants everything up to here synced, and does not wait in `waiters`.
    pub(crate) sync_to: u64,
    pub(crate) live: Live,
    /// Oldest first; the last one is written to.
    pub(crate) segments: VecDeque<Segment>,
    pub(crate) spares: Vec<SegmentFile>,
    /// Bytes left in the last segment.
    pub(crate) room: u64,
    /// The writer needs a segment of at least so many bytes now; 0: it does not.
    pub(crate) wanted: u64,
    /// The last try to make a segment failed: take only what fits.
    pub(crate) no_space: bool,
    /// Size of the next segment that is made.
    pub(crate) next_bytes: u64,
    /// Number of the next file that is made.
    pub(crate) next_number: u32,
    pub(crate) mark: Mark,
    /// Target of the last trim: the mark, or where it will be a round later.
    pub(crate) trimmed: u64,
    /// The writer and the keeper end when they see it.
    pub(crate) stop: bool,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    pub(crate) syncs: u64,
    pub(crate) trims: u64,
}

pub(crate) struct Inner {
    pub(crate) disk: SharedDisk,
    pub(crate) directory: PathBuf,
    pub(crate) options: Options,
    pub(crate) state: Mutex<State>,
    /// The writer sleeps on it.
    pub(crate) work: Condvar,
    /// The keeper sleeps on it.
    pub(crate) chores: Condvar,
    /// Who waits on a thread of its own for something to be written or synced.
    pub(crate) done: Condvar,
    /// Who waits in `commit` for room.
    pub(crate) room: Notify,
    /// Told when the journal has failed.
    pub(crate) failed: Notify,
    /// One trim at a time.
    pub(crate) trimming: Mutex<()>,
    pub(crate) on_trim: Mutex<Vec<Arc<OnTrim>>>,
    pub(crate) after_trim: Mutex<Vec<Arc<AfterTrim>>>,
    pub(crate) lock: Mutex<Option<Lock>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal")
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

impl State {
    /// Whether the door is open.
    pub(crate) fn check(&self) -> Result<(), JournalError> {
        match &self.door {
            Door::Open => Ok(()),
            Door::Closed => Err(JournalError::Closed),
            Door::Failed(cause) => Err(JournalError::Failed(Arc::clone(cause))),
        }
    }

    /// The largest spare segment.
    pub(crate) fn spare_bytes(&self) -> u64 {
        self.spares.iter().map(|spare| spare.bytes).max().unwrap_or(0)
    }

    /// The id below which no record is held.
    pub(crate) fn trim_target(&self) -> u64 {
        self.live.oldest().unwrap_or(self.next)
    }

    /// Where a held record lies; `Ok(None)` if it is not written yet.
    pub(crate) fn find(&mut self, id: u64) -> Result<Option<(Segment, u64)>, JournalError> {
        let unknown = JournalError::Unknown(crate::RecordId(id));
        let offset = match self.live.find(id) {
            Place::NotHeld => return Err(unknown),
            Place::NotWritten => return Ok(None),
            Place::At(offset) => offset,
        };
        let after = self
            .segments
            .partition_point(|segment| segment.header.first <= id);
        let segment = after
            .checked_sub(1)
            .and_then(|index| self.segments.get(index))
            .ok_or(unknown)?;
        Ok(Some((segment.clone(), offset)))
    }
}

impl Inner {
    /// Builds a record; says if it can never be taken.
    pub(crate) fn prepare(&self, kind: Kind, payload: &[&[u8]]) -> Result<Vec<u8>, JournalError> {
        let bytes = payload.iter().map(|part| part.len()).sum::<usize>();
        let payload_bytes = u32::try_from(bytes)
            .ok()
            .filter(|_| bytes <= self.options.record_bytes_max);
        let payload_bytes = payload_bytes.ok_or(JournalError::TooLarge(bytes))?;
        if bytes >= LARGE_RECORD_BYTES {
            let needed = record_bytes(bytes) as u64 + 2 * self.options.segment_bytes_first;
            let has_room = self
                .disk
                .available_bytes(&self.directory)
                .is_ok_and(|available| available >= needed);
            let fits = has_room || self.state.lock().spare_bytes() >= needed;
            if !fits {
                self.disk
                    .space()
                    .met_full(&self.directory.join("segment"), needed);
                return Err(JournalError::Full);
            }
        }
        Ok(begin_record(kind, payload, payload_bytes))
    }

    /// Hands a record to the writer. `record` is taken only if it succeeds. `sync`: somebody will wait for its sync.
    pub(crate) fn enqueue(
        &self,
        record: &mut Vec<u8>,
        waiter: Option<Waiter>,
        sync: bool,
    ) -> Result<u64, JournalError> {
        let bytes = record.len() as u64;
        let mut state = self.state.lock();
        state.check()?;
        let in_flight = state.queued_bytes + bytes > self.options.in_flight_bytes_max as u64;
        if (in_flight && state.queued_bytes > 0) || state.next - state.durable > UNSYNCED_RECORDS_MAX {
            // What is in flight must come down, also if nobody waits for it.
            state.sync_to = state.next - 1;
            self.hurry(&mut state);
            return Err(JournalError::Busy);
        }
        if state.no_space && state.queued_bytes + bytes > state.room && state.spares.is_empty() {
            return Err(JournalError::Full);
        }
        let id = state.next;
        let awaited = sync || waiter.is_some();
        state.next += 1;
        state.records += 1;
        state.bytes += bytes;
        state.queued_bytes += bytes;
        state.live.push(id, None);
        state.queue.push(Queued {
            id,
            bytes: std::mem::take(record),
        });
        if let Some(waiter) = waiter {
            state.waiters.push((id, waiter));
        }
        if sync {
            state.sync_to = id;
        }
        let asleep = state.queue.len() == 1 && !state.writer_looks;
        let hurries = awaited && !state.urgent;
        state.urgent |= awaited;
        drop(state);
        if asleep || hurries {
            self.work.notify_one();
        }
        Ok(id)
    }

    /// What is queued is written at once, whoever waits for it.
    pub(crate) fn hurry(&self, state: &mut State) {
        state.urgent = true;
        self.work.notify_one();
    }

    /// Nothing is acknowledged any more.
    pub(crate) fn fail(&self, what: &str, error: &dyn std::fmt::Display) {
        let mut state = self.state.lock();
        let cause: Arc<str> = match &state.door {
            Door::Failed(earlier) => Arc::clone(earlier),
            Door::Open | Door::Closed => format!("{what}: {error}").into(),
        };
        state.door = Door::Failed(Arc::clone(&cause));
        state.queue.clear();
        state.queued_bytes = 0;
        let mut waiters = std::mem::take(&mut state.waiters);
        waiters.append(&mut state.write_waiters);
        drop(state);
        for (_, waiter) in waiters {
            waiter.tell(Err(JournalError::Failed(Arc::clone(&cause))));
        }
        self.wake_all();
        self.failed.notify_waiters();
    }

    pub(crate) fn wake_all(&self) {
        self.work.notify_all();
        self.chores.notify_all();
        self.done.notify_all();
        self.room.notify_waiters();
    }
}
