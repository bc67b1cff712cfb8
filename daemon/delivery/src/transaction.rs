//! One session with another host: greeting, TLS, login, and a transaction for the recipients (RFC 5321 §3).

use std::fmt::Write;

use queue::{Envelope, Recipient};
use tls::Trust;
use wire::smtp::data::Stuffer;
use wire::smtp::reply::Reply;
use wire::smtp::xtext_encode;

use crate::client::{Client, ClientError, Offers};
use crate::remote::{Mail, Target};
use crate::verdict::{Verdict, refusal, replies};
use crate::{Inner, text};

/// Recipients of one transaction: every host must take as many (RFC 5321 §4.5.3.1.8).
const RECIPIENTS_MAX_COUNT: usize = 100;

/// How to log in to a smarthost.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// The host did not get as far as to decide on the message: another one may.
#[derive(Debug, Default)]
pub(crate) struct Failure {
    pub(crate) reason: String,
    /// Other messages need not try it now.
    pub(crate) host_is_down: bool,
    /// No other host need be tried.
    pub(crate) final_verdict: Option<Verdict>,
}

impl Failure {
    fn down(error: &dyn std::fmt::Display) -> Self {
        Self {
            reason: error.to_string(),
            host_is_down: true,
            final_verdict: None,
        }
    }

    fn refused(reply: &Reply) -> Self {
        Self {
            reason: reply.to_string(),
            host_is_down: false,
            final_verdict: None,
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::down(&error)
    }
}

/// Delivers to one host; what became of each recipient.
pub(crate) async fn attempt(
    inner: &Inner,
    mail: &Mail,
    target: &Target,
    indices: &[u32],
) -> Result<Vec<(u32, Verdict)>, Failure> {
    let (mut client, offers) = session(inner, target).await?;
    let mut out: Vec<(u32, Verdict)> = Vec::new();
    for chunk in indices.chunks(RECIPIENTS_MAX_COUNT) {
        match transaction(inner, &mut client, &offers, mail, target, chunk).await {
            Ok(found) => out.extend(found),
            // What the first transactions did stands.
            Err(error) if !out.is_empty() => {
                let reply = format!("451 4.4.2 {}: {error}", target.host);
                let put_off = Verdict::PutOff {
                    host: Some(target.host.clone()),
                    reply,
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
    client.quit().await;
    Ok(out)
}

/// Greeting, TLS if it is offered, login if there is one.
async fn session(inner: &Inner, target: &Target) -> Result<(Client, Offers), Failure> {
    let (client, offers) = greet(inner, target).await?;
    let loopback = target.address.ip().is_loopback();
    let must = target.login.is_some() && !loopback;
    let (mut client, offers) = if offers.starttls {
        match secure(inner, client, target, must).await {
            Ok(session) => session,
            // RFC 7435: encryption that fails is no reason to keep the mail, unless a password is to be sent.
            Err(_) if !must => greet(inner, target).await?,
            Err(failure) => return Err(failure),
        }
    } else {
        (client, offers)
    };
    if let Some(login) = &target.login {
        if must && !client.is_tls() {
            return Err(Failure {
                reason: "530 5.7.10 no TLS, so no password is sent".to_owned(),
                ..Failure::default()
            });
        }
        log_in(&mut client, &offers, login).await?;
    }
    Ok((client, offers))
}

async fn greet(inner: &Inner, target: &Target) -> Result<(Client, Offers), Failure> {
    let timeouts = inner.parts.timeouts;
    let mut client = Client::connect(target.address, timeouts).await?;
    let greeting = client.reply(timeouts.greeting).await?;
    if !greeting.is_positive() {
        return Err(Failure::refused(&greeting));
    }
    let settings = inner.parts.directory.settings();
    let own = settings.text("server.hostname");
    let (hello, offers) = client.hello(own).await?;
    if !hello.is_positive() {
        return Err(Failure::refused(&hello));
    }
    let name = hello
        .lines
        .first()
        .and_then(|line| line.split(' ').next())
        .unwrap_or_default();
    if own != "localhost" && name.eq_ignore_ascii_case(own) {
        return Err(Failure {
            reason: "the host is this server".to_owned(),
            host_is_down: false,
            final_verdict: Some(Verdict::failed(replies::LOOP)),
        });
    }
    Ok((client, offers))
}

async fn secure(
    inner: &Inner,
    mut client: Client,
    target: &Target,
    verified: bool,
) -> Result<(Client, Offers), Failure> {
    let reply = client.command("STARTTLS").await?;
    if !reply.is_positive() {
        return Err(Failure::refused(&reply));
    }
    let tls = inner.parts.tls.clone();
    let trust = if verified {
        Trust::Verified
    } else {
        Trust::Opportunistic
    };
    let config = tokio::task::spawn_blocking(move || tls.client_config(trust)).await;
    let config = config
        .map_err(|error| Failure::down(&error))?
        .map_err(|error| Failure::down(&error))?;
    let mut client = client.start_tls(config, &target.host).await?;
    let settings = inner.parts.directory.settings();
    let (hello, offers) = client.hello(settings.text("server.hostname")).await?;
    if !hello.is_positive() {
        return Err(Failure::refused(&hello));
    }
    Ok((client, offers))
}

/// RFC 4954 with PLAIN (RFC 4616) or LOGIN.
async fn log_in(client: &mut Client, offers: &Offers, login: &Login) -> Result<(), Failure> {
    let offered = |name: &str| offers.auth.iter().any(|mechanism| mechanism == name);
    let encode = |text: &str| wire::base64::encode(text.as_bytes());
    let reply = if offered("PLAIN") {
        client
            .command(&format!(
                "AUTH PLAIN {}",
                encode(&format!("\0{}\0{}", login.user, login.password))
            ))
            .await?
    } else if offered("LOGIN") {
        let mut reply = client.command("AUTH LOGIN").await?;
        for answer in [&login.user, &login.password] {
            if reply.is_intermediate() {
                reply = client.command(&encode(answer)).await?;
            }
        }
        reply
    } else {
        return Err(Failure {
            reason: "504 5.5.4 no login that we know is offered".to_owned(),
            ..Failure::default()
        });
    };
    // A wrong password is the administrator's to mend, not the sender's: never a bounce at once.
    if reply.is_positive() {
        Ok(())
    } else {
        Err(Failure::refused(&reply))
    }
}

async fn transaction(
    inner: &Inner,
    client: &mut Client,
    offers: &Offers,
    mail: &Mail,
    target: &Target,
    indices: &[u32],
) -> Result<Vec<(u32, Verdict)>, ClientError> {
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
    if let Some(verdict) = cannot(mail, offers, &recipients, &target.host) {
        return Ok(all(&verdict));
    }
    let limit = client.timeouts.command;
    let from = mail_command(mail, offers, &recipients);
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
    let mut out = Vec::new();
    let mut accepted = Vec::new();
    for ((index, _), command) in recipients.iter().zip(&to) {
        if !offers.pipelining {
            client.send(command.as_bytes(), limit).await?;
        }
        let reply = client.reply(limit).await?;
        if reply.is_positive() && sender.is_positive() {
            accepted.push(*index);
        } else {
            out.push((
                *index,
                refusal(&target.host, if sender.is_positive() { &reply } else { &sender }),
            ));
        }
    }
    if accepted.is_empty() && !offers.pipelining {
        client.command("RSET").await?;
        return Ok(out);
    }
    if !offers.pipelining {
        client.send(b"DATA\r\n", limit).await?;
    }
    let go = client.reply(client.timeouts.data_start).await?;
    let end = match (go.is_intermediate(), accepted.is_empty()) {
        (true, false) => {
            send_text(inner, client, mail).await?;
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
    let verdict = if end.is_positive() {
        Verdict::Relayed {
            host: target.host.clone(),
            reply: end.to_string(),
            dsn: offers.dsn,
        }
    } else {
        refusal(&target.host, &end)
    };
    out.extend(accepted.into_iter().map(|index| (index, verdict.clone())));
    Ok(out)
}

/// Why the message can't go to a host that offers no more than that.
fn cannot(mail: &Mail, offers: &Offers, recipients: &[(u32, &Recipient)], host: &str) -> Option<Verdict> {
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
    // RFC 1870 §6.1
    if offers.size.is_some_and(|size| mail.len() > size) {
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

fn mail_command(mail: &Mail, offers: &Offers, recipients: &[(u32, &Recipient)]) -> String {
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
        let _ = write!(out, " SIZE={}", mail.len());
    }
    if *eight_bit && offers.eight_bit {
        out.push_str(" BODY=8BITMIME");
    }
    if needs_utf8(mail, recipients) && offers.utf8 {
        out.push_str(" SMTPUTF8");
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

async fn send_text(inner: &Inner, client: &mut Client, mail: &Mail) -> Result<(), ClientError> {
    let limit = client.timeouts.data_block;
    let mut stuffer = Stuffer::new();
    let mut at = mail.skip;
    let mut out = Vec::new();
    stuffer.feed(&mail.top, &mut out);
    loop {
        let piece = text::piece(&inner.parts.disk, &mail.text, at, text::PIECE_BYTES).await?;
        if piece.is_empty() {
            break;
        }
        at += piece.len() as u64;
        stuffer.feed(&piece, &mut out);
        client.send(&out, limit).await?;
        out.clear();
    }
    stuffer.finish(&mut out);
    client.send(&out, limit).await
}
