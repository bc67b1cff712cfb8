//! Previews (RFC 8970): made when they are asked for first, and kept. They follow from the text, so no record speaks of them.

use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rusqlite::OptionalExtension;
use wire::message::{Message, preview};

use crate::Result;
use crate::ctx::Ctx;
use crate::read::select::uid_runs;
use crate::texts;
use crate::types::{FolderId, Uid};

/// The worker is given back after this time.
const PORTION_TIME: Duration = Duration::from_millis(20);
/// Bytes of a large text that are looked at.
const TEXT_MAX_BYTES: usize = 256 * 1024;
/// Previews of one answer.
const ANSWER_MAX_MESSAGES: usize = 1000;

pub(crate) fn previews(
    ctx: &mut Ctx<'_>,
    folder: FolderId,
    uids: &[Uid],
    lazy: bool,
) -> Result<Vec<(Uid, Option<String>)>> {
    ctx.store.folder(folder)?;
    let began = Instant::now();
    let mut found = Vec::new();
    for (uid, text, size, known) in rows(ctx, folder, uids)? {
        let shown = match known {
            None if !lazy => make(ctx, text, size)?,
            known => known,
        };
        found.push((uid, shown));
        if began.elapsed() >= PORTION_TIME {
            break;
        }
    }
    Ok(found)
}

/// UID, text, size, and the preview if it is known.
type Known = (Uid, u64, u64, Option<String>);

fn rows(ctx: &Ctx<'_>, folder: FolderId, uids: &[Uid]) -> Result<Vec<Known>> {
    let mut statement = ctx.store.conn.prepare_cached(
        "SELECT m.uid, m.text, m.size, p.preview FROM message m LEFT JOIN preview p ON p.text = m.text
         WHERE m.folder = ?1 AND m.uid BETWEEN ?2 AND ?3 ORDER BY m.uid",
    )?;
    let mut found = Vec::new();
    for run in uid_runs(uids) {
        let (Some(&first), Some(&last)) = (run.first(), run.last()) else {
            continue;
        };
        let mut rows = statement.query((folder.0, first, last))?;
        while let Some(row) = rows.next()? {
            let uid = row.get(0)?;
            if run.binary_search(&uid).is_err() {
                continue;
            }
            let numbers = (row.get::<_, i64>(1)? as u64, row.get::<_, i64>(2)? as u64);
            found.push((uid, numbers.0, numbers.1, row.get(3)?));
            if found.len() >= ANSWER_MAX_MESSAGES {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// Makes a preview and keeps it; nothing if the text can't be read.
fn make(ctx: &mut Ctx<'_>, id: u64, size: u64) -> Result<Option<String>> {
    let Some(text) = beginning(ctx, id, size)? else {
        return Ok(None);
    };
    let shown = preview(&text, &Message::parse(&text));
    ctx.store
        .conn
        .prepare_cached("INSERT OR REPLACE INTO preview VALUES(?1, ?2)")?
        .execute((id as i64, &shown))?;
    ctx.store.wrote = true;
    Ok(Some(shown))
}

fn beginning(ctx: &Ctx<'_>, id: u64, size: u64) -> Result<Option<Bytes>> {
    let mut statement = ctx
        .store
        .conn
        .prepare_cached("SELECT header, body FROM text WHERE id = ?1")?;
    let small = statement.query_row([id as i64], |row| texts::join(row, 0));
    if let Some(small) = small.optional()? {
        return Ok(small);
    }
    match texts::large_blob(ctx.store, id, size).read_range(ctx.core.disk.as_ref(), 0, TEXT_MAX_BYTES) {
        Ok(text) => Ok(Some(text)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
