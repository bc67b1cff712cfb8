//! What the server puts on top of a text: Return-Path and Received (RFC 5321 §4.4), and for a user's message what is missing
//! (RFC 6409 §8). Fields that came are never touched.

use std::fmt::Write;

use queue::Envelope;
use wire::message::date::Date;

use crate::Role;
use crate::session::Session;

/// Return-Path in the first line, Received in the next ones.
pub(crate) fn fields(session: &Session, envelope: &Envelope) -> Vec<u8> {
    let mut out = String::with_capacity(320);
    // Writing to a text in memory can't fail, here and below.
    match &envelope.sender {
        Some(sender) => {
            let _ = write!(out, "Return-Path: <{sender}>\r\n");
        }
        None => out.push_str("Return-Path: <>\r\n"),
    }
    let _ = write!(
        out,
        "Received: from {} ({})\r\n\tby {} with {} id {}",
        Name(session.greeting.as_ref().map_or("", |greeting| &greeting.name)),
        Literal(session.conn.peer().ip().to_canonical()),
        session.limits.hostname,
        protocol(session, envelope.smtputf8),
        transaction_id(session),
    );
    // With more than one the field would tell each recipient of the others.
    if let [only] = envelope.recipients.as_slice() {
        let _ = write!(out, "\r\n\tfor <{}>", only.address);
    }
    let _ = write!(out, ";\r\n\t{}\r\n", Date::utc(envelope.received).rfc5322());
    out.into_bytes()
}

/// Date and Message-ID, each as a whole field.
pub(crate) fn missing(session: &Session, envelope: &Envelope) -> (String, String) {
    let date = format!("Date: {}\r\n", Date::utc(envelope.received).rfc5322());
    let hostname = &session.limits.hostname;
    let id = format!(
        "Message-ID: <{:x}.{}@{hostname}>\r\n",
        envelope.received,
        transaction_id(session)
    );
    (date, id)
}

/// Unique within a run: the session's number and the transaction's. The queue's id is not known before the text is complete.
fn transaction_id(session: &Session) -> impl std::fmt::Display {
    format!("{:x}.{}", session.conn.session().id().0, session.transactions)
}

/// RFC 3848, RFC 6531 §4.3.
fn protocol(session: &Session, smtputf8: bool) -> &'static str {
    let lmtp = session.role == Role::Lmtp;
    let extended = session
        .greeting
        .as_ref()
        .is_some_and(|greeting| greeting.extended);
    match (lmtp, smtputf8, session.conn.is_tls(), session.account.is_some()) {
        (true, false, false, _) => "LMTP",
        (true, false, true, _) => "LMTPS",
        (true, true, false, _) => "UTF8LMTP",
        (true, true, true, _) => "UTF8LMTPS",
        (false, true, false, false) => "UTF8SMTP",
        (false, true, false, true) => "UTF8SMTPA",
        (false, true, true, false) => "UTF8SMTPS",
        (false, true, true, true) => "UTF8SMTPSA",
        (false, false, false, false) if !extended => "SMTP",
        (false, false, false, false) => "ESMTP",
        (false, false, false, true) => "ESMTPA",
        (false, false, true, false) => "ESMTPS",
        (false, false, true, true) => "ESMTPSA",
    }
}

/// What the client calls itself, with nothing in it that would mean something in a header field.
struct Name<'a>(&'a str);

impl std::fmt::Display for Name<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const NAME_MAX_CHARS: usize = 255;
        for c in self.0.chars().take(NAME_MAX_CHARS) {
            let plain = c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
            out.write_char(if plain { c } else { '?' })?;
        }
        Ok(())
    }
}

/// RFC 5321 §4.1.3
struct Literal(std::net::IpAddr);

impl std::fmt::Display for Literal {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            std::net::IpAddr::V4(address) => write!(out, "[{address}]"),
            std::net::IpAddr::V6(address) => write!(out, "[IPv6:{address}]"),
        }
    }
}
