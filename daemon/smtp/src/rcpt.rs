//! RCPT (RFC 5321 §4.1.1.3) with NOTIFY and ORCPT: who is here, and who may send elsewhere.

use std::borrow::Cow;

use directory::Resolution;
use events::kinds::security::RelayDenied;
use queue::{Notify, Recipient};
use shared::Address;
use wire::address::Path;
use wire::smtp::command::check_smtputf8;
use wire::smtp::{OriginalRecipient, RcptParams, xtext_encode};

use crate::session::{Next, Session};
use crate::{judge, replies};

pub(crate) async fn rcpt(session: &mut Session, path: &Path, params: RcptParams) -> Next {
    session.conn.session().set_state("RCPT");
    if let Some(reply) = out_of_place(session, path) {
        // Too many recipients are no error of the client's: it sends the rest with the next transaction.
        if reply == replies::TOO_MANY_RECIPIENTS {
            session.reply(&reply);
        } else {
            session.refuse(&reply);
        }
        return Next::Go;
    }
    let found = match (path, path.address()) {
        (_, Some(address)) => {
            if let Some(objection) = judge::recipient(session, &address) {
                return session.object("RCPT", path.to_string(), objection);
            }
            refusal(session, &address).await.map_or(Ok(address), Err)
        }
        (Path::Postmaster, None) => postmaster(session).await,
        (_, None) => Err(replies::NO_LITERAL),
    };
    let address = match found {
        Ok(address) => address,
        Err(reply) => {
            refuse(session, path, reply);
            return Next::Go;
        }
    };
    let recipient = Recipient {
        address,
        notify: params.notify.map(|wanted| Notify {
            success: wanted.success,
            failure: wanted.failure,
            delay: wanted.delay,
        }),
        original: params.orcpt.map(original),
    };
    if let Some(transaction) = &mut session.transaction {
        transaction.envelope.recipients.push(recipient);
    }
    session.reply(replies::RECIPIENT_OK);
    Next::Go
}

fn out_of_place(session: &Session, path: &Path) -> Option<Cow<'static, str>> {
    let Some(transaction) = &session.transaction else {
        return Some(replies::NEEDS_MAIL.into());
    };
    if transaction.chunks.is_some() {
        return Some(replies::IN_CHUNKS.into());
    }
    // RFC 5321 §4.5.3.1.10: the rest of the recipients may come with the next transaction.
    if transaction.envelope.recipients.len() >= session.limits.recipients_max {
        return Some(replies::TOO_MANY_RECIPIENTS.into());
    }
    let error = check_smtputf8(path, transaction.envelope.smtputf8).err()?;
    Some(
        String::from_utf8_lossy(&error.reply().to_bytes())
            .into_owned()
            .into(),
    )
}

fn refuse(session: &mut Session, path: &Path, reply: &'static str) {
    if reply == replies::NO_RELAY {
        let handle = session.conn.session();
        handle.events().emit(
            handle.scope(),
            RelayDenied {
                recipient: path.to_string(),
            },
        );
    }
    if reply == replies::UNKNOWN_USER {
        judge::unknown_recipient(session);
    }
    session.refuse_told("RCPT", path.to_string(), reply);
}

/// Never an open relay: what is not ours is taken from those who logged in, and from nobody else.
async fn refusal(session: &Session, address: &Address) -> Option<&'static str> {
    match session.server.directory.resolve(address).await {
        Ok(Resolution::Deliver { .. }) => None,
        Ok(Resolution::Unknown) => Some(replies::UNKNOWN_USER),
        Ok(Resolution::Disabled) => Some(replies::DISABLED_USER),
        Ok(Resolution::NotLocal) if session.account.is_some() => None,
        Ok(Resolution::NotLocal) => Some(replies::NO_RELAY),
        // Never a "no" because a database is down.
        Err(_) => Some(replies::DIRECTORY_UNAVAILABLE),
    }
}

/// The first of those who may be meant that is here.
async fn postmaster(session: &Session) -> Result<Address, &'static str> {
    for address in &session.limits.postmasters {
        match refusal(session, address).await {
            None => return Ok(address.clone()),
            Some(replies::DIRECTORY_UNAVAILABLE) => return Err(replies::DIRECTORY_UNAVAILABLE),
            Some(_) => {}
        }
    }
    Err(replies::UNKNOWN_USER)
}

/// RFC 3461 §4.2: `type;xtext`.
fn original(orcpt: OriginalRecipient) -> String {
    format!("{};{}", orcpt.kind, xtext_encode(&orcpt.address))
}
