//! The interface that every database driver has, and that the contract suite holds it to.

use std::future::Future;
use std::pin::Pin;

use crate::{Descriptor, Key, Row, Value};

/// Why a driver did not do what it was asked. `op` counts the batch's operations from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The database can't answer now: a temporary failure.
    #[error("the database can't answer: {0}")]
    Unavailable(String),
    /// Another row has that key or unique value.
    #[error("operation {op}: {table} has such a row already")]
    Duplicate { op: usize, table: &'static str },
    /// The row was changed since the caller read it.
    #[error("operation {op}: the row of {table} was changed meanwhile")]
    Stale { op: usize, table: &'static str },
    /// There is no such row.
    #[error("operation {op}: {table} has no such row")]
    Missing { op: usize, table: &'static str },
    /// The table is somebody else's and mapped for reading only.
    #[error("operation {op}: {table} is mapped for reading only")]
    ReadOnly { op: usize, table: &'static str },
}

/// What a call of a driver gives.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Which rows: those whose field has one of these values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub field: &'static str,
    pub values: Vec<Value>,
}

impl Filter {
    pub fn equal(field: &'static str, value: impl Into<Value>) -> Self {
        Self {
            field,
            values: vec![value.into()],
        }
    }

    pub fn any_of(field: &'static str, values: Vec<Value>) -> Self {
        Self { field, values }
    }
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pub filter: Option<Filter>,
    /// A substring of the searchable fields, in any case; empty: all.
    pub contains: String,
    /// A sortable field; any other text: the table's own order.
    pub sort: String,
    pub descending: bool,
    pub offset: u64,
    pub limit: u64,
}

/// The rows of a page and how many there are on all pages. A total that took too long to count is an estimate at first;
/// the next asking for the same finds it exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    pub total: u64,
    pub exact: bool,
    pub rows: Vec<Row>,
}

/// One change.
#[derive(Clone, Debug)]
pub enum Op {
    /// A new row. Its revision becomes 1.
    Insert(Row),
    /// Replaces the row of that key (which the new row may change) if its revision is the expected one (`None`: whichever
    /// it is). The revision rises by one.
    Update {
        key: Key,
        row: Row,
        expected: Option<u64>,
    },
    /// Insert or update, whichever it takes.
    Put(Row),
    Delete {
        descriptor: &'static Descriptor,
        key: Key,
        expected: Option<u64>,
    },
    /// All rows of a filter; none is no error.
    DeleteAll {
        descriptor: &'static Descriptor,
        filter: Filter,
    },
}

impl Op {
    pub fn descriptor(&self) -> &'static Descriptor {
        match self {
            Self::Insert(row) | Self::Put(row) | Self::Update { row, .. } => row.descriptor(),
            Self::Delete { descriptor, .. } | Self::DeleteAll { descriptor, .. } => descriptor,
        }
    }
}

/// Changes that are made all or not at all, and durable when the answer is there.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub ops: Vec<Op>,
}

impl Batch {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn insert(mut self, row: Row) -> Self {
        self.ops.push(Op::Insert(row));
        self
    }

    pub fn put(mut self, row: Row) -> Self {
        self.ops.push(Op::Put(row));
        self
    }

    pub fn update(mut self, key: Key, row: Row, expected: Option<u64>) -> Self {
        self.ops.push(Op::Update { key, row, expected });
        self
    }

    pub fn delete(mut self, descriptor: &'static Descriptor, key: Key, expected: Option<u64>) -> Self {
        self.ops.push(Op::Delete {
            descriptor,
            key,
            expected,
        });
        self
    }

    pub fn delete_all(mut self, descriptor: &'static Descriptor, filter: Filter) -> Self {
        self.ops.push(Op::DeleteAll { descriptor, filter });
        self
    }
}

/// A database.
pub trait Driver: Send + Sync {
    /// The driver's name, e.g. `sqlite`.
    fn name(&self) -> &'static str;

    /// Where the data lie, for people; never a password.
    fn location(&self) -> String;

    /// Makes the table, or brings it to the descriptor's version. A table of a newer version is an error.
    fn ensure(&self, descriptor: &'static Descriptor) -> Answer<'_, ()>;

    fn get(&self, descriptor: &'static Descriptor, key: Key) -> Answer<'_, Option<Row>>;

    /// Rows of a filter in the order of their keys, at most `limit`.
    fn select(&self, descriptor: &'static Descriptor, filter: Filter, limit: u64) -> Answer<'_, Vec<Row>>;

    fn page(&self, descriptor: &'static Descriptor, query: Query) -> Answer<'_, Selected>;

    fn count(&self, descriptor: &'static Descriptor, filter: Option<Filter>) -> Answer<'_, u64>;

    /// The next rows in the order of their keys after `after`, at most `limit`: for going through a whole table without
    /// holding it in memory.
    fn scan(
        &self,
        descriptor: &'static Descriptor,
        filter: Option<Filter>,
        after: Option<Key>,
        limit: u64,
    ) -> Answer<'_, Vec<Row>>;

    /// Makes the changes of a batch, all or none. Gives the new revision of each row, 0 for a row without one or deleted.
    fn write(&self, batch: Batch) -> Answer<'_, Vec<u64>>;

    /// Takes `count` numbers from a sequence and gives the first (1 at the beginning). Numbers are never given twice.
    fn reserve(&self, sequence: &'static str, count: u64) -> Answer<'_, u64>;
}
