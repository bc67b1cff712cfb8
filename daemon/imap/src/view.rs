//! The selected folder as its client knows it: which message has which number, and what it was not told yet.

use std::ops::Range;

use bytes::{BufMut, BytesMut};
use mailbox::{Changes, Folder, ModSeq, Row, Selected, Uid};
use shared::Rights;
use tokio::sync::watch;
use wire::imap::render::{put_flags, put_number};
use wire::imap::{ResolvedSet, SequenceSet};

use crate::place::{Place, no_permission};
use crate::reply::{Answer, BYE_FOLDER_GONE, End, untagged_number};

const READ_ONLY: &str = "the mailbox was only examined";

/// A selected folder. The message at index n of `rows` has the sequence number n + 1.
pub(crate) struct View {
    pub(crate) folder: Folder,
    /// Whose it is, and what may be done with it.
    pub(crate) place: Place,
    pub(crate) read_only: bool,
    /// It was not EXAMINE.
    pub(crate) to_write: bool,
    /// The changes of the owner and of the directory that `place.rights` take account of.
    pub(crate) rights_as_of: (u64, u64),
    pub(crate) rows: Vec<Row>,
    pub(crate) keywords: Vec<String>,
    /// What SEARCH RETURN (SAVE) kept (RFC 5182), as UIDs.
    pub(crate) saved: ResolvedSet,
    /// Up to where changes are known.
    pub(crate) modseq: ModSeq,
    /// UIDs that are recent for this session, ascending.
    recent: Vec<(Uid, Uid)>,
    /// Gone, but the client still has their numbers.
    expunged: Vec<Uid>,
    /// Changed by others since they were told.
    changed: Vec<Uid>,
    grown: bool,
    keywords_changed: bool,
    pub(crate) watch: watch::Receiver<u64>,
}

/// What an announcement may and should hold.
#[derive(Clone, Copy)]
pub(crate) struct Telling {
    /// RFC 9051 §7.5.1: no EXPUNGE while FETCH, STORE or SEARCH is in progress.
    pub(crate) expunges: bool,
    /// The client knows of MODSEQ (RFC 7162 §3.1).
    pub(crate) modseq: bool,
    /// IMAP4rev2 has no RECENT.
    pub(crate) recent: bool,
    /// After a UID command: FETCH responses carry the UID.
    pub(crate) uid: bool,
}

impl View {
    /// `watch` must have been taken before the folder was selected.
    pub(crate) fn new(selected: Selected, place: Place, examine: bool, watch: watch::Receiver<u64>) -> Self {
        let mut view = Self {
            folder: selected.folder,
            read_only: is_read_only(&place, examine),
            place,
            to_write: !examine,
            rights_as_of: (0, 0),
            rows: selected.rows,
            keywords: selected.keywords,
            saved: ResolvedSet::default(),
            modseq: selected.status.highest_modseq,
            recent: Vec::new(),
            expunged: Vec::new(),
            changed: Vec::new(),
            grown: false,
            keywords_changed: false,
            watch,
        };
        view.add_recent(selected.recent_from, 0);
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

    pub(crate) fn last_uid(&self) -> Uid {
        self.rows.last().map_or(0, |row| row.uid)
    }

    pub(crate) fn is_recent(&self, uid: Uid) -> bool {
        self.recent.iter().any(|&(from, to)| (from..=to).contains(&uid))
    }

    pub(crate) fn recent_count(&self) -> u64 {
        self.recent
            .iter()
            .map(|&(from, to)| self.range_of(from, to).len() as u64)
            .sum()
    }

    /// The recent UIDs as a set.
    pub(crate) fn recent_set(&self) -> ResolvedSet {
        ResolvedSet::from_sorted(self.recent.iter().copied())
    }

    /// Messages from index `start` on with a UID of at least `from` are recent.
    fn add_recent(&mut self, from: Uid, start: usize) {
        let Some(first) = self
            .rows
            .get(start..)
            .unwrap_or_default()
            .iter()
            .find(|row| row.uid >= from)
        else {
            return;
        };
        let range = (first.uid, self.last_uid());
        self.recent.push(range);
    }

    /// The index of a UID.
    pub(crate) fn index(&self, uid: Uid) -> Option<usize> {
        self.rows.binary_search_by_key(&uid, |row| row.uid).ok()
    }

    fn range_of(&self, from: Uid, to: Uid) -> Range<usize> {
        let start = self.rows.partition_point(|row| row.uid < from);
        let end = self.rows.partition_point(|row| row.uid <= to);
        start..end.max(start)
    }

    /// The indices that a set of the client means, ascending.
    pub(crate) fn indices(&self, set: &SequenceSet, uid: bool) -> Result<Vec<Range<usize>>, Answer> {
        if *set == SequenceSet::Saved {
            return Ok(self.ranges(&self.saved));
        }
        if uid {
            // RFC 9051 §6.4.9: UIDs that don't exist are let go without an error.
            return Ok(self.ranges(&set.resolve(self.last_uid())));
        }
        let count = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        if set.highest_written().is_some_and(|highest| highest > count) && !(count == 0 && is_all(set)) {
            return Err(Answer::bad("no such message number"));
        }
        let set = set.resolve(count).clamp(count);
        Ok(set
            .ranges()
            .iter()
            .map(|&(from, to)| from as usize - 1..to as usize)
            .collect())
    }

    fn ranges(&self, set: &ResolvedSet) -> Vec<Range<usize>> {
        let ranges = set.ranges().iter().map(|&(from, to)| self.range_of(from, to));
        ranges.filter(|range| !range.is_empty()).collect()
    }

    /// The rows that a set means.
    pub(crate) fn rows_of(&self, ranges: &[Range<usize>]) -> impl Iterator<Item = &Row> {
        ranges
            .iter()
            .flat_map(|range| self.rows.get(range.clone()).unwrap_or_default())
    }

    pub(crate) fn uids_of(&self, ranges: &[Range<usize>]) -> Vec<Uid> {
        self.rows_of(ranges).map(|row| row.uid).collect()
    }

    /// Learns what has changed in the store. Tells nothing yet.
    pub(crate) async fn sync(&mut self) -> Result<(), End> {
        if !matches!(self.watch.has_changed(), Ok(true)) {
            return Ok(());
        }
        self.watch.borrow_and_update();
        let owner = &self.place.spot.owner;
        match owner.changes(self.folder.id, self.modseq, !self.read_only).await {
            Ok(changes) if changes.gone => Err(End::Bye(BYE_FOLDER_GONE)),
            Ok(changes) => {
                self.apply(changes);
                Ok(())
            }
            Err(mailbox::MailboxError::NoSuchFolder) => Err(End::Bye(BYE_FOLDER_GONE)),
            Err(_) => {
                // Not now; the next command asks again.
                self.watch.mark_changed();
                Ok(())
            }
        }
    }

    fn apply(&mut self, changes: Changes) {
        self.learn_keywords(changes.keywords);
        let start = self.rows.len();
        for row in changes.rows {
            if row.uid > self.last_uid() {
                self.rows.push(row);
                self.grown = true;
            } else if let Some(index) = self.index(row.uid)
                && let Some(known) = self.rows.get_mut(index)
                && *known != row
            {
                *known = row;
                self.changed.push(row.uid);
            }
        }
        if !self.read_only && changes.recent_from > 0 {
            self.add_recent(changes.recent_from, start);
        }
        self.note_expunged(&changes.expunged);
        self.modseq = self.modseq.max(changes.highest_modseq);
    }

    /// These are gone; the client is told with the next announcement that may say so.
    pub(crate) fn note_expunged(&mut self, uids: &[Uid]) {
        for &uid in uids {
            if self.index(uid).is_some() {
                self.expunged.push(uid);
            }
        }
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

    /// What the client's own command made of a message. Says whether it is still here.
    pub(crate) fn put_row(&mut self, row: Row) -> Option<usize> {
        let index = self.index(row.uid)?;
        *self.rows.get_mut(index)? = row;
        Some(index)
    }

    /// Tells the client what it does not know yet.
    pub(crate) fn announce(&mut self, out: &mut BytesMut, telling: Telling) {
        self.announce_keywords(out);
        if telling.expunges && !self.expunged.is_empty() {
            self.tell_expunged(out);
        }
        if self.grown {
            self.grown = false;
            untagged_number(out, self.rows.len() as u64, "EXISTS");
            if telling.recent {
                untagged_number(out, self.recent_count(), "RECENT");
            }
        }
        if self.changed.is_empty() {
            return;
        }
        self.changed.sort_unstable();
        self.changed.dedup();
        for uid in std::mem::take(&mut self.changed) {
            let gone = self.expunged.contains(&uid);
            if let Some(index) = self.index(uid).filter(|_| !gone) {
                self.put_flags_response(out, index, telling);
            }
        }
    }

    /// `* n FETCH (FLAGS (…))`
    pub(crate) fn put_flags_response(&self, out: &mut BytesMut, index: usize, telling: Telling) {
        let Some(row) = self.rows.get(index) else { return };
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
    pub(crate) fn put_modseq_response(&self, out: &mut BytesMut, index: usize) {
        let Some(row) = self.rows.get(index) else { return };
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
        let keywords: smallvec::SmallVec<[&str; 4]> = if bits == 0 {
            smallvec::SmallVec::new()
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
    fn tell_expunged(&mut self, out: &mut BytesMut) {
        self.expunged.sort_unstable();
        self.expunged.dedup();
        let expunged = std::mem::take(&mut self.expunged);
        for &uid in expunged.iter().rev() {
            if let Some(index) = self.index(uid) {
                untagged_number(out, index as u64 + 1, "EXPUNGE");
            }
        }
        self.rows.retain(|row| expunged.binary_search(&row.uid).is_err());
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

fn is_all(set: &SequenceSet) -> bool {
    set.resolve(u32::MAX).ranges() == [(1, u32::MAX)]
}
