//! A search key made ready: cheap parts first, texts folded, what they mean in this folder looked up.

use memchr::memmem::Finder;
use wire::imap::{Flags, ResolvedSet, SearchKey, TextField};
use wire::message::searchable::Scope;
use wire::message::{casemap, headers};

use super::candidate::Candidate;
use crate::index::{Answer, Verdict};
use crate::keys::{self, FIELDS};
use crate::types::{Uid, email_number, thread_number};
use crate::{OwnerId, Result};

const DAY_SECONDS: i64 = 86_400;

/// What a key means depends on.
pub(super) struct Known<'a> {
    pub(super) keywords: &'a [String],
    pub(super) recent_from: Uid,
    pub(super) owner: OwnerId,
    pub(super) highest: Uid,
    pub(super) now: i64,
    pub(super) answer: &'a Answer,
}

/// What a message must be.
pub(super) enum Plan {
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
    Thread(u64),
    /// As `Day`, of the date of saving.
    SavedDay(i64, i64),
    LargerThan(u64),
    SmallerThan(u64),
    /// Days since 1970 of the internal date, from … to, both included.
    Day(i64, i64),
    ReceivedFrom(i64),
    ReceivedTo(i64),
    SentDay(i64, i64),
    /// One of the fields that have keys, by its place in [`FIELDS`].
    Field(usize, Needle),
    Header {
        name: String,
        needle: Needle,
    },
    /// A needle in the body or anywhere, and its number in the index's answer.
    Holds(Scope, Needle, Option<usize>),
}

/// A folded text to be found.
pub(super) struct Needle(Finder<'static>);

impl Needle {
    fn new(folded: &str) -> Self {
        Self(Finder::new(folded.as_bytes()).into_owned())
    }

    /// An empty one is in everything (RFC 3501 §6.4.4).
    fn is_in(&self, folded: &str) -> bool {
        self.0.find(folded.as_bytes()).is_some()
    }

    fn is_empty(&self) -> bool {
        self.0.needle().is_empty()
    }
}

impl Plan {
    pub(super) fn of(key: &SearchKey, known: &Known<'_>) -> Plan {
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
            // Only a session knows sequence numbers.
            SearchKey::Sequence(_) => Plan::Constant(false),
            // RFC 8514 §4.3: every folder has them.
            SearchKey::SaveDateSupported => Plan::Constant(true),
            SearchKey::Uid(set) => Plan::Uids(set.resolve(known.highest)),
            SearchKey::Text(TextField::Header(name), text) => {
                let needle = Needle::new(&keys::folded_needle(text));
                let field = FIELDS
                    .iter()
                    .position(|(_, known)| known.eq_ignore_ascii_case(name));
                // Line feeds stand between fields of one name.
                match field.filter(|_| !text.contains('\n')) {
                    Some(field) => Plan::Field(field, needle),
                    None => Plan::Header {
                        name: name.clone(),
                        needle,
                    },
                }
            }
            SearchKey::Text(field, text) => {
                let needle = casemap::casemap(text);
                let scope = match field {
                    TextField::Body => Scope::Body,
                    _ => Scope::All,
                };
                let question = known.answer.question(scope, &needle);
                Plan::Holds(scope, Needle::new(&needle), question)
            }
            SearchKey::Before(date) => Plan::Day(i64::MIN, i64::from(date.days()) - 1),
            SearchKey::On(date) => Plan::Day(i64::from(date.days()), i64::from(date.days())),
            SearchKey::Since(date) => Plan::Day(i64::from(date.days()), i64::MAX),
            SearchKey::SavedBefore(date) => Plan::SavedDay(i64::MIN, i64::from(date.days()) - 1),
            SearchKey::SavedOn(date) => Plan::SavedDay(i64::from(date.days()), i64::from(date.days())),
            SearchKey::SavedSince(date) => Plan::SavedDay(i64::from(date.days()), i64::MAX),
            SearchKey::SentBefore(date) => Plan::SentDay(i64::MIN, i64::from(date.days()) - 1),
            SearchKey::SentOn(date) => Plan::SentDay(i64::from(date.days()), i64::from(date.days())),
            SearchKey::SentSince(date) => Plan::SentDay(i64::from(date.days()), i64::MAX),
            SearchKey::Larger(size) => Plan::LargerThan(*size),
            SearchKey::Smaller(size) => Plan::SmallerThan(*size),
            SearchKey::Older(seconds) => Plan::ReceivedTo(known.now - i64::from(*seconds)),
            SearchKey::Younger(seconds) => Plan::ReceivedFrom(known.now - i64::from(*seconds)),
            SearchKey::ModSeq(modseq) => Plan::ModSeq(*modseq),
            SearchKey::EmailId(id) => email_number(known.owner, id).map_or(Plan::Constant(false), Plan::Text),
            SearchKey::ThreadId(id) => {
                thread_number(known.owner, id).map_or(Plan::Constant(false), Plan::Thread)
            }
        }
    }

    fn cost(&self) -> u8 {
        match self {
            Plan::And(plans) | Plan::Or(plans) => plans.iter().map(Plan::cost).max().unwrap_or(0),
            Plan::Not(plan) => plan.cost(),
            Plan::SentDay(..) | Plan::SavedDay(..) | Plan::Thread(_) | Plan::Field(..) => 1,
            Plan::Header { .. } => 2,
            Plan::Holds(..) => 3,
            _ => 0,
        }
    }

    /// Whether one message may cost much.
    pub(super) fn reads_texts(&self) -> bool {
        self.cost() >= 2
    }

    /// Whether UID and text of a message are all that is needed of its row.
    pub(super) fn needs_few(&self) -> bool {
        match self {
            Plan::And(plans) | Plan::Or(plans) => plans.iter().all(Plan::needs_few),
            Plan::Not(plan) => plan.needs_few(),
            Plan::Constant(_)
            | Plan::UidFrom(_)
            | Plan::Uids(_)
            | Plan::Text(_)
            | Plan::Field(..)
            | Plan::Header { .. }
            | Plan::Holds(..)
            | Plan::SentDay(..) => true,
            _ => false,
        }
    }

    /// Which fields of the keys are needed, as bits, and whether the sent day is.
    pub(super) fn keys(&self) -> (u32, bool) {
        match self {
            Plan::And(plans) | Plan::Or(plans) => plans
                .iter()
                .map(Plan::keys)
                .fold((0, false), |a, b| (a.0 | b.0, a.1 | b.1)),
            Plan::Not(plan) => plan.keys(),
            Plan::Field(field, _) => (1 << field, false),
            Plan::SentDay(..) => (0, true),
            _ => (0, false),
        }
    }

    /// UIDs outside of these can't match.
    pub(super) fn bounds(&self) -> (Uid, Uid) {
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

    pub(super) fn matches(&self, message: &Candidate<'_, '_>) -> Result<bool> {
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
            Plan::Thread(thread) => message.thread()? == *thread,
            Plan::SavedDay(from, to) => (*from..=*to).contains(&message.saved()?.div_euclid(DAY_SECONDS)),
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
                headers(header).any(|field| {
                    field.is(name) && (needle.is_empty() || needle.is_in(&keys::folded(field.value)))
                })
            }
            Plan::Field(field, needle) => message.field(*field, |value| needle.is_in(value))?,
            Plan::Holds(scope, needle, question) => {
                needle.is_empty()
                    || match question.map_or(Verdict::Open, |question| message.verdict(question)) {
                        Verdict::Yes => true,
                        Verdict::No => false,
                        Verdict::Open => message.holds(*scope, &needle.0)?,
                    }
            }
        })
    }
}
