//! What happens in imap sessions.

events! {
    /// A command that the server did not understand or that came out of state.
    ImapCommandRefused "imap-command-refused" Imap Debug { command: String, reply: String }
}
