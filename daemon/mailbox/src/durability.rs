//! What is written and not yet synced, and the journal's trim.
//!
//! A commit of SQLite syncs nothing: the journal holds the record until the trimmer has asked us to make its effects durable. Then
//! each owner written to since its last sync gets one sync of its write-ahead log, through a descriptor of our own (the database itself is
//! never opened beside SQLite: closing it would drop SQLite's locks), and one of its directories. After a failed sync nothing is
//! trimmed any more and nothing is taken: what the system did not write it may have forgotten.
//!
//! The gate: a transaction holds it for reading. The trimmer passes it for writing once, after which every transaction that saw an older mark
//! has committed and its owner stands in the list.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use disk::{Disk, Open, SharedDisk};
use events::kinds::store::StoreFailed;
use events::{Events, Scope};
use journal::RecordId;
use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use shared::model::OwnerId;
use tokio::sync::Notify;

pub(crate) struct Durability {
    disk: SharedDisk,
    events: Events,
    /// Records below this one are being trimmed, or are.
    gate: RwLock<u64>,
    /// Records below this one will never be replayed.
    trimmed: AtomicU64,
    pending: Mutex<Pending>,
    /// Told when a sync has failed.
    stopped: Notify,
    /// A log that is being folded holds it for reading, the sync of a log for writing: if that fails, nobody's sync after it may believe that it has
    /// written everything.
    folding: RwLock<()>,
    /// All transactions were committed, and no more come.
    closed: AtomicBool,
}

#[derive(Default)]
struct Pending {
    dirty: HashMap<OwnerId, DirtyOwner>,
    /// Owners whose log's name is durable.
    named: HashSet<OwnerId>,
    /// Large texts that go once the record of their expunge can't be replayed.
    unlink: Vec<(RecordId, PathBuf)>,
    failed: Option<String>,
}

#[derive(Clone)]
struct DirtyOwner {
    dir: PathBuf,
    linked: bool,
}

impl Durability {
    pub(crate) fn new(disk: SharedDisk, events: Events, trimmed: u64) -> Self {
        Self {
            disk,
            events,
            gate: RwLock::new(trimmed),
            trimmed: AtomicU64::new(trimmed),
            pending: Mutex::default(),
            stopped: Notify::new(),
            folding: RwLock::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// Held during a transaction; the value is the record below which nothing is certain to be replayed.
    pub(crate) fn enter(&self) -> RwLockReadGuard<'_, u64> {
        self.gate.read()
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// For the trimmer, when the mailboxes are gone: what they had not committed leans on what is to be trimmed.
    pub(crate) fn check_closed(&self) -> io::Result<()> {
        if self.closed.load(Ordering::Acquire) {
            Ok(())
        } else {
            Err(io::Error::other("the mailboxes were not closed"))
        }
    }

    pub(crate) fn trimmed(&self) -> u64 {
        self.trimmed.load(Ordering::Acquire)
    }

    /// Before a transaction commits.
    pub(crate) fn mark_dirty(&self, owner: OwnerId, dir: &Path, linked: bool) {
        let mut pending = self.pending.lock();
        let entry = pending.dirty.entry(owner).or_insert_with(|| DirtyOwner {
            dir: dir.to_owned(),
            linked: false,
        });
        entry.linked |= linked;
    }

    pub(crate) fn unlink_later(&self, record: RecordId, path: PathBuf) {
        self.pending.lock().unlink.push((record, path));
    }

    pub(crate) fn goes_later(&self, path: &Path) -> bool {
        self.pending
            .lock()
            .unlink
            .iter()
            .any(|(_, unlinked)| unlinked == path)
    }

    pub(crate) fn forget(&self, owner: OwnerId) {
        let mut pending = self.pending.lock();
        pending.dirty.remove(&owner);
        pending.named.remove(&owner);
    }

    /// Why nothing is taken any more.
    pub(crate) fn failure(&self) -> Option<String> {
        self.pending.lock().failed.clone()
    }

    /// Held while a log is folded; `None`: not now. Nobody waits here: the owner is served meanwhile, and the next commit asks again.
    pub(crate) fn may_fold(&self) -> Option<RwLockReadGuard<'_, ()>> {
        let folding = self.folding.try_read()?;
        self.pending.lock().failed.is_none().then_some(folding)
    }

    /// Waits for [`Self::failure`].
    pub(crate) async fn until_failed(&self) -> String {
        loop {
            let stopped = self.stopped.notified();
            if let Some(reason) = self.failure() {
                return reason;
            }
            stopped.await;
        }
    }

    /// Records below this one are about to be trimmed: waits for the transactions that count on them, but for those that linger.
    pub(crate) fn pass(&self, below: RecordId) {
        let mut gate = self.gate.write();
        *gate = (*gate).max(below.0);
    }

    /// [`journal::AfterTrim`].
    pub(crate) fn after_trim(&self, below: RecordId) {
        self.trimmed.fetch_max(below.0, Ordering::AcqRel);
        let gone: Vec<PathBuf> = {
            let mut pending = self.pending.lock();
            let (gone, kept) = std::mem::take(&mut pending.unlink)
                .into_iter()
                .partition(|(record, _)| *record < below);
            pending.unlink = kept;
            let gone: Vec<(RecordId, PathBuf)> = gone;
            gone.into_iter().map(|(_, path)| path).collect()
        };
        for path in gone {
            // What stays behind is found by a check: nothing refers to it.
            let _ = self.disk.remove_file(&path);
        }
    }

    /// Makes everything that was committed until now durable.
    pub(crate) fn sync_all(&self) -> io::Result<()> {
        let owners = {
            let mut pending = self.pending.lock();
            if let Some(reason) = &pending.failed {
                return Err(io::Error::other(reason.clone()));
            }
            std::mem::take(&mut pending.dirty)
        };
        for (owner, dirty) in &owners {
            let _nobody_folds = self.folding.write();
            if let Err(error) = self.sync(*owner, dirty) {
                self.fail(&dirty.dir, &error);
                return Err(error);
            }
        }
        // A commit may have met a failed sync meanwhile, which ours did not see any more.
        self.failure()
            .map_or(Ok(()), |reason| Err(io::Error::other(reason)))
    }

    /// A sync of what lies in that directory failed.
    pub(crate) fn fail(&self, dir: &Path, error: &dyn std::fmt::Display) {
        let reason = error.to_string();
        self.pending.lock().failed.get_or_insert_with(|| reason.clone());
        self.stopped.notify_waiters();
        let store = dir.display().to_string();
        self.events.emit(Scope::default(), StoreFailed { store, reason });
    }

    /// Makes what lies on the disk of one owner durable, whoever wrote it, even if his sync failed.
    pub(crate) fn sync_owner(&self, owner: OwnerId, dir: &Path) -> io::Result<()> {
        self.pending.lock().named.remove(&owner);
        self.disk.rewrite_synced(&dir.join("mail.db-wal"))?;
        let linked = self.disk.exists(&large_dir(dir))?;
        sync_names(self.disk.as_ref(), dir)?;
        self.sync(
            owner,
            &DirtyOwner {
                dir: dir.to_owned(),
                linked,
            },
        )
    }

    /// Makes the name of an owner's log durable, once. Before the log is folded into the database it must be: without the log, a database that
    /// was written in part is a damaged one.
    pub(crate) fn sync_name(&self, owner: OwnerId, dir: &Path) -> io::Result<()> {
        if !self.pending.lock().named.contains(&owner) {
            self.disk.sync_dir(dir)?;
            self.pending.lock().named.insert(owner);
        }
        Ok(())
    }

    fn sync(&self, owner: OwnerId, dirty: &DirtyOwner) -> io::Result<()> {
        if dirty.linked {
            self.disk.sync_dir(&large_dir(&dirty.dir))?;
        }
        match self
            .disk
            .open(&dirty.dir.join("mail.db-wal"), Open::ReadWrite { create: false })
        {
            Ok(log) => log.sync_data()?,
            // Nothing was ever written after the mailbox was made, or the mailbox is gone.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        }
        self.sync_name(owner, &dirty.dir)?;
        Ok(())
    }
}

/// Makes the names of an owner's directory, of that above it, and of what lies in it durable, whoever made them: a process that died may have
/// left them unsynced.
pub(crate) fn sync_names(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    disk.sync_dir(dir)?;
    dir.ancestors()
        .skip(1)
        .take(2)
        .try_for_each(|above| disk.sync_dir(above))
}

pub(crate) fn large_dir(dir: &Path) -> PathBuf {
    dir.join("large")
}

pub(crate) fn large_path(dir: &Path, text: u64) -> PathBuf {
    large_dir(dir).join(format!("{text:016x}"))
}
