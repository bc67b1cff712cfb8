//! RSET (RFC 5321 §4.1.1.5): ends the transaction, keeps the greeting and the login.

use crate::replies;
use crate::session::Session;

pub(crate) fn rset(session: &mut Session) {
    session.transaction = None;
    session.reply(replies::RESET);
}
