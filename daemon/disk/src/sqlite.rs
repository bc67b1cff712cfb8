//! The one door to SQLite: settings of the whole library, and what every connection has.
//!
//! The library can be set before its first use only, and several rooms use it, whichever comes first. Many small databases are open
//! at once, so nothing is taken in advance for each connection.
//!
//! Must not know: what is in a database.
#![allow(unsafe_code, reason = "the settings of the whole library have no safe call")]

mod memory;

use std::path::Path;
use std::sync::Once;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Error, ErrorCode, OpenFlags, Result, ffi};

/// What a database that found no room is taken to have wanted, in bytes: it does not say.
pub const WANTED_BYTES: u64 = 1 << 20;

/// Opens a database, on the machine's own disk or through a VFS (see [`crate::vfs`]). The connection is for one thread at a time.
pub fn open(path: &Path, flags: OpenFlags, vfs: Option<&str>) -> Result<Connection> {
    configure();
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs)?,
        None => Connection::open_with_flags(path, flags)?,
    };
    if vfs.is_some() {
        // Set before the first read: such a VFS has no shared memory.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    }
    set_up(connection)
}

/// Whether the disk is full for the database: nothing of the statement was done.
pub fn is_full(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

/// Whether the system could not write down what it had taken, and may have forgotten that: a later sync that succeeds proves nothing. A commit can meet
/// it too, even where commits sync nothing, for the head of a write-ahead log that begins anew is synced.
pub fn is_failed_sync(error: &Error) -> bool {
    error
        .sqlite_error()
        .is_some_and(|error| is_sync(error.extended_code))
}

/// Whether SQLite has rolled the open transaction back by itself, as it does when the disk fails in the middle of it; why, as far as it is known.
pub fn rolled_back(connection: &Connection) -> Option<Error> {
    if !connection.is_autocommit() {
        return None;
    }
    // SAFETY: the handle is that of a connection that is open, and nobody else uses it now.
    let code = match unsafe { ffi::sqlite3_extended_errcode(connection.handle()) } {
        // A statement that succeeded since has taken the cause away.
        ffi::SQLITE_OK => ffi::SQLITE_ABORT_ROLLBACK,
        code => code,
    };
    Some(Error::SqliteFailure(ffi::Error::new(code), None))
}

fn is_sync(code: std::ffi::c_int) -> bool {
    matches!(code, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC)
}

/// A database that lives as long as its connection.
pub fn open_in_memory() -> Result<Connection> {
    configure();
    set_up(Connection::open_in_memory()?)
}

fn set_up(connection: Connection) -> Result<Connection> {
    // Otherwise the planner looks at what is bound, and a statement whose plan might depend on it is compiled anew whenever its
    // bindings were cleared: each time that it comes out of the cache of statements. All of ours have one plan.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// If the library was used before, its settings stay as they are.
fn configure() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let methods = memory::methods();
        // SAFETY: each option takes arguments of these types; the table of functions is copied. SQLite refuses a call once it is
        // initialised.
        unsafe {
            // Counting memory takes a lock of the whole process at each allocation.
            ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, 0_i32);
            ffi::sqlite3_config(ffi::SQLITE_CONFIG_MALLOC, &raw const methods);
            ffi::sqlite3_config(
                ffi::SQLITE_CONFIG_PAGECACHE,
                std::ptr::null_mut::<std::ffi::c_void>(),
                0_i32,
                0_i32,
            );
            ffi::sqlite3_config(ffi::SQLITE_CONFIG_LOOKASIDE, 0_i32, 0_i32);
        }
    });
}
