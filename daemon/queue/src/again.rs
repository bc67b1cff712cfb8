//! The messages that may come to delivery once more under a record that is not their first: what waits, and what came back from there.
//!
//! A mailbox remembers what it took of each as long as this list names it. A message that lies for months, held by an administrator or not readable, is one
//! line of it, and keeps nobody from forgetting all others. A message that has its first record still needs no line: the journal is not trimmed past it.
//!
//! At every moment such a message is in the part that says what waits, or in the part that says what is in memory, or in both: the worker of `waiting.db` tells
//! what waits after each transaction, before anybody hears of it, and together with what it puts into memory.

use rusqlite::Connection;

use crate::Queue;

/// Messages that are named. Where there are more, nothing is said of those after them.
const NAMED_MAX: usize = 1000;
/// One more than are named. `?1`: how many.
pub(crate) const OLDEST: &str = "SELECT id FROM message ORDER BY id LIMIT ?1";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Again {
    /// Ascending.
    pub ids: Vec<u64>,
    /// A message below this one that had more than one record and is not among `ids` is done for good, durably. Nothing is said of the others.
    pub below: u64,
}

impl Again {
    /// Nothing is known.
    pub(crate) const UNKNOWN: Self = Self {
        ids: Vec::new(),
        below: 0,
    };

    /// Of these, in ascending order.
    fn of(ids: impl Iterator<Item = u64>) -> Self {
        let mut ids: Vec<u64> = ids.take(NAMED_MAX + 1).collect();
        let more = ids.len() > NAMED_MAX;
        let below = if more { ids.pop() } else { None };
        Self {
            ids,
            below: below.unwrap_or(u64::MAX),
        }
    }

    /// The oldest rows.
    pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare_cached(OLDEST)?;
        let ids = statement.query_map([NAMED_MAX as i64 + 1], |row| row.get::<_, i64>(0))?;
        let ids: Vec<i64> = ids.collect::<rusqlite::Result<_>>()?;
        Ok(Self::of(ids.into_iter().map(|id| id as u64)))
    }

    fn and(self, other: Self) -> Self {
        let below = self.below.min(other.below);
        let mut ids = [self.ids, other.ids].concat();
        ids.sort_unstable();
        ids.dedup();
        let both = Self::of(ids.into_iter().filter(|id| *id < below));
        Self {
            below: both.below.min(below),
            ..both
        }
    }
}

impl Queue {
    /// Which messages may come once more under another record.
    pub fn again(&self) -> Again {
        let state = self.inner.state.lock();
        // Both at one moment: a message goes from the one to the other.
        let waiting = self.inner.waiting.oldest.lock().clone();
        let here = Again::of(state.again.iter().copied());
        drop(state);
        waiting.and(here)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mailbox would forget what may come again, or never forget anything.
    #[test]
    fn the_oldest_of_both_parts_are_named() {
        let max = NAMED_MAX as u64;
        let all = Again::of(1..=max);
        assert_eq!((all.ids.len(), all.below), (NAMED_MAX, u64::MAX));
        let some = Again::of(1..=max + 5);
        assert_eq!((some.ids.len(), some.below), (NAMED_MAX, max + 1));
        let both = Again::of(3..5).and(Again::of([4, 9].into_iter()));
        assert_eq!((both.ids, both.below), (vec![3, 4, 9], u64::MAX));
        let both = some.and(Again::of([0, max + 1, max + 9].into_iter()));
        assert_eq!((both.ids.len(), both.below), (NAMED_MAX, max));
        assert_eq!(both.ids.first(), Some(&0));
        assert_eq!(Again::UNKNOWN.and(Again::of(1..3)), Again::UNKNOWN);
    }
}
