//! QUIT (RFC 1939 §6): removes what is marked, gives the maildrop back, says goodbye.

use crate::replies;
use crate::session::{Next, Session};

pub(crate) async fn quit(session: &mut Session) -> Next {
    let removed = match session.maildrop.take() {
        Some(maildrop) => maildrop.update().await,
        None => Ok(()),
    };
    match removed {
        Ok(()) => session.ok(replies::BYE),
        Err(_) => session.err(replies::NOT_REMOVED),
    }
    Next::Close
}
