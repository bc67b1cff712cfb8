//! VRFY (RFC 5321 §4.1.1.6): says nothing of who exists.

use crate::replies;
use crate::session::Session;

pub(crate) fn vrfy(session: &mut Session) {
    session.reply(replies::VRFY);
}
