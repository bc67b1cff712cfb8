//! A disk in memory that loses whatever was not synced, from a seed.
//!
//! The model:
//!
//! - Readers see every write at once (the system's cache). The platter sees it when the file is synced.
//! - A power cut decides, for each write since the file's last sync, that it is kept, lost, or torn: then each
//!   sector of 512 bytes it touched is kept or lost by itself. A lost earlier write and a kept later one are what
//!   reordering looks like. Growth and cutting are kept or lost likewise; what lies between is zeros. One cut in
//!   eight keeps everything, one in eight loses everything.
//! - Created, linked, renamed and removed names since the directory's last sync are kept or lost, each by itself;
//!   the two halves of a rename go together. A file whose name was lost is gone, however well it was synced.
//! - A failed sync ([`SimDisk::fail_next_sync`]) decides at once what reached the platter; readers go on seeing
//!   everything, and later syncs succeed without writing what is missing: that is what real systems do with the bytes of a file. Names they
//!   keep in a journal of their own; if that can't be written, they take no change of anything any more until the machine starts anew, and a
//!   process that dies meanwhile finds it so: here the machine starts anew with it.
//! - Every call that changes something, and every sync, is a step; at the step of [`SimDisk::crash_at`] the power
//!   goes off in place of the call. From then on every call fails, until [`SimDisk::restart`]. Files, locks and
//!   disks from before the restart fail for ever: they belong to a process that is dead.

mod data;
mod random;
mod tree;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::space::Space;
use crate::{Disk, File, Held, Lock, Metadata, Open, SharedDisk};
use data::Fate;
use random::Random;
use tree::{NodeId, Tree};

/// One boot of a simulated disk: as a [`Disk`] for the rooms, and as the switch of its power for the test.
#[derive(Clone, Debug)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
    boot: u64,
    space: Arc<Space>,
}

#[derive(Debug)]
struct State {
    tree: Tree,
    random: Random,
    boot: u64,
    off: bool,
    steps: u64,
    reads: u64,
    crash_at: Option<u64>,
    failing_syncs: u32,
    /// A sync of names has failed: nothing can be changed.
    read_only: bool,
    full_bytes: Option<u64>,
    links_max: usize,
    locks: Vec<PathBuf>,
}

impl SimDisk {
    /// An empty disk.
    pub fn new(seed: u64) -> SimDisk {
        let state = State {
            tree: Tree::new(),
            random: Random::new(seed),
            boot: 0,
            off: false,
            steps: 0,
            reads: 0,
            crash_at: None,
            failing_syncs: 0,
            read_only: false,
            full_bytes: None,
            links_max: usize::MAX,
            locks: Vec::new(),
        };
        SimDisk {
            state: Arc::new(Mutex::new(state)),
            boot: 0,
            space: Arc::default(),
        }
    }

    /// The same disk, as the rooms take it.
    pub fn shared(&self) -> SharedDisk {
        Arc::new(self.clone())
    }

    /// Steps done since the disk was made.
    pub fn steps(&self) -> u64 {
        self.state.lock().steps
    }

    /// Bytes read and names listed since the disk was made: what something costs, on whatever machine.
    pub fn reads(&self) -> u64 {
        self.state.lock().reads
    }

    /// Cuts the power in place of that step, counted as [`SimDisk::steps`] does.
    pub fn crash_at(&self, step: u64) {
        self.state.lock().crash_at = Some(step);
    }

    /// Cuts the power now.
    pub fn power_cut(&self) {
        self.state.lock().off = true;
    }

    /// Whether the power is off.
    pub fn is_off(&self) -> bool {
        self.state.lock().off
    }

    /// What is left after a power cut (which is made if it has not happened), with the power on again.
    pub fn restart(&self) -> SimDisk {
        let mut state = self.state.lock();
        let State { tree, random, .. } = &mut *state;
        let fate = Fate::draw(random);
        tree.settle(random, fate);
        self.next_boot(&mut state)
    }

    /// The process was killed, the system lives on: nothing is lost, and nothing more is synced.
    pub fn process_death(&self) -> SimDisk {
        let mut state = self.state.lock();
        if state.read_only {
            drop(state);
            return self.restart();
        }
        self.next_boot(&mut state)
    }

    /// The next sync of a file or directory fails.
    pub fn fail_next_sync(&self) {
        self.state.lock().failing_syncs += 1;
    }

    /// Sets the size of the disk: what would grow the files beyond it fails with
    /// [`io::ErrorKind::StorageFull`].
    pub fn set_full(&self, bytes: u64) {
        self.state.lock().full_bytes = Some(bytes);
    }

    /// Sets how many names a file may have.
    pub fn set_links_max(&self, links: usize) {
        self.state.lock().links_max = links;
    }

    /// Damages bytes of a file, on the platter too.
    pub fn corrupt(&self, path: &Path, offset: u64, len: u64) -> io::Result<()> {
        let mut state = self.state.lock();
        let id = state.tree.find(path)?;
        state.tree.file(id)?.corrupt(offset, len);
        Ok(())
    }

    fn next_boot(&self, state: &mut State) -> SimDisk {
        state.boot += 1;
        state.off = false;
        state.crash_at = None;
        state.failing_syncs = 0;
        state.read_only = false;
        state.locks.clear();
        SimDisk {
            state: Arc::clone(&self.state),
            boot: state.boot,
            space: Arc::default(),
        }
    }

    fn look<T>(&self, call: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state.lock();
        state.alive(self.boot)?;
        call(&mut state)
    }

    fn step<T>(&self, call: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state.lock();
        state.alive(self.boot)?;
        state.steps += 1;
        if state.crash_at.is_some_and(|step| state.steps >= step) {
            state.off = true;
        }
        state.alive(self.boot)?;
        if state.read_only {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        call(&mut state)
    }
}

impl State {
    fn alive(&self, boot: u64) -> io::Result<()> {
        if self.boot != boot {
            return Err(io::Error::other("this belongs to a process that is dead"));
        }
        if self.off {
            Err(io::Error::other("the power is off"))
        } else {
            Ok(())
        }
    }

    fn sync_fails(&mut self) -> bool {
        let fails = self.failing_syncs > 0;
        self.failing_syncs -= u32::from(fails);
        fails
    }

    fn room_for(&mut self, id: NodeId, end: u64) -> io::Result<()> {
        let Some(full_bytes) = self.full_bytes else {
            return Ok(());
        };
        let growth = end.saturating_sub(self.tree.file(id)?.len());
        if growth > 0 && self.tree.used_bytes() + growth > full_bytes {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    path: PathBuf,
    id: NodeId,
    writable: bool,
}

impl SimFile {
    fn change(&self, end: u64, call: impl FnOnce(&mut data::FileData)) -> io::Result<()> {
        if !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let changed = self.disk.step(|state| {
            state.room_for(self.id, end)?;
            call(state.tree.file(self.id)?);
            Ok(())
        });
        self.disk.space.note(&self.path, 0, changed)
    }
}

impl File for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.disk.look(|state| {
            let read = state.tree.file(self.id)?.read(buffer, offset);
            state.reads += read as u64;
            Ok(read)
        })
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.change(offset + bytes.len() as u64, |data| data.write(bytes, offset))
    }

    fn len(&self) -> io::Result<u64> {
        self.disk.look(|state| Ok(state.tree.file(self.id)?.len()))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(len, |data| data.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.step(|state| {
            let fails = state.sync_fails();
            let State { tree, random, .. } = state;
            let data = tree.file(self.id)?;
            if fails {
                data.sync_fails(random);
                return Err(io::Error::other("the simulated sync failed"));
            }
            data.sync();
            Ok(())
        })
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }
}

#[derive(Debug)]
struct SimLock {
    disk: SimDisk,
    path: PathBuf,
}

impl Held for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut state = self.disk.state.lock();
        if state.boot == self.disk.boot {
            state.locks.retain(|path| *path != self.path);
        }
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn File>> {
        let file = |id, writable| {
            Box::new(SimFile {
                disk: self.clone(),
                path: path.to_path_buf(),
                id,
                writable,
            })
        };
        match self.look(|state| state.tree.find(path)) {
            Ok(_) if how == Open::CreateNew => Err(io::ErrorKind::AlreadyExists.into()),
            Ok(id) => {
                self.look(|state| state.tree.file(id).map(drop))?;
                Ok(file(id, how != Open::Read))
            }
            Err(error)
                if error.kind() == io::ErrorKind::NotFound
                    && matches!(how, Open::CreateNew | Open::ReadWrite { create: true }) =>
            {
                Ok(file(self.step(|state| state.tree.create(path, false))?, true))
            }
            Err(error) => Err(error),
        }
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.step(|state| state.tree.create(path, true).map(drop))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(|state| state.tree.rename(from, to))
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(|state| {
            let id = state.tree.find(from)?;
            if state.tree.links(id) >= state.links_max {
                return Err(io::ErrorKind::TooManyLinks.into());
            }
            state.tree.link(from, to)
        })
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.step(|state| state.tree.remove(path, false))
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        for name in self.read_dir(path)? {
            let inner = path.join(name);
            if self.metadata(&inner)?.is_dir {
                self.remove_dir_all(&inner)?;
            } else {
                self.remove_file(&inner)?;
            }
        }
        self.step(|state| state.tree.remove(path, true))
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.look(|state| {
            let id = state.tree.find(path)?;
            let is_dir = state.tree.is_dir(id);
            Ok(Metadata {
                len: if is_dir { 0 } else { state.tree.file(id)?.len() },
                is_dir,
            })
        })
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<String>> {
        self.look(|state| {
            let names = state.tree.list(path)?;
            state.reads += names.len() as u64;
            Ok(names)
        })
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.step(|state| {
            let fails = state.sync_fails();
            let State { tree, random, .. } = state;
            if fails {
                tree.sync_directory_fails(path, random)?;
                state.read_only = true;
                return Err(io::Error::other("the simulated sync failed"));
            }
            tree.sync_directory(path)
        })
    }

    fn syncs_directories(&self) -> bool {
        true
    }

    fn lock(&self, directory: &Path) -> io::Result<Lock> {
        self.look(|state| {
            state.tree.find(directory)?;
            if state.locks.iter().any(|held| held == directory) {
                return Err(io::ErrorKind::ResourceBusy.into());
            }
            state.locks.push(directory.to_path_buf());
            Ok(Lock {
                _held: Box::new(SimLock {
                    disk: self.clone(),
                    path: directory.to_path_buf(),
                }),
            })
        })
    }

    fn available_bytes(&self, _path: &Path) -> io::Result<u64> {
        self.look(|state| {
            Ok(state
                .full_bytes
                .unwrap_or(u64::MAX)
                .saturating_sub(state.tree.used_bytes()))
        })
    }

    fn space(&self) -> &Space {
        &self.space
    }

    fn real_path(&self, _path: &Path) -> Option<PathBuf> {
        None
    }
}
