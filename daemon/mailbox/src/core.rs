//! The workers: a fixed number of threads on which all databases are used.
//!
//! Each owner has a queue of jobs. An owner with jobs stands in the run queue once; a worker takes it, runs up to [`BATCH_MAX`] jobs
//! in one transaction of SQLite and answers when that is committed. So no two threads ever use one database, jobs of an owner take effect
//! in their order, a job sees what those before it wrote, and no task of the runtime is blocked. If anything fails between the journal and the commit, all jobs
//! of the transaction get the error, the database is closed, and the records are applied again from the journal before the next job.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use disk::SharedDisk;
use events::Events;
use events::kinds::store::MailboxDamaged;
use journal::{Journal, JournalError, RecordId};
use parking_lot::{Condvar, Mutex};
use shared::model::OwnerId;
use tokio::sync::oneshot;

use crate::ctx::Ctx;
use crate::durability::Durability;
use crate::index::Background;
use crate::linger::Lingering;
use crate::shares::Shares;
use crate::slot::{Run, Slot};
use crate::store::Store;
use crate::texts::SummaryCache;
use crate::{MailboxError, Options, Result};

/// Jobs of one owner in one transaction.
pub(crate) const BATCH_MAX: usize = 32;
/// Slots are looked through for dead ones after this many new ones.
const SLOTS_PER_SWEEP: usize = 4096;

/// Sends a job's answer, once the fate of its transaction is known, and that of a record in the journal.
pub(crate) type Answer = Box<dyn FnOnce(&Journal, Result<()>) + Send>;
/// Gets the error if the mailbox can't be opened.
pub(crate) type Job = Box<dyn FnOnce(Result<&mut Ctx<'_>>) -> Answer + Send>;

/// What an answer waits for beside its transaction.
pub(crate) enum Until {
    Now,
    /// The record outlives this process.
    Written(RecordId),
    Durable(RecordId),
}

/// What the workers share.
pub(crate) struct Core {
    pub(crate) disk: SharedDisk,
    pub(crate) journal: Journal,
    pub(crate) events: Events,
    pub(crate) options: Options,
    pub(crate) durability: Arc<Durability>,
    pub(crate) summaries: SummaryCache,
    pub(crate) index: Background,
    pub(crate) shares: Shares,
    pub(crate) lingering: Lingering,
    slots: Mutex<Slots>,
    run: Mutex<RunQueue>,
    wake: Condvar,
    idle: Condvar,
    open: AtomicUsize,
    pub(crate) tick: AtomicU64,
}

#[derive(Default)]
struct Slots {
    by_owner: HashMap<OwnerId, Arc<Slot>>,
    new: usize,
}

#[derive(Default)]
struct RunQueue {
    slots: VecDeque<Arc<Slot>>,
    busy: usize,
    /// No new jobs are taken.
    closing: bool,
    /// The workers end.
    stop: bool,
}

impl Core {
    pub(crate) fn new(
        disk: SharedDisk,
        journal: Journal,
        events: Events,
        options: Options,
        durability: Arc<Durability>,
    ) -> Self {
        Self {
            disk,
            journal,
            events,
            options,
            durability,
            summaries: SummaryCache::default(),
            index: Background::default(),
            shares: Shares::default(),
            lingering: Lingering::default(),
            slots: Mutex::default(),
            run: Mutex::default(),
            wake: Condvar::new(),
            idle: Condvar::new(),
            open: AtomicUsize::new(0),
            tick: AtomicU64::new(0),
        }
    }

    /// The directory of an owner: `<dir>/ab/<owner>`, both in hexadecimal, the first by the owner's lowest byte.
    pub(crate) fn owner_dir(&self, id: OwnerId) -> PathBuf {
        self.options
            .dir
            .join(format!("{:02x}", id.0 & 0xff))
            .join(format!("{:x}", id.0))
    }

    pub(crate) fn slot(&self, id: OwnerId) -> Arc<Slot> {
        let mut slots = self.slots.lock();
        if let Some(slot) = slots.by_owner.get(&id) {
            return Arc::clone(slot);
        }
        slots.new += 1;
        if slots.new >= SLOTS_PER_SWEEP {
            slots.new = 0;
            slots
                .by_owner
                .retain(|_, slot| Arc::strong_count(slot) > 1 || slot.is_needed());
        }
        let slot = Arc::new(Slot::new(id, self.owner_dir(id)));
        slots.by_owner.insert(id, Arc::clone(&slot));
        slot
    }

    /// Runs `call` on the owner's worker and returns its answer after the commit.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        slot: &Arc<Slot>,
        call: impl FnOnce(&mut Ctx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.start(slot, call).await?.await.map_err(|_| stopped())?
    }

    /// Has `call` run on the owner's worker; the answer comes after the transaction.
    pub(crate) async fn start<T: Send + 'static>(
        &self,
        slot: &Arc<Slot>,
        call: impl FnOnce(&mut Ctx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T>>> {
        self.start_until(slot, move |ctx| Ok((call(ctx)?, Until::Now)))
            .await
    }

    /// The same; the answer also waits for a record. Whoever waits is woken once.
    pub(crate) async fn start_until<T: Send + 'static>(
        &self,
        slot: &Arc<Slot>,
        call: impl FnOnce(&mut Ctx<'_>) -> Result<(T, Until)> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T>>> {
        let room = slot.room.acquire().await.map_err(|_| stopped())?;
        // Given back by the worker.
        room.forget();
        let (answer, answered) = oneshot::channel();
        self.push(
            slot,
            Box::new(move |ctx| {
                let result = ctx.and_then(|ctx| {
                    let result = call(ctx);
                    match &result {
                        Err(MailboxError::Damaged(reason)) => ctx.tell_damage(reason),
                        Err(MailboxError::Full(_)) => ctx.core.tell_full(&ctx.store.dir),
                        Err(MailboxError::SyncFailed(reason)) => {
                            ctx.core.durability.fail(&ctx.store.dir, reason);
                        }
                        _ => {}
                    }
                    result
                });
                Box::new(move |journal, done| {
                    let (value, until) = match done.and(result) {
                        Ok(result) => result,
                        Err(error) => return drop(answer.send(Err(error))),
                    };
                    let told = move |outcome: std::result::Result<(), JournalError>| {
                        let _ = answer.send(outcome.map(|()| value).map_err(MailboxError::from));
                    };
                    match until {
                        Until::Now => told(Ok(())),
                        Until::Written(record) => journal.when_written(record, Box::new(told)),
                        Until::Durable(record) => journal.when_durable(record, Box::new(told)),
                    }
                })
            }),
        );
        Ok(answered)
    }

    /// The same for a thread that may wait, ahead of those that wait for room.
    pub(crate) fn run_blocking<T: Send + 'static>(
        &self,
        slot: &Arc<Slot>,
        call: impl FnOnce(&mut Ctx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = mpsc::channel();
        self.push_now(
            slot,
            Box::new(move |ctx| {
                let result = ctx.and_then(call);
                Box::new(move |_, done| {
                    let _ = answer.send(done.and(result));
                })
            }),
        );
        answered.recv().map_err(|_| stopped())?
    }

    /// Whether any job waits or runs.
    pub(crate) fn is_busy(&self) -> bool {
        let run = self.run.lock();
        run.busy > 0 || !run.slots.is_empty()
    }

    /// Queues a job without waiting for room.
    pub(crate) fn push_now(&self, slot: &Arc<Slot>, job: Job) {
        if let Ok(room) = slot.room.try_acquire() {
            room.forget();
        }
        self.push(slot, job);
    }

    /// Queues a job that has room.
    fn push(&self, slot: &Arc<Slot>, job: Job) {
        if self.run.lock().closing {
            slot.room.add_permits(1);
            return;
        }
        let mut jobs = slot.jobs.lock();
        jobs.waiting.push_back(job);
        if !std::mem::replace(&mut jobs.scheduled, true) {
            drop(jobs);
            self.run.lock().slots.push_back(Arc::clone(slot));
            self.wake.notify_one();
        }
    }

    /// A worker's thread.
    pub(crate) fn work(&self) {
        while let Some(slot) = self.next() {
            self.turn(&slot);
            let mut run = self.run.lock();
            run.busy -= 1;
            let mut jobs = slot.jobs.lock();
            if run.stop {
                jobs.waiting.clear();
            }
            if jobs.waiting.is_empty() {
                jobs.scheduled = false;
                drop(jobs);
                if run.busy == 0 && run.slots.is_empty() {
                    self.idle.notify_all();
                }
            } else {
                drop(jobs);
                run.slots.push_back(slot);
                self.wake.notify_one();
            }
        }
    }

    fn next(&self) -> Option<Arc<Slot>> {
        let mut run = self.run.lock();
        loop {
            if run.stop {
                return None;
            }
            if let Some(slot) = run.slots.pop_front() {
                run.busy += 1;
                return Some(slot);
            }
            self.wake.wait(&mut run);
        }
    }

    fn turn(&self, slot: &Arc<Slot>) {
        let batch: Vec<Job> = {
            let mut jobs = slot.jobs.lock();
            let count = jobs.waiting.len().min(BATCH_MAX);
            jobs.waiting.drain(..count).collect()
        };
        let count = batch.len();
        let mut run = slot.run.lock();
        let answers = match self.opened(slot, &mut run) {
            Ok(()) => self.transaction(slot, &mut run, batch),
            Err(error) => {
                self.tell_trouble(slot, &mut run, &error);
                batch
                    .into_iter()
                    .map(|job| (job(Err(error.clone())), Err(error.clone())))
                    .collect()
            }
        };
        drop(run);
        for (answer, done) in answers {
            answer(&self.journal, done);
        }
        slot.room.add_permits(count);
    }

    /// Opens the owner's database if it is not open, and applies what it has missed.
    pub(crate) fn opened(&self, slot: &Slot, run: &mut Run) -> Result<()> {
        slot.used.store(self.next_tick(), Ordering::Relaxed);
        if run.store.is_none() {
            let epoch = self.options.epoch;
            let store = Store::open(&self.disk, &slot.dir, slot.id, self.options.vfs.as_deref(), epoch)?;
            run.store = Some(store);
            if self.open.fetch_add(1, Ordering::AcqRel) >= self.options.open_owners_max.max(1) {
                self.close_some();
            }
        }
        let Some(store) = run.store.as_mut() else {
            return Err(stopped());
        };
        if run.unapplied.is_empty() && store.state.epoch == self.options.epoch {
            return Ok(());
        }
        let caught_up = crate::replay::catch_up(self, store, &mut run.unapplied);
        if caught_up.is_err() {
            self.shut(run);
        }
        caught_up
    }

    fn transaction(&self, slot: &Arc<Slot>, run: &mut Run, batch: Vec<Job>) -> Vec<(Answer, Result<()>)> {
        let Some(store) = run.store.as_mut() else {
            return Vec::new();
        };
        let gate = self.durability.enter();
        let mut answers = Vec::with_capacity(batch.len());
        let mut outcome = begin(store);
        for job in batch {
            let ctx = match &outcome {
                Ok(()) => Ok(&mut Ctx {
                    core: self,
                    store,
                    replayable_from: *gate,
                }),
                Err(error) => Err(error.clone()),
            };
            match catch_unwind(AssertUnwindSafe(|| job(ctx))) {
                Ok(answer) => answers.push(answer),
                Err(_) => outcome = Err(MailboxError::Unavailable("a job failed".to_owned())),
            }
            if outcome.is_ok() {
                let rolled_back = disk::sqlite::rolled_back(&store.conn);
                let broken = store.broken.take().or(rolled_back.map(MailboxError::from));
                outcome = broken.map_or(Ok(()), Err);
            }
        }
        if outcome.is_ok() && store.may_linger() && !self.options.linger.is_zero() {
            // While the gate is held: the trimmer finds it.
            if !std::mem::replace(&mut run.lingers, true) {
                self.lingering.add(slot, self.options.linger);
            }
        } else {
            outcome = outcome.and_then(|()| self.commit(store));
        }
        drop(gate);
        match &outcome {
            Ok(()) => {
                self.share(store);
                slot.tell(store);
                self.fold_log(store);
            }
            Err(error) => self.give_up(slot, run, error),
        }
        answers
            .into_iter()
            .map(|answer| (answer, outcome.clone()))
            .collect()
    }

    /// What others may read of this owner's folders and rights without a job, after a transaction.
    fn share(&self, store: &mut Store) {
        if std::mem::take(&mut store.shares_changed) {
            self.shares.forget(store.owner);
        }
        if std::mem::take(&mut store.shares_asked)
            && let (Some(listing), Some(rights)) = (&store.listing, &store.rights)
        {
            self.shares
                .put(store.owner, (Arc::clone(listing), Arc::clone(rights)));
        }
    }

    pub(crate) fn commit(&self, store: &mut Store) -> Result<()> {
        store.flush()?;
        if let Some(reason) = store.uids.take_damage()
            && !std::mem::replace(&mut store.damage_told, true)
        {
            let (owner, reason) = (store.owner.0.to_string(), reason.to_owned());
            self.events
                .emit(events::Scope::default(), MailboxDamaged { owner, reason });
        }
        if std::mem::take(&mut store.wrote) {
            let linked = std::mem::take(&mut store.linked);
            self.durability.mark_dirty(store.owner, &store.dir, linked);
        }
        store.conn.prepare_cached("COMMIT")?.execute([])?;
        store.is_settled();
        for (record, _) in store.records.drain(..) {
            self.journal.release(record);
        }
        Ok(())
    }

    /// Closes one owner's database.
    pub(crate) fn close_slot(&self, slot: &Slot) {
        let mut run = slot.run.lock();
        self.settle(slot, &mut run);
        self.shut(&mut run);
    }

    pub(crate) fn shut(&self, run: &mut Run) {
        if run.store.take().is_some() {
            self.open.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Closes the databases that were used least recently, a sixteenth of those that may be open.
    fn close_some(&self) {
        let mut open: Vec<Arc<Slot>> = {
            let slots = self.slots.lock();
            slots
                .by_owner
                .values()
                .filter(|slot| slot.run.try_lock().is_some_and(|run| run.store.is_some()))
                .cloned()
                .collect()
        };
        open.sort_by_key(|slot| slot.used.load(Ordering::Relaxed));
        for slot in open.iter().take(self.options.open_owners_max / 16 + 1) {
            if let Some(mut run) = slot.run.try_lock() {
                self.settle(slot, &mut run);
                self.shut(&mut run);
            }
        }
    }

    /// Takes no more jobs and waits until all are done. Blocks.
    pub(crate) fn finish(&self) {
        let mut run = self.run.lock();
        run.closing = true;
        while run.busy > 0 || !run.slots.is_empty() {
            self.idle.wait(&mut run);
        }
    }

    /// Ends the workers after what they are doing; queued jobs are dropped.
    pub(crate) fn stop(&self) {
        self.index.stop();
        self.lingering.stop();
        let mut run = self.run.lock();
        run.closing = true;
        run.stop = true;
        run.slots.clear();
        self.wake.notify_all();
        drop(run);
        for slot in self.slots.lock().by_owner.values() {
            slot.jobs.lock().waiting.clear();
        }
    }

    pub(crate) fn all_slots(&self) -> Vec<Arc<Slot>> {
        self.slots.lock().by_owner.values().cloned().collect()
    }

    /// Closes all databases that no worker has.
    pub(crate) fn close_all(&self) {
        self.slots
            .lock()
            .by_owner
            .values()
            .for_each(|slot| self.close_slot(slot));
    }
}

fn begin(store: &mut Store) -> Result<()> {
    if !store.open {
        store.conn.prepare_cached("BEGIN")?.execute([])?;
        store.open = true;
    }
    Ok(())
}

pub(crate) fn stopped() -> MailboxError {
    MailboxError::Unavailable("the server is stopping".to_owned())
}
