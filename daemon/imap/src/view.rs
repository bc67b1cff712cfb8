//! The selected folder as its client knows it: which message has which number, and up to where it was told what changed.
//!
//! `told` is what the client has numbers for; it is shared with the store and with other sessions as long as it is the same. Nothing else is kept of a
//! message: flags, keywords and MODSEQs are read from the store when a command asks for them.
//!
//! Invariants:
//! - The message at place n of `told` has the sequence number n + 1 for the client. `told` changes only where the client is told: an EXPUNGE or
//!   VANISHED takes out, an EXISTS adds at the end.
//! - Every change of a message of `told` with a MODSEQ of at most `modseq` was told, or was the client's own doing and is known to it.
//! - What the store has lost and the client still has numbers for is `told` without the store's set. It is computed, never recorded, so that no
//!   history can make it wrong; it waits until an EXPUNGE is allowed.
//! - `own` names MODSEQs beyond `modseq` that this session's commands have made: they are not told again.
//!
//! Must not know: how messages are stored, what a command is.

use std::ops::Range;
use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use mailbox::{
    Changes, FOLDER_GONE, Folder, FolderNow, MailboxError, ModSeq, Row, Selected, Stored, Uid, UidSet,
};
use shared::Rights;
use smallvec::SmallVec;
use tokio::sync::watch;
use wire::imap::render::{put_flags, put_number, put_set};
use wire::imap::{ResolvedSet, SequenceSet};

use crate::contexts::Contexts;
use crate::fetch::{Ahead, Known};
use crate::place::{Place, no_permission};
use crate::reply::{Answer, BYE_FOLDER_GONE, End, untagged_number};

const READ_ONLY: &str = "the mailbox was only examined";

/// A selected folder.
pub(crate) struct View {
    pub(crate) folder: Folder,
    /// Whose it is, and what may be done with it.
    pub(crate) place: Place,
    pub(crate) read_only: bool,
    /// It was not EXAMINE.
    pub(crate) to_write: bool,
    /// The changes of the owner and of the directory that `place.rights` take account of.
    pub(crate) rights_as_of: (u64, u64),
    pub(crate) keywords: Vec<String>,
    /// What SEARCH RETURN (SAVE) kept (RFC 5182), as UIDs.
    pub(crate) saved: ResolvedSet,
    /// Results that are kept up to date (RFC 5267).
    pub(crate) contexts: Option<Box<Contexts>>,
    told: Arc<UidSet>,
    modseq: ModSeq,
    own: SmallVec<[ModSeq; 2]>,
    /// UIDs that are recent for this session: ascending ranges.
    recent: SmallVec<[(Uid, Uid); 1]>,
    /// Messages of `told` are gone and that was not told.
    behind: bool,
    keywords_changed: bool,
    /// What the store has now.
    pub(crate) watch: watch::Receiver<FolderNow>,
    /// What was read before the client asks for it.
    pub(crate) ahead: Option<Box<Ahead>>,
    /// The large message that was looked at last.
    pub(crate) known: Option<Box<Known>>,
}

/// What an announcement may and should hold.
#[derive(Clone, Copy)]
pub(crate) struct Telling {
    /// RFC 9051 §7.5.1: no EXPUNGE while FETCH, STORE or SEARCH is in progress.
    pub(crate) expunges: bool,
    /// The client knows of MODSEQ (RFC 7162 §3.1).
    pub(crate) modseq: bool,
    /// VANISHED instead of EXPUNGE (RFC 7162 §3.2.10).
    pub(crate) vanished: bool,
    /// IMAP4rev2 has no RECENT.
    pub(crate) recent: bool,
    /// After a UID command: FETCH responses carry the UID.
    pub(crate) uid: bool,
}

/// What the client does not know yet.
pub(crate) struct News {
    uids: Arc<UidSet>,
    rows: Vec<Row>,
    /// There are more changed messages from this UID on.
    next: Option<Uid>,
    since: ModSeq,
    own: SmallVec<[ModSeq; 2]>,
}

impl News {
    /// RFC 9051 §6.4.6: what the client has done by itself it knows.
    fn drop_own(&mut self) {
        if !self.own.is_empty() {
            self.rows.retain(|row| !self.own.contains(&row.modseq));
        }
    }
}

/// Finds the numbers of ascending UIDs.
pub(crate) struct Numbers<'a> {
    uids: &'a UidSet,
    run: Option<(Uid, Uid)>,
    /// The index of the run's first.
    start: usize,
}

/// Ranges of one VANISHED.
const VANISHED_RANGES_MAX: usize = 1000;
/// Runs that are passed over one by one before the set is asked anew.
const RUNS_PASSED_MAX: usize = 8;

impl Numbers<'_> {
    pub(crate) fn index(&mut self, uid: Uid) -> Option<usize> {
        for _ in 0..RUNS_PASSED_MAX {
            let Some((first, last)) = self.run else { break };
            if uid <= last {
                return (uid >= first).then(|| self.start + (uid - first) as usize);
            }
            self.start += (last - first) as usize + 1;
            self.run = self.uids.next_range(last.checked_add(1)?, Uid::MAX);
        }
        self.run = Some(self.uids.next_range(uid, Uid::MAX)?);
        self.start = self.uids.rank(uid);
        self.run.filter(|run| run.0 == uid).map(|_| self.start)
    }
}

impl View {
    pub(crate) fn new(selected: Selected, place: Place, examine: bool) -> Self {
        let mut view = Self {
            folder: selected.folder,
            read_only: is_read_only(&place, examine),
            place,
            to_write: !examine,
            rights_as_of: (0, 0),
            keywords: selected.keywords,
            saved: ResolvedSet::default(),
            contexts: None,
            told: selected.uids,
            modseq: selected.status.highest_modseq,
            own: SmallVec::new(),
            recent: SmallVec::new(),
            behind: false,
            keywords_changed: false,
            watch: selected.watch,
            ahead: None,
            known: None,
        };
        if selected.recent_from > 0 && selected.recent_from <= view.last_uid() {
            view.recent.push((selected.recent_from, view.last_uid()));
        }
        view
    }

    /// Rights can be taken away while it is selected.
    pub(crate) fn may_read(&self) -> bool {
        self.place.rights.contains(Rights::READ)
    }

    /// Whether what needs any of these rights may be done.
    pub(crate) fn permit(&self, any: Rights) -> Result<(), Answer> {
        if !self.to_write {
            return Err(Answer::no(READ_ONLY).with("READ-ONLY"));
        }
        if self.place.rights.intersects(any) {
            Ok(())
        } else {
            Err(no_permission())
        }
    }

    /// The messages that the client has numbers for.
    pub(crate) fn uids(&self) -> &Arc<UidSet> {
        &self.told
    }

    /// How many these are.
    pub(crate) fn len(&self) -> usize {
        self.told.len()
    }

    pub(crate) fn last_uid(&self) -> Uid {
        self.told.last().unwrap_or(0)
    }

    /// Up to where the client knows all changes.
    pub(crate) fn modseq(&self) -> ModSeq {
        self.modseq
    }

    /// Some are gone that the client still has numbers for.
    pub(crate) fn is_behind(&self) -> bool {
        self.behind
    }

    pub(crate) fn is_recent(&self, uid: Uid) -> bool {
        self.recent.iter().any(|&(from, to)| (from..=to).contains(&uid))
    }

    pub(crate) fn recent_count(&self) -> u64 {
        let count = |&(from, to): &(Uid, Uid)| self.range_of(from, to).len() as u64;
        self.recent.iter().map(count).sum()
    }

    /// The recent UIDs as a set.
    pub(crate) fn recent_set(&self) -> ResolvedSet {
        ResolvedSet::from_sorted(self.recent.iter().copied())
    }

    /// New messages from one UID to another are recent.
    fn add_recent(&mut self, from: Uid, last: Uid) {
        let known = self.last_uid();
        match self.recent.last_mut() {
            // All between them are recent.
            Some(range) if range.1 >= known && from == known.saturating_add(1) => range.1 = last,
            _ => self.recent.push((from, last)),
        }
    }

    /// The index of a UID.
    pub(crate) fn index(&self, uid: Uid) -> Option<usize> {
        self.told.index(uid)
    }

    /// The same for UIDs that ascend.
    pub(crate) fn numbers(&self) -> Numbers<'_> {
        Numbers {
            uids: &self.told,
            run: None,
            start: 0,
        }
    }

    fn range_of(&self, from: Uid, to: Uid) -> Range<usize> {
        let start = self.told.rank(from);
        let end = to
            .checked_add(1)
            .map_or(self.len(), |after| self.told.rank(after));
        start..end.max(start)
    }

    /// The indices that a set of the client means, ascending.
    pub(crate) fn indices(&self, set: &SequenceSet, uid: bool) -> Result<Vec<Range<usize>>, Answer> {
        if *set == SequenceSet::Saved {
            return Ok(self.index_ranges(&self.saved));
        }
        if uid {
            // RFC 9051 §6.4.9: UIDs that don't exist are let go without an error.
            return Ok(self.index_ranges(&set.resolve(self.last_uid())));
        }
        let count = u32::try_from(self.len()).unwrap_or(u32::MAX);
        // RFC 9051 §9, seq-number: none is right in an empty folder, `*` neither.
        if count == 0 || set.highest_written().is_some_and(|highest| highest > count) {
            return Err(Answer::bad("no such message number"));
        }
        Ok(self.numbers_there(set))
    }

    /// The indices of the message numbers of a set that are there: none is wrong.
    pub(crate) fn numbers_there(&self, set: &SequenceSet) -> Vec<Range<usize>> {
        if *set == SequenceSet::Saved {
            return self.index_ranges(&self.saved);
        }
        let count = u32::try_from(self.len()).unwrap_or(u32::MAX);
        let set = set.resolve(count).clamp(count);
        let ranges = set.ranges().iter();
        ranges.map(|&(from, to)| from as usize - 1..to as usize).collect()
    }

    fn index_ranges(&self, set: &ResolvedSet) -> Vec<Range<usize>> {
        let ranges = set.ranges().iter().map(|&(from, to)| self.range_of(from, to));
        ranges.filter(|range| !range.is_empty()).collect()
    }

    /// The ranges of UIDs, ascending, that a set of the client means. They may span UIDs that the client does not know.
    pub(crate) fn uid_ranges(&self, ranges: &[Range<usize>]) -> Vec<(Uid, Uid)> {
        let ends = |range: &Range<usize>| {
            let last = self.told.nth(range.end.checked_sub(1)?)?;
            Some((self.told.nth(range.start)?, last))
        };
        ranges.iter().filter_map(ends).collect()
    }

    pub(crate) fn uids_of(&self, ranges: &[Range<usize>]) -> Vec<Uid> {
        let mut uids = Vec::with_capacity(ranges.iter().map(Range::len).sum());
        for (first, last) in self.uid_ranges(ranges) {
            for (first, last) in self.told.ranges(first, last) {
                uids.extend(first..=last);
            }
        }
        uids
    }

    /// Asks the store what the client does not know. Costs nothing if the folder has not changed.
    pub(crate) async fn sync(&mut self) -> Result<Option<News>, End> {
        let now = self.watch.borrow_and_update().modseq;
        if now == FOLDER_GONE {
            return Err(End::Bye(BYE_FOLDER_GONE));
        }
        if now <= self.modseq && !self.behind {
            return Ok(None);
        }
        let (known, owner) = (self.last_uid(), &self.place.spot.owner);
        match owner
            .changes(self.folder.id, self.modseq, known, !self.read_only)
            .await
        {
            Ok(changes) if changes.gone => Err(End::Bye(BYE_FOLDER_GONE)),
            Ok(changes) => Ok(Some(self.learn(changes))),
            Err(MailboxError::NoSuchFolder) => Err(End::Bye(BYE_FOLDER_GONE)),
            // Not now; the next command asks again.
            Err(_) => Ok(None),
        }
    }

    /// Takes in what is not told message by message.
    fn learn(&mut self, changes: Changes) -> News {
        self.learn_keywords(changes.keywords);
        let since = self.modseq;
        self.modseq = since.max(changes.highest_modseq);
        let mut news = News {
            uids: changes.uids,
            rows: changes.rows,
            next: changes.next,
            since,
            own: std::mem::take(&mut self.own),
        };
        news.drop_own();
        if changes.recent_from > 0 {
            let new_from = self.last_uid().saturating_add(1).max(changes.recent_from);
            if let Some(last) = news.uids.last().filter(|last| *last >= new_from) {
                self.add_recent(new_from, last);
            }
        }
        news
    }

    /// Whether nothing has happened but that these went.
    pub(crate) fn is_only_loss(&self, news: &News, gone: &[Uid]) -> bool {
        let lost = self.told.minus(&news.uids);
        news.rows.is_empty()
            && news.uids.minus(&self.told).is_empty()
            && lost
                .into_iter()
                .flat_map(|(first, last)| first..=last)
                .eq(gone.iter().copied())
    }

    /// The next changed messages.
    pub(crate) async fn more(&mut self, mut news: News) -> Option<News> {
        let from = news.next?;
        let ranges = vec![(from, self.last_uid())];
        let owner = &self.place.spot.owner;
        let Ok((rows, next)) = owner.rows(self.folder.id, ranges, news.since).await else {
            // Not now; the next command asks again for all.
            self.modseq = news.since;
            return None;
        };
        (news.rows, news.next) = (rows, next);
        news.drop_own();
        Some(news)
    }

    /// This session's command has set flags; it tells its client by itself of all these messages but those that it gives back: somebody else has changed
    /// them, and that was not told.
    pub(crate) fn note_stored(&mut self, stored: &Stored) -> SmallVec<[Uid; 2]> {
        let changed_by_others = stored.rows.iter().zip(&stored.before);
        let others = changed_by_others
            .filter(|(_, before)| **before > self.modseq && !self.own.contains(before))
            .map(|(row, _)| row.uid)
            .collect();
        if let Some(ahead) = &mut self.ahead {
            ahead.learn(stored);
        }
        if stored.highest_modseq > stored.highest_before {
            if self.modseq == stored.highest_before {
                self.modseq = stored.highest_modseq;
            } else {
                self.own.push(stored.highest_modseq);
            }
        }
        others
    }

    /// A FETCH of the messages from `first` to `last` is done: if the client reads on, what follows is read.
    pub(crate) async fn read_on(&mut self, (first, last, count): (Uid, Uid, usize)) {
        let told = &self.told;
        let next = |uid: Uid| told.next_range(uid.saturating_add(1), Uid::MAX);
        let follows = |last: Uid, first: Uid| next(last).is_some_and(|range| range.0 == first);
        let after = |uid: Uid, count: usize| {
            let ranges = told.ranges(uid.saturating_add(1), Uid::MAX);
            ranges
                .flat_map(|(first, last)| first..=last)
                .take(count)
                .collect()
        };
        let (owner, folder) = (&self.place.spot.owner, self.folder.id);
        let now = self.watch.borrow().modseq;
        let ahead = self.ahead.get_or_insert_default();
        ahead.as_of(now);
        ahead
            .read_on(owner, folder, (first, last, count), follows, after)
            .await;
    }

    /// The client is told again which flags are kept.
    pub(crate) fn tell_keywords(&mut self) {
        self.keywords_changed = true;
    }

    /// The folder's keywords, if any were given.
    pub(crate) fn learn_keywords(&mut self, keywords: Vec<String>) {
        if keywords.len() > self.keywords.len() {
            self.keywords = keywords;
            self.keywords_changed = true;
        }
    }

    /// Takes what is gone out of the results that are kept up to date; before [`Self::announce`].
    pub(crate) fn remove_from_contexts(&mut self, out: &mut BytesMut, news: &News) {
        if let Some(mut contexts) = self.contexts.take() {
            if !Arc::ptr_eq(&self.told, &news.uids) {
                contexts.remove(&self.told.minus(&news.uids), self, out);
            }
            self.contexts = Some(contexts);
        }
    }

    /// Tells the client what it does not know yet, but for [`Self::put_changed`].
    pub(crate) fn announce(&mut self, out: &mut BytesMut, news: &News, telling: Telling) {
        self.announce_keywords(out);
        if Arc::ptr_eq(&self.told, &news.uids) {
            self.behind = false;
            return;
        }
        let gone = self.told.minus(&news.uids);
        if telling.expunges {
            self.tell_expunged(out, &gone, telling.vanished);
        }
        self.behind = !telling.expunges && !gone.is_empty();
        let known = self.len();
        if self.behind {
            let from = self.last_uid().saturating_add(1);
            let mut new = news.uids.ranges(from, Uid::MAX).peekable();
            if new.peek().is_some() {
                let told = Arc::make_mut(&mut self.told);
                new.for_each(|(first, last)| told.insert(first, last));
            }
        } else {
            self.told = Arc::clone(&news.uids);
        }
        if self.len() > known {
            untagged_number(out, self.len() as u64, "EXISTS");
            if telling.recent {
                untagged_number(out, self.recent_count(), "RECENT");
            }
        }
    }

    /// The flags of changed messages that the client knows.
    pub(crate) fn put_changed(&self, out: &mut BytesMut, news: &News, telling: Telling) {
        let mut numbers = self.numbers();
        for row in &news.rows {
            if let Some(index) = numbers.index(row.uid) {
                self.put_flags_response(out, index, row, telling);
            }
        }
    }

    /// `* n FETCH (FLAGS (…))`
    pub(crate) fn put_flags_response(&self, out: &mut BytesMut, index: usize, row: &Row, telling: Telling) {
        out.put_slice(b"* ");
        put_number(out, index as u64 + 1);
        out.put_slice(b" FETCH (");
        if telling.uid || telling.modseq {
            out.put_slice(b"UID ");
            put_number(out, u64::from(row.uid));
            out.put_u8(b' ');
        }
        if telling.modseq {
            out.put_slice(b"MODSEQ (");
            put_number(out, row.modseq);
            out.put_slice(b") ");
        }
        self.put_flags_item(out, row, telling.recent);
        out.put_slice(b")\r\n");
    }

    /// `* n FETCH (UID u MODSEQ (m))`
    pub(crate) fn put_modseq_response(out: &mut BytesMut, index: usize, row: &Row) {
        let line = format!(
            "* {} FETCH (UID {} MODSEQ ({}))\r\n",
            index + 1,
            row.uid,
            row.modseq
        );
        out.put_slice(line.as_bytes());
    }

    /// `FLAGS (…)`
    pub(crate) fn put_flags_item(&self, out: &mut BytesMut, row: &Row, recent: bool) {
        out.put_slice(b"FLAGS ");
        let bits = row.keywords;
        let keywords = self
            .keywords
            .iter()
            .enumerate()
            .filter(|&(bit, _)| bits.checked_shr(bit as u32).unwrap_or(0) & 1 == 1)
            .map(|(_, keyword)| keyword.as_str());
        let keywords: SmallVec<[&str; 4]> = if bits == 0 {
            SmallVec::new()
        } else {
            keywords.collect()
        };
        put_flags(out, row.flags, keywords, recent && self.is_recent(row.uid));
    }

    /// `* FLAGS`, and what can be kept, if the keywords are not those that the client knows.
    pub(crate) fn announce_keywords(&mut self, out: &mut BytesMut) {
        if std::mem::take(&mut self.keywords_changed) {
            self.put_flags_known(out);
        }
    }

    /// `* FLAGS (…)` and `* OK [PERMANENTFLAGS (…)]`
    pub(crate) fn put_flags_known(&self, out: &mut BytesMut) {
        let known = || self.keywords.iter().map(String::as_str);
        out.put_slice(b"* FLAGS ");
        put_flags(out, wire::imap::Flags::ALL, known(), false);
        out.put_slice(b"\r\n* OK [PERMANENTFLAGS ");
        let rights = self.place.rights;
        if self.read_only {
            put_flags(out, wire::imap::Flags::NONE, [], false);
        } else if rights.contains(Rights::WRITE) {
            // RFC 9051 §7.1: \* says that new keywords can be made.
            let more = self.keywords.len() < mailbox::KEYWORDS_PER_FOLDER_MAX;
            let flags = crate::rights::flags_kept(rights);
            put_flags(out, flags, known().chain(more.then_some("\\*")), false);
        } else {
            put_flags(out, crate::rights::flags_kept(rights), [], false);
        }
        out.put_slice(b"] flags that are kept\r\n");
    }

    /// Highest number first, so that no number of those that follow changes.
    fn tell_expunged(&mut self, out: &mut BytesMut, gone: &[(Uid, Uid)], vanished: bool) {
        if vanished {
            put_vanished(out, "VANISHED ", gone);
        }
        for &(first, last) in gone.iter().rev().filter(|_| !vanished) {
            for index in self.range_of(first, last).rev() {
                untagged_number(out, index as u64 + 1, "EXPUNGE");
            }
        }
        if !gone.is_empty() {
            let told = Arc::make_mut(&mut self.told);
            for &(first, last) in gone {
                told.remove(first, last);
            }
        }
    }
}

/// RFC 4314 §5.2: nothing in it can be changed.
pub(crate) fn is_read_only(place: &Place, examine: bool) -> bool {
    let changing = [
        Rights::INSERT,
        Rights::SEEN,
        Rights::WRITE,
        Rights::DELETED,
        Rights::EXPUNGE,
    ];
    examine || !changing.into_iter().any(|right| place.rights.contains(right))
}

/// `* VANISHED 3:5,7`, as many as it takes.
pub(crate) fn put_vanished(out: &mut BytesMut, word: &str, gone: &[(Uid, Uid)]) {
    for some in gone.chunks(VANISHED_RANGES_MAX) {
        out.put_slice(b"* ");
        out.put_slice(word.as_bytes());
        put_set(out, &ResolvedSet::from_sorted(some.iter().copied()));
        out.put_slice(b"\r\n");
    }
}
