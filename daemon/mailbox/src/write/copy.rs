//! COPY and MOVE (RFC 3501 §6.4.7, RFC 6851).
//!
//! Within an owner the copies share the text. Very many messages go in portions, each a job and a record of its own, so that other sessions get their
//! turn: a MOVE is whole for each message (RFC 6851 §3.3), a COPY that fails takes back what it has copied. (A crash in the middle of a COPY of more than a
//! portion leaves the copies that were made; its client had no answer.)
//!
//! Between owners the messages are read there and appended here, in portions too; for a MOVE the record of each portion names what the source loses, and holds its place in the journal until the source has lost it: a
//! replay finishes what was begun.

use std::sync::Arc;

use journal::RecordId;

use crate::codec;
use crate::core::Core;
use crate::ctx::Ctx;
use crate::feed::Origin;
use crate::owner::in_the_name_of;
use crate::read::fetch;
use crate::record::{self, Op};
use crate::slot::Slot;
use crate::types::{Append, Copied, FlagAction, FolderId, Transfer, Uid, Want};
use crate::write::flags::rows_of;
use crate::write::{append, expunge, folders};
use crate::{Flags, MailboxError, Result};

/// Messages of one portion within an owner: some 20 ms.
const PORTION_MESSAGES: usize = 1000;
/// Runs of UIDs whose sizes are added up before other jobs get their turn.
const SIZES_PER_PORTION: usize = 10_000;

/// Copies or moves within an owner. Durable when it returns.
pub(crate) async fn in_portions(
    core: &Core,
    from: &End,
    uids: &[Uid],
    target: FolderId,
    how: Transfer,
) -> Result<Copied> {
    let (slot, folder) = (&from.slot, from.folder);
    let mut how = how;
    if uids.len() > PORTION_MESSAGES && !how.expunge && how.quota_bytes.is_some() {
        // For all of them, before any is copied.
        let mut bytes = 0;
        for portion in uids.chunks(SIZES_PER_PORTION) {
            let portion = portion.to_vec();
            bytes += core.run(slot, move |ctx| sizes(ctx, folder, &portion)).await?;
        }
        let quota = how.quota_bytes.take();
        core.run(slot, move |ctx| ctx.check_quota(quota, bytes)).await?;
    }
    let mut copied = Copied::default();
    let mut last = None;
    let mut rest = uids;
    loop {
        let (now, later) = rest.split_at(rest.len().min(PORTION_MESSAGES));
        rest = later;
        let now = now.to_vec();
        let portion = from
            .run(core, move |ctx| within(ctx, folder, &now, target, how))
            .await;
        let (done, record) = match portion {
            Ok(portion) => portion,
            Err(error) => {
                if !how.expunge {
                    // RFC 9051 §6.4.7: all or nothing.
                    let _ = expunge::in_portions(core, &from.at(target), Some(&copied.target), false).await;
                }
                return Err(error);
            }
        };
        copied.uid_validity = done.uid_validity;
        copied.source.extend(done.source);
        copied.target.extend(done.target);
        last = record.or(last);
        if rest.is_empty() {
            break;
        }
    }
    if let Some(record) = last {
        // Those before it are durable too.
        let _durable = core.journal.durable(record).await?;
    }
    Ok(copied)
}

/// Copies within an owner; the record is to be waited for.
pub(crate) fn within(
    ctx: &mut Ctx<'_>,
    folder: FolderId,
    uids: &[Uid],
    target: FolderId,
    how: Transfer,
) -> Result<(Copied, Option<RecordId>)> {
    ctx.store.folder(folder)?;
    let uid_validity = ctx.store.folder(target)?.uid_validity;
    let rows = rows_of(ctx, folder, uids)?;
    let count = rows.len() as u32;
    if count == 0 {
        return Ok((
            Copied {
                uid_validity,
                ..Copied::default()
            },
            None,
        ));
    }
    let Transfer {
        expunge, quota_bytes, ..
    } = how;
    if !expunge && quota_bytes.is_some() {
        let bytes = sizes(ctx, folder, uids)?;
        ctx.check_quota(quota_bytes, bytes)?;
    }
    let used = rows.iter().fold(0, |bits, row| bits | row.keywords);
    let (keywords, names) = folders::map_keywords(ctx, folder.0, target.0, used)?;
    let first = ctx.take_uids(target.0, count)?;
    let modseq = ctx.take_modseq()?;
    let source: Vec<Uid> = rows.iter().map(|row| row.uid).collect();
    let uids = codec::ranges_of(source.iter().copied());
    let op = record::Copy {
        from: folder.0,
        to: target.0,
        modseq,
        names,
        keywords,
        uids,
        first,
        expunge,
    };
    let mut record = ctx.record(&Op::Copy(op), None)?;
    let copies = (first, first + count - 1);
    if let Some(lost) = lose_flags(ctx, target.0, copies, how)? {
        record = lost;
    }
    Ok((
        Copied {
            uid_validity,
            source,
            target: (first..first + count).collect(),
        },
        Some(record),
    ))
}

/// Takes from the copies what they may not keep.
fn lose_flags(ctx: &mut Ctx<'_>, folder: i64, copies: (u32, u32), how: Transfer) -> Result<Option<RecordId>> {
    let flags = Flags::ALL.without(how.flags);
    let keywords = if how.keywords { 0 } else { u64::MAX };
    if flags == Flags::NONE && keywords == 0 {
        return Ok(None);
    }
    let modseq = ctx.take_modseq()?;
    let op = Op::Flags {
        folder,
        modseq,
        action: FlagAction::Remove,
        flags,
        keywords,
        names: Vec::new(),
        uids: vec![copies],
    };
    ctx.record(&op, None).map(Some)
}

fn sizes(ctx: &mut Ctx<'_>, folder: FolderId, uids: &[Uid]) -> Result<u64> {
    ctx.store.folder(folder)?;
    let mut statement = ctx.store.conn.prepare_cached(
        "SELECT coalesce(sum(size), 0) FROM message WHERE folder = ?1 AND uid BETWEEN ?2 AND ?3",
    )?;
    let mut bytes = 0;
    for (first, last) in codec::ranges_of(uids.iter().copied()) {
        bytes += statement.query_row((folder.0, first, last), |row| row.get::<_, i64>(0))? as u64;
    }
    Ok(bytes)
}

/// One end of a copy between owners.
#[derive(Clone)]
pub(crate) struct End {
    pub(crate) slot: Arc<Slot>,
    pub(crate) folder: FolderId,
    pub(crate) origin: Origin,
}

impl End {
    /// Another folder of the same owner.
    fn at(&self, folder: FolderId) -> Self {
        Self {
            folder,
            ..self.clone()
        }
    }

    /// Runs a job there for whoever copies.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        core: &Core,
        call: impl FnOnce(&mut Ctx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        core.run(&self.slot, in_the_name_of(self.origin, call)).await
    }
}

/// Copies, or moves, between owners.
pub(crate) async fn between(core: &Core, from: End, to: End, uids: &[Uid], how: Transfer) -> Result<Copied> {
    let mut copied = Copied::default();
    let mut rest = uids;
    copied.uid_validity = {
        let folder = to.folder;
        core.run(&to.slot, move |ctx| Ok(ctx.store.folder(folder)?.uid_validity))
            .await?
    };
    while !rest.is_empty() {
        match portion(core, &from, &to, rest, how).await {
            Ok(None) => break,
            Ok(Some(done)) => {
                let last = done.source.last().copied().unwrap_or(Uid::MAX);
                rest = rest
                    .get(rest.partition_point(|uid| *uid <= last)..)
                    .unwrap_or_default();
                copied.source.extend(done.source);
                copied.target.extend(done.target);
            }
            Err(error) => {
                if !how.expunge {
                    // All or nothing.
                    let gone = Some(copied.target.as_slice());
                    let _ = expunge::in_portions(core, &to, gone, false).await;
                }
                return Err(error);
            }
        }
    }
    Ok(copied)
}

/// The next messages; `None`: there are none left.
async fn portion(core: &Core, from: &End, to: &End, uids: &[Uid], how: Transfer) -> Result<Option<Copied>> {
    let expunge = how.expunge;
    let (folder, asked) = (from.folder, uids.to_vec());
    let (names, found) = core
        .run(&from.slot, move |ctx| {
            let names = ctx.store.folder(folder)?.keywords.clone();
            let want = Want {
                facts: true,
                text: true,
                ..Want::default()
            };
            Ok((names, fetch::fetch(ctx, folder, &asked, want)?))
        })
        .await?;
    if found.is_empty() {
        return Ok(None);
    }
    let source: Vec<Uid> = found.iter().map(|message| message.row.uid).collect();
    let mut messages = Vec::with_capacity(found.len());
    for message in found {
        let text = message
            .text
            .ok_or_else(|| MailboxError::Damaged(format!("the text of UID {} is lost", message.row.uid)))?;
        let keywords = names
            .iter()
            .enumerate()
            .filter(|(bit, _)| how.keywords && message.row.keywords >> bit & 1 != 0);
        messages.push(Append {
            text,
            flags: message.row.flags.without(Flags::ALL.without(how.flags)),
            keywords: keywords.map(|(_, name)| name.clone()).collect(),
            received: message.received,
            quota_bytes: how.quota_bytes,
        });
    }
    let loses = expunge.then(|| {
        (
            from.slot.id,
            from.folder.0,
            codec::ranges_of(source.iter().copied()),
        )
    });
    let target = to.folder;
    let (appended, record) = to
        .run(core, move |ctx| append::append(ctx, target, messages, loses))
        .await?;
    if let Some(record) = record {
        let _durable = core.journal.durable(record).await?;
        if expunge {
            let gone = source.clone();
            let lose = move |ctx: &mut Ctx<'_>| expunge::expunge(ctx, folder, &gone, false);
            let (_, lost) = from.run(core, lose).await?;
            if let Some(lost) = lost {
                let _durable = core.journal.durable(lost).await?;
            }
            core.journal.release(record);
        }
    }
    let target = appended.iter().map(|message| message.uid).collect();
    Ok(Some(Copied {
        uid_validity: 0,
        source,
        target,
    }))
}
