//! Brings waiting messages back into the journal when their retry is due.
//!
//! What was given a new record stays with the worker until its row is deleted. If that can't be done now (the disk is full, say), the
//! deletion alone is tried again, and nothing is done to the rows until it is done: a crash in between finds the record newer than the row,
//! by which the row counts no more. If nobody knows whether it was done, the database has failed and the queue must be opened anew.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use bytes::Bytes;
use disk::blob::Blob;
use events::kinds::store::StoreFailed;
use events::{MessageId, Scope};
use journal::{JournalError, RecordId};
use rusqlite::{ErrorCode, params};

use super::Worker;
use crate::live::{Inner, Live, Text};
use crate::record::{self, Head, Stage};
use crate::rows::Glimpse;
use crate::{KIND_MESSAGE, QueueError};

/// Messages revived in one step.
const STEP_MAX: usize = 64;
/// Revived messages in memory; the others wait in the database.
const REVIVED_MAX: usize = 1000;
/// Seconds of rest after a failure.
pub(super) const PAUSE_S: i64 = 10;
/// While the thread waits for the journal it looks that often whether anybody still wants it to.
const LOOK_AROUND: Duration = Duration::from_millis(100);
/// Between two tries to write into a journal that has too much to write already.
const BUSY_PAUSE: Duration = Duration::from_millis(1);

/// The rows that are due, the longest first.
pub(super) const DUE: &str = "SELECT id, next_try, size, head, text FROM message LEFT JOIN text USING (id)
     WHERE held = 0 AND next_try <= ?1 ORDER BY next_try LIMIT ?2";

/// A row that is due.
struct Due {
    id: u64,
    next_try: i64,
    size: u64,
    head: Vec<u8>,
    text: Option<Vec<u8>>,
}

impl Worker {
    /// Revives some rows: new records durable, then the rows deleted durably, then due. `false`: there is no room now.
    pub(super) fn revive(&mut self, inner: &Arc<Inner>, now: i64) -> Result<bool, QueueError> {
        self.settle(inner)?;
        let room = REVIVED_MAX
            .saturating_sub(inner.state.lock().revived)
            .min(STEP_MAX);
        if room == 0 || inner.closed.load(Ordering::Acquire) {
            return Ok(false);
        }
        let rows = self
            .due_rows(now, room)
            .map_err(|error| self.start.place.unavailable(&error))?;
        let mut moved = false;
        let mut result = Ok(());
        for row in rows {
            let id = row.id;
            // Somebody may still want something of it there; whoever puts it off wakes us when that is done.
            if inner.state.lock().messages.contains_key(&id) {
                continue;
            }
            let taken = match serde_json::from_slice::<Head>(&row.head) {
                Ok(head) => append(inner, row, head).map(|live| {
                    inner.state.lock().moves.comes(id, &Glimpse::of(id, &live));
                    self.unsettled.push((id, live));
                }),
                Err(error) => self.put_by(inner, id, &error),
            };
            if taken.is_err() {
                result = taken;
                break;
            }
            moved = true;
        }
        self.settle(inner)?;
        result.map(|()| moved)
    }

    /// The rows of what has a new record are deleted, durably; then it is due.
    pub(super) fn settle(&mut self, inner: &Arc<Inner>) -> Result<(), QueueError> {
        let Some((_, last)) = self.unsettled.last() else {
            return Ok(());
        };
        until_durable(inner, last.record)?;
        let deleted = self.delete(inner);
        if let Err(error) = &deleted {
            if !disk::sqlite::is_full(error) && error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) {
                // It would be so for ever, and what waits for it is tried by nobody.
                inner.failure.set(&format!("waiting.db: {error}"));
            }
        } else {
            let settled = std::mem::take(&mut self.unsettled);
            for name in settled.iter().filter_map(|(_, live)| live.head.file.as_ref()) {
                inner.files.unrefer(&name.0);
            }
            let counted = self.count();
            inner.insert_all(settled.into_iter(), || self.know(counted));
        }
        deleted.map_err(|error| self.start.place.unavailable(&error))
    }

    /// A row that can't be read is kept for whoever repairs it, out of the way of the others.
    fn put_by(&self, inner: &Inner, id: u64, error: &serde_json::Error) -> Result<(), QueueError> {
        let event = StoreFailed {
            store: "queue".to_owned(),
            reason: format!("waiting.db: message {id:x}: {error}"),
        };
        inner.events.emit(Scope::message(MessageId(id)), event);
        self.start
            .connection
            .execute("UPDATE message SET held = 1 WHERE id = ?1", [id as i64])
            .map(drop)
            .map_err(|error| self.start.place.unavailable(&error))
    }

    fn due_rows(&self, now: i64, room: usize) -> rusqlite::Result<Vec<Due>> {
        let mut statement = self.start.connection.prepare_cached(DUE)?;
        let rows = statement.query_map(params![now, room as i64], |row| {
            Ok(Due {
                id: row.get::<_, i64>(0)? as u64,
                next_try: row.get(1)?,
                size: row.get::<_, i64>(2)? as u64,
                head: row.get(3)?,
                text: row.get(4)?,
            })
        })?;
        rows.collect()
    }

    fn delete(&self, inner: &Inner) -> rusqlite::Result<()> {
        let connection = &self.start.connection;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let work = || {
            let mut statement = connection.prepare_cached("DELETE FROM message WHERE id = ?1")?;
            for (id, _) in &self.unsettled {
                statement.execute([*id as i64])?;
            }
            Ok(())
        };
        match work() {
            Ok(()) => self.commit(inner),
            Err(error) => {
                // Gone already if SQLite did so itself; nothing else can fail here.
                let _ = connection.execute_batch("ROLLBACK");
                Err(error)
            }
        }
    }
}

/// A journal that has no room may take its time, perhaps for ever: whoever closes the queue does not wait for that.
fn until_durable(inner: &Inner, record: RecordId) -> Result<(), QueueError> {
    let (told, outcome) = channel();
    inner.journal.when_durable(
        record,
        Box::new(move |outcome| {
            let _ = told.send(outcome);
        }),
    );
    loop {
        match outcome.recv_timeout(LOOK_AROUND) {
            Ok(outcome) => return Ok(outcome?),
            Err(RecvTimeoutError::Timeout) => inner.check_open()?,
            Err(RecvTimeoutError::Disconnected) => return Err(JournalError::Closed.into()),
        }
    }
}

/// Writes the new record of a message.
fn append(inner: &Arc<Inner>, row: Due, mut head: Head) -> Result<Live, QueueError> {
    head.id = Some(row.id);
    head.cause = None;
    if row.next_try == 0 {
        for state in head
            .states
            .iter_mut()
            .filter(|state| state.stage == Stage::Waiting)
        {
            state.next_try = 0;
        }
    }
    let text = match &head.file {
        Some((name, len)) => {
            inner.files.refer(name);
            Blob::File(inner.files.handle(name, *len))
        }
        None => Blob::Bytes(Bytes::from(row.text.unwrap_or_default())),
    };
    let record = append_record(inner, &head, &text).inspect_err(|_| {
        if let Some((name, _)) = &head.file {
            inner.files.unrefer(name);
        }
    })?;
    let permit = inner.permit(record::memory_cost(&head.envelope, &text));
    let keep = permit.is_some() || head.file.is_some();
    let text = if keep { Text::Here(text) } else { Text::InJournal };
    let mut live = Live::new(record, head, text, row.size, permit);
    live.revived = true;
    Ok(live)
}

fn append_record(inner: &Arc<Inner>, head: &Head, text: &Blob) -> Result<RecordId, QueueError> {
    let encoded = record::encode_message(head)?;
    let small: &[u8] = match text {
        Blob::Bytes(bytes) => bytes,
        Blob::File(_) => &[],
    };
    loop {
        match inner.journal.append(KIND_MESSAGE, &[&encoded, small]) {
            Ok(record) => return Ok(record),
            // Others fill it; it empties with the next sync.
            Err(JournalError::Busy) => {
                inner.check_open()?;
                std::thread::sleep(BUSY_PAUSE);
            }
            Err(error) => return Err(error.into()),
        }
    }
}
