//! The thread that keeps house: makes segments ahead of the writer, and trims what nobody needs.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use disk::space::is_full;
use parking_lot::MutexGuard;

use crate::format::Mark;
use crate::open::MARK_FILE;
use crate::segment::{self, SegmentFile};
use crate::state::{Door, Inner, State};
use crate::{JournalError, RecordId};

/// After a failure (no space, a callback's error) the next try is made so much later.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Files are made in multiples of this.
const PAGE_BYTES: u64 = 4096;

enum Chore {
    /// Make a segment of so many bytes.
    Segment(u64),
    Trim,
}

/// Until the journal stops.
pub(crate) fn run(inner: &Inner) {
    let mut segment_not_before = None;
    let mut trim_not_before = None;
    while let Some(chore) = wait(inner, &mut segment_not_before, &mut trim_not_before) {
        match chore {
            Chore::Segment(bytes) => {
                segment_not_before = (!make_spare(inner, bytes)).then(|| Instant::now() + RETRY_AFTER);
            }
            Chore::Trim => {
                trim_not_before = trim(inner, How::IfDue)
                    .is_err()
                    .then(|| Instant::now() + RETRY_AFTER);
            }
        }
    }
}

fn wait(inner: &Inner, segment_at: &mut Option<Instant>, trim_at: &mut Option<Instant>) -> Option<Chore> {
    let mut state = inner.state.lock();
    loop {
        if state.stop || matches!(state.door, Door::Failed(_)) {
            return None;
        }
        let now = Instant::now();
        let segment = segment_bytes_due(&state);
        if let Some(bytes) = segment.filter(|_| segment_at.is_none_or(|at| at <= now)) {
            return Some(Chore::Segment(bytes));
        }
        let trim = is_due(&state, state.trimmed);
        if trim && trim_at.is_none_or(|at| at <= now) {
            return Some(Chore::Trim);
        }
        let next = [segment_at.filter(|_| segment.is_some()), trim_at.filter(|_| trim)]
            .into_iter()
            .flatten()
            .min();
        match next {
            Some(at) => drop(inner.chores.wait_until(&mut state, at)),
            None => inner.chores.wait(&mut state),
        }
    }
}

fn segment_bytes_due(state: &State) -> Option<u64> {
    if state.wanted > 0 {
        let bytes = state.wanted.next_multiple_of(PAGE_BYTES).max(state.next_bytes);
        return (state.spare_bytes() < state.wanted).then_some(bytes);
    }
    let active = state.segments.back()?.file.bytes;
    (state.spares.is_empty() && state.room < active / 4 * 3).then_some(state.next_bytes)
}

/// Whether a whole segment lies between the target of the last trim and the oldest held record.
fn is_due(state: &State, trimmed: u64) -> bool {
    let target = state.trim_target();
    state
        .segments
        .iter()
        .skip(1)
        .any(|segment| (trimmed + 1..=target).contains(&segment.header.first))
}

/// Makes a segment ahead; whether it could.
fn make_spare(inner: &Inner, bytes: u64) -> bool {
    let number = {
        let mut state = inner.state.lock();
        state.next_number += 1;
        state.next_number - 1
    };
    let made = SegmentFile::create(&*inner.disk, &inner.directory, number, bytes);
    if let Err(error) = &made
        && is_full(error)
    {
        let path = segment::path(&inner.directory, number);
        inner.disk.space().met_full(&path, bytes);
    }
    let mut state = inner.state.lock();
    let done = match made {
        Ok(spare) => {
            state.spares.push(spare);
            state.no_space = false;
            state.next_bytes = (2 * state.next_bytes).min(inner.options.segment_bytes_max);
            true
        }
        Err(error) => {
            // Only what fits into the segments at hand is taken until the next try; the door says so.
            state.no_space = true;
            state.next_bytes = inner.options.segment_bytes_first;
            if state.wanted > 0 && !is_full(&error) {
                // Whoever waits for it would wait for ever.
                drop(state);
                inner.fail("make a segment", &error);
                return false;
            }
            false
        }
    };
    drop(state);
    inner.work.notify_all();
    inner.room.notify_waiters();
    done
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Only if a segment becomes free by it.
    IfDue,
    /// Whatever can be trimmed.
    Now,
    /// The last one: marks the stop as clean.
    AndClose,
}

/// Makes the effects durable, then the mark, then gives up segments, then tells.
pub(crate) fn trim(inner: &Inner, how: How) -> Result<(), JournalError> {
    let _one_at_a_time = inner.trimming.lock();
    let (target, previous) = {
        let state = inner.state.lock();
        if let Door::Failed(cause) = &state.door {
            return Err(JournalError::Failed(Arc::clone(cause)));
        }
        if how == How::IfDue && !is_due(&state, state.trimmed) {
            return Ok(());
        }
        (state.trim_target(), state.trimmed)
    };
    let callbacks = inner.on_trim.lock().clone();
    for callback in callbacks {
        let called = catch_unwind(AssertUnwindSafe(|| callback(RecordId(target))));
        let called = called.unwrap_or_else(|_| Err(io::Error::other("the room panicked")));
        called.map_err(|error| JournalError::io("make the effects durable", error))?;
    }
    // Where names cannot be made durable for certain, the log is kept for one more round.
    let below = if inner.disk.syncs_directories() {
        target
    } else {
        previous
    };
    let mark = {
        let state = inner.state.lock();
        let trim_below = state.mark.trim_below.max(below);
        Mark {
            clean: how == How::AndClose,
            trim_below,
            next: state.next,
            epoch: state.mark.epoch,
        }
    };
    if let Err(error) = inner
        .disk
        .write_atomic(&inner.directory.join(MARK_FILE), &mark.to_bytes())
    {
        // Nobody knows which mark is on the disk, so no segment may be reused. A full disk said so before the mark got its name: the
        // next try writes another file.
        if !is_full(&error) {
            inner.fail("write the mark", &error);
        }
        return Err(JournalError::io("write the mark", error));
    }
    let dropped = give_up(&mut inner.state.lock(), mark, target, inner);
    for number in dropped {
        // A file that stays is found and taken away at the next open.
        let _ = inner.disk.remove_file(&segment::path(&inner.directory, number));
    }
    inner.work.notify_all();
    inner.room.notify_waiters();
    let callbacks = inner.after_trim.lock().clone();
    for callback in callbacks {
        // The trim is done, whatever the room makes of it; a panic is printed by the panic hook.
        let _ = catch_unwind(AssertUnwindSafe(|| callback(RecordId(mark.trim_below))));
    }
    Ok(())
}

/// Turns the segments below the mark into spares; the numbers of those that are not kept.
fn give_up(state: &mut MutexGuard<'_, State>, mark: Mark, target: u64, inner: &Inner) -> Vec<u32> {
    state.mark = mark;
    state.trimmed = target;
    state.trims += 1;
    let mut dropped = Vec::new();
    while state
        .segments
        .get(1)
        .is_some_and(|next| next.header.first <= mark.trim_below)
    {
        let Some(segment) = state.segments.pop_front() else {
            break;
        };
        if segment.file.bytes > inner.options.segment_bytes_max {
            dropped.push(segment.file.number);
            continue;
        }
        state.spares.push(segment.file);
        state.no_space = false;
    }
    while state.spares.len() > inner.options.spare_segments_max {
        let smallest = state
            .spares
            .iter()
            .enumerate()
            .min_by_key(|(_, spare)| spare.bytes);
        let Some((index, _)) = smallest else { break };
        dropped.push(state.spares.swap_remove(index).number);
    }
    dropped
}
