//! When which account is visited: at its interval give or take a tenth, after failures at twice that, four times and so on, at most so many at
//! once.
//!
//! At the start of the server the accounts are spread over some minutes; a new or changed one is visited at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;

use crate::{Inner, Key, now};

/// Longest pause after failures in seconds; an interval that is longer counts.
const PAUSE_MAX_S: i64 = 6 * 3600;
/// Over how many seconds the accounts are spread at the start.
const SPREAD_S: i64 = 300;
/// Seconds until the accounts are read again, if they can't be read now.
const READ_AGAIN_S: u64 = 60;
/// Seconds until an account has another turn that can't be visited now.
const PUT_OFF_S: i64 = 60;
/// Longest sleep in seconds: the clock may be set meanwhile.
const SLEEP_MAX_S: i64 = 600;

#[derive(Default)]
pub(crate) struct Schedule {
    turns: Mutex<HashMap<Key, Turn>>,
    changed: Notify,
    /// The accounts were read once.
    pub(crate) known: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
struct Turn {
    /// Unix seconds.
    due: i64,
    revision: u64,
    interval_minutes: u32,
    /// It waits for its visit, or is visited.
    is_taken: bool,
}

impl Schedule {
    /// When an account is visited next, in Unix seconds; 0: not by itself.
    pub(crate) fn due(&self, place: &Key) -> i64 {
        self.turns.lock().get(place).map_or(0, |turn| turn.due)
    }

    /// A visit is over. One of an older revision of the account counts for nothing: it was changed meanwhile, and is to be visited at once.
    pub(crate) fn visited(&self, place: &Key, revision: u64, failures: u32) {
        self.next(place, |turn| {
            (turn.revision == revision).then(|| pause(failures, turn.interval_minutes, random()))
        });
    }

    /// There was nothing to visit.
    pub(crate) fn skipped(&self, place: &Key) {
        self.next(place, |turn| Some(pause(0, turn.interval_minutes, random())));
    }

    /// It could not be visited now.
    pub(crate) fn put_off(&self, place: &Key) {
        self.next(place, |turn| turn.is_taken.then_some(PUT_OFF_S));
    }

    fn next(&self, place: &Key, seconds: impl FnOnce(&Turn) -> Option<i64>) {
        if let Some(turn) = self.turns.lock().get_mut(place)
            && let Some(seconds) = seconds(turn)
        {
            turn.due = now() + seconds;
        }
        self.changed.notify_one();
    }

    fn give_back(&self, place: &Key) {
        if let Some(turn) = self.turns.lock().get_mut(place) {
            turn.is_taken = false;
        }
        self.changed.notify_one();
    }

    /// Those whose time has come, until `at_once` are visited.
    fn take(&self, now: i64, at_once: usize) -> Vec<Key> {
        let mut turns = self.turns.lock();
        let room = at_once.saturating_sub(turns.values().filter(|turn| turn.is_taken).count());
        let due = turns
            .iter_mut()
            .filter(|(_, turn)| turn.due <= now && !turn.is_taken)
            .take(room);
        due.map(|(place, turn)| {
            turn.is_taken = true;
            // Until it is over: a visit that fails in an odd way comes again.
            turn.due = now + PAUSE_MAX_S;
            place.clone()
        })
        .collect()
    }

    /// Seconds until the next one is due. While there is no room for it, the end of a visit wakes.
    fn sleep(&self, now: i64, at_once: usize) -> i64 {
        let turns = self.turns.lock();
        if turns.values().filter(|turn| turn.is_taken).count() >= at_once {
            return SLEEP_MAX_S;
        }
        let next = turns
            .values()
            .filter(|turn| !turn.is_taken)
            .map(|turn| turn.due)
            .min();
        next.map_or(SLEEP_MAX_S, |due| due - now).clamp(1, SLEEP_MAX_S)
    }
}

/// Seconds until the next visit. `chance`: any number.
fn pause(failures: u32, interval_minutes: u32, chance: u64) -> i64 {
    let interval = i64::from(interval_minutes) * 60;
    let doublings = failures.saturating_sub(1).min(10);
    let pause = (interval << doublings).min(PAUSE_MAX_S.max(interval));
    let tenth = (pause / 10).max(1);
    pause - tenth + i64::try_from(chance % (2 * tenth.unsigned_abs() + 1)).unwrap_or(0)
}

/// Visits accounts until the server stops.
pub(crate) async fn run(inner: Arc<Inner>) {
    let mut changes = inner.parts.directory.changes();
    let mut stopped = inner.stopped.subscribe();
    let mut is_known = false;
    loop {
        is_known = is_known || read(&inner).await;
        let at_once = inner
            .parts
            .directory
            .settings()
            .number("fetch.concurrency")
            .max(1);
        let at_once = usize::try_from(at_once).unwrap_or(usize::MAX);
        for place in inner.schedule.take(now(), at_once) {
            let task_inner = inner.clone();
            inner.spawn(async move {
                let _given_back = GiveBack(&task_inner, &place);
                task_inner.visit(place.clone()).await;
            });
        }
        let sleep = if is_known {
            inner.schedule.sleep(now(), at_once).unsigned_abs()
        } else {
            READ_AGAIN_S
        };
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            () = tokio::time::sleep(Duration::from_secs(sleep)) => {}
            () = inner.schedule.changed.notified() => {}
            change = changes.recv() => match change {
                Ok(change) => is_known &= change.kind != "external",
                Err(RecvError::Lagged(_)) => is_known = false,
                Err(RecvError::Closed) => return,
            },
        }
    }
}

/// Learns which accounts there are. `false`: they can't be read now.
async fn read(inner: &Inner) -> bool {
    let Ok(found) = inner.parts.directory.external_turns().await else {
        return false;
    };
    let now = now();
    let is_first = !inner.schedule.known.swap(true, Ordering::AcqRel);
    let mut turns = inner.schedule.turns.lock();
    let mut had = std::mem::take(&mut *turns);
    for turn in found {
        let place = (turn.owner, turn.key);
        let spread = (i64::from(turn.interval_minutes) * 60)
            .min(SPREAD_S)
            .unsigned_abs();
        let due = match had.remove(&place) {
            Some(known) if known.revision == turn.revision => known,
            known => Turn {
                interval_minutes: turn.interval_minutes,
                due: if is_first {
                    now + i64::try_from(random() % spread.max(1)).unwrap_or(0)
                } else {
                    now
                },
                revision: turn.revision,
                is_taken: known.is_some_and(|known| known.is_taken),
            },
        };
        turns.insert(place, due);
    }
    true
}

/// However a visit ends, the account has a next turn.
struct GiveBack<'a>(&'a Inner, &'a Key);

impl Drop for GiveBack<'_> {
    fn drop(&mut self) {
        self.0.schedule.give_back(self.1);
    }
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    // Without chance all come at once, no more.
    let _ = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    fn place(number: u64) -> Key {
        (shared::model::OwnerId(number), "work".to_owned())
    }

    fn schedule(accounts: u64) -> Schedule {
        let schedule = Schedule::default();
        for number in 0..accounts {
            let turn = Turn {
                due: 0,
                revision: 2,
                interval_minutes: 15,
                is_taken: false,
            };
            schedule.turns.lock().insert(place(number), turn);
        }
        schedule
    }

    // A corrected password would be tried hours later, since a visit with the old one ended after it was known.
    #[test]
    fn the_end_of_a_visit_that_knew_less_counts_for_nothing() {
        let schedule = schedule(1);
        schedule.visited(&place(0), 1, 20);
        assert_eq!(schedule.due(&place(0)), 0);
        schedule.visited(&place(0), 2, 20);
        assert!(schedule.due(&place(0)) > now());
    }

    // A moment without the database would cost hours.
    #[test]
    fn what_could_not_be_visited_has_another_turn_soon() {
        let schedule = schedule(1);
        assert_eq!(schedule.take(now(), 1), [place(0)]);
        schedule.put_off(&place(0));
        assert!(schedule.due(&place(0)) <= now() + PUT_OFF_S);
        schedule.give_back(&place(0));
        let due = schedule.due(&place(0));
        assert!(schedule.take(due - 1, 1).is_empty());
        assert_eq!(schedule.take(due, 1), [place(0)]);
        schedule.skipped(&place(0));
        assert!(schedule.due(&place(0)) <= now() + 15 * 66);
        schedule.give_back(&place(0));
        // By hand: the next turn is as far away as it was.
        let due = schedule.due(&place(0));
        schedule.put_off(&place(0));
        assert_eq!(schedule.due(&place(0)), due);
    }

    #[test]
    fn no_more_are_taken_than_may_be_visited_at_once() {
        let schedule = schedule(5);
        let taken = schedule.take(1, 2);
        assert_eq!((taken.len(), schedule.take(1, 2).len()), (2, 0));
        schedule.give_back(&taken[0]);
        assert_eq!((schedule.take(1, 2).len(), schedule.take(1, 3).len()), (1, 1));
    }

    #[test]
    fn a_server_that_fails_is_asked_less_and_less() {
        let bounds = |failures, minutes| {
            (
                pause(failures, minutes, 0),
                pause(failures, minutes, u64::MAX - 1),
            )
        };
        for chance in [0, 1, 7, 1000, u64::MAX] {
            for (failures, minutes, about) in [
                (0, 15, 900),
                (1, 15, 900),
                (2, 15, 1800),
                (4, 15, 7200),
                (20, 15, PAUSE_MAX_S),
                (20, 1440, 86_400),
                (u32::MAX, 1, PAUSE_MAX_S),
            ] {
                let pause = pause(failures, minutes, chance);
                assert!(
                    (about * 9 / 10 - 1..=about * 11 / 10 + 1).contains(&pause),
                    "{failures} {minutes}: {pause}"
                );
            }
        }
        assert!(bounds(0, 1).0 > 0);
    }
}
