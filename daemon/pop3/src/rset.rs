//! RSET (RFC 1939 §5): takes the marks away.

use crate::replies;
use crate::session::Session;

pub(crate) fn rset(session: &mut Session) {
    if let Some(maildrop) = session.maildrop.as_deref_mut() {
        for message in &mut maildrop.messages {
            message.deleted = false;
        }
    }
    session.ok(replies::OK);
}
