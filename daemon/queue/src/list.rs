//! The queue as a list: pages of what is in memory and what waits in `waiting.db`, in one order.
//!
//! Looking holds up nobody: what a row needs is copied in small steps under the lock; it is filtered, sorted and made readable elsewhere. What is in
//! the queue from the beginning to the end of a look is in it once, wherever it moves meanwhile (see `looks`).
//!
//! A page is found by an index of the database, however many rows lie before it. A filter, which may stand anywhere in a text, goes through the narrow index
//! of what is searched.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rusqlite::{Connection, Statement, ToSql};
use shared::protocol::{Page, QueueRow, Rows};

use crate::live::Inner;
use crate::looks::Look;
use crate::rows::{Glimpse, Sort, Stored};
use crate::waiting::schema;
use crate::{Queue, QueueError, unavailable};

/// Rows of a page at most, and if none were named.
const PAGE_MAX: u64 = 10_000;
const PAGE_DEFAULT: u64 = 100;
/// Nobody goes through more rows than that.
const OFFSET_MAX: u64 = 1 << 40;
/// Messages looked at before the lock is given to others.
pub(crate) const STEP_MAX: usize = 512;

/// How many of some messages, named by a list in JSON, are rows.
pub(crate) const COUNT_THESE: &str =
    "SELECT count(*) FROM message WHERE id IN (SELECT value FROM json_each(?1))";
/// How many rows a filter leaves beside such messages.
pub(crate) const COUNT_FILTERED: &str = "SELECT count(*) FROM message INDEXED BY message_search
     WHERE instr(search, ?2) > 0 AND id NOT IN (SELECT value FROM json_each(?1))";

/// A page as it was asked for.
pub(crate) struct Wanted {
    /// In lower case; empty: all.
    filter: String,
    sort: Sort,
    descending: bool,
    offset: u64,
    limit: u64,
}

impl Wanted {
    pub(crate) fn of(page: &Page) -> Self {
        Self {
            filter: page.filter.to_lowercase(),
            sort: Sort::of(&page.sort),
            descending: page.descending,
            offset: page.offset.min(OFFSET_MAX),
            limit: match page.limit {
                0 => PAGE_DEFAULT,
                limit => limit.min(PAGE_MAX),
            },
        }
    }

    fn leaves(&self, glimpse: &Glimpse) -> bool {
        // A text to search in costs more than all else.
        self.filter.is_empty() || glimpse.search_text().contains(&self.filter)
    }
}

/// The statement for a page of rows. `?1`: messages to leave out, as a list in JSON, `?2` how many, `?3` after how many, `?4` the filter.
pub(crate) fn page_sql(sort: Sort, descending: bool, filtered: bool) -> String {
    let order = if descending { "DESC" } else { "ASC" };
    let key = sort.key();
    let others = "id NOT IN (SELECT value FROM json_each(?1))";
    let some = if filtered {
        format!(
            "message WHERE id IN (SELECT id FROM message INDEXED BY message_search WHERE instr(search, ?4) > 0 AND {others})"
        )
    } else {
        // Without it the rows themselves would be walked through, to count those before the page.
        format!("message INDEXED BY {} WHERE {others}", sort.index())
    };
    format!(
        "SELECT row.id, head, size, next_try, held
         FROM (SELECT id FROM {some} ORDER BY {key} {order}, id {order} LIMIT ?2 OFFSET ?3) AS page JOIN message AS row USING (id)"
    )
}

/// A full disk may have kept an index from being built.
fn prepare<'a>(connection: &'a Connection, sql: &str) -> rusqlite::Result<Statement<'a>> {
    let missing = |error: &rusqlite::Error| error.to_string().contains("no such index");
    match connection.prepare(sql) {
        Err(error) if missing(&error) => connection.prepare(&schema::walking(sql)),
        prepared => prepared,
    }
}

/// The messages in memory as one look saw them.
pub(crate) struct Seen {
    look: Look,
    wanted: Wanted,
    /// Those that the filter leaves.
    here: HashMap<u64, Glimpse>,
    /// Messages that may be rows as well.
    moving: HashSet<u64>,
}

impl Queue {
    /// The messages in the order of their arrival, or sorted by `id`, `sender`, `size`, `arrived`, `next_try`, `attempts` or `held`.
    pub async fn list(&self, page: Page) -> Result<Rows<QueueRow>, QueueError> {
        let (inner, wanted) = (self.inner.clone(), Wanted::of(&page));
        let seen = tokio::task::spawn_blocking(move || Seen::in_memory(&inner, wanted)).await;
        let seen = seen.map_err(|error| unavailable("list", &error))?;
        self.inner
            .waiting
            .look(move |connection| seen.with_rows(connection))
            .await
    }
}

impl Seen {
    /// Looks through the messages in memory. Blocks, but nobody else.
    pub(crate) fn in_memory(inner: &Arc<Inner>, wanted: Wanted) -> Self {
        let (look, ids, mut here) = Look::begin(inner);
        let mut moving: HashSet<u64> = here.keys().copied().collect();
        for step in ids.chunks(STEP_MAX) {
            let state = look.inner().state.lock();
            // One that is gone by now has become a row.
            for (id, live) in step.iter().filter_map(|id| Some((*id, state.messages.get(id)?))) {
                here.insert(id, Glimpse::of(id, live));
                if live.parking {
                    moving.insert(id);
                }
            }
        }
        here.retain(|_, glimpse| wanted.leaves(glimpse));
        Self {
            look,
            wanted,
            here,
            moving,
        }
    }

    /// The page, with the rows of the database as one look sees them. Blocks.
    pub(crate) fn with_rows(mut self, connection: &Connection) -> rusqlite::Result<Rows<QueueRow>> {
        // The picture of the database is taken by this first statement; what moved before it is known after it.
        let all: i64 = connection.query_row(schema::COUNT, [], |row| row.get(0))?;
        let moved = self.look.moved();
        self.moving.extend(moved.went);
        self.moving.extend(moved.came.keys());
        let came = moved.came.into_iter();
        self.here
            .extend(came.filter(|(_, glimpse)| self.wanted.leaves(glimpse)));
        let twice: Vec<i64> = self
            .moving
            .iter()
            .filter(|id| self.here.contains_key(id))
            .map(|id| *id as i64)
            .collect();
        let twice = serde_json::to_string(&twice)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        let rows = if self.wanted.filter.is_empty() {
            let also: i64 = connection.query_row(COUNT_THESE, [&twice], |row| row.get(0))?;
            all - also
        } else {
            let wanted = (&twice, &self.wanted.filter);
            prepare(connection, COUNT_FILTERED)?.query_row(wanted, |row| row.get(0))?
        };
        Ok(Rows {
            total: rows as u64 + self.here.len() as u64,
            rows: self.page(connection, &twice)?,
        })
    }

    fn page(self, connection: &Connection, twice: &str) -> rusqlite::Result<Vec<QueueRow>> {
        let Wanted {
            filter,
            sort,
            descending,
            offset,
            limit,
        } = self.wanted;
        let end = offset.saturating_add(limit);
        // However the two lists interleave, rows of the database before this one are on earlier pages.
        let first = offset.saturating_sub(self.here.len() as u64);
        let mut rows = {
            let mut here: Vec<Glimpse> = self.here.into_values().collect();
            here.sort_by_cached_key(|glimpse| glimpse.key(sort));
            if descending {
                here.reverse();
            }
            here.truncate(usize::try_from(end).unwrap_or(usize::MAX));
            here.iter().map(Glimpse::row).collect::<Vec<_>>()
        };
        let sql = page_sql(sort, descending, !filter.is_empty());
        let (count, first_row) = ((end - first) as i64, first as i64);
        let values: [&dyn ToSql; 4] = [&twice, &count, &first_row, &filter];
        let values = values.split_at(if filter.is_empty() { 3 } else { 4 }).0;
        let mut statement = prepare(connection, &sql)?;
        let mut found = statement.query(values)?;
        while let Some(row) = found.next()? {
            let stored = Stored::read(row)?;
            rows.extend(stored.head().map(|head| stored.row(&head)));
        }
        rows.sort_by(|a, b| {
            let order = sort.compare(a, b);
            if descending { order.reverse() } else { order }
        });
        let skip = (offset - first) as usize;
        Ok(rows.into_iter().skip(skip).take(limit as usize).collect())
    }
}
