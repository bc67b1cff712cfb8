//! Connections that are kept for the next message to the same host.
//!
//! A connection is kept for some seconds and a number of messages, and only for what would be said to the same host over the same security with the
//! same login: a message that must be verified never goes over a connection that was not.
//!
//! Must not know: what is said.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use shared::route::RouteProtocol;

use crate::Inner;
use crate::security::Security;
use crate::session::Session;
use crate::transaction::Login;

/// Connections kept in all.
const IDLE_MAX_COUNT: usize = 200;

/// What two messages must have in common to share a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) address: SocketAddr,
    pub(crate) host: String,
    pub(crate) protocol: RouteProtocol,
    pub(crate) security: Security,
    pub(crate) login: Option<Login>,
}

#[derive(Default)]
pub(crate) struct Pool {
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    next: u64,
    count: usize,
    sessions: HashMap<Key, Vec<(u64, Session)>>,
}

impl Idle {
    fn remove(&mut self, key: &Key, wanted: impl Fn(u64) -> bool) -> Option<Session> {
        let sessions = self.sessions.get_mut(key)?;
        // The one that was used last is the likeliest to be alive.
        let at = sessions.iter().rposition(|(id, _)| wanted(*id))?;
        let (_, session) = sessions.remove(at);
        if sessions.is_empty() {
            self.sessions.remove(key);
        }
        self.count -= 1;
        Some(session)
    }
}

impl Pool {
    pub(crate) fn take(&self, key: &Key) -> Option<Session> {
        self.idle.lock().remove(key, |_| true)
    }

    /// Keeps a connection for that long, then says good-bye.
    pub(crate) fn keep(inner: &Arc<Inner>, key: Key, session: Session, life: Duration) {
        let id = {
            let mut idle = inner.pool.idle.lock();
            if idle.count >= IDLE_MAX_COUNT || life.is_zero() {
                drop(idle);
                inner.spawn(session.client.quit());
                return;
            }
            idle.next += 1;
            idle.count += 1;
            let id = idle.next;
            idle.sessions.entry(key.clone()).or_default().push((id, session));
            id
        };
        let task_inner = inner.clone();
        inner.spawn(async move {
            let mut stopped = task_inner.stopped.subscribe();
            tokio::select! {
                () = tokio::time::sleep(life) => {}
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
            let session = task_inner.pool.idle.lock().remove(&key, |other| other == id);
            if let Some(session) = session {
                session.client.quit().await;
            }
        });
    }
}
