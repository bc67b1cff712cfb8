//! STLS (RFC 2595 §4).

use net::ConnError;

use crate::replies;
use crate::session::{Next, Session};

pub(crate) async fn stls(session: &mut Session) -> Result<Next, ConnError> {
    if session.conn.is_tls() {
        session.err(replies::TLS_ALREADY);
        return Ok(Next::Go);
    }
    // RFC 6856 §2.1: the server may enforce the order, so that a name is not asked for under two rules.
    if session.utf8 {
        session.err(replies::TLS_AFTER_UTF8);
        return Ok(Next::Go);
    }
    if !session.conn.can_start_tls() {
        session.err(replies::TLS_UNAVAILABLE);
        return Ok(Next::Go);
    }
    // What stands after STLS was perhaps put there by another: it is neither obeyed nor taken for a part of the handshake.
    if !session.conn.input().is_empty() {
        session.err(replies::COMMANDS_BEFORE_TLS);
        return Ok(Next::Close);
    }
    session.ok(replies::READY_FOR_TLS);
    session.conn.start_tls().await?;
    // RFC 2595 §4: what was known from before is forgotten.
    session.user = None;
    Ok(Next::Go)
}
