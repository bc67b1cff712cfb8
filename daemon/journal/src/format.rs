//! The bytes on the disk; the head of the crate says what they mean. All numbers are little-endian.

use crate::{Kind, RecordId};

/// A segment's header has a sector of its own, so that no write of a record can tear it.
pub(crate) const SEGMENT_HEADER_BYTES: u64 = 512;
pub(crate) const RECORD_HEADER_BYTES: usize = 48;
/// Records begin at multiples of this.
pub(crate) const ALIGNMENT: usize = 8;

const SEGMENT_MAGIC: u64 = u64::from_le_bytes(*b"BPJSEG01");
const MARK_MAGIC: u64 = u64::from_le_bytes(*b"BPJMARK1");
const RECORD_MAGIC: u32 = u32::from_le_bytes(*b"BPJR");

/// What stands at the head of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// Rises with each use of a file, so that records of its last use are not taken for records of this one.
    pub(crate) id: u64,
    /// Every record in it has this id or a higher one.
    pub(crate) first: u64,
    /// The log before this segment ends with this record: whatever lies behind it there was never committed.
    pub(crate) previous_last: u64,
    /// The trim mark when the segment was begun: should the mark's file be damaged.
    pub(crate) trim_below: u64,
    pub(crate) epoch: u64,
}

/// What stands at the head of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) payload_bytes: u32,
    pub(crate) id: RecordId,
    pub(crate) segment: u64,
    /// All records up to this one were synced when this one was written.
    pub(crate) durable: u64,
    pub(crate) kind: Kind,
    pub(crate) payload_crc: u32,
}

/// The file `mark`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) clean: bool,
    /// No record below it is ever replayed.
    pub(crate) trim_below: u64,
    /// No id from here on was given when the mark was written.
    pub(crate) next: u64,
    pub(crate) epoch: u64,
}

/// Bytes of a record with its header and the padding behind it.
pub(crate) fn record_bytes(payload_bytes: usize) -> usize {
    (RECORD_HEADER_BYTES + payload_bytes).next_multiple_of(ALIGNMENT)
}

/// A record that lacks its id, its place and the header's checksum.
pub(crate) fn begin_record(kind: Kind, payload: &[&[u8]], payload_bytes: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(record_bytes(payload_bytes as usize));
    let mut crc = crc32fast::Hasher::new();
    bytes.extend_from_slice(&RECORD_MAGIC.to_le_bytes());
    bytes.extend_from_slice(&payload_bytes.to_le_bytes());
    bytes.extend_from_slice(&[0; 24]);
    bytes.extend_from_slice(&[kind.0, 0, 0, 0]);
    bytes.extend_from_slice(&[0; 12]);
    for part in payload {
        crc.update(part);
        bytes.extend_from_slice(part);
    }
    put(&mut bytes, 36, &crc.finalize().to_le_bytes());
    bytes.resize(record_bytes(payload_bytes as usize), 0);
    bytes
}

/// Writes what was lacking.
pub(crate) fn seal_record(record: &mut [u8], id: u64, segment: u64, durable: u64) {
    put(record, 8, &id.to_le_bytes());
    put(record, 16, &segment.to_le_bytes());
    put(record, 24, &durable.to_le_bytes());
    let crc = crc32fast::hash(&record[..44]);
    put(record, 44, &crc.to_le_bytes());
}

pub(crate) fn parse_record_header(bytes: &[u8]) -> Option<RecordHeader> {
    // The magic first: most places that are tried hold no record.
    if u32_at(bytes, 0)? != RECORD_MAGIC || u32_at(bytes, 44)? != crc32fast::hash(&bytes[..44]) {
        return None;
    }
    Some(RecordHeader {
        payload_bytes: u32_at(bytes, 4)?,
        id: RecordId(u64_at(bytes, 8)?),
        segment: u64_at(bytes, 16)?,
        durable: u64_at(bytes, 24)?,
        kind: Kind(*bytes.get(32)?),
        payload_crc: u32_at(bytes, 36)?,
    })
}

impl SegmentHeader {
    pub(crate) fn to_bytes(self) -> [u8; SEGMENT_HEADER_BYTES as usize] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES as usize];
        let fields = [
            SEGMENT_MAGIC,
            self.id,
            self.first,
            self.previous_last,
            self.trim_below,
            self.epoch,
        ];
        put_sealed(&mut bytes, &fields);
        bytes
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<SegmentHeader> {
        let [magic, id, first, previous_last, trim_below, epoch] = sealed_fields(bytes)?;
        (magic == SEGMENT_MAGIC).then_some(SegmentHeader {
            id,
            first,
            previous_last,
            trim_below,
            epoch,
        })
    }
}

impl Mark {
    pub(crate) fn to_bytes(self) -> [u8; 64] {
        let mut bytes = [0; 64];
        let fields = [
            MARK_MAGIC,
            u64::from(self.clean),
            self.trim_below,
            self.next,
            self.epoch,
            0,
        ];
        put_sealed(&mut bytes, &fields);
        bytes
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Mark> {
        let [magic, clean, trim_below, next, epoch, _] = sealed_fields(bytes)?;
        (magic == MARK_MAGIC).then_some(Mark {
            clean: clean == 1,
            trim_below,
            next,
            epoch,
        })
    }
}

/// Six numbers and their checksum.
fn put_sealed(bytes: &mut [u8], fields: &[u64; 6]) {
    for (index, field) in fields.iter().enumerate() {
        put(bytes, index * 8, &field.to_le_bytes());
    }
    let crc = crc32fast::hash(&bytes[..48]);
    put(bytes, 48, &crc.to_le_bytes());
}

fn sealed_fields(bytes: &[u8]) -> Option<[u64; 6]> {
    if u32_at(bytes, 48)? != crc32fast::hash(bytes.get(..48)?) {
        return None;
    }
    let mut fields = [0; 6];
    for (index, field) in fields.iter_mut().enumerate() {
        *field = u64_at(bytes, index * 8)?;
    }
    Some(fields)
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn headers_come_back_and_any_changed_byte_is_seen() {
        let mut record = begin_record(Kind(7), &[b"hello ", b"world"], 11);
        seal_record(&mut record, 5, 9, 4);
        assert_eq!(record.len() % ALIGNMENT, 0);
        let header = parse_record_header(&record).unwrap();
        let (id, kind) = (RecordId(5), Kind(7));
        let payload_crc = crc32fast::hash(b"hello world");
        assert_eq!(
            header,
            RecordHeader {
                payload_bytes: 11,
                id,
                segment: 9,
                durable: 4,
                kind,
                payload_crc
            }
        );
        let segment = SegmentHeader {
            id: 1,
            first: 2,
            previous_last: 3,
            trim_below: 4,
            epoch: 5,
        };
        let mark = Mark {
            clean: true,
            trim_below: 2,
            next: 3,
            epoch: 4,
        };
        assert_eq!(SegmentHeader::parse(&segment.to_bytes()), Some(segment));
        assert_eq!(Mark::parse(&mark.to_bytes()), Some(mark));
        for at in 0..44 {
            let (mut a, mut b, mut c) = (record.clone(), segment.to_bytes(), mark.to_bytes());
            a[at] ^= 1;
            b[at] ^= 1;
            c[at] ^= 1;
            assert!(
                parse_record_header(&a).is_none() && SegmentHeader::parse(&b).is_none(),
                "{at}"
            );
            assert!(Mark::parse(&c).is_none(), "{at}");
        }
        assert!(parse_record_header(&record[..40]).is_none());
        assert!(Mark::parse(&[]).is_none());
    }
}
