//! Sequence sets: `2,4:7,9,12:*`, and `$`, the saved result (RFC 9051 §9, RFC 5182).

use smallvec::SmallVec;

use super::lexer::{Bad, Lexer, Parsed};

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeqNumber {
    Number(u32),
    /// `*`, the highest number in use.
    Star,
}

/// A range as it was written; its ends in either order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberRange {
    pub from: SeqNumber,
    pub to: SeqNumber,
}

/// A set of message numbers or UIDs as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SequenceSet {
    /// `$`: the result that SEARCH RETURN (SAVE) kept.
    Saved,
    Ranges(SmallVec<[NumberRange; 2]>),
}

/// A set against a known highest number: ascending, disjoint, inclusive ranges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResolvedSet {
    ranges: SmallVec<[(u32, u32); 2]>,
}

impl SequenceSet {
    /// The set of one number.
    pub fn one(number: u32) -> Self {
        let end = SeqNumber::Number(number);
        Self::Ranges(SmallVec::from_slice(&[NumberRange { from: end, to: end }]))
    }

    /// Parses a set that stands alone, `$` included.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut lexer = Lexer::new(text, false);
        let set = sequence_set(&mut lexer).ok()?;
        lexer.rest().is_empty().then_some(set)
    }

    /// Puts `*` = `max` in and orders the ranges. With `max` 0 (nothing there) `*` stands for nothing.
    /// `Saved` resolves to nothing here: only the session knows it.
    pub fn resolve(&self, max: u32) -> ResolvedSet {
        let Self::Ranges(ranges) = self else {
            return ResolvedSet::default();
        };
        let end = |number| match number {
            SeqNumber::Number(number) => number,
            SeqNumber::Star => max,
        };
        let mut pairs: SmallVec<[(u32, u32); 2]> = ranges
            .iter()
            .filter(|range| max > 0 || (range.from != SeqNumber::Star && range.to != SeqNumber::Star))
            .map(|range| {
                (
                    end(range.from).min(end(range.to)),
                    end(range.from).max(end(range.to)),
                )
            })
            .collect();
        // RFC 9051 §9: a set may be given in any order and with overlaps.
        if pairs.len() > 1 {
            pairs.sort_unstable();
        }
        ResolvedSet::from_sorted(pairs)
    }

    /// Whether `*` stands in it.
    pub fn has_star(&self) -> bool {
        let Self::Ranges(ranges) = self else { return false };
        ranges
            .iter()
            .any(|range| range.from == SeqNumber::Star || range.to == SeqNumber::Star)
    }

    /// The highest number that is written out.
    pub fn highest_written(&self) -> Option<u32> {
        let Self::Ranges(ranges) = self else { return None };
        ranges
            .iter()
            .flat_map(|range| [range.from, range.to])
            .filter_map(|end| match end {
                SeqNumber::Number(number) => Some(number),
                SeqNumber::Star => None,
            })
            .max()
    }
}

impl ResolvedSet {
    /// From inclusive pairs in ascending order, which may touch or overlap.
    pub fn from_sorted(pairs: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut ranges: SmallVec<[(u32, u32); 2]> = SmallVec::new();
        for (from, to) in pairs {
            match ranges.last_mut() {
                Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
                _ => ranges.push((from, to)),
            }
        }
        Self { ranges }
    }

    /// From single numbers in ascending order.
    pub fn from_numbers(numbers: impl IntoIterator<Item = u32>) -> Self {
        Self::from_sorted(numbers.into_iter().map(|number| (number, number)))
    }

    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }

    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many numbers are in it.
    pub fn count(&self) -> u64 {
        self.ranges
            .iter()
            .map(|&(from, to)| u64::from(to - from) + 1)
            .sum()
    }

    pub fn min(&self) -> Option<u32> {
        self.ranges.first().map(|range| range.0)
    }

    pub fn max(&self) -> Option<u32> {
        self.ranges.last().map(|range| range.1)
    }

    pub fn contains(&self, number: u32) -> bool {
        let after = self.ranges.partition_point(|range| range.0 <= number);
        after
            .checked_sub(1)
            .and_then(|at| self.ranges.get(at))
            .is_some_and(|range| number <= range.1)
    }

    /// The part that is at most `max`.
    pub fn clamp(mut self, max: u32) -> Self {
        self.ranges.retain(|range| range.0 <= max);
        if let Some(last) = self.ranges.last_mut() {
            last.1 = last.1.min(max);
        }
        self
    }

    /// The numbers, ascending. Clamp first: a written range may span four thousand million.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.ranges.iter().flat_map(|&(from, to)| from..=to)
    }
}

/// sequence-set = (seq-number / seq-range) ["," sequence-set] / "$"
pub(super) fn sequence_set(lexer: &mut Lexer<'_>) -> Parsed<SequenceSet> {
    if lexer.eat(b'$') {
        return Ok(SequenceSet::Saved);
    }
    let mut ranges = SmallVec::new();
    loop {
        let from = seq_number(lexer)?;
        let to = if lexer.eat(b':') { seq_number(lexer)? } else { from };
        ranges.push(NumberRange { from, to });
        if !lexer.eat(b',') {
            return Ok(SequenceSet::Ranges(ranges));
        }
    }
}

/// uid-set without `*` and `$`: what QRESYNC takes as known (RFC 7162 §3.2.5).
pub(super) fn known_set(lexer: &mut Lexer<'_>) -> Parsed<SequenceSet> {
    let set = sequence_set(lexer)?;
    let plain = match &set {
        SequenceSet::Saved => false,
        SequenceSet::Ranges(ranges) => ranges
            .iter()
            .all(|range| range.from != SeqNumber::Star && range.to != SeqNumber::Star),
    };
    if plain {
        Ok(set)
    } else {
        Err(Bad("only numbers in a known set"))
    }
}

pub(super) fn seq_number(lexer: &mut Lexer<'_>) -> Parsed<SeqNumber> {
    if lexer.eat(b'*') {
        return Ok(SeqNumber::Star);
    }
    match lexer.nz_number() {
        Ok(number) => Ok(SeqNumber::Number(number)),
        Err(_) => Err(Bad("bad message set")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn resolves_as_the_rfc_says() {
        type Case = (&'static str, u32, &'static [(u32, u32)]);
        let cases: [Case; 11] = [
            ("1", 10, &[(1, 1)]),
            ("2,4:7,9,12:*", 15, &[(2, 2), (4, 7), (9, 9), (12, 15)]),
            ("*:4,5:7", 10, &[(4, 10)]),
            ("559:*", 500, &[(500, 559)]),
            ("*", 7, &[(7, 7)]),
            ("*", 0, &[]),
            ("1:*", 0, &[]),
            ("7:3", 10, &[(3, 7)]),
            ("3,1,2", 10, &[(1, 3)]),
            ("1:4294967295", 10, &[(1, u32::MAX)]),
            ("4294967295,*", 3, &[(3, 3), (u32::MAX, u32::MAX)]),
        ];
        for (text, max, expected) in cases {
            let set = SequenceSet::parse(text.as_bytes()).unwrap();
            assert_eq!(set.resolve(max).ranges(), expected, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_set() {
        for text in [
            "",
            "0",
            "1:",
            ":1",
            "1,,2",
            "1:0",
            "a",
            "1:2:3",
            "4294967296",
            "$,1",
            "1,$",
            "**",
        ] {
            assert!(SequenceSet::parse(text.as_bytes()).is_none(), "{text}");
        }
        assert_eq!(SequenceSet::parse(b"$"), Some(SequenceSet::Saved));
    }

    #[test]
    fn resolved_sets_answer() {
        let set = SequenceSet::parse(b"2:4,8,10:12").unwrap().resolve(20);
        assert_eq!(set.count(), 7);
        assert_eq!((set.min(), set.max()), (Some(2), Some(12)));
        for number in 0..15 {
            assert_eq!(
                set.contains(number),
                [2, 3, 4, 8, 10, 11, 12].contains(&number),
                "{number}"
            );
        }
        assert_eq!(set.clone().clamp(10).iter().collect::<Vec<_>>(), [2, 3, 4, 8, 10]);
        assert_eq!(set.clamp(1), ResolvedSet::default());
        assert_eq!(ResolvedSet::from_numbers([1, 2, 3, 7]).ranges(), [(1, 3), (7, 7)]);
        assert_eq!(SequenceSet::parse(b"5,9:*").unwrap().highest_written(), Some(9));
    }
}
