//! SORT (RFC 5256, RFC 5957): messages in the order of their keys, and of their numbers where those are equal.
//!
//! All keys of a message become one string of bytes that compares as they do: about a few dozen bytes a message are held while it is sorted.

use wire::imap::SortKey;

use crate::Result;
use crate::ctx::Ctx;
use crate::read::order::{self, Column, Keyed};
use crate::types::{FolderId, Uid};

/// Messages that are put in their order where the call is made, not on a thread of their own.
pub(crate) const SORTED_AT_ONCE_MAX: usize = 4096;
/// New messages of one portion of [`places`].
const PLACES_PER_PORTION: usize = 64;

/// What is to be sorted, with its keys.
pub(crate) struct Sorting {
    keys: Vec<(SortKey, bool)>,
    columns: Vec<Column>,
    items: Vec<Item>,
    bytes: Vec<u8>,
}

/// A message with its keys: their first bytes, and where all of them stand.
struct Item {
    head: u64,
    start: usize,
    len: u32,
    uid: Uid,
}

impl Sorting {
    /// `keys`: with whether each is reversed. A key that comes again says nothing new.
    pub(crate) fn by(keys: &[(SortKey, bool)]) -> Self {
        let mut once: Vec<(SortKey, bool)> = Vec::new();
        for &(key, reverse) in keys {
            if once.iter().all(|(known, _)| *known != key) {
                once.push((key, reverse));
            }
        }
        Self {
            columns: once.iter().filter_map(|(key, _)| column(*key)).collect(),
            keys: once,
            items: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// Takes the keys of some of the messages (ascending): how many are done.
    pub(crate) fn portion(&mut self, ctx: &mut Ctx<'_>, folder: FolderId, uids: &[Uid]) -> Result<usize> {
        let (items, bytes, keys) = (&mut self.items, &mut self.bytes, &self.keys);
        order::portion(ctx, folder, uids, &self.columns, |message| {
            let start = bytes.len();
            put_keys(message, keys, bytes)?;
            let key = bytes.get(start..).unwrap_or_default();
            let mut head = [0; 8];
            head.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
            items.push(Item {
                head: u64::from_be_bytes(head),
                start,
                len: key.len() as u32,
                uid: message.uid,
            });
            Ok(())
        })
    }

    pub(crate) fn count(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn sorted(mut self) -> Vec<Uid> {
        let bytes = &self.bytes;
        let key = |item: &Item| bytes.get(item.start..item.start + item.len as usize);
        self.items.sort_unstable_by(|a, b| {
            let heads = a.head.cmp(&b.head);
            heads.then_with(|| key(a).cmp(&key(b))).then(a.uid.cmp(&b.uid))
        });
        self.items.into_iter().map(|item| item.uid).collect()
    }
}

/// Where some of `new` are to be put into a sorted list, one after the other: indices and UIDs. `sorted` grows with them. Those that
/// are gone are left out.
pub(crate) fn places(
    ctx: &mut Ctx<'_>,
    folder: FolderId,
    keys: &[(SortKey, bool)],
    sorted: &mut Vec<Uid>,
    new: &mut Vec<Uid>,
) -> Result<Vec<(usize, Uid)>> {
    let mut places = Vec::new();
    let columns = Sorting::by(keys).columns;
    let mut key_of = |uid: Uid| -> Result<Option<Vec<u8>>> {
        let mut key = None;
        order::portion(ctx, folder, &[uid], &columns, |message| {
            let mut bytes = Vec::new();
            put_keys(message, keys, &mut bytes)?;
            key = Some(bytes);
            Ok(())
        })?;
        Ok(key)
    };
    for uid in new.drain(..new.len().min(PLACES_PER_PORTION)) {
        let Some(key) = key_of(uid)? else { continue };
        let (mut low, mut high) = (0, sorted.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            // One that is gone meanwhile has no key: the next that has one decides.
            let mut probe = middle;
            let other = loop {
                let Some(&other) = sorted.get(probe).filter(|_| probe < high) else {
                    break None;
                };
                if let Some(key) = key_of(other)? {
                    break Some((key, other));
                }
                probe += 1;
            };
            if other.is_some_and(|other| other < (key.clone(), uid)) {
                low = probe + 1;
            } else {
                high = middle;
            }
        }
        sorted.insert(low, uid);
        places.push((low, uid));
    }
    Ok(places)
}

fn column(key: SortKey) -> Option<Column> {
    match key {
        SortKey::Arrival | SortKey::Size => None,
        SortKey::Date => Some(Column::Sent),
        SortKey::Subject => Some(Column::Subject),
        SortKey::From => Some(Column::From),
        SortKey::To => Some(Column::To),
        SortKey::Cc => Some(Column::Cc),
        SortKey::DisplayFrom => Some(Column::DisplayFrom),
        SortKey::DisplayTo => Some(Column::DisplayTo),
    }
}

/// The keys of a message as bytes that compare as the keys do.
fn put_keys(message: &Keyed<'_>, keys: &[(SortKey, bool)], out: &mut Vec<u8>) -> Result<()> {
    for &(key, reverse) in keys {
        let start = out.len();
        match (key, column(key)) {
            (SortKey::Arrival, _) => put_number(message.received, out),
            (SortKey::Date, _) => put_number(message.sent()?, out),
            (_, Some(column)) => put_text(message.bytes(column)?, out),
            (_, None) => out.extend(message.size.to_be_bytes()),
        }
        if reverse && let Some(written) = out.get_mut(start..) {
            for byte in written {
                *byte = !*byte;
            }
        }
    }
    Ok(())
}

/// Negative numbers come first.
fn put_number(number: i64, out: &mut Vec<u8>) {
    out.extend((number ^ i64::MIN).to_be_bytes());
}

/// Ended by two zeros, so that what follows counts only if the texts are equal; a zero within is marked.
fn put_text(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        out.push(byte);
        if byte == 0 {
            out.push(u8::MAX);
        }
    }
    out.extend([0, 0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_compare_as_texts_and_numbers_do() {
        let text = |text: &[u8]| {
            let mut out = Vec::new();
            put_text(text, &mut out);
            out.push(7);
            out
        };
        let texts: [&[u8]; 8] = [b"", b"\0", b"\0\0", b"\0a", b"\x01", b"a", b"a\0", b"ab"];
        for pair in texts.windows(2) {
            assert!(text(pair[0]) < text(pair[1]), "{pair:?}");
        }
        let number = |number| {
            let mut out = Vec::new();
            put_number(number, &mut out);
            out
        };
        let numbers = [i64::MIN, -5, -1, 0, 1, 255, 256, i64::MAX];
        for pair in numbers.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
    }
}
