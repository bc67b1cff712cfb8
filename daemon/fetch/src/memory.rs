//! What is kept of an account between two visits: how it stands, and how far each folder of an IMAP server was read.
//!
//! Kept as JSON; missing members have their defaults.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::external::ExternalState;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Memory {
    #[serde(default)]
    pub(crate) state: ExternalState,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) folders: BTreeMap<String, Position>,
}

/// How far a folder was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// UIDVALIDITY: with another one, everything below means nothing.
    pub(crate) validity: u32,
    /// Everything up to this UID is here or was skipped.
    #[serde(default)]
    pub(crate) last: u32,
    /// Those that were skipped, ascending: they are not deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) skipped: Vec<u32>,
    /// How far it had come by the end of a day (days since 1970), ascending: what is older than so many days is known by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) days: Vec<(i64, u32)>,
}

impl Memory {
    /// What can't be read is nothing.
    pub(crate) fn parse(kept: Option<&str>) -> Self {
        kept.and_then(|kept| serde_json::from_str(kept).ok())
            .unwrap_or_default()
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

    /// What may be deleted of the first `last` UIDs, as an IMAP set of ranges; empty: nothing.
    pub(crate) fn without_skipped(&self, last: u32) -> Vec<String> {
        let (mut ranges, mut from) = (Vec::new(), 1_u64);
        for skipped in self.skipped.iter().copied().filter(|skipped| *skipped <= last) {
            if from < u64::from(skipped) {
                ranges.push(format!("{from}:{}", skipped - 1));
            }
            from = u64::from(skipped) + 1;
        }
        if from <= u64::from(last) {
            ranges.push(format!("{from}:{last}"));
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn what_was_skipped_is_never_deleted() {
        let position = Position {
            skipped: vec![1, 4, 5, 9],
            ..Position::default()
        };
        assert_eq!(position.without_skipped(10), ["2:3", "6:8", "10:10"]);
        assert_eq!(position.without_skipped(4), ["2:3"]);
        assert_eq!(position.without_skipped(1), Vec::<String>::new());
        assert_eq!(Position::default().without_skipped(0), Vec::<String>::new());
        let last = Position {
            skipped: vec![u32::MAX],
            ..Position::default()
        };
        assert_eq!(last.without_skipped(u32::MAX), ["1:4294967294"]);
    }
}
