//! The end of a transaction: the message becomes durable, and only then is it acknowledged.

use std::fmt::Write;

use events::MessageId;
use events::kinds::smtp::{MessageAccepted, SmugglingRefused};
use queue::{Committed, Envelope};

use crate::session::{Next, Session};
use crate::text::{Finished, Text};
use crate::{Role, check, judge, lmtp, replies};

/// Hands the message to the queue and answers: once, or in LMTP once for each recipient (RFC 2033 §4.2).
pub(crate) async fn submit(session: &mut Session, mut envelope: Envelope, text: Text) -> Next {
    let is_lmtp = session.role == Role::Lmtp;
    let answers = if is_lmtp { envelope.recipients.len() } else { 1 };
    let sender = envelope
        .sender
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    if text.is_smuggling() {
        let handle = session.conn.session();
        handle.events().emit(
            handle.scope(),
            SmugglingRefused {
                sender: sender.clone(),
            },
        );
    }
    let Finished { blob, bytes, results } = match text.finish().await {
        Ok(finished) => finished,
        Err(reply) => return refuse(session, sender, reply, answers),
    };
    if let Some(objection) = judge::message(session, &envelope, results.clone()) {
        return session.object("DATA", sender, objection);
    }
    let mut refusals = vec![None];
    if is_lmtp {
        refusals = lmtp::refusals(session, &envelope.recipients, bytes).await;
        for (recipient, reply) in envelope.recipients.iter().zip(&refusals) {
            if let Some(reply) = reply {
                session.tell_refused("DATA", recipient.address.to_string(), reply);
            }
        }
        let mut refused = refusals.iter().map(Option::is_some);
        envelope
            .recipients
            .retain(|_| !refused.next().unwrap_or_default());
        if envelope.recipients.is_empty() {
            // One fault of the client at most, whatever there are of recipients.
            let mut replies = refusals.into_iter().flatten();
            if let Some(first) = replies.next() {
                session.refuse(first);
            }
            replies.for_each(|reply| session.reply(reply));
            return Next::Go;
        }
    }
    let recipients = envelope.recipients.len() as u64;
    match session.server.queue.commit(envelope, blob).await {
        Ok(committed) => {
            let id = accept(session, &committed, &refusals);
            let handle = session.conn.session();
            handle.events().emit(
                handle.scope().with_message(id),
                MessageAccepted {
                    sender,
                    recipients,
                    size: bytes,
                },
            );
            if let Some(results) = results {
                check::tell(session, id, &results);
            }
        }
        Err(_) => return refuse(session, sender, replies::QUEUE_UNAVAILABLE, answers),
    }
    Next::Go
}

/// The only place where a message is acknowledged: nothing but the proof that it is durable leads here. An answer for each of `refusals`.
fn accept(session: &mut Session, committed: &Committed, refusals: &[Option<&'static str>]) -> MessageId {
    let id = MessageId(committed.id().0);
    session.earned();
    for refusal in refusals {
        match refusal {
            Some(reply) => session.reply(reply),
            // Writing to a buffer in memory can't fail.
            None => drop(write!(session.conn.output(), "250 2.0.0 Ok: queued as {id}\r\n")),
        }
    }
    id
}

fn refuse(session: &mut Session, sender: String, reply: &'static str, answers: usize) -> Next {
    session.refuse_told("DATA", sender, reply);
    for _ in 1..answers {
        session.reply(reply);
    }
    Next::Go
}
