//! The large texts in `queue/large`: who refers to them, and when they may go.
//!
//! A file is referred to by every live record and row that names it, and by every [`Blob`] at hand. A record's reference ends only
//! when the record can't be replayed any more, because a replay of the mailboxes may still need the text.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use disk::blob::{Blob, BlobFile};
use disk::{File, Open, SharedDisk};
use journal::RecordId;
use parking_lot::Mutex;
use std::hash::{BuildHasher, Hasher};

/// Bytes of one write.
pub(crate) const CHUNK_BYTES: usize = 256 * 1024;

pub(crate) fn large_dir(dir: &Path) -> PathBuf {
    dir.join("large")
}

/// The files of `queue/large`.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) disk: SharedDisk,
    dir: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    files: HashMap<String, Entry>,
    /// References that end when the record is trimmed.
    until_trimmed: Vec<(RecordId, String)>,
}

#[derive(Debug)]
struct Entry {
    references: usize,
    handle: Weak<BlobFile>,
}

impl Files {
    /// Makes the directory if it is missing. `dir`: the queue's.
    pub(crate) fn open(disk: SharedDisk, dir: &Path) -> io::Result<Arc<Self>> {
        let dir = large_dir(dir);
        disk.create_dir_all_synced(&dir)?;
        // Made by a process that died, the names may not be durable yet.
        dir.ancestors()
            .skip(1)
            .take(2)
            .try_for_each(|above| disk.sync_dir(above))?;
        Ok(Arc::new(Self {
            disk,
            dir,
            known: Mutex::default(),
        }))
    }

    /// A new file under a name that nothing has had. Blocks.
    pub(crate) fn create(&self) -> io::Result<(String, Box<dyn File>)> {
        loop {
            let name = format!("{:016x}{:016x}", random(), random());
            match self.disk.open(&self.dir.join(&name), Open::CreateNew) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(file) => return Ok((name, file)),
            }
        }
    }

    /// Makes a written file durable and gives its text. Blocks.
    pub(crate) fn seal(&self, name: &str, file: &dyn File, len: u64) -> io::Result<Blob> {
        file.sync_all()?;
        self.disk.sync_dir(&self.dir)?;
        Ok(Blob::File(self.handle(name, len)))
    }

    /// Writes a text to a durable file. Blocks.
    pub(crate) fn spill(&self, bytes: &[u8]) -> io::Result<Blob> {
        let (name, file) = self.create()?;
        let written = bytes
            .chunks(CHUNK_BYTES)
            .try_fold(0, |at, chunk| {
                file.write_all_at(chunk, at).map(|()| at + chunk.len() as u64)
            })
            .and_then(|len| self.seal(&name, file.as_ref(), len));
        if written.is_err() {
            self.discard(&name);
        }
        written
    }

    /// Brings a file of another directory in here, by a link where that can be. Blocks.
    pub(crate) fn adopt(&self, file: &BlobFile) -> io::Result<Blob> {
        let name = format!("{:016x}{:016x}", random(), random());
        self.disk.link_or_copy(&file.path, &self.dir.join(&name))?;
        self.disk.sync_dir(&self.dir)?;
        Ok(Blob::File(self.handle(&name, file.len)))
    }

    /// The name of a file in here; `None` if it lies elsewhere.
    pub(crate) fn name_of(&self, file: &BlobFile) -> Option<String> {
        let name = file.path.strip_prefix(&self.dir).ok()?.to_str()?;
        Some(name.to_owned())
    }

    /// The shared handle of a file.
    pub(crate) fn handle(&self, name: &str, len: u64) -> Arc<BlobFile> {
        let mut known = self.known.lock();
        let entry = known.files.entry(name.to_owned()).or_insert(Entry {
            references: 0,
            handle: Weak::new(),
        });
        if let Some(handle) = entry.handle.upgrade() {
            return handle;
        }
        let handle = Arc::new(BlobFile {
            path: self.dir.join(name),
            len,
        });
        entry.handle = Arc::downgrade(&handle);
        handle
    }

    /// A record or row refers to the file.
    pub(crate) fn refer(&self, name: &str) {
        let mut known = self.known.lock();
        known
            .files
            .entry(name.to_owned())
            .or_insert(Entry {
                references: 0,
                handle: Weak::new(),
            })
            .references += 1;
    }

    /// A row refers to it no more.
    pub(crate) fn unrefer(&self, name: &str) {
        if let Some(entry) = self.known.lock().files.get_mut(name) {
            entry.references = entry.references.saturating_sub(1);
        }
    }

    /// The record was released: its reference ends when it is trimmed.
    pub(crate) fn unrefer_when_trimmed(&self, record: RecordId, name: &str) {
        self.known.lock().until_trimmed.push((record, name.to_owned()));
    }

    /// No record below this one will be replayed again.
    pub(crate) fn trimmed(&self, below: RecordId) {
        {
            let mut known = self.known.lock();
            let Known { files, until_trimmed } = &mut *known;
            until_trimmed.retain(|(record, name)| {
                let stays = *record >= below;
                if !stays && let Some(entry) = files.get_mut(name) {
                    entry.references = entry.references.saturating_sub(1);
                }
                stays
            });
        }
        self.sweep();
    }

    /// Removes the files that nothing refers to. Blocks.
    pub(crate) fn sweep(&self) {
        let dead = |entry: &Entry| entry.references == 0 && entry.handle.strong_count() == 0;
        let mut gone = Vec::new();
        self.known.lock().files.retain(|name, entry| {
            let stays = !dead(entry);
            if !stays {
                gone.push(name.clone());
            }
            stays
        });
        for name in gone {
            self.discard(&name);
        }
    }

    /// At open: removes every file that neither a record nor a row named so far. Blocks.
    pub(crate) fn remove_unknown(&self) -> io::Result<()> {
        for name in self.disk.read_dir(&self.dir)? {
            if !self.known.lock().files.contains_key(&name) {
                self.discard(&name);
            }
        }
        Ok(())
    }

    /// Removes a file; one that can't be removed is left to the next open.
    pub(crate) fn discard(&self, name: &str) {
        let _ = self.disk.remove_file(&self.dir.join(name));
    }
}

/// Unpredictable enough for a name; a name in use is noticed.
fn random() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}
