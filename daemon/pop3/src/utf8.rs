//! UTF8 (RFC 6856 §2). Texts are sent as they are in either mode; names and passwords are UTF-8 anyway.

use crate::replies;
use crate::session::Session;

pub(crate) fn utf8(session: &mut Session) {
    session.ok(replies::UTF8_ON);
}
