//! What is known of a disk that is full.
//!
//! Whoever writes and has no room says so here, once or a thousand times; the one who listens tells it to people, and finds out when
//! there is room again. A file of [`RealDisk`](crate::RealDisk) says so by itself; whoever has a database asks
//! [`sqlite::is_full`](crate::sqlite::is_full).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// What did not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Full {
    /// The first file or directory that had no room.
    pub path: PathBuf,
    /// The most that was wanted since, in bytes.
    pub wanted_bytes: u64,
}

/// Whether a disk is full, as far as anybody has found out.
#[derive(Debug)]
pub struct Space {
    full: watch::Sender<Option<Full>>,
    /// People know of it.
    is_told: AtomicBool,
}

impl Default for Space {
    fn default() -> Self {
        Self {
            full: watch::Sender::new(None),
            is_told: AtomicBool::new(false),
        }
    }
}

impl Space {
    /// There was no room for so many bytes.
    pub fn met_full(&self, path: &Path, wanted_bytes: u64) {
        self.full.send_if_modified(|full| match full {
            Some(full) => {
                full.wanted_bytes = full.wanted_bytes.max(wanted_bytes);
                false
            }
            None => {
                *full = Some(Full {
                    path: path.to_owned(),
                    wanted_bytes,
                });
                true
            }
        });
    }

    /// There is room again.
    pub fn met_room(&self) {
        self.full.send_replace(None);
        self.is_told.store(false, Ordering::Relaxed);
    }

    /// Whether it is still to be told that the disk is full; from now on it is not.
    pub fn tell(&self) -> bool {
        !self.is_told.swap(true, Ordering::Relaxed)
    }

    pub fn full(&self) -> Option<Full> {
        self.full.borrow().clone()
    }

    pub fn is_full(&self) -> bool {
        self.full.borrow().is_some()
    }

    /// Sees when a disk is found to be full, and when it is found to have room.
    pub fn watch(&self) -> watch::Receiver<Option<Full>> {
        self.full.subscribe()
    }

    /// Notes an error that means a full disk; gives the result back.
    pub(crate) fn note<T>(&self, path: &Path, wanted_bytes: u64, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && is_full(error)
        {
            self.met_full(path, wanted_bytes);
        }
        result
    }
}

/// Whether the error means that the disk, or the part of it that this program may fill, is full. (SQLite takes the latter for a failing disk.)
pub fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
