//! The registry of sessions: one row each, from the accepted connection until the last handle is dropped.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Arc, Weak};
use std::time::{SystemTime, UNIX_EPOCH};

use events::kinds::net::SessionClosed;
use events::kinds::server::InternalFault;
use events::{Events, Scope, SessionId};
use parking_lot::Mutex;
use shared::model::Protocol;
use shared::protocol::SessionRow;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::limits::Place;
use crate::service::Slot;

/// The session's row in the registry; it leaves the registry when the last handle is dropped.
#[derive(Clone)]
pub struct SessionHandle {
    row: Arc<Row>,
}

pub(crate) struct Row {
    id: u64,
    pub(crate) slot: Arc<Slot>,
    registry: Arc<Registry>,
    peer: SocketAddr,
    /// Unix seconds.
    since: i64,
    said: Mutex<Said>,
    tls: AtomicBool,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    ended: AtomicBool,
    wake: Notify,
    _place: Option<Place>,
}

/// What the session says of itself.
struct Said {
    user: Option<Box<str>>,
    state: &'static str,
    /// Why it closed, for the event.
    reason: &'static str,
    task: Option<AbortHandle>,
}

/// All sessions.
pub(crate) struct Registry {
    rows: Mutex<HashMap<u64, Weak<Row>>>,
    last: AtomicU64,
    /// Bytes of sessions that are over.
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    /// Told when a session leaves.
    left: Notify,
    pub(crate) events: Events,
}

impl SessionHandle {
    pub fn id(&self) -> SessionId {
        SessionId(self.row.id)
    }

    pub fn scope(&self) -> Scope {
        Scope::session(self.id(), self.row.peer)
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.row.slot.protocol
    }

    /// Shows who logged in.
    pub fn set_user(&self, user: &str) {
        self.row.said.lock().user = Some(user.into());
    }

    /// Shows what the session is doing: a protocol word, kept as it is.
    pub fn set_state(&self, state: &'static str) {
        self.row.said.lock().state = state;
    }

    /// Says why the session closes, for the log; the first reason stands.
    pub fn set_reason(&self, reason: &'static str) {
        let mut said = self.row.said.lock();
        if said.reason.is_empty() {
            said.reason = reason;
        }
    }

    /// Resolves when the session is to end (administrator, service stopped, shutdown).
    pub async fn ended(&self) {
        let woken = self.row.wake.notified();
        tokio::pin!(woken);
        // Listening begins before the look: an end between the two is not missed.
        woken.as_mut().enable();
        if !self.is_ended() {
            woken.await;
        }
    }

    pub fn is_ended(&self) -> bool {
        self.row.ended.load(Acquire)
    }

    pub fn events(&self) -> &Events {
        &self.row.registry.events
    }

    /// Tells of a panic in the session.
    pub(crate) fn fault(&self, reason: String) {
        self.set_reason("internal fault");
        let fault = InternalFault {
            place: self.row.slot.name.to_owned(),
            reason,
        };
        self.events().emit(self.scope(), fault);
    }

    pub(crate) fn peer(&self) -> SocketAddr {
        self.row.peer
    }

    pub(crate) fn set_tls(&self) {
        self.row.tls.store(true, Relaxed);
    }

    pub(crate) fn set_task(&self, task: AbortHandle) {
        self.row.said.lock().task = Some(task);
    }

    pub(crate) fn count_in(&self, bytes: usize) {
        self.row.bytes_in.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn count_out(&self, bytes: usize) {
        self.row.bytes_out.fetch_add(bytes as u64, Relaxed);
    }
}

impl Row {
    fn end(&self) {
        self.ended.store(true, Release);
        self.wake.notify_waiters();
    }

    fn show(&self) -> SessionRow {
        let said = self.said.lock();
        SessionRow {
            id: self.id,
            service: self.slot.name.to_owned(),
            protocol: self.slot.protocol,
            peer: self.peer.to_string(),
            user: said.user.as_deref().unwrap_or_default().to_owned(),
            state: said.state.to_owned(),
            tls: self.tls.load(Relaxed),
            since: self.since,
            bytes_in: self.bytes_in.load(Relaxed),
            bytes_out: self.bytes_out.load(Relaxed),
        }
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        let (bytes_in, bytes_out) = (*self.bytes_in.get_mut(), *self.bytes_out.get_mut());
        self.registry.bytes_in.fetch_add(bytes_in, Relaxed);
        self.registry.bytes_out.fetch_add(bytes_out, Relaxed);
        self.registry.rows.lock().remove(&self.id);
        self.slot.leave();
        self.registry.left.notify_waiters();
        let reason = self.said.get_mut().reason.to_owned();
        self.registry.events.emit(
            Scope::session(SessionId(self.id), self.peer),
            SessionClosed {
                service: self.slot.name.to_owned(),
                reason,
                bytes_in,
                bytes_out,
            },
        );
    }
}

impl Registry {
    pub(crate) fn new(events: Events) -> Self {
        Self {
            rows: Mutex::default(),
            last: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            left: Notify::new(),
            events,
        }
    }

    /// Enters a session. The service has counted it already (`Slot::enter`); it is given back with the row.
    pub(crate) fn enter(
        self: &Arc<Self>,
        slot: Arc<Slot>,
        peer: SocketAddr,
        place: Option<Place>,
    ) -> SessionHandle {
        let id = self.last.fetch_add(1, Relaxed) + 1;
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |past| past.as_secs() as i64);
        let row = Arc::new(Row {
            id,
            slot,
            registry: self.clone(),
            peer,
            since,
            said: Mutex::new(Said {
                user: None,
                state: "",
                reason: "",
                task: None,
            }),
            tls: AtomicBool::new(false),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            wake: Notify::new(),
            _place: place,
        });
        self.rows.lock().insert(id, Arc::downgrade(&row));
        SessionHandle { row }
    }

    pub(crate) fn list(&self) -> Vec<SessionRow> {
        let mut rows: Vec<SessionRow> = self.live().iter().map(|row| row.show()).collect();
        rows.sort_unstable_by_key(|row| row.id);
        rows
    }

    /// Bytes of all sessions since the start, in and out.
    pub(crate) fn bytes_total(&self) -> (u64, u64) {
        let (mut bytes_in, mut bytes_out) = (self.bytes_in.load(Relaxed), self.bytes_out.load(Relaxed));
        for row in self.live() {
            bytes_in += row.bytes_in.load(Relaxed);
            bytes_out += row.bytes_out.load(Relaxed);
        }
        (bytes_in, bytes_out)
    }

    pub(crate) fn end(&self, id: u64) -> Option<(Scope, &'static str)> {
        let row = self.rows.lock().get(&id).and_then(Weak::upgrade)?;
        row.end();
        Some((Scope::session(SessionId(id), row.peer), row.slot.name))
    }

    /// Ends the sessions of a service, or all.
    pub(crate) fn end_all(&self, of: Option<&Slot>) {
        for row in self.live() {
            if of.is_none_or(|slot| std::ptr::eq(slot, &raw const *row.slot)) {
                row.end();
            }
        }
    }

    /// Takes the tasks of what is left away: for peers that take no farewell.
    pub(crate) fn abort_all(&self, of: Option<&Slot>) {
        for row in self.live() {
            if of.is_none_or(|slot| std::ptr::eq(slot, &raw const *row.slot))
                && let Some(task) = row.said.lock().task.take()
            {
                task.abort();
            }
        }
    }

    /// Resolves when no session of the service (or none at all) is left.
    pub(crate) async fn empty(&self, of: Option<&Slot>) {
        loop {
            let left = self.left.notified();
            tokio::pin!(left);
            left.as_mut().enable();
            let none = match of {
                Some(slot) => slot.active() == 0,
                None => self.rows.lock().is_empty(),
            };
            if none {
                return;
            }
            left.await;
        }
    }

    /// The rows are dropped outside the lock: the last handle of one takes it again.
    fn live(&self) -> Vec<Arc<Row>> {
        self.rows.lock().values().filter_map(Weak::upgrade).collect()
    }
}
