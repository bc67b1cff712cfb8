//! Opening connections: where, through which VFS, with which settings.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use disk::SharedDisk;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags};

/// How long a statement waits for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Memory that a connection keeps pages in.
const CACHE_KIB: i64 = 2048;
/// Statements that a connection keeps compiled.
const STATEMENTS_MAX: usize = 128;
/// The write-ahead log is cut back to this after a checkpoint.
const WAL_KEPT_BYTES: i64 = 16 << 20;

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{0}: {1}")]
    Sqlite(PathBuf, rusqlite::Error),
    #[error("{0}: {1}")]
    Io(PathBuf, std::io::Error),
}

/// Opens connections to one file.
pub(super) struct Opener {
    path: PathBuf,
    durable: bool,
    /// The VFS for a disk that is not the machine's own.
    vfs: Option<String>,
}

impl Opener {
    pub(super) fn new(disk: &SharedDisk, path: &Path, durable: bool) -> Result<Self, OpenError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            disk.create_dir_all_synced(folder)
                .map_err(|error| OpenError::Io(folder.to_owned(), error))?;
        }
        if let Some(path) = disk.real_path(path) {
            return Ok(Self {
                path,
                durable,
                vfs: None,
            });
        }
        // One name for each disk and file, so that several simulated disks can live in one process.
        let mut hasher = DefaultHasher::new();
        (std::sync::Arc::as_ptr(disk).cast::<()>() as usize, path).hash(&mut hasher);
        let vfs = format!("batpost-drivers-{:x}", hasher.finish());
        disk::vfs::register(&vfs, disk.clone()).map_err(|error| OpenError::Io(path.to_owned(), error))?;
        Ok(Self {
            path: path.to_owned(),
            durable,
            vfs: Some(vfs),
        })
    }

    /// Whether there may be more than one connection.
    pub(super) fn is_shared(&self) -> bool {
        self.vfs.is_none()
    }

    pub(super) fn writer(&self) -> Result<Connection, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        self.open(flags)
            .and_then(|connection| self.set_up_writer(connection))
            .map_err(|error| self.failed(error))
    }

    pub(super) fn reader(&self) -> Result<Connection, OpenError> {
        let connection = self
            .open(OpenFlags::SQLITE_OPEN_READ_WRITE)
            .map_err(|error| self.failed(error))?;
        connection
            .pragma_update(None, "query_only", true)
            .map_err(|error| self.failed(error))?;
        Ok(connection)
    }

    fn failed(&self, error: rusqlite::Error) -> OpenError {
        OpenError::Sqlite(self.path.clone(), error)
    }

    fn open(&self, flags: OpenFlags) -> rusqlite::Result<Connection> {
        let connection = disk::sqlite::open(&self.path, flags, self.vfs.as_deref())?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.create_scalar_function(
            "fold",
            1,
            FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC,
            |context| {
                Ok(context
                    .get::<Option<String>>(0)?
                    .unwrap_or_default()
                    .to_lowercase())
            },
        )?;
        Ok(connection)
    }

    fn set_up_writer(&self, connection: Connection) -> rusqlite::Result<Connection> {
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", if self.durable { "FULL" } else { "NORMAL" })?;
        connection.pragma_update_and_check(None, "journal_size_limit", WAL_KEPT_BYTES, |_| Ok(()))?;
        Ok(connection)
    }
}
