//! SEARCH (RFC 3501 §6.4.4, RFC 9051 §6.4.4): exact, over decoded text, cheap keys first.
//!
//! Flags, dates and sizes stand in the rows; the fields that people search stand in `keys`; other header keys read the header; BODY and TEXT ask the
//! `index` and read the texts of which it is not sure. A long search is done in portions, so that other jobs of the owner get their turn; whoever asked lets the rest be by asking no more. RECENT and
//! NEW speak of what no session has claimed; what is recent for one session it puts in as a set of UIDs.

mod candidate;
mod plan;

use std::time::{Duration, Instant};

use rusqlite::OptionalExtension;
use wire::imap::SearchKey;

use self::candidate::Candidate;
use self::plan::{Known, Plan};
use crate::Result;
use crate::ctx::Ctx;
use crate::index::{Answer, Place};
use crate::keys::Keys;
use crate::types::{FolderId, Uid};

/// The worker is given back after this time.
const PORTION_TIME: Duration = Duration::from_millis(10);
/// The clock is looked at after this many messages of which only rows are read.
const MESSAGES_PER_LOOK: u32 = 64;

/// One portion: the UIDs that match from `from` on, and where to go on if it is not finished.
pub(crate) fn portion(
    ctx: &mut Ctx<'_>,
    folder: FolderId,
    key: &SearchKey,
    answer: &Answer,
    now: i64,
    from: Uid,
) -> Result<(Vec<Uid>, Option<Uid>)> {
    let row = ctx.store.folder(folder)?;
    let highest = highest_uid(ctx, folder)?;
    let plan = Plan::of(
        key,
        &Known {
            keywords: &row.keywords,
            recent_from: row.recent_from,
            owner: ctx.store.owner,
            highest,
            now,
            answer,
        },
    );
    let mut made = Vec::new();
    let found = run(ctx, folder, (&plan, answer), from, &mut made)?;
    ctx.store.wrote |= !made.is_empty();
    for (text, keys) in made {
        keys.insert(&ctx.store.conn, text)?;
    }
    Ok(found)
}

/// `made`: keys of texts that had none in the table.
fn run(
    ctx: &Ctx<'_>,
    folder: FolderId,
    (plan, answer): (&Plan, &Answer),
    from: Uid,
    made: &mut Vec<(u64, Keys)>,
) -> Result<(Vec<Uid>, Option<Uid>)> {
    let (first, last) = plan.bounds();
    let began = Instant::now();
    let mut statement = ctx.store.conn.prepare_cached(&query(plan))?;
    let mut rows = statement.query((folder.0, first.max(from), last))?;
    let dear = plan.reads_texts();
    let (place, few) = (Place::default(), plan.needs_few());
    let (mut found, mut read) = (Vec::new(), 0_u32);
    while let Some(row) = rows.next()? {
        let candidate = Candidate::read(ctx, folder, row, few, (answer, &place))?;
        let (uid, text) = (candidate.row.uid, candidate.text);
        if plan.matches(&candidate)? {
            found.push(uid);
        }
        made.extend(candidate.into_made().map(|keys| (text, keys)));
        read += 1;
        if (dear || read.is_multiple_of(MESSAGES_PER_LOOK)) && began.elapsed() >= PORTION_TIME {
            return Ok((found, uid.checked_add(1)));
        }
    }
    Ok((found, None))
}

fn query(plan: &Plan) -> String {
    let columns = if plan.needs_few() {
        candidate::FEW_COLUMNS
    } else {
        candidate::COLUMNS
    };
    let mut sql = format!("SELECT {columns}");
    let (fields, sent) = plan.keys();
    let keyed = fields != 0 || sent;
    if keyed {
        sql.push_str(&candidate::key_columns(fields, sent));
    }
    sql.push_str(" FROM message m");
    if keyed {
        sql.push_str(" LEFT JOIN keys k ON k.text = m.text");
    }
    sql.push_str(" WHERE m.folder = ?1 AND m.uid BETWEEN ?2 AND ?3 ORDER BY m.uid");
    sql
}

fn highest_uid(ctx: &Ctx<'_>, folder: FolderId) -> Result<Uid> {
    let mut statement = ctx
        .store
        .conn
        .prepare_cached("SELECT max(uid) FROM message WHERE folder = ?1")?;
    let highest: Option<Option<Uid>> = statement.query_row([folder.0], |row| row.get(0)).optional()?;
    Ok(highest.flatten().unwrap_or(0))
}
