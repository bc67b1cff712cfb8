//! A segment: the terms of some texts, and which texts have them.
//!
//! Two dictionaries, one of heads and one of bodies. A dictionary is all its terms in order, each between two [`END`]s, so that one search through it
//! finds the terms that hold a needle; and beside it, in rows of about [`ROW_BYTES`], a list for each term of the texts that have it: its length, then the
//! texts' places in the segment, ascending, as differences (LEB128).

use std::collections::HashMap;
use std::ops::ControlFlow;

use bytes::Bytes;
use wire::message::Message;
use wire::message::searchable::{self, Scope};

use super::terms::{Cutter, END};
use crate::codec;

/// The dictionaries' places in a segment.
pub(super) const FIELDS: [Scope; 2] = [Scope::Head, Scope::Body];
/// A text with more bytes of terms that others before it did not have is not indexed but looked at by every search.
const NEW_TERMS_MAX_BYTES: usize = 128 * 1024;
/// The same for texts with more decoded text.
const TEXT_MAX_BYTES: usize = 4 << 20;
/// Lists of one row.
const ROW_BYTES: usize = 8 * 1024;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Dictionary {
    pub(super) words: Vec<u8>,
    /// The number of the first term of each row.
    pub(super) starts: Vec<u32>,
    pub(super) rows: Vec<Vec<u8>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Segment {
    /// Ascending.
    pub(super) texts: Vec<u64>,
    /// Places of texts that are not indexed.
    pub(super) wide: Vec<u32>,
    pub(super) dictionaries: [Dictionary; FIELDS.len()],
}

impl Segment {
    pub(super) fn bytes(&self) -> usize {
        let dictionaries = self.dictionaries.iter();
        dictionaries
            .map(|dictionary| dictionary.words.len() + dictionary.rows.iter().map(Vec::len).sum::<usize>())
            .sum()
    }
}

/// Gathers a segment.
#[derive(Default)]
pub(super) struct Builder {
    texts: Vec<u64>,
    wide: Vec<u32>,
    lists: [HashMap<Box<str>, List>; FIELDS.len()],
}

/// The texts that have a term.
#[derive(Default)]
struct List {
    /// One more than the last place.
    next: u32,
    coded: Vec<u8>,
}

impl List {
    fn push(&mut self, place: u32) {
        if place >= self.next {
            codec::put_u64(&mut self.coded, u64::from(place - self.next));
            self.next = place + 1;
        }
    }
}

impl Builder {
    /// Adds a text; those before it had lower numbers.
    pub(super) fn add(&mut self, id: u64, text: &[u8]) {
        let place = self.texts.len() as u32;
        self.texts.push(id);
        let structure = Message::parse(text);
        let (mut new_bytes, mut text_bytes) = (0_usize, 0_usize);
        for (scope, lists) in FIELDS.iter().zip(&mut self.lists) {
            let mut cutter = Cutter::default();
            let mut note = |term: &str| match lists.get_mut(term) {
                Some(list) => list.push(place),
                None => {
                    new_bytes += term.len() + 16;
                    lists.entry(Box::from(term)).or_default().push(place);
                }
            };
            let read = searchable::pieces(text, &structure, *scope, &mut |piece| {
                cutter.push(piece, &mut note);
                text_bytes += piece.len();
                if text_bytes > TEXT_MAX_BYTES {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            cutter.finish(&mut note);
            if read.is_break() || new_bytes > NEW_TERMS_MAX_BYTES {
                self.wide.push(place);
                return;
            }
        }
    }

    /// Adds a text that every search looks at.
    pub(super) fn add_wide(&mut self, id: u64) {
        self.wide.push(self.texts.len() as u32);
        self.texts.push(id);
    }

    /// Adds a segment that comes after those before it, without the texts that `keep` refuses.
    pub(super) fn merge(&mut self, segment: &Segment, keep: &mut dyn FnMut(u64) -> bool) {
        const GONE: u32 = u32::MAX;
        let mut places = Vec::with_capacity(segment.texts.len());
        for &text in &segment.texts {
            if keep(text) {
                places.push(self.texts.len() as u32);
                self.texts.push(text);
            } else {
                places.push(GONE);
            }
        }
        let place = |old: u32| places.get(old as usize).copied().filter(|&place| place != GONE);
        self.wide
            .extend(segment.wide.iter().filter_map(|&old| place(old)));
        for (dictionary, lists) in segment.dictionaries.iter().zip(&mut self.lists) {
            let mut rows = dictionary.rows.iter().map(|row| row.as_slice());
            let mut row: &[u8] = rows.next().unwrap_or_default();
            for term in terms_of(&dictionary.words) {
                if row.is_empty() {
                    row = rows.next().unwrap_or_default();
                }
                let (list, rest) = next_list(row);
                row = rest;
                let mut kept = places_of(list).filter_map(place).peekable();
                if kept.peek().is_none() {
                    continue;
                }
                let merged = match lists.get_mut(term) {
                    Some(merged) => merged,
                    None => lists.entry(Box::from(term)).or_default(),
                };
                kept.for_each(|place| merged.push(place));
            }
        }
    }

    pub(super) fn finish(self) -> Segment {
        Segment {
            texts: self.texts,
            wide: self.wide,
            dictionaries: self.lists.map(dictionary),
        }
    }
}

fn dictionary(lists: HashMap<Box<str>, List>) -> Dictionary {
    let mut lists: Vec<(Box<str>, List)> = lists.into_iter().collect();
    lists.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let mut made = Dictionary::default();
    if !lists.is_empty() {
        made.words.push(END);
    }
    let mut row = Vec::new();
    for (number, (term, list)) in (0_u32..).zip(lists) {
        made.words.extend_from_slice(term.as_bytes());
        made.words.push(END);
        if row.is_empty() {
            made.starts.push(number);
        }
        codec::put_u64(&mut row, list.coded.len() as u64);
        row.extend_from_slice(&list.coded);
        if row.len() >= ROW_BYTES {
            made.rows.push(std::mem::take(&mut row));
        }
    }
    if !row.is_empty() {
        made.rows.push(row);
    }
    made
}

fn terms_of(words: &[u8]) -> impl Iterator<Item = &str> {
    let terms = words.split(|&byte| byte == END).filter(|term| !term.is_empty());
    terms.map(|term| std::str::from_utf8(term).unwrap_or_default())
}

/// The first list of a row, and the rest of the row. Damage gives empty lists.
pub(super) fn next_list(row: &[u8]) -> (&[u8], &[u8]) {
    let Some((len, rest)) = number(row) else {
        return (&[], &[]);
    };
    usize::try_from(len)
        .ok()
        .and_then(|len| rest.split_at_checked(len))
        .unwrap_or_default()
}

/// The places in a list.
pub(super) fn places_of(list: &[u8]) -> impl Iterator<Item = u32> {
    let (mut rest, mut next) = (list, 0_u32);
    std::iter::from_fn(move || {
        let (distance, after) = number(rest)?;
        rest = after;
        let place = next.checked_add(u32::try_from(distance).ok()?)?;
        next = place.checked_add(1)?;
        Some(place)
    })
}

fn number(from: &[u8]) -> Option<(u64, &[u8])> {
    let (mut value, mut shift) = (0_u64, 0_u32);
    for (at, &byte) in from.iter().enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value, from.get(at + 1..)?));
        }
        shift += 7;
    }
    None
}

/// Ascending numbers as differences.
pub(super) fn code(numbers: impl Iterator<Item = u64>) -> Vec<u8> {
    let (mut out, mut last) = (Vec::new(), 0);
    for number in numbers {
        codec::put_u64(&mut out, number.wrapping_sub(last));
        last = number;
    }
    out
}

pub(super) fn decode(coded: &[u8]) -> Vec<u64> {
    let (mut from, mut last) = (Bytes::copy_from_slice(coded), 0_u64);
    let mut numbers = Vec::new();
    while let Ok(distance) = codec::get_u64(&mut from) {
        last = last.wrapping_add(distance);
        numbers.push(last);
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(texts: &[(u64, &str)]) -> Segment {
        let mut builder = Builder::default();
        for (id, text) in texts {
            builder.add(*id, text.as_bytes());
        }
        builder.finish()
    }

    #[test]
    fn a_segment_of_texts() {
        let made = segment(&[(3, "A: b\r\n\r\nhello world"), (300, "C: d\r\n\r\nhello there")]);
        let [head, body] = &made.dictionaries;
        assert_eq!(head.words, b"\nA\nB\nC\nD\n");
        assert_eq!(body.words, b"\nHELLO\nTHERE\nWORLD\n");
        assert_eq!(body.starts, [0]);
        assert_eq!(body.rows, [[2, 0, 0, 1, 1, 1, 0]]);
        assert_eq!(made.texts, [3, 300]);
        assert_eq!(decode(&code(made.texts.iter().copied())), made.texts);
    }

    #[test]
    fn merged_segments_are_what_one_would_be() {
        let texts: Vec<(u64, String)> = (1..400_u64)
            .map(|id| {
                (
                    id,
                    format!("Id: {id}\r\n\r\nhello {} x{} ", id % 7, id * id % 31).repeat(3),
                )
            })
            .collect();
        let texts: Vec<(u64, &str)> = texts.iter().map(|(id, text)| (*id, text.as_str())).collect();
        let mut merged = Builder::default();
        for part in texts.chunks(37) {
            merged.merge(&segment(part), &mut |text| text % 5 != 0);
        }
        let kept: Vec<(u64, &str)> = texts.iter().copied().filter(|(id, _)| id % 5 != 0).collect();
        assert!(merged.finish() == segment(&kept));
    }

    #[test]
    fn a_text_of_garbage_is_not_indexed() {
        let garbage: Vec<String> = (0..60_000).map(|number: u32| number.to_string()).collect();
        let garbage = garbage.join(" ");
        let made = segment(&[(1, "\r\na"), (2, &format!("\r\n{garbage}")), (3, "\r\nb")]);
        assert_eq!((made.texts.len(), made.wide.as_slice()), (3, &[1][..]));
        assert_eq!(places_of(&[0x80, 0x80]).count(), 0);
        assert_eq!(next_list(&[9, 1]), (&[][..], &[][..]));
    }
}
