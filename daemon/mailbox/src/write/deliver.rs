//! Delivery from the queue.
//!
//! The text stays in the queue's record, as long as that is certain to be replayed; ours is small then, and nobody waits for a sync. A message
//! that has waited so long that its record is gone (or may go before we have synced) is written with its text and is durable on return.
//!
//! What a crash leaves: the queue's record without ours: it delivers again. Both: the replay gives the same UID again, and the queue's repeat finds the
//! key in `applied`. The key is the message's first record, for the queue writes a new one whenever it puts the message off: what was stored
//! and not noted by the queue is found whatever became of the tries after it. (Older versions noted the record of the try, which is looked for as well.) The key
//! goes when the queue has no such message any more and its record can't be replayed, in portions with the deliveries that come then; for the late ones, which were written with their text, after
//! [`LATE_KEPT_SECONDS`].

use journal::RecordId;
use rusqlite::OptionalExtension;

use crate::MailboxError;
use crate::ctx::Ctx;
use crate::durability::large_dir;
use crate::record::{self, Item, ItemText, Op, Place};
use crate::store::Store;
use crate::texts;
use crate::types::{Appended, Delivery, FolderId, Known};
use crate::write::append::item_text;
use crate::write::folders;
use crate::{Flags, Result, SMALL_TEXT_MAX_BYTES, names};

/// Longer than the queue tries to deliver anything.
const LATE_KEPT_SECONDS: i64 = 60 * 86_400;
/// Keys that one delivery forgets: after a long time there may be very many, and somebody waits.
const CLEARED_MAX: usize = 500;

/// The outcome, and the record to wait for if there is one.
pub(crate) fn deliver(
    ctx: &mut Ctx<'_>,
    delivery: Delivery,
    known: Known,
) -> Result<(Appended, Option<RecordId>)> {
    if let Some(found) = find_applied(ctx.store, &delivery, &known)? {
        if texts::place_again(ctx.core, ctx.store, found.modseq, &delivery.text)? {
            // The record of the delivery may be lost: nothing would bring the name back once the queue forgets the message.
            ctx.core
                .disk
                .sync_dir(&crate::durability::large_dir(&ctx.store.dir))?;
        }
        return Ok((found, None));
    }
    clear_applied(ctx, &known)?;
    ctx.check_quota(delivery.quota_bytes, delivery.text.len())?;
    let folder = folder(ctx, delivery.folder.as_deref())?;
    let uid_validity = ctx.store.folder(FolderId(folder))?.uid_validity;
    let uid = ctx.take_uids(folder, 1)?;
    let modseq = ctx.take_modseq()?;
    let appended = Appended {
        folder: FolderId(folder),
        uid_validity,
        uid,
        modseq,
    };
    let (message, first, target) = (delivery.message.0, known.first.0, delivery.target);
    if message >= ctx.replayable_from {
        if delivery.text.len() > SMALL_TEXT_MAX_BYTES as u64 {
            texts::place_large(ctx.core.disk.as_ref(), ctx.store, modseq, &delivery.text)?;
        }
        let place = Place {
            message,
            first,
            target,
            folder,
            uid,
            modseq,
            received: delivery.received,
        };
        ctx.record(&Op::Place(place), Some(&delivery.text))?;
        return Ok((appended, None));
    }
    let text = item_text(ctx, modseq, &delivery.text, &mut 0)?;
    if matches!(text, ItemText::Large) {
        ctx.core.disk.sync_dir(&large_dir(&ctx.store.dir))?;
    }
    let item = Item {
        uid,
        modseq,
        flags: Flags::NONE,
        keywords: 0,
        received: (delivery.received, 0),
        key: Some((first, target)),
        text,
    };
    let append = record::Append {
        folder,
        names: Vec::new(),
        items: vec![item],
        source: None,
    };
    let record = ctx.record(&Op::Append(append), None)?;
    Ok((appended, Some(record)))
}

/// The folder of that name, made if need be. One that can't be is no reason to lose a message: then it is INBOX.
fn folder(ctx: &mut Ctx<'_>, name: Option<&str>) -> Result<i64> {
    let named = match name.map(names::canonical) {
        Some(Ok(name)) => match ctx.store.folder_named(&name) {
            Some(folder) => return Ok(folder.id),
            None => folders::create(ctx, &name, None, folders::Shape::Mailbox),
        },
        Some(Err(error)) => Err(error),
        None => Err(MailboxError::NoSuchFolder),
    };
    match named {
        Ok(folder) => Ok(folder.id.0),
        Err(
            error @ (MailboxError::Unavailable(_)
            | MailboxError::Full(_)
            | MailboxError::SyncFailed(_)
            | MailboxError::Damaged(_)),
        ) => Err(error),
        Err(_) => {
            let inbox = ctx.store.folder_named(names::INBOX);
            inbox.map(|folder| folder.id).ok_or(MailboxError::NoSuchFolder)
        }
    }
}

fn find_applied(store: &Store, delivery: &Delivery, known: &Known) -> Result<Option<Appended>> {
    let found = find_key(store, known.first, delivery.target)?;
    if found.is_some() || known.first == delivery.message {
        return Ok(found);
    }
    find_key(store, delivery.message, delivery.target)
}

fn find_key(store: &Store, message: RecordId, target: u32) -> Result<Option<Appended>> {
    let mut statement = store
        .conn
        .prepare_cached("SELECT folder, uid, modseq FROM applied WHERE message = ?1 AND target = ?2")?;
    let found = statement.query_row((message.0 as i64, target), |row| {
        Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get::<_, i64>(2)? as u64))
    });
    Ok(found.optional()?.map(|(folder, uid, modseq)| {
        let uid_validity = store.folders.get(&folder).map_or(0, |row| row.uid_validity);
        Appended {
            folder: FolderId(folder),
            uid_validity,
            uid,
            modseq,
        }
    }))
}

/// Forgets keys of messages that the queue can't deliver again. The next delivery goes on where there are more.
fn clear_applied(ctx: &mut Ctx<'_>, known: &Known) -> Result<()> {
    let below = ctx.core.durability.trimmed().min(known.needed.below);
    if below <= ctx.store.applied_cleared {
        return Ok(());
    }
    let conn = &ctx.store.conn;
    let mut done = Vec::new();
    let mut statement = conn.prepare_cached(
        "SELECT message, target FROM applied WHERE message < ?1 AND (late = 0 OR late < ?2)",
    )?;
    let mut keys = statement.query((below as i64, crate::now() - LATE_KEPT_SECONDS))?;
    while done.len() < CLEARED_MAX
        && let Some(row) = keys.next()?
    {
        let (message, target): (i64, u32) = (row.get(0)?, row.get(1)?);
        if !known.needed.names(message as u64) {
            done.push((message, target));
        }
    }
    drop(keys);
    let mut delete = conn.prepare_cached("DELETE FROM applied WHERE message = ?1 AND target = ?2")?;
    for key in &done {
        delete.execute(*key)?;
    }
    drop((statement, delete));
    ctx.store.wrote |= !done.is_empty();
    if done.len() < CLEARED_MAX {
        ctx.store.applied_cleared = below;
    }
    Ok(())
}
