//! The ESEARCH response (RFC 4731; RFC 5267, RFC 9394), and what of a result is saved (RFC 5182).

use std::ops::Range;

use bytes::{BufMut, BytesMut};
use mailbox::{ModSeq, Uid};
use wire::imap::render::{put_mailbox, put_number, put_quoted, put_uid_sequence};
use wire::imap::{PartialRange, ResolvedSet, SearchReturn, Tag};

use crate::view::View;

/// A message that was found.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    pub(crate) uid: Uid,
    pub(crate) number: u32,
    pub(crate) modseq: ModSeq,
}

/// The mailbox of a result, where there may be several (RFC 7377 §2.1).
pub(crate) struct Correlator {
    name: String,
    uid_validity: u32,
    utf8: bool,
}

impl Correlator {
    pub(crate) fn of(view: &View, utf8: bool) -> Self {
        Self {
            name: view.place.name(),
            uid_validity: view.folder.uid_validity,
            utf8,
        }
    }
}

/// A result in its order, as numbers or UIDs.
pub(crate) struct Report<'a> {
    pub(crate) found: &'a [Found],
    pub(crate) uid: bool,
    pub(crate) with_modseq: bool,
}

/// Which of so many results a range means; nothing beyond the end.
pub(crate) fn portion(range: PartialRange, count: usize) -> Range<usize> {
    let (near, far) = (
        range.from.unsigned_abs().min(range.to.unsigned_abs()),
        range.from.unsigned_abs().max(range.to.unsigned_abs()),
    );
    let near = usize::try_from(near)
        .unwrap_or(usize::MAX)
        .saturating_sub(1)
        .min(count);
    let far = usize::try_from(far).unwrap_or(usize::MAX).min(count);
    if range.from < 0 {
        // RFC 9394 §3.1: -1 is the last.
        count - far..count - near
    } else {
        near..far
    }
}

impl Report<'_> {
    pub(crate) fn number(&self, found: &Found) -> u32 {
        if self.uid { found.uid } else { found.number }
    }

    fn partial(&self, range: PartialRange) -> &[Found] {
        self.found
            .get(portion(range, self.found.len()))
            .unwrap_or_default()
    }

    /// What MIN, MAX and PARTIAL name.
    fn named(&self, returns: SearchReturn) -> impl Iterator<Item = &Found> {
        let partial = returns.partial.map(|range| self.partial(range));
        let min = self.found.first().filter(|_| returns.min);
        let max = self.found.last().filter(|_| returns.max);
        min.into_iter().chain(max).chain(partial.unwrap_or_default())
    }

    /// RFC 5182 §2.4, RFC 9394 §3.2: MIN, MAX and PARTIAL save only what they name, unless ALL or COUNT stands beside them.
    pub(crate) fn saved(&self, returns: SearchReturn) -> ResolvedSet {
        let named = returns.min || returns.max || returns.partial.is_some();
        let mut uids: Vec<Uid> = if named && !returns.all && !returns.count {
            self.named(returns).map(|found| found.uid).collect()
        } else {
            self.found.iter().map(|found| found.uid).collect()
        };
        uids.sort_unstable();
        ResolvedSet::from_numbers(uids)
    }

    /// RFC 7162 §3.1.5: the highest of those that are told of.
    pub(crate) fn highest<'a>(&self, told: impl IntoIterator<Item = &'a Found>) -> Option<ModSeq> {
        told.into_iter()
            .map(|found| found.modseq)
            .max()
            .filter(|_| self.with_modseq)
    }

    /// RFC 4731 §3.1. With nothing but SAVE there is nothing to tell (RFC 5182 §2.1).
    pub(crate) fn put_esearch(
        &self,
        out: &mut BytesMut,
        tag: &Tag,
        returns: SearchReturn,
        of: Option<&Correlator>,
    ) {
        let SearchReturn {
            min,
            max,
            all,
            count,
            partial,
            ..
        } = returns;
        if returns.save && !(min || max || all || count || partial.is_some()) {
            return;
        }
        out.put_slice(b"* ESEARCH (TAG ");
        put_quoted(out, tag.as_str().as_bytes());
        if let Some(of) = of {
            out.put_slice(b" MAILBOX ");
            put_mailbox(out, &of.name, of.utf8);
            out.put_slice(b" UIDVALIDITY ");
            put_number(out, u64::from(of.uid_validity));
        }
        out.put_slice(if self.uid { b") UID" } else { b")" });
        let (first, last) = (self.found.first(), self.found.last());
        for (word, end) in [(" MIN ", first.filter(|_| min)), (" MAX ", last.filter(|_| max))] {
            if let Some(found) = end {
                out.put_slice(word.as_bytes());
                put_number(out, u64::from(self.number(found)));
            }
        }
        if all && !self.found.is_empty() {
            out.put_slice(b" ALL ");
            self.put_sequence(out, self.found);
        }
        if let Some(range) = partial {
            self.put_partial(out, range);
        }
        if count {
            out.put_slice(b" COUNT ");
            put_number(out, self.found.len() as u64);
        }
        let modseq = if all || count {
            self.highest(self.found)
        } else {
            self.highest(self.named(returns))
        };
        if let Some(modseq) = modseq {
            out.put_slice(b" MODSEQ ");
            put_number(out, modseq);
        }
        out.put_slice(b"\r\n");
    }

    /// In the order of the result; what ascends by one is a range (RFC 5267 §3.2).
    fn put_sequence(&self, out: &mut BytesMut, found: &[Found]) {
        let numbers: Vec<u32> = found.iter().map(|found| self.number(found)).collect();
        put_uid_sequence(out, &numbers);
    }

    /// RFC 9394 §3.1: the range as it was asked for, and what is there of it.
    fn put_partial(&self, out: &mut BytesMut, range: PartialRange) {
        out.put_slice(format!(" PARTIAL ({}:{} ", range.from, range.to).as_bytes());
        match self.partial(range) {
            [] => out.put_slice(b"NIL"),
            part => self.put_sequence(out, part),
        }
        out.put_u8(b')');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions() {
        let cases = [
            ((1, 3), 10, 0..3),
            ((3, 1), 10, 0..3),
            ((9, 20), 10, 8..10),
            ((11, 20), 10, 10..10),
            ((-1, -3), 10, 7..10),
            ((-3, -1), 10, 7..10),
            ((-9, -20), 10, 0..2),
            ((-11, -20), 10, 0..0),
            ((1, 4_294_967_295), 0, 0..0),
            ((-1, -1), 1, 0..1),
        ];
        for ((from, to), count, expected) in cases {
            assert_eq!(
                portion(PartialRange { from, to }, count),
                expected,
                "{from}:{to} of {count}"
            );
        }
    }
}
