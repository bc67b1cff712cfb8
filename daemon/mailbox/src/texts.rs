//! The texts of messages: small ones in the database, large ones in files, each once for all copies within the owner.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use disk::blob::{Blob, BlobFile};
use disk::{Disk, Open};
use journal::RecordId;
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, params};
use wire::message::Summary;
use wire::message::text::Windows;

use crate::core::Core;
use crate::durability::{large_dir, large_path};
use crate::read::order;
use crate::store::Store;
use crate::{Result, SMALL_TEXT_MAX_BYTES, index, keys, threads};

/// Summaries of deliveries that are remembered for their further recipients.
const SUMMARIES_MAX: usize = 64;
/// Bytes of a large text that are in memory at once.
const PIECE_BYTES: usize = 256 * 1024;

/// What is kept of a text beside it.
pub(crate) struct Facts {
    pub(crate) summary: Summary,
    pub(crate) crc: u32,
}

impl Facts {
    pub(crate) fn of(text: &[u8]) -> Self {
        Self {
            summary: Summary::of(text),
            crc: crc32fast::hash(text),
        }
    }

    /// The same of a file, of which no more than a piece is in memory.
    fn of_file(disk: &dyn Disk, path: &Path) -> io::Result<Self> {
        let len = usize::try_from(disk.len(path)?).map_err(io::Error::other)?;
        let file = disk.open(path, Open::Read)?;
        let read = |at: usize, len: usize| {
            let mut piece = vec![0; len];
            file.read_exact_at(&mut piece, at as u64)?;
            Ok::<_, io::Error>(Bytes::from(piece))
        };
        let mut failed = None;
        let mut windows = Windows::new(len, |at, len| {
            read(at, len).map_err(|error| failed = Some(error)).ok()
        });
        let summary = Summary::of_text(&mut windows);
        if let Some(error) = failed {
            return Err(error);
        }
        let mut crc = crc32fast::Hasher::new();
        for at in (0..len).step_by(PIECE_BYTES) {
            crc.update(&read(at, PIECE_BYTES.min(len - at))?);
        }
        Ok(Self {
            summary,
            crc: crc.finalize(),
        })
    }
}

/// What the texts of the last deliveries were found to be: a message to many is taken apart once.
#[derive(Default)]
pub(crate) struct SummaryCache {
    recent: Mutex<VecDeque<(u64, Arc<Facts>)>>,
}

impl SummaryCache {
    fn get(&self, message: u64, text: &[u8]) -> Arc<Facts> {
        let known = self
            .recent
            .lock()
            .iter()
            .find(|(id, _)| *id == message)
            .map(|(_, facts)| Arc::clone(facts));
        known
            .filter(|facts| facts.summary.size == text.len() as u64)
            .unwrap_or_else(|| {
                let facts = Arc::new(Facts::of(text));
                let mut recent = self.recent.lock();
                recent.push_front((message, Arc::clone(&facts)));
                recent.truncate(SUMMARIES_MAX);
                facts
            })
    }
}

/// Where a new text comes from.
pub(crate) enum Source<'a> {
    /// An item of a record.
    Small(&'a Bytes),
    /// Stands in `large/` already.
    Large,
    /// The queue's text, and the number of its message.
    Queue(&'a Blob, u64),
}

/// Keeps a text under its number; its size. `None`: it is gone, which only a replay can meet.
pub(crate) fn keep(core: &Core, store: &mut Store, id: u64, source: &Source<'_>) -> Result<Option<u64>> {
    match source {
        Source::Small(text) => keep_small(store, id, &Facts::of(text), text).map(Some),
        Source::Queue(Blob::Bytes(text), message) if text.len() <= SMALL_TEXT_MAX_BYTES => {
            keep_small(store, id, &core.summaries.get(*message, text), text).map(Some)
        }
        Source::Queue(..) if store.placed == Some(id) => keep_large(core, store, id),
        Source::Queue(text, _) => match place_large(core.disk.as_ref(), store, id, text) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => keep_large(core, store, id),
        },
        Source::Large => keep_large(core, store, id),
    }
}

fn keep_small(store: &Store, id: u64, facts: &Facts, text: &Bytes) -> Result<u64> {
    let (header, body) = text.split_at((facts.summary.header_len as usize).min(text.len()));
    store
        .conn
        .prepare_cached("INSERT OR REPLACE INTO text VALUES(?1, ?2, ?3)")?
        .execute(params![id as i64, header, body])?;
    keep_meta(store, id, facts, false)?;
    Ok(text.len() as u64)
}

fn keep_large(core: &Core, store: &Store, id: u64) -> Result<Option<u64>> {
    let facts = match Facts::of_file(core.disk.as_ref(), &large_path(&store.dir, id)) {
        Ok(facts) => facts,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    keep_meta(store, id, &facts, true)?;
    Ok(Some(facts.summary.size))
}

fn keep_meta(store: &Store, id: u64, facts: &Facts, large: bool) -> Result<()> {
    let summary = &facts.summary;
    store
        .conn
        .prepare_cached("INSERT OR REPLACE INTO meta VALUES(?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
        .execute(params![
            id as i64,
            summary.size as i64,
            facts.crc,
            summary.header_len,
            summary.sent_day,
            large,
            summary.envelope,
            summary.structure,
        ])?;
    note_downgraded(&store.conn, id, summary)?;
    threads::keep(&store.conn, id, summary)
}

/// Few messages are international: the others have no row.
pub(crate) fn note_downgraded(conn: &Connection, id: u64, summary: &Summary) -> Result<()> {
    if let Some(size) = summary.downgraded_size {
        conn.prepare_cached("INSERT OR REPLACE INTO downgraded VALUES(?1, ?2)")?
            .execute((id as i64, size as i64))?;
    }
    Ok(())
}

/// Gives a text a name in `large/`, durable but for the name itself. What has that name is of a delivery or an APPEND that failed, in part perhaps, or
/// that a crash undid. It may be one with the queue's file, so it goes as a name, and is not written into.
pub(crate) fn place_large(disk: &dyn Disk, store: &mut Store, id: u64, text: &Blob) -> io::Result<()> {
    let dir = large_dir(&store.dir);
    if !disk.exists(&dir)? {
        disk.create_dir_all_synced(&dir)?;
    }
    let path = large_path(&store.dir, id);
    if let Blob::File(file) = text {
        // Without it the name stays as it is: the text may stand there and nowhere else.
        disk.metadata(&file.path)?;
    }
    store.linked = true;
    match disk.remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    match text {
        Blob::File(file) => {
            let _how = disk.link_or_copy(&file.path, &path)?;
        }
        Blob::Bytes(bytes) => {
            let file = disk.open(&path, Open::CreateNew)?;
            file.write_all_at(bytes, 0)?;
            file.sync_data()?;
        }
    }
    store.placed = Some(id);
    Ok(())
}

/// Gives a large text of a message that is there its name, if that was lost (what SQLite wrote may have outlived a power cut by chance
/// where the name did not) or is that of something else. Whether it was.
pub(crate) fn place_again(core: &Core, store: &mut Store, id: u64, text: &Blob) -> io::Result<bool> {
    if text.len() <= SMALL_TEXT_MAX_BYTES as u64 {
        return Ok(false);
    }
    match core.disk.len(&large_path(&store.dir, id)) {
        Ok(bytes) if bytes == text.len() => return Ok(false),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // It may have been removed since.
    let kept = store
        .conn
        .prepare_cached("SELECT 1 FROM meta WHERE text = ?1")
        .and_then(|mut statement| statement.exists([id as i64]));
    if !kept.map_err(io::Error::other)? {
        return Ok(false);
    }
    store.wrote = true;
    place_large(core.disk.as_ref(), store, id, text).map(|()| true)
}

/// One message less has this text; the last takes it along. `record`: that of the expunge.
pub(crate) fn release(core: &Core, store: &Store, id: u64, record: RecordId) -> Result<()> {
    let mut statement = store
        .conn
        .prepare_cached("SELECT refs, large FROM meta WHERE text = ?1")?;
    let found: Option<(i64, bool)> = statement
        .query_row([id as i64], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((refs, large)) = found else { return Ok(()) };
    if refs > 1 {
        store
            .conn
            .prepare_cached("UPDATE meta SET refs = refs - 1 WHERE text = ?1")?
            .execute([id as i64])?;
        return Ok(());
    }
    keys::forget(store, id)?;
    for table in ["meta", "preview", "downgraded"] {
        store
            .conn
            .prepare_cached(&format!("DELETE FROM {table} WHERE text = ?1"))?
            .execute([id as i64])?;
    }
    threads::forget(&store.conn, id)?;
    order::forget(store, id)?;
    index::forget(store, id)?;
    if large {
        core.durability.unlink_later(record, large_path(&store.dir, id));
    } else {
        store
            .conn
            .prepare_cached("DELETE FROM text WHERE id = ?1")?
            .execute([id as i64])?;
    }
    Ok(())
}

/// The whole text; `None` if it is not there or not what was stored.
pub(crate) fn read(core: &Core, store: &Store, id: u64) -> Result<Option<Bytes>> {
    let mut statement = store.conn.prepare_cached(
        "SELECT t.crc, t.large, x.header, x.body FROM meta t LEFT JOIN text x ON x.id = t.text WHERE t.text = ?1",
    )?;
    let mut rows = statement.query([id as i64])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let crc: u32 = row.get(0)?;
    let text = if row.get(1)? {
        match core.disk.read(&large_path(&store.dir, id)) {
            Ok(text) => Bytes::from(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    } else {
        match join(row, 2)? {
            Some(text) => text,
            None => return Ok(None),
        }
    };
    Ok((crc32fast::hash(&text) == crc).then_some(text))
}

/// Header and body of a small text from two columns.
pub(crate) fn join(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Option<Bytes>> {
    // What is no string of bytes is damaged, and as good as lost.
    let bytes = |column| Ok::<_, rusqlite::Error>(row.get_ref(column)?.as_bytes().ok());
    let (header, body) = (bytes(column)?, bytes(column + 1)?);
    Ok(header.zip(body).map(|(header, body)| {
        let mut text = Vec::with_capacity(header.len() + body.len());
        text.extend_from_slice(header);
        text.extend_from_slice(body);
        Bytes::from(text)
    }))
}

/// A large text as callers get it.
pub(crate) fn large_blob(store: &Store, id: u64, len: u64) -> Blob {
    Blob::File(Arc::new(BlobFile {
        path: large_path(&store.dir, id),
        len,
    }))
}
