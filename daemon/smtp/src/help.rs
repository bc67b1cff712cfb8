//! HELP (RFC 5321 §4.1.1.8).

use crate::replies;
use crate::session::Session;

pub(crate) fn help(session: &mut Session) {
    session.reply(replies::HELP);
}
