//! EHLO and HELO (RFC 5321 §4.1.1.1), LHLO (RFC 2033 §4.1): who the client is and what the server can.

use std::fmt::Write;

use crate::session::{Greeting, Session};
use crate::{Role, auth, replies};

pub(crate) fn ehlo(session: &mut Session, name: &str) {
    if session.role == Role::Lmtp {
        return session.refuse(replies::WRONG_PROTOCOL);
    }
    extended(session, name);
}

pub(crate) fn lhlo(session: &mut Session, name: &str) {
    if session.role != Role::Lmtp {
        return session.refuse(replies::WRONG_PROTOCOL);
    }
    extended(session, name);
}

pub(crate) fn helo(session: &mut Session, name: &str) {
    if session.role == Role::Lmtp {
        return session.refuse(replies::WRONG_PROTOCOL);
    }
    greet(session, name, false);
    let limits = session.limits.clone();
    // Writing to a buffer in memory can't fail, here and below.
    let _ = write!(session.conn.output(), "250 {}\r\n", limits.hostname);
}

fn extended(session: &mut Session, name: &str) {
    greet(session, name, true);
    let limits = session.limits.clone();
    let start_tls = session.conn.can_start_tls();
    let tls = session.conn.is_tls() && session.role != Role::Lmtp;
    let mechanisms = if session.role == Role::Lmtp || session.account.is_some() {
        Vec::new()
    } else {
        session.server.directory.mechanisms(&auth::context(session))
    };
    let out = session.conn.output();
    let _ = write!(
        out,
        "250-{}\r\n250-PIPELINING\r\n250-SIZE {}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250-DSN\r\n\
         250-LIMITS RCPTMAX={}\r\n",
        limits.hostname, limits.message_max_bytes, limits.recipients_max
    );
    if tls {
        // RFC 8689 §4: only where TLS is on.
        out.extend_from_slice(b"250-REQUIRETLS\r\n");
    }
    if start_tls {
        out.extend_from_slice(b"250-STARTTLS\r\n");
    }
    if !mechanisms.is_empty() {
        let _ = write!(out, "250-AUTH {}\r\n", mechanisms.join(" "));
    }
    out.extend_from_slice(b"250 ENHANCEDSTATUSCODES\r\n");
}

/// A greeting is a RSET too (RFC 5321 §4.1.4).
fn greet(session: &mut Session, name: &str, extended: bool) {
    session.transaction = None;
    session.limits = session.server.limits();
    session.greeting = Some(Greeting {
        name: name.into(),
        extended,
    });
}
