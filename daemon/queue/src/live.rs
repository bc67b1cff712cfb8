//! The messages in memory: what is due, what is lent out, and how much of memory they take.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use disk::blob::Blob;
use events::kinds::store::StoreFailed;
use events::{Events, MessageId, Scope};
use journal::{Committed, Journal, RecordId};
use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

use crate::failure::Failure;
use crate::files::Files;
use crate::looks::Moves;
use crate::record::{self, Cause, Head, Stage, State as RecipientStage};
use crate::waiting::Waiting;
use crate::{
    Envelope, Job, KIND_MESSAGE, Queue, QueueError, SMALL_TEXT_MAX_BYTES, Schedule, now, unavailable,
};

/// One permit of the memory limit, in bytes.
const PERMIT_BYTES: usize = 1024;
/// Seconds until a message is tried again whose record could not be read.
const UNREADABLE_RETRY_S: i64 = 60;

pub(crate) struct Inner {
    pub(crate) journal: Journal,
    pub(crate) events: Events,
    pub(crate) files: Arc<Files>,
    pub(crate) state: Mutex<State>,
    /// Told once for each message that becomes due.
    pub(crate) ready: Notify,
    pub(crate) closed: AtomicBool,
    pub(crate) waiting: Waiting,
    pub(crate) changed: watch::Sender<u64>,
    pub(crate) failure: Failure,
    pub(crate) accepted: AtomicU64,
    pub(crate) done: AtomicU64,
    /// Messages whose senders wait for them to be durable.
    pub(crate) taking_in: AtomicUsize,
    permits: Arc<Semaphore>,
    permits_total: u32,
}

pub(crate) struct State {
    pub(crate) messages: HashMap<u64, Live>,
    pub(crate) due: VecDeque<u64>,
    /// What is due later and could not be moved to `waiting.db`: Unix seconds and id.
    pub(crate) later: BTreeSet<(i64, u64)>,
    pub(crate) schedule: Schedule,
    /// Messages in memory that came back from `waiting.db`.
    pub(crate) revived: usize,
    pub(crate) moves: Moves,
    /// Messages in memory whose record is not their first.
    pub(crate) again: BTreeSet<u64>,
}

/// A message that is a live record of the journal.
pub(crate) struct Live {
    pub(crate) record: RecordId,
    pub(crate) head: Head,
    pub(crate) text: Text,
    pub(crate) size: u64,
    /// Lent out as a [`Job`].
    pub(crate) taken: bool,
    pub(crate) held: bool,
    /// Removed by an administrator; whether the sender is to be told.
    pub(crate) removal: Option<bool>,
    pub(crate) revived: bool,
    /// Times that a job was dropped without an outcome.
    pub(crate) drops: u32,
    /// On its way to `waiting.db`: its row is made.
    pub(crate) parking: bool,
    /// A retry was wished since its row was made.
    pub(crate) again: bool,
    /// What it takes of the memory limit, given back with it.
    _permit: Option<OwnedSemaphorePermit>,
}

#[derive(Clone)]
pub(crate) enum Text {
    Here(Blob),
    /// There was no room in memory: the record has it.
    InJournal,
}

/// What an administrator wants of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) held: bool,
    pub(crate) removal: Option<bool>,
    pub(crate) route: Option<String>,
    /// To be tried again at once.
    pub(crate) again: bool,
}

/// Counts a message as one that is being taken in, as long as it lives.
pub(crate) struct TakingIn<'a>(&'a AtomicUsize);

impl<'a> TakingIn<'a> {
    pub(crate) fn new(inner: &'a Inner) -> Self {
        inner.taking_in.fetch_add(1, Ordering::Relaxed);
        Self(&inner.taking_in)
    }
}

impl Drop for TakingIn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Gives a message back when it is dropped.
pub(crate) struct Ticket {
    pub(crate) inner: Arc<Inner>,
    pub(crate) id: u64,
    pub(crate) settled: bool,
}

impl Ticket {
    /// The message is not given back.
    pub(crate) fn settle(mut self) {
        self.settled = true;
    }

    pub(crate) fn removal(&self) -> Option<bool> {
        self.inner.state.lock().messages.get(&self.id)?.removal
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.settled {
            self.inner.give_back(self.id);
        }
    }
}

/// A message taken from the due ones, its text perhaps still in the journal.
pub(crate) struct Taken {
    ticket: Ticket,
    record: RecordId,
    envelope: Arc<Envelope>,
    text: Text,
    due: Vec<u32>,
    attempts: u32,
    route: Option<String>,
    marks: Vec<String>,
}

impl Taken {
    /// `None`: the text could not be read; the message comes again later.
    pub(crate) async fn into_job(self, inner: &Arc<Inner>) -> Option<Job> {
        let text = match self.text {
            Text::Here(blob) => blob,
            Text::InJournal => match inner.text_in_journal(self.record).await {
                Ok(text) => Blob::Bytes(text),
                Err(error) => {
                    inner.report(MessageId(self.ticket.id), &error);
                    inner.give_back_later(self.ticket, now() + UNREADABLE_RETRY_S);
                    return None;
                }
            },
        };
        Some(Job {
            id: MessageId(self.ticket.id),
            record: self.record,
            envelope: self.envelope,
            text,
            due: self.due,
            attempts: self.attempts,
            route: self.route,
            marks: self.marks,
            ticket: self.ticket,
        })
    }
}

impl State {
    pub(crate) fn new() -> Self {
        let schedule = Schedule::from_settings(&shared::settings::Settings::default());
        Self {
            messages: HashMap::new(),
            due: VecDeque::new(),
            later: BTreeSet::new(),
            schedule,
            revived: 0,
            moves: Moves::default(),
            again: BTreeSet::new(),
        }
    }
}

impl Live {
    pub(crate) fn new(
        record: RecordId,
        head: Head,
        text: Text,
        size: u64,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let removal = head.removed.then_some(true);
        Self {
            record,
            head,
            text,
            size,
            taken: false,
            held: false,
            removal,
            revived: false,
            drops: 0,
            parking: false,
            again: false,
            _permit: permit,
        }
    }

    pub(crate) fn wish(&self) -> Wish {
        Wish {
            held: self.held,
            removal: self.removal,
            route: self.head.route.clone(),
            again: self.again,
        }
    }

    /// The states, one for each recipient.
    pub(crate) fn states(&mut self) -> &mut Vec<RecipientStage> {
        let recipients = self.head.envelope.recipients.len();
        self.head.states.resize_with(recipients, Default::default);
        &mut self.head.states
    }

    /// Recipients that are due, and when the next one is if none are.
    fn due(&mut self, now: i64) -> (Vec<u32>, Option<i64>) {
        let all = self.removal.is_some();
        let waiting = || {
            self.head
                .states
                .iter()
                .enumerate()
                .filter(|(_, state)| state.stage == Stage::Waiting)
        };
        if self.head.states.is_empty() {
            return ((0..self.head.envelope.recipients.len() as u32).collect(), None);
        }
        let due = waiting()
            .filter(|(_, state)| all || state.next_try <= now)
            .map(|(index, _)| index as u32)
            .collect();
        (due, waiting().map(|(_, state)| state.next_try).min())
    }
}

impl Inner {
    pub(crate) fn new(
        journal: Journal,
        events: Events,
        files: Arc<Files>,
        waiting: Waiting,
        memory_max_bytes: usize,
    ) -> Self {
        let permits_total = u32::try_from(memory_max_bytes / PERMIT_BYTES)
            .unwrap_or(u32::MAX)
            .clamp(1, 1 << 28);
        Self {
            journal,
            events,
            files,
            state: Mutex::new(State::new()),
            ready: Notify::new(),
            closed: AtomicBool::new(false),
            waiting,
            changed: watch::Sender::new(0),
            failure: Failure::new(),
            accepted: AtomicU64::new(0),
            done: AtomicU64::new(0),
            taking_in: AtomicUsize::new(0),
            permits: Arc::new(Semaphore::new(permits_total as usize)),
            permits_total,
        }
    }

    /// Room in memory, if there is some at once. A message larger than all of it takes all of it.
    pub(crate) fn permit(&self, cost: usize) -> Option<OwnedSemaphorePermit> {
        self.permits
            .clone()
            .try_acquire_many_owned(self.permits_for(cost))
            .ok()
    }

    pub(crate) async fn permit_wait(&self, cost: usize) -> Option<OwnedSemaphorePermit> {
        self.permits
            .clone()
            .acquire_many_owned(self.permits_for(cost))
            .await
            .ok()
    }

    fn permits_for(&self, cost: usize) -> u32 {
        u32::try_from(cost.div_ceil(PERMIT_BYTES))
            .unwrap_or(u32::MAX)
            .min(self.permits_total)
    }

    pub(crate) fn check_open(&self) -> Result<(), QueueError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(QueueError::Unavailable("the queue is closed".to_owned()));
        }
        Ok(())
    }

    /// Makes a message durable and due. Runs to its end even if the caller goes away: a record without its message in memory would
    /// hold the journal.
    pub(crate) async fn admit(
        self: &Arc<Self>,
        envelope: Envelope,
        text: Blob,
        cause: Option<Cause>,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Result<Committed, QueueError> {
        self.check_open()?;
        self.failure.check()?;
        let inner = self.clone();
        let task = tokio::spawn(async move {
            let text = inner.place(text).await?;
            let file = match &text {
                Blob::File(file) => inner.files.name_of(file).map(|name| (name, file.len)),
                Blob::Bytes(_) => None,
            };
            let head = Head {
                id: None,
                envelope: Arc::new(envelope),
                states: Vec::new(),
                attempts: 0,
                route: None,
                marks: Vec::new(),
                cause,
                removed: false,
                file,
            };
            inner.commit_head(head, text, permit).await
        });
        task.await.map_err(|error| unavailable("commit", &error))?
    }

    async fn commit_head(
        self: &Arc<Self>,
        head: Head,
        text: Blob,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Result<Committed, QueueError> {
        let encoded = record::encode_message(&head)?;
        let small: &[u8] = match &text {
            Blob::Bytes(bytes) => bytes,
            Blob::File(_) => &[],
        };
        if let Some((name, _)) = &head.file {
            self.files.refer(name);
        }
        let committed = match self.journal.commit(KIND_MESSAGE, &[&encoded, small]).await {
            Ok(committed) => committed,
            Err(error) => {
                if let Some((name, _)) = &head.file {
                    self.files.unrefer(name);
                }
                return Err(error.into());
            }
        };
        self.accepted.fetch_add(1, Ordering::Relaxed);
        let size = text.len();
        let keep = permit.is_some() || head.file.is_some();
        let text = if keep { Text::Here(text) } else { Text::InJournal };
        let id = committed.id();
        self.insert(id.0, Live::new(id, head, text, size, permit));
        Ok(committed)
    }

    /// Puts a text where it belongs: small ones into memory, large ones into a file of `queue/large`.
    async fn place(self: &Arc<Self>, text: Blob) -> Result<Blob, QueueError> {
        let small = matches!(&text, Blob::Bytes(bytes) if bytes.len() <= SMALL_TEXT_MAX_BYTES);
        let ours = matches!(&text, Blob::File(file) if self.files.name_of(file).is_some());
        if small || ours {
            return Ok(text);
        }
        let files = self.files.clone();
        let placed = tokio::task::spawn_blocking(move || match text {
            Blob::Bytes(bytes) => files.spill(&bytes),
            Blob::File(file) => files.adopt(&file),
        });
        placed
            .await
            .map_err(|error| unavailable("text", &error))?
            .map_err(|error| unavailable("text", &error))
    }

    /// A new live message, due at once.
    pub(crate) fn insert(&self, id: u64, live: Live) {
        self.insert_all(std::iter::once((id, live)), || {});
    }

    /// New live messages; `know` makes known how many wait, so that whoever counts all counts each once. It reads nothing: others wait for the state.
    pub(crate) fn insert_all(&self, all: impl Iterator<Item = (u64, Live)>, know: impl FnOnce()) {
        let mut state = self.state.lock();
        know();
        for (id, live) in all {
            state.revived += usize::from(live.revived);
            state.moves.is_here(id);
            if live.record.0 != id {
                state.again.insert(id);
            }
            state.messages.insert(id, live);
            state.due.push_back(id);
            self.ready.notify_one();
        }
        drop(state);
        self.notice();
    }

    /// Lends out the next due message.
    pub(crate) fn take(self: &Arc<Self>) -> Option<Taken> {
        let now = now();
        let mut state = self.state.lock();
        let state = &mut *state;
        while let Some(id) = state.due.pop_front() {
            let Some(live) = state.messages.get_mut(&id) else {
                continue;
            };
            if live.taken || live.held {
                continue;
            }
            let (due, next) = live.due(now);
            if due.is_empty() {
                state.later.insert((next.unwrap_or(now).max(now + 1), id));
                continue;
            }
            live.taken = true;
            return Some(Taken {
                ticket: Ticket {
                    inner: self.clone(),
                    id,
                    settled: false,
                },
                record: live.record,
                envelope: live.head.envelope.clone(),
                text: live.text.clone(),
                due,
                attempts: live.head.attempts,
                route: live.head.route.clone(),
                marks: live.head.marks.clone(),
            });
        }
        None
    }

    /// A job was dropped: the message is due again, later and later if that goes on.
    fn give_back(&self, id: u64) {
        let mut state = self.state.lock();
        let state = &mut *state;
        let Some(live) = state.messages.get_mut(&id) else {
            return;
        };
        (live.taken, live.parking) = (false, false);
        live.drops += 1;
        if live.drops <= 1 {
            state.due.push_back(id);
            self.ready.notify_one();
        } else {
            state.later.insert((now() + (1 << live.drops.min(12)), id));
            self.waiting.wake();
        }
    }

    pub(crate) fn give_back_later(&self, mut ticket: Ticket, at: i64) {
        ticket.settled = true;
        let mut state = self.state.lock();
        if let Some(live) = state.messages.get_mut(&ticket.id) {
            (live.taken, live.parking) = (false, false);
            state.later.insert((at, ticket.id));
        }
        drop(state);
        self.waiting.wake();
    }

    /// Keeps a job's marks, should it be dropped.
    pub(crate) fn keep_marks(&self, job: &Job) {
        if let Some(live) = self.state.lock().messages.get_mut(&job.id.0) {
            live.head.marks.clone_from(&job.marks);
        }
    }

    /// What was put off in memory is due again. The time of the next one.
    pub(crate) fn wake_later(&self, now: i64) -> Option<i64> {
        let mut state = self.state.lock();
        while let Some((_, id)) = state.later.first().copied().filter(|(at, _)| *at <= now) {
            state.later.pop_first();
            state.due.push_back(id);
            self.ready.notify_one();
        }
        state.later.first().map(|(at, _)| *at)
    }

    /// Forgets a message whose record counts no more, and releases the record.
    pub(crate) fn forget(&self, id: u64, record: RecordId) {
        self.forget_unless(id, record, |_| false);
    }

    /// Forgets a message, unless that was wished of it which its row does not say; gives that.
    pub(crate) fn forget_if_said(&self, id: u64, record: RecordId, said: &Wish) -> Option<Wish> {
        let mut wish = None;
        self.forget_unless(id, record, |live| {
            wish = Some(live.wish()).filter(|wish| wish != said);
            wish.is_some()
        });
        wish
    }

    fn forget_unless(&self, id: u64, record: RecordId, keep: impl FnOnce(&Live) -> bool) {
        let removed = {
            let mut state = self.state.lock();
            if state
                .messages
                .get(&id)
                .is_none_or(|live| live.record != record || keep(live))
            {
                return;
            }
            let removed = state.messages.remove(&id);
            state.again.remove(&id);
            if removed.as_ref().is_some_and(|live| live.revived) {
                state.revived = state.revived.saturating_sub(1);
                self.waiting.wake();
            }
            removed
        };
        if let Some(live) = removed {
            self.let_go(live);
        }
        self.notice();
    }

    /// The record of a message that is no longer here counts no more.
    fn let_go(&self, live: Live) {
        if let Some((name, _)) = &live.head.file {
            self.files.unrefer_when_trimmed(live.record, name);
        }
        self.journal.release(live.record);
    }

    pub(crate) async fn text_in_journal(&self, record: RecordId) -> Result<Bytes, QueueError> {
        let journal = self.journal.clone();
        let read = tokio::task::spawn_blocking(move || journal.read(record)).await;
        let payload = read.map_err(|error| unavailable("journal", &error))??;
        let (_, text) = record::decode_message(&payload).map_err(|error| unavailable("journal", &error))?;
        Ok(text)
    }

    /// Whoever watches the queue sees that it changed.
    pub(crate) fn notice(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    pub(crate) fn report(&self, id: MessageId, error: &QueueError) {
        self.events.emit(
            Scope::message(id),
            StoreFailed {
                store: "queue".to_owned(),
                reason: error.to_string(),
            },
        );
    }
}

impl Queue {
    /// Sees a new value whenever the queue changed.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }
}
