//! APOP (RFC 1939 §7): needs passwords in plain text on the server, so it is not offered and not served.

use crate::replies;
use crate::session::Session;

pub(crate) fn apop(session: &mut Session) {
    session.err(replies::NO_APOP);
}
