//! What a client that reads one message after the other will ask for next is read before it asks.
//!
//! A portion of messages is in memory, another may be on its way while the first is sent. Texts never change, flags do: what was read is
//! good for another command as long as the folder has no change since but those of this session, which are put into it.
//!
//! A client holds two portions at most. They are large (fewer turns of threads) and read ahead of commands for those that have a
//! share of [`SHARES_MAX_BYTES`]; all others, of which there may be thousands that read slowly, have small ones.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use mailbox::{Fetched, Fetching, FolderId, MailboxError, ModSeq, Owner, Portion, Row, Stored, Uid, Want};

/// UIDs asked for at once.
const BATCH_MAX_MESSAGES: usize = 1000;
/// Messages that are read before a client asks for them.
const AHEAD_MAX_MESSAGES: usize = 200;
/// The same, the first time that a client has read on.
const AHEAD_MIN_MESSAGES: usize = 4;
/// Octets of a portion, about: of a session with a share, and without.
const LARGE_PORTION_BYTES: usize = 1 << 20;
const SMALL_PORTION_BYTES: usize = 256 << 10;
/// Octets of all sessions with a share together.
const SHARES_MAX_BYTES: usize = 64 << 20;
/// Octets that one of them counts with: two portions.
const SHARE_BYTES: usize = 2 * LARGE_PORTION_BYTES;
/// Changes that are kept for a portion on its way.
const LEARNT_MAX: usize = 1000;

/// Octets of the shares that are taken.
static SHARES_BYTES: AtomicUsize = AtomicUsize::new(0);

/// Messages that were read and not shown yet.
#[derive(Default)]
pub(crate) struct Ahead {
    want: Want,
    /// The UIDs of the portion, ascending, and what is left of it.
    asked: Vec<Uid>,
    ready: VecDeque<Fetched>,
    /// UIDs of `asked` from the first to the second are in `ready` or gone.
    known: (Uid, Uid),
    /// The portion on its way, and its UIDs.
    coming: Option<(Fetching, Vec<Uid>)>,
    /// What became of messages while that was on its way.
    learnt: Vec<Row>,
    /// The folder's highest MODSEQ for which all this holds.
    as_of: ModSeq,
    /// Where the last command began and ended.
    last: Uid,
    /// Messages to read ahead the next time.
    count: usize,
    share: Option<Share>,
}

/// A place among those that may hold much.
struct Share;

impl Share {
    fn take() -> Option<Self> {
        let more = |bytes: usize| Some(bytes + SHARE_BYTES).filter(|&bytes| bytes <= SHARES_MAX_BYTES);
        let taken = SHARES_BYTES.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        // Only what was taken is given back.
        taken.is_ok().then(|| Self)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        SHARES_BYTES.fetch_sub(SHARE_BYTES, Ordering::Relaxed);
    }
}

impl Ahead {
    /// A command begins, or ends, while this is the folder's highest MODSEQ: what was read before an earlier one may be another now.
    pub(crate) fn as_of(&mut self, now: ModSeq) {
        if now != self.as_of {
            self.asked = Vec::new();
            self.ready = VecDeque::new();
            self.coming = None;
            self.as_of = now;
        }
    }

    /// This session has changed flags.
    pub(crate) fn learn(&mut self, stored: &Stored) {
        if stored.highest_before != self.as_of {
            return;
        }
        self.as_of = stored.highest_modseq;
        if self.coming.is_some() {
            if self.learnt.len() + stored.rows.len() > LEARNT_MAX {
                self.coming = None;
            } else {
                self.learnt.extend(&stored.rows);
            }
        }
        for row in &stored.rows {
            let found = self
                .ready
                .binary_search_by_key(&row.uid, |message| message.row.uid);
            if let Some(message) = found.ok().and_then(|at| self.ready.get_mut(at)) {
                message.row = *row;
            }
        }
    }

    /// The next messages of `left` (not empty, ascending), and for how many of these UIDs they stand.
    pub(super) async fn next(
        &mut self,
        owner: &Owner,
        folder: FolderId,
        left: &[Uid],
        want: Want,
    ) -> Result<(Vec<Fetched>, usize), MailboxError> {
        if self.want != want {
            *self = Self {
                want,
                as_of: self.as_of,
                ..Self::default()
            };
        }
        loop {
            if let Some(found) = self.take(left) {
                return Ok(found);
            }
            let coming = match self.coming.take() {
                Some((fetching, asked))
                    if left.first().is_some_and(|uid| asked.binary_search(uid).is_ok()) =>
                {
                    (fetching, asked)
                }
                _ => {
                    self.learnt.clear();
                    let asked = batch(left);
                    let bytes = self.portion_bytes();
                    let fetching = owner.begin_fetch(folder, asked.clone(), want, bytes).await?;
                    (fetching, asked)
                }
            };
            let (fetching, asked) = coming;
            self.put(fetching.portion().await?, asked);
        }
    }

    /// Has the next portion read while this one is sent.
    pub(super) async fn go_on(&mut self, owner: &Owner, folder: FolderId, left: &[Uid]) {
        if !left.is_empty() && self.ready.is_empty() && self.coming.is_none() {
            self.begin(owner, folder, batch(left)).await;
        }
    }

    /// A command for messages from `first` to `last` is done; `follows` says whether one comes right after the other, `after` gives
    /// UIDs that come after one. If the client reads on, so do we.
    pub(crate) async fn read_on(
        &mut self,
        owner: &Owner,
        folder: FolderId,
        (first, last, count): (Uid, Uid, usize),
        follows: impl Fn(Uid, Uid) -> bool,
        after: impl Fn(Uid, usize) -> Vec<Uid>,
    ) {
        let reads_on = self.last > 0 && follows(self.last, first);
        self.last = last;
        if !reads_on {
            self.count = 0;
            return;
        }
        self.count = (self.count * 4)
            .max(count)
            .clamp(AHEAD_MIN_MESSAGES, AHEAD_MAX_MESSAGES);
        if self.coming.is_some() || self.ready.len() > self.count / 2 {
            return;
        }
        let uids = after(last.max(self.known.1), self.count);
        if uids.is_empty() {
            return;
        }
        if self.has_share() {
            self.begin(owner, folder, uids).await;
        }
    }

    /// Tries to get a share.
    fn has_share(&mut self) -> bool {
        if self.share.is_none() {
            self.share = Share::take();
        }
        self.share.is_some()
    }

    fn portion_bytes(&mut self) -> usize {
        if self.has_share() {
            LARGE_PORTION_BYTES
        } else {
            SMALL_PORTION_BYTES
        }
    }

    async fn begin(&mut self, owner: &Owner, folder: FolderId, uids: Vec<Uid>) {
        self.learnt.clear();
        let bytes = self.portion_bytes();
        // If it can't be read now, it will be tried when it is asked for.
        if let Ok(fetching) = owner.begin_fetch(folder, uids.clone(), self.want, bytes).await {
            self.coming = Some((fetching, uids));
        }
    }

    fn put(&mut self, mut portion: Portion, asked: Vec<Uid>) {
        for row in self.learnt.drain(..) {
            let messages = &mut portion.messages;
            let found = messages.binary_search_by_key(&row.uid, |message| message.row.uid);
            if let Some(message) = found.ok().and_then(|at| messages.get_mut(at)) {
                // The portion may have been read after the change.
                if row.modseq > message.row.modseq {
                    message.row = row;
                }
            }
        }
        self.known = (asked.first().copied().unwrap_or(0), portion.upto);
        self.ready = portion.messages.into();
        self.asked = asked;
    }

    fn take(&mut self, left: &[Uid]) -> Option<(Vec<Fetched>, usize)> {
        let (from, upto) = self.known;
        let covered = left
            .iter()
            .take_while(|uid| (from..=upto).contains(uid) && self.asked.binary_search(uid).is_ok())
            .count();
        let covered_uids = left.get(..covered)?;
        let last = *covered_uids.last()?;
        let mut taken = Vec::with_capacity(covered.min(self.ready.len()));
        while let Some(message) = self.ready.pop_front_if(|message| message.row.uid <= last) {
            if covered_uids.binary_search(&message.row.uid).is_ok() {
                taken.push(message);
            }
        }
        self.known.0 = last.saturating_add(1);
        if self.ready.is_empty() && last >= upto {
            self.asked = Vec::new();
            self.ready = VecDeque::new();
            if self.coming.is_none() {
                self.share = None;
            }
        }
        Some((taken, covered))
    }
}

fn batch(left: &[Uid]) -> Vec<Uid> {
    left.get(..BATCH_MAX_MESSAGES).unwrap_or(left).to_vec()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Each that is refused would make room for another, until the limit is none.
    #[test]
    fn who_gets_no_share_gives_none_back() {
        let shares: Vec<Share> = std::iter::from_fn(Share::take).collect();
        assert!(!shares.is_empty());
        for _ in 0..3 {
            assert!(Share::take().is_none());
        }
        drop(shares);
        assert!(Share::take().is_some());
    }
}
