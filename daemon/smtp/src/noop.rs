//! NOOP (RFC 5321 §4.1.1.9).

use crate::replies;
use crate::session::Session;

pub(crate) fn noop(session: &mut Session) {
    session.reply(replies::OK);
}
