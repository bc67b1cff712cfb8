//! CAPA (RFC 2449 §5, §6): what is offered in the state the session is in.

use std::fmt::Write;

use crate::session::Session;
use crate::{login, replies};

pub(crate) fn capa(session: &mut Session) {
    let mechanisms = session.server.directory.mechanisms(&login::context(session));
    let settings = session.server.directory.settings();
    let mut list =
        String::from("TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nUTF8 USER\r\nLANG\r\n");
    // Writing to a string can't fail.
    let _ = match settings.number("pop3.expire-days") {
        0 => write!(list, "EXPIRE NEVER\r\n"),
        days => write!(list, "EXPIRE {days}\r\n"),
    };
    let _ = write!(list, "LOGIN-DELAY {}\r\n", settings.number("pop3.login-delay"));
    if session.conn.is_secure() && session.server.directory.offers("PLAIN") {
        list.push_str("USER\r\n");
    }
    if !mechanisms.is_empty() {
        let _ = write!(list, "SASL {}\r\n", mechanisms.join(" "));
    }
    if session.conn.can_start_tls() && session.maildrop.is_none() && !session.utf8 {
        list.push_str("STLS\r\n");
    }
    let implementation = settings.text("pop3.implementation");
    if !implementation.is_empty() {
        let _ = write!(list, "IMPLEMENTATION {implementation}\r\n");
    }
    session.ok(replies::CAPABILITIES);
    session.raw(&list);
    session.raw(".\r\n");
}
