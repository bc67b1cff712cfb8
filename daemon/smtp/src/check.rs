//! Checks of senders on port 25: who is checked, SPF beside the session, and the field with the results.
//!
//! SPF is asked about while the recipients and the text come. The header is read and the body hashed as it streams; keys and policies are asked
//! for once the text is complete, until a limit in all. The field goes on top of a text that may lie in a file by then, which is
//! [`queue::Intake::finish_under`]'s business. Those who logged in, LMTP and own networks are not checked and pay nothing.

use std::fmt::Write;
use std::time::Duration;

use authenticity::{Reading, Results, Spf, sender_policy};
use dns::Dns;
use events::MessageId;
use events::kinds::smtp::SenderChecked;
use shared::Address;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::Role;
use crate::session::Session;

/// What is being found out about one message.
pub(crate) struct Check {
    dns: Dns,
    server: Box<str>,
    timeout: Duration,
    spf: Pending,
    reading: Option<Reading>,
    /// What goes on top besides the results.
    top: Vec<u8>,
}

/// Ends with the transaction.
struct Pending(JoinHandle<Spf>);

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Begins to find out about a sender, if this peer's are checked.
pub(crate) fn begin(session: &Session, sender: Option<&Address>) -> Option<Box<Check>> {
    let limits = &session.limits;
    let dns = &session.server.checks.as_ref()?.dns;
    if !limits.sender_checks || session.role != Role::Mx || session.account.is_some() {
        return None;
    }
    let peer = session.conn.peer().ip().to_canonical();
    let exempt = match &session.server.policy {
        Some(policy) => policy.is_exempt(peer),
        None => peer.is_loopback(),
    };
    if exempt && !limits.sender_checks_own {
        return None;
    }
    let deadline = Instant::now() + limits.sender_checks_timeout;
    let (resolver, sender) = (dns.clone(), sender.cloned());
    let helo = session
        .greeting
        .as_ref()
        .map_or_else(String::new, |greeting| greeting.name.to_string());
    let spf =
        tokio::spawn(async move { sender_policy(&resolver, peer, &helo, sender.as_ref(), deadline).await });
    Some(Box::new(Check {
        dns: dns.clone(),
        server: limits.hostname.clone(),
        timeout: limits.sender_checks_timeout,
        spf: Pending(spf),
        reading: None,
        top: Vec::new(),
    }))
}

impl Check {
    /// The header and what came with it; `top` is what goes above, with Return-Path in its first line.
    pub(crate) fn read(&mut self, text: &[u8], top: Vec<u8>) {
        self.reading = Some(Reading::new(text, &self.server));
        self.top = top;
    }

    /// More of the body.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if let Some(reading) = &mut self.reading {
            reading.feed(bytes);
        }
    }

    /// All that goes on top, and what was found out.
    pub(crate) async fn finish(mut self: Box<Self>) -> (Vec<u8>, Results) {
        // A panic leaves it without a result.
        let spf = (&mut self.spf.0).await.unwrap_or_default();
        let deadline = Instant::now() + self.timeout;
        let results = match self.reading.take() {
            Some(reading) => reading.finish(&self.dns, spf, deadline).await,
            None => Results::default(),
        };
        // RFC 8601 §4.1: above the trace of this server, so that nothing that came stands above it. Return-Path is the first line
        // (RFC 5321 §4.4).
        let first = memchr::memmem::find(&self.top, b"\r\n").map_or(0, |at| at + 2);
        let mut top = std::mem::take(&mut self.top);
        let trace = top.split_off(first);
        top.extend_from_slice(results.field(&self.server).as_bytes());
        top.extend_from_slice(&trace);
        (top, results)
    }
}

/// Tells the log what was found out.
pub(crate) fn tell(session: &Session, message: MessageId, results: &Results) {
    let mut dkim = String::new();
    for signature in &results.dkim {
        let separator = if dkim.is_empty() { "" } else { ", " };
        let domain = signature.domain.as_ref().map_or("?", |domain| domain.as_str());
        // Writing to a text in memory can't fail.
        let _ = write!(dkim, "{separator}{} ({domain})", signature.result.name());
    }
    if dkim.is_empty() {
        dkim.push_str("none");
    }
    if let Some(checks) = &session.server.checks {
        (checks.told)(results, session.conn.peer().ip());
    }
    let handle = session.conn.session();
    handle.events().emit(
        handle.scope().with_message(message),
        SenderChecked {
            sender: results
                .spf
                .sender
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            spf: results.spf.result.name().to_owned(),
            dkim,
            dmarc: results.dmarc.result.name().to_owned(),
            arc: results.arc.result.name().to_owned(),
        },
    );
}
