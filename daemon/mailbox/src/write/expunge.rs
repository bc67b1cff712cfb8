//! EXPUNGE, UID EXPUNGE and POP3's removal.

use journal::RecordId;

use crate::codec;
use crate::ctx::Ctx;
use crate::record::Op;
use crate::types::{FolderId, Row, Uid};
use crate::write::flags::rows_of;
use crate::{Flags, Result};

/// Removes the messages among `uids` (all, if `None`) that have \Deleted (or any, if not `only_deleted`); the record is to be waited for.
pub(crate) fn expunge(
    ctx: &mut Ctx<'_>,
    folder: FolderId,
    uids: Option<&[Uid]>,
    only_deleted: bool,
) -> Result<(Vec<Uid>, Option<RecordId>)> {
    if only_deleted && ctx.store.folder(folder)?.deleted == 0 {
        return Ok((Vec::new(), None));
    }
    ctx.store.folder(folder)?;
    let goes = |row: &Row| !only_deleted || row.flags.contains(Flags::DELETED);
    let mut gone: Vec<Uid> = Vec::new();
    match uids {
        Some(uids) => gone.extend(
            rows_of(ctx, folder, uids)?
                .iter()
                .filter(|row| goes(row))
                .map(|row| row.uid),
        ),
        None => ctx.store.rows(folder.0, 0, u32::MAX, |row| {
            if goes(&row) {
                gone.push(row.uid);
            }
        })?,
    }
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
