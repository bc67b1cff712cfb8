//! The client side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding.

use super::hash::{Hash, equal};
use super::saslprep;
use crate::base64;

/// Rounds that a server may ask for: a hostile one must not keep a processor busy for ever.
const ITERATIONS_MAX: u32 = 1_000_000;
/// RFC 7677 §4: fewer give the password away to whoever listens.
const ITERATIONS_MIN: u32 = 4096;
const HASH: Hash = Hash::Sha256;
/// No channel binding, no other identity (RFC 5802 §7).
const GS2_HEADER: &str = "n,,";

pub(super) struct Scram {
    bare: String,
    nonce: String,
    password: String,
    /// What the server has to say at the end.
    expected: Option<Vec<u8>>,
    verified: bool,
}

impl Scram {
    pub(super) fn new(user: &str, password: &str, nonce: &str) -> Self {
        let user = saslprep(user).replace('=', "=3D").replace(',', "=2C");
        Scram {
            bare: format!("n={user},r={nonce}"),
            nonce: nonce.to_owned(),
            password: saslprep(password),
            expected: None,
            verified: false,
        }
    }

    /// client-first-message
    pub(super) fn first(&self) -> Vec<u8> {
        format!("{GS2_HEADER}{}", self.bare).into_bytes()
    }

    /// client-final-message; `None` if the server-first-message is none.
    pub(super) fn prove(&mut self, challenge: &[u8]) -> Option<Vec<u8>> {
        let server_first = std::str::from_utf8(challenge).ok()?;
        let mut fields = server_first.split(',');
        let nonce = fields.next()?.strip_prefix("r=")?;
        let salt = base64::decode(fields.next()?.strip_prefix("s=")?.as_bytes())?;
        let iterations: u32 = fields.next()?.strip_prefix("i=")?.parse().ok()?;
        // RFC 5802 §5.1: the server's nonce goes on where ours ends.
        let continued = nonce.len() > self.nonce.len() && nonce.starts_with(&self.nonce);
        if !continued || !(ITERATIONS_MIN..=ITERATIONS_MAX).contains(&iterations) {
            return None;
        }
        let without_proof = format!("c={},r={nonce}", base64::encode(GS2_HEADER.as_bytes()));
        let message = format!("{},{server_first},{without_proof}", self.bare);
        let salted = HASH.stretch(self.password.as_bytes(), &salt, iterations);
        let key = HASH.hmac(&salted, b"Client Key");
        let signature = HASH.hmac(&HASH.digest(&key), message.as_bytes());
        let proof: Vec<u8> = key.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        let server_key = HASH.hmac(&salted, b"Server Key");
        self.expected = Some(HASH.hmac(&server_key, message.as_bytes()));
        Some(format!("{without_proof},p={}", base64::encode(&proof)).into_bytes())
    }

    /// Whether the server-final-message shows that the server knows the password.
    pub(super) fn verify(&mut self, last: &[u8]) -> bool {
        let said = std::str::from_utf8(last)
            .ok()
            .and_then(|last| last.split(',').next()?.strip_prefix("v="))
            .and_then(|text| base64::decode(text.as_bytes()));
        self.verified = match (&self.expected, said) {
            (Some(expected), Some(said)) => equal(expected, &said),
            _ => false,
        };
        self.verified
    }

    pub(super) fn has_proved(&self) -> bool {
        self.expected.is_some()
    }

    pub(super) fn is_verified(&self) -> bool {
        self.verified
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FIRST: &[u8] =
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    // The example of RFC 7677 §3.
    #[test]
    fn the_exchange_is_that_of_the_rfc() {
        let mut scram = Scram::new("user", "pencil", "rOprNGfwEbeRWgbNEkqO");
        assert_eq!(scram.first(), b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let last = scram.prove(FIRST).unwrap();
        assert_eq!(
            String::from_utf8(last).unwrap(),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert!(!scram.is_verified());
        assert!(!scram.verify(b"v=AAAA"));
        assert!(scram.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
    }

    #[test]
    fn a_server_that_is_none_gets_no_proof() {
        for challenge in [
            b"" as &[u8],
            b"r=other,s=W22Z,i=4096",
            b"r=abc,s=W22Z,i=4096",
            b"r=abcd,s=W22Z,i=1",
            b"r=abcd,s=W22Z,i=4294967295",
            b"r=abcd,s=?,i=4096",
            b"\xff",
        ] {
            let mut scram = Scram::new("user", "pencil", "abc");
            assert_eq!(scram.prove(challenge), None, "{}", challenge.escape_ascii());
            assert!(!scram.verify(b"v="));
        }
    }
}
