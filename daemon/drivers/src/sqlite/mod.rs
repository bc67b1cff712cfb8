//! SQLite: one file, one writer thread that commits waiting batches together, and a few reading threads.
//!
//! On a disk that is not the machine's own, SQLite runs through the VFS of `disk`, which has no shared memory: there one
//! connection does everything.

mod open;
mod page;
mod read;
mod schema;
mod shape;
#[cfg(test)]
mod tests;
mod totals;
mod worker;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::SharedDisk;

pub use open::OpenError;

use crate::{Answer, Batch, Descriptor, Driver, Error, Filter, Key, Mapping, Query, Row, Selected};
use shape::Shape;
use totals::Totals;
use worker::{Readers, Writer};

/// Most values that one filter may name.
pub(crate) const FILTER_VALUES_MAX: usize = 10_000;

/// A database in a file.
pub struct Sqlite {
    path: PathBuf,
    mappings: Arc<BTreeMap<String, Mapping>>,
    totals: Arc<Totals>,
    writer: Writer,
    /// `None`: the writer's connection is the only one there may be.
    readers: Option<Readers>,
}

impl Sqlite {
    /// Opens the file and makes it if it is missing. Blocks. `durable`: a commit survives a power cut (it always survives
    /// the end of the process).
    pub fn open(
        disk: &SharedDisk,
        path: &Path,
        durable: bool,
        mappings: BTreeMap<String, Mapping>,
    ) -> Result<Self, OpenError> {
        let opener = open::Opener::new(disk, path, durable)?;
        let totals = Arc::new(Totals::default());
        let writer = Writer::start(opener.writer()?, Arc::clone(&totals))?;
        let readers = if opener.is_shared() {
            Some(Readers::start(&opener)?)
        } else {
            None
        };
        Ok(Self {
            path: path.to_owned(),
            mappings: Arc::new(mappings),
            totals,
            writer,
            readers,
        })
    }

    fn shape(&self, descriptor: &'static Descriptor) -> Shape {
        Shape::new(descriptor, self.mappings.get(descriptor.table))
    }

    /// Runs a reading on a thread that has a connection.
    async fn read<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        match &self.readers {
            Some(readers) => readers.run(act).await,
            None => self.writer.run(act).await,
        }
    }
}

impl Driver for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn location(&self) -> String {
        self.path.display().to_string()
    }

    fn ensure(&self, descriptor: &'static Descriptor) -> Answer<'_, ()> {
        let shape = self.shape(descriptor);
        Box::pin(async move {
            let made = self
                .writer
                .run(move |connection| Ok(schema::ensure(connection, &shape)))
                .await?;
            made.map_err(Error::Unavailable)
        })
    }

    fn get(&self, descriptor: &'static Descriptor, key: Key) -> Answer<'_, Option<Row>> {
        let shape = self.shape(descriptor);
        Box::pin(self.read(move |connection| read::get(connection, &shape, &key)))
    }

    fn select(&self, descriptor: &'static Descriptor, filter: Filter, limit: u64) -> Answer<'_, Vec<Row>> {
        self.scan(descriptor, Some(filter), None, limit)
    }

    fn page(&self, descriptor: &'static Descriptor, query: Query) -> Answer<'_, Selected> {
        let shape = Arc::new(self.shape(descriptor));
        let totals = Arc::clone(&self.totals);
        let query = Arc::new(query);
        Box::pin(async move {
            let (asked, of, counted) = (Arc::clone(&query), Arc::clone(&shape), Arc::clone(&totals));
            let selected = self
                .read(move |connection| page::page(connection, &of, &asked, &counted))
                .await?;
            if !selected.exact
                && let Some(readers) = &self.readers
            {
                // The exact total is counted behind the caller's back, for the next asking.
                readers.later(move |connection| page::count_exactly(connection, &shape, &query, &totals));
            }
            Ok(selected)
        })
    }

    fn count(&self, descriptor: &'static Descriptor, filter: Option<Filter>) -> Answer<'_, u64> {
        let shape = self.shape(descriptor);
        let totals = Arc::clone(&self.totals);
        Box::pin(self.read(move |connection| page::count(connection, &shape, filter.as_ref(), &totals)))
    }

    fn scan(
        &self,
        descriptor: &'static Descriptor,
        filter: Option<Filter>,
        after: Option<Key>,
        limit: u64,
    ) -> Answer<'_, Vec<Row>> {
        let shape = self.shape(descriptor);
        Box::pin(
            self.read(move |connection| {
                read::scan(connection, &shape, filter.as_ref(), after.as_ref(), limit)
            }),
        )
    }

    fn write(&self, batch: Batch) -> Answer<'_, Vec<u64>> {
        let ops = batch
            .ops
            .into_iter()
            .map(|op| (self.shape(op.descriptor()), op))
            .collect();
        Box::pin(self.writer.write(ops))
    }

    fn reserve(&self, sequence: &'static str, count: u64) -> Answer<'_, u64> {
        Box::pin(
            self.writer
                .run(move |connection| write::reserve(connection, sequence, count)),
        )
    }
}

/// What a caller is told of SQLite's trouble.
fn unavailable(error: &rusqlite::Error) -> Error {
    Error::Unavailable(error.to_string())
}
