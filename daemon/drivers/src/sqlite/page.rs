//! Pages of long lists: filtered by a substring, sorted, from any offset, among a million rows.
//!
//! A substring of three letters or more is looked up in the index of trigrams. If few rows have it, they are sorted and cut.
//! If many have it, the index of the sort order is walked until the page is full, which is soon. The total of many is counted
//! within a budget of time; past it, it is estimated from a sample, and counted exactly afterwards for the next asking.
//! Without a substring a page behind the middle is walked to from the other end.

use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, params_from_iter};

use super::read::{check, rows, unsigned};
use super::shape::Shape;
use super::totals::{Totals, What};
use crate::{Filter, Query, Row, Selected, Value};

/// A substring that more rows have is common: sorting them would take longer than walking.
const RARE_ROWS_MAX: i64 = 2000;
/// A filter that lets more rows through is not worth sorting what it finds.
const SORTED_ROWS_MAX: u64 = 5000;
/// How long the caller waits for a count.
const COUNT_BUDGET: Duration = Duration::from_millis(8);
/// How long a count that nobody waits for may take.
const COUNT_LATER_BUDGET: Duration = Duration::from_secs(10);
/// Rows that an estimate looks at.
const SAMPLE_ROWS: i64 = 1000;
/// Instructions of SQLite's machine between two looks at the clock.
const BUDGET_STEP: i32 = 2000;

pub(super) fn page(
    connection: &mut Connection,
    shape: &Shape,
    query: &Query,
    totals: &Totals,
) -> rusqlite::Result<Selected> {
    let needle = query.contains.to_lowercase();
    if query
        .filter
        .as_ref()
        .is_some_and(|filter| filter.values.is_empty())
        || needle.contains('\0')
    {
        return Ok(Selected {
            total: 0,
            exact: true,
            rows: Vec::new(),
        });
    }
    if needle.is_empty() {
        let total = count(connection, shape, query.filter.as_ref(), totals)?;
        let rows = plain(connection, shape, query, total)?;
        return Ok(Selected {
            total,
            exact: true,
            rows,
        });
    }
    let condition = Condition::new(shape, query.filter.as_ref(), &needle, true)?;
    if is_rare(connection, shape, &needle)? {
        let total = condition.count(connection, shape, true)?;
        let rows = condition.rows(connection, shape, query, true)?;
        return Ok(Selected {
            total,
            exact: true,
            rows,
        });
    }
    let of_filter = count(connection, shape, query.filter.as_ref(), totals)?;
    let by_index = of_filter <= SORTED_ROWS_MAX;
    let condition = Condition::new(shape, query.filter.as_ref(), &needle, by_index)?;
    let rows = condition.rows(connection, shape, query, false)?;
    let what = What::new(shape.descriptor, query.filter.as_ref(), &needle);
    if let Some(total) = totals.get(&what) {
        return Ok(Selected {
            total,
            exact: true,
            rows,
        });
    }
    if let Some(total) = count_within(connection, shape, &condition, COUNT_BUDGET, what, totals)? {
        return Ok(Selected {
            total,
            exact: true,
            rows,
        });
    }
    let seen = query.offset + rows.len() as u64;
    let total = condition.estimate(connection, shape, of_filter)?.max(seen);
    Ok(Selected {
        total,
        exact: false,
        rows,
    })
}

/// Counts what [`page`] only estimated, and keeps it. A failure leaves the estimate.
pub(super) fn count_exactly(connection: &mut Connection, shape: &Shape, query: &Query, totals: &Totals) {
    let needle = query.contains.to_lowercase();
    let what = What::new(shape.descriptor, query.filter.as_ref(), &needle);
    if let Ok(condition) = Condition::new(shape, query.filter.as_ref(), &needle, true) {
        let _ = count_within(connection, shape, &condition, COUNT_LATER_BUDGET, what, totals);
    }
}

/// Rows of a filter, without a substring.
pub(super) fn count(
    connection: &Connection,
    shape: &Shape,
    filter: Option<&Filter>,
    totals: &Totals,
) -> rusqlite::Result<u64> {
    let what = What::new(shape.descriptor, filter, "");
    if let Some(total) = totals.get(&what) {
        return Ok(total);
    }
    let generation = totals.generation(&what);
    let total = match filter {
        None => query_count(connection, &format!("SELECT count(*) FROM {}", shape.table), &[])?,
        Some(filter) => {
            check(filter)?;
            if filter.values.is_empty() {
                return Ok(0);
            }
            let condition = shape.filter_condition(filter, 1, true);
            let sql = format!("SELECT count(*) FROM {} WHERE {condition}", shape.table);
            query_count(connection, &sql, &filter.values)?
        }
    };
    if !shape.mapped {
        totals.keep(what, total, generation);
    }
    Ok(total)
}

fn query_count(connection: &Connection, sql: &str, values: &[Value]) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(sql)?
        .query_row(params_from_iter(values), |row| unsigned(row, 0))
}

/// A page without a substring.
fn plain(connection: &Connection, shape: &Shape, query: &Query, total: u64) -> rusqlite::Result<Vec<Row>> {
    let left = total.saturating_sub(query.offset);
    let wanted = query.limit.min(left);
    if wanted == 0 {
        return Ok(Vec::new());
    }
    // Behind the middle the way from the other end is shorter.
    let flipped = query.offset > total / 2;
    let offset = if flipped { left - wanted } else { query.offset };
    let sorted_by_key = shape.descriptor.key.first() == Some(&shape.descriptor.sort_field(&query.sort));
    let by_index = sorted_by_key || total <= SORTED_ROWS_MAX;
    let (condition, mut values) = match &query.filter {
        None => (String::new(), Vec::new()),
        Some(filter) => (
            format!("WHERE {}", shape.filter_condition(filter, 1, by_index)),
            filter.values.clone(),
        ),
    };
    let order = order(shape, query, query.descending != flipped);
    values.extend([Value::from(wanted), Value::from(offset)]);
    let sql = cut(shape, &shape.table, &condition, &order, values.len());
    let mut found = rows(connection, shape, &sql, &values.iter().collect::<Vec<_>>())?;
    if flipped {
        found.reverse();
    }
    Ok(found)
}

fn order(shape: &Shape, query: &Query, descending: bool) -> String {
    let direction = if descending { "DESC" } else { "ASC" };
    let sort = shape.column(shape.descriptor.sort_field(&query.sort));
    let mut columns = vec![sort];
    columns.extend(shape.key_columns());
    columns.dedup();
    let columns: Vec<_> = columns
        .into_iter()
        .map(|column| format!("{column} {direction}"))
        .collect();
    columns.join(", ")
}

/// The page as a statement whose last two parameters are limit and offset: the index is walked for row numbers first, so that
/// only the rows of the page are read.
fn cut(shape: &Shape, from: &str, condition: &str, order: &str, values: usize) -> String {
    format!(
        "SELECT {} FROM {} WHERE rowid IN (SELECT rowid FROM {from} {condition} ORDER BY {order} LIMIT ?{} OFFSET ?{})
         ORDER BY {order}",
        shape.select_list(),
        shape.table,
        values - 1,
        values
    )
}

/// Whether the index of trigrams can answer, and says that few rows have the substring.
fn is_rare(connection: &Connection, shape: &Shape, needle: &str) -> rusqlite::Result<bool> {
    if !shape.has_search() || needle.chars().count() < 3 {
        return Ok(false);
    }
    let search = shape.search_table();
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {search} WHERE {search} MATCH ?1 LIMIT ?2)");
    let found: i64 = connection
        .prepare_cached(&sql)?
        .query_row(rusqlite::params![phrase(needle), RARE_ROWS_MAX + 1], |row| {
            row.get(0)
        })?;
    Ok(found <= RARE_ROWS_MAX)
}

/// A substring as FTS5 wants it.
fn phrase(needle: &str) -> String {
    format!("\"{}\"", needle.replace('"', "\"\""))
}

/// A substring and perhaps a filter.
struct Condition {
    /// Without the index of trigrams.
    walked: String,
    /// What to add to use it: `{walked} AND {looked_up}`.
    looked_up: String,
    /// The substring, its phrase, the filter's values.
    values: Vec<Value>,
}

impl Condition {
    fn new(shape: &Shape, filter: Option<&Filter>, needle: &str, by_index: bool) -> rusqlite::Result<Self> {
        let mut walked = format!("instr({}, ?1) > 0", shape.search_expression());
        let mut values = vec![Value::from(needle), Value::from(phrase(needle))];
        if let Some(filter) = filter {
            check(filter)?;
            walked = format!("{} AND {walked}", shape.filter_condition(filter, 3, by_index));
            values.extend(filter.values.iter().cloned());
        }
        let search = shape.search_table();
        let looked_up = format!("rowid IN (SELECT rowid FROM {search} WHERE {search} MATCH ?2)");
        Ok(Self {
            walked,
            looked_up,
            values,
        })
    }

    fn text(&self, look_up: bool) -> String {
        // The phrase is a parameter either way: numbered parameters must all be there.
        let rest = if look_up {
            self.looked_up.as_str()
        } else {
            "?2 IS NOT NULL"
        };
        format!("WHERE {} AND {rest}", self.walked)
    }

    fn count(&self, connection: &Connection, shape: &Shape, look_up: bool) -> rusqlite::Result<u64> {
        let sql = format!("SELECT count(*) FROM {} {}", shape.table, self.text(look_up));
        query_count(connection, &sql, &self.values)
    }

    fn rows(
        &self,
        connection: &Connection,
        shape: &Shape,
        query: &Query,
        look_up: bool,
    ) -> rusqlite::Result<Vec<Row>> {
        let limit = [Value::from(query.limit), Value::from(query.offset)];
        let values: Vec<_> = self.values.iter().chain(&limit).collect();
        let order = order(shape, query, query.descending);
        let sql = cut(shape, &shape.table, &self.text(look_up), &order, values.len());
        rows(connection, shape, &sql, &values)
    }

    /// Guesses the total from the first rows that the filter gives.
    fn estimate(&self, connection: &Connection, shape: &Shape, of_filter: u64) -> rusqlite::Result<u64> {
        let sql = format!(
            "SELECT count(*), coalesce(sum(instr(search, ?1) > 0), 0)
             FROM (SELECT {} AS search FROM {} WHERE ?2 IS NOT NULL LIMIT {SAMPLE_ROWS})",
            shape.search_expression(),
            shape.table,
        );
        let sample = self.values.get(..2).unwrap_or_default();
        let (looked, hits): (u64, u64) = connection
            .prepare_cached(&sql)?
            .query_row(params_from_iter(sample), |row| {
                Ok((unsigned(row, 0)?, unsigned(row, 1)?))
            })?;
        Ok(of_filter * hits / looked.max(1))
    }
}

/// Counts and keeps the total; `None` if the budget of time was not enough.
fn count_within(
    connection: &mut Connection,
    shape: &Shape,
    condition: &Condition,
    budget: Duration,
    what: What,
    totals: &Totals,
) -> rusqlite::Result<Option<u64>> {
    let generation = totals.generation(&what);
    let until = Instant::now() + budget;
    connection.progress_handler(BUDGET_STEP, Some(move || Instant::now() > until))?;
    let counted = condition.count(connection, shape, false);
    connection.progress_handler(0, None::<fn() -> bool>)?;
    match counted {
        Ok(total) => {
            if !shape.mapped {
                totals.keep(what, total, generation);
            }
            Ok(Some(total))
        }
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => Ok(None),
        Err(error) => Err(error),
    }
}
