//! BDAT (RFC 3030 §2): the text in chunks of a stated size.
//!
//! A chunk is read to its end whatever becomes of it, so that no byte of it is ever taken for a command.

use bytes::Buf;
use net::ConnError;

use crate::limits::OVERRUN_MAX_BYTES;
use crate::session::{Next, Session};
use crate::text::{Pace, Text};
use crate::{replies, submit};

pub(crate) async fn bdat(session: &mut Session, size: u64, last: bool) -> Result<Next, ConnError> {
    session.conn.session().set_state("BDAT");
    if size > session.limits.message_max_bytes.saturating_add(OVERRUN_MAX_BYTES) {
        session.refuse(replies::TOO_LARGE);
        return Ok(Next::Close);
    }
    let refusal = match &session.transaction {
        None => Some(replies::NEEDS_MAIL),
        Some(transaction) if transaction.envelope.recipients.is_empty() => Some(replies::NEEDS_RCPT),
        Some(_) => None,
    };
    if let Some(reply) = refusal {
        read(session, size, None).await?;
        session.refuse(reply);
        return Ok(Next::Go);
    }
    let Some(mut transaction) = session.transaction.take() else {
        return Ok(Next::Go);
    };
    let mut text = match transaction.chunks.take() {
        Some(text) => text,
        None => Text::begin(session, &mut transaction),
    };
    read(session, size, Some(&mut text)).await?;
    if last {
        return Ok(submit::submit(session, transaction.envelope, text).await);
    }
    // RFC 3030 §2: after a chunk was refused the transaction is over; the chunks that are on their way find none.
    if let Some(reply) = text.refusal() {
        session.refuse(reply);
        return Ok(Next::Go);
    }
    transaction.chunks = Some(text);
    session.transaction = Some(transaction);
    session.reply(replies::CHUNK_OK);
    Ok(Next::Go)
}

/// Reads a chunk into a text, or away.
async fn read(session: &mut Session, size: u64, mut text: Option<&mut Text>) -> Result<(), ConnError> {
    let mut left = size;
    let mut pace = Pace::new(session.limits.timeout);
    while left > 0 {
        if session.conn.input().is_empty() {
            session.conn.fill(pace.limit()?).await?;
        }
        let input = session.conn.input();
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        if let Some(text) = &mut text {
            text.take_raw(input.get(..take).unwrap_or_default());
            input.advance(take);
            text.absorb().await;
        } else {
            input.advance(take);
        }
        pace.came(take);
        left -= take as u64;
    }
    Ok(())
}
