//! SASL (RFC 4422): server-side mechanisms as state machines without I/O, and the client side of what a
//! smarthost wants.
//!
//! The session hands in what the client said (base64 already off), and does what the [`Step`] asks. The
//! mechanism never sees a database: it asks for verifiers or for a password check, and goes on with the
//! answer. A user who does not exist takes the same steps as one who does, with a salt that is always the
//! same for that name, so that nobody can find out who exists.

mod apop;
pub mod client;
mod cram_md5;
mod digest_md5;
mod external;
mod hash;
mod ntlm;
mod oauth;
mod plain;
mod scram;
mod scram_client;
mod verifiers;

pub use apop::{apop, apop_is};
pub use verifiers::{CramVerifier, DIGEST_REALM, SCRAM_ITERATIONS, ScramVerifier, Verifiers, saslprep};

/// The longest response of a client, decoded.
pub const RESPONSE_MAX_BYTES: usize = 8192;

/// The mechanisms that the server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// RFC 4616
    Plain,
    /// draft-murchison-sasl-login
    Login,
    /// RFC 2195
    CramMd5,
    /// RFC 2831
    DigestMd5,
    /// RFC 5802
    ScramSha1,
    ScramSha1Plus,
    /// RFC 7677
    ScramSha256,
    ScramSha256Plus,
    /// RFC 4422 appendix A
    External,
    /// RFC 7628
    OAuthBearer,
    XOAuth2,
    /// [MS-NLMP]
    Ntlm,
}

impl Mechanism {
    /// Strongest first: the order in which they are offered.
    pub const ALL: [Mechanism; 12] = [
        Mechanism::External,
        Mechanism::ScramSha256Plus,
        Mechanism::ScramSha1Plus,
        Mechanism::ScramSha256,
        Mechanism::ScramSha1,
        Mechanism::OAuthBearer,
        Mechanism::XOAuth2,
        Mechanism::DigestMd5,
        Mechanism::CramMd5,
        Mechanism::Plain,
        Mechanism::Login,
        // Last, so that a program which takes the first that it knows takes another.
        Mechanism::Ntlm,
    ];

    /// Of any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }

    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
            Mechanism::CramMd5 => "CRAM-MD5",
            Mechanism::DigestMd5 => "DIGEST-MD5",
            Mechanism::ScramSha1 => "SCRAM-SHA-1",
            Mechanism::ScramSha1Plus => "SCRAM-SHA-1-PLUS",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Mechanism::External => "EXTERNAL",
            Mechanism::OAuthBearer => "OAUTHBEARER",
            Mechanism::XOAuth2 => "XOAUTH2",
            Mechanism::Ntlm => "NTLM",
        }
    }

    /// Whether it sends the password itself, or a token that is as good, and so wants a secure connection.
    pub fn is_plaintext(self) -> bool {
        matches!(self, Mechanism::Plain | Mechanism::Login) || self.is_token()
    }

    /// Whether it sends a token that somebody else made.
    pub fn is_token(self) -> bool {
        matches!(self, Mechanism::OAuthBearer | Mechanism::XOAuth2)
    }

    /// Whether it can only be offered where the connection has a channel binding.
    pub fn needs_channel_binding(self) -> bool {
        matches!(self, Mechanism::ScramSha1Plus | Mechanism::ScramSha256Plus)
    }
}

/// What a mechanism needs to know of the connection.
#[derive(Clone)]
pub struct Context {
    pub hostname: String,
    /// Random, printable, without commas, quotes and angle brackets; at least 18 characters.
    pub nonce: String,
    /// Name and data, e.g. `tls-exporter` (RFC 9266); only if the -PLUS mechanisms are offered.
    pub channel_bindings: Vec<(String, Vec<u8>)>,
    /// Unix seconds.
    pub timestamp: i64,
    /// Of this server, random, never shown: the salts of users who do not exist come from it.
    pub secret: Vec<u8>,
    /// Whose tokens OAUTHBEARER takes, told to a client whose token is refused.
    pub issuer: Option<String>,
}

/// What the session hands in.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// The mechanism begins, perhaps with an initial response.
    Start(Option<&'a [u8]>),
    /// The client's answer to a challenge.
    Response(&'a [u8]),
    /// The answer to [`Step::NeedVerifiers`]; `None` if there is no such user, or he may not log in.
    Verifiers(Option<&'a Verifiers>),
    /// The answer to [`Step::CheckPassword`].
    PasswordChecked(bool),
    /// The answer to [`Step::CheckExternal`] and [`Step::CheckToken`]: the user who may log in.
    Found(Option<&'a str>),
}

/// What the session has to do next.
#[derive(Clone, PartialEq, Eq)]
pub enum Step {
    /// Send this (in base64; it may be empty) and hand in the response.
    Challenge(Vec<u8>),
    /// Look up the user and hand in his verifiers. An authorization identity that is not the user himself
    /// is for the session to allow; without verifiers it fails.
    NeedVerifiers {
        user: String,
        authzid: Option<String>,
    },
    /// Check the password and hand in the result.
    CheckPassword {
        user: String,
        password: String,
    },
    /// Find out who the peer is by what it has shown, and whether it may act for whom it names.
    CheckExternal {
        authzid: Option<String>,
    },
    /// Find out whose token that is, and whether it is that of whom the client names.
    CheckToken {
        user: Option<String>,
        token: String,
    },
    /// Logged in. Final data must reach the client: where the protocol has no room for it in its success
    /// reply (SMTP, IMAP, POP3), as one more challenge, whose response is empty.
    Success {
        user: String,
        final_data: Option<Vec<u8>>,
        /// Which of the user's verifiers it was: 0, or the place among [`Verifiers::others`] counted from 1.
        which: usize,
    },
    Failure(Reason),
}

/// Passwords and challenges stay out of logs.
impl std::fmt::Debug for Step {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Step::Challenge(_) => out.write_str("Challenge"),
            Step::NeedVerifiers { user, authzid } => write!(out, "NeedVerifiers({user:?}, {authzid:?})"),
            Step::CheckPassword { user, .. } => write!(out, "CheckPassword({user:?})"),
            Step::CheckExternal { authzid } => write!(out, "CheckExternal({authzid:?})"),
            Step::CheckToken { user, .. } => write!(out, "CheckToken({user:?})"),
            Step::Success { user, .. } => write!(out, "Success({user:?})"),
            Step::Failure(reason) => write!(out, "Failure({reason:?})"),
        }
    }
}

/// Why it failed: for the log. The client is only told that it did, but for [`Reason::Syntax`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error("malformed response")]
    Syntax,
    #[error("wrong user or password")]
    Credentials,
    #[error("no verifier for this mechanism")]
    NoVerifier,
    #[error("channel binding does not match")]
    ChannelBinding,
    #[error("LM and NTLMv1 are refused")]
    TooOld,
    #[error("the messages of the login were changed on their way")]
    Changed,
    #[error("may not act as another user")]
    AuthorizationIdentity,
    /// A fault of the session, not of the client.
    #[error("step out of order")]
    OutOfOrder,
}

/// A mechanism at work.
pub struct Server {
    machine: Box<dyn Machine>,
    done: bool,
}

/// One mechanism's states.
trait Machine: Send {
    fn step(&mut self, input: Input<'_>) -> Step;
}

impl Server {
    pub fn new(mechanism: Mechanism, context: Context) -> Self {
        let machine: Box<dyn Machine> = match mechanism {
            Mechanism::Plain => Box::new(plain::Plain::default()),
            Mechanism::Login => Box::new(plain::Login::default()),
            Mechanism::External => Box::new(external::External::default()),
            Mechanism::OAuthBearer => Box::new(oauth::OAuth::new(false, context.issuer)),
            Mechanism::XOAuth2 => Box::new(oauth::OAuth::new(true, None)),
            Mechanism::Ntlm => Box::new(ntlm::Ntlm::new(&context)),
            Mechanism::CramMd5 => Box::new(cram_md5::CramMd5::new(&context)),
            Mechanism::DigestMd5 => Box::new(digest_md5::DigestMd5::new(context)),
            Mechanism::ScramSha1 => Box::new(scram::Scram::new(hash::Hash::Sha1, false, context)),
            Mechanism::ScramSha1Plus => Box::new(scram::Scram::new(hash::Hash::Sha1, true, context)),
            Mechanism::ScramSha256 => Box::new(scram::Scram::new(hash::Hash::Sha256, false, context)),
            Mechanism::ScramSha256Plus => Box::new(scram::Scram::new(hash::Hash::Sha256, true, context)),
        };
        Server { machine, done: false }
    }

    /// Goes one step. After success or failure there is no other.
    pub fn step(&mut self, input: Input<'_>) -> Step {
        if self.done {
            return Step::Failure(Reason::OutOfOrder);
        }
        let too_long = match input {
            Input::Start(Some(bytes)) | Input::Response(bytes) => bytes.len() > RESPONSE_MAX_BYTES,
            _ => false,
        };
        let step = if too_long {
            Step::Failure(Reason::Syntax)
        } else {
            self.machine.step(input)
        };
        self.done = matches!(step, Step::Success { .. } | Step::Failure(_));
        step
    }
}

/// UTF-8 without NUL, not empty.
fn text(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.is_empty() && !text.contains('\0')).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
