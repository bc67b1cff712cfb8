//! Listeners, limits, timeouts and the registry of sessions. The only room that touches sockets of peers.
//!
//! A listener accepts, asks the limits and the [`Gate`], registers the session and hands a [`Conn`] to the protocol's room.
//! One task per session; a panic in it costs that session alone.
//!
//! Must not know: what is said in a session.

mod compress;
mod conn;
mod farewell;
mod gate;
mod limits;
mod listen;
mod proxy;
mod service;
mod session;
mod stream;

use std::net::SocketAddr;
use std::time::Duration;

pub use conn::{Conn, ConnError};
pub use gate::{Gate, Open, Verdict};
pub use listen::Net;
pub use service::{ExternalService, Handler, Listener, ServiceConfig};
pub use session::SessionHandle;

/// Bytes of answers that are gathered before they are sent.
pub const OUTPUT_HIGH_WATER_BYTES: usize = 64 * 1024;
/// Bytes that are read at once at first; doubled while the peer fills them.
pub(crate) const READ_BYTES_MIN: usize = 8 * 1024;
pub(crate) const READ_BYTES_MAX: usize = 64 * 1024;
/// How long a peer may keep the server from sending.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_mins(2);
/// The same for the last words of a session that was ended.
pub(crate) const FAREWELL_TIMEOUT: Duration = Duration::from_secs(2);
/// After so much silence of its peer a compressed session gives its compressor back.
pub(crate) const REST_AFTER: Duration = Duration::from_secs(2);
/// How long a TLS handshake may take.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);
/// Connections that the system holds ready for a listener.
pub(crate) const BACKLOG: i32 = 1024;
/// Rest of a listener after the system refused it a connection (no more open files).
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Why a service can't listen.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// Another program listens there.
    #[error("{0} is in use by another program")]
    Occupied(SocketAddr),
    /// Ports below 1024 need a privilege.
    #[error("no permission to listen on {0}")]
    Forbidden(SocketAddr),
    #[error("{address} can't be listened on: {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("there is no service of that name: {0}")]
    NoSuchService(String),
}

#[cfg(test)]
mod tests;
