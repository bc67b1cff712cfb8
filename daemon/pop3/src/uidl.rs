//! UIDL (RFC 1939 §7): the same in every session and never given to another message.

use std::fmt::Write;

use net::ConnError;

use crate::replies;
use crate::session::Session;

pub(crate) async fn uidl(session: &mut Session, number: Option<u32>) -> Result<(), ConnError> {
    let Some(maildrop) = session.maildrop.as_deref() else {
        return Ok(());
    };
    if let Some(number) = number {
        match maildrop.message(number) {
            Ok((_, message)) => {
                let line = format!("+OK {number} {}\r\n", maildrop.unique_id(&message));
                session.raw(&line);
            }
            Err(text) => session.err(text),
        }
        return Ok(());
    }
    session.ok(replies::LISTING);
    let Session {
        conn,
        maildrop: Some(maildrop),
        ..
    } = session
    else {
        return Ok(());
    };
    for (number, message) in maildrop.listed() {
        // Writing to a buffer in memory can't fail.
        let _ = write!(conn.output(), "{number} {}\r\n", maildrop.unique_id(message));
        conn.flush_if_full().await?;
    }
    session.raw(".\r\n");
    Ok(())
}
