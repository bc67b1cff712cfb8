//! What the index says of the needles of one search: which texts hold them, which do not, and which must be looked at.
//!
//! It is gathered a segment at a time, so that other jobs of the owner get their turn. What it says of a text stays true whatever happens meanwhile: texts
//! do not change. A text that it does not know is looked at.

use std::cell::Cell;
use std::time::{Duration, Instant};

use memchr::memmem::Finder;
use rusqlite::Connection;
use wire::imap::{NumberRange, SearchKey, SeqNumber, SequenceSet, TextField};
use wire::message::casemap;
use wire::message::searchable::Scope;

use super::segment::{FIELDS, next_list, places_of};
use super::tables::{self, Head};
use super::terms::{END, Query};
use crate::Result;

/// The worker is given back after this time, and a segment.
const PORTION_TIME: Duration = Duration::from_millis(10);
/// Needles of one search that are looked up.
const QUESTIONS_MAX: usize = 32;
/// Texts that are read sooner than the index is asked.
const FEW: u64 = 16;

/// What is known of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Yes,
    No,
    /// It must be looked at.
    Open,
}

/// The needles of a search, and what is known of them.
#[derive(Default)]
pub(crate) struct Answer {
    questions: Vec<Question>,
    /// Texts of which something is known, ascending.
    texts: Vec<u64>,
    /// The last segment that was asked; `None`: all were.
    after: Option<i64>,
}

struct Question {
    scope: Scope,
    needle: String,
    query: Query,
    /// Of `texts`.
    verdicts: Vec<Verdict>,
}

/// Where a search is in the texts, which it mostly looks at in their order.
#[derive(Default)]
pub(crate) struct Place(Cell<usize>);

impl Answer {
    /// The questions of a search; `None`: it has none that an index may answer.
    pub(crate) fn to(key: &SearchKey) -> Option<Answer> {
        let mut questions = Vec::new();
        gather(key, &mut questions);
        (!questions.is_empty()).then_some(Answer {
            questions,
            texts: Vec::new(),
            after: Some(0),
        })
    }

    /// Asks some more segments; whether that was all.
    pub(crate) fn ask(&mut self, conn: &Connection) -> Result<bool> {
        let began = Instant::now();
        if tables::indexed_to(conn)?.is_none() {
            self.after = None;
        }
        while let Some(after) = self.after {
            if began.elapsed() >= PORTION_TIME {
                return Ok(false);
            }
            let head = tables::head_after(conn, after)?;
            self.after = head.as_ref().map(|head| head.id);
            if let Some(head) = head {
                self.ask_segment(conn, &head)?;
            }
        }
        Ok(true)
    }

    fn ask_segment(&mut self, conn: &Connection, head: &Head) -> Result<()> {
        // A segment that was merged with others while we were not looking may come again.
        let known = self.texts.last().copied().unwrap_or(0);
        let fresh = head.texts.partition_point(|&text| text <= known);
        for question in &mut self.questions {
            let found = question.places(conn, head)?;
            let verdict = if question.query.exact {
                Verdict::Yes
            } else {
                Verdict::Open
            };
            let from = question.verdicts.len();
            let all = (0..head.texts.len()).map(|place| {
                if found.contains(place) {
                    verdict
                } else {
                    Verdict::No
                }
            });
            question.verdicts.extend(all.skip(fresh));
            for &wide in &head.wide {
                let place = (wide as usize).checked_sub(fresh).map(|place| from + place);
                if let Some(verdict) = place.and_then(|place| question.verdicts.get_mut(place)) {
                    *verdict = Verdict::Open;
                }
            }
        }
        self.texts.extend(head.texts.iter().skip(fresh));
        Ok(())
    }

    /// The number of a question.
    pub(crate) fn question(&self, scope: Scope, needle: &str) -> Option<usize> {
        let same = |question: &Question| question.scope == scope && question.needle == needle;
        self.questions.iter().position(same)
    }

    pub(crate) fn verdict(&self, question: usize, text: u64, place: &Place) -> Verdict {
        let hint = place.0.get();
        let found = if self.texts.get(hint) == Some(&text) {
            Some(hint)
        } else {
            self.texts.binary_search(&text).ok()
        };
        let Some(found) = found else {
            return Verdict::Open;
        };
        place.0.set(found + 1);
        let verdicts = self.questions.get(question).map(|question| &question.verdicts);
        let verdict = verdicts.and_then(|verdicts| verdicts.get(found));
        verdict.copied().unwrap_or(Verdict::Open)
    }
}

/// Whether a search looks at a few messages only, whose texts are read sooner than the index is asked.
pub(crate) fn asks_few(key: &SearchKey) -> bool {
    match key {
        SearchKey::Uid(SequenceSet::Ranges(ranges)) => {
            let count = |range: &NumberRange| match (range.from, range.to) {
                (SeqNumber::Number(from), SeqNumber::Number(to)) => u64::from(from.abs_diff(to)) + 1,
                _ => FEW + 1,
            };
            ranges.iter().map(count).sum::<u64>() <= FEW
        }
        SearchKey::And(keys) => keys.iter().any(asks_few),
        _ => false,
    }
}

/// Whether a search reads texts, so that an index would help it.
pub(crate) fn asks_texts(key: &SearchKey) -> bool {
    match key {
        SearchKey::Text(TextField::Body | TextField::Text, _) => true,
        SearchKey::And(keys) => keys.iter().any(asks_texts),
        SearchKey::Or(first, second) => asks_texts(first) || asks_texts(second),
        SearchKey::Not(key) => asks_texts(key),
        _ => false,
    }
}

fn gather(key: &SearchKey, questions: &mut Vec<Question>) {
    match key {
        SearchKey::Text(field @ (TextField::Body | TextField::Text), text) => {
            let scope = if *field == TextField::Body {
                Scope::Body
            } else {
                Scope::All
            };
            let needle = casemap::casemap(text);
            let known = questions
                .iter()
                .any(|known| known.scope == scope && known.needle == needle);
            if known || questions.len() >= QUESTIONS_MAX {
                return;
            }
            if let Some(query) = Query::of(&needle) {
                questions.push(Question {
                    scope,
                    needle,
                    query,
                    verdicts: Vec::new(),
                });
            }
        }
        SearchKey::And(keys) => keys.iter().for_each(|key| gather(key, questions)),
        SearchKey::Or(first, second) => {
            gather(first, questions);
            gather(second, questions);
        }
        SearchKey::Not(key) => gather(key, questions),
        _ => {}
    }
}

impl Question {
    /// The texts of a segment that have a term for each pattern.
    fn places(&self, conn: &Connection, head: &Head) -> Result<Places> {
        let mut all: Option<Places> = None;
        let mut dictionaries = Vec::new();
        for (field, scope) in FIELDS.iter().enumerate() {
            if (self.scope == Scope::All || self.scope == *scope)
                && let Some((words, starts)) = tables::words(conn, head.id, field)?
            {
                dictionaries.push((field, words, starts));
            }
        }
        for pattern in &self.query.patterns {
            let mut places = Places::new(head.texts.len());
            for (field, words, starts) in &dictionaries {
                find(conn, (head.id, *field), words, starts, pattern, &mut places)?;
            }
            match &mut all {
                Some(all) => all.intersect(&places),
                None => all = Some(places),
            }
            if all.as_ref().is_some_and(Places::is_empty) {
                break;
            }
        }
        Ok(all.unwrap_or_default())
    }
}

/// Adds the texts that have a term with a pattern in it.
fn find(
    conn: &Connection,
    (segment, field): (i64, usize),
    words: &[u8],
    starts: &[u32],
    pattern: &[u8],
    places: &mut Places,
) -> Result<()> {
    // How many terms end before `counted`.
    let (mut number, mut counted) = (0_u32, 1_usize);
    let mut lists = Lists::default();
    let mut from = 0;
    let finder = Finder::new(pattern);
    while let Some(at) = words.get(from..).and_then(|rest| finder.find(rest)) {
        // A pattern that begins with the end of a term speaks of the next one.
        let within = from + at + usize::from(pattern.first() == Some(&END));
        number += memchr::memchr_iter(END, words.get(counted..within).unwrap_or_default()).count() as u32;
        counted = within.max(counted);
        lists.seek(conn, (segment, field), starts, number)?;
        places_of(lists.list()).for_each(|place| places.insert(place));
        // On to the next term: that this one has the pattern twice says nothing more. The END before it may begin a match.
        let Some(end) = words.get(within..).and_then(|rest| memchr::memchr(END, rest)) else {
            break;
        };
        from = within + end;
    }
    Ok(())
}

/// The lists of a dictionary, read in the order of their terms.
#[derive(Default)]
struct Lists {
    row: Option<usize>,
    data: Vec<u8>,
    /// Where the list of the term `next` begins in `data`.
    at: usize,
    next: u32,
    current: std::ops::Range<usize>,
}

impl Lists {
    fn seek(
        &mut self,
        conn: &Connection,
        (segment, field): (i64, usize),
        starts: &[u32],
        term: u32,
    ) -> Result<()> {
        let row = starts.partition_point(|&start| start <= term).saturating_sub(1);
        if self.row != Some(row) || term < self.next {
            self.data = tables::lists(conn, segment, field, row)?;
            (self.row, self.at) = (Some(row), 0);
            self.next = starts.get(row).copied().unwrap_or(0);
        }
        while self.next <= term {
            let row = self.data.get(self.at..).unwrap_or_default();
            let (list, rest) = next_list(row);
            let end = self.data.len() - rest.len();
            self.current = end - list.len()..end;
            self.at = end;
            self.next += 1;
        }
        Ok(())
    }

    fn list(&self) -> &[u8] {
        self.data.get(self.current.clone()).unwrap_or_default()
    }
}

/// A set of places in a segment.
#[derive(Clone, Debug, Default)]
struct Places(Vec<u64>);

impl Places {
    fn new(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn insert(&mut self, place: u32) {
        if let Some(word) = self.0.get_mut(place as usize / 64) {
            *word |= 1 << (place % 64);
        }
    }

    fn contains(&self, place: usize) -> bool {
        self.0
            .get(place / 64)
            .is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    fn intersect(&mut self, other: &Places) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= other;
        }
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
}
