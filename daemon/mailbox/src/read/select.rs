//! Selecting a folder: its counters and which messages it has.

use crate::ctx::Ctx;
use crate::slot::Slot;
use crate::types::{Selected, Uid};
use crate::write::folders;
use crate::{MailboxError, Result};

/// UIDs that lie at most this far apart are read in one go.
pub(crate) const RUN_GAP_MAX: u32 = 32;

pub(crate) fn select(ctx: &mut Ctx<'_>, slot: &Slot, name: &str, claim_recent: bool) -> Result<Selected> {
    let folder = folders::folder(ctx, name)?;
    let uids = ctx.store.uids(folder.id.0)?;
    let first_unseen = ctx.store.first_unseen(folder.id.0)?;
    let row = ctx
        .store
        .folder_mut(folder.id.0)
        .ok_or(MailboxError::NoSuchFolder)?;
    // The session is told how many are recent for it, so the counters are those from before it claims them.
    let status = row.status();
    let recent_from = row.claim(claim_recent);
    let keywords = row.keywords.clone();
    Ok(Selected {
        watch: slot.watch_folder(folder.id, status.highest_modseq),
        folder,
        status,
        uids,
        first_unseen,
        keywords,
        recent_from,
    })
}

/// Ascending UIDs in runs of which each is worth one query.
pub(crate) fn uid_runs(uids: &[Uid]) -> impl Iterator<Item = &[Uid]> {
    uids.chunk_by(|a, b| b.saturating_sub(*a) <= RUN_GAP_MAX)
}
