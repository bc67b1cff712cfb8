//! The journal on the simulated disk and on the real one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cuts;
mod use_of;

use std::path::Path;

use disk::SimDisk;

use crate::{Journal, Kind, Options, Record, Replay};

pub(crate) const DIRECTORY: &str = "/data/queue";

/// Segments so small that a few records fill one.
pub(crate) fn small() -> Options {
    Options {
        segment_bytes_first: 4096,
        segment_bytes_max: 8192,
        spare_segments_max: 2,
        ..Options::default()
    }
}

pub(crate) fn open(disk: &SimDisk) -> (Journal, Replay) {
    Journal::open(disk.shared(), Path::new(DIRECTORY), small()).unwrap()
}

/// Appends and waits until it is durable.
pub(crate) fn commit(journal: &Journal, payload: &[u8]) -> crate::RecordId {
    let id = journal.append(Kind(1), &[payload]).unwrap();
    journal.durable_blocking(id).unwrap().id()
}

pub(crate) fn records(replay: Replay) -> Vec<Record> {
    replay.map(Result::unwrap).collect()
}
