//! What the workers keep of one owner.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;

use parking_lot::Mutex;
use shared::model::OwnerId;
use tokio::sync::{Semaphore, watch};

use crate::core::Job;
use crate::replay::Unapplied;
use crate::store::Store;

/// Jobs of one owner that wait; further callers wait for room.
pub(crate) const JOBS_PER_OWNER_MAX: usize = 256;

/// One owner: its jobs, its database if it is open, and those who watch it.
pub(crate) struct Slot {
    pub(crate) id: OwnerId,
    pub(crate) dir: PathBuf,
    pub(crate) jobs: Mutex<Jobs>,
    pub(crate) room: Semaphore,
    pub(crate) run: Mutex<Run>,
    watch: Mutex<Option<watch::Sender<u64>>>,
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
            .get_or_insert_with(|| watch::channel(0).0)
            .subscribe()
    }

    pub(crate) fn notify(&self) {
        let mut watch = self.watch.lock();
        match &*watch {
            Some(sender) if sender.receiver_count() > 0 => sender.send_modify(|value| *value += 1),
            Some(_) => *watch = None,
            None => {}
        }
    }

    /// Whether it must be kept although nobody has a handle.
    pub(crate) fn is_needed(&self) -> bool {
        let watched = self
            .watch
            .lock()
            .as_ref()
            .is_some_and(|sender| sender.receiver_count() > 0);
        let busy = self
            .run
            .try_lock()
            .is_none_or(|run| run.store.is_some() || !run.unapplied.is_empty());
        watched || busy || self.jobs.lock().scheduled
    }
}
