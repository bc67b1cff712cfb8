//! UTF8 (RFC 6856 §2). Without it a client is shown headers in ASCII (RFC 6858); names and passwords are UTF-8 anyway.

use crate::replies;
use crate::session::Session;

pub(crate) fn utf8(session: &mut Session) {
    session.utf8 = true;
    session.ok(replies::UTF8_ON);
}
