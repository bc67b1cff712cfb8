//! STORE: flags and keywords (RFC 3501 §6.4.6, RFC 7162 §3.1.3).

use crate::codec;
use crate::ctx::Ctx;
use crate::read::select::uid_runs;
use crate::record::Op;
use crate::types::{FlagAction, FlagChange, FolderId, Row, Stored, Uid};
use crate::{Result, apply};

pub(crate) fn store(
    ctx: &mut Ctx<'_>,
    folder: FolderId,
    uids: &[Uid],
    change: &FlagChange,
) -> Result<Stored> {
    ctx.store.folder(folder)?;
    // What is not known can't be removed.
    let learn = change.action != FlagAction::Remove;
    let (keywords, names) = ctx.keyword_bits(folder.0, &change.keywords, learn)?;
    let mut stored = Stored::default();
    let mut changed: Vec<Uid> = Vec::new();
    for row in rows_of(ctx, folder, uids)? {
        if change.unchanged_since.is_some_and(|since| row.modseq > since) {
            stored.modified.push(row.uid);
            stored.rows.push(row);
            continue;
        }
        let (flags, keywords) = apply::changed(change.action, change.flags, keywords, &row);
        if (flags, keywords) != (row.flags, row.keywords) {
            changed.push(row.uid);
        }
        stored.rows.push(Row {
            flags,
            keywords,
            ..row
        });
    }
    if !changed.is_empty() || !names.is_empty() {
        let modseq = ctx.take_modseq()?;
        let mut at = changed.iter().peekable();
        for row in &mut stored.rows {
            if at.next_if(|uid| **uid == row.uid).is_some() {
                row.modseq = modseq;
            }
        }
        let uids = codec::ranges_of(changed.iter().copied());
        let (action, flags) = (change.action, change.flags);
        ctx.record(
            &Op::Flags {
                folder: folder.0,
                modseq,
                action,
                flags,
                keywords,
                names,
                uids,
            },
            None,
        )?;
    }
    let row = ctx.store.folder(folder)?;
    stored.keywords.clone_from(&row.keywords);
    stored.highest_modseq = row.highest_modseq;
    Ok(stored)
}

/// The rows of those among ascending UIDs that exist.
pub(crate) fn rows_of(ctx: &Ctx<'_>, folder: FolderId, uids: &[Uid]) -> Result<Vec<Row>> {
    let mut rows = Vec::with_capacity(uids.len());
    for run in uid_runs(uids) {
        let mut wanted = run.iter().copied().peekable();
        let (Some(&first), Some(&last)) = (run.first(), run.last()) else {
            continue;
        };
        ctx.store.rows(folder.0, first, last, |row| {
            while wanted.next_if(|uid| *uid < row.uid).is_some() {}
            if wanted.next_if_eq(&row.uid).is_some() {
                rows.push(row);
            }
        })?;
    }
    Ok(rows)
}
