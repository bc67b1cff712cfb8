//! Sealing what is kept of passwords, so that a copy of the database alone gives nothing away.
//!
//! Format: version 1 (one byte), nonce (12 bytes), ChaCha20-Poly1305 of the JSON of [`Stored`]. The owner's number is
//! authenticated with it, so that one user's record can't be put in another's place.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use shared::model::OwnerId;

use super::{Stored, random};

const VERSION: u8 = 1;

/// The key that seals.
pub(crate) struct Seal {
    key: LessSafeKey,
}

impl Seal {
    /// `None` never happens: the key has the length that the cipher wants.
    pub(crate) fn new(secret: &[u8; 32]) -> Option<Self> {
        UnboundKey::new(&CHACHA20_POLY1305, secret).ok().map(|key| Self {
            key: LessSafeKey::new(key),
        })
    }

    /// `None` if the system gives no random bytes.
    pub(crate) fn seal(&self, owner: OwnerId, stored: &Stored) -> Option<Vec<u8>> {
        let mut text = serde_json::to_vec(stored).ok()?;
        // A random nonce: 96 bits are enough for some 2^32 changes of passwords.
        let nonce: [u8; NONCE_LEN] = random().ok()?;
        let aad = Aad::from(owner.0.to_be_bytes());
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut text)
            .ok()?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + text.len());
        sealed.push(VERSION);
        sealed.extend(nonce);
        sealed.extend(text);
        Some(sealed)
    }

    /// `None` if it is damaged, another owner's or sealed with another secret.
    pub(crate) fn open(&self, owner: OwnerId, sealed: &[u8]) -> Option<Stored> {
        let (version, rest) = sealed.split_first()?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN).filter(|_| *version == VERSION)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let text = self
            .key
            .open_in_place(nonce, Aad::from(owner.0.to_be_bytes()), &mut text)
            .ok()?;
        serde_json::from_slice(text).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_the_owner_and_the_secret_open_a_seal() {
        let seal = Seal::new(&[1; 32]).unwrap();
        let stored = Stored {
            imported: Some("{SHA}x".to_owned()),
            ..Stored::default()
        };
        let sealed = seal.seal(OwnerId(5), &stored).unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains("SHA"));
        assert_eq!(
            seal.open(OwnerId(5), &sealed).unwrap().imported.unwrap(),
            "{SHA}x"
        );
        assert!(seal.open(OwnerId(6), &sealed).is_none());
        assert!(Seal::new(&[2; 32]).unwrap().open(OwnerId(5), &sealed).is_none());
        assert!(seal.open(OwnerId(5), &sealed[..20]).is_none());
    }
}
