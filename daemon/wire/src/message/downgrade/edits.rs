//! A text of which some parts are replaced, without either text in memory.

use std::ops::Range;

/// What goes, and what is put in its place.
pub type Edit = (Range<usize>, Vec<u8>);

/// The parts of a text that are others in the new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edits {
    list: Vec<Edit>,
    /// Where what is put begins in the new text, edit by edit.
    starts: Vec<usize>,
    len: usize,
}

/// What a part of the new text is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// These octets of the old text.
    Kept(Range<usize>),
    Put(&'a [u8]),
}

impl Edits {
    /// `edits`: in the order of the text, disjoint.
    pub(super) fn new(edits: Vec<Edit>, text_len: usize) -> Self {
        let (mut old, mut new) = (0, 0);
        let mut starts = Vec::with_capacity(edits.len());
        for (range, put) in &edits {
            new += range.start - old;
            starts.push(new);
            new += put.len();
            old = range.end;
        }
        let len = new + text_len.saturating_sub(old);
        Self {
            list: edits,
            starts,
            len,
        }
    }

    /// Octets of the new text.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Where an octet of the old text is in the new one, if no edit takes it away.
    pub fn moved(&self, at: usize) -> usize {
        let before = self
            .list
            .partition_point(|(range, _)| range.end <= at)
            .checked_sub(1);
        before
            .and_then(|before| self.list.get(before).zip(self.starts.get(before)))
            .map_or(at, |((range, put), start)| start + put.len() + (at - range.end))
    }

    /// What `len` octets of the new text from `at` on are made of.
    pub fn pieces(&self, at: usize, len: usize) -> impl Iterator<Item = Piece<'_>> {
        let end = at.saturating_add(len).min(self.len);
        // The edit that lies before `at`, or around it.
        let mut next = self
            .starts
            .partition_point(|start| *start <= at)
            .saturating_sub(1);
        let mut at = at;
        std::iter::from_fn(move || {
            while at < end {
                let Some(((_, put), &start)) = self.list.get(next).zip(self.starts.get(next)) else {
                    return self.kept(next, &mut at, end);
                };
                if at < start {
                    return self.kept(next, &mut at, end.min(start));
                }
                let from = at - start;
                if from < put.len() {
                    let to = put.len().min(end - start);
                    at = start + to;
                    return put.get(from..to).map(Piece::Put);
                }
                next += 1;
            }
            None
        })
    }

    /// Octets between two edits, the later of which is the given one.
    fn kept(&self, later: usize, at: &mut usize, end: usize) -> Option<Piece<'_>> {
        let before = later.checked_sub(1);
        let (old, new) = before
            .and_then(|before| self.list.get(before).zip(self.starts.get(before)))
            .map_or((0, 0), |((range, put), start)| (range.end, start + put.len()));
        let range = old + (*at - new)..old + (end - new);
        *at = end;
        Some(Piece::Kept(range))
    }
}
