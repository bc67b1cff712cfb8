//! Why a request failed, and how that is told.

use directory::{ChangeError, Unavailable};
use mailbox::MailboxError;
use queue::QueueError;
use shared::Refusal;
use shared::protocol::{Failure, code};

use crate::Caller;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// For a reason that a person can act on.
    Refused(Refusal),
    /// The message is not one of the protocol's.
    Protocol { code: i32, reason: String },
}

impl Fault {
    pub(crate) fn refused(code: &str) -> Self {
        Self::Refused(Refusal::new(code))
    }

    /// The failure as it goes over the channel, with its text in the caller's language.
    pub(crate) fn failure(&self, caller: &Caller) -> Failure {
        match self {
            Self::Refused(refusal) => {
                let args: Vec<(&str, i18n::Arg)> = refusal
                    .args
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str().into()))
                    .collect();
                let message = i18n::format(caller.language, &format!("refusal-{}", refusal.code), &args);
                Failure {
                    code: code::REFUSED,
                    message,
                    data: Some(refusal.clone()),
                }
            }
            Self::Protocol { code, reason } => Failure {
                code: *code,
                message: reason.clone(),
                data: None,
            },
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Unavailable> for Fault {
    fn from(unavailable: Unavailable) -> Self {
        Self::Refused(Refusal::new("unavailable").with("reason", unavailable.0))
    }
}

impl From<ChangeError> for Fault {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Refused(refusal) => Self::Refused(refusal),
            ChangeError::Unavailable(unavailable) => unavailable.into(),
        }
    }
}

impl From<QueueError> for Fault {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::NoSuchMessage => Self::refused("message-unknown"),
            QueueError::Unavailable(reason) => {
                Self::Refused(Refusal::new("unavailable").with("reason", reason))
            }
        }
    }
}

impl From<MailboxError> for Fault {
    fn from(error: MailboxError) -> Self {
        let refusal = match &error {
            MailboxError::NoSuchFolder => Refusal::new("folder-unknown"),
            MailboxError::FolderExists => Refusal::new("folder-exists"),
            MailboxError::InvalidName => Refusal::new("folder-name-invalid"),
            MailboxError::NotAllowed(_) => Refusal::new("folder-fixed"),
            MailboxError::Damaged(reason) => Refusal::new("mailbox-damaged").with("reason", reason),
            other => Refusal::new("unavailable").with("reason", other),
        };
        Self::Refused(refusal)
    }
}

impl From<net::NetError> for Fault {
    fn from(error: net::NetError) -> Self {
        match error {
            net::NetError::NoSuchService(name) => {
                Self::Refused(Refusal::new("service-unknown").with("service", name))
            }
            net::NetError::Occupied(address) => {
                Self::Refused(Refusal::new("port-occupied").with("address", address))
            }
            net::NetError::Forbidden(address) => {
                Self::Refused(Refusal::new("port-forbidden").with("address", address))
            }
            net::NetError::Listen { address, source } => Self::Refused(
                Refusal::new("port-unusable")
                    .with("address", address)
                    .with("reason", source),
            ),
        }
    }
}
