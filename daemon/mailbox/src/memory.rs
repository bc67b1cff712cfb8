//! What an open mailbox keeps in memory beside its tables: which UIDs a folder has, and what changed last.
//!
//! A folder's set of UIDs is read when it is first asked for and then kept in step by `apply.rs`; sessions share it, and a change copies what it
//! changes (see `uidset.rs`). The latest changes answer "what changed since" without reading a large folder.
//!
//! Invariants: a set that is here is the set of the UIDs in the table `message`; of a folder, all changes greater than its floor are here.
//!
//! Must not know: how changes are made.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use rusqlite::Connection;

use crate::Result;
use crate::types::Uid;
use crate::uidset::UidSet;

/// Changes that are remembered of one owner.
const RECENT_CHANGES_MAX: usize = 4096;

/// Sets of UIDs by folder.
#[derive(Debug, Default)]
pub(crate) struct UidSets {
    by_folder: HashMap<i64, Arc<UidSet>>,
}

impl UidSets {
    /// The set of a folder, read if it is not known.
    pub(crate) fn get(&mut self, conn: &Connection, folder: i64) -> Result<Arc<UidSet>> {
        if let Some(set) = self.by_folder.get(&folder) {
            return Ok(Arc::clone(set));
        }
        let mut set = UidSet::default();
        let mut statement = conn.prepare_cached("SELECT uid FROM message WHERE folder = ?1 ORDER BY uid")?;
        let mut rows = statement.query([folder])?;
        let mut run: Option<(Uid, Uid)> = None;
        while let Some(row) = rows.next()? {
            let uid: Uid = row.get(0)?;
            run = match run {
                Some((first, last)) if last.checked_add(1) == Some(uid) => Some((first, uid)),
                Some((first, last)) => {
                    set.insert(first, last);
                    Some((uid, uid))
                }
                None => Some((uid, uid)),
            };
        }
        if let Some((first, last)) = run {
            set.insert(first, last);
        }
        let set = Arc::new(set);
        self.by_folder.insert(folder, Arc::clone(&set));
        Ok(set)
    }

    pub(crate) fn insert(&mut self, folder: i64, uid: Uid) {
        if let Some(set) = self.by_folder.get_mut(&folder) {
            Arc::make_mut(set).insert(uid, uid);
        }
    }

    pub(crate) fn remove(&mut self, folder: i64, first: Uid, last: Uid) {
        if let Some(set) = self.by_folder.get_mut(&folder) {
            Arc::make_mut(set).remove(first, last);
        }
    }

    /// The folder was removed.
    pub(crate) fn forget(&mut self, folder: i64) {
        self.by_folder.remove(&folder);
    }
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
