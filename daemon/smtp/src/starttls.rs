//! STARTTLS (RFC 3207).

use net::ConnError;

use crate::replies;
use crate::session::{Next, Session};

pub(crate) async fn starttls(session: &mut Session) -> Result<Next, ConnError> {
    if session.conn.is_tls() {
        session.refuse(replies::TLS_ALREADY);
        return Ok(Next::Go);
    }
    if !session.conn.can_start_tls() {
        session.refuse(replies::TLS_UNAVAILABLE);
        return Ok(Next::Go);
    }
    // RFC 3207 §6, RFC 2920 §3.1: STARTTLS ends a group of commands. What stands after it was perhaps put there by another; it is
    // neither obeyed nor taken for a part of the handshake.
    if !session.conn.input().is_empty() {
        session.refuse(replies::COMMANDS_BEFORE_TLS);
        return Ok(Next::Close);
    }
    session.reply(replies::READY_FOR_TLS);
    session.conn.session().set_state("STARTTLS");
    session.conn.start_tls().await?;
    // RFC 3207 §4.2: what was known from before is forgotten.
    session.greeting = None;
    session.transaction = None;
    session.account = None;
    Ok(Next::Go)
}
