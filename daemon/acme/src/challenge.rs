//! How the authority is shown that a name is ours: a file on the web (HTTP-01), a certificate (TLS-ALPN-01), a record in the DNS (DNS-01).
//!
//! What is pending lies in tables that the rooms `web` and `tls` look into; it is taken out again when the order ends, however it ends.
//!
//! Must not know: orders, listeners.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use dns::Dns;
use parking_lot::Mutex;
use tls::Tls;
use tokio::time::Instant;

use crate::AcmeError;
use crate::command::Command;
use crate::jws::{base64url, digest};

/// Between two looks at a record that is not yet to be seen.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(5);
/// Of a token: 128 bits in base64url at least (RFC 8555 §8.3), no authority gives many more.
const TOKEN_LENGTH_MAX_BYTES: usize = 256;

/// Which challenge is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Http,
    TlsAlpn,
    Dns,
}

impl Kind {
    /// As RFC 8555 §9.7.8 registers it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Http => "http-01",
            Self::TlsAlpn => "tls-alpn-01",
            Self::Dns => "dns-01",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        let all = [Self::Http, Self::TlsAlpn, Self::Dns];
        all.into_iter().find(|kind| kind.word() == word)
    }
}

/// What is answered on the web at the moment. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tokens(Arc<Mutex<HashMap<String, String>>>);

impl Tokens {
    /// What stands at `/.well-known/acme-challenge/TOKEN` (RFC 8555 §8.3).
    pub fn get(&self, token: &str) -> Option<String> {
        self.0.lock().get(token).cloned()
    }

    /// For the tests of who answers.
    pub fn put(&self, token: &str, authorization: &str) {
        self.0.lock().insert(token.to_owned(), authorization.to_owned());
    }
}

/// One challenge.
#[derive(Clone, Debug)]
pub(crate) struct Challenge {
    name: String,
    token: String,
    pub(crate) url: String,
    authorization: String,
}

impl Challenge {
    /// What somebody else gave becomes a path, a name and an argument of a program: nothing but what it should be is taken.
    pub(crate) fn new(
        name: &str,
        token: &str,
        url: String,
        authorization: String,
    ) -> Result<Self, AcmeError> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if token.is_empty() || token.len() > TOKEN_LENGTH_MAX_BYTES || !token.bytes().all(good) {
            return Err(AcmeError::Answer("a token that is none".to_owned()));
        }
        let name = shared::DomainName::parse(name)
            .map_err(|_| AcmeError::Answer("a name that is none".to_owned()))?;
        Ok(Self {
            name: name.as_str().to_owned(),
            token: token.to_owned(),
            url,
            authorization,
        })
    }

    /// RFC 8555 §8.4
    fn record(&self) -> (String, String) {
        (
            format!("_acme-challenge.{}", self.name),
            base64url(digest(&self.authorization)),
        )
    }
}

/// Answers the challenges of one order.
pub(crate) struct Solver {
    pub(crate) kind: Kind,
    pub(crate) tokens: Tokens,
    pub(crate) tls: Tls,
    pub(crate) dns: Dns,
    pub(crate) command: Option<Command>,
    /// How long a record is waited for until the authority is asked to look all the same: it may see what this host does not.
    pub(crate) dns_wait: Duration,
    /// When that wait ends: for all records of the order together.
    pub(crate) dns_until: Option<Instant>,
    pub(crate) prepared: Vec<Challenge>,
}

impl Solver {
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) async fn prepare(&mut self, challenge: &Challenge) -> Result<(), AcmeError> {
        // Before it is there: what fails half-way is cleared away too.
        self.prepared.push(challenge.clone());
        match self.kind {
            Kind::Http => {
                self.tokens.put(&challenge.token, &challenge.authorization);
                Ok(())
            }
            Kind::TlsAlpn => {
                let made = self
                    .tls
                    .answer_challenge(&challenge.name, digest(&challenge.authorization));
                made.map_err(|error| AcmeError::Tls(error.to_string()))
            }
            Kind::Dns => {
                let (name, value) = challenge.record();
                self.command()?.run("add", &name, &value).await
            }
        }
    }

    /// Waits until the authority may look.
    pub(crate) async fn ready(&mut self, challenge: &Challenge) {
        if self.kind != Kind::Dns {
            return;
        }
        let (name, value) = challenge.record();
        let end = *self.dns_until.get_or_insert(Instant::now() + self.dns_wait);
        loop {
            let found = self.dns.txt_now(&name).await;
            let left = end.saturating_duration_since(Instant::now());
            if found.is_ok_and(|texts| texts.iter().any(|text| text == value.as_bytes())) || left.is_zero() {
                return;
            }
            tokio::time::sleep(LOOK_AGAIN_AFTER.min(left)).await;
        }
    }

    /// Takes everything back. A record that stays because its program fails does no harm; the failure is told.
    pub(crate) async fn clear(&mut self) -> Result<(), AcmeError> {
        let mut failed = Ok(());
        for challenge in std::mem::take(&mut self.prepared) {
            match self.kind {
                Kind::Http => drop(self.tokens.0.lock().remove(&challenge.token)),
                Kind::TlsAlpn => self.tls.end_challenge(&challenge.name),
                Kind::Dns => {
                    let (name, value) = challenge.record();
                    let done = match self.command() {
                        Ok(command) => command.run("remove", &name, &value).await,
                        Err(error) => Err(error),
                    };
                    failed = failed.and(done);
                }
            }
        }
        failed
    }

    fn command(&self) -> Result<&Command, AcmeError> {
        let none = || AcmeError::Command("there is none".to_owned());
        self.command.as_ref().ok_or_else(none)
    }
}
