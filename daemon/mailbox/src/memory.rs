//! What an open mailbox keeps in memory of the past: what changed last, and how much is known of what went.
//!
//! The latest changes answer "what changed since" without reading a large folder.
//!
//! Invariant: of a folder, all changes greater than its floor are here.
//!
//! Must not know: how changes are made.

use std::collections::{HashMap, VecDeque};

use rusqlite::{Connection, OptionalExtension};

use crate::Result;
use crate::types::Uid;

/// Changes that are remembered of one owner.
const RECENT_CHANGES_MAX: usize = 4096;

/// How many ranges of expunged UIDs are kept of each folder. Beyond twice [`HISTORY_RANGES_MAX`] the older half is forgotten: a row of the table
/// `expunged` with the UID 0, which no message has, says up to which MODSEQ nothing is known any more.
#[derive(Debug, Default)]
pub(crate) struct History {
    ranges: HashMap<i64, usize>,
}

/// Ranges of expunged UIDs that are kept of a folder at least.
pub(crate) const HISTORY_RANGES_MAX: usize = 2048;

impl History {
    /// Ranges were added to a folder's.
    pub(crate) fn grew(&mut self, conn: &Connection, folder: i64, by: usize) -> Result<()> {
        let count = match self.ranges.get(&folder) {
            Some(count) => count + by,
            None => count(conn, folder)?,
        };
        self.ranges.insert(folder, count);
        if count <= 2 * HISTORY_RANGES_MAX {
            return Ok(());
        }
        let upto: Option<i64> = conn
            .prepare_cached(
                "SELECT modseq FROM expunged WHERE folder = ?1 ORDER BY modseq DESC LIMIT 1 OFFSET ?2",
            )?
            .query_row((folder, HISTORY_RANGES_MAX as i64), |row| row.get(0))
            .optional()?;
        if let Some(upto) = upto {
            conn.prepare_cached("DELETE FROM expunged WHERE folder = ?1 AND modseq <= ?2")?
                .execute((folder, upto))?;
            conn.prepare_cached("INSERT INTO expunged VALUES(?1, ?2, 0, 0)")?
                .execute((folder, upto))?;
            self.ranges.insert(folder, self::count(conn, folder)?);
        }
        Ok(())
    }

    /// The folder was removed.
    pub(crate) fn forget(&mut self, folder: i64) {
        self.ranges.remove(&folder);
    }
}

fn count(conn: &Connection, folder: i64) -> Result<usize> {
    let mut statement = conn.prepare_cached("SELECT count(*) FROM expunged WHERE folder = ?1")?;
    let count: i64 = statement.query_row([folder], |row| row.get(0))?;
    Ok(count as usize)
}

/// Up to which MODSEQ it is not known what went from a folder.
pub(crate) fn forgotten(conn: &Connection, folder: i64) -> Result<u64> {
    let mut statement = conn.prepare_cached(
        "SELECT first, modseq FROM expunged WHERE folder = ?1 ORDER BY modseq, first LIMIT 1",
    )?;
    let oldest: Option<(Uid, i64)> = statement
        .query_row([folder], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(oldest
        .filter(|oldest| oldest.0 == 0)
        .map_or(0, |oldest| oldest.1 as u64))
}

/// The last changes by MODSEQ.
#[derive(Debug)]
pub(crate) struct RecentChanges {
    changes: VecDeque<(u64, i64, Uid)>,
    floors: HashMap<i64, u64>,
}

impl RecentChanges {
    /// Nothing is known of the folders up to their highest MODSEQs.
    pub(crate) fn new(folders: impl Iterator<Item = (i64, u64)>) -> Self {
        Self {
            changes: VecDeque::new(),
            floors: folders.collect(),
        }
    }

    pub(crate) fn push(&mut self, modseq: u64, folder: i64, uid: Uid) {
        if self.floors.get(&folder).is_some_and(|floor| modseq <= *floor) {
            return;
        }
        self.changes.push_back((modseq, folder, uid));
        if self.changes.len() > RECENT_CHANGES_MAX {
            // All changes of one number go together.
            let goes = self.changes.front().map_or(0, |change| change.0);
            while let Some(&(modseq, folder, _)) = self.changes.front().filter(|change| change.0 <= goes) {
                self.floors.insert(folder, modseq);
                self.changes.pop_front();
            }
        }
    }

    /// The UIDs of a folder up to one that changed after `since`, ascending; `None`: not known any more.
    pub(crate) fn since(&self, folder: i64, since: u64, upto: Uid) -> Option<Vec<Uid>> {
        if self.floors.get(&folder).is_some_and(|floor| since < *floor) {
            return None;
        }
        let mut uids: Vec<Uid> = self
            .changes
            .iter()
            .rev()
            .take_while(|change| change.0 > since)
            .filter(|change| change.1 == folder && change.2 <= upto)
            .map(|change| change.2)
            .collect();
        uids.sort_unstable();
        uids.dedup();
        Some(uids)
    }

    /// The folder was removed.
    pub(crate) fn forget(&mut self, folder: i64) {
        self.floors.remove(&folder);
    }
}
