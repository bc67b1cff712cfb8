//! A set of UIDs that takes little room and knows which message has which number.
//!
//! UIDs lie in chunks of [`CHUNK`] numbers. A chunk is one run, a list of runs, or a bitmap, whichever is small; each knows how many UIDs lie before
//! it. So a folder without holes costs a few bytes per chunk, any other at most about a bit for each UID that was given, and numbers are found both
//! ways without reading the set. Bodies are shared between clones: a session's set costs what is different in it.
//!
//! Invariants: chunks ascend by key and none is empty; `before` is the sum of the counts before a chunk; runs ascend and do not touch.
//!
//! Must not know: what a UID belongs to.

pub(crate) mod blocks;

use std::fmt;
use std::sync::Arc;

use crate::types::Uid;

const CHUNK_BITS: u32 = 14;
/// Numbers of one chunk.
const CHUNK: u32 = 1 << CHUNK_BITS;
/// The last number within a chunk.
const LAST: u32 = CHUNK - 1;
const WORDS: usize = (CHUNK / 64) as usize;
/// With more runs than these a bitmap is smaller.
const RUNS_MAX: usize = WORDS * 2;

type Words = [u64; WORDS];
/// Inclusive, within a chunk.
type Run = (u16, u16);

/// UIDs, ascending. Cheap to clone.
#[derive(Clone, Default)]
pub struct UidSet {
    chunks: Vec<Chunk>,
}

#[derive(Clone)]
struct Chunk {
    key: u32,
    before: u32,
    count: u32,
    body: Body,
}

#[derive(Clone)]
enum Body {
    One(Run),
    Runs(Arc<Vec<Run>>),
    Bits(Arc<Words>),
}

impl UidSet {
    /// From inclusive ranges in any order.
    pub fn from_ranges(ranges: impl IntoIterator<Item = (Uid, Uid)>) -> Self {
        let mut set = Self::default();
        for (first, last) in ranges {
            set.insert(first, last);
        }
        set
    }

    pub fn len(&self) -> usize {
        self.chunks
            .last()
            .map_or(0, |chunk| (chunk.before + chunk.count) as usize)
    }

    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The highest UID.
    pub fn last(&self) -> Option<Uid> {
        let chunk = self.chunks.last()?;
        let low = chunk.body.select(chunk.count.checked_sub(1)?)?;
        Some(chunk.base() | low)
    }

    pub fn contains(&self, uid: Uid) -> bool {
        self.chunk(uid).is_some_and(|chunk| {
            chunk
                .body
                .next_run(uid & LAST)
                .is_some_and(|run| run.0 == uid & LAST)
        })
    }

    /// How many are less than this one.
    pub fn rank(&self, uid: Uid) -> usize {
        let at = self.chunk_from(uid);
        match self.chunks.get(at) {
            Some(chunk) if chunk.key == key(uid) => (chunk.before + chunk.body.rank(uid & LAST)) as usize,
            Some(chunk) => chunk.before as usize,
            None => self.len(),
        }
    }

    /// The place of a UID in the set, from 0.
    pub fn index(&self, uid: Uid) -> Option<usize> {
        self.contains(uid).then(|| self.rank(uid))
    }

    /// The UID at a place.
    pub fn nth(&self, index: usize) -> Option<Uid> {
        let index = u32::try_from(index).ok()?;
        let after = self.chunks.partition_point(|chunk| chunk.before <= index);
        let chunk = self.chunks.get(after.checked_sub(1)?)?;
        Some(chunk.base() | chunk.body.select(index - chunk.before)?)
    }

    /// The first run of UIDs from one on, at most up to another.
    pub fn next_range(&self, from: Uid, to: Uid) -> Option<(Uid, Uid)> {
        let mut at = self.chunk_from(from);
        let mut low = from & LAST;
        let mut found: Option<(Uid, Uid)> = None;
        while let Some(chunk) = self.chunks.get(at) {
            let run = chunk.body.next_run(if chunk.key == key(from) { low } else { 0 });
            match (found, run) {
                (None, Some((first, last))) => found = Some((chunk.base() | first, chunk.base() | last)),
                (None, None) => {}
                (Some(known), Some((first, last)))
                    if known.1.checked_add(1) == Some(chunk.base() | first) =>
                {
                    found = Some((known.0, chunk.base() | last));
                }
                (Some(_), _) => break,
            }
            // A run that does not reach the end of its chunk ends there.
            if found.is_some_and(|(_, last)| last & LAST != LAST) {
                break;
            }
            at += 1;
            low = 0;
        }
        let (first, last) = found?;
        (first <= to).then_some((first, last.min(to)))
    }

    /// The runs of UIDs between two, both included.
    pub fn ranges(&self, from: Uid, to: Uid) -> impl Iterator<Item = (Uid, Uid)> + '_ {
        let mut next = Some(from);
        std::iter::from_fn(move || {
            let range = self.next_range(next?, to)?;
            next = range.1.checked_add(1);
            Some(range)
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = Uid> + '_ {
        self.ranges(0, Uid::MAX).flat_map(|(first, last)| first..=last)
    }

    pub fn insert(&mut self, first: Uid, last: Uid) {
        if first > last {
            return;
        }
        for key in key(first)..=key(last) {
            let (low, high) = within(key, first, last);
            let at = self.chunks.partition_point(|chunk| chunk.key < key);
            match self.chunks.get_mut(at).filter(|chunk| chunk.key == key) {
                Some(chunk) => chunk.put(low, high, true),
                None => self.chunks.insert(
                    at,
                    Chunk {
                        key,
                        before: 0,
                        count: high - low + 1,
                        body: Body::One((low as u16, high as u16)),
                    },
                ),
            }
        }
        self.count_from(key(first));
    }

    pub fn remove(&mut self, first: Uid, last: Uid) {
        if first > last {
            return;
        }
        let from = self.chunk_from(first);
        for chunk in self.chunks.iter_mut().skip(from) {
            if chunk.key > key(last) {
                break;
            }
            let (low, high) = within(chunk.key, first, last);
            chunk.put(low, high, false);
        }
        self.chunks.retain(|chunk| chunk.count > 0);
        self.count_from(key(first));
    }

    /// The runs of what is here and not there. Costs what is different.
    pub fn minus(&self, other: &Self) -> Vec<(Uid, Uid)> {
        let mut found: Vec<(Uid, Uid)> = Vec::new();
        for chunk in &self.chunks {
            let theirs = other.chunk(chunk.base()).map(|chunk| &chunk.body);
            if theirs.is_some_and(|body| body.is_same(&chunk.body)) {
                continue;
            }
            let mut words = *chunk.body.words();
            if let Some(theirs) = theirs {
                for (word, other) in words.iter_mut().zip(theirs.words().iter()) {
                    *word &= !other;
                }
            }
            let mut from = 0;
            while let Some((first, last)) = next_in_words(&words, from) {
                let (first, last) = (chunk.base() | first, chunk.base() | last);
                match found.last_mut() {
                    Some(before) if before.1.checked_add(1) == Some(first) => before.1 = last,
                    _ => found.push((first, last)),
                }
                from = (last & LAST) + 1;
            }
        }
        found
    }

    /// Bytes on the heap, those that are shared with clones included.
    pub fn heap_bytes(&self) -> usize {
        let bodies = self.chunks.iter().map(|chunk| match &chunk.body {
            Body::One(_) => 0,
            Body::Runs(runs) => runs.capacity() * size_of::<Run>() + size_of::<Vec<Run>>(),
            Body::Bits(_) => size_of::<Words>(),
        });
        self.chunks.capacity() * size_of::<Chunk>() + bodies.sum::<usize>()
    }

    fn chunk_from(&self, uid: Uid) -> usize {
        self.chunks.partition_point(|chunk| chunk.key < key(uid))
    }

    fn chunk(&self, uid: Uid) -> Option<&Chunk> {
        self.chunks
            .get(self.chunk_from(uid))
            .filter(|chunk| chunk.key == key(uid))
    }

    /// Sets `before` anew from a chunk on.
    fn count_from(&mut self, key: u32) {
        let at = self.chunks.partition_point(|chunk| chunk.key < key);
        let before = at.checked_sub(1).and_then(|at| self.chunks.get(at));
        let mut before = before.map_or(0, |chunk| chunk.before + chunk.count);
        for chunk in self.chunks.iter_mut().skip(at) {
            chunk.before = before;
            before += chunk.count;
        }
    }
}

impl fmt::Debug for UidSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.ranges(0, Uid::MAX)).finish()
    }
}

impl PartialEq for UidSet {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.minus(other).is_empty()
    }
}

impl Eq for UidSet {}

fn key(uid: Uid) -> u32 {
    uid >> CHUNK_BITS
}

/// The part of a range that lies in a chunk.
fn within(chunk: u32, first: Uid, last: Uid) -> (u32, u32) {
    let low = if key(first) == chunk { first & LAST } else { 0 };
    let high = if key(last) == chunk { last & LAST } else { LAST };
    (low, high)
}

impl Chunk {
    fn base(&self) -> u32 {
        self.key << CHUNK_BITS
    }

    fn put(&mut self, low: u32, high: u32, on: bool) {
        match &mut self.body {
            Body::Bits(words) => put_in_words(Arc::make_mut(words), low, high, on),
            Body::One(run)
                if on && low <= u32::from(run.1) + 1 && high >= u32::from(run.0).saturating_sub(1) =>
            {
                *run = (run.0.min(low as u16), run.1.max(high as u16));
            }
            body => *body = Body::from_runs(put_in_runs(body, low, high, on)),
        }
        self.count = self.body.rank(CHUNK);
        if self.count == CHUNK {
            self.body = Body::One((0, LAST as u16));
        }
    }
}

impl Body {
    fn from_runs(mut runs: Vec<Run>) -> Self {
        if let [run] = runs.as_slice() {
            return Self::One(*run);
        }
        if runs.len() <= RUNS_MAX {
            runs.shrink_to_fit();
            return Self::Runs(Arc::new(runs));
        }
        let mut words = Box::new([0; WORDS]);
        for (first, last) in runs {
            put_in_words(&mut words, u32::from(first), u32::from(last), true);
        }
        Self::Bits(Arc::from(words))
    }

    /// The first run from a number on, cut off before it.
    fn next_run(&self, from: u32) -> Option<(u32, u32)> {
        let (first, last) = match self {
            Self::One(run) => *run,
            Self::Runs(runs) => *runs.get(runs.partition_point(|run| u32::from(run.1) < from))?,
            Self::Bits(words) => return next_in_words(words, from),
        };
        (u32::from(last) >= from).then(|| (u32::from(first).max(from), u32::from(last)))
    }

    /// How many are less than this.
    fn rank(&self, low: u32) -> u32 {
        let part = |&(first, last): &Run| (u32::from(last) + 1).min(low).saturating_sub(u32::from(first));
        match self {
            Self::One(run) => part(run),
            Self::Runs(runs) => runs
                .iter()
                .take_while(|run| u32::from(run.0) < low)
                .map(part)
                .sum(),
            Self::Bits(words) => {
                let whole = (low / 64) as usize;
                let part = words.get(whole).map_or(0, |word| word & ((1 << (low % 64)) - 1));
                let before: u32 = words.iter().take(whole).map(|word| word.count_ones()).sum();
                before + part.count_ones()
            }
        }
    }

    fn select(&self, mut nth: u32) -> Option<u32> {
        let in_run = |&(first, _): &Run, nth| u32::from(first) + nth;
        let len = |&(first, last): &Run| u32::from(last - first) + 1;
        match self {
            Self::One(run) => (nth < len(run)).then(|| in_run(run, nth)),
            Self::Runs(runs) => {
                for run in runs.iter() {
                    if nth < len(run) {
                        return Some(in_run(run, nth));
                    }
                    nth -= len(run);
                }
                None
            }
            Self::Bits(words) => {
                for (at, &word) in words.iter().enumerate() {
                    if nth < word.count_ones() {
                        let mut word = word;
                        for _ in 0..nth {
                            word &= word - 1;
                        }
                        return Some(at as u32 * 64 + word.trailing_zeros());
                    }
                    nth -= word.count_ones();
                }
                None
            }
        }
    }

    fn words(&self) -> Box<Words> {
        let mut words = Box::new([0; WORDS]);
        match self {
            Self::Bits(bits) => words.copy_from_slice(bits.as_slice()),
            Self::One((first, last)) => put_in_words(&mut words, u32::from(*first), u32::from(*last), true),
            Self::Runs(runs) => {
                for (first, last) in runs.iter() {
                    put_in_words(&mut words, u32::from(*first), u32::from(*last), true);
                }
            }
        }
        words
    }

    /// Whether they are known to be equal.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::One(a), Self::One(b)) => a == b,
            (Self::Runs(a), Self::Runs(b)) => Arc::ptr_eq(a, b),
            (Self::Bits(a), Self::Bits(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// The runs after a change.
fn put_in_runs(body: &Body, low: u32, high: u32, on: bool) -> Vec<Run> {
    let one;
    let runs: &[Run] = match body {
        Body::One(run) => {
            one = [*run];
            &one
        }
        Body::Runs(runs) => runs,
        Body::Bits(_) => &[],
    };
    let mut out: Vec<Run> = Vec::with_capacity(runs.len() + 1);
    // What touches the new run becomes part of it.
    let (mut from, mut to) = (low, high);
    let mut after = Vec::new();
    for &(first, last) in runs {
        let (first, last) = (u32::from(first), u32::from(last));
        if on {
            if last + 1 < low {
                out.push((first as u16, last as u16));
            } else if first > high + 1 {
                after.push((first as u16, last as u16));
            } else {
                (from, to) = (from.min(first), to.max(last));
            }
            continue;
        }
        if first < low {
            out.push((first as u16, last.min(low - 1) as u16));
        }
        if last > high {
            out.push((first.max(high + 1) as u16, last as u16));
        }
    }
    if on {
        out.push((from as u16, to as u16));
        out.extend(after);
    }
    out
}

fn put_in_words(words: &mut Words, low: u32, high: u32, on: bool) {
    let (first, last) = ((low / 64) as usize, (high / 64) as usize);
    for (at, word) in words.iter_mut().enumerate().take(last + 1).skip(first) {
        let mut mask = u64::MAX;
        if at == first {
            mask &= u64::MAX << (low % 64);
        }
        if at == last {
            mask &= u64::MAX >> (63 - high % 64);
        }
        *word = if on { *word | mask } else { *word & !mask };
    }
}

/// The first run of ones from a bit on.
fn next_in_words(words: &Words, from: u32) -> Option<(u32, u32)> {
    let first = next_bit(words, from, false)?;
    let end = next_bit(words, first, true).unwrap_or(CHUNK);
    Some((first, end - 1))
}

/// The first bit from one on that is set, or is not.
fn next_bit(words: &Words, from: u32, inverted: bool) -> Option<u32> {
    let start = (from / 64) as usize;
    for (at, &word) in words.iter().enumerate().skip(start) {
        let mut word = if inverted { !word } else { word };
        if at == start {
            word &= u64::MAX << (from % 64);
        }
        if word != 0 {
            return Some(at as u32 * 64 + word.trailing_zeros());
        }
    }
    None
}

#[cfg(test)]
#[path = "tests/uidset.rs"]
mod tests;
