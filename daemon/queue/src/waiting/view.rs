//! Looking at what waits: on a connection of its own, so that no look, however long, holds up deliveries and retries.
//!
//! A look sees what was durable when it began. On a simulated disk, which has no shared memory, the queue's own thread looks instead.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};

use super::Waiting;
use crate::{QueueError, unavailable};

/// The second connection, opened at the first look. One look at a time.
pub(crate) struct View {
    path: PathBuf,
    connection: Arc<Mutex<Option<Connection>>>,
}

impl View {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            connection: Arc::default(),
        }
    }

    async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, QueueError> {
        let (path, connection) = (self.path.clone(), self.connection.clone());
        let looked = tokio::task::spawn_blocking(move || {
            let mut connection = connection.lock();
            let open = match connection.take() {
                Some(open) => open,
                None => open(&path)?,
            };
            // One picture for all statements.
            open.execute_batch("BEGIN")?;
            let found = work(&open);
            open.execute_batch("COMMIT")?;
            *connection = Some(open);
            found
        });
        looked
            .await
            .map_err(|error| unavailable("waiting.db", &error))?
            .map_err(|error: rusqlite::Error| unavailable("waiting.db", &error))
    }

    /// Lets the log of the database be folded to its end.
    pub(crate) async fn close(&self) {
        let connection = self.connection.clone();
        // Waits for a look that is under way.
        let _ = tokio::task::spawn_blocking(move || drop(connection.lock().take())).await;
    }
}

impl Waiting {
    /// Looks, and changes nothing.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, QueueError> {
        match &self.view {
            Some(view) => view.look(work).await,
            None => self.call(work).await,
        }
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = disk::sqlite::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, None)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}
