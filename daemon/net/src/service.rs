//! Services: a name, ports, a state and the code that serves a session.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;
use shared::model::Protocol;
use shared::protocol::{ServiceRow, ServiceState};
use tokio::task::JoinHandle;

use crate::Conn;

/// What serves a session from its first to its last byte.
pub type Handler = Arc<dyn Fn(Conn) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// A service to be offered.
pub struct ServiceConfig {
    /// `smtp`, `submission`, `lmtp`, `pop3`, `imap`.
    pub name: &'static str,
    pub protocol: Protocol,
    pub listeners: Vec<Listener>,
    pub handler: Handler,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    pub address: SocketAddr,
    /// TLS from the first byte (RFC 8314 §3).
    pub implicit_tls: bool,
}

/// A service without ports of its own (delivery), shown and switched with the others.
pub trait ExternalService: Send + Sync + 'static {
    fn row(&self) -> ServiceRow;
    fn set(&self, state: ServiceState);
}

/// A service as it runs.
pub(crate) struct Slot {
    pub(crate) name: &'static str,
    pub(crate) protocol: Protocol,
    pub(crate) wanted: Vec<Listener>,
    pub(crate) handler: Handler,
    /// Held while the service is switched, with the tasks that accept.
    pub(crate) accepting: tokio::sync::Mutex<Vec<JoinHandle<()>>>,
    /// The addresses that are bound, as people see them.
    pub(crate) bound: Mutex<Vec<SocketAddr>>,
    state: AtomicU8,
    active: AtomicU64,
    total: AtomicU64,
}

impl Slot {
    pub(crate) fn new(config: ServiceConfig) -> Self {
        Self {
            name: config.name,
            protocol: config.protocol,
            wanted: config.listeners,
            handler: config.handler,
            accepting: tokio::sync::Mutex::default(),
            bound: Mutex::default(),
            state: AtomicU8::new(ServiceState::Stopped as u8),
            active: AtomicU64::new(0),
            total: AtomicU64::new(0),
        }
    }

    /// A service that accepts nothing; it carries one connection of a test, which nobody counted in.
    pub(crate) fn for_test() -> Self {
        let slot = Self::new(ServiceConfig {
            name: "test",
            protocol: Protocol::Smtp,
            listeners: Vec::new(),
            handler: Arc::new(|_| Box::pin(std::future::ready(()))),
        });
        slot.active.store(1, Relaxed);
        slot
    }

    pub(crate) fn state(&self) -> ServiceState {
        match self.state.load(Relaxed) {
            0 => ServiceState::Running,
            1 => ServiceState::Paused,
            _ => ServiceState::Stopped,
        }
    }

    pub(crate) fn set_state(&self, state: ServiceState) {
        self.state.store(state as u8, Relaxed);
    }

    /// Counts a session in, unless `max` are there.
    pub(crate) fn enter(&self, max: u64) -> bool {
        let entered = self
            .active
            .fetch_update(Relaxed, Relaxed, |active| (active < max).then_some(active + 1))
            .is_ok();
        if entered {
            self.total.fetch_add(1, Relaxed);
        }
        entered
    }

    pub(crate) fn leave(&self) {
        self.active.fetch_sub(1, Relaxed);
    }

    pub(crate) fn active(&self) -> u64 {
        self.active.load(Relaxed)
    }

    pub(crate) fn row(&self, max: u64) -> ServiceRow {
        ServiceRow {
            service: self.name.to_owned(),
            state: self.state(),
            active: self.active(),
            max,
            total: self.total.load(Relaxed),
            listeners: self.bound.lock().iter().map(ToString::to_string).collect(),
        }
    }
}

/// The word that events use for a state.
pub(crate) fn word(state: ServiceState) -> &'static str {
    match state {
        ServiceState::Running => "running",
        ServiceState::Paused => "paused",
        ServiceState::Stopped => "stopped",
    }
}
