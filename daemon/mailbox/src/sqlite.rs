//! How SQLite is set: the one place that knows its pragmas.
//!
//! Figures and reasons stand in the documentation of the store: many small databases are open at once, so what a connection holds is kept
//! small; durability is the journal's business, so a commit syncs nothing.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, OpenFlags};

use crate::{MailboxError, Result};

/// The page size of every mailbox.
pub(crate) const PAGE_BYTES: u64 = 4096;
/// Prepared statements that a connection keeps.
const STATEMENTS_MAX: usize = 32;
/// Page cache of a connection, in KiB.
const CACHE_KIB: u32 = 256;
/// Pages of a transaction that are in memory before some go into the log ahead of the commit, and would be written again if they change once more.
const SPILL_PAGES: u32 = 384;
/// How long another program that reads the database may hold us up.
const BUSY_MILLISECONDS: u32 = 5000;

/// Opens a database that exists.
pub(crate) fn open(path: &Path, vfs: Option<&str>) -> Result<Connection> {
    let conn = disk::sqlite::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, vfs)?;
    // The write-ahead log is kept and not folded in when the database is closed: a cold owner opens and closes in little time.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    conn.execute_batch(&format!(
        "PRAGMA busy_timeout={BUSY_MILLISECONDS}; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=0; PRAGMA cache_size=-{CACHE_KIB}; PRAGMA cache_spill={SPILL_PAGES};
         PRAGMA wal_autocheckpoint=0; PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=OFF;"
    ))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(conn)
}

/// A number that holds, after each commit, how many pages the write-ahead log has.
pub(crate) fn count_log_pages(conn: &mut Connection) -> Result<Arc<AtomicU32>> {
    let pages = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&pages);
    conn.wal_hook(Some(move |_: &mut Wal, count: i32| {
        counted.store(u32::try_from(count).unwrap_or(0), Ordering::Relaxed);
        Ok(())
    }))?;
    Ok(pages)
}

/// Folds the log into the database as far as it goes, and syncs both.
pub(crate) fn checkpoint(conn: &Connection) -> Result<()> {
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    Ok(())
}

impl From<rusqlite::Error> for MailboxError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::Damaged(error.to_string()),
            _ if disk::sqlite::is_full(&error) => Self::Full(error.to_string()),
            _ if disk::sqlite::is_failed_sync(&error) => Self::SyncFailed(error.to_string()),
            _ => match error {
                // A value that can't be what the schema says.
                rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::FromSqlConversionFailure(..) => Self::Damaged(error.to_string()),
                _ => Self::Unavailable(error.to_string()),
            },
        }
    }
}

impl From<std::io::Error> for MailboxError {
    fn from(error: std::io::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<journal::JournalError> for MailboxError {
    fn from(error: journal::JournalError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
