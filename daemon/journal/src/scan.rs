//! Finds the records of a segment again, and tells a torn end from damage.
//!
//! A power cut may leave anything behind the last sync: half records, and whole ones behind half ones. None of
//! those was ever committed, and what follows the first that is not whole must not be replayed. A record that was
//! once durable and is not whole any more is damage: it is reported, and what follows it is replayed. What was
//! durable is known from the next segment's header, which says where the log before it ends; in the last segment
//! from the records themselves, each of which says what was durable when it was written.

use crate::format::{
    ALIGNMENT, RECORD_HEADER_BYTES, RecordHeader, SEGMENT_HEADER_BYTES, SegmentHeader, parse_record_header,
    record_bytes,
};

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Ids and offsets of the whole records up to the end of the log in this segment.
    pub(crate) records: Vec<(u64, u64)>,
    /// First and last id of what is damaged.
    pub(crate) damage: Vec<(u64, u64)>,
    /// The highest id in any header: nothing beyond it was seen by anybody through this segment.
    pub(crate) highest_seen: u64,
    /// What was durable for certain.
    pub(crate) durable: u64,
    /// Offset behind the last of `records`.
    pub(crate) end: u64,
}

/// Scans a whole segment. `ends_with` is what the next segment says; `None` for the last one.
pub(crate) fn scan(bytes: &[u8], header: &SegmentHeader, ends_with: Option<u64>) -> Scan {
    let found = find_headers(bytes, header);
    let told = found.iter().map(|(_, record)| record.durable).max().unwrap_or(0);
    let mut scan = Scan {
        highest_seen: found.last().map_or(0, |(_, record)| record.id.0),
        durable: ends_with.unwrap_or(told),
        end: SEGMENT_HEADER_BYTES,
        ..Scan::default()
    };
    let limit = ends_with.unwrap_or(u64::MAX);
    let mut expected = header.first;
    for (offset, record) in found {
        let id = record.id.0;
        if id > limit {
            break;
        }
        let whole = is_whole(bytes, offset, &record);
        let missing_to = if whole { id - 1 } else { id };
        if missing_to >= expected {
            if expected <= scan.durable {
                scan.damage.push((expected, missing_to.min(scan.durable)));
            }
            if missing_to > scan.durable {
                return scan;
            }
        }
        expected = id + 1;
        if whole {
            scan.records.push((id, offset as u64));
            scan.end = (offset + record_bytes(record.payload_bytes as usize)) as u64;
        }
    }
    if expected <= scan.durable {
        scan.damage.push((expected, scan.durable));
    }
    scan
}

/// Every header that belongs to this use of the segment, in order of place and id.
fn find_headers(bytes: &[u8], header: &SegmentHeader) -> Vec<(usize, RecordHeader)> {
    let mut found = Vec::new();
    let mut least = header.first;
    let mut at = SEGMENT_HEADER_BYTES as usize;
    while let Some(place) = bytes.get(at..at + RECORD_HEADER_BYTES) {
        let record = parse_record_header(place)
            .filter(|record| record.segment == header.id && record.id.0 >= least)
            .filter(|record| record_bytes(record.payload_bytes as usize) <= bytes.len() - at);
        match record {
            Some(record) => {
                found.push((at, record));
                least = record.id.0 + 1;
                at += record_bytes(record.payload_bytes as usize);
            }
            None => at += ALIGNMENT,
        }
    }
    found
}

fn is_whole(bytes: &[u8], offset: usize, record: &RecordHeader) -> bool {
    let start = offset + RECORD_HEADER_BYTES;
    bytes
        .get(start..start + record.payload_bytes as usize)
        .is_some_and(|payload| crc32fast::hash(payload) == record.payload_crc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use crate::format::{begin_record, seal_record};

    const HEADER: SegmentHeader = SegmentHeader {
        id: 7,
        first: 10,
        previous_last: 9,
        trim_below: 0,
        epoch: 1,
    };

    /// A segment of records 10, 11 … with these values of `durable`, and the offsets.
    fn segment(durable: &[u64]) -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut offsets) = (HEADER.to_bytes().to_vec(), Vec::new());
        for (id, durable) in (10..).zip(durable) {
            offsets.push(bytes.len());
            let mut record = begin_record(Kind(1), &[&[id as u8; 100]], 100);
            seal_record(&mut record, id, 7, *durable);
            bytes.extend(record);
        }
        bytes.resize(bytes.len() + 1000, 0);
        (bytes, offsets)
    }

    fn ids(scan: &Scan) -> Vec<u64> {
        scan.records.iter().map(|(id, _)| *id).collect()
    }

    #[test]
    fn a_torn_record_ends_the_log_even_if_whole_ones_follow() {
        let (mut bytes, offsets) = segment(&[9, 9, 11, 11]);
        bytes[offsets[2] + 60] ^= 1;
        let torn = scan(&bytes, &HEADER, None);
        assert_eq!((ids(&torn), &torn.damage[..]), (vec![10, 11], &[][..]));
        assert_eq!((torn.highest_seen, torn.end), (13, offsets[2] as u64));
        bytes[offsets[2]..offsets[3]].fill(0);
        assert_eq!(
            ids(&scan(&bytes, &HEADER, None)),
            [10, 11],
            "a lost one as well as a torn one"
        );
    }

    #[test]
    fn a_damaged_record_is_reported_and_what_follows_is_kept() {
        for whole_header in [true, false] {
            let (mut bytes, offsets) = segment(&[9, 9, 11, 12]);
            bytes[offsets[1] + if whole_header { 60 } else { 3 }] ^= 1;
            let damaged = scan(&bytes, &HEADER, None);
            assert_eq!(
                (ids(&damaged), &damaged.damage[..]),
                (vec![10, 12, 13], &[(11, 11)][..])
            );
            let before_next = scan(&bytes, &HEADER, Some(13));
            assert_eq!(
                (ids(&before_next), &before_next.damage[..]),
                (vec![10, 12, 13], &[(11, 11)][..])
            );
        }
    }

    #[test]
    fn the_next_segment_says_where_the_log_ended() {
        let (bytes, _) = segment(&[9, 9, 9, 9]);
        assert_eq!(ids(&scan(&bytes, &HEADER, None)), [10, 11, 12, 13]);
        assert_eq!(
            ids(&scan(&bytes, &HEADER, Some(11))),
            [10, 11],
            "what was given up stays given up"
        );
        assert_eq!(ids(&scan(&bytes, &HEADER, Some(9))), [0_u64; 0]);
        let lost = scan(&bytes, &HEADER, Some(15));
        assert_eq!((ids(&lost).len(), &lost.damage[..]), (4, &[(14, 15)][..]));
    }

    #[test]
    fn records_of_an_earlier_use_are_not_records() {
        let (bytes, _) = segment(&[9, 9]);
        let later = SegmentHeader { id: 8, ..HEADER };
        assert_eq!(scan(&bytes, &later, None).records, []);
        let same_number = SegmentHeader {
            first: 1000,
            ..HEADER
        };
        assert_eq!(scan(&bytes, &same_number, None).records, []);
    }
}
