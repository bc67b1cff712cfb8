//! EXPUNGE, UID EXPUNGE and POP3's removal.
//!
//! Very many messages go in portions, each a job and a record of its own: other sessions of the owner get their turn between them, and a crash leaves
//! what is not gone yet as it was, as RFC 9051 §6.4.3 allows.

use journal::RecordId;

use crate::codec;
use crate::core::Core;
use crate::ctx::Ctx;
use crate::record::Op;
use crate::types::{FolderId, Row, Uid};
use crate::uids::Mark;
use crate::write::copy::End;
use crate::write::flags::rows_of;
use crate::{Flags, Result};

/// Messages of one portion: some 20 ms.
const PORTION_MESSAGES: usize = 1000;

/// Removes the messages among `uids` (all, if `None`) that have \Deleted (or any, if not `only_deleted`). Durable when it returns.
pub(crate) async fn in_portions(
    core: &Core,
    at: &End,
    uids: Option<&[Uid]>,
    only_deleted: bool,
) -> Result<Vec<Uid>> {
    let folder = at.folder;
    let mut gone = Vec::new();
    let mut last = None;
    let mut portions = uids.map(|uids| uids.chunks(PORTION_MESSAGES));
    let mut next = Some(0);
    loop {
        let (more, record) = match &mut portions {
            Some(portions) => {
                let Some(portion) = portions.next().map(<[Uid]>::to_vec) else {
                    break;
                };
                let job = move |ctx: &mut Ctx<'_>| expunge(ctx, folder, &portion, only_deleted);
                at.run(core, job).await?
            }
            None => {
                let Some(from) = next else { break };
                let (more, record, then) = at.run(core, move |ctx| deleted(ctx, folder, from)).await?;
                next = then;
                (more, record)
            }
        };
        gone.extend(more);
        last = record.or(last);
    }
    if let Some(record) = last {
        // Those before it are durable too.
        let _durable = core.journal.durable(record).await?;
    }
    Ok(gone)
}

/// Removes the messages among `uids` that have \Deleted (or any, if not `only_deleted`); the record is to be waited for.
pub(crate) fn expunge(
    ctx: &mut Ctx<'_>,
    folder: FolderId,
    uids: &[Uid],
    only_deleted: bool,
) -> Result<(Vec<Uid>, Option<RecordId>)> {
    if only_deleted && ctx.store.folder(folder)?.deleted == 0 {
        return Ok((Vec::new(), None));
    }
    ctx.store.folder(folder)?;
    let goes = |row: &Row| !only_deleted || row.flags.contains(Flags::DELETED);
    let rows = rows_of(ctx, folder, uids)?;
    let gone = rows.iter().filter(|row| goes(row)).map(|row| row.uid).collect();
    remove(ctx, folder, gone)
}

/// What a portion has removed, the record to be waited for, and where to go on.
type Portion = (Vec<Uid>, Option<RecordId>, Option<Uid>);

/// Removes the first messages with \Deleted from a UID on.
fn deleted(ctx: &mut Ctx<'_>, folder: FolderId, from: Uid) -> Result<Portion> {
    let (mut gone, mut next) = (Vec::new(), Some(from));
    if ctx.store.folder(folder)?.deleted == 0 {
        return Ok((gone, None, None));
    }
    while let Some(from) = next
        && gone.len() < PORTION_MESSAGES
    {
        let found = ctx.store.next_marked(folder.0, Mark::Deleted, from)?;
        next = found.last().and_then(|last| last.checked_add(1));
        gone.extend(found);
    }
    let (gone, record) = remove(ctx, folder, gone)?;
    Ok((gone, record, next))
}

fn remove(ctx: &mut Ctx<'_>, folder: FolderId, gone: Vec<Uid>) -> Result<(Vec<Uid>, Option<RecordId>)> {
    if gone.is_empty() {
        return Ok((gone, None));
    }
    let modseq = ctx.take_modseq()?;
    let uids = codec::ranges_of(gone.iter().copied());
    let record = ctx.record(
        &Op::Expunge {
            folder: folder.0,
            modseq,
            uids,
        },
        None,
    )?;
    Ok((gone, Some(record)))
}
