//! What happens in pop3 sessions.

events! {
    /// A command that the server did not understand or that came out of state.
    Pop3CommandRefused "pop3-command-refused" Pop3 Debug { command: String, reply: String }
}
