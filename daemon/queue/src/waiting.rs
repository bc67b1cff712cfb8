//! `waiting.db`: the messages that wait for a later try, and the clock that brings them back.
//!
//! One thread owns the only connection. What was asked of it since the last round goes into one transaction (synchronous=FULL), and the
//! answers are given when that is durable. Between the rounds it revives what is due.
//!
//! A COMMIT that the disk is too full for has done nothing and is tried again. One whose write or sync failed may be on the disk or not:
//! then nothing more is asked of this connection, [`Queue::until_failed`](crate::Queue::until_failed) says so, and whoever opened the
//! queue opens it anew.
//!
//! The format is `schema`'s; looks at it go by `view`.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use disk::SharedDisk;
use parking_lot::Mutex;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use tokio::sync::oneshot;

use crate::again::Again;
use crate::live::{Inner, Live, Wish};
use crate::record::{Head, Stage};
use crate::{QueueError, now, unavailable};

mod revive;
pub(crate) mod schema;
mod view;

use schema::{Counted, count};
use view::View;

/// Requests of one transaction.
const BATCH_MAX: usize = 256;
/// Longest sleep in seconds: a clock that was set is noticed, and unused files go.
const SLEEP_MAX_S: i64 = 60;
/// When the next row is due.
const NEXT: &str = "SELECT next_try FROM message WHERE held = 0 ORDER BY next_try LIMIT 1";

/// What is asked of the database again and again.
#[cfg(test)]
pub(crate) const STATEMENTS: [&str; 9] = [
    NEXT,
    revive::DUE,
    schema::COUNT,
    crate::again::OLDEST,
    crate::rows::STORED,
    crate::admin::PART,
    crate::admin::RETRY_PART,
    crate::list::COUNT_THESE,
    crate::list::COUNT_FILTERED,
];

/// Told with the result of the commit.
type Done = Box<dyn FnOnce(Result<(), QueueError>) + Send>;
/// Does its work in the transaction; `None`: nothing can be done now.
type Op = Box<dyn FnOnce(Option<&Connection>) -> Done + Send>;

enum Request {
    Op(Op),
    Wake,
    Close(oneshot::Sender<()>),
    /// Ends the thread, and tells nobody.
    Abandon,
}

/// The database as errors name it.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) disk: SharedDisk,
    pub(crate) path: PathBuf,
}

impl Place {
    /// What an error means for whoever asked; a full disk is noted.
    fn unavailable(&self, error: &rusqlite::Error) -> QueueError {
        if disk::sqlite::is_full(error) {
            self.disk.space().met_full(&self.path, disk::sqlite::WANTED_BYTES);
        }
        unavailable("waiting.db", error)
    }
}

/// The door to the thread.
pub(crate) struct Waiting {
    sender: Sender<Request>,
    place: Place,
    /// Rows in the database.
    pub(crate) rows: Arc<AtomicU64>,
    /// The oldest of them.
    pub(crate) oldest: Arc<Mutex<Again>>,
    view: Option<View>,
}

/// What the thread starts with.
pub(crate) struct Start {
    connection: Connection,
    place: Place,
    requests: Receiver<Request>,
    rows: Arc<AtomicU64>,
    oldest: Arc<Mutex<Again>>,
}

/// A message that waits.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) id: u64,
    /// The record it came from.
    pub(crate) record: u64,
    /// Unix seconds; 0: at once, whatever the recipients' own times.
    pub(crate) next_try: i64,
    pub(crate) held: bool,
    pub(crate) size: u64,
    pub(crate) head: Vec<u8>,
    pub(crate) text: Option<Bytes>,
    pub(crate) file: Option<(String, u64)>,
    /// Some recipients have it.
    pub(crate) delivered: bool,
    /// What was wished of the message when the row was made.
    pub(crate) wish: Wish,
    received: i64,
    attempts: u32,
    sender: String,
    search: String,
}

impl Row {
    pub(crate) fn new(
        id: u64,
        record: u64,
        head: &Head,
        held: bool,
        size: u64,
        text: Option<Bytes>,
    ) -> Result<Self, QueueError> {
        let sender = head
            .envelope
            .sender
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let waiting = head.states.iter().filter(|state| state.stage == Stage::Waiting);
        let next_try = waiting.map(|state| state.next_try).min().unwrap_or(0);
        Ok(Self {
            id,
            record,
            next_try: if head.removed { 0 } else { next_try },
            held,
            size,
            head: serde_json::to_vec(head).map_err(|error| unavailable("envelope", &error))?,
            text,
            file: head.file.clone(),
            delivered: head.states.iter().any(|state| state.stage == Stage::Delivered),
            wish: Wish::default(),
            received: head.envelope.received,
            attempts: head.attempts,
            search: crate::rows::search_text(id, head),
            sender,
        })
    }

    fn put(&self, connection: &Connection) -> rusqlite::Result<()> {
        // A replaced row would be deleted unseen, and not counted.
        let mut statement = connection.prepare_cached(
            "INSERT INTO message (id, record, next_try, held, received, size, attempts, sender, search, head, file)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (id) DO UPDATE SET record = excluded.record, next_try = excluded.next_try, held = excluded.held,
             received = excluded.received, size = excluded.size, attempts = excluded.attempts, sender = excluded.sender,
             search = excluded.search, head = excluded.head, file = excluded.file",
        )?;
        statement.execute(params![
            self.id as i64,
            self.record as i64,
            self.next_try,
            self.held,
            self.received,
            self.size as i64,
            self.attempts,
            self.sender,
            self.search,
            self.head,
            self.file.as_ref().map(|(name, _)| name),
        ])?;
        if let Some(text) = &self.text {
            let mut statement =
                connection.prepare_cached("INSERT OR REPLACE INTO text (id, text) VALUES (?1, ?2)")?;
            statement.execute(params![self.id as i64, text.as_ref()])?;
        }
        Ok(())
    }
}

impl Waiting {
    /// `shared`: others may look at the database; else nobody but its own connection can.
    pub(crate) fn new(
        connection: Connection,
        place: Place,
        shared: bool,
    ) -> Result<(Self, Start), QueueError> {
        let Counted { rows, oldest } =
            count(&connection).map_err(|error| unavailable("waiting.db", &error))?;
        let (sender, requests) = channel();
        let rows = Arc::new(AtomicU64::new(rows));
        let oldest = Arc::new(Mutex::new(oldest));
        Ok((
            Self {
                sender,
                rows: rows.clone(),
                oldest: oldest.clone(),
                view: shared.then(|| View::new(&place.path)),
                place: place.clone(),
            },
            Start {
                connection,
                place,
                requests,
                rows,
                oldest,
            },
        ))
    }

    /// Does something in the next transaction and returns when that is durable.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, QueueError> {
        let (answer, result) = oneshot::channel();
        let place = self.place.clone();
        let op: Op = Box::new(move |connection| {
            let worked = match connection {
                Some(connection) => savepoint(connection, work).map_err(|error| place.unavailable(&error)),
                None => Err(QueueError::Unavailable("waiting.db takes nothing now".to_owned())),
            };
            Box::new(move |committed| {
                let _ = answer.send(committed.and(worked));
            })
        });
        let closed = || QueueError::Unavailable("the queue is closed".to_owned());
        self.sender.send(Request::Op(op)).map_err(|_| closed())?;
        result.await.map_err(|_| closed())?
    }

    pub(crate) async fn put(&self, row: Row) -> Result<(), QueueError> {
        self.call(move |connection| row.put(connection)).await
    }

    /// Looks at the clock anew.
    pub(crate) fn wake(&self) {
        let _ = self.sender.send(Request::Wake);
    }

    /// Nobody wants anything any more.
    pub(crate) fn abandon(&self) {
        let _ = self.sender.send(Request::Abandon);
    }

    pub(crate) async fn close(&self) {
        if let Some(view) = &self.view {
            view.close().await;
        }
        let (done, wait) = oneshot::channel();
        if self.sender.send(Request::Close(done)).is_ok() {
            let _ = wait.await;
        }
    }
}

impl Start {
    /// Starts the thread; it ends when the last handle on the queue is gone.
    pub(crate) fn start(self, inner: &Arc<Inner>) -> Result<(), QueueError> {
        let inner = Arc::downgrade(inner);
        let thread = std::thread::Builder::new().name("queue".to_owned());
        let run = move || {
            let mut worker = Worker {
                inner,
                start: self,
                unsettled: Vec::new(),
                next_row: None,
                idle_until: 0,
                swept: now(),
            };
            let closed = worker.run();
            // Whoever waits may open the database anew: the connection is gone by then, for its end removes the log of what was written.
            drop(worker);
            if let Some(closed) = closed {
                // Nobody may wait any more.
                let _ = closed.send(());
            }
        };
        thread
            .spawn(run)
            .map(drop)
            .map_err(|error| unavailable("thread", &error))
    }
}

struct Worker {
    inner: Weak<Inner>,
    start: Start,
    /// Messages with a new record whose rows are still there; nobody else knows of the records.
    unsettled: Vec<(u64, Live)>,
    next_row: Option<i64>,
    /// After a failure nothing is revived before that time.
    idle_until: i64,
    swept: i64,
}

impl Worker {
    /// Until the queue closes; gives whom to tell, or nobody if the last handle on the queue is gone.
    fn run(&mut self) -> Option<oneshot::Sender<()>> {
        self.look();
        loop {
            let mut ops = Vec::new();
            let mut close = None;
            let sleep = self.tick();
            let mut request = match self.start.requests.recv_timeout(sleep) {
                Ok(request) => Some(request),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => {
                    self.leave_log();
                    return None;
                }
            };
            while let Some(next) = request.take() {
                match next {
                    Request::Op(op) => ops.push(op),
                    Request::Wake => {}
                    Request::Close(done) => close = Some(done),
                    Request::Abandon => {
                        self.leave_log();
                        return None;
                    }
                }
                if ops.len() < BATCH_MAX && close.is_none() {
                    request = self.start.requests.try_recv().ok();
                }
            }
            if !ops.is_empty() {
                self.batch(ops);
                self.look();
            }
            if close.is_some() {
                self.put_in_order();
                return close;
            }
        }
    }

    /// Before the end. What of the log may not be written down must not be folded into the database: then the next start does it.
    fn put_in_order(&self) {
        if self.inner.upgrade().is_some_and(|inner| inner.failure.is_set()) {
            self.leave_log();
        } else {
            let connection = &self.start.connection;
            let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA incremental_vacuum;");
        }
    }

    /// Ends as a killed process does: what the log holds stays in it. Whether a sync of it has failed is not asked, for whoever knew may be gone.
    fn leave_log(&self) {
        let config = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        let _ = self.start.connection.set_db_config(config, true);
    }

    fn batch(&mut self, ops: Vec<Op>) {
        let inner = self.inner.upgrade();
        // What is wished of a row that counts no more would be forgotten.
        let usable = inner
            .as_ref()
            .is_none_or(|inner| !inner.failure.is_set() && self.settle(inner).is_ok());
        let connection = &self.start.connection;
        let begun = usable && connection.execute_batch("BEGIN IMMEDIATE").is_ok();
        let done: Vec<Done> = ops
            .into_iter()
            // After some errors SQLite undoes the whole transaction by itself: a request that came now would stand alone.
            .map(|op| op((begun && !connection.is_autocommit()).then_some(connection)))
            .collect();
        let mut committed = Ok(());
        if begun && let Err(error) = self.commit(inner.as_deref()) {
            committed = Err(self.start.place.unavailable(&error));
        }
        if begun && committed.is_ok() {
            // What kept it from working is over.
            self.idle_until = 0;
        }
        self.know(self.count());
        for tell in done {
            tell(committed.clone());
        }
    }

    /// Makes a transaction durable, or undoes it. If nobody knows which of both, the database has failed.
    fn commit<'a>(&self, inner: impl Into<Option<&'a Inner>>) -> rusqlite::Result<()> {
        let connection = &self.start.connection;
        let committed = connection.execute_batch("COMMIT");
        if let Err(error) = &committed {
            if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure)
                && let Some(inner) = inner.into()
            {
                inner.failure.set(&format!("waiting.db: {error}"));
            }
            let _ = connection.execute_batch("ROLLBACK");
        }
        committed
    }

    /// How many rows there are, and which are the oldest; `None`: it can't be read now.
    fn count(&self) -> Option<Counted> {
        count(&self.start.connection).ok()
    }

    /// Makes it known. What could not be read now is read after the next transaction; until then nothing is taken for done.
    fn know(&self, counted: Option<Counted>) {
        let Some(Counted { rows, oldest }) = counted else {
            *self.start.oldest.lock() = Again::UNKNOWN;
            return;
        };
        self.start.rows.store(rows, Ordering::Relaxed);
        *self.start.oldest.lock() = oldest;
    }

    /// Learns when the next row is due.
    fn look(&mut self) {
        let next = self.start.connection.query_row(NEXT, [], |row| row.get(0));
        // Not knowing is no reason to sleep for ever.
        self.next_row = next.optional().unwrap_or(Some(now() + revive::PAUSE_S));
    }

    /// Does what the clock asks for; how long there is to sleep.
    fn tick(&mut self) -> Duration {
        let Some(inner) = self.inner.upgrade() else {
            return Duration::from_secs(SLEEP_MAX_S as u64);
        };
        let mut now = now();
        if now - self.swept >= SLEEP_MAX_S {
            self.swept = now;
            inner.files.sweep();
        }
        let mut waits = false;
        while !inner.failure.is_set()
            && self.next_row.is_some_and(|at| at <= now)
            && now >= self.idle_until
            && !waits
        {
            match self.revive(&inner, now) {
                Ok(revived) => waits = !revived,
                Err(error) => {
                    // A full disk is told already, once.
                    if !self.start.place.disk.space().is_full() {
                        inner.report(events::MessageId(0), &error);
                    }
                    self.idle_until = now + revive::PAUSE_S;
                }
            }
            self.look();
            now = crate::now();
        }
        let later = inner.wake_later(now);
        // Full memory is told by a `Wake`; everything else by the clock.
        let row = self
            .next_row
            .filter(|_| !waits && !inner.failure.is_set())
            .map(|at| at.max(self.idle_until));
        let next = row.into_iter().chain(later).min().unwrap_or(i64::MAX);
        Duration::from_secs(next.saturating_sub(now).clamp(0, SLEEP_MAX_S) as u64)
    }
}

/// One request that fails must not undo the others of its transaction, nor leave half of itself.
fn savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.execute_batch("SAVEPOINT request")?;
    let worked = work(connection);
    let end = if worked.is_ok() {
        "RELEASE request"
    } else {
        "ROLLBACK TO request; RELEASE request"
    };
    connection.execute_batch(end)?;
    worked
}
