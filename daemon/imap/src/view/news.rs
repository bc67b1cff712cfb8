//! What the client of the selected folder does not know yet: it is asked of the store, taken in, and told.
//!
//! Must not know: what a command is.

use std::sync::Arc;

use bytes::BytesMut;
use mailbox::{Changes, FOLDER_GONE, MailboxError, ModSeq, Row, Seen, Stored, Uid, UidSet};
use smallvec::SmallVec;

use super::{View, put_vanished};
use crate::reply::{BYE_FOLDER_GONE, End, untagged_number};

/// What an announcement may and should hold.
#[derive(Clone, Copy)]
pub(crate) struct Telling {
    /// RFC 9051 §7.5.1: no EXPUNGE while FETCH, STORE or SEARCH is in progress.
    pub(crate) expunges: bool,
    /// New messages.
    pub(crate) exists: bool,
    /// Flags that others have changed.
    pub(crate) flags: bool,
    /// The client knows of MODSEQ (RFC 7162 §3.1).
    pub(crate) modseq: bool,
    /// VANISHED instead of EXPUNGE (RFC 7162 §3.2.10).
    pub(crate) vanished: bool,
    /// UIDs in the place of message numbers (RFC 9586).
    pub(crate) uid_only: bool,
    /// IMAP4rev2 has no RECENT.
    pub(crate) recent: bool,
    /// After a UID command: FETCH responses carry the UID.
    pub(crate) uid: bool,
}

/// What the client does not know yet.
pub(crate) struct News {
    pub(super) uids: Arc<UidSet>,
    pub(super) rows: Vec<Row>,
    /// There are more changed messages from this UID on.
    pub(super) next: Option<Uid>,
    pub(super) since: ModSeq,
    pub(super) own: SmallVec<[ModSeq; 2]>,
}

impl News {
    /// RFC 9051 §6.4.6: what the client has done by itself it knows.
    fn drop_own(&mut self) {
        if !self.own.is_empty() {
            self.rows.retain(|row| !self.own.contains(&row.modseq));
        }
    }
}

impl View {
    /// Asks the store what the client does not know. Costs nothing if the folder has not changed. `flags`: those that were held back are wanted now.
    pub(crate) async fn sync(&mut self, flags: bool) -> Result<Option<News>, End> {
        let now = self.watch.borrow_and_update().modseq;
        if now == FOLDER_GONE {
            return Err(End::Bye(BYE_FOLDER_GONE));
        }
        if let Some(changes) = self.learnt.take() {
            return Ok(Some(self.learn(*changes)));
        }
        if flags && let Some(held) = self.held.take() {
            self.modseq = self.modseq.min(held);
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

    /// What the store needs to know to say what the client does not know; what it says then goes to [`Self::was_seen`]. `None`: flags are held
    /// back, so that it must be asked when they are wanted.
    pub(crate) fn seen(&self) -> Option<Seen> {
        self.held.is_none().then(|| Seen {
            modseq: self.modseq,
            last_uid: self.last_uid(),
            claims_recent: !self.read_only,
        })
    }

    /// Nothing was told since it was asked: it is taken in with the next announcement.
    pub(crate) fn was_seen(&mut self, changes: Changes) {
        self.learnt = Some(Box::new(changes));
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
        let has_changed = !news.rows.is_empty() || news.next.is_some();
        if has_changed && !telling.flags {
            self.hold(news.since);
        }
        if Arc::ptr_eq(&self.told, &news.uids) {
            self.behind = false;
            return;
        }
        let gone = self.told.minus(&news.uids);
        if telling.expunges {
            self.tell_expunged(out, &gone, telling.vanished);
        }
        let from = self.last_uid().saturating_add(1);
        let hides = !telling.exists && news.uids.next_range(from, Uid::MAX).is_some();
        if hides {
            self.hold(news.since);
        }
        self.behind = hides || (!telling.expunges && !gone.is_empty());
        let known = self.len();
        if hides {
            return;
        }
        if self.behind {
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

    fn hold(&mut self, since: ModSeq) {
        self.held = Some(self.held.map_or(since, |held| held.min(since)));
    }

    /// `* FLAGS`, and what can be kept, if the keywords are not those that the client knows.
    pub(crate) fn announce_keywords(&mut self, out: &mut BytesMut) {
        if std::mem::take(&mut self.keywords_changed) {
            self.put_flags_known(out);
        }
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
