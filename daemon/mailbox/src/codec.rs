//! The bytes of a journal record: numbers as LEB128, byte strings with their length before them.
//!
//! Reading never panics: a record may be damaged in ways that its checksum did not show.

use bytes::{Buf, Bytes};

/// A record ends too early or says something that can't be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

pub(crate) type Read<T> = Result<T, Malformed>;

/// Byte strings within a record are at most that long: more than the journal takes.
const LEN_MAX_BYTES: u64 = 1 << 32;

pub(crate) fn put_u64(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Signed numbers: zigzag, so that small negative ones are short.
pub(crate) fn put_i64(out: &mut Vec<u8>, value: i64) {
    put_u64(out, (value.wrapping_shl(1) ^ (value >> 63)) as u64);
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_u64(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Ascending, disjoint, inclusive ranges, each as distance and length.
pub(crate) fn put_ranges(out: &mut Vec<u8>, ranges: &[(u32, u32)]) {
    put_u64(out, ranges.len() as u64);
    let mut at = 0;
    for &(first, last) in ranges {
        put_u64(out, u64::from(first.wrapping_sub(at)));
        put_u64(out, u64::from(last.wrapping_sub(first)));
        at = last;
    }
}

pub(crate) fn get_u64(from: &mut Bytes) -> Read<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        if !from.has_remaining() {
            return Err(Malformed);
        }
        let byte = from.get_u8();
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Malformed)
}

pub(crate) fn get_i64(from: &mut Bytes) -> Read<i64> {
    let coded = get_u64(from)?;
    Ok((coded >> 1) as i64 ^ -((coded & 1) as i64))
}

pub(crate) fn get_u32(from: &mut Bytes) -> Read<u32> {
    u32::try_from(get_u64(from)?).map_err(|_| Malformed)
}

/// A count of things that take at least one byte each.
pub(crate) fn get_count(from: &mut Bytes) -> Read<usize> {
    let count = get_u64(from)?;
    if count > from.remaining() as u64 {
        return Err(Malformed);
    }
    Ok(count as usize)
}

pub(crate) fn take(from: &mut Bytes, len: u64) -> Read<Bytes> {
    if len > LEN_MAX_BYTES || len > from.remaining() as u64 {
        return Err(Malformed);
    }
    Ok(from.split_to(len as usize))
}

pub(crate) fn get_text(from: &mut Bytes) -> Read<String> {
    let len = get_u64(from)?;
    String::from_utf8(take(from, len)?.to_vec()).map_err(|_| Malformed)
}

pub(crate) fn get_ranges(from: &mut Bytes) -> Read<Vec<(u32, u32)>> {
    let count = get_count(from)?;
    let mut ranges = Vec::with_capacity(count);
    let mut at = 0_u32;
    for _ in 0..count {
        let first = at.checked_add(get_u32(from)?).ok_or(Malformed)?;
        let last = first.checked_add(get_u32(from)?).ok_or(Malformed)?;
        ranges.push((first, last));
        at = last;
    }
    Ok(ranges)
}

/// Ascending numbers as inclusive ranges.
pub(crate) fn ranges_of(numbers: impl IntoIterator<Item = u32>) -> Vec<(u32, u32)> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some(last) if number.checked_sub(1) == Some(last.1) => last.1 = number,
            _ => ranges.push((number, number)),
        }
    }
    ranges
}

/// Ascending ranges that may touch or overlap as ranges that don't.
pub(crate) fn merged(ranges: impl IntoIterator<Item = (u32, u32)>) -> Vec<(u32, u32)> {
    let mut merged: Vec<(u32, u32)> = Vec::new();
    for (first, last) in ranges {
        match merged.last_mut() {
            Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_both_ways() {
        for value in [0, 1, -1, 127, 128, -129, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            put_i64(&mut out, value);
            put_u64(&mut out, value as u64);
            let mut from = Bytes::from(out);
            assert_eq!(get_i64(&mut from).unwrap(), value);
            assert_eq!(get_u64(&mut from).unwrap(), value as u64);
            assert!(from.is_empty());
        }
    }

    #[test]
    fn ranges_both_ways() {
        let ranges = ranges_of([1, 2, 3, 7, 9, 10, u32::MAX]);
        assert_eq!(ranges, [(1, 3), (7, 7), (9, 10), (u32::MAX, u32::MAX)]);
        let mut out = Vec::new();
        put_ranges(&mut out, &ranges);
        assert_eq!(get_ranges(&mut Bytes::from(out)).unwrap(), ranges);
    }

    #[test]
    fn what_is_cut_off_is_malformed() {
        let mut out = Vec::new();
        put_text(&mut out, "abc");
        put_ranges(&mut out, &[(1, 2), (5, 1000)]);
        for len in 0..out.len() {
            let mut from = Bytes::from(out[..len].to_vec());
            assert!(
                get_text(&mut from).and_then(|_| get_ranges(&mut from)).is_err(),
                "{len}"
            );
        }
        assert_eq!(get_u64(&mut Bytes::from_static(&[0xff; 11])), Err(Malformed));
        assert_eq!(get_count(&mut Bytes::from_static(&[9, 1])), Err(Malformed));
    }
}
