//! The threads that own connections. Callers wait for them without blocking a worker of the runtime.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};

use super::open::{OpenError, Opener};
use super::shape::Shape;
use super::totals::Totals;
use super::{unavailable, write};
use crate::{Error, Op};

/// Threads that read.
const READERS: usize = 2;
/// Calls that may wait for a thread; further ones wait before that, holding nothing.
const WAITING_MAX: usize = 1024;
/// Batches that share one sync.
const GROUP_MAX: usize = 64;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;
type Ops = Vec<(Shape, Op)>;
type Reply = oneshot::Sender<Result<Vec<u64>, Error>>;

enum Work {
    Batch(Ops, Reply),
    Other(Job),
}

/// The thread that writes.
pub(super) struct Writer {
    sender: Sender<Work>,
    waiting: Arc<Semaphore>,
}

/// The threads that read.
pub(super) struct Readers {
    sender: Sender<Job>,
    waiting: Arc<Semaphore>,
    /// At most one job that nobody waits for.
    spare: Arc<Semaphore>,
}

impl Writer {
    pub(super) fn start(connection: Connection, totals: Arc<Totals>) -> Result<Self, OpenError> {
        let (sender, receiver) = channel();
        spawn("database-write", move || {
            write_loop(connection, &receiver, &totals);
        })?;
        Ok(Self {
            sender,
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
        })
    }

    /// Runs something in the order of the writes.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let _permit = self.waiting.acquire().await.map_err(|_| gone())?;
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let _ = reply.send(act(connection));
        });
        self.sender.send(Work::Other(job)).map_err(|_| gone())?;
        answer
            .await
            .map_err(|_| gone())?
            .map_err(|error| unavailable(&error))
    }

    pub(super) async fn write(&self, ops: Ops) -> Result<Vec<u64>, Error> {
        let _permit = self.waiting.acquire().await.map_err(|_| gone())?;
        let (reply, answer) = oneshot::channel();
        self.sender.send(Work::Batch(ops, reply)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Readers {
    pub(super) fn start(opener: &Opener) -> Result<Self, OpenError> {
        let (sender, receiver) = channel::<Job>();
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..READERS {
            let mut connection = opener.reader()?;
            let receiver = Arc::clone(&receiver);
            spawn("database-read", move || {
                loop {
                    let next = receiver.lock().recv();
                    let Ok(job) = next else { return };
                    // A panic costs the one who asked: the reply's sender is dropped with the job.
                    let _ = catch_unwind(AssertUnwindSafe(|| job(&mut connection)));
                }
            })?;
        }
        let waiting = Arc::new(Semaphore::new(WAITING_MAX));
        Ok(Self {
            sender,
            waiting,
            spare: Arc::new(Semaphore::new(1)),
        })
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let _permit = self.waiting.acquire().await.map_err(|_| gone())?;
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let _ = reply.send(act(connection));
        });
        self.sender.send(job).map_err(|_| gone())?;
        answer
            .await
            .map_err(|_| gone())?
            .map_err(|error| unavailable(&error))
    }

    /// Runs something that nobody waits for, unless such a thing is running already.
    pub(super) fn later(&self, act: impl FnOnce(&mut Connection) + Send + 'static) {
        let Ok(permit) = Arc::clone(&self.spare).try_acquire_owned() else {
            return;
        };
        let job: Job = Box::new(move |connection| {
            act(connection);
            drop(permit);
        });
        // A failure means that the database is being closed.
        let _ = self.sender.send(job);
    }
}

fn spawn(name: &str, act: impl FnOnce() + Send + 'static) -> Result<(), OpenError> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(act);
    spawned
        .map(drop)
        .map_err(|error| OpenError::Io(name.into(), error))
}

fn gone() -> Error {
    Error::Unavailable("the database is closed".to_owned())
}

fn write_loop(mut connection: Connection, receiver: &Receiver<Work>, totals: &Totals) {
    while let Ok(first) = receiver.recv() {
        let mut batches = Vec::new();
        let mut other = None;
        match first {
            Work::Batch(ops, reply) => batches.push((ops, reply)),
            Work::Other(job) => other = Some(job),
        }
        while other.is_none() && batches.len() < GROUP_MAX {
            match receiver.try_recv() {
                Ok(Work::Batch(ops, reply)) => batches.push((ops, reply)),
                Ok(Work::Other(job)) => other = Some(job),
                Err(_) => break,
            }
        }
        if !batches.is_empty() {
            let _ = catch_unwind(AssertUnwindSafe(|| commit_together(&connection, batches, totals)));
        }
        if let Some(job) = other {
            let _ = catch_unwind(AssertUnwindSafe(|| job(&mut connection)));
        }
        if !connection.is_autocommit() {
            // Something panicked within a transaction.
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
}

/// Runs the batches in one transaction, each in a savepoint of its own, and answers when all is durable.
fn commit_together(connection: &Connection, batches: Vec<(Ops, Reply)>, totals: &Totals) {
    let mut results = Vec::with_capacity(batches.len());
    let begun = connection.execute_batch("BEGIN IMMEDIATE");
    let mut changed = totals.changes();
    for (ops, reply) in batches {
        let result = match &begun {
            Ok(()) => write::apply(connection, ops, &mut changed),
            Err(error) => Err(unavailable(error)),
        };
        results.push((result, reply));
    }
    let committed = begun.and_then(|()| connection.execute_batch("COMMIT"));
    if committed.is_err() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    changed.finish(committed.is_ok());
    for (result, reply) in results {
        let result = match &committed {
            Ok(()) => result,
            Err(error) => result.and_then(|_| Err(unavailable(error))),
        };
        // The caller may have gone; the change stands.
        let _ = reply.send(result);
    }
}
