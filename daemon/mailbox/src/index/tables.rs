//! The tables of the index.
//!
//! | table | what |
//! |---|---|
//! | `ix_state` | one row, if there is an index: the texts up to `indexed_to` were taken up, by the rules of `version` |
//! | `ix_segment` | `texts`, `wide`: numbers of texts, ascending; how many, and how many bytes the segment has |
//! | `ix_words` | by segment × 2 + field: a dictionary's terms, and the number of the first term of each row of lists |
//! | `ix_lists` | by (segment × 2 + field) × 2^20 + row: the lists |
//! | `ix_gone` | texts that are in a segment and nowhere else any more |

use rusqlite::{Connection, OptionalExtension, params};

use super::segment::{Dictionary, FIELDS, Segment, code, decode};
use crate::Result;

/// What makes terms of texts: an index by other rules is made anew.
const VERSION: i64 = 1;
/// Rows of lists of one dictionary.
const ROW_BITS: u32 = 20;

/// A segment without its dictionaries.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) id: i64,
    pub(super) texts: Vec<u64>,
    pub(super) wide: Vec<u32>,
}

/// A segment's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) id: i64,
    pub(super) texts: u64,
    pub(super) bytes: u64,
}

/// The texts up to this one are indexed; `None`: there is no index.
pub(super) fn indexed_to(conn: &Connection) -> Result<Option<u64>> {
    let mut statement = conn.prepare_cached("SELECT indexed_to FROM ix_state WHERE version = ?1")?;
    let found: Option<i64> = statement.query_row([VERSION], |row| row.get(0)).optional()?;
    Ok(found.map(|text| text as u64))
}

pub(super) fn set_indexed_to(conn: &Connection, text: u64) -> Result<()> {
    conn.prepare_cached("INSERT OR REPLACE INTO ix_state VALUES(1, ?1, ?2)")?
        .execute((text as i64, VERSION))?;
    Ok(())
}

/// Removes the whole index.
pub(super) fn clear(conn: &Connection) -> Result<()> {
    conn.execute_batch(
        "DELETE FROM ix_state; DELETE FROM ix_segment; DELETE FROM ix_words; DELETE FROM ix_lists; DELETE FROM ix_gone;",
    )?;
    Ok(())
}

/// In the order of their texts.
pub(super) fn sizes(conn: &Connection) -> Result<Vec<Size>> {
    let mut statement = conn.prepare_cached("SELECT id, count, bytes FROM ix_segment ORDER BY id")?;
    let sizes = statement.query_map([], |row| {
        Ok(Size {
            id: row.get(0)?,
            texts: row.get::<_, i64>(1)? as u64,
            bytes: row.get::<_, i64>(2)? as u64,
        })
    })?;
    Ok(sizes.collect::<rusqlite::Result<_>>()?)
}

/// The first segment after `id`.
pub(super) fn head_after(conn: &Connection, id: i64) -> Result<Option<Head>> {
    let mut statement =
        conn.prepare_cached("SELECT id, texts, wide FROM ix_segment WHERE id > ?1 ORDER BY id LIMIT 1")?;
    let head = statement.query_row([id], |row| {
        let wide = decode(row.get_ref(2)?.as_blob()?).into_iter();
        Ok(Head {
            id: row.get(0)?,
            texts: decode(row.get_ref(1)?.as_blob()?),
            wide: wide.map(|place| place as u32).collect(),
        })
    });
    Ok(head.optional()?)
}

/// A dictionary's terms, and the first terms of its rows.
pub(super) fn words(conn: &Connection, segment: i64, field: usize) -> Result<Option<(Vec<u8>, Vec<u32>)>> {
    let mut statement = conn.prepare_cached("SELECT words, starts FROM ix_words WHERE id = ?1")?;
    let found = statement.query_row([dictionary_id(segment, field)], |row| {
        let starts = decode(row.get_ref(1)?.as_blob()?).into_iter();
        Ok((row.get(0)?, starts.map(|start| start as u32).collect()))
    });
    Ok(found.optional()?)
}

/// One row of lists.
pub(super) fn lists(conn: &Connection, segment: i64, field: usize, row: usize) -> Result<Vec<u8>> {
    let mut statement = conn.prepare_cached("SELECT data FROM ix_lists WHERE id = ?1")?;
    let found = statement.query_row([row_id(segment, field, row)], |row| row.get(0));
    Ok(found.optional()?.unwrap_or_default())
}

/// A whole segment.
pub(super) fn read(conn: &Connection, id: i64) -> Result<Option<Segment>> {
    let Some(head) = head_after(conn, id - 1)?.filter(|head| head.id == id) else {
        return Ok(None);
    };
    let mut dictionaries: [Dictionary; FIELDS.len()] = Default::default();
    for (field, dictionary) in dictionaries.iter_mut().enumerate() {
        let Some((words, starts)) = words(conn, id, field)? else {
            continue;
        };
        for row in 0..starts.len() {
            dictionary.rows.push(lists(conn, id, field, row)?);
        }
        (dictionary.words, dictionary.starts) = (words, starts);
    }
    Ok(Some(Segment {
        texts: head.texts,
        wide: head.wide,
        dictionaries,
    }))
}

/// Writes a segment. Numbers of segments ascend as those of their texts.
pub(super) fn insert(conn: &Connection, id: i64, segment: &Segment) -> Result<()> {
    conn.prepare_cached("INSERT INTO ix_segment VALUES(?1, ?2, ?3, ?4, ?5)")?
        .execute(params![
            id,
            segment.texts.len() as i64,
            segment.bytes() as i64,
            code(segment.texts.iter().copied()),
            code(segment.wide.iter().map(|&place| u64::from(place))),
        ])?;
    for (field, dictionary) in segment.dictionaries.iter().enumerate() {
        let starts = code(dictionary.starts.iter().map(|&start| u64::from(start)));
        conn.prepare_cached("INSERT INTO ix_words VALUES(?1, ?2, ?3)")?
            .execute(params![dictionary_id(id, field), starts, dictionary.words])?;
        let mut statement = conn.prepare_cached("INSERT INTO ix_lists VALUES(?1, ?2)")?;
        for (row, data) in dictionary.rows.iter().enumerate() {
            statement.execute(params![row_id(id, field, row), data])?;
        }
    }
    Ok(())
}

pub(super) fn remove(conn: &Connection, id: i64) -> Result<()> {
    conn.execute("DELETE FROM ix_segment WHERE id = ?1", [id])?;
    conn.execute(
        "DELETE FROM ix_words WHERE id BETWEEN ?1 AND ?2",
        (dictionary_id(id, 0), dictionary_id(id, FIELDS.len() - 1)),
    )?;
    conn.execute(
        "DELETE FROM ix_lists WHERE id BETWEEN ?1 AND ?2",
        (row_id(id, 0, 0), row_id(id, FIELDS.len(), 0) - 1),
    )?;
    Ok(())
}

fn dictionary_id(segment: i64, field: usize) -> i64 {
    segment * FIELDS.len() as i64 + field as i64
}

fn row_id(segment: i64, field: usize, row: usize) -> i64 {
    (dictionary_id(segment, field) << ROW_BITS) + row as i64
}

/// Notes that an indexed text is gone.
pub(super) fn note_gone(conn: &Connection, text: u64) -> Result<()> {
    conn.prepare_cached("INSERT OR IGNORE INTO ix_gone SELECT ?1 FROM ix_state WHERE indexed_to >= ?1")?
        .execute([text as i64])?;
    Ok(())
}

/// Ascending.
pub(super) fn gone(conn: &Connection) -> Result<Vec<u64>> {
    let mut statement = conn.prepare_cached("SELECT text FROM ix_gone ORDER BY text")?;
    let gone = statement.query_map([], |row| row.get::<_, i64>(0))?;
    gone.map(|text| Ok(text? as u64)).collect()
}

pub(super) fn forget_gone(conn: &Connection, texts: &[u64]) -> Result<()> {
    let mut statement = conn.prepare_cached("DELETE FROM ix_gone WHERE text = ?1")?;
    for &text in texts {
        statement.execute([text as i64])?;
    }
    Ok(())
}
