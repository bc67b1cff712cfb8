//! What the workers keep of one owner.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use parking_lot::Mutex;
use shared::model::OwnerId;
use tokio::sync::{Notify, Semaphore, watch};

use crate::core::Job;
use crate::feed::Kept;
use crate::replay::Unapplied;
use crate::store::Store;
use crate::types::{FOLDER_GONE, FolderId, FolderNow, ModSeq};

/// Jobs of one owner that wait; further callers wait for room.
pub(crate) const JOBS_PER_OWNER_MAX: usize = 256;

/// One owner: its jobs, its database if it is open, and those who watch it.
pub(crate) struct Slot {
    pub(crate) id: OwnerId,
    pub(crate) dir: PathBuf,
    pub(crate) jobs: Mutex<Jobs>,
    pub(crate) room: Semaphore,
    pub(crate) run: Mutex<Run>,
    watch: Mutex<Watched>,
    pub(crate) used: AtomicU64,
}

#[derive(Default)]
pub(crate) struct Jobs {
    pub(crate) waiting: VecDeque<Job>,
    /// In the run queue, or with a worker.
    pub(crate) scheduled: bool,
}

#[derive(Default)]
pub(crate) struct Run {
    pub(crate) store: Option<Store>,
    /// Records that must be applied before anything else.
    pub(crate) unapplied: Vec<Unapplied>,
    pub(crate) damage_told: bool,
    /// It stands in the list of those whose transactions are open.
    pub(crate) lingers: bool,
}

/// Who waits for changes.
#[derive(Default)]
struct Watched {
    all: Option<watch::Sender<u64>>,
    folders: HashMap<i64, watch::Sender<FolderNow>>,
    /// What was done lately, while somebody wants to know all of it.
    kept: Option<Box<Kept>>,
}

impl Slot {
    pub(crate) fn new(id: OwnerId, dir: PathBuf) -> Self {
        Self {
            id,
            dir,
            jobs: Mutex::default(),
            room: Semaphore::new(JOBS_PER_OWNER_MAX),
            run: Mutex::default(),
            watch: Mutex::default(),
            used: AtomicU64::new(0),
        }
    }

    /// Records to apply before the next job.
    pub(crate) fn give_unapplied(&self, records: Vec<Unapplied>) {
        self.run.lock().unapplied = records;
    }

    /// A receiver that sees a new value after each change.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.watch
            .lock()
            .all
            .get_or_insert_with(|| watch::channel(0).0)
            .subscribe()
    }

    /// A receiver that sees each change of a folder. For a job: `now` is what the folder has in this transaction,
    /// and what comes after it will be told.
    pub(crate) fn watch_folder(&self, folder: FolderId, now: ModSeq) -> watch::Receiver<FolderNow> {
        self.watch
            .lock()
            .folders
            .entry(folder.0)
            .or_insert_with(|| {
                let now = FolderNow {
                    modseq: now,
                    rights: 1,
                };
                watch::channel(now).0
            })
            .subscribe()
    }

    /// Begins to keep what happens, if nobody has watched so far.
    pub(crate) fn with_kept<T>(&self, call: impl FnOnce(&mut Kept) -> T) -> T {
        call(self.watch.lock().kept.get_or_insert_default())
    }

    /// Who has this bell watches no more.
    pub(crate) fn leave(&self, bell: &Arc<Notify>) {
        let mut watch = self.watch.lock();
        if let Some(kept) = &mut watch.kept {
            if let Some(at) = kept.bells.iter().position(|other| Arc::ptr_eq(other, bell)) {
                kept.bells.swap_remove(at);
            }
            if kept.bells.is_empty() {
                watch.kept = None;
            }
        }
    }

    /// Something was done and can be seen.
    pub(crate) fn tell(&self, store: &mut Store) {
        let pending = std::mem::take(&mut store.pending);
        if let Some(kept) = &mut self.watch.lock().kept
            && !pending.is_empty()
        {
            kept.take(store, pending);
        }
        if std::mem::take(&mut store.changed) {
            self.notify(store);
        }
    }

    fn notify(&self, store: &mut Store) {
        let rights = u64::from(std::mem::take(&mut store.rights_changed));
        let mut watch = self.watch.lock();
        watch.folders.retain(|folder, sender| {
            let row = store.folders.get(folder);
            let modseq = row.map_or(FOLDER_GONE, |row| row.highest_modseq);
            sender.send_if_modified(|value| {
                let rights = value.rights + rights;
                let now = FolderNow { modseq, rights };
                std::mem::replace(value, now) != now
            });
            sender.receiver_count() > 0
        });
        match &watch.all {
            Some(sender) if sender.receiver_count() > 0 => sender.send_modify(|value| *value += 1),
            Some(_) => watch.all = None,
            None => {}
        }
    }

    /// Whether it must be kept although nobody has a handle.
    pub(crate) fn is_needed(&self) -> bool {
        let watched = {
            let watch = self.watch.lock();
            let all = watch
                .all
                .as_ref()
                .is_some_and(|sender| sender.receiver_count() > 0);
            all || watch.kept.is_some() || watch.folders.values().any(|sender| sender.receiver_count() > 0)
        };
        let busy = self
            .run
            .try_lock()
            .is_none_or(|run| run.store.is_some() || !run.unapplied.is_empty());
        watched || busy || self.jobs.lock().scheduled
    }
}
