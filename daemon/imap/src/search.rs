//! SEARCH and UID SEARCH (RFC 9051 §6.4.4; RFC 4731, 5032, 5182, 7162).

use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use mailbox::{ModSeq, Uid};
use wire::imap::render::{put_number, put_quoted, put_set};
use wire::imap::{
    Charset, Flags, NumberRange, ResolvedSet, SearchKey, SearchProgram, SearchReturn, SeqNumber, SequenceSet,
    Tag,
};

use crate::reply::{Answer, COMPLETED, Outcome};
use crate::session::{Session, Tell};
use crate::view::View;

impl Session {
    pub(crate) async fn search(&mut self, tag: &Tag, uid: bool, program: SearchProgram) -> Outcome {
        self.tell(Tell::NoExpunge, uid).await?;
        if let Charset::Unknown(_) = program.charset {
            return Ok(Answer::no("unknown charset").with("BADCHARSET (UTF-8 US-ASCII)"));
        }
        // RFC 6855 §3: everything is UTF-8 then.
        if self.enabled.utf8_accept && program.charset != Charset::Unstated {
            return Ok(Answer::bad("no CHARSET after ENABLE UTF8=ACCEPT"));
        }
        if program.returns.is_some_and(|returns| returns.partial.is_some()) {
            return Ok(Answer::bad("PARTIAL is not offered"));
        }
        let with_modseq = asks_modseq(&program.key);
        // RFC 7162 §3.1: a MODSEQ key enables CONDSTORE.
        self.enabled.condstore |= with_modseq;
        let Some(view) = &mut self.view else {
            return Ok(Answer::bad("no mailbox"));
        };
        let saves = program.returns.is_some_and(|returns| returns.save);
        let key = match bound(program.key, view) {
            Ok(key) => key,
            Err(answer) => return Ok(answer),
        };
        let found = if is_local(&key) {
            view.uids().iter().filter(|uid| matches(&key, *uid)).collect()
        } else {
            match view
                .place
                .spot
                .owner
                .search(view.folder.id, Arc::new(key), now())
                .await
            {
                Ok(found) => found,
                Err(error) => {
                    // RFC 5182 §2.1: a SEARCH with SAVE that fails empties the saved result.
                    if saves {
                        view.saved = ResolvedSet::default();
                    }
                    return Ok(error.into());
                }
            }
        };
        let modseqs = if with_modseq {
            match modseqs(view, &found).await {
                Ok(modseqs) => modseqs,
                Err(error) => return Ok(error.into()),
            }
        } else {
            Vec::new()
        };
        let mut numbers = view.numbers();
        let found: Vec<Found> = found
            .into_iter()
            .enumerate()
            .filter_map(|(at, uid)| {
                Some(Found {
                    uid,
                    number: numbers.index(uid)? as u32 + 1,
                    modseq: modseqs.get(at).copied().unwrap_or(0),
                })
            })
            .collect();
        let result = Report {
            found: &found,
            uid,
            with_modseq,
        };
        let rev2 = self.enabled.rev2;
        match program.returns.or(rev2.then_some(SearchReturn {
            all: true,
            ..SearchReturn::default()
        })) {
            Some(returns) => {
                if returns.save {
                    view.saved = result.saved(returns);
                }
                result.put_esearch(self.conn.output(), tag, returns);
            }
            None => result.put_search(self.conn.output()),
        }
        Ok(Answer::ok(COMPLETED))
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn asks_modseq(key: &SearchKey) -> bool {
    match key {
        SearchKey::ModSeq(_) => true,
        SearchKey::And(keys) => keys.iter().any(asks_modseq),
        SearchKey::Or(first, second) => asks_modseq(first) || asks_modseq(second),
        SearchKey::Not(key) => asks_modseq(key),
        _ => false,
    }
}

fn uid_key(set: &ResolvedSet) -> SearchKey {
    let range = |&(from, to): &(u32, u32)| NumberRange {
        from: SeqNumber::Number(from),
        to: SeqNumber::Number(to),
    };
    SearchKey::Uid(SequenceSet::Ranges(set.ranges().iter().map(range).collect()))
}

/// Puts UIDs for what only this session knows: message numbers, `*`, `$` and what is recent.
fn bound(key: SearchKey, view: &View) -> Result<SearchKey, Answer> {
    Ok(match key {
        SearchKey::Sequence(set) => {
            let uids = view.uids_of(&view.indices(&set, false)?);
            uid_key(&ResolvedSet::from_numbers(uids))
        }
        SearchKey::Uid(SequenceSet::Saved) => uid_key(&view.saved),
        SearchKey::Uid(set) => uid_key(&set.resolve(view.last_uid())),
        SearchKey::Recent(true) => uid_key(&view.recent_set()),
        SearchKey::Recent(false) => SearchKey::Not(Box::new(uid_key(&view.recent_set()))),
        SearchKey::New => SearchKey::And(vec![
            uid_key(&view.recent_set()),
            SearchKey::Flag(Flags::SEEN, false),
        ]),
        SearchKey::And(keys) => SearchKey::And(
            keys.into_iter()
                .map(|key| bound(key, view))
                .collect::<Result<_, _>>()?,
        ),
        SearchKey::Or(first, second) => {
            SearchKey::Or(Box::new(bound(*first, view)?), Box::new(bound(*second, view)?))
        }
        SearchKey::Not(key) => SearchKey::Not(Box::new(bound(*key, view)?)),
        key => key,
    })
}

/// The MODSEQs of ascending UIDs; 0 for what is gone.
async fn modseqs(view: &View, uids: &[Uid]) -> mailbox::Result<Vec<ModSeq>> {
    let mut modseqs = vec![0; uids.len()];
    let (Some(&first), Some(&last)) = (uids.first(), uids.last()) else {
        return Ok(modseqs);
    };
    let mut left = uids.iter().zip(&mut modseqs).peekable();
    let mut from = Some(first);
    while let Some(first) = from {
        let (rows, next) = view
            .place
            .spot
            .owner
            .rows(view.folder.id, vec![(first, last)], 0)
            .await?;
        for row in rows {
            while left.next_if(|(uid, _)| **uid < row.uid).is_some() {}
            if let Some((_, modseq)) = left.next_if(|(uid, _)| **uid == row.uid) {
                *modseq = row.modseq;
            }
        }
        from = next;
    }
    Ok(modseqs)
}

/// Whether the messages at hand answer it.
fn is_local(key: &SearchKey) -> bool {
    match key {
        SearchKey::All | SearchKey::Uid(_) => true,
        SearchKey::And(keys) => keys.iter().all(is_local),
        SearchKey::Or(first, second) => is_local(first) && is_local(second),
        SearchKey::Not(key) => is_local(key),
        _ => false,
    }
}

fn matches(key: &SearchKey, uid: Uid) -> bool {
    match key {
        SearchKey::All => true,
        SearchKey::Uid(set) => contains(set, uid),
        SearchKey::And(keys) => keys.iter().all(|key| matches(key, uid)),
        SearchKey::Or(first, second) => matches(first, uid) || matches(second, uid),
        SearchKey::Not(key) => !matches(key, uid),
        _ => false,
    }
}

/// Whether a set that `uid_key` made (ascending, disjoint) holds the UID.
fn contains(set: &SequenceSet, uid: Uid) -> bool {
    let SequenceSet::Ranges(ranges) = set else {
        return false;
    };
    let number = |end| match end {
        SeqNumber::Number(number) => number,
        SeqNumber::Star => u32::MAX,
    };
    let after = ranges.partition_point(|range| number(range.from) <= uid);
    after
        .checked_sub(1)
        .and_then(|at| ranges.get(at))
        .is_some_and(|range| uid <= number(range.to))
}

#[derive(Clone, Copy)]
struct Found {
    uid: Uid,
    number: u32,
    modseq: ModSeq,
}

/// A result, as numbers or UIDs.
struct Report<'a> {
    found: &'a [Found],
    uid: bool,
    with_modseq: bool,
}

impl Report<'_> {
    fn number(&self, found: &Found) -> u32 {
        if self.uid { found.uid } else { found.number }
    }

    /// RFC 5182 §2.1: MIN and MAX save only what they name, unless ALL or COUNT stands beside them.
    fn saved(&self, returns: SearchReturn) -> ResolvedSet {
        let ends = (returns.min || returns.max) && !returns.all && !returns.count;
        if !ends {
            return ResolvedSet::from_numbers(self.found.iter().map(|found| found.uid));
        }
        let min = self.found.first().filter(|_| returns.min).map(|found| found.uid);
        let max = self.found.last().filter(|_| returns.max).map(|found| found.uid);
        ResolvedSet::from_numbers(min.into_iter().chain(max))
    }

    /// `* SEARCH 2 84 882 (MODSEQ 12)`
    fn put_search(&self, out: &mut BytesMut) {
        out.put_slice(b"* SEARCH");
        for found in self.found {
            out.put_u8(b' ');
            put_number(out, u64::from(self.number(found)));
        }
        if let Some(modseq) = self.highest(self.found) {
            out.put_slice(format!(" (MODSEQ {modseq})").as_bytes());
        }
        out.put_slice(b"\r\n");
    }

    /// RFC 7162 §3.1.5: the highest of those that are told of.
    fn highest<'a>(&self, told: impl IntoIterator<Item = &'a Found>) -> Option<ModSeq> {
        told.into_iter()
            .map(|found| found.modseq)
            .max()
            .filter(|_| self.with_modseq)
    }

    /// RFC 4731 §3.1. With nothing but SAVE there is nothing to tell.
    fn put_esearch(&self, out: &mut BytesMut, tag: &Tag, returns: SearchReturn) {
        let SearchReturn {
            min, max, all, count, ..
        } = returns;
        if returns.save && !(min || max || all || count) {
            return;
        }
        out.put_slice(b"* ESEARCH (TAG ");
        put_quoted(out, tag.as_str().as_bytes());
        out.put_slice(if self.uid { b") UID" } else { b")" });
        let (first, last) = (self.found.first(), self.found.last());
        if let Some(found) = first.filter(|_| min) {
            out.put_slice(format!(" MIN {}", self.number(found)).as_bytes());
        }
        if let Some(found) = last.filter(|_| max) {
            out.put_slice(format!(" MAX {}", self.number(found)).as_bytes());
        }
        if all && !self.found.is_empty() {
            out.put_slice(b" ALL ");
            put_set(
                out,
                &ResolvedSet::from_numbers(self.found.iter().map(|found| self.number(found))),
            );
        }
        if count {
            out.put_slice(format!(" COUNT {}", self.found.len()).as_bytes());
        }
        let modseq = if all || count {
            self.highest(self.found)
        } else {
            self.highest(first.filter(|_| min).into_iter().chain(last.filter(|_| max)))
        };
        if let Some(modseq) = modseq {
            out.put_slice(format!(" MODSEQ {modseq}").as_bytes());
        }
        out.put_slice(b"\r\n");
    }
}
