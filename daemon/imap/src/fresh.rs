//! What a client is told of messages that are new in the selected mailbox, beside their number: what NOTIFY fetches of them, and what they make of
//! results that are kept up to date (RFC 5465 §5.2, §7; RFC 5267).

use bytes::{BufMut, BytesMut};
use mailbox::Uid;
use wire::imap::FetchItem;

use crate::contexts::Wanted;
use crate::reply::End;
use crate::session::Session;

/// Messages of which the same is told.
struct Batch {
    items: Vec<FetchItem>,
    uids: Vec<Uid>,
}

/// Puts together what NOTIFY and the results want of each message, both ascending, so that it is told in one response.
fn batches(new: Vec<Uid>, items: &[FetchItem], wanted: &[Wanted]) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    let mut uids: Vec<(Uid, bool)> = new.into_iter().map(|uid| (uid, true)).collect();
    for of_result in wanted.iter().flat_map(|wanted| &wanted.uids) {
        if let Err(at) = uids.binary_search_by_key(of_result, |(uid, _)| *uid) {
            uids.insert(at, (*of_result, false));
        }
    }
    for (uid, notified) in uids {
        let mut all: Vec<FetchItem> = if notified { items.to_vec() } else { Vec::new() };
        for wanted in wanted
            .iter()
            .filter(|wanted| wanted.uids.binary_search(&uid).is_ok())
        {
            for item in wanted.items.iter() {
                if !all.contains(item) {
                    all.push(item.clone());
                }
            }
        }
        match batches.last_mut() {
            Some(batch) if batch.items == all => batch.uids.push(uid),
            _ => batches.push(Batch {
                items: all,
                uids: vec![uid],
            }),
        }
    }
    batches
}

impl Session {
    /// Tells more of the messages after that UID, whose EXISTS was told: their FETCH responses come before ESEARCH (RFC 5465 §7).
    pub(crate) async fn tell_new(&mut self, known: Uid) -> Result<(), End> {
        let mut lines = BytesMut::new();
        let wanted = self.update_contexts(&mut lines).await;
        let Some(view) = &mut self.view else { return Ok(()) };
        let items = self.notify.as_deref().map(|notify| notify.selected.items.clone());
        let items = items.unwrap_or_default();
        let mut new = Vec::new();
        let own = std::mem::take(&mut view.own_new);
        if !items.is_empty() {
            let ranges = view.uids().ranges(known.saturating_add(1), Uid::MAX);
            new.extend(ranges.flat_map(|(first, last)| first..=last));
            // RFC 5465 §5.2: not of those that the client has put there itself.
            new.retain(|uid| !own.iter().any(|(first, last)| (first..=last).contains(&uid)));
        }
        for Batch { items, uids } in batches(new, &items, &wanted) {
            self.fetch_told(items, &uids).await?;
        }
        self.conn.output().put_slice(&lines);
        Ok(self.conn.flush_if_full().await?)
    }

    /// This session's command has put messages into a folder.
    pub(crate) fn note_put(&mut self, owner: mailbox::OwnerId, folder: mailbox::FolderId, uids: &[Uid]) {
        let is_fetched = self
            .notify
            .as_deref()
            .is_some_and(|notify| !notify.selected.items.is_empty());
        if let (Some(view), Some(&first), Some(&last)) = (&mut self.view, uids.first(), uids.last())
            && is_fetched
            && view.folder.id == folder
            && view.place.spot.owner.id() == owner
        {
            view.own_new.push((first, last));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn one_response_for_each_message() {
        let wanted = [Wanted {
            uids: vec![4, 6],
            items: Arc::from([FetchItem::Envelope, FetchItem::Flags]),
        }];
        let shown: Vec<(usize, Vec<Uid>)> = batches(vec![5, 6, 7], &[FetchItem::Flags], &wanted)
            .into_iter()
            .map(|batch| (batch.items.len(), batch.uids))
            .collect();
        assert_eq!(shown, [(2, vec![4]), (1, vec![5]), (2, vec![6]), (1, vec![7])]);
    }
}
