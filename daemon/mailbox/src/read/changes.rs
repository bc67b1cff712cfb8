//! What happened in a folder since a MODSEQ (RFC 7162), for NOOP, IDLE and QRESYNC.

use crate::ctx::Ctx;
use crate::types::{Changes, FolderId, ModSeq, Row, Uid};
use crate::{Result, store};

pub(crate) fn changes(
    ctx: &mut Ctx<'_>,
    folder: FolderId,
    since: ModSeq,
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
    if since >= changes.highest_modseq {
        return Ok(changes);
    }
    match ctx.store.recent_changes.since(folder.0, since) {
        Some(uids) => {
            for uid in uids {
                changes.rows.extend(ctx.store.row(folder.0, uid)?);
            }
        }
        None => changes.rows = changed_rows(ctx, folder.0, since)?,
    }
    changes.expunged = expunged(ctx, folder.0, since)?;
    Ok(changes)
}

fn changed_rows(ctx: &Ctx<'_>, folder: i64, since: ModSeq) -> Result<Vec<Row>> {
    let mut statement = ctx.store.conn.prepare_cached(
        "SELECT uid, modseq, flags, keywords FROM message WHERE folder = ?1 AND modseq > ?2 ORDER BY uid",
    )?;
    let rows = statement.query_map((folder, since as i64), store::read_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn expunged(ctx: &Ctx<'_>, folder: i64, since: ModSeq) -> Result<Vec<Uid>> {
    let mut statement = ctx
        .store
        .conn
        .prepare_cached("SELECT first, last FROM expunged WHERE folder = ?1 AND modseq > ?2")?;
    let mut rows = statement.query((folder, since as i64))?;
    let mut uids = Vec::new();
    while let Some(row) = rows.next()? {
        uids.extend(row.get::<_, Uid>(0)?..=row.get(1)?);
    }
    uids.sort_unstable();
    uids.dedup();
    Ok(uids)
}
