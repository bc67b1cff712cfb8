//! What an administrator sees of the queue and may do to it.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use disk::blob::Blob;
use events::MessageId;
use journal::RecordId;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use shared::protocol::QueueMessage;

use crate::finish::{gone, park, row_of, step_durable};
use crate::list::STEP_MAX;
use crate::live::{Inner, Live, Text};
use crate::record::{Head, Stage};
use crate::rows::{Glimpse, recipient_states, stored};
use crate::{Queue, QueueError};

/// Figures for the monitor. Totals count messages since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub messages: u64,
    pub accepted_total: u64,
    /// Messages whose recipients are all done.
    pub delivered_total: u64,
}

/// A message as it was found for an administrator.
pub(crate) enum Found {
    /// In memory and not lent out.
    Idle,
    Taken,
    /// Not in memory: a row of `waiting.db`, if it exists.
    Row,
}

/// Where a message was found.
enum Place<H, R> {
    Memory(H),
    Database(R),
}

/// Makes rows due.
const RETRY: &str = "UPDATE message SET next_try = 0 WHERE held = 0";
/// The same; none that is due already.
const RETRY_GONE: &str = "UPDATE message SET next_try = 0 WHERE held = 0 AND next_try <> 0";
/// The same for the rows after the first id, up to the second.
pub(crate) const RETRY_PART: &str = "UPDATE message SET next_try = 0 WHERE held = 0 AND id > ?1 AND id <= ?2";
/// Where such a part ends; nothing if there are no more rows.
pub(crate) const PART: &str =
    "SELECT max(id) FROM (SELECT id FROM message WHERE id > ?1 ORDER BY id LIMIT ?2)";
/// Rows of one part: others get their turn between two.
const PART_ROWS: i64 = 1000;
/// Times that a text is looked for which moves while it is looked for.
const LOOKS_MAX: usize = 3;

impl Queue {
    pub fn counts(&self) -> Counts {
        let messages = {
            let state = self.inner.state.lock();
            state.messages.len() as u64 + self.inner.waiting.rows.load(Ordering::Relaxed)
        };
        Counts {
            messages,
            accepted_total: self.inner.accepted.load(Ordering::Relaxed),
            delivered_total: self.inner.done.load(Ordering::Relaxed),
        }
    }

    pub async fn show(&self, id: MessageId) -> Result<QueueMessage, QueueError> {
        let here = move |live: &mut Live| {
            let row = Glimpse::of(id.0, live).row();
            live.states();
            QueueMessage {
                row,
                route: live.head.route.clone(),
                states: recipient_states(&live.head),
            }
        };
        let stored = match self
            .anywhere(id, here, move |connection| stored(connection, id))
            .await?
        {
            Place::Memory(shown) => return Ok(shown),
            Place::Database(stored) => stored,
        };
        let head = stored
            .head()
            .ok_or_else(|| QueueError::Unavailable("the message can't be read".to_owned()))?;
        Ok(QueueMessage {
            row: stored.row(&head),
            states: recipient_states(&head),
            route: head.route,
        })
    }

    /// Looks at a message wherever it is, though it may move meanwhile.
    async fn anywhere<H: Send + 'static, R: Send + 'static>(
        &self,
        id: MessageId,
        here: impl Fn(&mut Live) -> H + Send + 'static,
        row: impl FnOnce(&Connection) -> rusqlite::Result<Option<R>> + Clone + Send + 'static,
    ) -> Result<Place<H, R>, QueueError> {
        let in_memory = move |inner: &Inner| {
            let mut state = inner.state.lock();
            let found = state.messages.get_mut(&id.0).map(&here);
            (found, state.moves.came_count, state.moves.is_coming(id.0))
        };
        let (found, came_before, _) = in_memory(&self.inner);
        if let Some(found) = found {
            return Ok(Place::Memory(found));
        }
        if let Some(found) = self.inner.waiting.look(row.clone()).await? {
            return Ok(Place::Database(found));
        }
        // Not a row: it is done, unless it was on its way back then, and is still or was here since.
        let (found, came, is_coming) = in_memory(&self.inner);
        if let Some(found) = found {
            return Ok(Place::Memory(found));
        }
        if came == came_before && !is_coming {
            return Err(QueueError::NoSuchMessage);
        }
        // On the thread that brings it, and does one thing after the other, nothing comes meanwhile; and what goes is a row before memory forgets it.
        let inner = Arc::clone(&self.inner);
        let again = self
            .inner
            .waiting
            .call(move |connection| match in_memory(&inner).0 {
                Some(found) => Ok(Some(Place::Memory(found))),
                None => Ok(row(connection)?.map(Place::Database)),
            });
        again.await?.ok_or(QueueError::NoSuchMessage)
    }

    /// Makes messages due at once; none named: all. Held ones stay held. How many.
    pub async fn retry(&self, ids: &[MessageId]) -> Result<u64, QueueError> {
        let mut ids = ids.to_vec();
        // One named twice is retried once.
        ids.sort_unstable();
        ids.dedup();
        let named: Vec<u64> = ids.iter().map(|id| id.0).collect();
        // What comes back meanwhile was counted as a row.
        let mut here: HashSet<u64> = {
            let state = self.inner.state.lock();
            let all = state.messages.keys().copied();
            if named.is_empty() {
                all.collect()
            } else {
                let named = named.iter().copied();
                named.filter(|id| state.messages.contains_key(id)).collect()
            }
        };
        let rows = if named.is_empty() {
            self.retry_rows().await?
        } else {
            self.update(RETRY, &ids).await?
        };
        let all = if named.is_empty() {
            self.inner.state.lock().messages.keys().copied().collect()
        } else {
            named
        };
        let mut live = 0;
        for step in all.chunks(STEP_MAX) {
            let mut state = self.inner.state.lock();
            for id in step {
                if let Some(message) = state.messages.get_mut(id) {
                    let counts = here.remove(id);
                    live += u64::from(retry_live(message) && counts);
                }
            }
        }
        // What became a row after the rows were gone through, and is not in memory any more.
        let gone: Vec<MessageId> = here.into_iter().map(MessageId).collect();
        let mut late = 0;
        for step in gone.chunks(STEP_MAX) {
            late += self.update(RETRY_GONE, step).await?;
        }
        let mut state = self.inner.state.lock();
        let state = &mut *state;
        for (_, id) in std::mem::take(&mut state.later) {
            state.due.push_back(id);
            self.inner.ready.notify_one();
        }
        Ok(rows + live + late)
    }

    /// All rows, each once, in parts: a million of them in one transaction would hold up what is being delivered.
    async fn retry_rows(&self) -> Result<u64, QueueError> {
        let (mut after, mut rows) = (0, 0);
        loop {
            let part = self.inner.waiting.call(move |connection| {
                let end: Option<i64> = connection
                    .prepare_cached(PART)?
                    .query_row([after, PART_ROWS], |row| row.get(0))?;
                let Some(end) = end else { return Ok(None) };
                let changed = connection.prepare_cached(RETRY_PART)?.execute([after, end])?;
                Ok(Some((end, changed)))
            });
            let Some((end, changed)) = part.await? else {
                break;
            };
            (after, rows) = (end, rows + changed as u64);
        }
        self.inner.notice();
        Ok(rows)
    }

    /// Keeps messages from being tried. One that is being tried is held after that. How many.
    pub async fn hold(&self, ids: &[MessageId]) -> Result<u64, QueueError> {
        let mut held = 0;
        for &id in ids {
            let mut done = self.hold_one(id).await?;
            if done == 0 {
                // It came back to be tried just then.
                done = self.hold_one(id).await?;
            }
            held += done;
        }
        Ok(held)
    }

    async fn hold_one(&self, id: MessageId) -> Result<u64, QueueError> {
        match self.find(id, |live| live.held = true) {
            Found::Idle => self.park_idle(id).await.map(|()| 1),
            Found::Taken => Ok(1),
            Found::Row => {
                let sql = "UPDATE message SET held = 1 WHERE held = 0";
                self.update(sql, &[id]).await
            }
        }
    }

    /// Lets held messages be tried again, at once. How many.
    pub async fn release(&self, ids: &[MessageId]) -> Result<u64, QueueError> {
        let mut released = 0;
        for &id in ids {
            let mut was = false;
            match self.find(id, |live| was = std::mem::replace(&mut live.held, false)) {
                Found::Row => {
                    released += self
                        .update("UPDATE message SET held = 0, next_try = 0 WHERE held = 1", &[id])
                        .await?;
                }
                Found::Idle if was => {
                    self.inner.state.lock().due.push_back(id.0);
                    self.inner.ready.notify_one();
                    released += 1;
                }
                Found::Idle | Found::Taken => released += u64::from(was),
            }
        }
        Ok(released)
    }

    /// Removes messages. `bounce`: delivery takes each once more, fails every recipient that waits and tells the sender; so nothing is lost
    /// by a crash in between. One that is being tried goes after that. How many.
    pub async fn remove(&self, ids: &[MessageId], bounce: bool) -> Result<u64, QueueError> {
        let mut removed = 0;
        for &id in ids {
            let mut done = self.remove_one(id, bounce).await?;
            if done == 0 {
                // It came back to be tried just then.
                done = self.remove_one(id, bounce).await?;
            }
            removed += done;
        }
        self.inner.notice();
        Ok(removed)
    }

    async fn remove_one(&self, id: MessageId, bounce: bool) -> Result<u64, QueueError> {
        match self.find(id, |live| live.removal = Some(bounce)) {
            Found::Taken => Ok(1),
            // It is durable when the row is; delivery takes it from there.
            Found::Idle if bounce => self.park_idle(id).await.map(|()| 1),
            Found::Idle => {
                let record = self.inner.state.lock().messages.get_mut(&id.0).map(|live| {
                    live.taken = true;
                    live.record
                });
                let Some(record) = record else { return Ok(0) };
                step_durable(&self.inner, &gone(record)).await?;
                self.inner.forget(id.0, record);
                Ok(1)
            }
            Found::Row if bounce => self.mark_removed(id).await,
            Found::Row => self.remove_row(id).await,
        }
    }

    /// The text of a message.
    pub async fn read(&self, id: MessageId) -> Result<Blob, QueueError> {
        let here = |live: &mut Live| (live.record, live.text.clone());
        let row = move |connection: &Connection| {
            let sql = "SELECT head, text FROM message LEFT JOIN text USING (id) WHERE id = ?1";
            let row = connection.query_row(sql, [id.0 as i64], |row| {
                Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Option<Vec<u8>>>(1)?))
            });
            row.optional()
        };
        let mut looks = 0;
        let (head, text) = loop {
            looks += 1;
            match self.anywhere(id, here, row).await? {
                Place::Memory((_, Text::Here(blob))) => return Ok(blob),
                Place::Memory((record, Text::InJournal)) => {
                    match self.inner.text_in_journal(record).await {
                        // It may have gone from there meanwhile, and be somewhere else.
                        Err(_) if looks < LOOKS_MAX => {}
                        text => return text.map(Blob::Bytes),
                    }
                }
                Place::Database(row) => break row,
            }
        };
        let head: Option<Head> = serde_json::from_slice(&head).ok();
        Ok(match head.and_then(|head| head.file) {
            Some((name, len)) => Blob::File(self.inner.files.handle(&name, len)),
            None => Blob::Bytes(text.unwrap_or_default().into()),
        })
    }

    /// Looks a message up and notes something with it if it is in memory.
    pub(crate) fn find(&self, id: MessageId, note: impl FnOnce(&mut Live)) -> Found {
        match self.inner.state.lock().messages.get_mut(&id.0) {
            Some(live) => {
                note(live);
                if live.taken { Found::Taken } else { Found::Idle }
            }
            None => Found::Row,
        }
    }

    /// Moves a message that is not lent out to `waiting.db`.
    pub(crate) async fn park_idle(&self, id: MessageId) -> Result<(), QueueError> {
        let (record, text) = {
            let mut state = self.inner.state.lock();
            let Some(live) = state.messages.get_mut(&id.0) else {
                return Ok(());
            };
            live.taken = true;
            (live.record, live.text.clone())
        };
        let parked = async {
            let text = match text {
                Text::Here(blob) => blob,
                Text::InJournal => Blob::Bytes(self.inner.text_in_journal(record).await?),
            };
            let row = row_of(&mut self.inner.state.lock(), id.0, &text)?;
            park(&self.inner, row).await
        };
        let parked = parked.await;
        if parked.is_err() {
            let mut state = self.inner.state.lock();
            if let Some(live) = state.messages.get_mut(&id.0) {
                (live.taken, live.parking) = (false, false);
                state.due.push_back(id.0);
            }
            drop(state);
            self.inner.ready.notify_one();
        }
        parked
    }

    /// Changes rows by a statement with a WHERE, limited to these ids if there are any. How many.
    async fn update(&self, sql: &'static str, ids: &[MessageId]) -> Result<u64, QueueError> {
        let ids: Vec<MessageId> = ids.to_vec();
        let changed = self.inner.waiting.call(move |connection| {
            if ids.is_empty() {
                return connection.execute(sql, []);
            }
            let mut changed = 0;
            for id in ids {
                let values = [Value::Integer(id.0 as i64)];
                changed += connection
                    .prepare_cached(&format!("{sql} AND id = ?1"))?
                    .execute(params_from_iter(values))?;
            }
            Ok(changed)
        });
        let changed = changed.await?;
        self.inner.notice();
        Ok(changed as u64)
    }

    async fn mark_removed(&self, id: MessageId) -> Result<u64, QueueError> {
        let marked = self.inner.waiting.call(move |connection| {
            let Some(stored) = stored(connection, id)? else {
                return Ok(0);
            };
            let Some(head) = stored.head() else { return Ok(0) };
            let json = serde_json::to_vec(&Head {
                removed: true,
                ..head
            })
            .unwrap_or(stored.head);
            let sql = "UPDATE message SET head = ?2, next_try = 0, held = 0 WHERE id = ?1";
            connection.execute(sql, params![id.0 as i64, json])
        });
        Ok(marked.await? as u64)
    }

    async fn remove_row(&self, id: MessageId) -> Result<u64, QueueError> {
        let removed = self.inner.waiting.call(move |connection| {
            let Some(stored) = stored(connection, id)? else {
                return Ok(None);
            };
            connection.execute("DELETE FROM message WHERE id = ?1", [id.0 as i64])?;
            Ok(Some((stored.record, stored.head().and_then(|head| head.file))))
        });
        let Some((record, file)) = removed.await? else {
            return Ok(0);
        };
        // The record may not be trimmed yet: at open it would count again without its row. Its `gone` is in the journal before.
        step_durable(&self.inner, &gone(RecordId(record))).await?;
        if let Some((name, _)) = file {
            self.inner.files.unrefer(&name);
        }
        Ok(1)
    }
}

/// Makes a message in memory due; whether it was not tried just then.
fn retry_live(message: &mut Live) -> bool {
    if message.held {
        return false;
    }
    // What is being tried is being tried; what was put off just now may have missed its row's change.
    message.again = message.parking;
    if message.taken {
        return false;
    }
    let waiting = message
        .states()
        .iter_mut()
        .filter(|state| state.stage == Stage::Waiting);
    waiting.for_each(|state| state.next_try = 0);
    true
}
