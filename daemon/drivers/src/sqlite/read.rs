//! Rows by key and in the order of keys.

use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::FILTER_VALUES_MAX;
use super::shape::Shape;
use crate::{Filter, Key, Row, Value};

pub(super) fn get(connection: &Connection, shape: &Shape, key: &Key) -> rusqlite::Result<Option<Row>> {
    let sql = format!(
        "SELECT {} FROM {} WHERE {}",
        shape.select_list(),
        shape.table,
        shape.key_condition(1)
    );
    let mut statement = connection.prepare_cached(&sql)?;
    statement
        .query_row(params_from_iter(key), |row| shape.row(row))
        .optional()
}

pub(super) fn scan(
    connection: &Connection,
    shape: &Shape,
    filter: Option<&Filter>,
    after: Option<&Key>,
    limit: u64,
) -> rusqlite::Result<Vec<Row>> {
    let mut conditions = Vec::new();
    let mut values: Vec<&Value> = Vec::new();
    if let Some(filter) = filter {
        check(filter)?;
        if filter.values.is_empty() {
            return Ok(Vec::new());
        }
        conditions.push(shape.filter_condition(filter, 1, true));
        values.extend(&filter.values);
    }
    let keys = shape.key_columns();
    if let Some(after) = after {
        let places: Vec<_> = (0..after.len())
            .map(|number| format!("?{}", values.len() + number + 1))
            .collect();
        conditions.push(format!("({}) > ({})", keys.join(", "), places.join(", ")));
        values.extend(after);
    }
    let condition = if conditions.is_empty() {
        String::new()
    } else {
        format!("WHERE {}", conditions.join(" AND "))
    };
    let limit = Value::from(limit);
    values.push(&limit);
    let sql = format!(
        "SELECT {} FROM {} {condition} ORDER BY {} LIMIT ?{}",
        shape.select_list(),
        shape.table,
        keys.join(", "),
        values.len()
    );
    rows(connection, shape, &sql, &values)
}

pub(super) fn rows(
    connection: &Connection,
    shape: &Shape,
    sql: &str,
    values: &[&Value],
) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(sql)?;
    statement
        .query_map(params_from_iter(values), |row| shape.row(row))?
        .collect()
}

/// A filter is bounded: its values become parameters of one statement.
pub(super) fn check(filter: &Filter) -> rusqlite::Result<()> {
    if filter.values.len() > FILTER_VALUES_MAX {
        return Err(rusqlite::Error::InvalidParameterCount(
            filter.values.len(),
            FILTER_VALUES_MAX,
        ));
    }
    Ok(())
}

/// A number that SQLite has as signed and that is never negative here.
pub(super) fn unsigned(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get(column)
        .map(|number: i64| u64::try_from(number).unwrap_or(0))
}
