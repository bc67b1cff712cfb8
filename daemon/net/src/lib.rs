//! Listeners, limits, timeouts and the registry of sessions. The only room that touches sockets of peers.
//!
//! A listener accepts, asks the limits and `policy`, registers the session and hands a [`Conn`] to the protocol's room.
//! Must not know: what is said in a session.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use events::{Events, Scope, SessionId};

/// Why a connection can't go on. `Ended` is an administrator's or the daemon's own wish, to be told to the peer.
#[derive(Debug, thiserror::Error)]
pub enum ConnError {
    #[error("the peer closed the connection")]
    Closed,
    #[error("the peer was silent too long")]
    Timeout,
    #[error("the session was ended")]
    Ended,
    #[error("TLS: {0}")]
    Tls(String),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A peer's connection: a socket, plain or TLS, with an input and an output buffer. Idle connections hold no buffers.
pub struct Conn {
    _private: (),
}

impl Conn {
    /// What was read and not yet consumed. Consume with `advance`/`split_to`.
    pub fn input(&mut self) -> &mut BytesMut {
        todo!()
    }

    /// Reads more into the input buffer: at least one byte, or an error. Ends with `Timeout` after `limit`, with `Ended`
    /// when the session is to end. Output is flushed before waiting.
    pub async fn fill(&mut self, limit: Duration) -> Result<usize, ConnError> {
        let _ = limit;
        todo!()
    }

    /// Answers gathered and not yet sent.
    pub fn output(&mut self) -> &mut BytesMut {
        todo!()
    }

    /// Sends what is gathered; waits at most the write timeout for a slow peer.
    pub async fn flush(&mut self) -> Result<(), ConnError> {
        todo!()
    }

    /// Flushes if more than the high-water mark (64 KiB) is gathered: call it inside loops that produce output.
    pub async fn flush_if_full(&mut self) -> Result<(), ConnError> {
        todo!()
    }

    /// Does the server's side of a TLS handshake. Refused (an error) if plaintext is still in the input buffer, so that
    /// nothing said before is taken for said after (RFC 3207 §6, command injection).
    pub async fn start_tls(&mut self) -> Result<(), ConnError> {
        todo!()
    }

    /// Whether `start_tls` can be offered: a certificate is at hand and TLS is not on yet.
    pub fn can_start_tls(&self) -> bool {
        todo!()
    }

    pub fn is_tls(&self) -> bool {
        todo!()
    }

    /// TLS, or a peer on this host (loopback): plaintext mechanisms may be used.
    pub fn is_secure(&self) -> bool {
        todo!()
    }

    /// The protocol's channel binding of that type (`tls-exporter`, `tls-server-end-point`), under TLS.
    pub fn channel_binding(&self, kind: &str) -> Option<Vec<u8>> {
        let _ = kind;
        todo!()
    }

    pub fn peer(&self) -> SocketAddr {
        todo!()
    }

    pub fn local(&self) -> SocketAddr {
        todo!()
    }

    pub fn session(&self) -> &SessionHandle {
        todo!()
    }
}

/// The session's row in the registry; it leaves the registry when the last handle is dropped.
#[derive(Clone)]
pub struct SessionHandle {
    _private: Arc<()>,
}

impl SessionHandle {
    pub fn id(&self) -> SessionId {
        todo!()
    }
    pub fn scope(&self) -> Scope {
        todo!()
    }
    /// Shows who logged in.
    pub fn set_user(&self, user: &str) {
        let _ = user;
        todo!()
    }
    /// Shows what the session is doing: a protocol word, kept as it is.
    pub fn set_state(&self, state: &'static str) {
        let _ = state;
        todo!()
    }
    /// Resolves when the session is to end (administrator, service stopped, shutdown).
    pub async fn ended(&self) {
        todo!()
    }
    pub fn is_ended(&self) -> bool {
        todo!()
    }
    pub fn events(&self) -> &Events {
        todo!()
    }
}
