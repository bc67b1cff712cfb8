//! The control channel's server: JSON-RPC lines over a local socket or named pipe (messages: `shared::protocol`).
//!
//! Each connection has one task that reads and answers in order, one that writes, and one for each subscription. What a
//! slow reader has no room for is dropped and counted, never kept without bound. The system's own access check on the
//! socket decides who may speak here; who spoke stands beside every change in the log.
//!
//! Must not know: how a request reaches the rooms it concerns beyond calling them; no decision of its own.

mod connection;
mod dispatch;
mod fault;
mod handlers;
mod listen;
mod page;
mod subscriptions;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use acme::Acme;
use delivery::Delivery;
use directory::Directory;
use drivers::Placed;
use events::Events;
use fetch::Fetch;
use i18n::Language;
use mailbox::Mailboxes;
use net::Net;
use queue::Queue;
use tls::Tls;
use tokio::sync::watch;

pub use fault::Fault;
pub use listen::{ListenError, Server};

/// What the channel reaches.
pub struct Context {
    pub data: PathBuf,
    pub directory: Directory,
    pub mailboxes: Mailboxes,
    pub queue: Queue,
    pub net: Net,
    pub tls: Tls,
    pub acme: Acme,
    pub placed: Arc<Placed>,
    pub events: Events,
    pub started: Instant,
    /// The program's version.
    pub version: &'static str,
    /// Set to `true` to stop the daemon.
    pub stop: watch::Sender<bool>,
    /// Disk of the data directory.
    pub disk: disk::SharedDisk,
    pub delivery: Delivery,
    pub fetch: Fetch,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account's name, as the system tells it.
    pub name: String,
    pub language: Language,
}
