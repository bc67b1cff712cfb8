//! Hashes from elsewhere: `{SCHEME}hash` as Dovecot and LDAP write them, and bare `$…$` of crypt.

use argon2::PasswordHash;
use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha_crypt::{PasswordVerifier, ShaCrypt};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use shared::Refusal;

use super::PASSWORD_LENGTH_MAX_BYTES;

/// A hash that asks for more is refused at the import: each login would cost that much.
const ARGON2_MEMORY_MAX_KIB: u32 = 256 * 1024;
const ARGON2_PASSES_MAX: u32 = 20;
const BCRYPT_COST_MAX: u32 = 14;
const SHA_CRYPT_ROUNDS_MAX: u32 = 1_000_000;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A password as an administrator or a file gives it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Given {
    Plain(String),
    /// With its scheme in upper case and braces.
    Hash(String),
}

impl Given {
    /// Takes a password or `{SCHEME}hash`. Refuses an empty or too long one, an unknown scheme and a malformed hash.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        if text.is_empty() {
            return Err(Refusal::new("password-empty").field("password"));
        }
        if text.len() > PASSWORD_LENGTH_MAX_BYTES || text.contains('\0') {
            return Err(Refusal::new("password-unusable").field("password"));
        }
        let Some((scheme, hash)) = split(text) else {
            return Ok(Self::Plain(text.to_owned()));
        };
        if scheme == "PLAIN" || scheme == "CLEARTEXT" {
            return Self::plain(hash);
        }
        let whole = format!("{{{scheme}}}{hash}");
        match Hash::parse(&whole) {
            Some(_) => Ok(Self::Hash(whole)),
            None if SCHEMES.contains(&scheme.as_str()) => Err(Refusal::new("password-hash-invalid")
                .with("scheme", scheme)
                .field("password")),
            None => Err(Refusal::new("password-scheme-unknown")
                .with("scheme", scheme)
                .field("password")),
        }
    }

    fn plain(text: &str) -> Result<Self, Refusal> {
        if text.is_empty() {
            return Err(Refusal::new("password-empty").field("password"));
        }
        Ok(Self::Plain(text.to_owned()))
    }
}

const SCHEMES: &[&str] = &[
    "SHA",
    "SSHA",
    "SHA256",
    "SSHA256",
    "SHA512",
    "SSHA512",
    "ARGON2ID",
    "ARGON2I",
    "BLF-CRYPT",
    "SHA256-CRYPT",
    "SHA512-CRYPT",
    "CRYPT",
];

/// Whether the password is that of the hash (as [`Given::Hash`] holds it).
pub(super) fn verify(hash: &str, password: &str) -> bool {
    let password = password.as_bytes();
    let equal = |a: &[u8], b: &[u8]| bool::from(subtle::ConstantTimeEq::ct_eq(a, b));
    match Hash::parse(hash) {
        Some(Hash::Sha1 { digest, salt }) => equal(
            &Sha1::new().chain_update(password).chain_update(salt).finalize(),
            &digest,
        ),
        Some(Hash::Sha256 { digest, salt }) => equal(
            &Sha256::new().chain_update(password).chain_update(salt).finalize(),
            &digest,
        ),
        Some(Hash::Sha512 { digest, salt }) => equal(
            &Sha512::new().chain_update(password).chain_update(salt).finalize(),
            &digest,
        ),
        Some(Hash::Argon2(text)) => {
            PasswordHash::new(text).is_ok_and(|hash| super::argon2().verify_password(password, &hash).is_ok())
        }
        Some(Hash::Bcrypt(text)) => bcrypt::verify(password, text).unwrap_or(false),
        Some(Hash::ShaCrypt(text)) => ShaCrypt::default().verify_password(password, text).is_ok(),
        None => false,
    }
}

enum Hash<'a> {
    Sha1 { digest: Vec<u8>, salt: Vec<u8> },
    Sha256 { digest: Vec<u8>, salt: Vec<u8> },
    Sha512 { digest: Vec<u8>, salt: Vec<u8> },
    Argon2(&'a str),
    Bcrypt(&'a str),
    ShaCrypt(&'a str),
}

impl<'a> Hash<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (scheme, hash) = text.strip_prefix('{')?.split_once('}')?;
        match scheme {
            "SHA" => digest(hash, 20, false).map(|(digest, salt)| Self::Sha1 { digest, salt }),
            "SSHA" => digest(hash, 20, true).map(|(digest, salt)| Self::Sha1 { digest, salt }),
            "SHA256" => digest(hash, 32, false).map(|(digest, salt)| Self::Sha256 { digest, salt }),
            "SSHA256" => digest(hash, 32, true).map(|(digest, salt)| Self::Sha256 { digest, salt }),
            "SHA512" => digest(hash, 64, false).map(|(digest, salt)| Self::Sha512 { digest, salt }),
            "SSHA512" => digest(hash, 64, true).map(|(digest, salt)| Self::Sha512 { digest, salt }),
            "ARGON2ID" | "ARGON2I" | "BLF-CRYPT" | "SHA256-CRYPT" | "SHA512-CRYPT" | "CRYPT" => {
                Self::crypt(hash)
            }
            _ => None,
        }
    }

    fn crypt(hash: &'a str) -> Option<Self> {
        if hash.starts_with("$argon2") {
            let parsed = PasswordHash::new(hash).ok()?;
            let params = argon2::Params::try_from(&parsed).ok()?;
            let bounded = params.m_cost() <= ARGON2_MEMORY_MAX_KIB && params.t_cost() <= ARGON2_PASSES_MAX;
            return (bounded && parsed.hash.is_some()).then_some(Self::Argon2(hash));
        }
        let fields: Vec<_> = hash.strip_prefix('$')?.split('$').collect();
        match *fields.as_slice() {
            ["2a" | "2b" | "2x" | "2y", cost, rest] => (cost.parse::<u32>().ok()? <= BCRYPT_COST_MAX
                && rest.len() == 53)
                .then_some(Self::Bcrypt(hash)),
            ["5" | "6", _, digest] if !digest.is_empty() => Some(Self::ShaCrypt(hash)),
            ["5" | "6", rounds, _, digest] if !digest.is_empty() => {
                let rounds: u32 = rounds.strip_prefix("rounds=")?.parse().ok()?;
                (rounds <= SHA_CRYPT_ROUNDS_MAX).then_some(Self::ShaCrypt(hash))
            }
            _ => None,
        }
    }
}

/// Scheme in upper case and hash. A bare `$argon2id$…`, `$6$…` and so on is a hash if it is well formed; any other text
/// may well be somebody's password.
fn split(text: &str) -> Option<(String, &str)> {
    if text.starts_with('$') {
        return Hash::crypt(text).map(|_| ("CRYPT".to_owned(), text));
    }
    let (scheme, hash) = text.strip_prefix('{')?.split_once('}')?;
    let is_name = !scheme.is_empty()
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    is_name.then(|| (scheme.to_ascii_uppercase(), hash))
}

fn digest(text: &str, length: usize, salted: bool) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut digest = BASE64.decode(text).ok()?;
    if digest.len() < length || (digest.len() > length) != salted {
        return None;
    }
    let salt = digest.split_off(length);
    Some((digest, salt))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn code(text: &str) -> String {
        match Given::parse(text) {
            Ok(Given::Plain(_)) => "plain".to_owned(),
            Ok(Given::Hash(_)) => "hash".to_owned(),
            Err(refusal) => refusal.code,
        }
    }

    #[test]
    fn hashes_of_other_programs_are_taken() {
        let ssha = {
            let mut bytes = Sha1::new()
                .chain_update(b"secret")
                .chain_update(b"salt")
                .finalize()
                .to_vec();
            bytes.extend(b"salt");
            format!("{{ssha}}{}", BASE64.encode(bytes))
        };
        for (hash, password) in [
            (ssha.as_str(), "secret"),
            // The digest of "test" as the standard tools print it.
            ("{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=", "test"),
            // From the specification of SHA-crypt.
            (
                "{SHA512-CRYPT}$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
                "Hello world!",
            ),
            (
                "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
                "Hello world!",
            ),
        ] {
            let Ok(Given::Hash(stored)) = Given::parse(hash) else {
                panic!("{hash} was not taken")
            };
            assert!(verify(&stored, password), "{hash}");
            assert!(!verify(&stored, "wrong"), "{hash}");
        }
    }

    #[test]
    fn bcrypt_and_argon2_are_verified() {
        let bcrypt = bcrypt::hash("test", 4).unwrap();
        assert!(verify(&format!("{{BLF-CRYPT}}{bcrypt}"), "test"));
        let argon2 = super::super::hash("test").unwrap();
        let Ok(Given::Hash(stored)) = Given::parse(&argon2) else {
            panic!("not taken")
        };
        assert!(verify(&stored, "test") && !verify(&stored, "best"));
    }

    #[test]
    fn what_is_no_hash_is_refused_or_a_password() {
        for (text, want) in [
            ("{NOSUCH}x", "password-scheme-unknown"),
            ("{SHA}x", "password-hash-invalid"),
            ("{BLF-CRYPT}$2y$31$abc", "password-hash-invalid"),
            (
                "{SHA512-CRYPT}$6$rounds=999999999$salt$digest",
                "password-hash-invalid",
            ),
            ("{PLAIN}", "password-empty"),
            ("", "password-empty"),
            ("{PLAIN}{weird}", "plain"),
            ("$ecret", "plain"),
            ("{} braces", "plain"),
        ] {
            assert_eq!(code(text), want, "{text}");
        }
    }
}
