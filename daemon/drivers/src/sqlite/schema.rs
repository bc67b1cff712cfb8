//! Making tables and bringing them to the version of their descriptor, by numbered steps.
//!
//! `batpost_schema` holds the version of each table. A step and its number are written in one transaction; a step that
//! fails leaves the table as it was and is an error, never a half-open store.

use rusqlite::{Connection, OptionalExtension, params};

use super::shape::{Shape, quote};
use crate::{Field, Migration, Type};

/// Makes or migrates the table of a shape; a mapped one is only looked at.
pub(super) fn ensure(connection: &mut Connection, shape: &Shape) -> Result<(), String> {
    let failed = |error: rusqlite::Error| format!("{}: {error}", shape.descriptor.table);
    if shape.mapped {
        return check_mapped(connection, shape).map_err(failed)?;
    }
    let transaction = connection.transaction().map_err(failed)?;
    transaction
        .execute_batch(
            "CREATE TABLE IF NOT EXISTS batpost_schema (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT;
             CREATE TABLE IF NOT EXISTS batpost_sequence (name TEXT PRIMARY KEY, next INTEGER NOT NULL) STRICT;",
        )
        .map_err(failed)?;
    let version: Option<u32> = transaction
        .query_row(
            "SELECT version FROM batpost_schema WHERE name = ?1",
            [shape.descriptor.table],
            |row| row.get(0),
        )
        .optional()
        .map_err(failed)?;
    let wanted = shape.descriptor.version;
    match version {
        Some(version) if version == wanted => return Ok(()),
        Some(version) if version > wanted => {
            return Err(format!(
                "{}: version {version} was made by a newer program; this one knows {wanted}",
                shape.descriptor.table
            ));
        }
        Some(version) => transaction.execute_batch(&migration(shape, version)),
        None => transaction.execute_batch(&creation(shape)),
    }
    .map_err(failed)?;
    transaction
        .execute(
            "INSERT INTO batpost_schema VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET version = excluded.version",
            params![shape.descriptor.table, wanted],
        )
        .map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// The mapped table must have the columns that the mapping names, and the key must be mapped.
fn check_mapped(connection: &Connection, shape: &Shape) -> rusqlite::Result<Result<(), String>> {
    for key in shape.descriptor.key {
        if !shape.has_column(key) {
            return Ok(Err(format!(
                "the mapping of {} names no column for {key}",
                shape.descriptor.table
            )));
        }
    }
    connection
        .prepare(&format!("SELECT {} FROM {}", shape.select_list(), shape.table))
        .map(|_| Ok(()))
}

fn creation(shape: &Shape) -> String {
    let descriptor = shape.descriptor;
    let table = &shape.table;
    let mut columns = vec!["id INTEGER PRIMARY KEY".to_owned()];
    columns.extend(descriptor.fields.iter().map(column));
    if shape.has_search() {
        columns.push("search TEXT NOT NULL DEFAULT ''".to_owned());
    }
    let mut sql = vec![format!("CREATE TABLE {table} ({}) STRICT;", columns.join(", "))];
    let key = shape.key_columns().join(", ");
    let index = |suffix: &str| quote(&format!("{}_by_{suffix}", descriptor.table));
    sql.push(format!(
        "CREATE UNIQUE INDEX {} ON {table} ({key});",
        index("key_unique")
    ));
    for field in descriptor.unique {
        sql.push(format!(
            "CREATE UNIQUE INDEX {} ON {table} ({});",
            index(field),
            quote(field)
        ));
    }
    let mut others: Vec<_> = descriptor.indexed.iter().chain(descriptor.sortable).collect();
    others.sort_unstable();
    others.dedup();
    sql.extend(others.into_iter().map(|field| field_index(shape, field)));
    if shape.has_search() {
        sql.push(search_index(shape));
    }
    sql.concat()
}

/// The index by which rows of a field's value are found in the order of their keys; empty where another index serves.
fn field_index(shape: &Shape, field: &str) -> String {
    let descriptor = shape.descriptor;
    // The key's own index serves its first field.
    if descriptor.key.first() == Some(&field) || descriptor.unique.contains(&field) {
        return String::new();
    }
    let keys = shape.key_columns().into_iter();
    let rest: Vec<_> = keys.filter(|key| *key != quote(field)).collect();
    let columns = [vec![quote(field)], rest].concat().join(", ");
    let name = quote(&format!("{}_by_{field}", descriptor.table));
    format!("CREATE INDEX {name} ON {} ({columns});", shape.table)
}

/// The index of trigrams over `search`, kept up to date by triggers.
fn search_index(shape: &Shape) -> String {
    let table = &shape.table;
    let search = shape.search_table();
    let trigger = |name: &str| quote(&format!("{}_search_{name}", shape.descriptor.table));
    let gone =
        format!("INSERT INTO {search} ({search}, rowid, search) VALUES ('delete', old.id, old.search);");
    let new = format!("INSERT INTO {search} (rowid, search) VALUES (new.id, new.search);");
    format!(
        "CREATE VIRTUAL TABLE {search} USING fts5
            (search, content={table}, content_rowid='id', tokenize='trigram');
         CREATE TRIGGER {} AFTER INSERT ON {table} BEGIN {new} END;
         CREATE TRIGGER {} AFTER DELETE ON {table} BEGIN {gone} END;
         CREATE TRIGGER {} AFTER UPDATE OF search ON {table} WHEN old.search IS NOT new.search
            BEGIN {gone} {new} END;",
        trigger("insert"),
        trigger("delete"),
        trigger("update"),
    )
}

fn migration(shape: &Shape, from: u32) -> String {
    let mut sql = Vec::new();
    for step in shape.descriptor.migrations {
        let Migration::AddField { version, field } = step;
        if let Some(field) = shape.descriptor.field(field).filter(|_| *version > from) {
            sql.push(format!(
                "ALTER TABLE {} ADD COLUMN {};",
                shape.table,
                column(field)
            ));
            let descriptor = shape.descriptor;
            if descriptor.indexed.contains(&field.name) || descriptor.sortable.contains(&field.name) {
                sql.push(field_index(shape, field.name));
            }
        }
    }
    sql.concat()
}

fn column(field: &Field) -> String {
    let ty = match field.ty {
        Type::Flag => "INTEGER NOT NULL DEFAULT 0",
        Type::Int => "INTEGER",
        Type::Text => "TEXT",
        Type::Bytes => "BLOB",
        Type::List => "TEXT NOT NULL DEFAULT '[]'",
    };
    format!("{} {ty}", quote(field.name))
}
