//! MAIL (RFC 5321 §4.1.1.2) with SIZE, BODY, SMTPUTF8, RET, ENVID, REQUIRETLS and AUTH.

use std::time::{SystemTime, UNIX_EPOCH};

use queue::{Envelope, Origin};
use shared::Address;
use wire::address::Path;
use wire::smtp::{Body, MailParams, Ret};

use crate::session::{Next, Session, Transaction};
use crate::{Role, check, judge, replies};

pub(crate) async fn mail(session: &mut Session, path: &Path, params: MailParams) -> Next {
    session.conn.session().set_state("MAIL");
    session.limits = session.server.limits();
    if let Some(reply) = out_of_place(session).or_else(|| unsupported(session, &params)) {
        session.refuse(reply);
        return Next::Go;
    }
    let sender = match (path, path.address()) {
        (Path::Null, _) => None,
        (_, Some(address)) => Some(address),
        // An address literal: no domain that a report could be sent to.
        (_, None) => {
            session.refuse_told("MAIL", path.to_string(), replies::BAD_SENDER);
            return Next::Go;
        }
    };
    if let Some(objection) = judge::sender(session, sender.as_ref()) {
        return session.object("MAIL", path.to_string(), objection);
    }
    if let Some(reply) = not_allowed(session, sender.as_ref()).await {
        session.refuse_told("MAIL", path.to_string(), reply);
        return Next::Go;
    }
    session.transactions += 1;
    let envelope = Envelope {
        sender,
        recipients: Vec::new(),
        origin: match (session.role, &session.account) {
            (Role::Lmtp, _) => Origin::Lmtp,
            (_, Some(_)) => Origin::Submission,
            (_, None) => Origin::Smtp,
        },
        user: session.account.as_ref().map(|account| account.address.clone()),
        smtputf8: params.smtputf8,
        // A binary text is written anew, with base64 in the place of what was binary.
        eight_bit: matches!(params.body, Some(Body::EightBitMime | Body::BinaryMime)),
        require_tls: params.requiretls,
        folder: None,
        return_full: params.ret.map(|ret| ret == Ret::Full),
        envelope_id: params.envid,
        session: session.conn.session().id().0,
        received: SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |past| past.as_secs() as i64),
    };
    let check = check::begin(session, envelope.sender.as_ref());
    session.transaction = Some(Box::new(Transaction {
        envelope,
        binary: params.body == Some(Body::BinaryMime),
        check,
        chunks: None,
    }));
    session.reply(replies::SENDER_OK);
    Next::Go
}

fn out_of_place(session: &Session) -> Option<&'static str> {
    if session.greeting.is_none() {
        return Some(if session.role == Role::Lmtp {
            replies::NEEDS_LHLO
        } else {
            replies::NEEDS_EHLO
        });
    }
    if session.transaction.is_some() {
        return Some(replies::IN_TRANSACTION);
    }
    // RFC 6409 §4.3
    (session.role == Role::Submission && session.account.is_none()).then_some(replies::NEEDS_LOGIN)
}

/// Parameters of extensions that EHLO does not offer, and more than the server takes (RFC 1870 §6.1).
fn unsupported(session: &Session, params: &MailParams) -> Option<&'static str> {
    // RFC 8689 §4: only under TLS; there alone it is offered.
    let others = (params.requiretls && !session.conn.is_tls())
        || params.priority.is_some()
        || params.hold_for.is_some()
        || params.hold_until.is_some()
        || params.by.is_some();
    if others {
        return Some(replies::UNKNOWN_PARAMETER);
    }
    params
        .size
        .is_some_and(|size| size > session.limits.message_max_bytes)
        .then_some(replies::TOO_LARGE)
}

/// A user sends with addresses of his own. The null reverse-path is nobody's: notifications of clients use it.
async fn not_allowed(session: &Session, sender: Option<&Address>) -> Option<&'static str> {
    let (Some(account), Some(sender)) = (&session.account, sender) else {
        return None;
    };
    match session.server.directory.may_send_as(account, sender).await {
        Ok(true) => None,
        Ok(false) => Some(replies::NOT_YOUR_ADDRESS),
        Err(_) => Some(replies::DIRECTORY_UNAVAILABLE),
    }
}
