//! The files of the journal: made, begun, found again.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::{Disk, File, Open};

use crate::format::{RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES, SegmentHeader, parse_record_header};

const NAME_PREFIX: &str = "segment-";

/// A file of zeros or of records that nobody needs any more, durable under its name.
#[derive(Clone, Debug)]
pub(crate) struct SegmentFile {
    pub(crate) number: u32,
    pub(crate) bytes: u64,
    pub(crate) file: Arc<dyn File>,
}

/// A file in use.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) header: SegmentHeader,
    pub(crate) file: SegmentFile,
}

impl SegmentFile {
    /// Makes a file of zeros, durable with its name.
    pub(crate) fn create(
        disk: &dyn Disk,
        directory: &Path,
        number: u32,
        bytes: u64,
    ) -> io::Result<SegmentFile> {
        let path = path(directory, number);
        let made = || {
            let file = disk.open(&path, Open::ReadWrite { create: true })?;
            file.set_len(0)?;
            file.allocate_zeroed(bytes)?;
            file.sync_all()?;
            disk.sync_dir(directory)?;
            Ok(SegmentFile {
                number,
                bytes,
                file: Arc::from(file),
            })
        };
        made().inspect_err(|_| {
            // The cause counts; a half file that stays is made whole or taken away at the next open.
            let _ = disk.remove_file(&path);
        })
    }

    pub(crate) fn open(disk: &dyn Disk, directory: &Path, number: u32) -> io::Result<SegmentFile> {
        let file = disk.open(&path(directory, number), Open::ReadWrite { create: false })?;
        Ok(SegmentFile {
            number,
            bytes: file.len()?,
            file: Arc::from(file),
        })
    }

    /// Whether the place of the header was never written durably.
    pub(crate) fn is_blank(&self) -> io::Result<bool> {
        let mut head = vec![0; self.bytes.min(SEGMENT_HEADER_BYTES) as usize];
        self.file.read_exact_at(&mut head, 0)?;
        Ok(head.iter().all(|byte| *byte == 0))
    }

    /// Takes the file into use. Durable with the first sync of a record in it.
    pub(crate) fn begin(self, header: SegmentHeader) -> io::Result<Segment> {
        self.file.write_all_at(&header.to_bytes(), 0)?;
        Ok(Segment { header, file: self })
    }

    /// The header; made up from the first record if it is damaged, and then `true`.
    pub(crate) fn header(&self) -> io::Result<Option<(SegmentHeader, bool)>> {
        let mut bytes = vec![0; SEGMENT_HEADER_BYTES as usize + RECORD_HEADER_BYTES];
        if self.bytes < bytes.len() as u64 {
            return Ok(None);
        }
        self.file.read_exact_at(&mut bytes, 0)?;
        let (head, record) = bytes.split_at(SEGMENT_HEADER_BYTES as usize);
        if let Some(header) = SegmentHeader::parse(head) {
            return Ok(Some((header, false)));
        }
        // Never begun, or not durably: then no record in it is durable either.
        if head.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        // No crash leaves this: a sector is written whole.
        Ok(parse_record_header(record).map(|record| {
            let (id, first) = (record.segment, record.id.0);
            let header = SegmentHeader {
                id,
                first,
                previous_last: first - 1,
                trim_below: 0,
                epoch: 0,
            };
            (header, true)
        }))
    }
}

pub(crate) fn name(number: u32) -> String {
    format!("{NAME_PREFIX}{number:06}")
}

pub(crate) fn path(directory: &Path, number: u32) -> PathBuf {
    directory.join(name(number))
}

/// The numbers of the files in a directory.
pub(crate) fn numbers(disk: &dyn Disk, directory: &Path) -> io::Result<Vec<u32>> {
    let names = disk.read_dir(directory)?;
    Ok(names
        .iter()
        .filter_map(|name| name.strip_prefix(NAME_PREFIX)?.parse().ok())
        .collect())
}
