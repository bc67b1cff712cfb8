//! The changes of a batch, within a savepoint.

use rusqlite::{Connection, ErrorCode, OptionalExtension, params_from_iter};

use super::read::unsigned;
use super::shape::Shape;
use super::totals::Changes;
use super::{FILTER_VALUES_MAX, unavailable};
use crate::descriptor::REVISION;
use crate::{Error, Filter, Key, Op, Row, Value};

/// Makes all changes or none; the caller commits. Gives the new revisions.
pub(super) fn apply(
    connection: &Connection,
    ops: Vec<(Shape, Op)>,
    changes: &mut Changes<'_>,
) -> Result<Vec<u64>, Error> {
    connection
        .execute_batch("SAVEPOINT batch")
        .map_err(|error| unavailable(&error))?;
    let mut revisions = Vec::with_capacity(ops.len());
    let mut rows = Vec::with_capacity(ops.len());
    for (number, (shape, op)) in ops.into_iter().enumerate() {
        match apply_one(connection, &shape, number, op) {
            Ok((revision, more)) => {
                revisions.push(revision);
                rows.push((shape.descriptor.table, more));
            }
            Err(error) => {
                let undone = connection.execute_batch("ROLLBACK TO batch; RELEASE batch");
                return Err(undone.map_or_else(|undone| unavailable(&undone), |()| error));
            }
        }
    }
    connection
        .execute_batch("RELEASE batch")
        .map_err(|error| unavailable(&error))?;
    for (table, more) in rows {
        changes.add(table, more);
    }
    Ok(revisions)
}

/// Takes numbers from a sequence.
pub(super) fn reserve(connection: &Connection, name: &str, count: u64) -> rusqlite::Result<u64> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let next: i64 = connection.query_row(
        "INSERT INTO batpost_sequence VALUES (?1, 1 + ?2) ON CONFLICT (name) DO UPDATE SET next = next + ?2
         RETURNING next",
        rusqlite::params![name, count],
        |row| row.get(0),
    )?;
    Ok(u64::try_from(next - count).unwrap_or(0))
}

/// Gives the new revision, and how many rows more the table has (`None`: unknown).
fn apply_one(
    connection: &Connection,
    shape: &Shape,
    op: usize,
    change: Op,
) -> Result<(u64, Option<i64>), Error> {
    let table = shape.descriptor.table;
    if shape.read_only {
        return Err(Error::ReadOnly { op, table });
    }
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => Error::Duplicate { op, table },
        _ => unavailable(&error),
    };
    match change {
        Op::Insert(row) => Ok((
            insert(connection, shape, &row, "").map_err(failed)?.unwrap_or(0),
            Some(1),
        )),
        Op::Put(row) => {
            let key = shape.key_columns().join(", ");
            let conflict = format!(
                "ON CONFLICT ({key}) DO UPDATE SET {}",
                assignments(shape, |_, column| { format!("excluded.{column}") })
            );
            let revision = insert(connection, shape, &row, &conflict)
                .map_err(failed)?
                .unwrap_or(0);
            Ok((revision, (revision > 0).then_some(i64::from(revision == 1))))
        }
        Op::Update { key, row, expected } => {
            let found = update(connection, shape, &key, &row, expected).map_err(failed)?;
            match found {
                Some(revision) => Ok((revision, Some(0))),
                None => Err(missing_or_stale(connection, shape, op, &key)?),
            }
        }
        Op::Delete { key, expected, .. } => {
            if delete(connection, shape, &key, expected).map_err(failed)? == 0 {
                return Err(missing_or_stale(connection, shape, op, &key)?);
            }
            Ok((0, Some(-1)))
        }
        Op::DeleteAll { filter, .. } => {
            let mut rows = 0;
            for values in filter.values.chunks(FILTER_VALUES_MAX) {
                let part = Filter {
                    field: filter.field,
                    values: values.to_vec(),
                };
                let condition = shape.filter_condition(&part, 1, true);
                let sql = format!("DELETE FROM {} WHERE {condition}", shape.table);
                rows += connection
                    .execute(&sql, params_from_iter(values))
                    .map_err(failed)?;
            }
            Ok((0, Some(-(rows as i64))))
        }
    }
}

/// The fields that are written, with their columns: all but the revision and what a mapping leaves out.
fn written(shape: &Shape) -> impl Iterator<Item = (&'static str, &str)> {
    let fields = shape.descriptor.fields.iter().zip(&shape.columns);
    fields.filter_map(|(field, column)| {
        let column = column.as_deref().filter(|_| field.name != REVISION)?;
        Some((field.name, column))
    })
}

fn has_revision(shape: &Shape) -> bool {
    shape.has_column(REVISION)
}

fn returning(shape: &Shape) -> String {
    if has_revision(shape) {
        shape.column(REVISION)
    } else {
        "0".to_owned()
    }
}

/// `column = …` for each written column, with the search text, and the revision one higher.
fn assignments(shape: &Shape, value: impl Fn(usize, &str) -> String) -> String {
    let mut parts: Vec<_> = written(shape)
        .enumerate()
        .map(|(number, (_, column))| format!("{column} = {}", value(number, column)))
        .collect();
    if shape.has_search() {
        parts.push(format!("search = {}", value(parts.len(), "search")));
    }
    if has_revision(shape) {
        let column = shape.column(REVISION);
        parts.push(format!("{column} = coalesce({}.{column}, 0) + 1", shape.table));
    }
    parts.join(", ")
}

fn values(shape: &Shape, row: &Row) -> Vec<Value> {
    let mut values: Vec<_> = written(shape)
        .map(|(field, _)| row.value(field).clone())
        .collect();
    if shape.has_search() {
        values.push(row.search_text().into());
    }
    values
}

fn insert(
    connection: &Connection,
    shape: &Shape,
    row: &Row,
    conflict: &str,
) -> rusqlite::Result<Option<u64>> {
    let mut columns: Vec<_> = written(shape).map(|(_, column)| column.to_owned()).collect();
    if shape.has_search() {
        columns.push("search".to_owned());
    }
    let mut places: Vec<_> = (1..=columns.len()).map(|number| format!("?{number}")).collect();
    if has_revision(shape) {
        columns.push(shape.column(REVISION));
        places.push("1".to_owned());
    }
    let sql = format!(
        "INSERT INTO {} ({}) VALUES ({}) {conflict} RETURNING {}",
        shape.table,
        columns.join(", "),
        places.join(", "),
        returning(shape)
    );
    let mut statement = connection.prepare_cached(&sql)?;
    statement
        .query_row(params_from_iter(values(shape, row)), |row| unsigned(row, 0))
        .optional()
}

/// Gives the new revision if there was such a row.
fn update(
    connection: &Connection,
    shape: &Shape,
    key: &Key,
    row: &Row,
    expected: Option<u64>,
) -> rusqlite::Result<Option<u64>> {
    let mut values = values(shape, row);
    let condition = condition(shape, key, expected, &mut values);
    let sql = format!(
        "UPDATE {} SET {} WHERE {condition} RETURNING {}",
        shape.table,
        assignments(shape, |number, _| format!("?{}", number + 1)),
        returning(shape)
    );
    let mut statement = connection.prepare_cached(&sql)?;
    statement
        .query_row(params_from_iter(&values), |row| unsigned(row, 0))
        .optional()
}

fn delete(
    connection: &Connection,
    shape: &Shape,
    key: &Key,
    expected: Option<u64>,
) -> rusqlite::Result<usize> {
    let mut values = Vec::new();
    let condition = condition(shape, key, expected, &mut values);
    let sql = format!("DELETE FROM {} WHERE {condition}", shape.table);
    connection
        .prepare_cached(&sql)?
        .execute(params_from_iter(&values))
}

/// The key and the expected revision as a condition; their values are put behind those that are there.
fn condition(shape: &Shape, key: &Key, expected: Option<u64>, values: &mut Vec<Value>) -> String {
    let mut condition = shape.key_condition(values.len() + 1);
    values.extend(key.iter().cloned());
    if let Some(expected) = expected.filter(|_| has_revision(shape)) {
        values.push(expected.into());
        condition = format!("{condition} AND {} = ?{}", shape.column(REVISION), values.len());
    }
    condition
}

fn missing_or_stale(connection: &Connection, shape: &Shape, op: usize, key: &Key) -> Result<Error, Error> {
    let table = shape.descriptor.table;
    let found = super::read::get(connection, shape, key).map_err(|error| unavailable(&error))?;
    Ok(if found.is_some() {
        Error::Stale { op, table }
    } else {
        Error::Missing { op, table }
    })
}
