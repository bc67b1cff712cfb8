//! What an operation does to the database. Used when it happens and when it is replayed.
//!
//! A record that speaks of what is not there (its message could not be placed again, its folder was removed) does nothing to that part: the
//! journal says what happened, not what must be possible.

mod folders;

use disk::blob::Blob;
use journal::RecordId;
use rusqlite::params;
use wire::imap::Flags;

use crate::core::Core;
use crate::feed::What;
use crate::read::select::RUN_GAP_MAX;
use crate::record::{Append, Copy, ItemText, Op, Place, Ranges};
use crate::store::Store;
use crate::texts::{self, Source};
use crate::types::{FlagAction, Row};
use crate::write::annotations;
use crate::{Result, codec, saved};

/// Applies an operation and notes its record as the last one.
pub(crate) fn apply(
    core: &Core,
    store: &mut Store,
    id: RecordId,
    op: &Op,
    text: Option<&Blob>,
) -> Result<()> {
    match op {
        Op::Mark | Op::Destroy => {}
        Op::Reserve { folder, upto } => reserve(store, *folder, *upto),
        Op::Place(op) => place(core, store, op, text)?,
        Op::Append(op) => append(core, store, op)?,
        Op::Flags {
            folder,
            modseq,
            action,
            flags,
            keywords,
            names,
            uids,
        } => {
            learn(store, *folder, names);
            let change = |row: &Row| changed(*action, *flags, *keywords, row);
            set_flags(store, *folder, *modseq, uids, change)?;
        }
        Op::Expunge { folder, modseq, uids } => expunge(core, store, id, *folder, *modseq, uids)?,
        Op::Copy(op) => copy(store, op)?,
        Op::Create { modseq, folders } => folders::create(store, *modseq, folders)?,
        Op::Rename { modseq, names } => folders::rename(store, *modseq, names)?,
        Op::Delete { modseq, folder } => folders::delete(core, store, id, *modseq, *folder)?,
        Op::Annotate { folder, entries } => annotations::apply(store, *folder, entries)?,
        Op::Subscribe { name, on } => folders::subscribe(store, name, *on)?,
        Op::Rights {
            folder,
            identifier,
            rights,
        } => folders::set_rights(store, *folder, identifier, rights)?,
    }
    store.state.journal_id = store.state.journal_id.max(id.0);
    store.state.dirty = true;
    store.wrote = true;
    Ok(())
}

/// What a change makes of a message.
pub(crate) fn changed(action: FlagAction, flags: Flags, keywords: u64, row: &Row) -> (Flags, u64) {
    match action {
        FlagAction::Add => (row.flags.with(flags), row.keywords | keywords),
        FlagAction::Remove => (row.flags.without(flags), row.keywords & !keywords),
        FlagAction::Replace => (flags, keywords),
    }
}

fn reserve(store: &mut Store, folder: i64, upto: u64) {
    if folder == 0 {
        store.state.modseq_reserved = store.state.modseq_reserved.max(upto);
    } else if let Some(row) = store.folder_mut(folder) {
        row.uid_reserved = row.uid_reserved.max(u32::try_from(upto).unwrap_or(u32::MAX));
        row.dirty = true;
    }
}

/// A message as it enters a folder.
struct New {
    folder: i64,
    uid: u32,
    modseq: u64,
    flags: Flags,
    keywords: u64,
    received: (i64, i16),
    size: u64,
    text: u64,
}

/// `slack`: see [`saved::note`].
fn insert(store: &mut Store, new: &New, slack: i64) -> Result<bool> {
    let inserted = store
        .conn
        .prepare_cached("INSERT OR IGNORE INTO message VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?
        .execute(params![
            new.folder,
            new.uid,
            new.modseq as i64,
            new.flags.0,
            new.keywords as i64,
            new.received.0,
            new.received.1,
            new.size as i64,
            new.text as i64,
        ])?;
    if inserted > 0 {
        if let Some(row) = store.folder_mut(new.folder) {
            row.add(new.uid, new.flags, new.size, new.modseq);
        }
        if let Some(row) = store.folders.get(&new.folder) {
            store.uids.insert(row, new.uid, new.flags);
        }
        seen(store, new.folder, new.uid, new.modseq, What::Messages);
        saved::note(store, new.folder, new.uid, new.received.0, slack)?;
    }
    Ok(inserted > 0)
}

/// Notes that a message has changed.
fn seen(store: &mut Store, folder: i64, uid: u32, modseq: u64, what: What) {
    store.state.modseq = store.state.modseq.max(modseq);
    store.recent_changes.push(modseq, folder, uid);
    store.touched(folder, what);
}

fn place(core: &Core, store: &mut Store, op: &Place, text: Option<&Blob>) -> Result<()> {
    // Without its text (the queue has it no more, or will deliver it again) the UID stays unused.
    let Some(text) = text.filter(|_| store.folders.contains_key(&op.folder)) else {
        return Ok(());
    };
    let Some(size) = texts::keep(core, store, op.modseq, &Source::Queue(text, op.message))? else {
        return Ok(());
    };
    let (flags, received) = (Flags::NONE, (op.received, 0));
    let new = New {
        folder: op.folder,
        uid: op.uid,
        modseq: op.modseq,
        flags,
        keywords: 0,
        received,
        size,
        text: op.modseq,
    };
    insert(store, &new, saved::DELIVERY_SECONDS)?;
    note_applied(store, (op.first, op.target), &new, 0)
}

fn note_applied(store: &Store, key: (u64, u32), new: &New, late: i64) -> Result<()> {
    store
        .conn
        .prepare_cached("INSERT OR REPLACE INTO applied VALUES(?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![
            key.0 as i64,
            key.1,
            new.folder,
            new.uid,
            new.modseq as i64,
            late,
        ])?;
    Ok(())
}

fn append(core: &Core, store: &mut Store, op: &Append) -> Result<()> {
    learn(store, op.folder, &op.names);
    if !store.folders.contains_key(&op.folder) {
        return Ok(());
    }
    for item in &op.items {
        let source = match &item.text {
            ItemText::Small(text) => Source::Small(text),
            ItemText::Large => Source::Large,
        };
        let Some(size) = texts::keep(core, store, item.modseq, &source)? else {
            continue;
        };
        let new = New {
            folder: op.folder,
            uid: item.uid,
            modseq: item.modseq,
            flags: item.flags,
            keywords: item.keywords,
            received: item.received,
            size,
            text: item.modseq,
        };
        insert(store, &new, 0)?;
        if let Some(key) = item.key {
            note_applied(store, key, &new, crate::now())?;
        }
    }
    Ok(())
}

fn learn(store: &mut Store, folder: i64, names: &[String]) {
    let Some(row) = store.folder_mut(folder) else {
        return;
    };
    for name in names {
        if !row.keywords.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            row.keywords.push(name.clone());
            row.dirty = true;
        }
    }
}

/// Sets flags of the messages in these ranges that `change` changes.
fn set_flags(
    store: &mut Store,
    folder: i64,
    modseq: u64,
    uids: &Ranges,
    change: impl Fn(&Row) -> (Flags, u64),
) -> Result<()> {
    // Ranges that lie near each other are worth one query.
    for near in uids.chunk_by(|a, b| b.0.saturating_sub(a.1) <= RUN_GAP_MAX) {
        let (Some(&(first, _)), Some(&(_, last))) = (near.first(), near.last()) else {
            continue;
        };
        let (mut rows, mut ranges) = (Vec::new(), near.iter().peekable());
        store.rows(folder, first, last, |row| {
            while ranges.next_if(|range| range.1 < row.uid).is_some() {}
            if ranges.peek().is_some_and(|range| range.0 <= row.uid) {
                rows.push(row);
            }
        })?;
        for row in rows {
            let (flags, keywords) = change(&row);
            if (flags, keywords) == (row.flags, row.keywords) {
                continue;
            }
            store
                .conn
                .prepare_cached("UPDATE message SET flags = ?3, keywords = ?4, modseq = ?5 WHERE folder = ?1 AND uid = ?2")?
                .execute((folder, row.uid, flags.0, keywords as i64, modseq as i64))?;
            if let Some(counters) = store.folder_mut(folder) {
                counters.change(row.flags, flags);
                counters.touch(modseq);
            }
            if let Some(counters) = store.folders.get(&folder) {
                store.uids.change(counters, row.uid, row.flags, flags);
            }
            seen(store, folder, row.uid, modseq, What::Flags);
        }
    }
    Ok(())
}

fn expunge(
    core: &Core,
    store: &mut Store,
    id: RecordId,
    folder: i64,
    modseq: u64,
    uids: &Ranges,
) -> Result<()> {
    let mut gone = Vec::new();
    for &(first, last) in uids {
        let found = gone.len();
        {
            let mut statement = store.conn.prepare_cached(
                "SELECT uid, flags, size, text FROM message WHERE folder = ?1 AND uid BETWEEN ?2 AND ?3",
            )?;
            let mut rows = statement.query((folder, first, last))?;
            while let Some(row) = rows.next()? {
                gone.push((
                    row.get::<_, u32>(0)?,
                    Flags(row.get(1)?),
                    row.get::<_, i64>(2)? as u64,
                    row.get::<_, i64>(3)? as u64,
                ));
            }
        }
        if gone.len() > found {
            saved::forget(store, folder, first, last)?;
            store
                .conn
                .prepare_cached("DELETE FROM message WHERE folder = ?1 AND uid BETWEEN ?2 AND ?3")?
                .execute((folder, first, last))?;
            if let Some(row) = store.folders.get(&folder) {
                store.uids.remove(row, first, last);
            }
        }
    }
    for &(uid, flags, size, text) in &gone {
        texts::release(core, store, text, id)?;
        if let Some(counters) = store.folder_mut(folder) {
            counters.remove(uid, flags, size);
        }
    }
    note_expunged(
        store,
        folder,
        modseq,
        &codec::ranges_of(gone.iter().map(|message| message.0)),
    )
}

/// Tells later sessions which UIDs went.
pub(crate) fn note_expunged(store: &mut Store, folder: i64, modseq: u64, uids: &Ranges) -> Result<()> {
    for &(first, last) in uids {
        store
            .conn
            .prepare_cached("INSERT OR REPLACE INTO expunged VALUES(?1, ?2, ?3, ?4)")?
            .execute((folder, modseq as i64, first, last))?;
    }
    store.history.grew(&store.conn, folder, uids.len())?;
    if !uids.is_empty()
        && let Some(counters) = store.folder_mut(folder)
    {
        counters.touch(modseq);
        store.state.modseq = store.state.modseq.max(modseq);
        store.touched(folder, What::Messages);
    }
    Ok(())
}

fn copy(store: &mut Store, op: &Copy) -> Result<()> {
    learn(store, op.to, &op.names);
    if !store.folders.contains_key(&op.to) {
        return Ok(());
    }
    let map = |keywords: u64| {
        let bits = op.keywords.iter().filter(|(from, _)| keywords >> from & 1 != 0);
        bits.fold(0_u64, |bits, (_, to)| bits | 1 << to)
    };
    let mut gone = Vec::new();
    let mut before = 0;
    for &(first, last) in &op.uids {
        for (uid, mut new) in messages(store, op.from, first, last)? {
            new.folder = op.to;
            new.uid = op.first + before + (uid - first);
            new.modseq = op.modseq;
            new.keywords = map(new.keywords);
            if op.expunge {
                // The text changes hands with the message.
                saved::forget(store, op.from, uid, uid)?;
                store
                    .conn
                    .prepare_cached("DELETE FROM message WHERE folder = ?1 AND uid = ?2")?
                    .execute((op.from, uid))?;
                if let Some(row) = store.folders.get(&op.from) {
                    store.uids.remove(row, uid, uid);
                }
                if let Some(counters) = store.folder_mut(op.from) {
                    counters.remove(uid, new.flags, new.size);
                }
                gone.push(uid);
            } else {
                store
                    .conn
                    .prepare_cached("UPDATE meta SET refs = refs + 1 WHERE text = ?1")?
                    .execute([new.text as i64])?;
            }
            insert(store, &new, 0)?;
        }
        before += last - first + 1;
    }
    note_expunged(store, op.from, op.modseq, &codec::ranges_of(gone))
}

fn messages(store: &Store, folder: i64, first: u32, last: u32) -> Result<Vec<(u32, New)>> {
    let mut statement = store.conn.prepare_cached(
        "SELECT uid, modseq, flags, keywords, received, zone, size, text FROM message WHERE folder = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid",
    )?;
    let rows = statement.query_map((folder, first, last), |row| {
        let uid = row.get(0)?;
        let new = New {
            folder,
            uid,
            modseq: row.get::<_, i64>(1)? as u64,
            flags: Flags(row.get(2)?),
            keywords: row.get::<_, i64>(3)? as u64,
            received: (row.get(4)?, row.get(5)?),
            size: row.get::<_, i64>(6)? as u64,
            text: row.get::<_, i64>(7)? as u64,
        };
        Ok((uid, new))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
