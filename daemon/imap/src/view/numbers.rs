//! Message numbers and UIDs of the selected folder: what a set of the client means.
//!
//! Must not know: what changed, how it is told.

use std::ops::Range;

use mailbox::{Uid, UidSet};
use wire::imap::{ResolvedSet, SequenceSet};

use super::View;
use crate::reply::Answer;

/// Runs that are passed over one by one before the set is asked anew.
const RUNS_PASSED_MAX: usize = 8;

/// Finds the numbers of ascending UIDs.
pub(crate) struct Numbers<'a> {
    uids: &'a UidSet,
    run: Option<(Uid, Uid)>,
    /// The index of the run's first.
    start: usize,
}

impl Numbers<'_> {
    pub(crate) fn index(&mut self, uid: Uid) -> Option<usize> {
        for _ in 0..RUNS_PASSED_MAX {
            let Some((first, last)) = self.run else { break };
            if uid <= last {
                return (uid >= first).then(|| self.start + (uid - first) as usize);
            }
            self.start += (last - first) as usize + 1;
            self.run = self.uids.next_range(last.checked_add(1)?, Uid::MAX);
        }
        self.run = Some(self.uids.next_range(uid, Uid::MAX)?);
        self.start = self.uids.rank(uid);
        self.run.filter(|run| run.0 == uid).map(|_| self.start)
    }
}

impl View {
    /// The index of a UID.
    pub(crate) fn index(&self, uid: Uid) -> Option<usize> {
        self.told.index(uid)
    }

    /// The same for UIDs that ascend.
    pub(crate) fn numbers(&self) -> Numbers<'_> {
        Numbers {
            uids: &self.told,
            run: None,
            start: 0,
        }
    }

    pub(super) fn range_of(&self, from: Uid, to: Uid) -> Range<usize> {
        let start = self.told.rank(from);
        let end = to
            .checked_add(1)
            .map_or(self.len(), |after| self.told.rank(after));
        start..end.max(start)
    }

    /// The indices that a set of the client means, ascending.
    pub(crate) fn indices(&self, set: &SequenceSet, uid: bool) -> Result<Vec<Range<usize>>, Answer> {
        if *set == SequenceSet::Saved {
            return Ok(self.index_ranges(&self.saved));
        }
        if uid {
            // RFC 9051 §6.4.9: UIDs that don't exist are let go without an error.
            return Ok(self.index_ranges(&set.resolve(self.last_uid())));
        }
        let count = u32::try_from(self.len()).unwrap_or(u32::MAX);
        // RFC 9051 §9, seq-number: none is right in an empty folder, `*` neither.
        if count == 0 || set.highest_written().is_some_and(|highest| highest > count) {
            return Err(Answer::bad("no such message number"));
        }
        Ok(self.numbers_there(set))
    }

    /// The indices of the message numbers of a set that are there: none is wrong.
    pub(crate) fn numbers_there(&self, set: &SequenceSet) -> Vec<Range<usize>> {
        if *set == SequenceSet::Saved {
            return self.index_ranges(&self.saved);
        }
        let count = u32::try_from(self.len()).unwrap_or(u32::MAX);
        let set = set.resolve(count).clamp(count);
        let ranges = set.ranges().iter();
        ranges.map(|&(from, to)| from as usize - 1..to as usize).collect()
    }

    fn index_ranges(&self, set: &ResolvedSet) -> Vec<Range<usize>> {
        let ranges = set.ranges().iter().map(|&(from, to)| self.range_of(from, to));
        ranges.filter(|range| !range.is_empty()).collect()
    }

    /// The ranges of UIDs, ascending, that a set of the client means. They may span UIDs that the client does not know.
    pub(crate) fn uid_ranges(&self, ranges: &[Range<usize>]) -> Vec<(Uid, Uid)> {
        let ends = |range: &Range<usize>| {
            let last = self.told.nth(range.end.checked_sub(1)?)?;
            Some((self.told.nth(range.start)?, last))
        };
        ranges.iter().filter_map(ends).collect()
    }

    pub(crate) fn uids_of(&self, ranges: &[Range<usize>]) -> Vec<Uid> {
        let mut uids = Vec::with_capacity(ranges.iter().map(Range::len).sum());
        for (first, last) in self.uid_ranges(ranges) {
            for (first, last) in self.told.ranges(first, last) {
                uids.extend(first..=last);
            }
        }
        uids
    }
}
