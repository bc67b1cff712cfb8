//! Parts of a set as bytes, and a set that is made of ascending parts.
//!
//! A block is [`BLOCK`] numbers. Its bytes: a checksum (CRC-32 of the id under which it is kept and of what follows, little-endian), then either
//! `0` and runs of two 16-bit numbers each, or `1` and a bitmap, whichever is shorter.

use std::sync::Arc;

use super::{
    Body, CHUNK, Chunk, LAST, RUNS_MAX, Run, UidSet, WORDS, Words, key, next_in_words, put_in_words, within,
};
use crate::types::Uid;

/// Numbers of one block: as many as are worth a row.
pub(crate) const BLOCK: u32 = 1 << BLOCK_BITS;
pub(crate) const BLOCK_BITS: u32 = 10;
const BLOCK_WORDS: usize = (BLOCK / 64) as usize;

const KIND_RUNS: u8 = 0;
const KIND_BITS: u8 = 1;
const CRC_BYTES: usize = 4;
/// A bitmap is as long as so many runs.
const BLOCK_RUNS_MAX: usize = BLOCK_WORDS * 2;

/// The UIDs of one block, as bits from its first on.
pub(crate) type Block = [u64; BLOCK_WORDS];

/// Takes parts in ascending order: much cheaper than inserting them.
pub(crate) struct Builder {
    set: UidSet,
    key: u32,
    words: Box<Words>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            set: UidSet::default(),
            key: 0,
            words: Box::new([0; WORDS]),
        }
    }

    /// A run behind all that came before.
    pub(crate) fn run(&mut self, first: Uid, last: Uid) {
        for key in key(first)..=key(last) {
            self.turn_to(key);
            let (low, high) = within(key, first, last);
            put_in_words(&mut self.words, low, high, true);
        }
    }

    /// A block by its number, behind all that came before.
    pub(crate) fn block(&mut self, block: u32, bits: &Block) {
        let first = block << BLOCK_BITS;
        self.turn_to(key(first));
        let at = ((first & LAST) / 64) as usize;
        for (word, bits) in self.words.iter_mut().skip(at).zip(bits) {
            *word |= bits;
        }
    }

    pub(crate) fn finish(mut self) -> UidSet {
        self.turn_to(u32::MAX);
        self.set
    }

    fn turn_to(&mut self, key: u32) {
        if self.key == key {
            return;
        }
        let count: u32 = self.words.iter().map(|word| word.count_ones()).sum();
        if count > 0 {
            self.set.chunks.push(Chunk {
                key: self.key,
                before: self.set.len() as u32,
                count,
                body: body_of(&self.words),
            });
            self.words.fill(0);
        }
        self.key = key;
    }
}

/// The smallest form of what bits say.
fn body_of(words: &Words) -> Body {
    let runs = runs_of(words);
    if runs > RUNS_MAX {
        return Body::Bits(Arc::new(*words));
    }
    let mut list: Vec<Run> = Vec::with_capacity(runs);
    let mut from = 0;
    while let Some((first, last)) = next_in_words(words, from) {
        list.push((first as u16, last as u16));
        from = last + 1;
        if from >= CHUNK {
            break;
        }
    }
    Body::from_runs(list)
}

/// How many runs of ones there are.
fn runs_of(words: &[u64]) -> usize {
    let mut before = 0;
    let mut runs = 0;
    for &word in words {
        runs += (word & !(word << 1 | before)).count_ones() as usize;
        before = word >> 63;
    }
    runs
}

impl UidSet {
    /// The UIDs of a block.
    pub(crate) fn bits_of(&self, block: u32) -> Block {
        let mut bits = [0; BLOCK_WORDS];
        let first = block << BLOCK_BITS;
        let last = first | (BLOCK - 1);
        for (from, to) in self.ranges(first, last) {
            put_bits(&mut bits, from - first, to - first);
        }
        bits
    }
}

/// Sets bits of a block, both ends included.
pub(crate) fn put_bits(bits: &mut Block, from: u32, to: u32) {
    for (at, word) in (0_u32..).step_by(64).zip(bits.iter_mut()) {
        if from < at + 64 && to >= at {
            let mask = u64::MAX << from.saturating_sub(at) & u64::MAX >> (63 - (to - at).min(63));
            *word |= mask;
        }
    }
}

/// `id`: under which they are kept, so that bytes in the wrong place are found out.
pub(crate) fn encode(id: i64, bits: &Block) -> Vec<u8> {
    let mut bytes = vec![0; CRC_BYTES];
    if runs_of(bits) < BLOCK_RUNS_MAX {
        bytes.push(KIND_RUNS);
        let mut run: Option<(u16, u16)> = None;
        for number in 0..=BLOCK {
            let is_on = bits
                .get((number / 64) as usize)
                .is_some_and(|word| word >> (number % 64) & 1 == 1);
            match (&mut run, is_on) {
                (Some(run), true) => run.1 = number as u16,
                (None, true) => run = Some((number as u16, number as u16)),
                (_, false) => {
                    if let Some((first, last)) = run.take() {
                        bytes.extend_from_slice(&first.to_le_bytes());
                        bytes.extend_from_slice(&last.to_le_bytes());
                    }
                }
            }
        }
    } else {
        bytes.push(KIND_BITS);
        for word in bits {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
    }
    let crc = checksum(id, bytes.get(CRC_BYTES..).unwrap_or_default());
    if let Some(place) = bytes.first_chunk_mut::<CRC_BYTES>() {
        *place = crc.to_le_bytes();
    }
    bytes
}

/// `None`: this is not what was kept.
pub(crate) fn decode(id: i64, bytes: &[u8]) -> Option<Block> {
    let (crc, rest) = bytes.split_first_chunk::<CRC_BYTES>()?;
    if u32::from_le_bytes(*crc) != checksum(id, rest) {
        return None;
    }
    let (&kind, rest) = rest.split_first()?;
    let mut bits = [0; BLOCK_WORDS];
    match kind {
        KIND_RUNS => {
            let (runs, []) = rest.as_chunks::<4>() else {
                return None;
            };
            for &[a, b, c, d] in runs {
                let (first, last) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
                if first > last || u32::from(last) >= BLOCK {
                    return None;
                }
                put_bits(&mut bits, first.into(), last.into());
            }
        }
        KIND_BITS if rest.len() == size_of::<Block>() => {
            for (word, bytes) in bits.iter_mut().zip(rest.as_chunks::<8>().0) {
                *word = u64::from_le_bytes(*bytes);
            }
        }
        _ => return None,
    }
    Some(bits)
}

fn checksum(id: i64, rest: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&id.to_le_bytes());
    crc.update(rest);
    crc.finalize()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_set_made_of_parts_is_the_set() {
        let shapes: [&[(u32, u32)]; 6] = [
            &[],
            &[(1, 1_000_000)],
            &[
                (5, 5),
                (7, 1023),
                (1024, 1030),
                (16_383, 16_384),
                (40_000, 90_000),
            ],
            &[(u32::MAX - 3, u32::MAX - 2), (u32::MAX, u32::MAX)],
            &[(0, 0), (16_383, 16_383)],
            &[(1023, 1024), (2047, 2048)],
        ];
        let holes: Vec<(u32, u32)> = (1..70_000).step_by(2).map(|uid| (uid, uid)).collect();
        for ranges in shapes.into_iter().chain([holes.as_slice()]) {
            let set = UidSet::from_ranges(ranges.iter().copied());
            let mut runs = Builder::new();
            for &(first, last) in ranges {
                runs.run(first, last);
            }
            let runs = runs.finish();
            assert_eq!(runs, set);
            assert!(runs.heap_bytes() <= set.heap_bytes() + 1024);
            let mut blocks = Builder::new();
            let last = set.last().unwrap_or(0) >> BLOCK_BITS;
            for block in (0..=last).filter(|block| *block < 2000 || *block + 2 > last) {
                let id = i64::from(block);
                let bytes = encode(id, &set.bits_of(block));
                assert!(bytes.len() <= 5 + BLOCK_WORDS * 8);
                assert_eq!(decode(id + 1, &bytes), None);
                blocks.block(block, &decode(id, &bytes).unwrap());
            }
            let blocks = blocks.finish();
            assert_eq!(blocks, set);
            assert!(blocks.iter().eq(set.iter()));
        }
    }

    #[test]
    fn damage_is_seen() {
        let set = UidSet::from_ranges([(3, 90), (100, 101)]);
        let bytes = encode(7, &set.bits_of(0));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 4;
            assert_eq!(decode(7, &damaged), None);
            assert_eq!(decode(7, &bytes[..at]), None);
        }
    }
}
