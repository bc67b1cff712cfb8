//! QUIT (RFC 5321 §4.1.1.10).

use crate::replies;
use crate::session::{Next, Session};

pub(crate) fn quit(session: &mut Session) -> Next {
    session.reply(replies::BYE);
    Next::Close
}
