//! What is in memory of an open mailbox is looked at where it is asked for: a job for a worker would cost two changes of threads.
//!
//! Only while nobody is at work on the mailbox and no job waits, so that calls still take effect in the order in which they were made. Nothing is read
//! from the disk here, and nothing takes long: this runs on the runtime's threads.

use std::sync::atomic::Ordering;

use crate::core::Core;
use crate::slot::Slot;
use crate::store::Store;
use crate::types::{Folder, FolderId, Status};
use crate::{MailboxError, Result, names};

impl Core {
    /// Who was used last.
    pub(crate) fn next_tick(&self) -> u64 {
        self.tick.fetch_add(1, Ordering::Relaxed)
    }

    /// Looks at an owner's mailbox. `None`: it must be asked by a job.
    pub(crate) fn glance<T>(&self, slot: &Slot, look: impl FnOnce(&Store) -> Option<T>) -> Option<T> {
        let jobs = slot.jobs.lock();
        if jobs.scheduled {
            return None;
        }
        let run = slot.run.try_lock()?;
        drop(jobs);
        let store = run.store.as_ref().filter(|_| run.unapplied.is_empty())?;
        if store.state.epoch != self.options.epoch {
            return None;
        }
        slot.used.store(self.next_tick(), Ordering::Relaxed);
        look(store)
    }
}

/// The folder of that name.
pub(crate) fn folder(store: &Store, name: &str) -> Option<Result<Folder>> {
    let listing = store.listing.as_ref()?;
    let name = match names::canonical(name) {
        Ok(name) => name,
        Err(error) => return Some(Err(error)),
    };
    let found = listing.iter().find(|folder| folder.name == name);
    Some(found.cloned().ok_or(MailboxError::NoSuchFolder))
}

pub(crate) fn status(store: &Store, folder: FolderId) -> Option<Result<Status>> {
    Some(store.folder(folder).map(|row| row.status()))
}
