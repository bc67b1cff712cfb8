//! Why a visit of an external account failed: for the log in English, for people as a refusal that Fluent puts into words.

use shared::Refusal;

/// Bytes of what another server said that are repeated.
const QUOTED_MAX_BYTES: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("{host} can't be reached: {reason}")]
    Unreachable { host: String, reason: String },
    #[error("no answer in time")]
    Timeout,
    #[error("the connection was closed")]
    Closed,
    #[error("TLS: {0}")]
    Tls(String),
    #[error("TLS is asked for and not offered")]
    NoTls,
    #[error("the login was refused: {0}")]
    Login(String),
    #[error("there is no way to log in that both know and that is safe on this connection; offered: {0}")]
    NoMechanism(String),
    #[error("no password is kept, or it can't be opened")]
    NoPassword,
    #[error("{command} was refused: {answer}")]
    Refused { command: String, answer: String },
    #[error("an answer that can't be understood: {0}")]
    Garbage(String),
    #[error("more than {0} messages are listed")]
    TooMany(usize),
    #[error("more than {0} ranges of messages were left out of a folder: nothing behind them is deleted")]
    LeftOut(usize),
    #[error("the server has no unique ids, so that only mail that is deleted over there can be fetched")]
    NoUniqueIds,
    #[error("the mailbox is full")]
    MailboxFull,
    #[error("the user is disabled or takes no mail")]
    UserDisabled,
    #[error("mail can't be taken in now: {0}")]
    Store(String),
    #[error("the account was removed or changed meanwhile")]
    Gone,
}

impl Problem {
    /// The server said something that is no answer; a part of it is repeated.
    pub(crate) fn garbage(said: &[u8]) -> Self {
        Self::Garbage(quote(said))
    }

    pub(crate) fn refused(command: &str, answer: &str) -> Self {
        Self::Refused {
            command: command.to_owned(),
            answer: quote(answer.as_bytes()),
        }
    }

    pub(crate) fn refusal(&self) -> Refusal {
        let with = |code: &str, reason: &str| Refusal::new(code).with("reason", reason);
        match self {
            Self::Unreachable { host, reason } => Refusal::new("external-unreachable")
                .with("host", host)
                .with("reason", reason),
            Self::Timeout => Refusal::new("external-timeout"),
            Self::Closed => Refusal::new("external-closed"),
            Self::Tls(reason) => with("external-tls", reason),
            Self::NoTls => Refusal::new("external-no-tls"),
            Self::Login(answer) => Refusal::new("external-login-refused").with("answer", answer),
            Self::NoMechanism(offered) => Refusal::new("external-no-mechanism").with("offered", offered),
            Self::NoPassword => Refusal::new("external-no-password"),
            Self::Refused { command, answer } => Refusal::new("external-command-refused")
                .with("command", command)
                .with("answer", answer),
            Self::Garbage(said) => Refusal::new("external-garbage").with("said", said),
            Self::TooMany(max) => Refusal::new("external-too-many").with("max", max),
            Self::LeftOut(max) => Refusal::new("external-left-out").with("max", max),
            Self::NoUniqueIds => Refusal::new("external-no-unique-ids"),
            Self::MailboxFull => Refusal::new("external-mailbox-full"),
            Self::UserDisabled => Refusal::new("external-user-disabled"),
            Self::Store(reason) => with("external-store", reason),
            Self::Gone => Refusal::new("external-gone"),
        }
    }
}

impl From<queue::QueueError> for Problem {
    fn from(error: queue::QueueError) -> Self {
        Self::Store(error.to_string())
    }
}

impl From<directory::Unavailable> for Problem {
    fn from(error: directory::Unavailable) -> Self {
        Self::Store(error.to_string())
    }
}

impl From<directory::ChangeError> for Problem {
    fn from(error: directory::ChangeError) -> Self {
        Self::Store(error.to_string())
    }
}

/// What another server said, as it may stand in a log: one line of bounded length.
pub(crate) fn quote(said: &[u8]) -> String {
    let short = said.get(..QUOTED_MAX_BYTES).unwrap_or(said);
    let text = String::from_utf8_lossy(short);
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .trim()
        .to_owned()
}
