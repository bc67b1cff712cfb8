//! EXPN (RFC 5321 §4.1.1.7): members of lists are nobody's business.

use crate::replies;
use crate::session::Session;

pub(crate) fn expn(session: &mut Session) {
    session.refuse(replies::NOT_IMPLEMENTED);
}
