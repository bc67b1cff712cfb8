//! The queue as a list: pages of what is in memory and what waits in `waiting.db`, in one order.
//!
//! Looking holds up nobody: what a row needs is copied in small steps under the lock; it is filtered, sorted and made readable elsewhere. A message that
//! moves between memory and database meanwhile may be missing from one look.

use std::collections::HashSet;

use rusqlite::params;
use shared::protocol::{Page, QueueRow, Rows};

use crate::live::Inner;
use crate::rows::{Glimpse, Sort, Stored};
use crate::{Queue, QueueError, unavailable};

/// Rows of a page at most, and if none were named.
const PAGE_MAX: u64 = 10_000;
const PAGE_DEFAULT: u64 = 100;
/// Messages looked at before the lock is given to others.
pub(crate) const STEP_MAX: usize = 512;

/// A row and the number of its message.
type Numbered = (u64, QueueRow);

/// What a page needs of the messages in memory.
struct InMemory {
    /// All that the filter leaves.
    ids: HashSet<u64>,
    /// The first of them in the order of the list, as far as the page may reach.
    rows: Vec<QueueRow>,
}

impl Queue {
    /// The messages in the order of their arrival, or sorted by `id`, `sender`, `size`, `arrived`, `next_try`, `attempts` or `held`.
    pub async fn list(&self, page: Page) -> Result<Rows<QueueRow>, QueueError> {
        let filter = page.filter.to_lowercase();
        let sort = Sort::of(&page.sort);
        let limit = if page.limit == 0 {
            PAGE_DEFAULT
        } else {
            page.limit.min(PAGE_MAX)
        };
        let (inner, wanted, end) = (
            self.inner.clone(),
            filter.clone(),
            page.offset.saturating_add(limit),
        );
        let found =
            tokio::task::spawn_blocking(move || in_memory(&inner, &wanted, sort, page.descending, end));
        let InMemory { ids, rows: mut live } = found.await.map_err(|error| unavailable("list", &error))?;
        // However the two lists interleave, rows of the database before this one are on earlier pages.
        let offset = page.offset.saturating_sub(ids.len() as u64);
        let (total, rows) = self
            .stored_rows(filter, sort, page.descending, (limit + ids.len() as u64, offset))
            .await?;
        // A message on its way between memory and database is in both for a moment.
        let (twice, rows): (Vec<Numbered>, Vec<Numbered>) =
            rows.into_iter().partition(|(id, _)| ids.contains(id));
        let total = (total + ids.len() as u64).saturating_sub(twice.len() as u64);
        live.extend(rows.into_iter().map(|(_, row)| row));
        live.sort_by(|a, b| {
            let order = sort.compare(a, b);
            if page.descending { order.reverse() } else { order }
        });
        let skip = (page.offset - offset) as usize;
        Ok(Rows {
            total,
            rows: live.into_iter().skip(skip).take(limit as usize).collect(),
        })
    }

    /// How many rows the filter leaves, and some of them. `part`: how many, after how many.
    async fn stored_rows(
        &self,
        filter: String,
        sort: Sort,
        descending: bool,
        part: (u64, u64),
    ) -> Result<(u64, Vec<Numbered>), QueueError> {
        let order = if descending { "DESC" } else { "ASC" };
        let column = sort.column();
        let sql = format!(
            "SELECT id, head, size, next_try, held FROM message WHERE ?1 = '' OR instr(search, ?1) > 0
             ORDER BY {column} {order}, id {order} LIMIT ?2 OFFSET ?3"
        );
        let look = self.inner.waiting.look(move |connection| {
            let total: i64 = if filter.is_empty() {
                connection.query_row("SELECT count(*) FROM message", [], |row| row.get(0))?
            } else {
                let count = "SELECT count(*) FROM message WHERE instr(search, ?1) > 0";
                connection.query_row(count, [&filter], |row| row.get(0))?
            };
            let mut statement = connection.prepare(&sql)?;
            let rows = statement.query_map(params![filter, part.0 as i64, part.1 as i64], |row| {
                let stored = Stored::read(row)?;
                Ok(stored.head().map(|head| (stored.id, stored.row(&head))))
            })?;
            let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            Ok((total as u64, rows.into_iter().flatten().collect()))
        });
        look.await
    }
}

/// Looks through the messages in memory. Blocks, but nobody else. `end`: rows after that many are on later pages.
fn in_memory(inner: &Inner, filter: &str, sort: Sort, descending: bool, end: u64) -> InMemory {
    let all: Vec<u64> = inner.state.lock().messages.keys().copied().collect();
    let mut found = Vec::with_capacity(all.len());
    for step in all.chunks(STEP_MAX) {
        let state = inner.state.lock();
        let here = step.iter().filter_map(|id| Some((*id, state.messages.get(id)?)));
        found.extend(here.map(|(id, live)| Glimpse::of(id, live)));
    }
    // A text to search in costs more than all else.
    if !filter.is_empty() {
        found.retain(|glimpse| glimpse.search_text().contains(filter));
    }
    let ids = found.iter().map(|glimpse| glimpse.id).collect();
    found.sort_by_cached_key(|glimpse| glimpse.key(sort));
    if descending {
        found.reverse();
    }
    found.truncate(usize::try_from(end).unwrap_or(usize::MAX));
    let rows = found.iter().map(Glimpse::row).collect();
    InMemory { ids, rows }
}
