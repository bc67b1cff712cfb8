//! The machine's own file system.

use std::fs::{self, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::space::Space;
use crate::{Disk, File, Held, Lock, Metadata, Open, SharedDisk, os};

/// Name of the file in a directory that carries its lock.
const LOCK_FILE: &str = ".lock";

/// The machine's own file system; clones share what they know.
#[derive(Clone, Debug, Default)]
pub struct RealDisk {
    pending: Arc<os::PendingNames>,
    space: Arc<Space>,
}

impl RealDisk {
    /// The machine's own file system.
    pub fn new() -> RealDisk {
        RealDisk::default()
    }

    /// The same, as the rooms take it.
    pub fn shared() -> SharedDisk {
        Arc::new(RealDisk::new())
    }
}

#[derive(Debug)]
struct RealFile {
    file: fs::File,
    path: PathBuf,
    space: Arc<Space>,
}

#[derive(Debug)]
struct RealLock(#[expect(dead_code, reason = "held open: the system's lock goes with the file")] fs::File);

impl Held for RealLock {}

impl File for RealFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        os::read_at(&self.file, buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let written = os::write_all_at(&self.file, bytes, offset);
        self.space.note(&self.path, bytes.len() as u64, written)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.space.note(&self.path, 0, self.file.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        // Some systems find room only now.
        self.space.note(&self.path, 0, self.file.sync_data())
    }

    fn sync_all(&self) -> io::Result<()> {
        self.space.note(&self.path, 0, self.file.sync_all())
    }
}

impl Disk for RealDisk {
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn File>> {
        let mut options = OpenOptions::new();
        os::prepare(&mut options);
        options.read(true);
        let may_create = match how {
            Open::Read => false,
            Open::ReadWrite { create } => {
                options.write(true).create(create);
                create && !path.try_exists()?
            }
            Open::CreateNew => {
                options.write(true).create_new(true);
                true
            }
        };
        let file = self.space.note(path, 0, options.open(path))?;
        if may_create {
            self.pending.add(path)?;
        }
        Ok(Box::new(RealFile {
            file,
            path: path.to_path_buf(),
            space: Arc::clone(&self.space),
        }))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.space.note(path, 0, os::create_dir(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.space.note(to, 0, fs::rename(from, to))?;
        self.pending.forget(from);
        self.pending.add(to)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.space.note(to, 0, fs::hard_link(from, to))?;
        self.pending.add(to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)?;
        self.pending.forget(path);
        Ok(())
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        let metadata = fs::metadata(path)?;
        Ok(Metadata {
            len: metadata.len(),
            is_dir: metadata.is_dir(),
        })
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(path)? {
            names.extend(entry?.file_name().into_string().ok());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.pending.sync(path)
    }

    fn syncs_directories(&self) -> bool {
        os::SYNCS_DIRECTORIES
    }

    fn lock(&self, directory: &Path) -> io::Result<Lock> {
        let mut options = OpenOptions::new();
        os::prepare(&mut options);
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(directory.join(LOCK_FILE))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock {
                _held: Box::new(RealLock(file)),
            }),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::ResourceBusy.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn available_bytes(&self, path: &Path) -> io::Result<u64> {
        os::available_bytes(path)
    }

    fn space(&self) -> &Space {
        &self.space
    }

    fn real_path(&self, path: &Path) -> Option<PathBuf> {
        Some(path.to_path_buf())
    }
}
