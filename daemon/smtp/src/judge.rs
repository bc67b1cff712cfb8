//! What `policy` is told and what becomes of its verdicts: the lists of senders and recipients.

use std::sync::Arc;

use authenticity::Results;
use policy::{Decision, Facts, Offence, Policy, Verdict};
use queue::Envelope;
use shared::Address;
use shared::model::Protocol;

use crate::Role;
use crate::session::Session;

/// What is done with a sender or recipient that policy is against.
pub(crate) enum Objection {
    /// The whole reply.
    Reply(String),
    /// Close without a word.
    Drop,
}

pub(crate) fn sender(session: &Session, sender: Option<&Address>) -> Option<Objection> {
    let policy = session.server.policy.as_ref()?;
    let facts = Facts {
        sender: sender.cloned(),
        ..facts(session, policy)
    };
    objection(&policy.mail_from(&facts))
}

pub(crate) fn recipient(session: &Session, recipient: &Address) -> Option<Objection> {
    let policy = session.server.policy.as_ref()?;
    let sender = session
        .transaction
        .as_ref()
        .and_then(|transaction| transaction.envelope.sender.clone());
    let facts = Facts {
        sender,
        recipient: Some(recipient.clone()),
        ..facts(session, policy)
    };
    objection(&policy.rcpt_to(&facts))
}

/// A message that is complete, with what was found out about its sender. Without that there is nothing new to judge.
pub(crate) fn message(
    session: &Session,
    envelope: &Envelope,
    results: Option<Arc<Results>>,
) -> Option<Objection> {
    let policy = session.server.policy.as_ref()?;
    let facts = Facts {
        sender: envelope.sender.clone(),
        authenticity: Some(results?),
        ..facts(session, policy)
    };
    objection(&policy.data(&facts))
}

/// Who asks for many users that do not exist is collecting addresses.
pub(crate) fn unknown_recipient(session: &Session) {
    if let Some(policy) = &session.server.policy
        && session.account.is_none()
    {
        policy.offence(session.conn.peer().ip(), Offence::RecipientUnknown);
    }
}

fn facts(session: &Session, policy: &Policy) -> Facts {
    let peer = session.conn.peer().ip();
    let protocol = match session.role {
        Role::Mx => Protocol::Smtp,
        Role::Submission => Protocol::Submission,
        Role::Lmtp => Protocol::Lmtp,
    };
    Facts {
        tls: session.conn.is_tls(),
        ehlo: session
            .greeting
            .as_ref()
            .map(|greeting| greeting.name.to_string()),
        user: session.account.as_ref().map(|account| account.address.clone()),
        white: policy.connect_by_address(peer).white,
        ..Facts::new(protocol, peer)
    }
}

fn objection(decision: &Decision) -> Option<Objection> {
    match decision.verdict {
        Verdict::Allow => None,
        Verdict::Refuse(reply) | Verdict::PutOff(reply) => Some(Objection::Reply(format!(
            "{} {} {}\r\n",
            reply.code, reply.enhanced, reply.text
        ))),
        Verdict::Drop => Some(Objection::Drop),
    }
}
