//! When texts are indexed: behind everything else, on one thread for all owners.
//!
//! Delivery does nothing for the index. An owner's texts are taken up after a search in texts, soon; and after somebody has opened a folder, once the owner's
//! mailbox has been left alone for [`QUIET`]. A step is one short job of the owner, begun when no other job waits (but not put off for ever), and work
//! on this thread. A crash leaves whole segments; the next search goes on from there.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use shared::model::OwnerId;

use super::build;
use crate::Result;
use crate::core::Core;
use crate::slot::Slot;

/// A mailbox that nobody uses for so long is left alone.
const QUIET: Duration = Duration::from_secs(10);
/// A mailbox that is never left alone is indexed nevertheless after so many times [`QUIET`].
const PUT_OFF_MAX: u32 = 30;
/// Owners that wait; those beyond are indexed when they search again.
const OWNERS_MAX: usize = 100_000;
/// Other jobs are waited for so long, and then a step is done between them.
const WAIT_MAX: Duration = Duration::from_millis(500);
/// The same if somebody searches this mailbox: the next search is likely to follow at once, and each of them reads all texts until this is done.
const WAIT_MAX_ASKED: Duration = Duration::from_millis(4);
/// How often it is looked whether they are done.
const WAIT_STEP: Duration = Duration::from_millis(2);

/// The owners whose texts are to be indexed.
#[derive(Default)]
pub(crate) struct Background {
    state: Mutex<State>,
    wake: Condvar,
    /// Held while one owner is worked on.
    working: Mutex<()>,
}

#[derive(Default)]
struct State {
    owners: HashMap<OwnerId, Due>,
    /// The same owners by when they are due.
    order: BTreeSet<(Instant, OwnerId)>,
    stop: bool,
    /// The administrator wants no index.
    off: bool,
    /// Nothing is begun here.
    by_hand: bool,
}

#[derive(Clone, Copy)]
struct Due {
    at: Instant,
    /// [`Slot::used`] when it was put off last.
    used: u64,
    put_off: u32,
}

impl Background {
    /// A search has read texts.
    pub(crate) fn searched(&self, slot: &Slot) {
        self.want(slot, Instant::now(), PUT_OFF_MAX);
    }

    /// Somebody has opened a folder.
    pub(crate) fn opened(&self, slot: &Slot) {
        self.want(slot, Instant::now() + QUIET, 0);
    }

    fn want(&self, slot: &Slot, at: Instant, put_off: u32) {
        let mut state = self.state.lock();
        if state.off || state.by_hand || state.owners.len() >= OWNERS_MAX {
            return;
        }
        let due = Due {
            at,
            used: slot.used.load(Ordering::Relaxed),
            put_off,
        };
        match state.owners.get(&slot.id) {
            Some(known) if known.at <= at => return,
            Some(known) => {
                let known = (known.at, slot.id);
                state.order.remove(&known);
            }
            None => {}
        }
        state.owners.insert(slot.id, due);
        state.order.insert((at, slot.id));
        if state.order.first() == Some(&(at, slot.id)) {
            self.wake.notify_one();
        }
    }

    /// Off: nothing is indexed any more, and indices are not asked.
    pub(crate) fn set_on(&self, on: bool) {
        let mut state = self.state.lock();
        state.off = !on;
        if !on {
            state.owners.clear();
            state.order.clear();
        }
    }

    /// From now on only [`work`] indexes.
    #[cfg(test)]
    pub(crate) fn by_hand(&self) {
        self.state.lock().by_hand = true;
    }

    pub(crate) fn is_on(&self) -> bool {
        !self.state.lock().off
    }

    pub(crate) fn stop(&self) {
        self.state.lock().stop = true;
        self.wake.notify_one();
    }

    fn stopped(&self) -> bool {
        let state = self.state.lock();
        state.stop || state.off
    }

    /// Waits for an owner that is due.
    fn next(&self) -> Option<(OwnerId, Due)> {
        let mut state = self.state.lock();
        loop {
            if state.stop {
                return None;
            }
            match state.order.first().copied() {
                Some((at, owner)) if at <= Instant::now() => {
                    state.order.pop_first();
                    if let Some(due) = state.owners.remove(&owner) {
                        return Some((owner, due));
                    }
                }
                Some((at, _)) => {
                    self.wake.wait_until(&mut state, at);
                }
                None => self.wake.wait(&mut state),
            }
        }
    }
}

/// The thread.
pub(crate) fn run(core: &Core) {
    while let Some((owner, due)) = core.index.next() {
        let slot = core.slot(owner);
        let used = slot.used.load(Ordering::Relaxed);
        if used != due.used && due.put_off < PUT_OFF_MAX {
            core.index.want(&slot, Instant::now() + QUIET, due.put_off + 1);
            continue;
        }
        // It is tried again after the next search; a failure that matters shows itself to those who use the mailbox.
        let asked = due.put_off >= PUT_OFF_MAX;
        let _ = work_within(core, &slot, if asked { WAIT_MAX_ASKED } else { WAIT_MAX });
    }
}

/// Brings an owner's index up to date. Blocks.
pub(crate) fn work(core: &Core, slot: &Arc<Slot>) -> Result<()> {
    work_within(core, slot, WAIT_MAX)
}

/// The same; `wait`: how long other jobs are waited for at each step.
fn work_within(core: &Core, slot: &Arc<Slot>, wait: Duration) -> Result<()> {
    let _alone = core.index.working.lock();
    while step(core, slot, wait)? {}
    Ok(())
}

/// One step; whether there may be more to do.
fn step(core: &Core, slot: &Arc<Slot>, wait: Duration) -> Result<bool> {
    // A mailbox that was removed is not made again.
    let going_on = || {
        let there = core.disk.exists(&slot.dir.join("mail.db"));
        wait_for_others(core, wait);
        there.is_ok_and(|there| there) && !core.index.stopped()
    };
    if !going_on() {
        return Ok(false);
    }
    if let Some(batch) = core.run_blocking(slot, |ctx| build::take(ctx))? {
        let segment = build::build(core.disk.as_ref(), &batch);
        if !going_on() {
            return Ok(false);
        }
        core.run_blocking(slot, move |ctx| build::put(ctx, &batch, &segment))?;
        return Ok(true);
    }
    if let Some(plan) = core.run_blocking(slot, |ctx| build::plan(ctx))? {
        let merged = build::merge(&plan);
        if !going_on() {
            return Ok(false);
        }
        core.run_blocking(slot, move |ctx| build::replace(ctx, &plan, &merged))?;
        return Ok(true);
    }
    Ok(false)
}

/// Lets other jobs go first.
fn wait_for_others(core: &Core, wait: Duration) {
    let began = Instant::now();
    while core.is_busy() && began.elapsed() < wait && !core.index.stopped() {
        std::thread::sleep(WAIT_STEP);
    }
}
