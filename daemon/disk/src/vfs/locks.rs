//! SQLite's five lock levels, between the connections of one registration.

use std::collections::HashMap;
use std::ffi::c_int;
use std::path::{Path, PathBuf};

use rusqlite::ffi;

/// The locks of all files of a registration.
#[derive(Debug, Default)]
pub(super) struct Locks {
    files: HashMap<PathBuf, Level>,
}

#[derive(Debug, Default)]
struct Level {
    shared: usize,
    /// One connection is preparing to write.
    reserved: bool,
    /// It waits for the readers to leave, or has the file for itself.
    pending: bool,
}

impl Locks {
    /// Raises a lock from `held` to `wanted`, and says what is held then; less than wanted means busy.
    pub(super) fn raise(&mut self, path: &Path, held: c_int, wanted: c_int) -> c_int {
        let level = self.files.entry(path.to_path_buf()).or_default();
        let mut held = held;
        if held == ffi::SQLITE_LOCK_NONE {
            if level.pending {
                return held;
            }
            level.shared += 1;
            held = ffi::SQLITE_LOCK_SHARED;
        }
        if wanted >= ffi::SQLITE_LOCK_RESERVED && held == ffi::SQLITE_LOCK_SHARED {
            if level.reserved {
                return held;
            }
            level.reserved = true;
            held = ffi::SQLITE_LOCK_RESERVED;
        }
        if wanted == ffi::SQLITE_LOCK_EXCLUSIVE {
            level.pending = true;
            held = if level.shared == 1 {
                ffi::SQLITE_LOCK_EXCLUSIVE
            } else {
                ffi::SQLITE_LOCK_PENDING
            };
        }
        held
    }

    /// Lowers a lock to `wanted`, which is shared or none.
    pub(super) fn lower(&mut self, path: &Path, held: c_int, wanted: c_int) {
        let Some(level) = self.files.get_mut(path) else {
            return;
        };
        if held >= ffi::SQLITE_LOCK_RESERVED && wanted < ffi::SQLITE_LOCK_RESERVED {
            level.reserved = false;
            level.pending = false;
        }
        if held >= ffi::SQLITE_LOCK_SHARED && wanted == ffi::SQLITE_LOCK_NONE {
            level.shared = level.shared.saturating_sub(1);
            if level.shared == 0 {
                self.files.remove(path);
            }
        }
    }

    pub(super) fn reserved(&self, path: &Path) -> bool {
        self.files.get(path).is_some_and(|level| level.reserved)
    }
}
