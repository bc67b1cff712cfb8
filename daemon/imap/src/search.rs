//! SEARCH and UID SEARCH (RFC 9051 §6.4.4; RFC 4731, 5032, 5182, 7162).

use std::sync::Arc;

use mailbox::{ModSeq, Uid};
use wire::imap::{
    Charset, Flags, NumberRange, ResolvedSet, SearchKey, SearchProgram, SearchReturn, SeqNumber, SequenceSet,
    Tag,
};

use crate::esearch::Found;
use crate::reply::{Answer, Outcome, Verdict};
use crate::session::{Session, Tell};
use crate::sort::Sequenced;
use crate::view::View;

/// The charsets that texts may be written in, beside other names of them (RFC 9051 §7.1).
const BAD_CHARSET: &str = "BADCHARSET (US-ASCII UTF-8 ISO-8859-1 ISO-8859-2 ISO-8859-3 ISO-8859-4 ISO-8859-5 ISO-8859-6 ISO-8859-7 \
     ISO-8859-8 ISO-8859-10 ISO-8859-13 ISO-8859-14 ISO-8859-15 ISO-8859-16 KOI8-R KOI8-U IBM866 windows-874 windows-1250 \
     windows-1251 windows-1252 windows-1253 windows-1254 windows-1255 windows-1256 windows-1257 windows-1258 macintosh Big5 EUC-JP \
     EUC-KR GB18030 GBK ISO-2022-JP Shift_JIS)";

/// What a searching command looks for.
pub(crate) struct Search {
    pub(crate) charset: Charset,
    pub(crate) key: SearchKey,
    /// What it wants of the result.
    pub(crate) returns: Option<SearchReturn>,
}

/// What was found.
pub(crate) struct Matched {
    /// Ascending.
    pub(crate) uids: Vec<Uid>,
    /// What was looked for, if the result is to be kept up to date, and the folder's MODSEQ before.
    pub(crate) kept: Option<(SearchKey, ModSeq)>,
}

impl Session {
    pub(crate) async fn search(&mut self, tag: &Tag, uid: bool, program: SearchProgram) -> Outcome {
        self.tell(Tell::NoExpunge, uid).await?;
        // RFC 6855 §3: everything is UTF-8 then.
        if self.enabled.utf8_accept && program.charset != Charset::Unstated {
            return Ok(Answer::bad("no CHARSET after ENABLE UTF8=ACCEPT"));
        }
        let with_modseq = asks_modseq(&program.key);
        let search = Search {
            charset: program.charset,
            key: program.key,
            returns: program.returns,
        };
        let Matched { uids, kept } = match self.matching(tag, search).await {
            Ok(matched) => matched,
            Err(answer) => return Ok(answer),
        };
        // RFC 9051 §6.4.4: IMAP4rev2 knows no other answer.
        let all = SearchReturn {
            all: true,
            ..SearchReturn::default()
        };
        let result = Sequenced {
            word: b"* SEARCH",
            uids,
            sorted_by: None,
            returns: program.returns.or(self.enabled.rev2.then_some(all)),
            with_modseq,
            kept,
            update_items: program.update_items,
            named: false,
        };
        self.tell_result(tag, uid, result).await
    }

    /// The messages that match, as far as the client knows them.
    pub(crate) async fn matching(&mut self, tag: &Tag, search: Search) -> Result<Matched, Answer> {
        let returns = search.returns.unwrap_or_default();
        if returns.update && self.is_tag_in_use(tag) {
            return Err(Answer::bad("this tag is in use for updates"));
        }
        // RFC 7162 §3.1: a MODSEQ key enables CONDSTORE.
        self.enable_condstore(asks_modseq(&search.key));
        let Some(view) = &mut self.view else {
            return Err(Answer::bad("no mailbox"));
        };
        let modseq = view.watch.borrow().modseq;
        let found = match search.charset {
            Charset::Unknown(_) => Err(unknown_charset()),
            Charset::Unstated | Charset::Known => match numbered(search.key, view) {
                Ok(key) => {
                    let kept = returns.update.then(|| (key.clone(), modseq));
                    let found = view.find(key).await;
                    found.map(|uids| Matched { uids, kept })
                }
                Err(answer) => Err(answer),
            },
        };
        // RFC 5182 §2.1: a search with SAVE that is answered with NO empties the saved result.
        if returns.save && found.as_ref().is_err_and(|answer| answer.verdict == Verdict::No) {
            view.saved = ResolvedSet::default();
        }
        found
    }
}

impl View {
    /// The messages that match, ascending. Numbers beyond the last message are no error: they may be right in another mailbox.
    pub(crate) async fn matching(&self, charset: &Charset, key: SearchKey) -> Result<Vec<Uid>, Answer> {
        if matches!(charset, Charset::Unknown(_)) {
            return Err(unknown_charset());
        }
        let Ok(key) = replaced::<std::convert::Infallible>(key, &|key| {
            Ok(match key {
                SearchKey::Sequence(set) => {
                    let there = self.numbers_there(&set);
                    uid_key(&ResolvedSet::from_numbers(self.uids_of(&there)))
                }
                SearchKey::Uid(SequenceSet::Saved) => uid_key(&self.saved),
                key => key,
            })
        });
        self.find(key).await
    }

    /// The messages that match, ascending, as far as the client knows them. No message numbers and no `$` in the key.
    pub(crate) async fn find(&self, key: SearchKey) -> Result<Vec<Uid>, Answer> {
        let key = bound(key, self);
        if is_local(&key) {
            return Ok(self.uids().iter().filter(|uid| matches(&key, *uid)).collect());
        }
        let owner = &self.place.spot.owner;
        let mut found = owner.search(self.folder.id, Arc::new(key), now()).await?;
        let mut numbers = self.numbers();
        found.retain(|&uid| numbers.index(uid).is_some());
        Ok(found)
    }

    /// Messages with their numbers, in the order given; without those that the client does not know.
    pub(crate) async fn found(&self, uids: &[Uid], with_modseq: bool) -> Result<Vec<Found>, Answer> {
        let mut ascending = Vec::new();
        let mut known = Vec::new();
        if with_modseq {
            ascending = uids.to_vec();
            ascending.sort_unstable();
            known = modseqs(self, &ascending).await?;
        }
        let found = uids.iter().filter_map(|&uid| {
            let at = ascending.binary_search(&uid).ok();
            Some(Found {
                uid,
                number: self.index(uid)? as u32 + 1,
                modseq: at.and_then(|at| known.get(at).copied()).unwrap_or(0),
            })
        });
        Ok(found.collect())
    }
}

fn unknown_charset() -> Answer {
    Answer::no("unknown charset").with(BAD_CHARSET)
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

pub(crate) fn asks_modseq(key: &SearchKey) -> bool {
    match key {
        SearchKey::ModSeq(_) => true,
        SearchKey::And(keys) => keys.iter().any(asks_modseq),
        SearchKey::Or(first, second) => asks_modseq(first) || asks_modseq(second),
        SearchKey::Not(key) => asks_modseq(key),
        _ => false,
    }
}

pub(crate) fn uid_key(set: &ResolvedSet) -> SearchKey {
    let range = |&(from, to): &(u32, u32)| NumberRange {
        from: SeqNumber::Number(from),
        to: SeqNumber::Number(to),
    };
    SearchKey::Uid(SequenceSet::Ranges(set.ranges().iter().map(range).collect()))
}

/// Puts UIDs for message numbers and `$`: these mean what they mean now.
fn numbered(key: SearchKey, view: &View) -> Result<SearchKey, Answer> {
    replaced(key, &|key| {
        Ok(match key {
            SearchKey::Sequence(set) => {
                // `9:*` asks for what has come since, and is no error where nothing has.
                let there = if set.has_star() {
                    view.numbers_there(&set)
                } else {
                    view.indices(&set, false)?
                };
                uid_key(&ResolvedSet::from_numbers(view.uids_of(&there)))
            }
            SearchKey::Uid(SequenceSet::Saved) => uid_key(&view.saved),
            key => key,
        })
    })
}

/// Puts UIDs for what only this session knows: `*`, and what is recent.
fn bound(key: SearchKey, view: &View) -> SearchKey {
    let replaced = replaced::<std::convert::Infallible>(key, &|key| {
        Ok(match key {
            SearchKey::Uid(set) => uid_key(&set.resolve(view.last_uid())),
            SearchKey::Recent(true) => uid_key(&view.recent_set()),
            SearchKey::Recent(false) => SearchKey::Not(Box::new(uid_key(&view.recent_set()))),
            SearchKey::New => SearchKey::And(vec![
                uid_key(&view.recent_set()),
                SearchKey::Flag(Flags::SEEN, false),
            ]),
            key => key,
        })
    });
    match replaced {
        Ok(key) => key,
    }
}

/// Replaces the keys that hold no other keys.
fn replaced<E>(key: SearchKey, by: &impl Fn(SearchKey) -> Result<SearchKey, E>) -> Result<SearchKey, E> {
    Ok(match key {
        SearchKey::And(keys) => {
            let keys: Result<_, E> = keys.into_iter().map(|key| replaced(key, by)).collect();
            SearchKey::And(keys?)
        }
        SearchKey::Or(first, second) => {
            SearchKey::Or(Box::new(replaced(*first, by)?), Box::new(replaced(*second, by)?))
        }
        SearchKey::Not(key) => SearchKey::Not(Box::new(replaced(*key, by)?)),
        key => by(key)?,
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
