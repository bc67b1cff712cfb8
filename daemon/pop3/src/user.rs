//! USER (RFC 1939 §7). Says nothing of who exists.

use crate::replies;
use crate::session::Session;

pub(crate) fn user(session: &mut Session, name: String) {
    // Refused before the password is sent in the clear.
    if !session.conn.is_secure() {
        return session.err(replies::NEEDS_TLS);
    }
    session.user = Some(name);
    session.ok(replies::GO_ON);
}
