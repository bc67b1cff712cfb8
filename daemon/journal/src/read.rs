//! Reads records back.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::format::{RECORD_HEADER_BYTES, parse_record_header};
use crate::segment::Segment;
use crate::{Damage, JournalError, Kind, Record, RecordId};

/// What was found when the journal was opened; an iterator over every record from the trim mark on, in order. Each of
/// them holds its segment until it is released, whether it was taken from here or not.
#[derive(Debug)]
pub struct Replay {
    /// Whether the last stop was a clean one ([`crate::Journal::close`]); so is a journal's very first open.
    pub clean: bool,
    /// Rises at every unclean open.
    pub epoch: u64,
    /// What was durable once and can't be read any more.
    pub damage: Vec<Damage>,
    segments: VecDeque<(Segment, VecDeque<(u64, u64)>)>,
}

impl Replay {
    pub(crate) fn new(
        clean: bool,
        epoch: u64,
        damage: Vec<Damage>,
        live: &[(Segment, Vec<(u64, u64)>)],
    ) -> Replay {
        let of =
            |(segment, records): &(Segment, Vec<_>)| (segment.clone(), records.iter().copied().collect());
        Replay {
            clean,
            epoch,
            damage,
            segments: live.iter().map(of).collect(),
        }
    }
}

impl Iterator for Replay {
    type Item = Result<Record, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (segment, records) = self.segments.front_mut()?;
            match records.pop_front() {
                Some((id, offset)) => return Some(read_record(segment, offset, RecordId(id))),
                None => drop(self.segments.pop_front()),
            }
        }
    }
}

/// Reads one record, and believes nothing that its checksums do not say.
pub(crate) fn read_record(segment: &Segment, offset: u64, id: RecordId) -> Result<Record, JournalError> {
    let io = |error| JournalError::io("read a record", error);
    let mut head = [0; RECORD_HEADER_BYTES];
    segment.file.file.read_exact_at(&mut head, offset).map_err(io)?;
    let header = parse_record_header(&head)
        .filter(|header| header.id == id && header.segment == segment.header.id)
        .filter(|header| u64::from(header.payload_bytes) <= segment.file.bytes)
        .ok_or(JournalError::Unknown(id))?;
    let mut payload = vec![0; header.payload_bytes as usize];
    segment
        .file
        .file
        .read_exact_at(&mut payload, offset + RECORD_HEADER_BYTES as u64)
        .map_err(io)?;
    if crc32fast::hash(&payload) != header.payload_crc {
        return Err(JournalError::Unknown(id));
    }
    Ok(Record {
        id,
        kind: Kind(header.kind.0),
        payload: Bytes::from(payload),
    })
}
