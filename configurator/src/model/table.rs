//! A list of the daemon's of which only a window is held: rows are fetched in blocks, filtered and sorted by the daemon.
//!
//! While a newer version is on its way the old rows stay in sight. An answer to an older question is dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use shared::protocol::{Page, Rows};

/// Rows of one request.
pub(super) const BLOCK_ROWS: u64 = 200;
/// Blocks kept; the farthest from what is seen go first.
const BLOCKS_MAX: usize = 24;

#[derive(Clone, Debug)]
struct Block<T> {
    version: u64,
    rows: Vec<T>,
}

/// A list.
#[derive(Clone, Debug)]
pub struct Table<T> {
    pub filter: String,
    /// A column's name as the daemon knows it; empty: the list's own order.
    pub sort: String,
    pub descending: bool,
    /// Whose rows: a domain's name, or empty.
    pub scope: String,
    /// The key of the selected row.
    pub selected: Option<String>,
    /// Keys marked beside it, for actions on several.
    pub marked: BTreeSet<String>,
    total: Option<u64>,
    blocks: BTreeMap<u64, Block<T>>,
    asked: BTreeMap<u64, u64>,
    version: u64,
    /// What was seen last, in rows.
    seen: Range<u64>,
    /// Why the list could not be read, if it could not.
    pub failed: Option<String>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            filter: String::new(),
            sort: String::new(),
            descending: false,
            scope: String::new(),
            selected: None,
            marked: BTreeSet::new(),
            total: None,
            blocks: BTreeMap::new(),
            asked: BTreeMap::new(),
            version: 1,
            seen: 0..0,
            failed: None,
        }
    }
}

impl<T> Table<T> {
    /// Rows on all pages; `None` until the first answer.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// The row of an index, if it is held.
    pub fn row(&self, index: u64) -> Option<&T> {
        self.blocks
            .get(&(index / BLOCK_ROWS))?
            .rows
            .get(usize::try_from(index % BLOCK_ROWS).ok()?)
    }

    /// The rows that are held, with their indices.
    pub fn held(&self) -> impl Iterator<Item = (u64, &T)> {
        self.blocks.iter().flat_map(|(block, held)| {
            held.rows
                .iter()
                .enumerate()
                .map(move |(at, row)| (block * BLOCK_ROWS + at as u64, row))
        })
    }

    /// True while an answer is awaited.
    pub fn loading(&self) -> bool {
        self.failed.is_none() && !self.asked.is_empty()
    }

    /// Whether the filter is the reason that nothing is there.
    pub fn filtered(&self) -> bool {
        !self.filter.is_empty()
    }

    /// Everything is read anew when it is next seen; the old rows stay until then.
    pub fn refresh(&mut self) {
        self.version += 1;
        self.failed = None;
    }

    /// Another question: the old rows are of no use.
    pub fn restart(&mut self) {
        self.version += 1;
        self.seen = 0..BLOCK_ROWS;
        self.marked.clear();
        self.failed = None;
    }

    /// Makes it another domain's list.
    pub fn enter(&mut self, scope: &str) {
        if self.scope != scope {
            let (sort, descending, version) = (std::mem::take(&mut self.sort), self.descending, self.version);
            *self = Self {
                scope: scope.to_owned(),
                sort,
                descending,
                version: version + 1,
                ..Self::default()
            };
        }
    }

    /// Forgets what is under way, as the connection is gone.
    pub fn forget(&mut self) {
        self.asked.clear();
        self.version += 1;
    }

    /// Tells which rows are in sight.
    pub fn look(&mut self, rows: Range<u64>) {
        self.seen = rows;
    }

    /// The blocks to ask for now, marked as asked.
    pub fn wanted(&mut self) -> Vec<u64> {
        let last = self.seen.end.max(1) - 1;
        let last = self.total.map_or(0, |total| last.min(total.saturating_sub(1)));
        let first = self.seen.start.min(last);
        let version = self.version;
        let wanted: Vec<u64> = (first / BLOCK_ROWS..=last / BLOCK_ROWS)
            .filter(|block| self.blocks.get(block).is_none_or(|held| held.version < version))
            .filter(|block| self.asked.get(block).is_none_or(|asked| *asked < version))
            .collect();
        self.asked.extend(wanted.iter().map(|block| (*block, version)));
        wanted
    }

    /// The question for a block, and the version of it that its answer has to name.
    pub fn question(&self, block: u64) -> (Page, u64) {
        let page = Page {
            filter: self.filter.clone(),
            sort: self.sort.clone(),
            descending: self.descending,
            offset: block * BLOCK_ROWS,
            limit: BLOCK_ROWS,
        };
        (page, self.version)
    }

    /// Takes an answer. One of an older version is dropped.
    pub fn take(&mut self, block: u64, version: u64, answer: Result<Rows<T>, String>) {
        if self.asked.get(&block) == Some(&version) {
            self.asked.remove(&block);
        }
        if version != self.version {
            return;
        }
        match answer {
            Err(text) => {
                // It counts as asked until the next refresh, or a daemon that can't answer would be asked without end.
                self.asked.insert(block, version);
                self.failed = Some(text);
            }
            Ok(rows) => {
                self.failed = None;
                if self.total != Some(rows.total) {
                    let blocks = rows.total.div_ceil(BLOCK_ROWS);
                    self.blocks.retain(|held, _| *held < blocks);
                }
                self.total = Some(rows.total);
                self.blocks.insert(
                    block,
                    Block {
                        version,
                        rows: rows.rows,
                    },
                );
                self.trim(block);
            }
        }
    }

    fn trim(&mut self, near: u64) {
        while self.blocks.len() > BLOCKS_MAX {
            let (Some((&first, _)), Some((&last, _))) =
                (self.blocks.first_key_value(), self.blocks.last_key_value())
            else {
                return;
            };
            let farthest = if near.abs_diff(first) > near.abs_diff(last) {
                first
            } else {
                last
            };
            self.blocks.remove(&farthest);
        }
    }

    /// Sorts by a column, or the other way round if it is sorted by it already.
    pub fn sort_by(&mut self, column: &str) {
        self.descending = self.sort == column && !self.descending;
        column.clone_into(&mut self.sort);
        self.restart();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(from: u64, count: u64, total: u64) -> Rows<u64> {
        Rows {
            total,
            rows: (from..from + count).collect(),
        }
    }

    #[test]
    fn only_what_is_seen_is_asked_for_and_only_once() {
        let mut table = Table::<u64>::default();
        assert_eq!(table.wanted(), [0]);
        assert_eq!(table.wanted(), [0; 0]);
        table.take(0, 1, Ok(rows(0, 200, 100_000)));
        assert_eq!(table.total(), Some(100_000));
        table.look(99_850..99_880);
        assert_eq!(table.wanted(), [499]);
        table.take(499, 1, Ok(rows(99_800, 200, 100_000)));
        assert_eq!(table.row(99_999), Some(&99_999));
        assert_eq!(table.row(50_000), None);
        assert_eq!(table.wanted(), [0; 0]);
    }

    #[test]
    fn an_answer_to_an_older_filter_is_dropped_and_the_old_rows_stay_in_sight() {
        let mut table = Table::<u64>::default();
        table.wanted();
        table.take(0, 1, Ok(rows(0, 10, 10)));
        "x".clone_into(&mut table.filter);
        table.restart();
        assert_eq!(table.wanted(), [0]);
        assert_eq!(table.row(3), Some(&3));
        table.take(0, 1, Ok(rows(50, 10, 10)));
        assert_eq!(table.row(3), Some(&3), "the older answer is not taken");
        table.take(0, 2, Ok(rows(90, 2, 2)));
        assert_eq!((table.row(0), table.total()), (Some(&90), Some(2)));
    }

    #[test]
    fn memory_stays_bounded_however_far_one_scrolls() {
        let mut table = Table::<u64>::default();
        for block in 0..500 {
            table.look(block * BLOCK_ROWS..block * BLOCK_ROWS + 40);
            for wanted in table.wanted() {
                table.take(wanted, 1, Ok(rows(wanted * BLOCK_ROWS, BLOCK_ROWS, 100_000)));
            }
        }
        assert!(table.held().count() as u64 <= BLOCKS_MAX as u64 * BLOCK_ROWS);
    }
}
