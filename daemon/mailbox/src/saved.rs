//! When messages came into their folders (RFC 8514). For most that is their internal date: only others have a row.

use rusqlite::OptionalExtension;

use crate::Result;
use crate::store::Store;

/// Seconds that a message takes from its acceptance to its folder without anybody calling it late.
pub(crate) const DELIVERY_SECONDS: i64 = 60;

/// SQL: the date of saving of a message `m`.
pub(crate) const SAVED: &str =
    "coalesce((SELECT s.at FROM saved s WHERE s.folder = m.folder AND s.uid = m.uid), m.received)";

/// Notes that a message comes into a folder with the record that is being applied.
///
/// `slack`: so many seconds after its internal date it still counts as saved then.
pub(crate) fn note(store: &Store, folder: i64, uid: u32, received: i64, slack: i64) -> Result<()> {
    let same = received..=received.saturating_add(slack);
    let Some(at) = store.recorded_at.filter(|at| !same.contains(at)) else {
        return Ok(());
    };
    store
        .conn
        .prepare_cached("INSERT OR REPLACE INTO saved VALUES(?1, ?2, ?3)")?
        .execute((folder, uid, at))?;
    Ok(())
}

/// Messages leave a folder.
pub(crate) fn forget(store: &Store, folder: i64, first: u32, last: u32) -> Result<()> {
    store
        .conn
        .prepare_cached("DELETE FROM saved WHERE folder = ?1 AND uid BETWEEN ?2 AND ?3")?
        .execute((folder, first, last))?;
    Ok(())
}

/// The date of saving of a message that has this internal date, Unix seconds.
pub(crate) fn of(store: &Store, folder: i64, uid: u32, received: i64) -> Result<i64> {
    let mut statement = store
        .conn
        .prepare_cached("SELECT at FROM saved WHERE folder = ?1 AND uid = ?2")?;
    let at = statement.query_row((folder, uid), |row| row.get(0)).optional()?;
    Ok(at.unwrap_or(received))
}
