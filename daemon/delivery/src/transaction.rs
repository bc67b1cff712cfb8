//! A transaction for the recipients with one host (RFC 5321 §3), over a connection that was kept or a new one.
//!
//! Each answer has the time that RFC 5321 §4.5.3.2 gives it, and all together have a time as well, in three parts: a host that answers just
//! in time, again and again, would else hold its place among those that leave for days. What is over the time is put off; what the host
//! has taken stands.

use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use queue::{Envelope, Recipient};
use tokio::time::{Instant, timeout_at};
use wire::smtp::data::Stuffer;
use wire::smtp::reply::Reply;
use wire::smtp::xtext_encode;

use crate::client::{Client, ClientError, Offers};
use crate::pool::Pool;
use crate::remote::{Mail, Target};
use crate::session::{self, Failure, Session};
use crate::seven_bit::{self, Form};
use crate::verdict::{Verdict, refusal, replies};
use crate::{Inner, text};

/// Recipients of one transaction: every host must take as many (RFC 5321 §4.5.3.1.8).
const RECIPIENTS_MAX_COUNT: usize = 100;

/// An attempt with one host, without texts and the answers to them.
const ATTEMPT_MAX: Duration = Duration::from_hours(1);
/// What of that is kept for DATA: no more recipients are named then, so that those who were taken get the text.
const ATTEMPT_RESERVE: Duration = Duration::from_mins(10);
/// A text, and as much more as its length takes at the rate below.
const TEXT_MAX: Duration = Duration::from_mins(10);
const TEXT_MIN_BYTES_PER_S: u64 = 4096;
/// All answers to a text: LMTP gives one for each recipient. Far above the limit of one: who does not wait for that sends the message
/// twice (RFC 5321 §4.5.3.2.6).
const ANSWERS_MAX: Duration = Duration::from_hours(1);

/// How to log in to a host.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// Says nothing of the password.
impl fmt::Debug for Login {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Login")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// A message, and how this host gets it.
#[derive(Clone, Copy)]
struct Outgoing<'a> {
    mail: &'a Mail,
    form: &'a Form,
}

/// Delivers to one host; what became of each recipient.
pub(crate) async fn attempt(
    inner: &Arc<Inner>,
    mail: &Mail,
    target: &Target,
    indices: &[u32],
) -> Result<Vec<(u32, Verdict)>, Failure> {
    let deadline = Instant::now() + ATTEMPT_MAX;
    let mut session = timeout_at(deadline, connected(inner, target))
        .await
        .unwrap_or_else(|_| Err(ClientError::TooSlow.into()))?;
    // RFC 8689 §4.2.1
    if mail.envelope.require_tls && !session.offers.require_tls {
        part(inner, target, session);
        return Err(Failure {
            reason: replies::NO_REQUIRETLS.to_owned(),
            lacks_require_tls: true,
            ..Failure::default()
        });
    }
    let mut out: Vec<(u32, Verdict)> = Vec::new();
    for chunk in indices.chunks(RECIPIENTS_MAX_COUNT) {
        session.messages += 1;
        session.client.done_by(Some(deadline));
        match transaction(inner, &mut session, mail, target, chunk).await {
            Ok(found) => out.extend(found),
            // What the first transactions did stands. A text that can't be read is no fault of the host, and another host changes nothing.
            Err(error) if !out.is_empty() || matches!(error, ClientError::Text(_)) => {
                let put_off = match &error {
                    ClientError::Text(_) => Verdict::put_off(replies::QUEUE),
                    error => no_time(target, error),
                };
                let done: Vec<u32> = out.iter().map(|(index, _)| *index).collect();
                out.extend(
                    indices
                        .iter()
                        .filter(|i| !done.contains(i))
                        .map(|i| (*i, put_off.clone())),
                );
                return Ok(out);
            }
            Err(error) => {
                return Err(Failure {
                    host_is_down: false,
                    ..Failure::down(&error)
                });
            }
        }
    }
    part(inner, target, session);
    Ok(out)
}

/// A connection that was kept, if it is still there, or a new one.
async fn connected(inner: &Arc<Inner>, target: &Target) -> Result<Session, Failure> {
    if let Some(mut session) = inner.pool.take(&target.key())
        && session.client.reset().await
    {
        return Ok(session);
    }
    session::open(inner, target).await
}

/// Keeps the connection for the next message, or says good-bye; nobody waits for either.
fn part(inner: &Arc<Inner>, target: &Target, mut session: Session) {
    session.client.done_by(None);
    let settings = inner.parts.directory.settings();
    let spent = session.messages >= settings.number("outgoing.keep-messages");
    if session.client.is_given_up() || spent {
        inner.spawn(session.client.quit());
        return;
    }
    let life = Duration::from_secs(settings.number("outgoing.keep-time"));
    Pool::keep(inner, target.key(), session, life);
}

async fn transaction(
    inner: &Inner,
    session: &mut Session,
    mail: &Mail,
    target: &Target,
    indices: &[u32],
) -> Result<Vec<(u32, Verdict)>, ClientError> {
    let Session { client, offers, .. } = session;
    let offers = &*offers;
    let recipients: Vec<(u32, &Recipient)> = indices
        .iter()
        .filter_map(|index| Some((*index, mail.envelope.recipients.get(*index as usize)?)))
        .collect();
    let all = |verdict: &Verdict| {
        recipients
            .iter()
            .map(|(index, _)| (*index, verdict.clone()))
            .collect()
    };
    let form = if offers.takes_eight_bit() {
        &Form::AsItIs
    } else {
        match seven_bit::form(inner, mail).await {
            Ok(form) => form,
            // The disk or the keys, not the host, and another host changes nothing.
            Err(_) => return Ok(all(&Verdict::put_off(replies::QUEUE))),
        }
    };
    let outgoing = Outgoing { mail, form };
    if let Some(verdict) = cannot(outgoing, offers, &recipients, &target.host) {
        return Ok(all(&verdict));
    }
    form.tell(inner, mail, &target.host);
    let limit = client.timeouts.command;
    let from = mail_command(outgoing, offers, &recipients);
    let to: Vec<String> = recipients
        .iter()
        .map(|(_, recipient)| rcpt_command(recipient, offers))
        .collect();
    if offers.pipelining {
        // RFC 2920 §3.1: DATA may end a group, its text may not follow before the reply.
        client
            .send(format!("{from}{}DATA\r\n", to.concat()).as_bytes(), limit)
            .await?;
    } else {
        client.send(from.as_bytes(), limit).await?;
    }
    let sender = client.reply(limit).await?;
    if !sender.is_positive() && !offers.pipelining {
        client.command("RSET").await?;
        return Ok(all(&refusal(&target.host, &sender)));
    }
    let (mut out, accepted) = named(client, offers, target, &sender, (&recipients, &to)).await?;
    if accepted.is_empty() && !offers.pipelining {
        client.command("RSET").await?;
        return Ok(out);
    }
    if !offers.pipelining {
        client.send(b"DATA\r\n", limit).await?;
    }
    let go = client.reply(client.timeouts.data_start).await?;
    if go.is_positive() {
        // RFC 5321 §4.3.2: 354 or a refusal. This answers something else, so nothing was taken.
        if accepted.is_empty() {
            client.give_up();
            return Ok(out);
        }
        return Err(ClientError::OutOfStep(go));
    }
    if client.lmtp && go.is_intermediate() {
        return each_answer(inner, client, offers, outgoing, target, (out, &accepted)).await;
    }
    let end = match (go.is_intermediate(), accepted.is_empty()) {
        (true, false) => {
            send_text(inner, client, outgoing).await?;
            client.reply(client.timeouts.data_end).await?
        }
        (true, true) if !sender.is_positive() => {
            // It goes on as if it had not refused the sender: whatever is sent now could become a message.
            client.give_up();
            return Ok(out);
        }
        (true, true) => {
            // RFC 2920 §3.1: it said yes to a text for nobody.
            client.send(b".\r\n", limit).await?;
            client.reply(client.timeouts.data_end).await?
        }
        (false, _) => go,
    };
    let verdict = taken(target, offers, &end);
    out.extend(accepted.into_iter().map(|index| (index, verdict.clone())));
    Ok(out)
}

/// The answers to the recipients' RCPT: verdicts on those who were not taken, and who was.
async fn named(
    client: &mut Client,
    offers: &Offers,
    target: &Target,
    sender: &Reply,
    (recipients, commands): (&[(u32, &Recipient)], &[String]),
) -> Result<(Vec<(u32, Verdict)>, Vec<u32>), ClientError> {
    let limit = client.timeouts.command;
    let (mut out, mut accepted) = (Vec::new(), Vec::new());
    for ((index, _), command) in recipients.iter().zip(commands) {
        if !offers.pipelining {
            if !accepted.is_empty() && client.left().is_some_and(|left| left < ATTEMPT_RESERVE) {
                out.push((*index, no_time(target, &ClientError::TooSlow)));
                continue;
            }
            client.send(command.as_bytes(), limit).await?;
        }
        let reply = client.reply(limit).await?;
        if reply.is_positive() && sender.is_positive() {
            accepted.push(*index);
        } else {
            let refused = if sender.is_positive() { &reply } else { sender };
            out.push((*index, refusal(&target.host, refused)));
        }
    }
    Ok((out, accepted))
}

/// The session ended before it was this one's turn.
fn no_time(target: &Target, error: &ClientError) -> Verdict {
    Verdict::PutOff {
        host: Some(target.host.clone()),
        reply: format!("451 4.4.2 {}: {error}", target.host),
    }
}

/// LMTP: after the text, an answer for each recipient that was taken (RFC 2033 §4.2).
async fn each_answer(
    inner: &Inner,
    client: &mut Client,
    offers: &Offers,
    outgoing: Outgoing<'_>,
    target: &Target,
    (mut out, accepted): (Vec<(u32, Verdict)>, &[u32]),
) -> Result<Vec<(u32, Verdict)>, ClientError> {
    if accepted.is_empty() {
        // It should have said 503: what it would answer to a text for nobody is anybody's guess.
        client.give_up();
        return Ok(out);
    }
    send_text(inner, client, outgoing).await?;
    for (at, index) in accepted.iter().enumerate() {
        match client.reply(client.timeouts.data_end).await {
            Ok(end) => out.push((*index, taken(target, offers, &end))),
            Err(error) if at == 0 => return Err(error),
            // What was answered for the first of them stands.
            Err(error) => {
                client.give_up();
                let put_off = no_time(target, &error);
                let rest = accepted.iter().skip(at);
                out.extend(rest.map(|index| (*index, put_off.clone())));
                break;
            }
        }
    }
    Ok(out)
}

/// The answer to a text.
fn taken(target: &Target, offers: &Offers, end: &Reply) -> Verdict {
    if !end.is_positive() {
        return refusal(&target.host, end);
    }
    Verdict::Relayed {
        host: target.host.clone(),
        reply: end.to_string(),
        dsn: offers.dsn,
    }
}

/// Why the message can't go to a host that offers no more than that.
fn cannot(
    Outgoing { mail, form }: Outgoing<'_>,
    offers: &Offers,
    recipients: &[(u32, &Recipient)],
    host: &str,
) -> Option<Verdict> {
    let failed = |reply: &str| {
        Some(Verdict::Failed {
            host: Some(host.to_owned()),
            reply: reply.to_owned(),
        })
    };
    // RFC 6531 §3.2
    if needs_utf8(mail, recipients) && !offers.utf8 {
        return failed(replies::NO_UTF8);
    }
    // RFC 6152 §3
    if matches!(form, Form::Impossible) {
        return failed(replies::NO_EIGHT_BIT);
    }
    // RFC 1870 §6.1
    if offers.size.is_some_and(|size| form.len(mail) > size) {
        return failed(replies::TOO_LARGE);
    }
    None
}

fn needs_utf8(mail: &Mail, recipients: &[(u32, &Recipient)]) -> bool {
    let address = mail
        .envelope
        .sender
        .as_ref()
        .is_some_and(|sender| !sender.is_ascii())
        || recipients
            .iter()
            .any(|(_, recipient)| !recipient.address.is_ascii());
    address || (mail.envelope.smtputf8 && !mail.header_is_ascii)
}

fn mail_command(
    Outgoing { mail, form }: Outgoing<'_>,
    offers: &Offers,
    recipients: &[(u32, &Recipient)],
) -> String {
    let Envelope {
        sender,
        eight_bit,
        return_full,
        envelope_id,
        ..
    } = mail.envelope.as_ref();
    let mut out = String::from("MAIL FROM:<");
    // Writing to a text in memory can't fail, here and below.
    if let Some(sender) = sender {
        let _ = write!(out, "{sender}");
    }
    out.push('>');
    if offers.size.is_some() {
        let _ = write!(out, " SIZE={}", form.len(mail));
    }
    if *eight_bit && offers.eight_bit {
        out.push_str(" BODY=8BITMIME");
    }
    if needs_utf8(mail, recipients) && offers.utf8 {
        out.push_str(" SMTPUTF8");
    }
    if mail.envelope.require_tls && offers.require_tls {
        out.push_str(" REQUIRETLS");
    }
    if offers.dsn {
        match return_full {
            Some(true) => out.push_str(" RET=FULL"),
            Some(false) => out.push_str(" RET=HDRS"),
            None => {}
        }
        if let Some(id) = envelope_id {
            let _ = write!(out, " ENVID={}", xtext_encode(id));
        }
    }
    out.push_str("\r\n");
    out
}

fn rcpt_command(recipient: &Recipient, offers: &Offers) -> String {
    let mut out = format!("RCPT TO:<{}>", recipient.address);
    if offers.dsn {
        if let Some(notify) = recipient.notify {
            let words = [
                (notify.success, "SUCCESS"),
                (notify.failure, "FAILURE"),
                (notify.delay, "DELAY"),
            ];
            let words: Vec<&str> = words
                .iter()
                .filter(|(wanted, _)| *wanted)
                .map(|(_, word)| *word)
                .collect();
            let _ = write!(
                out,
                " NOTIFY={}",
                if words.is_empty() {
                    "NEVER".to_owned()
                } else {
                    words.join(",")
                }
            );
        }
        // Kept as it came, in xtext.
        if let Some(original) = &recipient.original {
            let _ = write!(out, " ORCPT={original}");
        }
    }
    out.push_str("\r\n");
    out
}

async fn send_text(
    inner: &Inner,
    client: &mut Client,
    Outgoing { mail, form }: Outgoing<'_>,
) -> Result<(), ClientError> {
    let limit = client.timeouts.data_block;
    let by_length = Duration::from_secs(form.len(mail) / TEXT_MIN_BYTES_PER_S);
    client.done_by(Some(Instant::now() + TEXT_MAX + by_length));
    let mut stuffer = Stuffer::new();
    let mut at = mail.skip;
    let mut out = Vec::new();
    let (top, mut converter) = match form {
        Form::Converted(converted) => (&converted.top, Some((converted.writer(), Vec::new()))),
        Form::AsItIs | Form::Impossible => (&mail.top, None),
    };
    stuffer.feed(top, &mut out);
    loop {
        let piece = text::piece(&inner.parts.disk, &mail.text, at, text::PIECE_BYTES).await;
        let piece = piece.map_err(ClientError::Text)?;
        if piece.is_empty() {
            break;
        }
        at += piece.len() as u64;
        match &mut converter {
            Some((writer, converted)) => {
                writer.feed(&piece, converted);
                stuffer.feed(converted, &mut out);
                converted.clear();
            }
            None => stuffer.feed(&piece, &mut out),
        }
        client.send(&out, limit).await?;
        out.clear();
    }
    if let Some((writer, mut converted)) = converter {
        writer.finish(&mut converted);
        stuffer.feed(&converted, &mut out);
    }
    stuffer.finish(&mut out);
    client.send(&out, limit).await?;
    client.done_by(Some(Instant::now() + ANSWERS_MAX));
    Ok(())
}
