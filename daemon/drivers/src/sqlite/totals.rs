//! Totals that were counted, kept until the table changes, so that turning pages doesn't count again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::{Descriptor, Filter};

/// Totals kept.
const KEPT_MAX: usize = 512;
/// Another process may write to the file too: no total is believed longer than this.
const LIFE: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct What {
    table: &'static str,
    filter: Option<(&'static str, Vec<crate::Value>)>,
    contains: String,
}

impl What {
    pub(super) fn new(descriptor: &'static Descriptor, filter: Option<&Filter>, contains: &str) -> Self {
        let filter = filter.map(|filter| (filter.field, filter.values.clone()));
        Self {
            table: descriptor.table,
            filter,
            contains: contains.to_owned(),
        }
    }

    fn is_whole(&self) -> bool {
        self.filter.is_none() && self.contains.is_empty()
    }
}

#[derive(Debug, Default)]
pub(super) struct Totals {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kept: HashMap<What, (u64, Instant)>,
    /// Rises with each change of a table, so that a count that began before it is not kept.
    generations: HashMap<&'static str, u64>,
}

/// What a transaction changes, told when it is over.
pub(super) struct Changes<'a> {
    totals: &'a Totals,
    /// Rows more or fewer; `None`: nobody knows.
    tables: HashMap<&'static str, Option<i64>>,
}

impl Totals {
    pub(super) fn get(&self, what: &What) -> Option<u64> {
        let state = self.state.lock();
        let (total, at) = state.kept.get(what)?;
        (what.is_whole() || at.elapsed() < LIFE).then_some(*total)
    }

    /// Ask before counting, hand it to `keep` after it.
    pub(super) fn generation(&self, what: &What) -> u64 {
        self.state
            .lock()
            .generations
            .get(what.table)
            .copied()
            .unwrap_or(0)
    }

    pub(super) fn keep(&self, what: What, total: u64, generation: u64) {
        let mut state = self.state.lock();
        if state.generations.get(what.table).copied().unwrap_or(0) != generation {
            return;
        }
        if state.kept.len() >= KEPT_MAX {
            state.kept.clear();
        }
        state.kept.insert(what, (total, Instant::now()));
    }

    pub(super) fn changes(&self) -> Changes<'_> {
        Changes {
            totals: self,
            tables: HashMap::new(),
        }
    }
}

impl Changes<'_> {
    pub(super) fn add(&mut self, table: &'static str, rows: Option<i64>) {
        let entry = self.tables.entry(table).or_insert(Some(0));
        *entry = entry.zip(rows).map(|(before, more)| before + more);
    }

    pub(super) fn finish(self, committed: bool) {
        if !committed {
            return;
        }
        let mut state = self.totals.state.lock();
        for (table, rows) in self.tables {
            *state.generations.entry(table).or_insert(0) += 1;
            state.kept.retain(|what, (total, _)| {
                if what.table != table {
                    return true;
                }
                match rows {
                    Some(rows) if what.is_whole() => {
                        *total = total.saturating_add_signed(rows);
                        true
                    }
                    _ => false,
                }
            });
        }
    }
}
