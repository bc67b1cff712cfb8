//! What happens to connections.

events! {
    SessionOpened "session-opened" Application Debug { service: String }
    SessionClosed "session-closed" Application Debug { service: String, reason: String, bytes_in: u64, bytes_out: u64 }
    /// A session was refused because of a limit or a list.
    SessionRefused "session-refused" Security Info { service: String, reason: String }
    /// An administrator ended a session.
    SessionEnded "session-ended" Application Info { service: String, by: String }
    /// The TLS handshake of a peer failed.
    TlsFailed "tls-failed" Security Info { reason: String }
    ServiceChanged "service-changed" Application Info { service: String, state: String, by: String }
    Listening "listening" Application Info { service: String, address: String }
}
