//! Taking up texts, merging segments, dropping what is gone: jobs that read or write little, with the work between them on a thread of its own.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use disk::Disk;
use rusqlite::Connection;

use super::segment::{Builder, Segment, next_list, places_of};
use super::tables::{self, Size};
use super::terms::END;
use crate::Result;
use crate::ctx::Ctx;
use crate::durability::large_path;
use crate::texts;

/// Texts of one new segment.
const BATCH_MAX_TEXTS: u32 = 64;
/// Bytes of the texts of one, about.
const BATCH_MAX_BYTES: usize = 1 << 20;
/// The worker is given back after this time.
const PORTION_TIME: Duration = Duration::from_millis(10);
/// Larger texts are not indexed but looked at by every search.
const FILE_MAX_BYTES: u64 = 8 << 20;
/// So many neighbours of about one size are merged.
const MERGE_COUNT: usize = 8;
/// Segments that are together larger than this, in bytes, are not merged any more.
const MERGE_MAX_BYTES: u64 = 12 << 20;
/// Segments are freed of texts that are gone when there are more than this …
const GONE_MIN: usize = 64;
/// … and one of so many texts in them.
const GONE_PART: u64 = 4;

/// A text to be indexed.
enum Taken {
    Text(Bytes),
    File(PathBuf, u32),
    /// Not to be indexed.
    Wide,
}

/// Some texts that come next.
pub(super) struct Batch {
    from: Option<u64>,
    texts: Vec<(u64, Taken)>,
}

/// The next texts; `None`: all are taken up.
pub(super) fn take(ctx: &Ctx<'_>) -> Result<Option<Batch>> {
    let began = Instant::now();
    let from = tables::indexed_to(&ctx.store.conn)?;
    let mut statement = ctx
        .store
        .conn
        .prepare_cached("SELECT text, large, size, crc FROM meta WHERE text > ?1 ORDER BY text LIMIT ?2")?;
    let mut rows = statement.query((from.unwrap_or(0) as i64, BATCH_MAX_TEXTS))?;
    let (mut texts, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let (id, large, size): (i64, bool, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (id, size) = (id as u64, size as u64);
        let taken = match large {
            false => Taken::Text(texts::read(ctx.core, ctx.store, id)?.unwrap_or_default()),
            true if size > FILE_MAX_BYTES => Taken::Wide,
            true => Taken::File(large_path(&ctx.store.dir, id), row.get(3)?),
        };
        texts.push((id, taken));
        bytes += size.min(FILE_MAX_BYTES) as usize;
        if bytes >= BATCH_MAX_BYTES || began.elapsed() >= PORTION_TIME {
            break;
        }
    }
    Ok((!texts.is_empty()).then_some(Batch { from, texts }))
}

/// A segment of a batch. Works long.
pub(super) fn build(disk: &dyn Disk, batch: &Batch) -> Segment {
    let mut builder = Builder::default();
    for (id, taken) in &batch.texts {
        match taken {
            Taken::Text(text) => builder.add(*id, text),
            Taken::Wide => builder.add_wide(*id),
            Taken::File(path, crc) => match disk.read(path) {
                Ok(text) if crc32fast::hash(&text) == *crc => builder.add(*id, &text),
                // Gone meanwhile, or damaged: whoever looks at it sees.
                _ => builder.add_wide(*id),
            },
        }
    }
    builder.finish()
}

/// Writes the segment of a batch, unless the index is not what it was.
pub(super) fn put(ctx: &mut Ctx<'_>, batch: &Batch, segment: &Segment) -> Result<()> {
    let conn = &ctx.store.conn;
    let Some(last) = segment.texts.last() else {
        return Ok(());
    };
    if tables::indexed_to(conn)? != batch.from {
        return Ok(());
    }
    if batch.from.is_none() {
        tables::clear(conn)?;
    }
    let id = tables::sizes(conn)?.last().map_or(1, |last| last.id + 1);
    tables::insert(conn, id, segment)?;
    tables::set_indexed_to(conn, *last)?;
    for &text in &segment.texts {
        let there = conn
            .prepare_cached("SELECT 1 FROM meta WHERE text = ?1")?
            .exists([text as i64])?;
        if !there {
            tables::note_gone(conn, text)?;
        }
    }
    (ctx.store.wrote, ctx.store.commit_now) = (true, true);
    Ok(())
}

/// Segments to be replaced by one.
pub(super) struct Merge {
    ids: Vec<i64>,
    segments: Vec<Segment>,
    gone: HashSet<u64>,
}

/// What to merge next, if anything.
pub(super) fn plan(ctx: &Ctx<'_>) -> Result<Option<Merge>> {
    let conn = &ctx.store.conn;
    let sizes = tables::sizes(conn)?;
    let gone = tables::gone(conn)?;
    let all: u64 = sizes.iter().map(|size| size.texts).sum();
    let ids = if gone.len() > GONE_MIN && gone.len() as u64 > all / GONE_PART {
        full_of_gone(conn, &sizes, &gone)?
    } else {
        neighbours(&sizes)
    };
    let mut segments = Vec::with_capacity(ids.len());
    for &id in &ids {
        segments.extend(tables::read(conn, id)?);
    }
    let gone = gone.into_iter().collect();
    Ok((!segments.is_empty()).then_some(Merge { ids, segments, gone }))
}

/// The last segments, if enough of them are of one size and none is larger.
fn neighbours(sizes: &[Size]) -> Vec<i64> {
    let level = |size: &Size| size.texts.max(1).ilog(MERGE_COUNT as u64);
    let highest = sizes.iter().map(level).max().unwrap_or(0);
    for limit in 0..=highest {
        let (mut bytes, mut equal) = (0, 0);
        let last = sizes.iter().rev().take_while(|size| {
            bytes += size.bytes;
            equal += usize::from(level(size) == limit);
            level(size) <= limit && bytes <= MERGE_MAX_BYTES
        });
        let mut ids: Vec<i64> = last.map(|size| size.id).collect();
        if equal >= MERGE_COUNT && ids.len() >= MERGE_COUNT {
            ids.reverse();
            return ids;
        }
    }
    Vec::new()
}

/// The segment with the most texts that are gone.
fn full_of_gone(conn: &Connection, sizes: &[Size], gone: &[u64]) -> Result<Vec<i64>> {
    let mut most = (0, None);
    for size in sizes {
        let Some(head) = tables::head_after(conn, size.id - 1)? else {
            continue;
        };
        let dead = head
            .texts
            .iter()
            .filter(|&text| gone.binary_search(text).is_ok())
            .count();
        if dead > most.0 {
            most = (dead, Some(size.id));
        }
    }
    Ok(most.1.into_iter().collect())
}

/// Works long.
pub(super) fn merge(plan: &Merge) -> Segment {
    let mut builder = Builder::default();
    for segment in &plan.segments {
        builder.merge(segment, &mut |text| !plan.gone.contains(&text));
    }
    builder.finish()
}

/// Puts a merged segment in the place of its parts, unless they are not there any more.
pub(super) fn replace(ctx: &mut Ctx<'_>, plan: &Merge, merged: &Segment) -> Result<()> {
    let conn = &ctx.store.conn;
    let known: Vec<i64> = tables::sizes(conn)?.iter().map(|size| size.id).collect();
    let Some(&first) = plan.ids.first() else {
        return Ok(());
    };
    if !plan.ids.iter().all(|id| known.contains(id)) {
        return Ok(());
    }
    for &id in &plan.ids {
        tables::remove(conn, id)?;
    }
    if !merged.texts.is_empty() {
        tables::insert(conn, first, merged)?;
    }
    let texts = plan.segments.iter().flat_map(|segment| &segment.texts);
    let dropped: Vec<u64> = texts.copied().filter(|text| plan.gone.contains(text)).collect();
    tables::forget_gone(conn, &dropped)?;
    (ctx.store.wrote, ctx.store.commit_now) = (true, true);
    Ok(())
}

/// Whether the segments are what segments must be.
pub(super) fn is_whole(conn: &Connection) -> Result<bool> {
    let (mut after, mut last) = (0, 0);
    while let Some(head) = tables::head_after(conn, after)? {
        after = head.id;
        let Some(segment) = tables::read(conn, head.id)? else {
            return Ok(false);
        };
        let ascending = segment
            .texts
            .iter()
            .all(|&text| std::mem::replace(&mut last, text) < text);
        let count = segment.texts.len() as u32;
        let whole = segment.dictionaries.iter().all(|dictionary| {
            let terms = memchr::memchr_iter(END, &dictionary.words)
                .count()
                .saturating_sub(1);
            let lists = dictionary
                .rows
                .iter()
                .map(|row| lists(row, count))
                .sum::<Option<usize>>();
            lists == Some(terms)
        });
        if !ascending || !whole || segment.wide.iter().any(|&place| place >= count) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How many lists a row has; `None`: one of them can't be.
fn lists(mut row: &[u8], texts: u32) -> Option<usize> {
    let mut count = 0;
    while !row.is_empty() {
        let (list, rest) = next_list(row);
        if list.is_empty() || places_of(list).any(|place| place >= texts) {
            return None;
        }
        row = rest;
        count += 1;
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_stay_few() {
        let mut sizes: Vec<Size> = Vec::new();
        let mut written = 0;
        for id in 1..=5000 {
            sizes.push(Size {
                id,
                texts: 1 + id as u64 % 3,
                bytes: 1000,
            });
            loop {
                let ids = neighbours(&sizes);
                let Some(&first) = ids.first() else { break };
                let parts = sizes.iter().filter(|size| ids.contains(&size.id));
                let texts = parts.map(|size| size.texts).sum();
                written += texts;
                sizes.retain(|size| !ids.contains(&size.id));
                sizes.push(Size {
                    id: first,
                    texts,
                    bytes: texts * 500,
                });
            }
            assert!(sizes.len() < 40 && sizes.is_sorted_by_key(|size| size.id));
        }
        assert!(written < 10_000 * 6, "{written}");
    }
}
