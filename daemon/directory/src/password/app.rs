//! App passwords: made by the server, one for each program or device of a user, and told once.
//!
//! They are random: 16 of 24 letters are more than 73 bits, so that nobody who has their hashes finds one by trying. A fast keyed hash
//! is right for them (and wrong for what people think up, which argon2id is for): checking all of a user's costs microseconds, and a
//! wrong password is hashed slowly once, however many app passwords there are. Verifiers of the mechanisms that never send a password are kept as
//! well, since mail programs choose those by themselves.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use shared::model::OwnerId;
use subtle::ConstantTimeEq;
use wire::sasl::Verifiers;

use super::random;

/// Small letters without those that look like digits: `l` and `o`.
const ALPHABET: &[u8; 24] = b"abcdefghijkmnpqrstuvwxyz";
const LETTERS: usize = 16;
const GROUP: usize = 4;

/// What is kept of one, sealed under the name that [`seal_name`] makes.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// HMAC-SHA256 with the server's secret of owner and letters.
    tag: Vec<u8>,
    #[serde(default)]
    pub(crate) verifiers: Verifiers,
}

impl Kept {
    pub(crate) fn new(secret: &[u8; 32], owner: OwnerId, letters: &Letters, verifiers: Verifiers) -> Self {
        Self {
            tag: tag(secret, owner, letters).to_vec(),
            verifiers,
        }
    }

    pub(crate) fn is(&self, secret: &[u8; 32], owner: OwnerId, letters: &Letters) -> bool {
        self.tag.ct_eq(&tag(secret, owner, letters)).into()
    }
}

/// The name under which one is sealed; that of the user's own password is empty.
pub(crate) fn seal_name(key: &str) -> String {
    format!("app {key}")
}

/// What looks like an app password, without its hyphens.
pub(crate) struct Letters([u8; LETTERS]);

impl Letters {
    /// `None` if the system gives no random bytes.
    pub(crate) fn make() -> Option<Self> {
        let mut letters = [0; LETTERS];
        let mut made = 0;
        while made < LETTERS {
            for byte in random::<32>().ok()? {
                // Of 256 values 240 are ten times the alphabet: the others would favour its beginning.
                if let (Some(place), true) = (letters.get_mut(made), byte < 240) {
                    *place = ALPHABET[usize::from(byte) % ALPHABET.len()];
                    made += 1;
                }
            }
        }
        Some(Self(letters))
    }

    /// What a person typed or a program remembered: hyphens and blanks may be left out, capitals are no matter.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut letters = [0; LETTERS];
        let mut read = 0;
        for byte in text.bytes().filter(|byte| !matches!(byte, b' ' | b'-')) {
            let letter = byte.to_ascii_lowercase();
            *letters.get_mut(read).filter(|_| ALPHABET.contains(&letter))? = letter;
            read += 1;
        }
        (read == LETTERS).then_some(Self(letters))
    }

    /// As it is shown, and as the verifiers know it.
    pub(crate) fn shown(&self) -> String {
        let groups: Vec<_> = self.0.chunks(GROUP).map(String::from_utf8_lossy).collect();
        groups.join("-")
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104 §2)")]
fn tag(secret: &[u8; 32], owner: OwnerId, letters: &Letters) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length");
    mac.chain_update(b"app password\0")
        .chain_update(owner.0.to_be_bytes())
        .chain_update(letters.0)
        .finalize()
        .into_bytes()
        .into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_shown_is_read_again_however_it_is_typed() {
        let made = Letters::make().unwrap();
        let shown = made.shown();
        assert_eq!(shown.len(), LETTERS + 3);
        assert_ne!(shown, Letters::make().unwrap().shown());
        let kept = Kept::new(&[1; 32], OwnerId(5), &made, Verifiers::default());
        for typed in [
            shown.clone(),
            shown.replace('-', " "),
            shown.replace('-', "").to_uppercase(),
        ] {
            assert!(
                kept.is(&[1; 32], OwnerId(5), &Letters::parse(&typed).unwrap()),
                "{typed}"
            );
        }
        assert!(!kept.is(&[2; 32], OwnerId(5), &made) && !kept.is(&[1; 32], OwnerId(6), &made));
        for other in [
            "",
            "abcd",
            "abcd-abcd-abcd-abcl",
            "abcd-abcd-abcd-abcde",
            "пароль-пароль",
        ] {
            assert!(Letters::parse(other).is_none(), "{other}");
        }
    }
}
