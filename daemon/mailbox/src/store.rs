//! An open mailbox: its connection, and its folders and counters in memory.
//!
//! One worker at a time has it. Counters and folders are read once and written back at the end of each transaction; if a transaction
//! fails, the whole `Store` is thrown away and read again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use disk::blob::Blob;
use disk::{Disk, SharedDisk};
use journal::RecordId;
use rusqlite::{Connection, params};
use shared::model::OwnerId;
use wire::imap::Flags;

use crate::durability::sync_names;
use crate::feed::{Happening, Origin, Pending, What};
use crate::memory::{History, RecentChanges};
use crate::types::{Folder, FolderId, RightsTable, Row, Status, Uid};
use crate::uids::{Mark, UidSets};
use crate::uidset::UidSet;
use crate::{MailboxError, Result, names, schema, sqlite};

/// The owner's row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    /// The last that was given; also the row of numbers for folders and texts.
    pub(crate) modseq: u64,
    pub(crate) modseq_reserved: u64,
    pub(crate) epoch: u64,
    pub(crate) journal_id: u64,
    /// The last UIDVALIDITY that was given.
    pub(crate) uid_validity: u32,
    pub(crate) dirty: bool,
}

/// A folder's row.
#[derive(Clone, Debug)]
pub(crate) struct FolderRow {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) special_use: Option<String>,
    pub(crate) uid_validity: u32,
    pub(crate) uid_next: u32,
    /// UIDs up to this one may have been given.
    pub(crate) uid_reserved: u32,
    pub(crate) highest_modseq: u64,
    pub(crate) messages: u64,
    pub(crate) unseen: u64,
    pub(crate) deleted: u64,
    pub(crate) recent: u64,
    pub(crate) recent_from: u32,
    pub(crate) bytes: u64,
    pub(crate) keywords: Vec<String>,
    /// Blocks of UIDs that the table `uid_block` has (see `uids.rs`).
    pub(crate) sealed: u32,
    pub(crate) dirty: bool,
}

impl FolderRow {
    pub(crate) fn status(&self) -> Status {
        Status {
            messages: self.messages,
            unseen: self.unseen,
            deleted: self.deleted,
            recent: self.recent,
            uid_next: self.uid_next,
            uid_validity: self.uid_validity,
            highest_modseq: self.highest_modseq,
            bytes: self.bytes,
        }
    }

    /// Counts a message in.
    pub(crate) fn add(&mut self, uid: u32, flags: Flags, size: u64, modseq: u64) {
        self.messages += 1;
        self.unseen += u64::from(!flags.contains(Flags::SEEN));
        self.deleted += u64::from(flags.contains(Flags::DELETED));
        self.recent += u64::from(uid >= self.recent_from);
        self.bytes += size;
        self.uid_next = self.uid_next.max(uid.saturating_add(1));
        self.touch(modseq);
    }

    /// Counts a message out.
    pub(crate) fn remove(&mut self, uid: u32, flags: Flags, size: u64) {
        self.messages = self.messages.saturating_sub(1);
        self.unseen = self
            .unseen
            .saturating_sub(u64::from(!flags.contains(Flags::SEEN)));
        self.deleted = self
            .deleted
            .saturating_sub(u64::from(flags.contains(Flags::DELETED)));
        self.recent = self.recent.saturating_sub(u64::from(uid >= self.recent_from));
        self.bytes = self.bytes.saturating_sub(size);
        self.dirty = true;
    }

    /// Counts a change of flags.
    pub(crate) fn change(&mut self, from: Flags, to: Flags) {
        self.unseen = self.unseen + u64::from(!to.contains(Flags::SEEN))
            - u64::from(!from.contains(Flags::SEEN)).min(self.unseen);
        self.deleted = self.deleted + u64::from(to.contains(Flags::DELETED))
            - u64::from(from.contains(Flags::DELETED)).min(self.deleted);
        self.dirty = true;
    }

    pub(crate) fn touch(&mut self, modseq: u64) {
        self.highest_modseq = self.highest_modseq.max(modseq);
        self.dirty = true;
    }

    /// Gives the recent messages to a session: the first UID that is recent for it.
    pub(crate) fn claim(&mut self, claim: bool) -> u32 {
        let from = self.recent_from;
        if claim && from < self.uid_next {
            self.recent_from = self.uid_next;
            self.recent = 0;
            self.dirty = true;
        }
        from
    }
}

pub(crate) struct Store {
    pub(crate) conn: Connection,
    pub(crate) owner: OwnerId,
    pub(crate) dir: PathBuf,
    pub(crate) state: State,
    pub(crate) folders: BTreeMap<i64, FolderRow>,
    /// Answer of `folders`, until something changes it.
    pub(crate) listing: Option<Arc<Vec<Folder>>>,
    /// Answer of `rights`, until something changes it.
    pub(crate) rights: Option<Arc<RightsTable>>,
    /// Folders, subscriptions or rights were changed in this transaction.
    pub(crate) shares_changed: bool,
    /// Others have asked for folders and rights in this transaction.
    pub(crate) shares_asked: bool,
    /// Rights were changed in this transaction.
    pub(crate) rights_changed: bool,
    pub(crate) recent_changes: RecentChanges,
    pub(crate) uids: UidSets,
    pub(crate) history: History,
    /// Records of the transaction that is open, with the text of a delivery.
    pub(crate) records: Vec<(RecordId, Option<Blob>)>,
    /// When the record that is being applied was written, if it says so.
    pub(crate) recorded_at: Option<i64>,
    /// Something that a session may see was changed in this transaction.
    pub(crate) changed: bool,
    /// What was done in this transaction, for those who watch the mailbox.
    pub(crate) pending: Pending,
    /// Whose job runs.
    pub(crate) origin: Origin,
    /// A large text was linked in this transaction.
    pub(crate) linked: bool,
    /// The large text that was the last to get its name here: it need not be looked at again.
    pub(crate) placed: Option<u64>,
    /// Something was written: the transaction is not empty.
    pub(crate) wrote: bool,
    /// A transaction is open.
    pub(crate) open: bool,
    /// What the journal does not hold was written in it: it must not wait for further jobs.
    pub(crate) commit_now: bool,
    /// Bytes of the texts that came in it.
    pub(crate) texts_bytes: usize,
    /// A record is in the journal and could not be applied: the transaction must fail.
    pub(crate) broken: Option<MailboxError>,
    /// Damage was told since it was opened.
    pub(crate) damage_told: bool,
    /// Where `applied` was last cleared to.
    pub(crate) applied_cleared: u64,
    /// Pages in the write-ahead log after the last commit. (The file is no shorter after a fold: its length tells nothing.)
    pub(crate) log_pages: Arc<AtomicU32>,
}

impl Store {
    /// Opens an owner's mailbox, made if it is missing. `dir`: the owner's own directory.
    pub(crate) fn open(
        disk: &SharedDisk,
        dir: &Path,
        owner: OwnerId,
        vfs: Option<&str>,
        epoch: u64,
    ) -> Result<Store> {
        let path = dir.join("mail.db");
        let conn = match sqlite::open(&path, vfs) {
            Ok(conn) => conn,
            Err(error) if disk.exists(&path)? => return Err(error),
            Err(_) => {
                make(disk, dir, &path, epoch)?;
                sqlite::open(&path, vfs)?
            }
        };
        Self::load(conn, disk.as_ref(), owner, dir)
    }

    fn load(mut conn: Connection, disk: &dyn Disk, owner: OwnerId, dir: &Path) -> Result<Store> {
        if !schema::upgrade(&conn, disk, dir)? {
            return Err(MailboxError::Unavailable(format!(
                "mail.db is not of a version up to {}, which this program knows",
                schema::VERSION
            )));
        }
        let state = conn.query_row(
            "SELECT modseq, modseq_reserved, epoch, journal_id, uid_validity FROM state",
            [],
            |row| {
                Ok(State {
                    modseq: row.get::<_, i64>(0)? as u64,
                    modseq_reserved: row.get::<_, i64>(1)? as u64,
                    epoch: row.get::<_, i64>(2)? as u64,
                    journal_id: row.get::<_, i64>(3)? as u64,
                    uid_validity: row.get(4)?,
                    dirty: false,
                })
            },
        )?;
        let folders = load_folders(&conn)?;
        let log_pages = sqlite::count_log_pages(&mut conn)?;
        Ok(Store {
            owner,
            dir: dir.to_owned(),
            recent_changes: RecentChanges::new(
                folders.values().map(|folder| (folder.id, folder.highest_modseq)),
            ),
            uids: UidSets::default(),
            history: History::default(),
            folders,
            listing: None,
            rights: None,
            shares_changed: false,
            shares_asked: false,
            rights_changed: false,
            state,
            conn,
            records: Vec::new(),
            recorded_at: None,
            changed: false,
            pending: Pending::default(),
            origin: 0,
            linked: false,
            placed: None,
            wrote: false,
            open: false,
            commit_now: false,
            texts_bytes: 0,
            broken: None,
            damage_told: false,
            applied_cleared: 0,
            log_pages,
        })
    }

    /// Messages of a folder were changed.
    pub(crate) fn touched(&mut self, folder: i64, what: What) {
        self.changed = true;
        self.pending.touch(folder, what, self.origin);
    }

    /// Something else was changed.
    pub(crate) fn happened(&mut self, happening: Happening) {
        self.pending.happened(self.origin, happening);
    }

    pub(crate) fn folder(&self, id: FolderId) -> Result<&FolderRow> {
        self.folders.get(&id.0).ok_or(MailboxError::NoSuchFolder)
    }

    pub(crate) fn folder_mut(&mut self, id: i64) -> Option<&mut FolderRow> {
        self.folders.get_mut(&id)
    }

    /// By its canonical name.
    pub(crate) fn folder_named(&self, name: &str) -> Option<&FolderRow> {
        self.folders.values().find(|folder| folder.name == name)
    }

    pub(crate) fn used_bytes(&self) -> u64 {
        self.folders.values().map(|folder| folder.bytes).sum()
    }

    pub(crate) fn deleted_bytes(&mut self, folder: FolderId) -> Result<u64> {
        if self.folder(folder)?.deleted == 0 {
            return Ok(0);
        }
        self.uids(folder.0)?;
        let mut statement = self.conn.prepare_cached(
            "SELECT coalesce(sum(size), 0) FROM message WHERE folder = ?1 AND uid BETWEEN ?2 AND ?3 AND flags & ?4",
        )?;
        let mut bytes = 0;
        for (first, last) in self.uids.marked_ranges(folder.0, Mark::Deleted) {
            let range = (folder.0, first, last, Flags::DELETED.0);
            bytes += statement.query_row(range, |row| row.get::<_, i64>(0))? as u64;
        }
        Ok(bytes)
    }

    /// All folders, INBOX first.
    pub(crate) fn listing(&mut self) -> Result<Arc<Vec<Folder>>> {
        if let Some(listing) = &self.listing {
            return Ok(Arc::clone(listing));
        }
        let subscribed = self.subscriptions()?;
        let mut folders: Vec<Folder> = self
            .folders
            .values()
            .map(|row| Folder {
                id: FolderId(row.id),
                name: row.name.clone(),
                special_use: row.special_use.clone(),
                subscribed: subscribed.binary_search(&row.name).is_ok(),
                uid_validity: row.uid_validity,
            })
            .collect();
        folders.sort_by(|a, b| (a.name != names::INBOX, &a.name).cmp(&(b.name != names::INBOX, &b.name)));
        let listing = Arc::new(folders);
        self.listing = Some(Arc::clone(&listing));
        Ok(listing)
    }

    /// The rights on all folders.
    pub(crate) fn rights(&mut self) -> Result<Arc<RightsTable>> {
        if let Some(rights) = &self.rights {
            return Ok(Arc::clone(rights));
        }
        let mut table = RightsTable::new();
        {
            let mut statement = self.conn.prepare_cached(
                "SELECT folder, identifier, rights FROM rights ORDER BY folder, identifier",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let given = (row.get(1)?, row.get(2)?);
                table.entry(FolderId(row.get(0)?)).or_default().push(given);
            }
        }
        let table = Arc::new(table);
        self.rights = Some(Arc::clone(&table));
        Ok(table)
    }

    /// Sorted.
    pub(crate) fn subscriptions(&self) -> Result<Vec<String>> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT name FROM subscription ORDER BY name")?;
        let names = statement.query_map([], |row| row.get(0))?;
        Ok(names.collect::<rusqlite::Result<_>>()?)
    }

    /// Which messages a folder has.
    pub(crate) fn uids(&mut self, folder: i64) -> Result<Arc<UidSet>> {
        if !self.uids.knows(folder) {
            // What this transaction has changed must be in the table that is read.
            self.flush_uids()?;
        }
        let row = self.folders.get_mut(&folder).ok_or(MailboxError::NoSuchFolder)?;
        self.uids.get(&self.conn, row)
    }

    /// The first message without \\Seen.
    pub(crate) fn first_unseen(&mut self, folder: i64) -> Result<Option<Uid>> {
        if self.folder(FolderId(folder))?.unseen == 0 {
            return Ok(None);
        }
        Ok(self.next_marked(folder, Mark::Unseen, 0)?.first().copied())
    }

    /// The messages of the first block that has any without \\Seen, or with \\Deleted, from a UID on; ascending.
    pub(crate) fn next_marked(&mut self, folder: i64, mark: Mark, from: Uid) -> Result<Vec<Uid>> {
        self.uids(folder)?;
        let row = self.folders.get(&folder).ok_or(MailboxError::NoSuchFolder)?;
        self.uids.next_marked(&self.conn, row, mark, from)
    }

    pub(crate) fn flush_uids(&mut self) -> Result<()> {
        self.wrote |= self.uids.flush(&self.conn, &mut self.folders)?;
        Ok(())
    }

    /// One message's row.
    pub(crate) fn row(&self, folder: i64, uid: u32) -> Result<Option<Row>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT uid, modseq, flags, keywords FROM message WHERE folder = ?1 AND uid = ?2",
        )?;
        let mut rows = statement.query((folder, uid))?;
        Ok(rows.next()?.map(read_row).transpose()?)
    }

    /// Hands the rows of a range of UIDs to `each`, ascending.
    pub(crate) fn rows(&self, folder: i64, first: u32, last: u32, mut each: impl FnMut(Row)) -> Result<()> {
        let mut statement = self.conn.prepare_cached(
            "SELECT uid, modseq, flags, keywords FROM message WHERE folder = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid",
        )?;
        let mut rows = statement.query((folder, first, last))?;
        while let Some(row) = rows.next()? {
            each(read_row(row)?);
        }
        Ok(())
    }

    /// Writes counters and folders back. Part of the transaction.
    pub(crate) fn flush(&mut self) -> Result<()> {
        self.flush_uids()?;
        for folder in self.folders.values_mut().filter(|folder| folder.dirty) {
            self.conn
                .prepare_cached(
                    "UPDATE folder SET uid_next = ?2, uid_reserved = ?3, highest_modseq = ?4, messages = ?5, unseen = ?6,
                     deleted = ?7, recent = ?8, recent_from = ?9, bytes = ?10, keywords = ?11, sealed = ?12 WHERE id = ?1",
                )?
                .execute(params![
                    folder.id,
                    folder.uid_next,
                    folder.uid_reserved,
                    folder.highest_modseq as i64,
                    folder.messages as i64,
                    folder.unseen as i64,
                    folder.deleted as i64,
                    folder.recent as i64,
                    folder.recent_from,
                    folder.bytes as i64,
                    folder.keywords.join(" "),
                    folder.sealed,
                ])?;
            folder.dirty = false;
            self.wrote = true;
        }
        if self.state.dirty {
            self.conn
                .prepare_cached(
                    "UPDATE state SET modseq = ?1, modseq_reserved = ?2, epoch = ?3, journal_id = ?4, uid_validity = ?5",
                )?
                .execute((
                    self.state.modseq as i64,
                    self.state.modseq_reserved as i64,
                    self.state.epoch as i64,
                    self.state.journal_id as i64,
                    self.state.uid_validity,
                ))?;
            self.state.dirty = false;
            self.wrote = true;
        }
        Ok(())
    }
}

/// Writes a new mailbox so that it is there as a whole or not at all.
fn make(disk: &SharedDisk, dir: &Path, path: &Path, epoch: u64) -> Result<()> {
    disk.create_dir_all(dir)?;
    sync_names(disk.as_ref(), dir)?;
    let bytes = schema::new_database(crate::now(), epoch)?;
    disk.write_atomic(path, &bytes)?;
    Ok(())
}

fn load_folders(conn: &Connection) -> Result<BTreeMap<i64, FolderRow>> {
    let mut statement = conn.prepare(
        "SELECT id, name, special_use, uid_validity, uid_next, uid_reserved, highest_modseq, messages, unseen, deleted, recent,
         recent_from, bytes, keywords, sealed FROM folder",
    )?;
    let folders = statement.query_map([], |row| {
        let number = |column: usize| row.get::<_, i64>(column).map(|value| value.max(0) as u64);
        Ok(FolderRow {
            id: row.get(0)?,
            name: row.get(1)?,
            special_use: row.get(2)?,
            uid_validity: row.get(3)?,
            uid_next: row.get(4)?,
            uid_reserved: row.get(5)?,
            highest_modseq: number(6)?,
            messages: number(7)?,
            unseen: number(8)?,
            deleted: number(9)?,
            recent: number(10)?,
            recent_from: row.get(11)?,
            bytes: number(12)?,
            keywords: row
                .get::<_, String>(13)?
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            sealed: row.get(14)?,
            dirty: false,
        })
    })?;
    folders
        .map(|folder| {
            folder
                .map(|folder| (folder.id, folder))
                .map_err(MailboxError::from)
        })
        .collect()
}

/// A row that begins with `uid, modseq, flags, keywords`.
pub(crate) fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        uid: row.get(0)?,
        modseq: row.get::<_, i64>(1)? as u64,
        flags: Flags(row.get(2)?),
        keywords: row.get::<_, i64>(3)? as u64,
    })
}
