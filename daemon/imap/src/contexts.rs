//! CONTEXT=SEARCH and CONTEXT=SORT (RFC 5267): results of searches that are kept up to date, as long as the mailbox is selected.
//!
//! After each announcement the messages that are new or were changed, by whomever, are searched again; those that are gone are taken out before
//! their EXPUNGE is told.

use std::ops::Range;
use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use mailbox::{ModSeq, Uid, UidSet};
use wire::imap::render::{put_number, put_quoted, put_uid_sequence};
use wire::imap::{FetchItem, ResolvedSet, SearchKey, SectionText, SortKey, Tag, TextField};

use crate::reply::{Answer, COMPLETED, untagged};
use crate::search::uid_key;
use crate::session::Session;
use crate::view::View;

/// Results that one session keeps up to date.
const CONTEXTS_MAX_COUNT: usize = 8;
/// Messages of a sorted result that is kept up to date.
const SORTED_MAX_COUNT: usize = 100_000;
/// Bytes of the tag, and about of what is searched for, that are kept.
const KEPT_MAX_BYTES: usize = 16 * 1024;

/// The results of one selected mailbox.
pub(crate) struct Contexts {
    list: Vec<Context>,
    /// All changes up to here are in the results …
    modseq: ModSeq,
    /// … and all messages up to this one.
    last: Uid,
}

/// What is to be kept up to date.
pub(crate) struct Context {
    pub(crate) tag: Tag,
    pub(crate) uid: bool,
    /// With UIDs in the place of message numbers: those are what they were when the command came (RFC 5267 §4.3).
    pub(crate) key: SearchKey,
    members: UidSet,
    order: Option<Order>,
    /// What is told of messages that come into it (RFC 5465 §7).
    items: Arc<[FetchItem]>,
}

/// New messages of which a result wants more told.
pub(crate) struct Wanted {
    /// Ascending.
    pub(crate) uids: Vec<Uid>,
    pub(crate) items: Arc<[FetchItem]>,
}

/// A result that was sorted.
struct Order {
    uids: Vec<Uid>,
    keys: Vec<(SortKey, bool)>,
}

impl Context {
    /// `found`: in its order, which is by `keys` if there are any.
    pub(crate) fn new(
        tag: &Tag,
        uid: bool,
        key: SearchKey,
        found: Vec<Uid>,
        keys: Option<Vec<(SortKey, bool)>>,
        items: Vec<FetchItem>,
    ) -> Self {
        let mut members = UidSet::default();
        for &uid in &found {
            members.insert(uid, uid);
        }
        Self {
            tag: tag.clone(),
            uid,
            key,
            members,
            order: keys.map(|keys| Order { uids: found, keys }),
            items: items.into(),
        }
    }

    fn is_too_big(&self) -> bool {
        let sorted = self.order.as_ref().map_or(0, |order| order.uids.len());
        let items: usize = self.items.iter().map(weight_of_item).sum();
        self.tag.as_str().len() + weight(&self.key) + items > KEPT_MAX_BYTES || sorted > SORTED_MAX_COUNT
    }
}

fn weight_of_item(item: &FetchItem) -> usize {
    64 + match item {
        FetchItem::BodySection { section, .. } => match &section.text {
            SectionText::HeaderFields { names, .. } => names.iter().map(|name| 24 + name.len()).sum(),
            _ => 4 * section.part.len(),
        },
        _ => 0,
    }
}

/// About how many bytes a key takes.
fn weight(key: &SearchKey) -> usize {
    32 + match key {
        SearchKey::And(keys) => keys.iter().map(weight).sum(),
        SearchKey::Or(first, second) => weight(first) + weight(second),
        SearchKey::Not(key) => weight(key),
        SearchKey::Uid(wire::imap::SequenceSet::Ranges(ranges)) => 16 * ranges.len(),
        SearchKey::Text(TextField::Header(name), text) => name.len() + text.len(),
        SearchKey::Text(_, text) | SearchKey::Keyword(text, _) => text.len(),
        _ => 0,
    }
}

impl Session {
    /// Whether a command may ask for updates under this tag (RFC 5267 §4.3).
    pub(crate) fn is_tag_in_use(&self, tag: &Tag) -> bool {
        let contexts = self.view.as_ref().and_then(|view| view.contexts.as_ref());
        contexts.is_some_and(|contexts| contexts.list.iter().any(|context| context.tag == *tag))
    }

    /// Keeps a result up to date from now on. `modseq`: the folder's before it was searched.
    pub(crate) fn keep_up_to_date(&mut self, context: Context, modseq: ModSeq) {
        let Some(view) = &mut self.view else { return };
        let last = view.last_uid();
        let contexts = view.contexts.get_or_insert_with(|| {
            Box::new(Contexts {
                list: Vec::new(),
                modseq,
                last,
            })
        });
        if contexts.list.len() >= CONTEXTS_MAX_COUNT || context.is_too_big() {
            self.refuse_update(&context.tag);
            return;
        }
        contexts.list.push(context);
    }

    /// RFC 5267 §4.3.1
    pub(crate) fn refuse_update(&mut self, tag: &Tag) {
        let mut line = BytesMut::from(&b"NO [NOUPDATE "[..]);
        put_quoted(&mut line, tag.as_str().as_bytes());
        line.put_slice(b"] too much to keep up to date");
        untagged(self.conn.output(), &String::from_utf8_lossy(&line));
    }

    pub(crate) fn cancel_update(&mut self, tags: &[String]) -> Answer {
        let contexts = self.view.as_mut().and_then(|view| view.contexts.as_mut());
        let list = contexts.map(|contexts| &mut contexts.list);
        let known = |tag: &String, list: &[Context]| list.iter().any(|context| context.tag.as_str() == tag);
        match list {
            Some(list) if tags.iter().all(|tag| known(tag, list)) => {
                list.retain(|context| !tags.iter().any(|tag| tag == context.tag.as_str()));
                if list.is_empty()
                    && let Some(view) = &mut self.view
                {
                    view.contexts = None;
                }
                Answer::ok(COMPLETED)
            }
            _ => Answer::bad("no update of that tag"),
        }
    }

    /// Writes what new and changed messages make of the results, and gives what is to be told before of those that came into them. What can't
    /// be read now is told later.
    pub(crate) async fn update_contexts(&mut self, out: &mut BytesMut) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        let Some(view) = &mut self.view else {
            return wanted;
        };
        let Some(mut contexts) = view.contexts.take() else {
            return wanted;
        };
        let _later = contexts.update(view, out, &mut wanted).await;
        view.contexts = Some(contexts);
        wanted
    }
}

impl Contexts {
    /// These messages are gone. Told before their EXPUNGE, so that their numbers hold (RFC 5267 §4.3.4).
    pub(crate) fn remove(&mut self, gone: &[(Uid, Uid)], view: &View, out: &mut BytesMut) {
        for context in &mut self.list {
            let mut removed = Vec::new();
            for &(first, last) in gone {
                removed.extend(
                    context
                        .members
                        .ranges(first, last)
                        .flat_map(|(first, last)| first..=last),
                );
            }
            context.tell(&removed, &[], view, out);
        }
    }

    async fn update(
        &mut self,
        view: &View,
        out: &mut BytesMut,
        wanted: &mut Vec<Wanted>,
    ) -> Result<(), Answer> {
        let now = view.watch.borrow().modseq;
        if now <= self.modseq && view.last_uid() <= self.last {
            return Ok(());
        }
        let owner = &view.place.spot.owner;
        let folder = view.folder.id;
        let changes = owner.changes(folder, self.modseq, self.last, false).await?;
        let mut touched: Vec<Uid> = changes.rows.iter().map(|row| row.uid).collect();
        let mut next = changes.next;
        while let Some(from) = next {
            let (rows, after) = owner.rows(folder, vec![(from, self.last)], self.modseq).await?;
            touched.extend(rows.iter().map(|row| row.uid));
            next = after;
        }
        touched.retain(|&uid| view.index(uid).is_some());
        let new = view.uids().ranges(self.last.saturating_add(1), Uid::MAX);
        touched.extend(new.flat_map(|(first, last)| first..=last));
        if !touched.is_empty() {
            for context in &mut self.list {
                let added = context.search(&touched, view, out).await?;
                // RFC 5465 §7: not of those that a change of flags has brought.
                let new = added.into_iter().filter(|uid| *uid > self.last);
                let uids: Vec<Uid> = new.collect();
                if !context.items.is_empty() && !uids.is_empty() {
                    let items = Arc::clone(&context.items);
                    wanted.push(Wanted { uids, items });
                }
            }
        }
        self.modseq = changes.highest_modseq.max(self.modseq);
        self.last = self.last.max(view.last_uid());
        Ok(())
    }
}

impl Context {
    /// Looks at messages (ascending) again. Gives those that came into the result.
    async fn search(&mut self, touched: &[Uid], view: &View, out: &mut BytesMut) -> Result<Vec<Uid>, Answer> {
        let these = uid_key(&ResolvedSet::from_numbers(touched.iter().copied()));
        let found = view.find(SearchKey::And(vec![these, self.key.clone()])).await?;
        let is_found = |uid: &Uid| found.binary_search(uid).is_ok();
        let removed: Vec<Uid> = touched
            .iter()
            .copied()
            .filter(|uid| self.members.contains(*uid) && !is_found(uid))
            .collect();
        let added: Vec<Uid> = found
            .iter()
            .copied()
            .filter(|uid| !self.members.contains(*uid))
            .collect();
        let came = added.clone();
        let places = match &self.order {
            Some(order) if !added.is_empty() => {
                let left = order.uids.iter().copied();
                let left: Vec<Uid> = left.filter(|uid| removed.binary_search(uid).is_err()).collect();
                let owner = &view.place.spot.owner;
                owner
                    .sort_into(view.folder.id, left, added, order.keys.clone())
                    .await?
            }
            Some(_) => Vec::new(),
            None => added.into_iter().map(|uid| (0, uid)).collect(),
        };
        self.tell(&removed, &places, view, out);
        Ok(came)
    }

    /// Changes the result and tells so. `removed` ascends.
    fn tell(&mut self, removed: &[Uid], added: &[(usize, Uid)], view: &View, out: &mut BytesMut) {
        if removed.is_empty() && added.is_empty() {
            return;
        }
        out.put_slice(b"* ESEARCH (TAG ");
        put_quoted(out, self.tag.as_str().as_bytes());
        out.put_slice(if self.uid { b") UID" } else { b")" });
        for &uid in removed {
            self.members.remove(uid, uid);
        }
        for &(_, uid) in added {
            self.members.insert(uid, uid);
        }
        let uid = self.uid;
        let number = |message: Uid| {
            if uid {
                return message;
            }
            view.index(message).map_or(0, |index| index as u32 + 1)
        };
        let (mut taken, mut put) = (Vec::new(), added.to_vec());
        match &mut self.order {
            None => taken.extend(removed.iter().map(|&uid| (0, uid))),
            Some(order) => {
                let mut place = 0;
                order.uids.retain(|uid| {
                    let stays = removed.binary_search(uid).is_err();
                    if stays {
                        place += 1;
                    } else {
                        taken.push((place + 1, *uid));
                    }
                    stays
                });
                for (index, uid) in &mut put {
                    order.uids.insert((*index).min(order.uids.len()), *uid);
                    *index += 1;
                }
            }
        }
        // Of what is taken out the rest moves up; what is put in moves it down.
        put_pairs(out, b" REMOVEFROM (", &taken, 0, number);
        put_pairs(out, b" ADDTO (", &put, usize::from(self.order.is_some()), number);
        out.put_slice(b"\r\n");
    }
}

/// Positions with what stands there: what follows by `step` belongs to one position. The position 0 is that of a result in the order of the mailbox.
fn put_pairs(
    out: &mut BytesMut,
    word: &[u8],
    pairs: &[(usize, Uid)],
    step: usize,
    number: impl Fn(Uid) -> u32,
) {
    if pairs.is_empty() {
        return;
    }
    out.put_slice(word);
    let mut from = 0;
    while let Some(run) = run_at(pairs, from, step) {
        if from > 0 {
            out.put_u8(b' ');
        }
        let part = pairs.get(run.clone()).unwrap_or_default();
        put_number(out, part.first().map_or(0, |pair| pair.0 as u64));
        out.put_u8(b' ');
        let numbers: Vec<u32> = part.iter().map(|pair| number(pair.1)).collect();
        put_uid_sequence(out, &numbers);
        from = run.end;
    }
    out.put_u8(b')');
}

fn run_at(pairs: &[(usize, Uid)], from: usize, step: usize) -> Option<Range<usize>> {
    let first = pairs.get(from)?.0;
    let rest = pairs.get(from..).unwrap_or_default();
    let len = rest
        .iter()
        .enumerate()
        .take_while(|(at, pair)| pair.0 == first + at * step)
        .count();
    Some(from..from + len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_put_together() {
        let shown = |pairs: &[(usize, Uid)], step| {
            let mut out = BytesMut::new();
            put_pairs(&mut out, b"(", pairs, step, |uid| uid);
            String::from_utf8_lossy(&out).into_owned()
        };
        assert_eq!(shown(&[(1, 9), (1, 3), (4, 5)], 0), "(1 9,3 4 5)");
        assert_eq!(
            shown(&[(1, 2731), (2, 2732), (3, 2733), (7, 1), (1, 8)], 1),
            "(1 2731:2733 7 1 1 8)"
        );
        assert_eq!(shown(&[(0, 1), (0, 2), (0, 7)], 0), "(0 1:2,7)");
        assert_eq!(shown(&[], 0), "");
    }
}
