//! Quick resynchronisation (RFC 7162 §3.2): what went and what changed since a client was here last.
//!
//! What went is known for as long as the store remembers it. What lies further back is answered by what is not there (§3.2.5.1): that is right for
//! any history, and no longer than there are holes.

use mailbox::{ModSeq, Uid};
use wire::imap::{Qresync, ResolvedSet, SequenceSet};

use crate::fetch::ranges_from;
use crate::reply::End;
use crate::session::{Session, Tell};
use crate::view::{View, put_vanished};

const BYE_UNREADABLE: &str = "[UNAVAILABLE] the mailbox can't be read now";

impl Session {
    /// Tells a client that has just selected a folder what it has missed.
    pub(crate) async fn resync(&mut self, args: &Qresync, uid_next: Uid) -> Result<(), End> {
        let Some(view) = &self.view else { return Ok(()) };
        // RFC 7162 §3.2.5: what was known of another mailbox is worth nothing.
        if args.uid_validity != view.folder.uid_validity {
            return Ok(());
        }
        let all = || ResolvedSet::from_sorted((uid_next > 1).then_some((1, uid_next.saturating_sub(1))));
        let known = args
            .known_uids
            .as_ref()
            .map_or_else(all, |known| known.resolve(u32::MAX));
        self.put_earlier(&known, args.mod_seq, args.matches.as_ref())
            .await?;
        let telling = self.telling(true, false);
        let mut left = known.ranges().to_vec();
        while !left.is_empty() {
            let Some(view) = &self.view else { break };
            let owner = &view.place.spot.owner;
            // Half an answer would be taken for a whole one.
            let Ok((rows, next)) = owner.rows(view.folder.id, left.clone(), args.mod_seq).await else {
                return Err(End::Bye(BYE_UNREADABLE));
            };
            let out = self.conn.output();
            let mut numbers = view.numbers();
            for row in &rows {
                if let Some(index) = numbers.index(row.uid) {
                    view.put_flags_response(out, index, row, telling);
                }
            }
            self.conn.flush_if_full().await?;
            left = ranges_from(left, next);
        }
        Ok(())
    }

    /// Before a folder is left: what went and was held back is told, since a client that has seen a later MODSEQ will not ask for it again.
    pub(crate) async fn before_leaving(&mut self) -> Result<(), End> {
        if self.enabled.qresync && self.view.as_ref().is_some_and(View::is_behind) {
            self.tell(Tell::All, true).await?;
        }
        Ok(())
    }

    /// `* VANISHED (EARLIER) …`: which of these UIDs went after a MODSEQ.
    pub(crate) async fn put_earlier(
        &mut self,
        known: &ResolvedSet,
        since: ModSeq,
        matches: Option<&(SequenceSet, SequenceSet)>,
    ) -> Result<(), End> {
        let Some(view) = &self.view else { return Ok(()) };
        let (owner, folder) = (&view.place.spot.owner, view.folder.id);
        let (Ok(gone), Ok(status)) = (owner.expunged(folder, since).await, owner.status(folder).await) else {
            return Err(End::Bye(BYE_UNREADABLE));
        };
        let gone = gone.unwrap_or_else(|| {
            let from = matches.map_or(0, |(numbers, uids)| matching(view, numbers, uids));
            vec![(from.saturating_add(1), status.uid_next.saturating_sub(1))]
        });
        let gone = common(known.ranges(), &gone);
        // What is gone but still has a number is told with the next VANISHED that is not about earlier days.
        let holes = gone
            .into_iter()
            .flat_map(|(first, last)| holes(view, first, last));
        let holes: Vec<(Uid, Uid)> = holes.collect();
        put_vanished(self.conn.output(), "VANISHED (EARLIER) ", &holes);
        Ok(self.conn.flush_if_full().await?)
    }
}

/// The ranges between two UIDs, both included, of what the client has no number for.
fn holes(view: &View, first: Uid, last: Uid) -> Vec<(Uid, Uid)> {
    let mut holes = Vec::new();
    let mut from = Some(first);
    for (begin, end) in view.uids().ranges(first, last) {
        if let Some(from) = from.filter(|from| *from < begin) {
            holes.push((from, begin - 1));
        }
        from = end.checked_add(1);
    }
    if let Some(from) = from.filter(|from| *from <= last) {
        holes.push((from, last));
    }
    holes
}

/// RFC 7162 §3.2.5.2: the highest UID whose number is what the client believes: nothing went before it.
fn matching(view: &View, numbers: &SequenceSet, uids: &SequenceSet) -> Uid {
    let (numbers, uids) = (numbers.resolve(u32::MAX), uids.resolve(u32::MAX));
    // No more pairs than there are messages can be right.
    let pairs = numbers.iter().zip(uids.iter()).take(view.len());
    pairs
        .filter(|&(number, uid)| view.index(uid) == (number as usize).checked_sub(1))
        .map(|(_, uid)| uid)
        .last()
        .unwrap_or(0)
}

/// What is in both of two lists of ascending ranges.
fn common(a: &[(Uid, Uid)], b: &[(Uid, Uid)]) -> Vec<(Uid, Uid)> {
    let mut found = Vec::new();
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some(&&(from, to)), Some(&&(first, last))) = (a.peek(), b.peek()) {
        let part = (from.max(first), to.min(last));
        if part.0 <= part.1 {
            found.push(part);
        }
        if to < last {
            a.next();
        } else {
            b.next();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_parts() {
        assert_eq!(
            common(&[(1, 4), (6, 9), (20, 30)], &[(2, 2), (4, 7), (9, 25), (40, 41)]),
            [(2, 2), (4, 4), (6, 7), (9, 9), (20, 25)]
        );
        assert_eq!(common(&[], &[(1, 2)]), []);
    }
}
