//! NOOP (RFC 1939 §5).

use crate::replies;
use crate::session::Session;

pub(crate) fn noop(session: &mut Session) {
    session.ok(replies::OK);
}
