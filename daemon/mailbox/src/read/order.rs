//! What messages are sorted and threaded by, kept in the table `order_key`.
//!
//! A row is made of the header when its message is first sorted or threaded, and goes with the text. It holds nothing that the header does
//! not say, so a lost row is made again. Texts are prepared for comparing (RFC 5051) and cut at [`TEXT_MAX_BYTES`]; subjects and message ids
//! also stand there as hashes.

use std::time::{Duration, Instant};

use rusqlite::types::ValueRef;
use rusqlite::{Row as SqlRow, params};
use wire::message::Order;

use crate::Result;
use crate::ctx::Ctx;
use crate::keys;
use crate::read::select::uid_runs;
use crate::store::Store;
use crate::types::{FolderId, Uid};

/// Bytes of one text by which messages are compared.
pub(crate) const TEXT_MAX_BYTES: usize = 512;
/// The worker is given back after this time.
const PORTION_TIME: Duration = Duration::from_millis(20);
/// Messages between two looks at the clock.
const MESSAGES_PER_LOOK: usize = 64;

/// A column of `order_key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Sent,
    Subject,
    SubjectHash,
    IsReply,
    From,
    To,
    Cc,
    DisplayFrom,
    DisplayTo,
    MessageId,
    References,
}

/// All columns, in the order of the variants.
const COLUMNS: [(Column, &str); 11] = [
    (Column::Sent, "sent"),
    (Column::Subject, "subject"),
    (Column::SubjectHash, "subject_hash"),
    (Column::IsReply, "is_reply"),
    (Column::From, "sender"),
    (Column::To, "recipient"),
    (Column::Cc, "cc"),
    (Column::DisplayFrom, "display_sender"),
    (Column::DisplayTo, "display_recipient"),
    (Column::MessageId, "message_id"),
    (Column::References, "refs"),
];
/// What stands before them in a row that is read.
const FACTS_COUNT: usize = 5;

/// A message as it is read: its facts, and the columns asked for.
pub(crate) struct Keyed<'a> {
    pub(crate) uid: Uid,
    /// Unix seconds.
    pub(crate) received: i64,
    pub(crate) size: u64,
    columns: Columns<'a>,
}

enum Columns<'a> {
    Stored(&'a SqlRow<'a>),
    Made(&'a Made),
}

/// A row of `order_key` that was not there yet.
#[derive(Default)]
struct Made {
    sent: Option<i64>,
    subject: String,
    subject_hash: i64,
    is_reply: bool,
    addresses: [String; 5],
    message_id: Option<i64>,
    references: Vec<u8>,
}

impl Keyed<'_> {
    /// The sent date, or else the internal date (RFC 5256 §2.2).
    pub(crate) fn sent(&self) -> Result<i64> {
        let sent = match self.columns {
            Columns::Stored(row) => row.get(index(Column::Sent))?,
            Columns::Made(made) => made.sent,
        };
        Ok(sent.unwrap_or(self.received))
    }

    /// The bytes of a column of texts or of References.
    pub(crate) fn bytes(&self, column: Column) -> Result<&[u8]> {
        Ok(match self.columns {
            Columns::Stored(row) => row.get_ref(index(column))?.as_bytes().unwrap_or_default(),
            Columns::Made(made) => match column {
                Column::Subject => made.subject.as_bytes(),
                Column::References => &made.references,
                _ => {
                    let at = (column as usize).wrapping_sub(Column::From as usize);
                    made.addresses.get(at).map(String::as_bytes).unwrap_or_default()
                }
            },
        })
    }

    /// A column of numbers.
    pub(crate) fn number(&self, column: Column) -> Result<Option<i64>> {
        Ok(match self.columns {
            Columns::Stored(row) => match row.get_ref(index(column))? {
                ValueRef::Integer(number) => Some(number),
                _ => None,
            },
            Columns::Made(made) => match column {
                Column::SubjectHash => Some(made.subject_hash),
                Column::IsReply => Some(i64::from(made.is_reply)),
                Column::MessageId => made.message_id,
                _ => made.sent,
            },
        })
    }
}

fn index(column: Column) -> usize {
    FACTS_COUNT + column as usize
}

/// Shows messages, ascending, until the portion's time is over: how many of `uids` are done. What is gone is passed over.
pub(crate) fn portion(
    ctx: &mut Ctx<'_>,
    folder: FolderId,
    uids: &[Uid],
    wanted: &[Column],
    mut visit: impl FnMut(&Keyed<'_>) -> Result<()>,
) -> Result<usize> {
    ctx.store.folder(folder)?;
    let mut new = Vec::new();
    let done = read(ctx, folder, uids, wanted, &mut new, &mut visit)?;
    keep(ctx, &new)?;
    Ok(done)
}

/// The row of a text goes with it.
pub(crate) fn forget(store: &Store, text: u64) -> Result<()> {
    store
        .conn
        .prepare_cached("DELETE FROM order_key WHERE text = ?1")?
        .execute([text as i64])?;
    Ok(())
}

fn read(
    ctx: &Ctx<'_>,
    folder: FolderId,
    uids: &[Uid],
    wanted: &[Column],
    new: &mut Vec<(i64, Made)>,
    visit: &mut impl FnMut(&Keyed<'_>) -> Result<()>,
) -> Result<usize> {
    let began = Instant::now();
    let mut statement = ctx.store.conn.prepare_cached(&query(wanted))?;
    let (mut done, mut seen) = (0, 0);
    for run in uid_runs(uids) {
        let (Some(&first), Some(&last)) = (run.first(), run.last()) else {
            continue;
        };
        let mut rest = run.iter().copied().peekable();
        let mut rows = statement.query((folder.0, first, last))?;
        while let Some(row) = rows.next()? {
            let uid: Uid = row.get(0)?;
            while rest.next_if(|wanted| *wanted < uid).is_some() {
                done += 1;
            }
            if rest.next_if_eq(&uid).is_none() {
                continue;
            }
            done += 1;
            show(ctx, row, wanted, new, visit)?;
            seen += 1;
            if seen % MESSAGES_PER_LOOK == 0 && began.elapsed() >= PORTION_TIME {
                return Ok(done);
            }
        }
        done += rest.count();
    }
    Ok(done)
}

fn query(wanted: &[Column]) -> String {
    let mut sql = String::from("SELECT m.uid, m.text, m.received, m.size");
    sql.push_str(if wanted.is_empty() { ", NULL" } else { ", k.text" });
    for (column, name) in COLUMNS {
        if wanted.contains(&column) {
            sql.push_str(", k.");
            sql.push_str(name);
        } else {
            sql.push_str(", NULL");
        }
    }
    sql.push_str(" FROM message m");
    if !wanted.is_empty() {
        sql.push_str(" LEFT JOIN order_key k ON k.text = m.text");
    }
    sql.push_str(" WHERE m.folder = ?1 AND m.uid BETWEEN ?2 AND ?3 ORDER BY m.uid");
    sql
}

fn show(
    ctx: &Ctx<'_>,
    row: &SqlRow<'_>,
    wanted: &[Column],
    new: &mut Vec<(i64, Made)>,
    visit: &mut impl FnMut(&Keyed<'_>) -> Result<()>,
) -> Result<()> {
    let text: i64 = row.get(1)?;
    let missing = !wanted.is_empty() && row.get_ref(4)? == ValueRef::Null;
    let nothing = Made::default();
    let columns = if missing {
        match keys::header(ctx.core, ctx.store, text as u64)? {
            Some(header) => {
                new.push((text, Made::of(&Order::of(&header))));
                Columns::Made(new.last().map_or(&nothing, |(_, made)| made))
            }
            // What can't be read was told when it was found, and is nowhere in particular.
            None => Columns::Made(&nothing),
        }
    } else {
        Columns::Stored(row)
    };
    visit(&Keyed {
        uid: row.get(0)?,
        received: row.get(2)?,
        size: row.get::<_, i64>(3)?.max(0) as u64,
        columns,
    })
}

impl Made {
    fn of(order: &Order) -> Made {
        let addresses = [
            &order.from,
            &order.to,
            &order.cc,
            &order.display_from,
            &order.display_to,
        ];
        Made {
            sent: order.sent,
            subject: cut(&order.subject),
            subject_hash: hash(order.subject.as_bytes()),
            is_reply: order.is_reply,
            addresses: addresses.map(|text| cut(text)),
            message_id: order.message_id.as_deref().map(hash),
            references: order
                .references
                .iter()
                .flat_map(|id| hash(id).to_le_bytes())
                .collect(),
        }
    }
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(TEXT_MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

/// FNV-1a, mixed once more so that all bits count. Kept on the disk: never to be changed.
fn hash(bytes: &[u8]) -> i64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for &byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (hash ^ (hash >> 33)) as i64
}

/// No record of the journal: the rows say nothing that is not said elsewhere.
fn keep(ctx: &mut Ctx<'_>, new: &[(i64, Made)]) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let mut statement = ctx.store.conn.prepare_cached(
        "INSERT OR REPLACE INTO order_key VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    for (text, made) in new {
        let [from, to, cc, display_from, display_to] = &made.addresses;
        statement.execute(params![
            text,
            made.sent,
            made.subject,
            made.subject_hash,
            made.is_reply,
            from,
            to,
            cc,
            display_from,
            display_to,
            made.message_id,
            made.references,
        ])?;
    }
    drop(statement);
    ctx.store.wrote = true;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_on_the_disk() {
        assert_eq!(hash(b""), -1_388_729_422_223_754_158);
        assert_ne!(hash(b"a@b"), hash(b"b@a"));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"ж".repeat(1000)).len(), TEXT_MAX_BYTES);
        assert_eq!(cut(&format!("a{}", "ж".repeat(1000))).len(), TEXT_MAX_BYTES - 1);
    }

    #[test]
    fn the_columns_stand_in_their_order() {
        for (at, (column, _)) in COLUMNS.into_iter().enumerate() {
            assert_eq!(column as usize, at);
        }
    }
}
