//! SEARCH (RFC 3501 §6.4.4, RFC 9051 §6.4.4): exact, over decoded text, cheap keys first.
//!
//! Flags, dates and sizes stand in the rows; header keys read the header, BODY and TEXT the whole text. A long search is done in portions, so that other
//! jobs of the owner get their turn. RECENT and NEW speak of what no session has claimed; what is recent for one session it puts in as a set of UIDs.

use std::cell::OnceCell;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rusqlite::OptionalExtension;
use wire::imap::{Flags, ResolvedSet, SearchKey, TextField};
use wire::message::{Message, decode, headers};

use crate::Result;
use crate::ctx::Ctx;
use crate::texts;
use crate::types::{FolderId, Row, Uid};

/// The worker is given back after this time.
const PORTION_TIME: Duration = Duration::from_millis(20);
/// Decoded text of one message that is looked at, in bytes.
const TEXT_MAX_BYTES: usize = 256 << 20;
const DAY_SECONDS: i64 = 86_400;

/// One portion: the UIDs that match from `from` on, and where to go on if it is not finished.
pub(crate) fn portion(
    ctx: &Ctx<'_>,
    folder: FolderId,
    key: &SearchKey,
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
            highest,
            now,
        },
    );
    let (first, last) = plan.bounds();
    let mut found = Vec::new();
    let began = Instant::now();
    let mut statement = ctx.store.conn.prepare_cached(
        "SELECT uid, modseq, flags, keywords, received, zone, size, text FROM message WHERE folder = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid",
    )?;
    let mut rows = statement.query((folder.0, first.max(from), last))?;
    let mut read = 0_u32;
    while let Some(row) = rows.next()? {
        let candidate = Candidate {
            ctx,
            row: crate::store::read_row(row)?,
            received: row.get(4)?,
            zone: row.get(5)?,
            size: row.get::<_, i64>(6)? as u64,
            text: row.get::<_, i64>(7)? as u64,
            header: OnceCell::new(),
            whole: OnceCell::new(),
            body: OnceCell::new(),
            all: OnceCell::new(),
        };
        if plan.matches(&candidate)? {
            found.push(candidate.row.uid);
        }
        read += 1;
        if read.is_multiple_of(64) && began.elapsed() >= PORTION_TIME {
            return Ok((found, candidate.row.uid.checked_add(1)));
        }
    }
    Ok((found, None))
}

fn highest_uid(ctx: &Ctx<'_>, folder: FolderId) -> Result<Uid> {
    let mut statement = ctx
        .store
        .conn
        .prepare_cached("SELECT max(uid) FROM message WHERE folder = ?1")?;
    let highest: Option<Option<Uid>> = statement.query_row([folder.0], |row| row.get(0)).optional()?;
    Ok(highest.flatten().unwrap_or(0))
}

/// What a key means depends on.
struct Known<'a> {
    keywords: &'a [String],
    recent_from: Uid,
    highest: Uid,
    now: i64,
}

/// A key made ready: cheap parts first, texts in lower case.
enum Plan {
    Constant(bool),
    And(Vec<Plan>),
    Or(Vec<Plan>),
    Not(Box<Plan>),
    Flag(Flags),
    Keywords(u64),
    UidFrom(Uid),
    Uids(ResolvedSet),
    ModSeq(u64),
    Text(u64),
    LargerThan(u64),
    SmallerThan(u64),
    /// Days since 1970 of the internal date, from … to, both included.
    Day(i64, i64),
    ReceivedFrom(i64),
    ReceivedTo(i64),
    SentDay(i64, i64),
    Header {
        name: String,
        needle: String,
    },
    Body(String),
    Anywhere(String),
}

impl Plan {
    fn of(key: &SearchKey, known: &Known<'_>) -> Plan {
        let many = |keys: &[SearchKey]| {
            let mut plans: Vec<Plan> = keys.iter().map(|key| Plan::of(key, known)).collect();
            plans.sort_by_key(Plan::cost);
            plans
        };
        let not = |plan, is: bool| if is { plan } else { Plan::Not(Box::new(plan)) };
        match key {
            SearchKey::All => Plan::Constant(true),
            SearchKey::And(keys) => Plan::And(many(keys)),
            SearchKey::Or(a, b) => {
                let mut plans = vec![Plan::of(a, known), Plan::of(b, known)];
                plans.sort_by_key(Plan::cost);
                Plan::Or(plans)
            }
            SearchKey::Not(key) => not(Plan::of(key, known), false),
            SearchKey::Flag(flags, is) => not(Plan::Flag(*flags), *is),
            SearchKey::Recent(is) => not(Plan::UidFrom(known.recent_from), *is),
            SearchKey::New => Plan::And(vec![
                Plan::UidFrom(known.recent_from),
                not(Plan::Flag(Flags::SEEN), false),
            ]),
            SearchKey::Keyword(name, is) => {
                let bit = known
                    .keywords
                    .iter()
                    .position(|keyword| keyword.eq_ignore_ascii_case(name));
                not(
                    bit.map_or(Plan::Constant(false), |bit| Plan::Keywords(1 << bit)),
                    *is,
                )
            }
            // Only a session knows sequence numbers, threads, and when a message came into a folder.
            SearchKey::Sequence(_) | SearchKey::ThreadId(_) | SearchKey::SaveDateSupported => {
                Plan::Constant(false)
            }
            SearchKey::Uid(set) => Plan::Uids(set.resolve(known.highest)),
            SearchKey::Text(TextField::Header(name), text) => Plan::Header {
                name: name.clone(),
                needle: fold(text),
            },
            SearchKey::Text(TextField::Body, text) => Plan::Body(fold(text)),
            SearchKey::Text(TextField::Text, text) => Plan::Anywhere(fold(text)),
            SearchKey::Before(date) | SearchKey::SavedBefore(date) => {
                Plan::Day(i64::MIN, i64::from(date.days()) - 1)
            }
            SearchKey::On(date) | SearchKey::SavedOn(date) => {
                Plan::Day(i64::from(date.days()), i64::from(date.days()))
            }
            SearchKey::Since(date) | SearchKey::SavedSince(date) => {
                Plan::Day(i64::from(date.days()), i64::MAX)
            }
            SearchKey::SentBefore(date) => Plan::SentDay(i64::MIN, i64::from(date.days()) - 1),
            SearchKey::SentOn(date) => Plan::SentDay(i64::from(date.days()), i64::from(date.days())),
            SearchKey::SentSince(date) => Plan::SentDay(i64::from(date.days()), i64::MAX),
            SearchKey::Larger(size) => Plan::LargerThan(*size),
            SearchKey::Smaller(size) => Plan::SmallerThan(*size),
            SearchKey::Older(seconds) => Plan::ReceivedTo(known.now - i64::from(*seconds)),
            SearchKey::Younger(seconds) => Plan::ReceivedFrom(known.now - i64::from(*seconds)),
            SearchKey::ModSeq(modseq) => Plan::ModSeq(*modseq),
            SearchKey::EmailId(id) => {
                let number = id.trim_start_matches(|char: char| !char.is_ascii_digit()).parse();
                number.map_or(Plan::Constant(false), Plan::Text)
            }
        }
    }

    fn cost(&self) -> u8 {
        match self {
            Plan::And(plans) | Plan::Or(plans) => plans.iter().map(Plan::cost).max().unwrap_or(0),
            Plan::Not(plan) => plan.cost(),
            Plan::SentDay(..) => 1,
            Plan::Header { .. } => 2,
            Plan::Body(_) | Plan::Anywhere(_) => 3,
            _ => 0,
        }
    }

    /// UIDs outside of these can't match.
    fn bounds(&self) -> (Uid, Uid) {
        match self {
            Plan::Uids(set) => set
                .ranges()
                .first()
                .map_or((1, 0), |first| (first.0, set.max().unwrap_or(0))),
            Plan::UidFrom(from) => (*from, Uid::MAX),
            Plan::Constant(false) => (1, 0),
            Plan::And(plans) => plans
                .iter()
                .map(Plan::bounds)
                .fold((0, Uid::MAX), |a, b| (a.0.max(b.0), a.1.min(b.1))),
            _ => (0, Uid::MAX),
        }
    }

    fn matches(&self, message: &Candidate<'_, '_>) -> Result<bool> {
        let row = &message.row;
        Ok(match self {
            Plan::Constant(is) => *is,
            Plan::And(plans) => {
                for plan in plans {
                    if !plan.matches(message)? {
                        return Ok(false);
                    }
                }
                true
            }
            Plan::Or(plans) => {
                for plan in plans {
                    if plan.matches(message)? {
                        return Ok(true);
                    }
                }
                false
            }
            Plan::Not(plan) => !plan.matches(message)?,
            Plan::Flag(flags) => row.flags.contains(*flags),
            Plan::Keywords(bits) => row.keywords & bits != 0,
            Plan::UidFrom(from) => row.uid >= *from,
            Plan::Uids(set) => set.contains(row.uid),
            Plan::ModSeq(modseq) => row.modseq >= *modseq,
            Plan::Text(text) => message.text == *text,
            Plan::LargerThan(size) => message.size > *size,
            Plan::SmallerThan(size) => message.size < *size,
            Plan::Day(from, to) => {
                // RFC 3501 §6.4.4: disregarding time and time zone, that is, the day as it was written.
                let day = (message.received + i64::from(message.zone) * 60).div_euclid(DAY_SECONDS);
                (*from..=*to).contains(&day)
            }
            Plan::ReceivedFrom(from) => message.received >= *from,
            Plan::ReceivedTo(to) => message.received <= *to,
            Plan::SentDay(from, to) => message
                .sent_day()?
                .is_some_and(|day| (*from..=*to).contains(&day)),
            Plan::Header { name, needle } => {
                let header = message.header()?;
                // RFC 3501 §6.4.4: an empty string matches all that have the field.
                headers(header)
                    .any(|field| field.is(name) && (needle.is_empty() || contains(field.value, needle)))
            }
            Plan::Body(needle) => needle.is_empty() || message.body()?.contains(needle.as_str()),
            Plan::Anywhere(needle) => needle.is_empty() || message.all()?.contains(needle.as_str()),
        })
    }
}

/// Whether a header field's value, decoded, contains a text in lower case.
fn contains(value: &[u8], needle: &str) -> bool {
    fold(&decode::header_text(value)).contains(needle)
}

fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// A message, of which only what is asked for is read.
struct Candidate<'a, 'b> {
    ctx: &'a Ctx<'b>,
    row: Row,
    received: i64,
    zone: i16,
    size: u64,
    text: u64,
    header: OnceCell<Vec<u8>>,
    whole: OnceCell<Bytes>,
    body: OnceCell<String>,
    all: OnceCell<String>,
}

impl Candidate<'_, '_> {
    fn sent_day(&self) -> Result<Option<i64>> {
        let mut statement = self
            .ctx
            .store
            .conn
            .prepare_cached("SELECT sent_day FROM meta WHERE text = ?1")?;
        let day: Option<Option<i64>> = statement
            .query_row([self.text as i64], |row| row.get(0))
            .optional()?;
        Ok(day.flatten())
    }

    fn header(&self) -> Result<&[u8]> {
        if let Some(header) = self.header.get() {
            return Ok(header);
        }
        let mut statement = self
            .ctx
            .store
            .conn
            .prepare_cached("SELECT header FROM text WHERE id = ?1")?;
        let small: Option<Vec<u8>> = statement
            .query_row([self.text as i64], |row| row.get(0))
            .optional()?;
        let header = match small {
            Some(header) => header,
            None => {
                let whole = self.whole()?;
                whole
                    .get(..wire::message::header_end(whole))
                    .unwrap_or_default()
                    .to_vec()
            }
        };
        Ok(self.header.get_or_init(|| header))
    }

    /// What can't be read matches no text: it was told when it was found.
    fn whole(&self) -> Result<&Bytes> {
        if let Some(whole) = self.whole.get() {
            return Ok(whole);
        }
        let whole = texts::read(self.ctx.core, self.ctx.store, self.text)?.unwrap_or_default();
        Ok(self.whole.get_or_init(|| whole))
    }

    fn body(&self) -> Result<&str> {
        let whole = self.whole()?;
        Ok(self.body.get_or_init(|| {
            fold(&decode::search_body(
                whole,
                &Message::parse(whole),
                TEXT_MAX_BYTES,
            ))
        }))
    }

    fn all(&self) -> Result<&str> {
        let whole = self.whole()?;
        Ok(self.all.get_or_init(|| {
            fold(&decode::search_text(
                whole,
                &Message::parse(whole),
                TEXT_MAX_BYTES,
            ))
        }))
    }
}
