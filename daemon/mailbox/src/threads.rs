//! Which messages belong together (RFC 8474 §5.2), by Message-ID, References and In-Reply-To.
//!
//! A text joins the thread of the first of its own Message-ID and those it answers, nearest first, that is known; without one it begins a thread,
//! which has its number. What a text was found to belong to stays, whatever comes or goes later. It depends on the journal's order
//! alone, so a replay finds the same.

use rusqlite::{Connection, OptionalExtension};
use wire::message::Summary;

use crate::Result;

/// Message-IDs of one message that are looked at: its own, the nearest ones that it answers, and the first of all.
const KEYS_MAX: usize = 20;

/// SQL: the thread of a message `m`.
pub(crate) const THREAD: &str = "coalesce((SELECT h.thread FROM thread h WHERE h.text = m.text), m.text)";

/// Finds the thread of a new text.
pub(crate) fn keep(conn: &Connection, text: u64, summary: &Summary) -> Result<()> {
    let keys = keys_of(summary);
    if keys.is_empty() {
        return Ok(());
    }
    let mut find = conn.prepare_cached("SELECT thread FROM thread_key WHERE key = ?1")?;
    let mut thread = text as i64;
    for key in &keys {
        if let Some(known) = find.query_row([key], |row| row.get(0)).optional()? {
            thread = known;
            break;
        }
    }
    let mut insert = conn.prepare_cached("INSERT OR IGNORE INTO thread_key VALUES(?1, ?2, ?3)")?;
    let mut own = Vec::with_capacity(8);
    for key in &keys {
        if insert.execute((key, thread, text as i64))? > 0 {
            own.extend_from_slice(&key.to_le_bytes());
        }
    }
    conn.prepare_cached("INSERT OR IGNORE INTO thread VALUES(?1, ?2, ?3)")?
        .execute((text as i64, thread, own))?;
    Ok(())
}

/// The text is gone; the keys that it has brought go with it.
pub(crate) fn forget(conn: &Connection, text: u64) -> Result<()> {
    let mut find = conn.prepare_cached("SELECT keys FROM thread WHERE text = ?1")?;
    let keys: Option<Vec<u8>> = find.query_row([text as i64], |row| row.get(0)).optional()?;
    let Some(keys) = keys else { return Ok(()) };
    let mut delete = conn.prepare_cached("DELETE FROM thread_key WHERE key = ?1 AND text = ?2")?;
    for key in keys.as_chunks::<8>().0 {
        delete.execute((i64::from_le_bytes(*key), text as i64))?;
    }
    conn.prepare_cached("DELETE FROM thread WHERE text = ?1")?
        .execute([text as i64])?;
    Ok(())
}

/// The thread of a text.
pub(crate) fn of(conn: &Connection, text: u64) -> Result<u64> {
    let mut find = conn.prepare_cached("SELECT thread FROM thread WHERE text = ?1")?;
    let thread: Option<i64> = find.query_row([text as i64], |row| row.get(0)).optional()?;
    Ok(thread.map_or(text, |thread| thread as u64))
}

fn keys_of(summary: &Summary) -> Vec<i64> {
    let references = &summary.references;
    let mut keys: Vec<i64> = Vec::with_capacity(4);
    let own = summary.message_id.iter();
    let nearest = references.iter().rev().take(KEYS_MAX - 2);
    for id in own.chain(nearest).chain(references.first()) {
        let key = hash(id);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// FNV-1a: what is kept depends on it, so it must never change.
fn hash(id: &str) -> i64 {
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_known_one() {
        assert_eq!(hash("") as u64, 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("foobar") as u64, 0x8594_4171_f739_67e8);
    }

    #[test]
    fn keys_are_bounded_and_the_root_is_among_them() {
        let summary = Summary {
            message_id: Some("<own@x>".to_owned()),
            references: (0..200).map(|number| format!("<{number}@x>")).collect(),
            ..Summary::default()
        };
        let keys = keys_of(&summary);
        assert_eq!(keys.len(), KEYS_MAX);
        assert_eq!(keys.first(), Some(&hash("<own@x>")));
        assert_eq!(keys.get(1), Some(&hash("<199@x>")));
        assert_eq!(keys.last(), Some(&hash("<0@x>")));
    }
}
