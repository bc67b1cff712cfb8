//! DELE (RFC 1939 §5): marks; QUIT removes.

use crate::replies;
use crate::session::Session;

pub(crate) fn dele(session: &mut Session, number: u32) {
    let Some(maildrop) = session.maildrop.as_deref_mut() else {
        return;
    };
    match maildrop.message(number) {
        Ok((index, _)) => {
            if let Some(message) = maildrop.messages.get_mut(index) {
                message.deleted = true;
            }
            session.ok(replies::OK);
        }
        Err(text) => session.err(text),
    }
}
