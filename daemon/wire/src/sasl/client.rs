//! The client side, for a smarthost that wants a login.

use super::hash::hex;
use super::{CramVerifier, Mechanism};

/// A login at work.
pub struct Client {
    mechanism: Mechanism,
    user: String,
    password: String,
    steps: usize,
}

impl Client {
    /// `None` for a mechanism that has no client side here.
    pub fn new(mechanism: Mechanism, user: &str, password: &str) -> Option<Self> {
        matches!(
            mechanism,
            Mechanism::Plain | Mechanism::Login | Mechanism::CramMd5
        )
        .then(|| Client {
            mechanism,
            user: user.to_owned(),
            password: password.to_owned(),
            steps: 0,
        })
    }

    /// The best of those that a server offers; plaintext ones only over a secure connection.
    pub fn choose<'a>(offered: impl IntoIterator<Item = &'a str>, secure: bool) -> Option<Mechanism> {
        let offered: Vec<Mechanism> = offered.into_iter().filter_map(Mechanism::from_name).collect();
        let order = if secure {
            [Mechanism::Plain, Mechanism::Login, Mechanism::CramMd5].as_slice()
        } else {
            [Mechanism::CramMd5].as_slice()
        };
        order
            .iter()
            .copied()
            .find(|mechanism| offered.contains(mechanism))
    }

    /// What goes with the AUTH command itself.
    pub fn initial(&mut self) -> Option<Vec<u8>> {
        (self.mechanism == Mechanism::Plain).then(|| {
            self.steps += 1;
            self.plain()
        })
    }

    /// The response to a challenge (both without base64); `None` if there is nothing more to say: then the
    /// login is to be cancelled.
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
            _ => None,
        }
    }

    fn plain(&self) -> Vec<u8> {
        format!("\0{}\0{}", self.user, self.password).into_bytes()
    }
}
