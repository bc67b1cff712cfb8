//! Everything that BatPost asks of a disk: files, names, and above all what is durable when.
//!
//! The rooms above see only the traits [`Disk`] and [`File`]. [`RealDisk`] is the machine's own file system;
//! [`SimDisk`] is a disk in memory that loses, tears and reorders whatever was not synced, from a seed, so that
//! tests can cut the power at every step. [`vfs`] lets SQLite run on either, [`sqlite`] opens its databases.
//!
//! The rules of durability, the same for both:
//!
//! - Bytes are durable after [`File::sync_data`] (or `sync_all`) of *that* file returned without an error.
//!   After an error nobody knows what is on the disk, and a second sync may succeed without having written
//!   anything: the caller must give up what it had not synced, and read back what is there.
//! - A name (create, rename, link, unlink) is durable after [`Disk::sync_dir`] of the directory that holds it.
//!   Syncing a file does not make its name durable, syncing a directory does not make the files' bytes durable.
//! - A rename replaces the target in one step: afterwards the name means the old file or the new one.
//!
//! What else depends on the system and has no room of its own is here too: permissions, limits of the process, and programs that are ended together with
//! what they have started ([`ProgramTree`]).
//!
//! This room knows nothing of mail. It must not know what is in a file.

pub mod blob;
mod contract;
mod limits;
mod os;
mod programs;
mod real;
mod sim;
pub mod space;
pub mod sqlite;
#[cfg(test)]
mod tests;
pub mod vfs;

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use limits::{keep_files_private, process_memory_bytes, raise_open_file_limit, set_private_permissions};
pub use programs::ProgramTree;
pub use real::RealDisk;
pub use sim::SimDisk;

/// The disk that a room works on; cheap to clone.
pub type SharedDisk = Arc<dyn Disk>;

/// How [`Disk::open`] opens a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// An existing file, to be read only.
    Read,
    /// To be read and written; `create` makes it if it is missing, and keeps what is in it if it is not.
    ReadWrite {
        /// Whether a missing file is made.
        create: bool,
    },
    /// To be read and written; an existing file is the error [`io::ErrorKind::AlreadyExists`].
    CreateNew,
}

/// What [`Disk::metadata`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Length in bytes; meaningless for a directory.
    pub len: u64,
    /// Whether the name is a directory.
    pub is_dir: bool,
}

/// An exclusive lock of a directory; given back when dropped and when the process dies, however it dies.
#[derive(Debug)]
#[must_use = "the lock is given back when this is dropped"]
pub struct Lock {
    _held: Box<dyn Held>,
}

/// What keeps a [`Lock`] until it is dropped.
pub(crate) trait Held: Send + Sync + Debug {}

/// An open file. All positions are absolute; there is no cursor, so that several threads may share one.
pub trait File: Send + Sync + Debug {
    /// Reads at most `buffer.len()` bytes; 0 means the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all bytes, growing the file if needed (a gap reads as zeros). Not durable before a sync.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// The length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Cuts the file or grows it with zeros. Not durable before a sync.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Makes bytes and length durable (`fdatasync`; `FlushFileBuffers` on Windows).
    fn sync_data(&self) -> io::Result<()>;

    /// Makes bytes, length and the rest of the metadata durable.
    fn sync_all(&self) -> io::Result<()>;

    /// Grows the file to `len` with zeros that are really written (not a hole, not merely reserved), so that
    /// a later write inside `len` changes no metadata and cannot run out of space. Not durable before a sync.
    fn allocate_zeroed(&self, len: u64) -> io::Result<()> {
        const CHUNK_BYTES: u64 = 1 << 20;
        let zeros = vec![0_u8; CHUNK_BYTES.min(len) as usize];
        let mut at = self.len()?;
        while at < len {
            let step = (len - at).min(CHUNK_BYTES);
            self.write_all_at(&zeros[..step as usize], at)?;
            at += step;
        }
        Ok(())
    }

    /// Fills the whole buffer, or fails with [`io::ErrorKind::UnexpectedEof`].
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.read_at(rest, offset + done as u64) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether the file has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// A file system.
pub trait Disk: Send + Sync + Debug {
    /// Opens a file. A created name is durable after [`Disk::sync_dir`] of its directory.
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn File>>;

    /// Makes one directory; an existing one is the error [`io::ErrorKind::AlreadyExists`]. Only the owner and
    /// the group may look into it.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Gives a file another name, in one step, replacing a file that has that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name; an existing one is the error [`io::ErrorKind::AlreadyExists`].
    /// See [`Disk::link_or_copy`] for what to do where links cannot be made.
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a name; the bytes go with the last name and the last open file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory with everything in it.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Length and kind of what has this name.
    fn metadata(&self, path: &Path) -> io::Result<Metadata>;

    /// The names in a directory, sorted, without their directory. A name that is not Unicode is left out: no
    /// room makes one.
    fn read_dir(&self, path: &Path) -> io::Result<Vec<String>>;

    /// Makes the names in a directory durable. Windows has no such call: there every file that was created,
    /// renamed or linked in this directory since the last time is opened by its name and flushed.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Whether [`Disk::sync_dir`] is a promise of the system; where it is not, whatever replaces a durable thing
    /// should keep the old one for one more round.
    fn syncs_directories(&self) -> bool;

    /// Locks a directory against every other process (and every other `lock` of this one), by a file `.lock`
    /// in it. Held by another: [`io::ErrorKind::ResourceBusy`].
    fn lock(&self, directory: &Path) -> io::Result<Lock>;

    /// Bytes that can still be written under this path.
    fn available_bytes(&self, path: &Path) -> io::Result<u64>;

    /// Whether it is full, as far as anybody has found out.
    fn space(&self) -> &space::Space;

    /// The path under which other programs and libraries (SQLite's own VFS, `fsync` by path) find the file;
    /// `None` if the disk is not the machine's own.
    fn real_path(&self, path: &Path) -> Option<PathBuf>;

    /// Makes a directory and the missing ones above it. The new names are not durable yet.
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        contract::create_dir_all(self, path, false)
    }

    /// Makes a directory and the missing ones above it, and makes their names durable.
    fn create_dir_all_synced(&self, path: &Path) -> io::Result<()> {
        contract::create_dir_all(self, path, true)
    }

    /// Whether the name exists. An error that says neither yes nor no is an error.
    fn exists(&self, path: &Path) -> io::Result<bool> {
        match self.metadata(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The length of a file in bytes.
    fn len(&self, path: &Path) -> io::Result<u64> {
        Ok(self.metadata(path)?.len)
    }

    /// The bytes of a whole file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        contract::read(self, path)
    }

    /// Replaces a file durably and in one step: after a crash it holds the old bytes or the new ones. Writes
    /// beside it, syncs, renames, syncs the directory.
    fn write_atomic(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        contract::write_atomic(self, path, bytes)
    }

    /// Makes durable what an earlier opener of the file wrote, even if his sync failed: the system shows what he wrote and may have forgotten
    /// that it was never written down, so it is written once more. A missing file is none to care for.
    fn rewrite_synced(&self, path: &Path) -> io::Result<()> {
        contract::rewrite_synced(self, path)
    }

    /// Gives a durable file a second name, or a durable copy where no link can be made (too many links, another
    /// volume, a file system without links). The name itself is durable after [`Disk::sync_dir`]. Says which.
    fn link_or_copy(&self, from: &Path, to: &Path) -> io::Result<Linked> {
        contract::link_or_copy(self, from, to)
    }
}

/// What [`Disk::link_or_copy`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linked {
    /// Both names mean the same file.
    Link,
    /// The second name means a file of its own, already synced.
    Copy,
}
