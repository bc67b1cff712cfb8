//! Taking up what the journal holds.
//!
//! What a crash leaves of an operation, and what happens then:
//!
//! | record in the journal | applied in `mail.db` | then |
//! |---|---|---|
//! | no | no | It never happened; nobody was told. |
//! | no | yes | It happened; nobody was told. The database is synced before anything is built on it. |
//! | yes | no | It is applied now, with the numbers that stand in it. |
//! | yes | yes | `state.journal_id` says so; a large text whose name was lost is linked again, and the record is released. |
//!
//! A database is always at one point of the journal's order: SQLite keeps the order of transactions, and each notes the last record of its own. A
//! delivery's text stands in the queue's record; if that is gone, so is the need: the queue had it synced before, or delivers it again. An owner that has not
//! seen the journal's epoch was open during an unclean stop: numbers up to the end of the reserved blocks may have been seen by somebody, so they are passed over,
//! and the UIDs among them that no message has are told as expunged.
//!
//! A MOVE between owners whose source has not lost its messages loses them now.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, mpsc};

use bytes::Bytes;
use disk::blob::Blob;
use events::kinds::store::MailboxDamaged;
use journal::{Record, RecordId};
use shared::model::OwnerId;

use crate::codec;
use crate::core::Core;
use crate::ctx::Ctx;
use crate::record::{self, Op, Ranges, Unread};
use crate::store::Store;
use crate::types::FolderId;
use crate::write::expunge;
use crate::{JOURNAL_KIND, MailboxError, Result, apply, texts};

/// Records that one transaction of a replay applies.
const RECORDS_PER_TRANSACTION: usize = 1000;

/// UIDs that a session may have seen before a crash and that no message has after it are told as expunged as far back as this.
const UIDS_LOOKED_BACK: u32 = 1000;

/// A record that an owner's database has not seen, or may not have seen.
pub(crate) struct Unapplied {
    pub(crate) id: RecordId,
    /// `None`: still to be read from the journal.
    pub(crate) payload: Option<Bytes>,
    /// A delivery's text.
    pub(crate) text: Option<Blob>,
}

/// A MOVE between owners: its record, and what the source must lose.
struct Moved {
    record: RecordId,
    source: OwnerId,
    folder: i64,
    uids: Ranges,
}

/// Refuses what a newer version wrote, before anything is done: to pass over such a record would lose what it says.
pub(crate) fn check(records: &[Record]) -> Result<()> {
    let newer = |found: &&Record| {
        found.kind == JOURNAL_KIND && record::decode(&found.payload).err() == Some(Unread::Newer)
    };
    match records.iter().find(newer) {
        Some(found) => Err(MailboxError::Unavailable(format!(
            "record {:x} of the journal is of a kind that a newer version wrote",
            found.id.0
        ))),
        None => Ok(()),
    }
}

/// Applies this room's records of the replay to their owners, and waits until that is done. Blocks.
pub(crate) fn replay(core: &Arc<Core>, records: &[Record]) {
    let mut owners: HashMap<OwnerId, Vec<Unapplied>> = HashMap::new();
    let mut moves = Vec::new();
    for found in records.iter().filter(|found| found.kind == JOURNAL_KIND) {
        let Ok(record::Read { owner, op, .. }) = record::decode(&found.payload) else {
            let reason = format!("record {} of the journal is not understood", found.id.0);
            core.events.emit(
                events::Scope::default(),
                MailboxDamaged {
                    owner: String::new(),
                    reason,
                },
            );
            continue;
        };
        match &op {
            Op::Mark => {
                core.journal.release(found.id);
                continue;
            }
            Op::Destroy => {
                let before = owners.remove(&owner).unwrap_or_default();
                for record in before {
                    core.journal.release(record.id);
                }
                let _ = remove_mailbox(core, owner);
                core.journal.release(found.id);
                continue;
            }
            Op::Append(append) => {
                if let Some((source, folder, uids)) = append.source.clone() {
                    core.journal.pin(found.id);
                    moves.push(Moved {
                        record: found.id,
                        source,
                        folder,
                        uids,
                    });
                }
            }
            _ => {}
        }
        let text = match &op {
            Op::Place(place) => queued_text(core, records, place.message),
            _ => None,
        };
        owners.entry(owner).or_default().push(Unapplied {
            id: found.id,
            payload: Some(found.payload.clone()),
            text,
        });
    }
    let waiting = owners.into_iter().map(|(owner, records)| {
        core.slot(owner).give_unapplied(records);
        (owner, |_: &mut Ctx<'_>| Ok(()))
    });
    for_each_owner(core, waiting.collect());
    finish_moves(core, moves);
}

fn queued_text(core: &Core, records: &[Record], message: u64) -> Option<Blob> {
    let at = records
        .binary_search_by_key(&message, |record| record.id.0)
        .ok()?;
    core.options.queued_text.as_ref()?(records.get(at)?)
}

/// Runs a job for each of many owners, and waits for all. What fails stays for the owner's next use and was told.
fn for_each_owner<F>(core: &Arc<Core>, jobs: Vec<(OwnerId, F)>)
where
    F: FnOnce(&mut Ctx<'_>) -> Result<()> + Send + 'static,
{
    let (done, all_done) = mpsc::channel::<()>();
    for (owner, call) in jobs {
        let done = done.clone();
        let job = move |ctx: Result<&mut Ctx<'_>>| -> crate::core::Answer {
            let result = ctx.and_then(call);
            Box::new(move |_, _| {
                drop(result);
                drop(done);
            })
        };
        core.push_now(&core.slot(owner), Box::new(job));
    }
    drop(done);
    // Ends when the last job has dropped its end.
    while all_done.recv().is_ok() {}
}

fn finish_moves(core: &Arc<Core>, moves: Vec<Moved>) {
    let jobs = moves.into_iter().map(|moved| {
        let lose = move |ctx: &mut Ctx<'_>| {
            let uids: Vec<u32> = moved
                .uids
                .iter()
                .flat_map(|&(first, last)| first..=last)
                .collect();
            match expunge::expunge(ctx, FolderId(moved.folder), &uids, false) {
                Ok(_) | Err(MailboxError::NoSuchFolder) => {}
                Err(error) => return Err(error),
            }
            // The expunge is a record of its own by now, later than this one.
            ctx.core.journal.release(moved.record);
            Ok(())
        };
        (moved.source, lose)
    });
    for_each_owner(core, jobs.collect());
}

/// Brings a database that was just opened to where the journal is, and makes the epoch known to it.
pub(crate) fn catch_up(core: &Core, store: &mut Store, unapplied: &mut Vec<Unapplied>) -> Result<()> {
    let epoch = core.options.epoch;
    let unclean = store.state.epoch != epoch;
    if unclean {
        // What is read now must not be lost later, when records speak of it.
        core.durability.sync_owner(store.owner, &store.dir)?;
    }
    while !unapplied.is_empty() {
        let count = unapplied.len().min(RECORDS_PER_TRANSACTION);
        let portion = unapplied.get(..count).unwrap_or_default();
        transaction(core, store, |core, store| {
            portion
                .iter()
                .try_for_each(|record| apply_one(core, store, record))
        })?;
        for record in unapplied.drain(..count) {
            core.journal.release(record.id);
        }
    }
    if unclean {
        let passed = transaction(core, store, pass_over);
        let records = std::mem::take(&mut store.records);
        if passed.is_err() {
            unapplied.extend(records.into_iter().map(|(id, text)| Unapplied {
                id,
                payload: None,
                text,
            }));
            return passed;
        }
        for (record, _) in records {
            core.journal.release(record);
        }
    }
    store.changed = true;
    Ok(())
}

fn transaction(
    core: &Core,
    store: &mut Store,
    call: impl FnOnce(&Core, &mut Store) -> Result<()>,
) -> Result<()> {
    // As any transaction: a trim that begins meanwhile must find this owner in its list once the commit is done.
    let gate = core.durability.enter();
    store.conn.execute_batch("BEGIN")?;
    call(core, store)?;
    store.flush()?;
    store.wrote = false;
    let linked = std::mem::take(&mut store.linked);
    core.durability.mark_dirty(store.owner, &store.dir, linked);
    store.conn.execute_batch("COMMIT")?;
    drop(gate);
    Ok(())
}

fn apply_one(core: &Core, store: &mut Store, unapplied: &Unapplied) -> Result<()> {
    if unapplied.id.0 <= store.state.journal_id {
        return link_again(core, store, unapplied);
    }
    let payload = match &unapplied.payload {
        Some(payload) => payload.clone(),
        None => core.journal.read(unapplied.id)?,
    };
    let damaged = |_| MailboxError::Damaged(format!("record {} is not understood", unapplied.id.0));
    let read = record::decode(&payload).map_err(damaged)?;
    store.recorded_at = read.at;
    apply::apply(core, store, unapplied.id, &read.op, unapplied.text.as_ref())
}

/// Links the large text of a delivery that the database knows: what SQLite wrote may have outlived a power cut by chance, and the name in
/// `large/` not.
fn link_again(core: &Core, store: &mut Store, unapplied: &Unapplied) -> Result<()> {
    let (Some(payload), Some(text @ Blob::File(_))) = (&unapplied.payload, &unapplied.text) else {
        return Ok(());
    };
    let Ok(record::Read {
        op: Op::Place(place), ..
    }) = record::decode(payload)
    else {
        return Ok(());
    };
    match texts::place_again(core, store, place.modseq, text) {
        // The queue's file goes only after our name for it was synced.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        placed => Ok(placed.map(drop)?),
    }
}

/// Passes over the numbers that may have been given, and tells which UIDs are gone for good.
fn pass_over(core: &Core, store: &mut Store) -> Result<()> {
    store.state.modseq = store.state.modseq.max(store.state.modseq_reserved);
    let modseq = Ctx {
        core,
        store,
        replayable_from: u64::MAX,
    }
    .take_modseq()?;
    let blocks: Vec<(i64, u32, u32)> = store
        .folders
        .values()
        .map(|row| (row.id, row.uid_next, row.uid_reserved))
        .collect();
    for (folder, next, reserved) in blocks {
        // UIDs below `uid_next` that no message has were given too, if their delivery could not be placed again.
        let from = next.saturating_sub(UIDS_LOOKED_BACK).max(1);
        let mut taken = Vec::new();
        store.rows(folder, from, u32::MAX, |row| taken.push(row.uid))?;
        let free = (from..next.max(reserved)).filter(|uid| taken.binary_search(uid).is_err());
        let free = codec::ranges_of(free);
        apply::note_expunged(store, folder, modseq, &free)?;
        if let Some(row) = store.folder_mut(folder) {
            row.uid_next = row.uid_next.max(reserved);
            row.touch(modseq);
        }
    }
    store.state.epoch = core.options.epoch;
    store.state.dirty = true;
    Ok(())
}

/// Removes an owner's directory. Durable when it returns.
pub(crate) fn remove_mailbox(core: &Core, owner: OwnerId) -> Result<()> {
    let dir = core.owner_dir(owner);
    core.durability.forget(owner);
    if core.disk.exists(&dir)? {
        core.disk.remove_dir_all(&dir)?;
        if let Some(above) = dir.parent() {
            core.disk.sync_dir(above)?;
        }
    }
    Ok(())
}
