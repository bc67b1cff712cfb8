//! What is kept of an account between two visits: how it stands, and how far each folder of an IMAP server was read.
//!
//! Kept as JSON; missing members have their defaults.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::external::ExternalState;

/// Ranges of left-out UIDs of one folder that are remembered.
pub(crate) const SPANS_MAX_COUNT: usize = 1000;
/// Visits that break off at the same message. They are further and further apart: some hours in all.
const BREAKS_MAX_COUNT: u32 = 6;
/// Messages without unique ids that are passed over.
const ASIDE_MAX_COUNT: usize = 100;
/// Refused UIDs of one folder that are remembered.
pub(crate) const REFUSED_MAX_COUNT: usize = 1000;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Memory {
    #[serde(default)]
    pub(crate) state: ExternalState,
    /// The account's revision at the last visit: failures of another one say nothing of this one.
    #[serde(default)]
    pub(crate) revision: u64,
    /// Where visits break off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stuck: Option<Stuck>,
    /// Messages without unique ids at which so many visits broke off that they are passed over: their sizes, which is all that is known of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) aside: Vec<u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) folders: BTreeMap<String, Position>,
}

/// A message at which visits broke off, one after the other: the connection was lost, or what came was none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stuck {
    message: String,
    visits: u32,
}

/// How far a folder was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// UIDVALIDITY: with another one, everything below means nothing.
    pub(crate) validity: u32,
    /// Everything up to this UID is here, was left out, or was refused.
    #[serde(default)]
    pub(crate) last: u32,
    /// Those that were left out for good, ascending: they are not deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) skipped: Vec<Span>,
    /// From this UID on nothing is deleted: more was left out than can be remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) held_from: Option<u32>,
    /// The other server refused them: they are not deleted, and asked for again at each visit, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) refused: Vec<u32>,
    /// How far it had come by the end of a day (days since 1970), ascending: what is older than so many days is known by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) days: Vec<(i64, u32)>,
}

/// UIDs one after the other. A single one is written as a number, as all of them once were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Span {
    One(u32),
    Range(u32, u32),
}

impl Span {
    fn new(from: u32, to: u32) -> Self {
        if from == to {
            Self::One(from)
        } else {
            Self::Range(from, to)
        }
    }

    fn bounds(self) -> (u32, u32) {
        match self {
            Self::One(uid) => (uid, uid),
            Self::Range(from, to) => (from, to),
        }
    }
}

impl Memory {
    /// What can't be read is nothing.
    pub(crate) fn parse(kept: Option<&str>) -> Self {
        kept.and_then(|kept| serde_json::from_str(kept).ok())
            .unwrap_or_default()
    }

    /// A visit broke off at a message. `true`: so many did that it is passed over from now on.
    pub(crate) fn breaks_off(&mut self, message: &str) -> bool {
        let had = if self.is_stuck_at(message) {
            self.stuck.take()
        } else {
            None
        };
        let visits = had.map_or(0, |had| had.visits).saturating_add(1);
        let enough = visits >= BREAKS_MAX_COUNT;
        self.stuck = (!enough).then(|| Stuck {
            message: message.to_owned(),
            visits,
        });
        enough
    }

    pub(crate) fn is_stuck_at(&self, message: &str) -> bool {
        self.stuck.as_ref().is_some_and(|stuck| stuck.message == message)
    }

    /// A message without a unique id is passed over from now on. `false`: no more can be remembered.
    pub(crate) fn set_aside(&mut self, bytes: u64) -> bool {
        let fits = self.aside.len() < ASIDE_MAX_COUNT;
        if fits {
            self.aside.push(bytes);
        }
        fits
    }

    /// Which messages of a list, oldest first, are passed over. Of several of one size it is the oldest: what came later stands behind it. What is
    /// there no more is forgotten, so that nothing that comes is taken for it.
    pub(crate) fn passes_over(&mut self, sizes: impl Iterator<Item = u64>) -> Vec<bool> {
        let mut left = std::mem::take(&mut self.aside);
        let mut passed = Vec::new();
        for bytes in sizes {
            let found = left.iter().position(|known| *known == bytes);
            if let Some(found) = found {
                self.aside.push(left.swap_remove(found));
            }
            passed.push(found.is_some());
        }
        passed
    }

    pub(crate) fn render(&self) -> String {
        // It holds nothing that JSON can't.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Position {
    /// That everything up to `uid` is done on `day`; days of no interest any more are forgotten.
    pub(crate) fn advance(&mut self, uid: u32, day: i64, days_kept: i64) {
        self.last = self.last.max(uid);
        match self.days.last_mut() {
            Some((last_day, last)) if *last_day >= day => *last = self.last,
            _ => self.days.push((day, self.last)),
        }
        // Of those that are old enough the newest says it all.
        let old = self
            .days
            .iter()
            .filter(|(then, _)| *then <= day - days_kept)
            .count();
        self.days.drain(..old.saturating_sub(1));
    }

    /// The last UID that was done at least so many days ago.
    pub(crate) fn done_before(&self, day: i64, days: i64) -> u32 {
        let old = self.days.iter().filter(|(then, _)| *then <= day - days);
        old.map(|(_, uid)| *uid).max().unwrap_or(0)
    }

    /// Leaves a message out for good.
    pub(crate) fn leave(&mut self, uid: u32) {
        if let Some(newest) = self.skipped.last_mut() {
            let (from, to) = newest.bounds();
            if to == self.last && uid > to {
                // Nothing lies between them, or it was not listed: then it was not fetched either.
                *newest = Span::new(from, uid);
                return;
            }
        }
        let at = self.skipped.partition_point(|span| span.bounds().1 < uid);
        if self.skipped.get(at).is_some_and(|span| span.bounds().0 <= uid) {
            return;
        }
        if self.skipped.len() >= SPANS_MAX_COUNT {
            // What is forgotten would be deleted.
            self.held_from = Some(self.held_from.map_or(uid, |held| held.min(uid)));
            return;
        }
        self.skipped.insert(at, Span::One(uid));
    }

    /// A message was refused: it comes behind the others that were. `false`: no more can be remembered.
    pub(crate) fn refuse(&mut self, uid: u32) -> bool {
        self.refused.retain(|known| *known != uid);
        let fits = self.refused.len() < REFUSED_MAX_COUNT;
        if fits {
            self.refused.push(uid);
        }
        fits
    }

    /// A message that was refused once need not be asked for any more. `false`: it was none.
    pub(crate) fn settle(&mut self, uid: u32) -> bool {
        let had = self.refused.len();
        self.refused.retain(|known| *known != uid);
        self.refused.len() < had
    }

    /// What may be deleted of the first `last` UIDs, as an IMAP set of ranges; empty: nothing.
    pub(crate) fn deletable(&self, last: u32) -> Vec<String> {
        let last = self
            .held_from
            .map_or(last, |held| last.min(held.saturating_sub(1)));
        let refused = self.refused.iter().map(|uid| (*uid, *uid));
        let mut kept: Vec<(u32, u32)> = self
            .skipped
            .iter()
            .map(|span| span.bounds())
            .chain(refused)
            .collect();
        kept.sort_unstable();
        let (mut ranges, mut from) = (Vec::new(), 1_u64);
        for (first, end) in kept.into_iter().filter(|(first, _)| *first <= last) {
            if from < u64::from(first) {
                ranges.push(format!("{from}:{}", first - 1));
            }
            from = from.max(u64::from(end) + 1);
        }
        if from <= u64::from(last) {
            ranges.push(format!("{from}:{last}"));
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn mail_is_old_so_many_days_after_it_was_fetched() {
        let mut position = Position::default();
        for (day, uid) in [(100, 3), (100, 5), (101, 5), (103, 9), (140, 12)] {
            position.advance(uid, day, 30);
            assert!(position.days.len() <= 32);
        }
        assert_eq!(position.done_before(140, 30), 9);
        assert_eq!(position.done_before(170, 30), 12);
        assert_eq!(position.done_before(132, 30), 0, "forgotten days delete nothing");
        let mut fresh = Position::default();
        fresh.advance(7, 100, 7);
        assert_eq!((fresh.done_before(106, 7), fresh.done_before(107, 7)), (0, 7));
    }

    // A message that comes later would never be fetched.
    #[test]
    fn what_is_set_aside_is_the_oldest_of_its_size_and_forgotten_once_it_is_gone() {
        let mut memory = Memory::default();
        assert!(memory.set_aside(10) && memory.set_aside(30));
        let over = |memory: &mut Memory, sizes: &[u64]| memory.passes_over(sizes.iter().copied());
        assert_eq!(over(&mut memory, &[10, 20, 30, 10]), [true, false, true, false]);
        assert_eq!(over(&mut memory, &[20, 30]), [false, true]);
        assert_eq!(over(&mut memory, &[10, 30]), [false, true]);
        assert_eq!(over(&mut memory, &[]), Vec::<bool>::new());
        assert!(memory.aside.is_empty());
        assert!((0..200).filter(|bytes| memory.set_aside(*bytes)).count() == ASIDE_MAX_COUNT);
    }

    #[test]
    fn what_was_left_out_or_refused_is_never_deleted() {
        let kept = r#"{"folders":{"INBOX":{"validity":7,"last":10,"skipped":[1,[4,5],9]}}}"#;
        let mut position = Memory::parse(Some(kept)).folders.remove("INBOX").unwrap();
        assert_eq!(position.deletable(10), ["2:3", "6:8", "10:10"]);
        assert_eq!(position.deletable(4), ["2:3"]);
        assert_eq!(position.deletable(1), Vec::<String>::new());
        assert_eq!(Position::default().deletable(0), Vec::<String>::new());
        assert!(position.refuse(7) && position.refuse(3));
        assert_eq!(position.deletable(10), ["2:2", "6:6", "8:8", "10:10"]);
        assert!(position.settle(3) && !position.settle(3));
        assert_eq!(position.deletable(5), ["2:3"]);
        let last = Position {
            skipped: vec![Span::One(u32::MAX)],
            ..Position::default()
        };
        assert_eq!(last.deletable(u32::MAX), ["1:4294967294"]);
    }

    // Thousands in a row are one range, even where numbers are missing between them; those that lie scattered end at a bound, behind which
    // nothing is deleted.
    #[test]
    fn any_number_of_messages_can_be_left_out() {
        let mut row = Position::default();
        for uid in (10..100_000).step_by(10) {
            row.leave(uid);
            row.advance(uid, 1, 0);
        }
        assert_eq!(row.skipped, [Span::Range(10, 99_990)]);
        assert_eq!(row.deletable(100_000), ["1:9", "99991:100000"]);
        let mut scattered = Position::default();
        for uid in 1..5000 {
            if uid % 2 == 0 {
                scattered.leave(uid);
            }
            scattered.advance(uid, 1, 0);
        }
        assert_eq!(scattered.skipped.len(), SPANS_MAX_COUNT);
        assert_eq!(scattered.deletable(5000).last().unwrap(), "2001:2001");
        // A message that was refused before.
        let mut late = Position {
            skipped: vec![Span::One(3), Span::Range(7, 9)],
            last: 20,
            ..Position::default()
        };
        for uid in [5, 8, 3, 20] {
            late.leave(uid);
        }
        assert_eq!(late.deletable(20), ["1:2", "4:4", "6:6", "10:19"]);
    }
}
