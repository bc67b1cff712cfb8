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

mod news;
mod numbers;
mod put;

use std::sync::Arc;

use mailbox::{Changes, Folder, FolderId, FolderNow, ModSeq, OwnerId, Selected, Uid, UidSet};
use shared::Rights;
use smallvec::SmallVec;
use tokio::sync::watch;
use wire::imap::ResolvedSet;

use crate::contexts::Contexts;
use crate::fetch::{Ahead, Known};
use crate::place::{Place, no_permission};
use crate::reply::Answer;

pub(crate) use news::Telling;
pub(crate) use put::{open_fetch, put_vanished};

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
    /// Messages of `told` are gone, or there are others, and that was not told.
    behind: bool,
    /// Changes after this MODSEQ were not told, because they were not wanted (RFC 5465).
    held: Option<ModSeq>,
    /// Messages that this session has put here itself since it was last told of new ones; only if the others are fetched for it.
    pub(crate) own_new: SmallVec<[(Uid, Uid); 1]>,
    keywords_changed: bool,
    /// What a command of this session has learnt of the folder on its way, to be told next.
    learnt: Option<Box<Changes>>,
    /// What the store has now.
    pub(crate) watch: watch::Receiver<FolderNow>,
    /// What was read before the client asks for it.
    pub(crate) ahead: Option<Box<Ahead>>,
    /// The large message that was looked at last.
    pub(crate) known: Option<Box<Known>>,
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
            held: None,
            own_new: SmallVec::new(),
            keywords_changed: false,
            learnt: None,
            watch: selected.watch,
            ahead: None,
            known: None,
        };
        if selected.recent_from > 0 && selected.recent_from <= view.last_uid() {
            view.recent.push((selected.recent_from, view.last_uid()));
        }
        view
    }

    pub(crate) fn is_of(&self, owner: OwnerId, folder: FolderId) -> bool {
        self.folder.id == folder && self.place.spot.owner.id() == owner
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
        self.held.unwrap_or(self.modseq).min(self.modseq)
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
