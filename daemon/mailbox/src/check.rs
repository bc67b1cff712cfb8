//! Finding damage, and repairing what can be repaired.
//!
//! Problems are refusals (`refusal-mailbox-…`) with the names of what is wrong. Counters and references are counted anew; a text that no message
//! has goes; a text that is damaged or lost is told, and stays: its message can still be seen by its envelope.

use std::io;

use rusqlite::params;
use shared::Refusal;
use wire::imap::Flags;

use crate::Result;
use crate::ctx::Ctx;
use crate::durability::{large_dir, large_path};
use crate::index;
use crate::store::FolderRow;
use crate::texts;
use crate::types::{Checked, FolderId};
use crate::uids;

/// Problems with whether they were repaired.
pub(crate) type Problems = Vec<(Refusal, bool)>;

/// Messages of SQLite's own check that are told.
const DAMAGES_MAX: usize = 20;
/// Texts that are read before other jobs get their turn.
const TEXTS_PER_PORTION: usize = 200;

/// The database: its pages, counters and references.
pub(crate) fn database(ctx: &mut Ctx<'_>, repair: bool) -> Result<Checked> {
    let mut checked = Checked::default();
    ctx.store.flush()?;
    let pages = pages(ctx)?;
    checked.problems.extend(pages.into_iter().map(|text| {
        (
            Refusal::new("mailbox-database-damaged").with("detail", text),
            false,
        )
    }));
    let folders: Vec<i64> = ctx.store.folders.keys().copied().collect();
    for folder in folders {
        checked.messages += counters(ctx, folder, repair, &mut checked.problems)?;
        uid_table(ctx, folder, repair, &mut checked.problems)?;
    }
    references(ctx, repair, &mut checked.problems)?;
    index::check(ctx, repair, &mut checked.problems)?;
    Ok(checked)
}

fn pages(ctx: &Ctx<'_>) -> Result<Vec<String>> {
    let mut statement = ctx
        .store
        .conn
        .prepare(&format!("PRAGMA integrity_check({DAMAGES_MAX})"))?;
    let found = statement.query_map([], |row| row.get::<_, String>(0))?;
    let found: Vec<String> = found.collect::<rusqlite::Result<_>>()?;
    Ok(found.into_iter().filter(|text| text != "ok").collect())
}

/// Compares a folder's counters with its messages; how many these are.
fn counters(ctx: &mut Ctx<'_>, folder: i64, repair: bool, problems: &mut Problems) -> Result<u64> {
    let kept = ctx.store.folder(FolderId(folder))?.clone();
    let mut counted = FolderRow {
        messages: 0,
        unseen: 0,
        deleted: 0,
        recent: 0,
        bytes: 0,
        ..kept.clone()
    };
    {
        let mut statement = ctx
            .store
            .conn
            .prepare("SELECT uid, flags, size, modseq FROM message WHERE folder = ?1")?;
        let mut rows = statement.query([folder])?;
        while let Some(row) = rows.next()? {
            let flags = Flags(row.get(1)?);
            counted.add(
                row.get(0)?,
                flags,
                row.get::<_, i64>(2)? as u64,
                row.get::<_, i64>(3)? as u64,
            );
        }
    }
    let highest = counted.highest_modseq.max(ctx.store.state.modseq);
    if counted.status() != kept.status() {
        problems.push((
            Refusal::new("mailbox-counters-wrong").with("folder", &kept.name),
            repair,
        ));
        if repair {
            counted.dirty = true;
            ctx.store.state.modseq = highest;
            ctx.store.state.dirty = true;
            ctx.store.changed = true;
            ctx.store.folders.insert(folder, counted.clone());
        }
    }
    Ok(counted.messages)
}

/// Compares what is kept of a folder's UIDs with its messages.
fn uid_table(ctx: &mut Ctx<'_>, folder: i64, repair: bool, problems: &mut Problems) -> Result<()> {
    let store = &mut *ctx.store;
    store.flush_uids()?;
    let Some(row) = store.folders.get_mut(&folder) else {
        return Ok(());
    };
    if uids::is_right(&store.conn, row)? {
        return Ok(());
    }
    problems.push((
        Refusal::new("mailbox-uids-wrong").with("folder", &row.name),
        repair,
    ));
    if repair {
        // It is made anew when this transaction ends.
        store.uids.forget(row);
    }
    Ok(())
}

/// Compares how often each text is said to be used with how often it is, and finds messages without one.
fn references(ctx: &mut Ctx<'_>, repair: bool, problems: &mut Problems) -> Result<()> {
    let conn = &ctx.store.conn;
    let lost: Vec<i64> = conn
        .prepare("SELECT DISTINCT text FROM message WHERE text NOT IN (SELECT text FROM meta)")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    problems.extend(
        lost.into_iter()
            .map(|text| (text_problem("mailbox-text-lost", text as u64), false)),
    );
    let wrong: Vec<(i64, i64)> = conn
        .prepare(
            "SELECT t.text, count(m.uid) FROM meta t LEFT JOIN (SELECT text, uid FROM message) m ON m.text = t.text
             GROUP BY t.text HAVING count(m.uid) <> t.refs",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (text, used) in wrong {
        problems.push((text_problem("mailbox-references-wrong", text as u64), repair));
        if !repair {
            continue;
        }
        (ctx.store.wrote, ctx.store.commit_now) = (true, true);
        if used > 0 {
            conn.execute("UPDATE meta SET refs = ?2 WHERE text = ?1", params![text, used])?;
        } else {
            conn.execute("DELETE FROM meta WHERE text = ?1", [text])?;
            conn.execute("DELETE FROM text WHERE id = ?1", [text])?;
            conn.execute("DELETE FROM keys WHERE text = ?1", [text])?;
            conn.execute("DELETE FROM order_key WHERE text = ?1", [text])?;
        }
    }
    Ok(())
}

fn text_problem(code: &str, text: u64) -> Refusal {
    Refusal::new(code).with("text", text)
}

/// A portion of the texts after a number; where to go on.
pub(crate) fn texts(ctx: &mut Ctx<'_>, repair: bool, after: u64) -> Result<(Problems, Option<u64>)> {
    let mut problems = Problems::new();
    let portion: Vec<u64> = ctx
        .store
        .conn
        .prepare_cached("SELECT text FROM meta WHERE text > ?1 ORDER BY text LIMIT ?2")?
        .query_map((after as i64, TEXTS_PER_PORTION as i64), |row| {
            row.get::<_, i64>(0)
        })?
        .map(|text| text.map(|text| text as u64))
        .collect::<rusqlite::Result<_>>()?;
    for &text in &portion {
        if texts::read(ctx.core, ctx.store, text)?.is_none() {
            problems.push((text_problem("mailbox-text-damaged", text), false));
        }
    }
    match portion.last() {
        Some(last) => Ok((problems, Some(*last))),
        None => {
            orphans(ctx, repair, &mut problems)?;
            Ok((problems, None))
        }
    }
}

/// Files that no message has: an expunge whose record is trimmed before the file was removed leaves them.
fn orphans(ctx: &Ctx<'_>, repair: bool, problems: &mut Problems) -> Result<()> {
    let names = match ctx.core.disk.read_dir(&large_dir(&ctx.store.dir)) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for name in names {
        let Ok(text) = u64::from_str_radix(&name, 16) else {
            continue;
        };
        let used = ctx
            .store
            .conn
            .prepare_cached("SELECT 1 FROM meta WHERE text = ?1")?
            .exists([text as i64])?;
        let path = large_path(&ctx.store.dir, text);
        if used || ctx.core.durability.goes_later(&path) {
            continue;
        }
        // Nothing is lost by it, so it is only told when somebody repairs.
        if repair {
            ctx.core.disk.remove_file(&path)?;
            problems.push((Refusal::new("mailbox-file-orphaned").with("file", name), true));
        }
    }
    Ok(())
}
