//! A message as a row of a list, and what lists are sorted and filtered by.

use std::cmp::Ordering as Order;
use std::sync::Arc;

use events::MessageId;
use rusqlite::{Connection, OptionalExtension};
use shared::protocol::{QueueRow, RecipientState};

use crate::Envelope;
use crate::live::Live;
use crate::record::{Head, Stage, State};

/// Recipients shown in a row.
const RECIPIENTS_SHOWN: usize = 5;
/// Bytes of recipients' addresses that a filter looks at.
const SEARCH_MAX_BYTES: usize = 64 * 1024;

/// One row.
pub(crate) const STORED: &str = "SELECT id, head, size, next_try, held, record FROM message WHERE id = ?1";

/// A row of `waiting.db`.
pub(crate) struct Stored {
    pub(crate) id: u64,
    pub(crate) head: Vec<u8>,
    size: u64,
    next_try: i64,
    held: bool,
    pub(crate) record: u64,
}

impl Stored {
    /// Columns `id, head, size, next_try, held` and, if it is there, `record`.
    pub(crate) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get::<_, i64>(0)? as u64,
            head: row.get(1)?,
            size: row.get::<_, i64>(2)? as u64,
            next_try: row.get(3)?,
            held: row.get(4)?,
            record: row.get::<_, i64>(5).unwrap_or(0) as u64,
        })
    }

    pub(crate) fn head(&self) -> Option<Head> {
        serde_json::from_slice(&self.head).ok()
    }

    pub(crate) fn row(&self, head: &Head) -> QueueRow {
        let next_try = if self.held { None } else { Some(self.next_try) };
        queue_row(
            self.id,
            &head.envelope,
            (self.size, head.attempts),
            (next_try, self.held),
            last_reply(head),
        )
    }
}

pub(crate) fn stored(connection: &Connection, id: MessageId) -> rusqlite::Result<Option<Stored>> {
    connection
        .query_row(STORED, [id.0 as i64], Stored::read)
        .optional()
}

/// What a list is sorted by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sort {
    Id,
    Sender,
    Size,
    Arrived,
    NextTry,
    Attempts,
    Held,
}

impl Sort {
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "sender" => Self::Sender,
            "size" => Self::Size,
            "arrived" => Self::Arrived,
            "next_try" => Self::NextTry,
            "attempts" => Self::Attempts,
            "held" => Self::Held,
            _ => Self::Id,
        }
    }

    /// What rows of the database are sorted by: the expression of its index.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Sender => "sender",
            Self::Size => "size",
            Self::Arrived => "received",
            // What is held has none.
            Self::NextTry => "CASE held WHEN 0 THEN next_try END",
            Self::Attempts => "attempts",
            Self::Held => "held",
        }
    }

    pub(crate) fn index(self) -> &'static str {
        match self {
            Self::Id => "message_id",
            Self::Sender => "message_sender",
            Self::Size => "message_size",
            Self::Arrived => "message_received",
            Self::NextTry => "message_next",
            Self::Attempts => "message_attempts",
            Self::Held => "message_held",
        }
    }

    pub(crate) fn compare(self, a: &QueueRow, b: &QueueRow) -> Order {
        let order = match self {
            Self::Id => Order::Equal,
            Self::Sender => a.sender.cmp(&b.sender),
            Self::Size => a.size.cmp(&b.size),
            Self::Arrived => a.arrived.cmp(&b.arrived),
            Self::NextTry => a.next_try.cmp(&b.next_try),
            Self::Attempts => a.attempts.cmp(&b.attempts),
            Self::Held => a.held.cmp(&b.held),
        };
        // Ids are hexadecimal without leading zeros.
        order
            .then_with(|| a.id.len().cmp(&b.id.len()))
            .then_with(|| a.id.cmp(&b.id))
    }
}

/// What a list needs of a message in memory: taken in little time, made readable later.
#[derive(Clone)]
pub(crate) struct Glimpse {
    pub(crate) id: u64,
    envelope: Arc<Envelope>,
    size: u64,
    next_try: Option<i64>,
    attempts: u32,
    held: bool,
    last_reply: String,
}

impl Glimpse {
    pub(crate) fn of(id: u64, live: &Live) -> Self {
        let head = &live.head;
        let waiting = head.states.iter().filter(|state| state.stage == Stage::Waiting);
        let next_try = waiting
            .map(|state| state.next_try)
            .min()
            .unwrap_or(head.envelope.received);
        Self {
            id,
            envelope: head.envelope.clone(),
            size: live.size,
            next_try: (!live.taken && !live.held).then_some(next_try),
            attempts: head.attempts,
            held: live.held,
            last_reply: last_reply(head).to_owned(),
        }
    }

    pub(crate) fn search_text(&self) -> String {
        text_to_search(self.id, &self.envelope, &self.last_reply)
    }

    /// In the order of [`Sort::compare`].
    pub(crate) fn key(&self, sort: Sort) -> (Option<i64>, String, u64) {
        let mut sender = String::new();
        let number = match sort {
            Sort::Id => None,
            Sort::Sender => {
                sender = sender_of(&self.envelope);
                None
            }
            Sort::Size => i64::try_from(self.size).ok(),
            Sort::Arrived => Some(self.envelope.received),
            Sort::NextTry => self.next_try,
            Sort::Attempts => Some(i64::from(self.attempts)),
            Sort::Held => Some(i64::from(self.held)),
        };
        (number, sender, self.id)
    }

    pub(crate) fn row(&self) -> QueueRow {
        queue_row(
            self.id,
            &self.envelope,
            (self.size, self.attempts),
            (self.next_try, self.held),
            &self.last_reply,
        )
    }
}

fn queue_row(
    id: u64,
    envelope: &Envelope,
    (size, attempts): (u64, u32),
    (next_try, held): (Option<i64>, bool),
    last_reply: &str,
) -> QueueRow {
    QueueRow {
        id: MessageId(id).to_string(),
        sender: sender_of(envelope),
        recipients: envelope
            .recipients
            .iter()
            .take(RECIPIENTS_SHOWN)
            .map(|r| r.address.to_string())
            .collect(),
        recipients_total: envelope.recipients.len() as u64,
        size,
        arrived: envelope.received,
        next_try,
        attempts,
        held,
        last_reply: last_reply.to_owned(),
    }
}

fn sender_of(envelope: &Envelope) -> String {
    envelope
        .sender
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn last_reply(head: &Head) -> &str {
    let answered = head.states.iter().rev().find(|state| !state.reply.is_empty());
    answered.map(|state| state.reply.as_str()).unwrap_or_default()
}

pub(crate) fn recipient_states(head: &Head) -> Vec<RecipientState> {
    let none = State::default();
    let states = head.states.iter().chain(std::iter::repeat(&none));
    let both = head.envelope.recipients.iter().zip(states);
    both.map(|(recipient, state)| RecipientState {
        address: recipient.address.to_string(),
        state: state.stage.word().to_owned(),
        attempts: state.attempts,
        last_reply: state.reply.clone(),
        next_try: (state.stage == Stage::Waiting).then_some(state.next_try),
    })
    .collect()
}

/// What a filter is compared with.
pub(crate) fn search_text(id: u64, head: &Head) -> String {
    text_to_search(id, &head.envelope, last_reply(head))
}

fn text_to_search(id: u64, envelope: &Envelope, last_reply: &str) -> String {
    use std::fmt::Write as _;
    let mut out = format!("{id:x}");
    if let Some(sender) = &envelope.sender {
        let _ = write!(out, " {sender}");
    }
    for recipient in &envelope.recipients {
        if out.len() >= SEARCH_MAX_BYTES {
            break;
        }
        let _ = write!(out, " {}", recipient.address);
    }
    if !last_reply.is_empty() {
        let _ = write!(out, " {last_reply}");
    }
    out.to_lowercase()
}
