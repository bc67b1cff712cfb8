//! The table `uid_block`, and the set of a folder as it is read from it and from the rows of `message`.
//!
//! `id`: the folder's, and the number of the block. `marks`: see [`Mark`]. `uids`: see `uidset/blocks.rs`. A block without UIDs has no row.

use std::sync::Arc;

use rusqlite::Connection;
use wire::imap::Flags;

use crate::Result;
use crate::store::FolderRow;
use crate::types::Uid;
use crate::uidset::UidSet;
use crate::uidset::blocks::{self, BLOCK, BLOCK_BITS, Builder};

/// Bits of an id that are the block's number; those above are the folder's.
const NUMBER_BITS: u32 = u32::BITS - BLOCK_BITS;

/// A folder and the number of a block.
pub(super) type Place = (i64, u32);

/// What a block may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    /// Messages without \Seen.
    Unseen,
    /// Messages with \Deleted.
    Deleted,
}

impl Mark {
    pub(super) const ALL: [Self; 2] = [Self::Unseen, Self::Deleted];

    /// The flag, and what it is in a message that asks for this mark.
    pub(super) fn bits(self) -> (u8, u8) {
        match self {
            Self::Unseen => (Flags::SEEN.0, 0),
            Self::Deleted => (Flags::DELETED.0, Flags::DELETED.0),
        }
    }

    pub(super) fn is_asked_by(self, flags: Flags) -> bool {
        let (bits, asks) = self.bits();
        flags.0 & bits == asks
    }

    /// Its bit in the column `marks`.
    pub(super) fn in_table(self) -> i64 {
        1 << self as u32
    }
}

/// A folder's UIDs.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) set: Arc<UidSet>,
    /// Numbers of blocks, sealed or not, that have a mark.
    marked: [UidSet; 2],
}

impl Known {
    pub(super) fn marked(&self, mark: Mark) -> &UidSet {
        let [unseen, deleted] = &self.marked;
        match mark {
            Mark::Unseen => unseen,
            Mark::Deleted => deleted,
        }
    }

    pub(super) fn marked_mut(&mut self, mark: Mark) -> &mut UidSet {
        let [unseen, deleted] = &mut self.marked;
        match mark {
            Mark::Unseen => unseen,
            Mark::Deleted => deleted,
        }
    }
}

/// Whether the table says of a folder what its messages are.
pub(crate) fn is_right(conn: &Connection, row: &FolderRow) -> Result<bool> {
    let Ok(Some(sealed)) = read_sealed(conn, row) else {
        return Ok(false);
    };
    let known = read_rows(conn, row.id, 0, Uid::MAX)?;
    let lacks = |mark: Mark| !known.marked(mark).minus(sealed.marked(mark)).is_empty();
    Ok(known.set == sealed.set && !Mark::ALL.into_iter().any(lacks))
}

/// The folder was removed.
pub(crate) fn remove(conn: &Connection, folder: i64) -> Result<()> {
    conn.execute(
        "DELETE FROM uid_block WHERE id BETWEEN ?1 AND ?2",
        (id_of(folder, 0), id_of(folder, (1 << NUMBER_BITS) - 1)),
    )?;
    Ok(())
}

/// The set by the table and by the rows behind the sealed blocks; `None`: a checksum is wrong.
pub(super) fn read_sealed(conn: &Connection, row: &FolderRow) -> Result<Option<Known>> {
    let mut parts = Parts::new();
    if row.sealed > 0 {
        let mut statement = conn
            .prepare_cached("SELECT id, marks, uids FROM uid_block WHERE id BETWEEN ?1 AND ?2 ORDER BY id")?;
        let mut rows = statement.query((id_of(row.id, 0), id_of(row.id, row.sealed - 1)))?;
        while let Some(found) = rows.next()? {
            let id: i64 = found.get(0)?;
            let marks: i64 = found.get(1)?;
            let bytes = found.get_ref(2)?.as_blob().unwrap_or_default();
            let Some(bits) = blocks::decode(id, bytes) else {
                return Ok(None);
            };
            let number = (id & ((1 << NUMBER_BITS) - 1)) as u32;
            parts.uids.block(number, &bits);
            for mark in Mark::ALL {
                if marks & mark.in_table() != 0 {
                    parts.mark(mark, number);
                }
            }
        }
    }
    parts.read(conn, row.id, first_of(row.sealed), Uid::MAX)?;
    Ok(Some(parts.finish()))
}

/// The set by the rows between two UIDs.
pub(super) fn read_rows(conn: &Connection, folder: i64, first: Uid, last: Uid) -> Result<Known> {
    let mut parts = Parts::new();
    parts.read(conn, folder, first, last)?;
    Ok(parts.finish())
}

/// A set that is being read, in ascending order.
struct Parts {
    uids: Builder,
    marked: [Builder; 2],
    /// The last block that got each mark.
    last: [Option<u32>; 2],
}

impl Parts {
    fn new() -> Self {
        Self {
            uids: Builder::new(),
            marked: [Builder::new(), Builder::new()],
            last: [None; 2],
        }
    }

    fn mark(&mut self, mark: Mark, block: u32) {
        let at = mark as usize;
        if let (Some(marked), Some(last)) = (self.marked.get_mut(at), self.last.get_mut(at))
            && last.replace(block) != Some(block)
        {
            marked.run(block, block);
        }
    }

    fn read(&mut self, conn: &Connection, folder: i64, first: Uid, last: Uid) -> Result<()> {
        let mut statement = conn.prepare_cached(
            "SELECT uid, flags FROM message WHERE folder = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid",
        )?;
        let mut rows = statement.query((folder, first, last))?;
        let mut run: Option<(Uid, Uid)> = None;
        while let Some(row) = rows.next()? {
            let uid: Uid = row.get(0)?;
            let flags = Flags(row.get(1)?);
            for mark in Mark::ALL {
                if mark.is_asked_by(flags) {
                    self.mark(mark, block_of(uid));
                }
            }
            match &mut run {
                Some(run) if run.1.checked_add(1) == Some(uid) => run.1 = uid,
                _ => {
                    if let Some((first, last)) = run.replace((uid, uid)) {
                        self.uids.run(first, last);
                    }
                }
            }
        }
        if let Some((first, last)) = run {
            self.uids.run(first, last);
        }
        Ok(())
    }

    fn finish(self) -> Known {
        Known {
            set: Arc::new(self.uids.finish()),
            marked: self.marked.map(Builder::finish),
        }
    }
}

pub(super) fn write(conn: &Connection, (folder, block): Place, known: &Known) -> Result<()> {
    let id = id_of(folder, block);
    let bits = known.set.bits_of(block);
    if bits.iter().all(|word| *word == 0) {
        conn.prepare_cached("DELETE FROM uid_block WHERE id = ?1")?
            .execute([id])?;
        return Ok(());
    }
    let has = |mark: &Mark| known.marked(*mark).contains(block);
    let marks = Mark::ALL.into_iter().filter(has).map(Mark::in_table).sum::<i64>();
    conn.prepare_cached("INSERT OR REPLACE INTO uid_block VALUES(?1, ?2, ?3)")?
        .execute((id, marks, blocks::encode(id, &bits)))?;
    Ok(())
}

pub(super) fn id_of(folder: i64, block: u32) -> i64 {
    folder << NUMBER_BITS | i64::from(block)
}

pub(super) fn block_of(uid: Uid) -> u32 {
    uid >> BLOCK_BITS
}

pub(super) fn first_of(block: u32) -> Uid {
    block << BLOCK_BITS
}

pub(super) fn last_of(block: u32) -> Uid {
    first_of(block) | (BLOCK - 1)
}
