//! Which UIDs a folder has: in memory once somebody has asked, and in the table `uid_block`, so that a large folder is opened without reading
//! its rows.
//!
//! UIDs lie in blocks (`uidset/blocks.rs`). The first `folder.sealed` blocks of a folder are *sealed*: all their UIDs were given, and what the
//! table says of them is right (no row: no UID). The rest is read from the rows of `message`, which are fewer than a block's once a
//! transaction has passed. So a delivery touches the table once in a block's length; an expunge rewrites the blocks that it has thinned, in its
//! own transaction; opening costs a short row for each block and at most a block of messages.
//!
//! A block is also marked if one of its messages *may* lack \Seen, or have \Deleted: by whoever changes the flag so, until somebody has looked in
//! vain. So the first unseen message, and what an EXPUNGE takes, are found without reading all rows. Exact counts would have to be written with each
//! change of a flag.
//!
//! Other ways that were weighed: a covering index is read whole all the same, and each delivery writes it; a set as one value is written whole for each
//! expunge; a set read only when a number is asked for puts the price off to the first FETCH.
//!
//! The table is derived: no record of the journal speaks of it, and what a replay applies keeps it in step as it did at first. A block whose
//! checksum is wrong, or a sum that is not the folder's count of messages, makes the whole folder read and sealed anew. If the table can't
//! be written for damage, nothing is sealed any more and the mailbox goes on without it.
//!
//! Invariants: a set that is here is the set of the UIDs in `message`; at the end of a transaction sealed blocks are those of `message` too, and a
//! block without a mark has no message that would ask for it.
//!
//! Must not know: how changes are made.

mod table;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rusqlite::Connection;
use table::{Known, Place, block_of, first_of, id_of, last_of, read_rows, read_sealed, write};
pub(crate) use table::{Mark, is_right, remove};
use wire::imap::Flags;

use crate::store::FolderRow;
use crate::types::Uid;
use crate::uidset::UidSet;
use crate::{MailboxError, Result};

/// The sets of one owner's folders.
#[derive(Debug, Default)]
pub(crate) struct UidSets {
    known: HashMap<i64, Known>,
    /// Sealed blocks that are not as the table has them.
    changed: BTreeSet<Place>,
    /// Sealed blocks whose marks are not as the table has them: put on, or taken off.
    marks: BTreeMap<(Place, Mark), bool>,
    /// The table can't be written.
    broken: bool,
    /// What was found damaged and not told yet.
    damage: Option<&'static str>,
}

impl UidSets {
    pub(crate) fn knows(&self, folder: i64) -> bool {
        self.known.contains_key(&folder)
    }

    /// The set of a folder, read if it is not known; what was changed before is in the table.
    pub(crate) fn get(&mut self, conn: &Connection, row: &mut FolderRow) -> Result<Arc<UidSet>> {
        if let Some(known) = self.known.get(&row.id) {
            return Ok(Arc::clone(&known.set));
        }
        let known = match read_sealed(conn, row) {
            Ok(Some(known)) if known.set.len() as u64 == row.messages => known,
            Ok(_) | Err(MailboxError::Damaged(_)) => {
                if row.sealed > 0 {
                    self.damage = Some("the table of UIDs is not that of the messages");
                    unseal(row);
                }
                read_rows(conn, row.id, 0, Uid::MAX)?
            }
            Err(error) => return Err(error),
        };
        let set = Arc::clone(&known.set);
        self.known.insert(row.id, known);
        Ok(set)
    }

    /// A message has come in.
    pub(crate) fn insert(&mut self, row: &FolderRow, uid: Uid, flags: Flags) {
        if let Some(known) = self.known.get_mut(&row.id) {
            Arc::make_mut(&mut known.set).insert(uid, uid);
        }
        for mark in Mark::ALL {
            if mark.is_asked_by(flags) {
                self.mark(row, uid, mark);
            }
        }
        // UIDs rise, so this does not happen; if it did, the table would have to follow.
        if block_of(uid) < row.sealed {
            self.changed.insert((row.id, block_of(uid)));
        }
    }

    /// Messages have gone.
    pub(crate) fn remove(&mut self, row: &FolderRow, first: Uid, last: Uid) {
        if let Some(known) = self.known.get_mut(&row.id) {
            Arc::make_mut(&mut known.set).remove(first, last);
        }
        let thinned = (block_of(first)..row.sealed).take_while(|block| *block <= block_of(last));
        self.changed.extend(thinned.map(|block| (row.id, block)));
    }

    /// The flags of a message have changed.
    pub(crate) fn change(&mut self, row: &FolderRow, uid: Uid, from: Flags, to: Flags) {
        for mark in Mark::ALL {
            if mark.is_asked_by(to) && !mark.is_asked_by(from) {
                self.mark(row, uid, mark);
            }
        }
    }

    fn mark(&mut self, row: &FolderRow, uid: Uid, mark: Mark) {
        let block = block_of(uid);
        if let Some(known) = self.known.get_mut(&row.id) {
            let marked = known.marked_mut(mark);
            if marked.contains(block) {
                return;
            }
            marked.insert(block, block);
        }
        if block < row.sealed {
            self.marks.insert(((row.id, block), mark), true);
        }
    }

    /// The messages that ask for a mark, of the first block that has any from a UID on; ascending. The folder's set is known.
    pub(crate) fn next_marked(
        &mut self,
        conn: &Connection,
        row: &FolderRow,
        mark: Mark,
        from: Uid,
    ) -> Result<Vec<Uid>> {
        let Some(known) = self.known.get_mut(&row.id) else {
            return Ok(Vec::new());
        };
        let mut statement = conn.prepare_cached(
            "SELECT uid FROM message WHERE folder = ?1 AND uid BETWEEN ?2 AND ?3 AND flags & ?4 = ?5 ORDER BY uid",
        )?;
        let marked = known.marked_mut(mark);
        let (bits, asks) = mark.bits();
        let mut next = marked.next_range(block_of(from), u32::MAX);
        while let Some((block, _)) = next {
            let first = first_of(block).max(from);
            let found = statement
                .query_map((row.id, first, last_of(block), bits, asks), |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<Uid>>>()?;
            if !found.is_empty() {
                return Ok(found);
            }
            if first == first_of(block) {
                marked.remove(block, block);
                if block < row.sealed {
                    self.marks.insert(((row.id, block), mark), false);
                }
            }
            next = block
                .checked_add(1)
                .and_then(|block| marked.next_range(block, u32::MAX));
        }
        Ok(Vec::new())
    }

    /// The ranges of UIDs that may hold messages that ask for a mark. The folder's set is known.
    pub(crate) fn marked_ranges(&self, folder: i64, mark: Mark) -> Vec<(Uid, Uid)> {
        let Some(known) = self.known.get(&folder) else {
            return Vec::new();
        };
        let ranges = known.marked(mark).ranges(0, u32::MAX);
        ranges
            .map(|(first, last)| (first_of(first), last_of(last)))
            .collect()
    }

    /// The folder was removed, or is to be read anew.
    pub(crate) fn forget(&mut self, row: &mut FolderRow) {
        self.known.remove(&row.id);
        self.changed.retain(|place| place.0 != row.id);
        self.marks.retain(|(place, _), _| place.0 != row.id);
        unseal(row);
    }

    /// Brings the table up to date, before the folders' rows are written; whether anything was written. Part of the transaction.
    pub(crate) fn flush(
        &mut self,
        conn: &Connection,
        folders: &mut BTreeMap<i64, FolderRow>,
    ) -> Result<bool> {
        if self.broken {
            return Ok(false);
        }
        match self.write_all(conn, folders) {
            // The statement alone has failed, not the transaction: the mailbox goes on without the table.
            Err(MailboxError::Damaged(_)) if !conn.is_autocommit() => {
                self.broken = true;
                self.damage = Some("the table of UIDs can't be written");
                folders.values_mut().for_each(unseal);
                Ok(true)
            }
            written => written,
        }
    }

    fn write_all(&mut self, conn: &Connection, folders: &mut BTreeMap<i64, FolderRow>) -> Result<bool> {
        let mut wrote = false;
        for row in folders.values_mut().filter(|row| row.dirty) {
            if block_of(row.uid_next) > row.sealed {
                self.seal(conn, row)?;
                wrote = true;
            }
        }
        for (folder, block) in std::mem::take(&mut self.changed) {
            if folders.get(&folder).is_some_and(|row| block < row.sealed) {
                self.write_again(conn, folder, block)?;
                wrote = true;
            }
        }
        for (((folder, block), mark), on) in std::mem::take(&mut self.marks) {
            let sql = if on {
                "UPDATE uid_block SET marks = marks | ?2 WHERE id = ?1"
            } else {
                "UPDATE uid_block SET marks = marks & ~?2 WHERE id = ?1"
            };
            conn.prepare_cached(sql)?
                .execute((id_of(folder, block), mark.in_table()))?;
            wrote = true;
        }
        Ok(wrote)
    }

    /// What was found damaged since this was last asked.
    pub(crate) fn take_damage(&mut self) -> Option<&'static str> {
        self.damage.take()
    }

    /// Seals all blocks whose UIDs are given.
    fn seal(&mut self, conn: &Connection, row: &mut FolderRow) -> Result<()> {
        let (from, upto) = (row.sealed, block_of(row.uid_next));
        let (first, last) = (first_of(from), last_of(upto - 1));
        // What is left there of a folder that was unsealed must not be found.
        conn.prepare_cached("DELETE FROM uid_block WHERE id BETWEEN ?1 AND ?2")?
            .execute((id_of(row.id, from), id_of(row.id, upto - 1)))?;
        let read;
        let known = match self.known.get(&row.id) {
            Some(known) => known,
            None => {
                read = read_rows(conn, row.id, first, last)?;
                &read
            }
        };
        let mut next = known.set.next_range(first, last);
        while let Some((uid, _)) = next {
            let block = block_of(uid);
            write(conn, (row.id, block), known)?;
            next = last_of(block)
                .checked_add(1)
                .and_then(|uid| known.set.next_range(uid, last));
        }
        row.sealed = upto;
        row.dirty = true;
        Ok(())
    }

    fn write_again(&self, conn: &Connection, folder: i64, block: u32) -> Result<()> {
        match self.known.get(&folder) {
            Some(known) => write(conn, (folder, block), known),
            None => {
                let read = read_rows(conn, folder, first_of(block), last_of(block))?;
                write(conn, (folder, block), &read)
            }
        }
    }
}

/// Nothing that the table says of this folder is believed from here on.
fn unseal(row: &mut FolderRow) {
    row.sealed = 0;
    row.dirty = true;
}
