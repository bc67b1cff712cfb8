//! What is shown of messages. Reads only the columns that are asked for.

use std::fmt::Write as _;
use std::io;

use bytes::Bytes;
use events::kinds::store::MailboxDamaged;
use rusqlite::Row as SqlRow;

use crate::ctx::Ctx;
use crate::read::select::uid_runs;
use crate::texts;
use crate::types::{Fetched, FolderId, Portion, Uid, Want};
use crate::{Result, saved, store, threads};
use disk::blob::Blob;

/// Bytes of one answer, about.
const ANSWER_MAX_BYTES: usize = 1 << 20;
/// Bytes of one header that are in memory.
const HEADER_MAX_BYTES: usize = 1 << 20;
/// Messages of one answer.
const ANSWER_MAX_MESSAGES: usize = 1000;

/// A portion of the usual size.
pub(crate) fn fetch(ctx: &Ctx<'_>, folder: FolderId, uids: &[Uid], want: Want) -> Result<Vec<Fetched>> {
    Ok(portion(ctx, folder, uids, want, ANSWER_MAX_BYTES)?.messages)
}

/// A portion of about `bytes_max`.
pub(crate) fn portion(
    ctx: &Ctx<'_>,
    folder: FolderId,
    uids: &[Uid],
    mut want: Want,
    bytes_max: usize,
) -> Result<Portion> {
    ctx.store.folder(folder)?;
    want.downgraded = want.downgraded && any_downgraded(ctx)?;
    let mut statement = ctx.store.conn.prepare_cached(&query(want))?;
    let mut found = Portion {
        messages: Vec::new(),
        upto: uids.last().copied().unwrap_or(0),
    };
    let mut bytes = 0;
    for run in uid_runs(uids) {
        let (Some(&first), Some(&last)) = (run.first(), run.last()) else {
            continue;
        };
        let mut wanted = run.iter().copied().peekable();
        let mut rows = statement.query((folder.0, first, last))?;
        while let Some(row) = rows.next()? {
            let uid = row.get(0)?;
            while wanted.next_if(|wanted| *wanted < uid).is_some() {}
            if wanted.next_if_eq(&uid).is_none() {
                continue;
            }
            found.messages.push(message(ctx, row, want, &mut bytes)?);
            if bytes >= bytes_max || found.messages.len() >= ANSWER_MAX_MESSAGES {
                found.upto = uid;
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// Most mailboxes have no international mail at all.
fn any_downgraded(ctx: &Ctx<'_>) -> Result<bool> {
    let mut statement = ctx
        .store
        .conn
        .prepare_cached("SELECT 1 FROM downgraded LIMIT 1")?;
    Ok(statement.exists([])?)
}

fn query(want: Want) -> String {
    let mut sql =
        String::from("SELECT m.uid, m.modseq, m.flags, m.keywords, m.received, m.zone, m.size, m.text");
    let text = want.text || want.header;
    let columns = [
        (want.envelope, "t.envelope"),
        (want.structure, "t.structure"),
        (text, "t.header_bytes"),
        (text, "t.large"),
        (want.text, "t.crc"),
        (text, "x.header"),
        (want.text, "x.body"),
        (want.saved, saved::SAVED),
        (want.thread, threads::THREAD),
        (
            want.downgraded,
            "(SELECT d.size FROM downgraded d WHERE d.text = m.text)",
        ),
    ];
    for (wanted, column) in columns {
        let _ = write!(sql, ", {}", if wanted { column } else { "NULL" });
    }
    sql.push_str(" FROM message m");
    if text || want.envelope || want.structure {
        sql.push_str(" LEFT JOIN meta t ON t.text = m.text");
    }
    if text {
        sql.push_str(" LEFT JOIN text x ON x.id = m.text");
    }
    sql.push_str(" WHERE m.folder = ?1 AND m.uid BETWEEN ?2 AND ?3 ORDER BY m.uid");
    sql
}

fn message(ctx: &Ctx<'_>, row: &SqlRow<'_>, want: Want, bytes: &mut usize) -> Result<Fetched> {
    let mut fetched = Fetched {
        row: store::read_row(row)?,
        received: (row.get(4)?, row.get(5)?),
        size: row.get::<_, i64>(6)? as u64,
        owner: ctx.store.owner,
        email_id: row.get::<_, i64>(7)? as u64,
        preview: None,
        saved: row.get::<_, Option<i64>>(15)?.unwrap_or(0),
        thread_id: row.get::<_, Option<i64>>(16)?.unwrap_or(0) as u64,
        downgraded_size: row.get::<_, Option<i64>>(17)?.map(|size| size as u64),
        envelope: optional(row, 8)?,
        structure: optional(row, 9)?,
        header: None,
        header_len: row.get::<_, Option<u32>>(10)?.unwrap_or(0).into(),
        text: None,
    };
    *bytes +=
        fetched.envelope.as_ref().map_or(0, Bytes::len) + fetched.structure.as_ref().map_or(0, Bytes::len);
    if !(want.text || want.header) {
        return Ok(fetched);
    }
    let large: Option<bool> = row.get(11)?;
    match large {
        Some(true) => large_parts(ctx, want, &mut fetched)?,
        Some(false) => small_parts(row, want, &mut fetched)?,
        None => {}
    }
    let missing = (want.text && fetched.text.is_none()) || (want.header && fetched.header.is_none());
    if missing {
        let reason = format!("the text of message {} is damaged or lost", fetched.email_id);
        ctx.core.events.emit(
            events::Scope::default(),
            MailboxDamaged {
                owner: ctx.store.owner.0.to_string(),
                reason,
            },
        );
    }
    *bytes += fetched.header.as_ref().map_or(0, Bytes::len);
    if let Some(Blob::Bytes(text)) = &fetched.text {
        *bytes += text.len();
    }
    Ok(fetched)
}

fn optional(row: &SqlRow<'_>, column: usize) -> Result<Option<Bytes>> {
    Ok(row.get_ref(column)?.as_bytes().ok().map(Bytes::copy_from_slice))
}

fn small_parts(row: &SqlRow<'_>, want: Want, fetched: &mut Fetched) -> Result<()> {
    if !want.text {
        fetched.header = optional(row, 13)?;
        return Ok(());
    }
    let crc: u32 = row.get(12)?;
    let Some(text) = texts::join(row, 13)? else {
        return Ok(());
    };
    if crc32fast::hash(&text) != crc {
        return Ok(());
    }
    if want.header {
        let header_bytes = usize::try_from(fetched.header_len).unwrap_or(usize::MAX);
        fetched.header = Some(text.slice(..header_bytes.min(text.len())));
    }
    fetched.text = Some(Blob::Bytes(text));
    Ok(())
}

/// The text of a file is not verified here: whoever reads it reads a part at a time. A check does.
fn large_parts(ctx: &Ctx<'_>, want: Want, fetched: &mut Fetched) -> Result<()> {
    let blob = texts::large_blob(ctx.store, fetched.email_id, fetched.size);
    let disk = ctx.core.disk.as_ref();
    let path = crate::durability::large_path(&ctx.store.dir, fetched.email_id);
    match disk.len(&path) {
        Ok(len) if len == fetched.size => {}
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => return Ok(()),
    }
    // A header is as long as its sender likes; what is in memory of it is not. The rest is in the text.
    let header_bytes = usize::try_from(fetched.header_len)
        .unwrap_or(usize::MAX)
        .min(HEADER_MAX_BYTES);
    if want.header {
        fetched.header = Some(blob.read_range(disk, 0, header_bytes)?);
    }
    if want.text || fetched.header_len > HEADER_MAX_BYTES as u64 {
        fetched.text = Some(blob);
    }
    Ok(())
}
