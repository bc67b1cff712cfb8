//! A descriptor as SQL: names of table and columns (mapped or our own), and values to and from SQLite's.

use std::fmt::Write;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Row as SqlRow, ToSql};

use crate::{Descriptor, Filter, Mapping, Row, Type, Value};

/// How a descriptor's table looks in this database.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) descriptor: &'static Descriptor,
    /// Quoted.
    pub(super) table: String,
    /// Quoted, in the order of the fields; `None`: the mapped table has no such column.
    pub(super) columns: Vec<Option<String>>,
    pub(super) mapped: bool,
    pub(super) read_only: bool,
}

impl Shape {
    pub(super) fn new(descriptor: &'static Descriptor, mapping: Option<&Mapping>) -> Self {
        let column = |field: &crate::Field| match mapping {
            None => Some(quote(field.name)),
            Some(mapping) => mapping.columns.get(field.name).map(|column| quote(column)),
        };
        Self {
            descriptor,
            table: quote(mapping.map_or(descriptor.table, |mapping| &mapping.table)),
            columns: descriptor.fields.iter().map(column).collect(),
            mapped: mapping.is_some(),
            read_only: mapping.is_some_and(|mapping| mapping.read_only),
        }
    }

    /// Whether there is a column `search` with an index of trigrams.
    pub(super) fn has_search(&self) -> bool {
        !self.mapped && !self.descriptor.searchable.is_empty()
    }

    /// The name of the index of trigrams, quoted.
    pub(super) fn search_table(&self) -> String {
        quote(&format!("{}_search", self.descriptor.table))
    }

    /// The column of a field, or what it is empty.
    pub(super) fn column(&self, field: &str) -> String {
        let at = self.descriptor.position(field);
        let column = at.and_then(|at| self.columns.get(at).cloned().flatten());
        column.unwrap_or_else(|| {
            let ty = self.descriptor.field(field).map_or(Type::Int, |field| field.ty);
            match ty {
                Type::Text => "''",
                Type::Flag => "0",
                _ => "NULL",
            }
            .to_owned()
        })
    }

    pub(super) fn has_column(&self, field: &str) -> bool {
        self.descriptor
            .position(field)
            .and_then(|at| self.columns.get(at))
            .is_some_and(Option::is_some)
    }

    /// What a row is made of, for SELECT.
    pub(super) fn select_list(&self) -> String {
        let columns: Vec<_> = self
            .descriptor
            .fields
            .iter()
            .map(|field| self.column(field.name))
            .collect();
        columns.join(", ")
    }

    /// The text that a substring is looked for in.
    pub(super) fn search_expression(&self) -> String {
        if self.has_search() {
            return "search".to_owned();
        }
        let parts: Vec<_> = self
            .descriptor
            .searchable
            .iter()
            .map(|field| format!("fold({})", self.column(field)))
            .collect();
        if parts.is_empty() {
            "''".to_owned()
        } else {
            parts.join(" || char(10) || ")
        }
    }

    /// `k1 = ?1 AND k2 = ?2 …`
    pub(super) fn key_condition(&self, first: usize) -> String {
        let parts: Vec<_> = (first..)
            .zip(self.descriptor.key)
            .map(|(number, field)| format!("{} = ?{number}", self.column(field)))
            .collect();
        parts.join(" AND ")
    }

    pub(super) fn key_columns(&self) -> Vec<String> {
        self.descriptor
            .key
            .iter()
            .map(|field| self.column(field))
            .collect()
    }

    /// `column IN (?n, …)`; `by_index`: whether an index may be used for it.
    pub(super) fn filter_condition(&self, filter: &Filter, first: usize, by_index: bool) -> String {
        let mut text = format!(
            "{}{} IN (",
            if by_index { "" } else { "+" },
            self.column(filter.field)
        );
        for number in 0..filter.values.len() {
            let comma = if number == 0 { "" } else { ", " };
            // Writing to a String never fails.
            let _ = write!(text, "{comma}?{}", first + number);
        }
        text.push(')');
        text
    }

    /// Reads the row of a SELECT of [`Shape::select_list`].
    pub(super) fn row(&self, sql: &SqlRow<'_>) -> rusqlite::Result<Row> {
        let mut row = Row::new(self.descriptor);
        for (at, field) in self.descriptor.fields.iter().enumerate() {
            row.set(field.name, from_sql(field.ty, sql.get_ref(at)?));
        }
        Ok(row)
    }
}

/// An identifier in SQL.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        use rusqlite::types::Value as Sql;
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Sql::Null),
            Self::Flag(flag) => ToSqlOutput::Owned(Sql::Integer(i64::from(*flag))),
            Self::Int(number) => ToSqlOutput::Owned(Sql::Integer(*number)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::List(list) => {
                let json = serde_json::to_string(list);
                let json = json.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
                ToSqlOutput::Owned(Sql::Text(json))
            }
        })
    }
}

/// Takes what a column holds as the type of its field. A mapped table may hold numbers as text and lists with commas.
fn from_sql(ty: Type, value: ValueRef<'_>) -> Value {
    let text = || match value {
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Null => String::new(),
    };
    match (ty, value) {
        (Type::List, ValueRef::Null) => Value::List(Vec::new()),
        (Type::Flag, ValueRef::Null) => Value::Flag(false),
        (_, ValueRef::Null) => Value::Null,
        (Type::Flag, ValueRef::Integer(number)) => Value::Flag(number != 0),
        (Type::Flag, _) => Value::Flag(matches!(
            text().to_lowercase().as_str(),
            "1" | "t" | "true" | "y" | "yes"
        )),
        (Type::Int, ValueRef::Integer(number)) => Value::Int(number),
        (Type::Int, _) => text().trim().parse().map_or(Value::Null, Value::Int),
        (Type::Text, _) => Value::Text(text()),
        (Type::Bytes, ValueRef::Blob(bytes)) => Value::Bytes(bytes.to_vec()),
        (Type::Bytes, _) => Value::Bytes(text().into_bytes()),
        (Type::List, _) => Value::List(list(&text())),
    }
}

fn list(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_else(|_| {
        text.split([',', '\n'])
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    })
}
