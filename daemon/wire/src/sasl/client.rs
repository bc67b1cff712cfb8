//! The client side, for hosts that want a login: smarthosts, and servers that mail is fetched from.

use super::hash::hex;
use super::scram_client::Scram;
use super::{CramVerifier, Mechanism};

/// A login at work.
pub struct Client {
    mechanism: Mechanism,
    user: String,
    password: String,
    scram: Option<Scram>,
    steps: usize,
}

impl Client {
    /// `None` for a mechanism that has no client side here. `nonce`: printable letters that nobody can guess, for SCRAM.
    pub fn new(mechanism: Mechanism, user: &str, password: &str, nonce: &str) -> Option<Self> {
        let known = matches!(
            mechanism,
            Mechanism::ScramSha256 | Mechanism::Plain | Mechanism::Login | Mechanism::CramMd5
        );
        known.then(|| Client {
            mechanism,
            user: user.to_owned(),
            password: password.to_owned(),
            scram: (mechanism == Mechanism::ScramSha256).then(|| Scram::new(user, password, nonce)),
            steps: 0,
        })
    }

    /// The best of those that a server offers, those that don't show the password first; plaintext ones only over a secure connection.
    pub fn choose<'a>(offered: impl IntoIterator<Item = &'a str>, secure: bool) -> Option<Mechanism> {
        let offered: Vec<Mechanism> = offered.into_iter().filter_map(Mechanism::from_name).collect();
        let order = [
            Mechanism::ScramSha256,
            Mechanism::CramMd5,
            Mechanism::Plain,
            Mechanism::Login,
        ];
        order
            .into_iter()
            .filter(|mechanism| secure || !mechanism.is_plaintext())
            .find(|mechanism| offered.contains(mechanism))
    }

    /// What goes with the AUTH command itself.
    pub fn initial(&mut self) -> Option<Vec<u8>> {
        let first = match self.mechanism {
            Mechanism::Plain => self.plain(),
            Mechanism::ScramSha256 => self.scram.as_ref()?.first(),
            _ => return None,
        };
        self.steps += 1;
        Some(first)
    }

    /// The response to a challenge (both without base64); `None` if there is nothing more to say, or the server is not who knows the
    /// password: then the login is to be cancelled. Stretching a password for SCRAM takes a while.
    pub fn respond(&mut self, challenge: &[u8]) -> Option<Vec<u8>> {
        self.steps += 1;
        match (self.mechanism, self.steps) {
            (Mechanism::Plain, 1) => Some(self.plain()),
            (Mechanism::Login, 1) => Some(self.user.clone().into_bytes()),
            (Mechanism::Login, 2) => Some(self.password.clone().into_bytes()),
            (Mechanism::CramMd5, 1) => {
                let digest = CramVerifier::derive(&self.password).hmac(challenge)?;
                Some(format!("{} {}", self.user, hex(&digest)).into_bytes())
            }
            (Mechanism::ScramSha256, 1) => Some(self.scram.as_ref()?.first()),
            (Mechanism::ScramSha256, 2) => self.scram.as_mut()?.prove(challenge),
            (Mechanism::ScramSha256, 3) => self.scram.as_mut()?.verify(challenge).then(Vec::new),
            _ => None,
        }
    }

    /// Whether a success that the server tells now is to be believed: in SCRAM it has to show that it knows the password, too.
    pub fn is_satisfied(&self) -> bool {
        self.scram.as_ref().is_none_or(Scram::is_verified)
    }

    /// Whether a proof was given that must be answered with one: a server that refuses now gets nothing that shows the password.
    pub fn has_proved(&self) -> bool {
        self.scram.as_ref().is_some_and(Scram::has_proved)
    }

    fn plain(&self) -> Vec<u8> {
        format!("\0{}\0{}", self.user, self.password).into_bytes()
    }
}
