//! REPLACE (RFC 8508): a new message instead of an old one.
//!
//! The record of the new message names the old one as what its source must lose, as that of a MOVE between owners does: a replay finishes what was
//! begun.

use journal::RecordId;

use crate::Result;
use crate::core::Core;
use crate::ctx::Ctx;
use crate::types::{Append, Appended, FolderId, Uid};
use crate::write::copy::End;
use crate::write::{append, expunge};

/// Replaces within an owner; the record is to be waited for.
pub(crate) fn within(
    ctx: &mut Ctx<'_>,
    folder: FolderId,
    uid: Uid,
    target: FolderId,
    mut message: Append,
) -> Result<(Option<Appended>, Option<RecordId>)> {
    let Some(size) = size_of(ctx, folder, uid)? else {
        return Ok((None, None));
    };
    // What goes makes room.
    message.quota_bytes = message.quota_bytes.map(|quota| quota.saturating_add(size));
    let source = (ctx.store.owner, folder.0, vec![(uid, uid)]);
    let (appended, record) = append::append(ctx, target, vec![message], Some(source))?;
    let lost = expunge::expunge(ctx, folder, &[uid], false);
    if let Some(record) = record {
        // Both are applied in one transaction.
        ctx.core.journal.release(record);
    }
    let (_, lost) = lost?;
    Ok((appended.first().copied(), lost.or(record)))
}

/// Replaces a message by one in another owner's folder.
pub(crate) async fn between(
    core: &Core,
    from: End,
    uid: Uid,
    to: End,
    message: Append,
) -> Result<Option<Appended>> {
    let folder = from.folder;
    let there = core.run(&from.slot, move |ctx| size_of(ctx, folder, uid)).await?;
    if there.is_none() {
        return Ok(None);
    }
    let source = (from.slot.id, folder.0, vec![(uid, uid)]);
    let target = to.folder;
    let (appended, record) = to
        .run(core, move |ctx| {
            append::append(ctx, target, vec![message], Some(source))
        })
        .await?;
    if let Some(record) = record {
        let lose = move |ctx: &mut Ctx<'_>| expunge::expunge(ctx, folder, &[uid], false);
        let (_, lost) = from.run(core, lose).await?;
        if let Some(lost) = lost {
            let _durable = core.journal.durable(lost).await?;
        }
        core.journal.release(record);
    }
    Ok(appended.first().copied())
}

/// Bytes of a message; `None`: it is not there.
fn size_of(ctx: &mut Ctx<'_>, folder: FolderId, uid: Uid) -> Result<Option<u64>> {
    ctx.store.folder(folder)?;
    let mut statement = ctx
        .store
        .conn
        .prepare_cached("SELECT size FROM message WHERE folder = ?1 AND uid = ?2")?;
    let mut rows = statement.query((folder.0, uid))?;
    let size = rows.next()?.map(|row| row.get::<_, i64>(0)).transpose()?;
    Ok(size.map(|size| size as u64))
}
