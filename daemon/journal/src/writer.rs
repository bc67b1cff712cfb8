//! The thread that writes: takes all that is queued, writes it in one piece, syncs once for all who wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::MutexGuard;

use crate::format::{SEGMENT_HEADER_BYTES, SegmentHeader, seal_record};
use crate::segment::Segment;
use crate::state::{Inner, Queued, State};

/// Records are gathered up to this size before they are written.
const WRITE_BYTES_MAX: usize = 1 << 20;

/// Records that nobody waits for are written so much later at most, with what comes meanwhile: to be woken for each costs more than to write it.
const GATHER: Duration = Duration::from_millis(5);

/// Why the thread ends early; the cause is in the door already.
struct Stopped;

pub(crate) struct Writer {
    inner: Arc<Inner>,
    segment: Segment,
    /// Where the next record goes.
    end: u64,
    /// Records that are laid out and not written.
    buffer: Vec<u8>,
    /// Where records were put since the last report.
    placed: Vec<(u64, u64)>,
    /// The last record that was put somewhere, and the last that is synced.
    last: u64,
    durable: u64,
    /// The last record that is really there: ids jump at an unclean open.
    log_end: u64,
    /// Since when something is written and not synced.
    unsynced_since: Option<Instant>,
}

impl Writer {
    pub(crate) fn new(inner: Arc<Inner>, segment: Segment, last: u64) -> Writer {
        let log_end = segment.header.previous_last;
        let (buffer, placed) = (Vec::with_capacity(WRITE_BYTES_MAX), Vec::new());
        let end = SEGMENT_HEADER_BYTES;
        Writer {
            inner,
            segment,
            end,
            buffer,
            placed,
            last,
            durable: last,
            log_end,
            unsynced_since: None,
        }
    }

    /// Until the journal stops; everything that was taken is synced then, unless a write failed.
    pub(crate) fn run(mut self) {
        let mut queue = Vec::new();
        while let Some(sync) = self.wait(&mut queue) {
            if self.write(&mut queue).is_err() {
                return;
            }
            if (sync || self.is_awaited()) && self.sync().is_err() {
                return;
            }
        }
    }

    /// Waits for work; whether a sync is due whoever waits. `None`: the end.
    fn wait(&mut self, queue: &mut Vec<Queued>) -> Option<bool> {
        let inner = Arc::clone(&self.inner);
        let mut state = inner.state.lock();
        // Something was just written: more is likely to come.
        let mut looks_at = Some(Instant::now() + GATHER);
        loop {
            if matches!(state.door, crate::state::Door::Failed(_)) {
                return None;
            }
            let gathered = looks_at.is_some_and(|at| at <= Instant::now());
            if !state.queue.is_empty() {
                if state.urgent || state.stop || gathered {
                    std::mem::swap(queue, &mut state.queue);
                    (state.urgent, state.writer_looks) = (false, false);
                    return Some(false);
                }
                looks_at = looks_at.or_else(|| Some(Instant::now() + GATHER));
            } else {
                state.urgent = false;
                looks_at = looks_at.filter(|_| !gathered);
            }
            state.writer_looks = looks_at.is_some();
            let due = self.unsynced_since.map(|since| since + inner.options.idle_sync);
            if self.last > self.durable
                && (state.stop || self.awaited(&state) || due.is_some_and(|due| due <= Instant::now()))
            {
                return Some(true);
            }
            if state.stop {
                return None;
            }
            match due.into_iter().chain(looks_at).min() {
                Some(at) => drop(inner.work.wait_until(&mut state, at)),
                None => inner.work.wait(&mut state),
            }
        }
    }

    fn is_awaited(&self) -> bool {
        self.last > self.durable && self.awaited(&self.inner.state.lock())
    }

    fn awaited(&self, state: &State) -> bool {
        state.sync_to > self.durable || state.waiters.iter().any(|(id, _)| *id <= self.last)
    }

    fn write(&mut self, queue: &mut Vec<Queued>) -> Result<(), Stopped> {
        let mut bytes = 0;
        for mut record in queue.drain(..) {
            let size = record.bytes.len() as u64;
            if self.end + size > self.segment.file.bytes {
                self.roll(size)?;
            }
            seal_record(&mut record.bytes, record.id, self.segment.header.id, self.durable);
            self.placed.push((record.id, self.end));
            self.buffer.extend_from_slice(&record.bytes);
            self.end += size;
            self.last = record.id;
            self.log_end = record.id;
            bytes += size;
            if self.buffer.len() >= WRITE_BYTES_MAX {
                self.flush()?;
            }
        }
        self.flush()?;
        let inner = Arc::clone(&self.inner);
        let mut state = inner.state.lock();
        self.report(&mut state);
        state.queued_bytes = state.queued_bytes.saturating_sub(bytes);
        state.room = self.segment.file.bytes - self.end;
        let spare_due = state.spares.is_empty() && state.room < self.segment.file.bytes / 4 * 3;
        let last = self.last;
        let served: Vec<_> = state
            .write_waiters
            .extract_if(.., |(id, _)| *id <= last)
            .collect();
        drop(state);
        for (_, waiter) in served {
            waiter.tell(Ok(()));
        }
        if spare_due {
            inner.chores.notify_one();
        }
        inner.room.notify_waiters();
        inner.done.notify_all();
        Ok(())
    }

    /// Writes what is laid out.
    fn flush(&mut self) -> Result<(), Stopped> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let at = self.end - self.buffer.len() as u64;
        let written = self.segment.file.file.write_all_at(&self.buffer, at);
        self.buffer.clear();
        self.buffer.shrink_to(2 * WRITE_BYTES_MAX);
        self.unsynced_since.get_or_insert_with(Instant::now);
        written.map_err(|error| self.fail("write", &error))
    }

    /// Tells where the records lie that were written.
    fn report(&mut self, state: &mut State) {
        for (id, offset) in self.placed.drain(..) {
            state.live.place(id, offset);
        }
        state.written = self.last;
    }

    fn sync(&mut self) -> Result<(), Stopped> {
        self.segment
            .file
            .file
            .sync_data()
            .map_err(|error| self.fail("sync", &error))?;
        self.durable = self.last;
        self.unsynced_since = None;
        let mut state = self.inner.state.lock();
        state.durable = self.durable;
        state.syncs += 1;
        let durable = self.durable;
        let served: Vec<_> = state.waiters.extract_if(.., |(id, _)| *id <= durable).collect();
        drop(state);
        for (_, waiter) in served {
            waiter.tell(Ok(()));
        }
        self.inner.done.notify_all();
        self.inner.room.notify_waiters();
        Ok(())
    }

    /// Goes on in another segment. The one before is complete on the disk by then: only the last segment of the log
    /// can have a torn end.
    fn roll(&mut self, size: u64) -> Result<(), Stopped> {
        self.flush()?;
        let inner = Arc::clone(&self.inner);
        self.report(&mut inner.state.lock());
        if self.last > self.durable {
            self.sync()?;
        }
        let mut state = inner.state.lock();
        let file = loop {
            let fits = |file: &crate::segment::SegmentFile| SEGMENT_HEADER_BYTES + size <= file.bytes;
            let best = state.spares.iter().enumerate().filter(|(_, file)| fits(file));
            if let Some((index, _)) = best.max_by_key(|(_, file)| file.bytes) {
                break state.spares.swap_remove(index);
            }
            self.wait_for_segment(&mut state, size)?;
        };
        state.wanted = 0;
        let header = SegmentHeader {
            id: self.segment.header.id + 1,
            first: self.last + 1,
            previous_last: self.log_end,
            trim_below: state.mark.trim_below,
            epoch: state.mark.epoch,
        };
        drop(state);
        self.segment = file
            .begin(header)
            .map_err(|error| self.fail("begin a segment", &error))?;
        self.end = SEGMENT_HEADER_BYTES;
        inner.state.lock().segments.push_back(self.segment.clone());
        // The one before may be trimmed now, and a further spare is soon due.
        inner.chores.notify_one();
        Ok(())
    }

    fn wait_for_segment(&self, state: &mut MutexGuard<'_, State>, size: u64) -> Result<(), Stopped> {
        if state.stop
            || state
                .check()
                .is_err_and(|error| matches!(error, crate::JournalError::Failed(_)))
        {
            MutexGuard::unlocked(state, || {
                self.fail("stop", &"no space for the records that were taken")
            });
            return Err(Stopped);
        }
        state.wanted = SEGMENT_HEADER_BYTES + size;
        self.inner.chores.notify_one();
        self.inner.work.wait(state);
        Ok(())
    }

    fn fail(&self, what: &str, error: &dyn std::fmt::Display) -> Stopped {
        self.inner.fail(what, error);
        Stopped
    }
}
