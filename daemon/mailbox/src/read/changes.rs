//! What happened in a folder since a MODSEQ (RFC 7162), and the rows of messages.

use crate::codec;
use crate::ctx::Ctx;
use crate::types::{Changes, FolderId, ModSeq, Row, Uid};
use crate::{Result, memory, store};

/// Rows of one answer.
pub(crate) const ROWS_MAX: usize = 4096;
/// Rows that are looked at for one answer.
const ROWS_READ_MAX: u32 = 100_000;

/// What a session does not know: which messages there are, and the rows of those up to `known` (the highest UID that it knows) that were changed.
pub(crate) fn changes(
    ctx: &mut Ctx<'_>,
    folder: FolderId,
    since: ModSeq,
    known: Uid,
    claim_recent: bool,
) -> Result<Changes> {
    let Some(row) = ctx.store.folder_mut(folder.0) else {
        return Ok(Changes {
            gone: true,
            ..Changes::default()
        });
    };
    let recent_from = row.claim(claim_recent);
    let mut changes = Changes {
        highest_modseq: row.highest_modseq,
        keywords: row.keywords.clone(),
        recent_from,
        ..Changes::default()
    };
    changes.uids = ctx.store.uids(folder.0)?;
    if since >= changes.highest_modseq {
        return Ok(changes);
    }
    match ctx.store.recent_changes.since(folder.0, since, known) {
        Some(uids) => {
            for uid in uids {
                changes.rows.extend(ctx.store.row(folder.0, uid)?);
            }
        }
        None => (changes.rows, changes.next) = rows(ctx, folder, &[(0, known)], since)?,
    }
    Ok(changes)
}

/// The rows of messages in ascending ranges whose MODSEQ is greater than `since`, and from which UID on there may be more.
pub(crate) fn rows(
    ctx: &Ctx<'_>,
    folder: FolderId,
    ranges: &[(Uid, Uid)],
    since: ModSeq,
) -> Result<(Vec<Row>, Option<Uid>)> {
    ctx.store.folder(folder)?;
    let mut found = Vec::new();
    if since > 0
        && let Some(uids) = ctx.store.recent_changes.since(folder.0, since, Uid::MAX)
    {
        let mut ranges = ranges.iter().peekable();
        for uid in uids {
            while ranges.next_if(|range| range.1 < uid).is_some() {}
            if ranges.peek().is_some_and(|range| range.0 <= uid) {
                found.extend(ctx.store.row(folder.0, uid)?.filter(|row| row.modseq > since));
            }
        }
        return Ok((found, None));
    }
    let mut statement = ctx.store.conn.prepare_cached(
        "SELECT uid, modseq, flags, keywords FROM message WHERE folder = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid",
    )?;
    let mut read = 0;
    for &(first, last) in ranges {
        let mut rows = statement.query((folder.0, first, last))?;
        while let Some(row) = rows.next()? {
            let row = store::read_row(row)?;
            read += 1;
            if row.modseq > since {
                found.push(row);
            }
            if found.len() >= ROWS_MAX || read >= ROWS_READ_MAX {
                return Ok((found, row.uid.checked_add(1)));
            }
        }
    }
    Ok((found, None))
}

/// The ranges of UIDs that went after a MODSEQ, ascending; `None`: it is not known any more what went so long ago.
pub(crate) fn expunged(ctx: &Ctx<'_>, folder: FolderId, since: ModSeq) -> Result<Option<Vec<(Uid, Uid)>>> {
    ctx.store.folder(folder)?;
    if memory::forgotten(&ctx.store.conn, folder.0)? > since {
        return Ok(None);
    }
    let mut statement = ctx
        .store
        .conn
        .prepare_cached("SELECT first, last FROM expunged WHERE folder = ?1 AND modseq > ?2 AND first > 0")?;
    let ranges = statement.query_map((folder.0, since as i64), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut ranges: Vec<(Uid, Uid)> = ranges.collect::<rusqlite::Result<_>>()?;
    ranges.sort_unstable();
    Ok(Some(codec::merged(ranges)))
}
