//! CAPA (RFC 2449).

use crate::session::Session;
use crate::{login, replies};

pub(crate) fn capa(session: &mut Session) {
    let mechanisms = session.server.directory.mechanisms(&login::context(session));
    session.ok(replies::CAPABILITIES);
    session.raw("TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nUTF8 USER\r\nLANG\r\nEXPIRE NEVER\r\nLOGIN-DELAY 0\r\n");
    if session.conn.is_secure() {
        session.raw("USER\r\n");
    }
    if !mechanisms.is_empty() {
        session.raw("SASL ");
        session.raw(&mechanisms.join(" "));
        session.raw("\r\n");
    }
    if session.conn.can_start_tls() && session.maildrop.is_none() {
        session.raw("STLS\r\n");
    }
    session.raw("IMPLEMENTATION BatPost\r\n.\r\n");
}
