//! What became of a message: made durable, then the record is released or the message moves to `waiting.db`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use disk::blob::Blob;
use events::MessageId;
use journal::{JournalError, RecordId};
use rusqlite::params;

use crate::live::{Inner, Live, State as Messages, Wish};
use crate::record::{self, Head, Stage, State, Step};
use crate::rows::stored;
use crate::waiting::Row;
use crate::{Job, KIND_STEP, Outcome, QueueError, Schedule, now, shorten, unavailable};

/// What is to be done with a message after its outcomes were noted.
enum Next {
    /// `durable`: something was told to others that must not be told again.
    Done {
        durable: bool,
    },
    Park(Box<Row>),
}

pub(crate) async fn progress(
    inner: &Arc<Inner>,
    job: &mut Job,
    outcomes: &[(u32, Outcome)],
) -> Result<(), QueueError> {
    let now = now();
    let step = {
        let mut state = inner.state.lock();
        let schedule = state.schedule;
        let live = state
            .messages
            .get_mut(&job.id.0)
            .ok_or(QueueError::NoSuchMessage)?;
        live.head.marks.clone_from(&job.marks);
        let settled = outcomes.iter().filter(|(_, outcome)| {
            matches!(
                outcome,
                Outcome::Stored | Outcome::Delivered { .. } | Outcome::Failed { .. }
            )
        });
        let mut states = Vec::new();
        for (index, outcome) in settled {
            note(live, *index, outcome, schedule, now);
            job.due.retain(|due| due != index);
            states.extend(
                live.states()
                    .get(*index as usize)
                    .map(|state| (*index, state.clone())),
            );
        }
        Step::Progress {
            record: live.record.0,
            states,
            marks: job.marks.clone(),
        }
    };
    step_durable(inner, &step).await
}

pub(crate) async fn finish(
    inner: &Arc<Inner>,
    job: Job,
    outcomes: Vec<(u32, Outcome)>,
) -> Result<(), QueueError> {
    let id = job.id.0;
    let next = settle(inner, &job, &outcomes)?;
    if matches!(next, Next::Done { durable: false })
        && let Ok(step) = step(inner, &gone(job.record))
    {
        // The way of most messages: nothing to wait for.
        inner.journal.release(step);
        job.ticket.settle();
        inner.done.fetch_add(1, Ordering::Relaxed);
        inner.forget(id, job.record);
        return Ok(());
    }
    // Runs to its end even if the caller goes away.
    let inner = inner.clone();
    let task = tokio::spawn(async move {
        match next {
            Next::Done { .. } => {
                let noted = step_durable(&inner, &gone(job.record)).await;
                job.ticket.settle();
                inner.done.fetch_add(1, Ordering::Relaxed);
                inner.forget(id, job.record);
                noted
            }
            Next::Park(row) => {
                let at = row.next_try;
                let parked = park(&inner, *row).await;
                match parked {
                    Ok(()) => job.ticket.settle(),
                    // It stays in memory and in the journal; what is settled must be known after a crash.
                    Err(_) => {
                        let step = progress_of(&inner, &job);
                        inner.give_back_later(job.ticket, at);
                        if let Some(step) = step {
                            step_durable(&inner, &step).await?;
                        }
                    }
                }
                parked
            }
        }
    });
    task.await.map_err(|error| unavailable("finish", &error))?
}

/// Moves a live message to `waiting.db`; forgets it in memory when the row is durable.
pub(crate) async fn park(inner: &Arc<Inner>, row: Row) -> Result<(), QueueError> {
    let (id, record, file, mut said) = (row.id, RecordId(row.record), row.file.clone(), row.wish.clone());
    if row.delivered {
        // The row is durable by itself, and says of mailboxes what is only in the journal, perhaps not yet durable. This comes after it there.
        let (states, marks) = (Vec::new(), Vec::new());
        let barrier = Step::Progress {
            record: record.0,
            states,
            marks,
        };
        step_durable(inner, &barrier).await?;
    }
    if let Some((name, _)) = &file {
        inner.files.refer(name);
    }
    if let Err(error) = inner.waiting.put(row).await {
        if let Some((name, _)) = &file {
            inner.files.unrefer(name);
        }
        return Err(error);
    }
    // Not waited for: at open the row wins over the record that it names.
    match step(inner, &gone(record)) {
        Ok(step) => inner.journal.release(step),
        Err(JournalError::Busy) => {
            let _ = step_durable(inner, &gone(record)).await;
        }
        Err(_) => {}
    }
    // An administrator may have wanted something while the row was on its way.
    while let Some(wish) = inner.forget_if_said(id, record, &said) {
        if let Err(error) = obey(inner, id, &said, wish.clone()).await {
            // The row is durable: with the copy in memory the message would be there twice. The wish is lost, and that is told.
            inner.report(events::MessageId(id), &error);
            inner.forget(id, record);
            break;
        }
        said = wish;
    }
    // A row that became due meanwhile was left alone until now.
    inner.waiting.wake();
    Ok(())
}

/// Changes the row of a message to what is wished of it.
async fn obey(inner: &Inner, id: u64, said: &Wish, wish: Wish) -> Result<(), QueueError> {
    let at_once = wish.removal != said.removal || wish.route != said.route || wish.again;
    let changed = inner.waiting.call(move |connection| {
        if wish.removal == Some(false) {
            return connection.execute("DELETE FROM message WHERE id = ?1", [id as i64]);
        }
        let Some(stored) = stored(connection, MessageId(id))? else {
            return Ok(0);
        };
        let Some(head) = stored.head() else { return Ok(0) };
        let head = Head {
            removed: wish.removal == Some(true),
            route: wish.route,
            ..head
        };
        let json = serde_json::to_vec(&head).unwrap_or(stored.head);
        let sql = "UPDATE message SET head = ?2, held = ?3, next_try = CASE WHEN ?4 THEN 0 ELSE next_try END WHERE id = ?1";
        let held = wish.held && wish.removal.is_none();
        connection.execute(sql, params![id as i64, json, held, at_once])
    });
    changed.await.map(drop)
}

/// The row of a live message with its text.
pub(crate) fn row_of(state: &mut Messages, id: u64, text: &Blob) -> Result<Row, QueueError> {
    state.moves.goes(id);
    let live = state.messages.get_mut(&id).ok_or(QueueError::NoSuchMessage)?;
    let held = live.held;
    (live.parking, live.again) = (true, false);
    live.states();
    let head = Head {
        id: Some(id),
        cause: None,
        removed: live.removal == Some(true),
        ..live.head.clone()
    };
    let text: Option<Bytes> = match text {
        Blob::Bytes(bytes) => Some(bytes.clone()),
        Blob::File(_) => None,
    };
    let mut row = Row::new(id, live.record.0, &head, held, live.size, text)?;
    row.wish = live.wish();
    Ok(row)
}

pub(crate) fn gone(record: RecordId) -> Step {
    Step::Gone { record: record.0 }
}

/// Appends a step without waiting for its sync.
fn step(inner: &Inner, step: &Step) -> Result<RecordId, JournalError> {
    let encoded = record::encode_step(step).map_err(|_| JournalError::TooLarge(0))?;
    inner.journal.append(KIND_STEP, &[&encoded])
}

pub(crate) async fn step_durable(inner: &Inner, step: &Step) -> Result<(), QueueError> {
    let encoded = record::encode_step(step)?;
    let committed = inner.journal.commit(KIND_STEP, &[&encoded]).await?;
    inner.journal.release(committed.id());
    Ok(())
}

/// Notes the outcomes and says what is next.
fn settle(inner: &Inner, job: &Job, outcomes: &[(u32, Outcome)]) -> Result<Next, QueueError> {
    let now = now();
    let mut state = inner.state.lock();
    let schedule = state.schedule;
    let live = state
        .messages
        .get_mut(&job.id.0)
        .ok_or(QueueError::NoSuchMessage)?;
    live.head.marks.clone_from(&job.marks);
    let tried = outcomes
        .iter()
        .any(|(_, outcome)| !matches!(outcome, Outcome::NotTried { .. }));
    live.head.attempts += u32::from(tried);
    for (index, outcome) in outcomes {
        note(live, *index, outcome, schedule, now);
    }
    // A local delivery and what it needs are known to the mailbox; everything else must not happen twice. What a mailbox knows of earlier records it
    // forgets once we say that there is no such message.
    let again = live.record.0 != job.id.0;
    let durable = again || !outcomes.iter().all(|(_, outcome)| *outcome == Outcome::Stored);
    let waits = live.states().iter().any(|state| state.stage == Stage::Waiting);
    if !waits || live.removal.is_some() {
        return Ok(Next::Done { durable });
    }
    Ok(Next::Park(Box::new(row_of(&mut state, job.id.0, &job.text)?)))
}

fn note(live: &mut Live, index: u32, outcome: &Outcome, schedule: Schedule, now: i64) {
    let received = live.head.envelope.received;
    let Some(state) = live.states().get_mut(index as usize) else {
        return;
    };
    if state.stage != Stage::Waiting {
        return;
    }
    match outcome {
        Outcome::NotTried { at } => state.next_try = *at,
        Outcome::Stored => *state = settled(state, Stage::Delivered, ""),
        Outcome::Delivered { reply } => *state = settled(state, Stage::Delivered, reply),
        Outcome::Failed { reply } => *state = settled(state, Stage::Failed, reply),
        Outcome::PutOff { reply, at } => {
            state.attempts += 1;
            state.reply = shorten(reply.clone());
            let scheduled = || schedule.next_try(received, state.attempts, now);
            state.next_try = at
                .or_else(scheduled)
                .unwrap_or_else(|| now.saturating_add_unsigned(schedule.max_s));
        }
    }
}

fn settled(state: &State, stage: Stage, reply: &str) -> State {
    State {
        stage,
        attempts: state.attempts + 1,
        next_try: 0,
        reply: shorten(reply.to_owned()),
    }
}

/// The states of a message as a step.
fn progress_of(inner: &Inner, job: &Job) -> Option<Step> {
    let mut state = inner.state.lock();
    let live = state.messages.get_mut(&job.id.0)?;
    let states = live
        .states()
        .iter()
        .cloned()
        .enumerate()
        .map(|(index, state)| (index as u32, state))
        .collect();
    Some(Step::Progress {
        record: live.record.0,
        states,
        marks: job.marks.clone(),
    })
}
