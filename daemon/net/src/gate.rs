//! What decides whether a peer is let in; given by the daemon, so that this room knows no policy.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;

use shared::model::Protocol;

/// Whether a connection is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allow,
    /// The peer is told. `temporary`: it may come again (421 or `[SYS/TEMP]`); `text` is for the peer (ASCII, one line, no reply
    /// code), `reason` for the log, empty if the gate told the log itself.
    Refuse {
        temporary: bool,
        text: String,
        reason: String,
    },
    /// Closed without a word; `reason` as above.
    Drop {
        reason: String,
    },
}

/// Judges connections and says how many there may be.
pub trait Gate: Send + Sync + 'static {
    fn connect<'a>(
        &'a self,
        peer: SocketAddr,
        protocol: Protocol,
    ) -> Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

    /// Whether the address is of an own network: limits per address do not hold for it. Loopback is exempt anyway.
    fn is_exempt(&self, peer: IpAddr) -> bool;

    /// Whether the address is that of a proxy, which says by the PROXY protocol for whom it connects.
    fn is_proxy(&self, peer: IpAddr) -> bool;

    /// Sessions that a service may have at once; asked at each connection.
    fn sessions_max(&self, service: &str) -> u64;

    /// Sessions that one address (IPv6: one /64) may have at once; asked at each connection.
    fn sessions_per_address_max(&self) -> u64;
}

/// A gate that is open to all (tests).
#[derive(Clone, Copy, Debug, Default)]
pub struct Open;

impl Gate for Open {
    fn connect<'a>(
        &'a self,
        _: SocketAddr,
        _: Protocol,
    ) -> Pin<Box<dyn Future<Output = Verdict> + Send + 'a>> {
        Box::pin(std::future::ready(Verdict::Allow))
    }
    fn is_exempt(&self, _: IpAddr) -> bool {
        true
    }
    fn is_proxy(&self, _: IpAddr) -> bool {
        false
    }
    fn sessions_max(&self, _: &str) -> u64 {
        u64::MAX
    }
    fn sessions_per_address_max(&self) -> u64 {
        u64::MAX
    }
}
