//! STORE: flags and keywords (RFC 3501 §6.4.6, RFC 7162 §3.1.3).

use crate::codec;
use crate::ctx::Ctx;
use crate::read::select::uid_runs;
use crate::record::Op;
use crate::types::{FlagAction, FlagChange, FolderId, Row, Stored, Uid};
use crate::{Flags, Result, apply};

pub(crate) fn store(
    ctx: &mut Ctx<'_>,
    folder: FolderId,
    uids: &[Uid],
    change: &FlagChange,
) -> Result<Stored> {
    let highest_before = ctx.store.folder(folder)?.highest_modseq;
    // What is not known can't be removed.
    let learn = change.action != FlagAction::Remove;
    let (keywords, names) = ctx.keyword_bits(folder.0, &change.keywords, learn)?;
    let steps = steps(change, keywords);
    let mut stored = Stored {
        highest_before,
        ..Stored::default()
    };
    let mut changed: Vec<Uid> = Vec::new();
    for row in rows_of(ctx, folder, uids)? {
        stored.before.push(row.modseq);
        if change.unchanged_since.is_some_and(|since| row.modseq > since) {
            stored.modified.push(row.uid);
            stored.rows.push(row);
            continue;
        }
        let (flags, keywords) = steps
            .iter()
            .fold((row.flags, row.keywords), |(flags, keywords), step| {
                let so_far = Row {
                    flags,
                    keywords,
                    ..row
                };
                apply::changed(step.0, step.1, step.2, &so_far)
            });
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
        for (action, flags, keywords) in steps {
            ctx.record(
                &Op::Flags {
                    folder: folder.0,
                    modseq,
                    action,
                    flags,
                    keywords,
                    names: names.clone(),
                    uids: uids.clone(),
                },
                None,
            )?;
        }
    }
    let row = ctx.store.folder(folder)?;
    stored.keywords.clone_from(&row.keywords);
    stored.highest_modseq = row.highest_modseq;
    Ok(stored)
}

/// A change as actions on all flags: a replacement of some takes these away and adds the new ones.
fn steps(change: &FlagChange, keywords: u64) -> Vec<(FlagAction, Flags, u64)> {
    let (flags, with_keywords) = change.within;
    if change.action != FlagAction::Replace || change.within == FlagChange::ALL {
        return vec![(change.action, change.flags, keywords)];
    }
    let others = if with_keywords { !keywords } else { 0 };
    vec![
        (FlagAction::Remove, flags.without(change.flags), others),
        (FlagAction::Add, change.flags, keywords),
    ]
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
