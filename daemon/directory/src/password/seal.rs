//! Sealing what is kept of passwords, so that a copy of the database alone gives nothing away.
//!
//! Format: version 1 (one byte), nonce (12 bytes), ChaCha20-Poly1305 of the JSON of what is kept. The owner's number (8 bytes,
//! big-endian) and the record's name are authenticated with it, so that one user's record can't be put in another's place, nor one
//! record of a user in that of another. What is kept of the user's own password has the empty name.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::model::OwnerId;

use super::random;

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
    pub(crate) fn seal<T: Serialize>(&self, owner: OwnerId, name: &str, kept: &T) -> Option<Vec<u8>> {
        let text = serde_json::to_vec(kept).ok()?;
        self.seal_bytes(&place(owner, name), text)
    }

    /// `place`: where the record belongs, so that it can't be put in another's place.
    pub(crate) fn seal_bytes(&self, place: &[u8], mut text: Vec<u8>) -> Option<Vec<u8>> {
        // A random nonce: 96 bits are enough for some 2^32 changes of passwords.
        let nonce: [u8; NONCE_LEN] = random().ok()?;
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut text)
            .ok()?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + text.len());
        sealed.push(VERSION);
        sealed.extend(nonce);
        sealed.extend(text);
        Some(sealed)
    }

    /// `None` if it is damaged, another owner's or sealed with another secret.
    pub(crate) fn open<T: DeserializeOwned>(&self, owner: OwnerId, name: &str, sealed: &[u8]) -> Option<T> {
        let text = self.open_bytes(&place(owner, name), sealed)?;
        serde_json::from_slice(&text).ok()
    }

    /// `None` if it is damaged, belongs elsewhere or was sealed with another secret.
    pub(crate) fn open_bytes(&self, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (version, rest) = sealed.split_first()?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN).filter(|_| *version == VERSION)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let text = self.key.open_in_place(nonce, Aad::from(place), &mut text).ok()?;
        Some(text.to_vec())
    }
}

fn place(owner: OwnerId, name: &str) -> Vec<u8> {
    let mut place = owner.0.to_be_bytes().to_vec();
    place.extend(name.as_bytes());
    place
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::Stored;
    use super::*;

    #[test]
    fn only_the_owner_and_the_secret_open_a_seal() {
        let seal = Seal::new(&[1; 32]).unwrap();
        let stored = Stored {
            imported: Some("{SHA}x".to_owned()),
            ..Stored::default()
        };
        let sealed = seal.seal(OwnerId(5), "", &stored).unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains("SHA"));
        assert_eq!(
            seal.open::<Stored>(OwnerId(5), "", &sealed)
                .unwrap()
                .imported
                .unwrap(),
            "{SHA}x"
        );
        let opens = |secret: u8, owner: u64, name: &str, sealed: &[u8]| {
            let seal = Seal::new(&[secret; 32]).unwrap();
            seal.open::<Stored>(OwnerId(owner), name, sealed).is_some()
        };
        assert!(opens(1, 5, "", &sealed));
        assert!(!opens(1, 6, "", &sealed));
        assert!(!opens(1, 5, "phone", &sealed));
        assert!(!opens(2, 5, "", &sealed));
        assert!(!opens(1, 5, "", &sealed[..20]));
    }
}
