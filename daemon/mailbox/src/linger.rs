//! Transactions that stay open for a moment, so that the next jobs of their owner share the commit.
//!
//! A commit puts every page that was touched into the write-ahead log, and most of them (counters, ends of tables, the map of pages) are the same
//! each time. So what the journal holds already may wait: a job's answer goes out when its record is in the journal, as it must be, and the transaction
//! goes on with the owner's next jobs, until it has lasted [`crate::Options::linger`], holds so much, or somebody does what the journal does not hold.
//!
//! What a crash leaves: a database that has not seen the last records of the journal, as after a power cut; they are applied at the next start. A commit that
//! fails leaves them to the owner's next job. The records are held until the commit; what they lean on (the queue's texts) is held by the trimmer, which has
//! all lingering transactions committed before it syncs: one that begins after that has seen the trimmer's mark.
//!
//! Locks: an owner's [`Run`] before the list here, never the other way round.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::core::Core;
use crate::replay::Unapplied;
use crate::slot::{Run, Slot};
use crate::store::Store;
use crate::{MailboxError, Result, sqlite};

/// Records of one transaction.
const RECORDS_MAX: usize = 256;
/// Texts of one transaction, in bytes: its pages are in memory until the commit.
const TEXTS_MAX_BYTES: usize = 512 * 1024;

/// The owners whose transactions are open, by when they are due.
#[derive(Default)]
pub(crate) struct Lingering {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    due: VecDeque<(Instant, Arc<Slot>)>,
    stop: bool,
}

impl Lingering {
    /// For whoever has the owner's [`Run`].
    pub(crate) fn add(&self, slot: &Arc<Slot>, linger: Duration) {
        let mut state = self.state.lock();
        state.due.push_back((Instant::now() + linger, Arc::clone(slot)));
        if state.due.len() == 1 {
            self.wake.notify_one();
        }
    }

    pub(crate) fn stop(&self) {
        self.state.lock().stop = true;
        self.wake.notify_one();
    }

    /// Waits for one that is due; it stays in the list. `None`: the end.
    fn next(&self) -> Option<Arc<Slot>> {
        let mut state = self.state.lock();
        loop {
            if state.stop {
                return None;
            }
            match state.due.front() {
                Some((at, slot)) if *at <= Instant::now() => return Some(Arc::clone(slot)),
                Some((at, _)) => {
                    let at = *at;
                    self.wake.wait_until(&mut state, at);
                }
                None => self.wake.wait(&mut state),
            }
        }
    }
}

impl Core {
    /// The thread that commits what has lingered long enough.
    pub(crate) fn settle_when_due(&self) {
        while let Some(slot) = self.lingering.next() {
            let mut run = slot.run.lock();
            run.lingers = false;
            self.settle(&slot, &mut run);
            // Only now: until here the trimmer must find it.
            self.lingering.state.lock().due.pop_front();
        }
    }

    /// Commits all that lingers, and what earlier commits could not (a full disk, a failed sync): before that is done, what it leans on must stay in
    /// the journal. Blocks; not for a job.
    pub(crate) fn settle_all(&self) -> io::Result<()> {
        let slots: Vec<Arc<Slot>> = {
            let state = self.lingering.state.lock();
            state.due.iter().map(|(_, slot)| Arc::clone(slot)).collect()
        };
        for slot in slots {
            let mut run = slot.run.lock();
            self.settle(&slot, &mut run);
        }
        for slot in self.all_slots() {
            let mut run = slot.run.lock();
            if run.unapplied.iter().any(|record| record.text.is_some()) {
                let opened = self.opened(&slot, &mut run);
                if let Err(error) = &opened {
                    self.tell_trouble(&slot, &mut run, error);
                }
                opened.map_err(io::Error::other)?;
            }
        }
        Ok(())
    }

    /// Commits what an open transaction holds.
    pub(crate) fn settle(&self, slot: &Slot, run: &mut Run) {
        let Some(store) = run.store.as_mut().filter(|store| store.open) else {
            return;
        };
        match self.commit(store) {
            Ok(()) => self.fold_log(store),
            Err(error) => self.give_up(slot, run, &error),
        }
    }

    /// What a transaction held that failed is applied again from the journal before the next job.
    pub(crate) fn give_up(&self, slot: &Slot, run: &mut Run, error: &MailboxError) {
        if let Some(store) = &mut run.store {
            run.unapplied
                .extend(store.records.drain(..).map(|(id, text)| Unapplied {
                    id,
                    payload: None,
                    text,
                }));
        }
        self.shares.forget(slot.id);
        self.tell_trouble(slot, run, error);
        self.shut(run);
    }

    /// Keeps the log short. A failure is not the job's: on a full disk the log only grows, and after a failed sync nothing is taken any more, for
    /// the next one, ours or SQLite's, would succeed without having written: no log is folded either.
    pub(crate) fn fold_log(&self, store: &mut Store) {
        let log_bytes = u64::from(store.log_pages.load(Ordering::Relaxed)) * sqlite::PAGE_BYTES;
        if log_bytes <= self.options.log_max_bytes || store.open {
            return;
        }
        let Some(_folding) = self.durability.may_fold() else {
            return;
        };
        store.log_pages.store(0, Ordering::Relaxed);
        let fold = || -> Result<()> {
            self.durability.sync_name(store.owner, &store.dir)?;
            sqlite::checkpoint(&store.conn)
        };
        if let Err(error) = fold() {
            match error {
                MailboxError::Full(_) => self.tell_full(&store.dir),
                MailboxError::Unavailable(reason) | MailboxError::SyncFailed(reason) => {
                    self.durability.fail(&store.dir, &reason);
                }
                // Damage is this owner's alone.
                error => {
                    let (store, reason) = (store.dir.display().to_string(), error.to_string());
                    let event = events::kinds::store::StoreFailed { store, reason };
                    self.events.emit(events::Scope::default(), event);
                }
            }
        }
    }
}

impl Store {
    /// Whether the transaction that is open may go on: all that it holds stands in the journal, and is not too much.
    pub(crate) fn may_linger(&self) -> bool {
        !self.commit_now
            && !self.records.is_empty()
            && self.records.len() < RECORDS_MAX
            && self.texts_bytes < TEXTS_MAX_BYTES
    }

    /// The transaction was committed.
    pub(crate) fn is_settled(&mut self) {
        self.open = false;
        self.commit_now = false;
        self.texts_bytes = 0;
    }
}
