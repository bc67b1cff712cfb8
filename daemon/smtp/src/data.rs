//! DATA (RFC 5321 §4.1.1.4): the text up to CRLF "." CRLF, and nothing that only looks like it.

use bytes::Buf;
use net::ConnError;
use wire::smtp::Unstuffer;

use crate::limits::OVERRUN_MAX_BYTES;
use crate::session::{Next, Session};
use crate::text::{Pace, Text};
use crate::{replies, submit};

pub(crate) async fn data(session: &mut Session) -> Result<Next, ConnError> {
    session.conn.session().set_state("DATA");
    let refusal = match &session.transaction {
        None => Some(replies::NEEDS_MAIL),
        Some(transaction) if transaction.chunks.is_some() => Some(replies::IN_CHUNKS),
        Some(transaction) if transaction.binary => Some(replies::NEEDS_CHUNKS),
        Some(transaction) if transaction.envelope.recipients.is_empty() => Some(replies::NEEDS_RCPT),
        Some(_) => None,
    };
    if let Some(reply) = refusal {
        session.refuse(reply);
        return Ok(Next::Go);
    }
    let Some(mut transaction) = session.transaction.take() else {
        return Ok(Next::Go);
    };
    let mut text = Text::begin(session, &mut transaction);
    session.reply(replies::GO_AHEAD);
    let mut unstuffer = Unstuffer::new();
    let mut pace = Pace::new(session.limits.timeout);
    loop {
        let input = session.conn.input();
        let fed = unstuffer.feed(input, text.buffer());
        input.advance(fed.consumed);
        pace.came(fed.consumed);
        if let Some(fault) = unstuffer.fault() {
            text.fault(fault);
        }
        text.absorb().await;
        if fed.ended {
            break;
        }
        if pace.bytes() > session.limits.message_max_bytes.saturating_add(OVERRUN_MAX_BYTES) {
            session.refuse(replies::TOO_LARGE);
            return Ok(Next::Close);
        }
        session.conn.fill(pace.limit()?).await?;
    }
    Ok(submit::submit(session, transaction.envelope, text).await)
}
