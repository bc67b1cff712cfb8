//! A database in memory: for tests, and to keep the others honest. Nothing outlives the value.
//!
//! Must not know: how any other driver does it; the contract suite compares them.

use std::collections::{BTreeMap, HashMap};

use parking_lot::Mutex;

use crate::descriptor::REVISION;
use crate::{Answer, Batch, Descriptor, Driver, Error, Filter, Key, Op, Query, Row, Selected, Value};

/// The database; share it through an `Arc`.
#[derive(Debug, Default)]
pub struct Memory {
    state: Mutex<State>,
}

type Table = BTreeMap<Key, Row>;

#[derive(Clone, Debug, Default)]
struct State {
    tables: HashMap<&'static str, Table>,
    sequences: HashMap<&'static str, u64>,
    down: bool,
}

impl Memory {
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes every call fail as a database that is down does, until it is set back.
    pub fn set_down(&self, down: bool) {
        self.state.lock().down = down;
    }

    fn with<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut State) -> Result<T, Error> + Send,
    ) -> Answer<'static, T> {
        let mut state = self.state.lock();
        let result = if state.down {
            Err(Error::Unavailable("down".to_owned()))
        } else {
            act(&mut state)
        };
        Box::pin(std::future::ready(result))
    }
}

impl Driver for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn ensure(&self, descriptor: &'static Descriptor) -> Answer<'_, ()> {
        self.with(|state| {
            state.tables.entry(descriptor.table).or_default();
            Ok(())
        })
    }

    fn get(&self, descriptor: &'static Descriptor, key: Key) -> Answer<'_, Option<Row>> {
        self.with(move |state| Ok(state.table(descriptor)?.get(&key).cloned()))
    }

    fn select(&self, descriptor: &'static Descriptor, filter: Filter, limit: u64) -> Answer<'_, Vec<Row>> {
        self.scan(descriptor, Some(filter), None, limit)
    }

    fn page(&self, descriptor: &'static Descriptor, query: Query) -> Answer<'_, Selected> {
        self.with(move |state| {
            let sort = descriptor.sort_field(&query.sort);
            let needle = query.contains.to_lowercase();
            let table = state.table(descriptor)?;
            let mut rows: Vec<_> = table
                .iter()
                .filter(|(_, row)| matches(row, query.filter.as_ref()) && row.search_text().contains(&needle))
                .collect();
            rows.sort_by(|(a_key, a), (b_key, b)| (a.value(sort), a_key).cmp(&(b.value(sort), b_key)));
            if query.descending {
                rows.reverse();
            }
            let total = rows.len() as u64;
            let page = rows
                .into_iter()
                .skip(query.offset as usize)
                .take(query.limit as usize);
            Ok(Selected {
                total,
                exact: true,
                rows: page.map(|(_, row)| row.clone()).collect(),
            })
        })
    }

    fn count(&self, descriptor: &'static Descriptor, filter: Option<Filter>) -> Answer<'_, u64> {
        self.with(move |state| {
            let table = state.table(descriptor)?;
            Ok(table.values().filter(|row| matches(row, filter.as_ref())).count() as u64)
        })
    }

    fn scan(
        &self,
        descriptor: &'static Descriptor,
        filter: Option<Filter>,
        after: Option<Key>,
        limit: u64,
    ) -> Answer<'_, Vec<Row>> {
        self.with(move |state| {
            let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
            let rows = state.table(descriptor)?.range((from, std::ops::Bound::Unbounded));
            let rows = rows
                .map(|(_, row)| row)
                .filter(|row| matches(row, filter.as_ref()));
            Ok(rows.take(limit as usize).cloned().collect())
        })
    }

    fn write(&self, batch: Batch) -> Answer<'_, Vec<u64>> {
        self.with(move |state| {
            let mut next = state.clone();
            let mut revisions = Vec::with_capacity(batch.ops.len());
            for (number, op) in batch.ops.into_iter().enumerate() {
                revisions.push(next.apply(number, op)?);
            }
            *state = next;
            Ok(revisions)
        })
    }

    fn reserve(&self, sequence: &'static str, count: u64) -> Answer<'_, u64> {
        self.with(move |state| {
            let next = state.sequences.entry(sequence).or_insert(1);
            let first = *next;
            *next += count;
            Ok(first)
        })
    }
}

impl State {
    fn table(&mut self, descriptor: &'static Descriptor) -> Result<&mut Table, Error> {
        let missing = || Error::Unavailable(format!("no table {}", descriptor.table));
        self.tables.get_mut(descriptor.table).ok_or_else(missing)
    }

    fn apply(&mut self, number: usize, op: Op) -> Result<u64, Error> {
        let descriptor = op.descriptor();
        let name = descriptor.table;
        let table = self.table(descriptor)?;
        match op {
            Op::Insert(row) => insert(table, number, row, 1),
            Op::Put(row) => {
                let old = table.remove(&row.key());
                insert(table, number, row, old.map_or(1, |old| old.revision() + 1))
            }
            Op::Update { key, row, expected } => {
                let old = table.remove(&key).ok_or(Error::Missing {
                    op: number,
                    table: name,
                })?;
                if expected.is_some_and(|expected| expected != old.revision()) {
                    return Err(Error::Stale {
                        op: number,
                        table: name,
                    });
                }
                insert(table, number, row, old.revision() + 1)
            }
            Op::Delete { key, expected, .. } => {
                let old = table.remove(&key).ok_or(Error::Missing {
                    op: number,
                    table: name,
                })?;
                if expected.is_some_and(|expected| expected != old.revision()) {
                    return Err(Error::Stale {
                        op: number,
                        table: name,
                    });
                }
                Ok(0)
            }
            Op::DeleteAll { filter, .. } => {
                table.retain(|_, row| !matches(row, Some(&filter)));
                Ok(0)
            }
        }
    }
}

fn insert(table: &mut Table, op: usize, mut row: Row, revision: u64) -> Result<u64, Error> {
    let descriptor = row.descriptor();
    let taken = |field: &&str| {
        let value = row.value(field);
        *value != Value::Null && table.values().any(|other| other.value(field) == value)
    };
    if table.contains_key(&row.key()) || descriptor.unique.iter().any(taken) {
        return Err(Error::Duplicate {
            op,
            table: descriptor.table,
        });
    }
    if !descriptor.revisioned() {
        table.insert(row.key(), row);
        return Ok(0);
    }
    row.set(REVISION, revision);
    table.insert(row.key(), row);
    Ok(revision)
}

fn matches(row: &Row, filter: Option<&Filter>) -> bool {
    filter.is_none_or(|filter| filter.values.contains(row.value(filter.field)))
}
