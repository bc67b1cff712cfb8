//! What became of one recipient in this try, and what the protocol calls it.

use queue::Outcome;
use wire::smtp::reply::{Enhanced, Reply};

/// The English replies that delivery itself gives: constants of the protocol, shown in reports as Diagnostic-Code.
pub(crate) mod replies {
    pub(crate) const UNKNOWN: &str = "550 5.1.1 No such mailbox here";
    pub(crate) const DISABLED: &str = "550 5.2.1 The mailbox takes no mail";
    pub(crate) const UNAVAILABLE: &str = "451 4.3.0 The mailbox can't be reached now";
    pub(crate) const DIRECTORY: &str = "451 4.3.0 The directory can't be reached now";
    pub(crate) const QUEUE: &str = "451 4.3.0 The queue takes no mail now";
    pub(crate) const OVER_QUOTA: &str = "452 4.2.2 The mailbox is full";
    pub(crate) const REMOVED: &str = "550 5.7.0 Removed by an administrator";
    pub(crate) const LOOP: &str = "554 5.4.6 The message goes round in circles";
    pub(crate) const NULL_MX: &str = "556 5.1.10 The domain takes no mail";
    pub(crate) const NO_DOMAIN: &str = "550 5.1.2 No such domain";
    pub(crate) const NO_UTF8: &str = "550 5.6.7 The host does not take international addresses";
    pub(crate) const NO_EIGHT_BIT: &str =
        "554 5.6.3 The host takes only 7-bit text, and this message can't be converted";
    pub(crate) const TOO_LARGE: &str = "552 5.3.4 The message is too large for the host";
    /// RFC 8689 §4.2.1
    pub(crate) const NO_REQUIRETLS: &str = "550 5.7.30 REQUIRETLS support required";
    pub(crate) const EXPIRED_NOTE: &str = "delivery time expired";
}

/// What became of a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// In all mailboxes here.
    Stored,
    /// Handed on as a new message (an alias or user that leads elsewhere).
    Forwarded,
    /// Taken by a host. `dsn`: it takes over the duty to report.
    Relayed {
        host: String,
        reply: String,
        dsn: bool,
    },
    Failed {
        host: Option<String>,
        reply: String,
    },
    PutOff {
        host: Option<String>,
        reply: String,
    },
    NotTried {
        at: i64,
    },
}

impl Verdict {
    pub(crate) fn failed(reply: &str) -> Self {
        Self::Failed {
            host: None,
            reply: reply.to_owned(),
        }
    }

    pub(crate) fn put_off(reply: &str) -> Self {
        Self::PutOff {
            host: None,
            reply: reply.to_owned(),
        }
    }

    /// What the queue is told; `next_try`: for what is put off.
    pub(crate) fn outcome(&self, next_try: Option<i64>) -> Outcome {
        match self {
            Self::Stored => Outcome::Stored,
            Self::Forwarded => Outcome::Delivered { reply: String::new() },
            Self::Relayed { reply, .. } => Outcome::Delivered { reply: reply.clone() },
            Self::Failed { reply, .. } => Outcome::Failed { reply: reply.clone() },
            Self::PutOff { reply, .. } => Outcome::PutOff {
                reply: reply.clone(),
                at: next_try,
            },
            Self::NotTried { at } => Outcome::NotTried { at: *at },
        }
    }

    /// The enhanced status code for a report (RFC 3464 §2.3.4), of the class that the verdict has.
    pub(crate) fn status(&self) -> Enhanced {
        let (class, reply) = match self {
            Self::Stored | Self::Forwarded => return Enhanced(2, 0, 0),
            Self::Relayed { reply, .. } => (2, reply),
            Self::Failed { reply, .. } => (5, reply),
            Self::PutOff { reply, .. } => (4, reply),
            Self::NotTried { .. } => return Enhanced(4, 4, 0),
        };
        let given = reply.split(' ').nth(1).and_then(Enhanced::parse);
        match given {
            Some(Enhanced(_, subject, detail)) => Enhanced(class, subject, detail),
            None if reply.ends_with(replies::EXPIRED_NOTE) => Enhanced(class, 4, 7),
            None => Enhanced(class, 0, 0),
        }
    }

    /// The lifetime is over: what was put off has failed.
    pub(crate) fn expired(self) -> Self {
        match self {
            Self::PutOff { host, reply } if reply == replies::OVER_QUOTA => Self::Failed {
                host,
                reply: "552 5.2.2 The mailbox is full".to_owned(),
            },
            Self::PutOff { host, reply } => Self::Failed {
                host,
                reply: format!("{reply}; {}", replies::EXPIRED_NOTE),
            },
            other => other,
        }
    }
}

/// A remote host's refusal: for good or for now.
pub(crate) fn refusal(host: &str, reply: &Reply) -> Verdict {
    let (host, text) = (Some(host.to_owned()), reply.to_string());
    if reply.is_permanent() {
        Verdict::Failed { host, reply: text }
    } else {
        Verdict::PutOff { host, reply: text }
    }
}
