//! What is kept of a password for the mechanisms that never send it. A verifier does not give the password
//! away, but those of CRAM-MD5, DIGEST-MD5 and NTLM are as good as it for their mechanism: they are secrets.

use hmac::digest::common::hazmat::SerializableState;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::hash::{Hash, md5};

/// RFC 7677 §4 demands at least 4096.
pub const SCRAM_ITERATIONS: u32 = 4096;
/// The realm of DIGEST-MD5: constant, because its verifier depends on it.
pub const DIGEST_REALM: &str = "batpost";

/// The verifiers of one user; those that are missing were not made, and their mechanism fails for him.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verifiers {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scram_sha1: Option<ScramVerifier>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scram_sha256: Option<ScramVerifier>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cram_md5: Option<CramVerifier>,
    /// MD5 of `user:realm:password` (RFC 2831 §2.1.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_base64")]
    pub digest_md5: Option<Vec<u8>>,
    /// The NT hash: [MS-NLMP] §3.3.1 calls it NTOWFv1. Without a salt, so that all servers that a user has this password on know the same.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_base64")]
    pub ntlm: Option<Vec<u8>>,
    /// Those of further passwords of the same user; SCRAM tries the ones that have the salt which the client was told.
    #[serde(skip)]
    pub others: Vec<Verifiers>,
}

/// RFC 5802 §3.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScramVerifier {
    #[serde(with = "as_base64")]
    pub salt: Vec<u8>,
    pub iterations: u32,
    #[serde(with = "as_base64")]
    pub stored_key: Vec<u8>,
    #[serde(with = "as_base64")]
    pub server_key: Vec<u8>,
}

/// The states of MD5 after the two padded keys of HMAC (RFC 2104 §4), 16 bytes each.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CramVerifier {
    #[serde(with = "as_base64")]
    pub inner: Vec<u8>,
    #[serde(with = "as_base64")]
    pub outer: Vec<u8>,
}

/// Secrets appear in no log.
impl std::fmt::Debug for Verifiers {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Verifiers(…)")
    }
}

impl std::fmt::Debug for ScramVerifier {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("ScramVerifier(…)")
    }
}

impl std::fmt::Debug for CramVerifier {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("CramVerifier(…)")
    }
}

impl Verifiers {
    /// Makes those that depend on the password alone. The salt is random, 16 bytes.
    pub fn derive(password: &str, salt: &[u8]) -> Self {
        Self::derive_with(password, salt, SCRAM_ITERATIONS)
    }

    pub fn derive_with(password: &str, salt: &[u8], iterations: u32) -> Self {
        let prepared = saslprep(password);
        Verifiers {
            scram_sha1: Some(ScramVerifier::derive(Hash::Sha1, &prepared, salt, iterations)),
            scram_sha256: Some(ScramVerifier::derive(Hash::Sha256, &prepared, salt, iterations)),
            cram_md5: Some(CramVerifier::derive(password)),
            digest_md5: None,
            ntlm: None,
            others: Vec::new(),
        }
    }

    /// All of the user's passwords, numbered: 0 is the user's own, the others follow.
    pub fn each(&self) -> impl Iterator<Item = (usize, &Verifiers)> {
        std::iter::once(self).chain(&self.others).enumerate()
    }

    /// Adds that of DIGEST-MD5, which holds for one spelling of the user's name.
    pub fn with_digest_md5(mut self, user: &str, password: &str) -> Self {
        let parts = [
            latin1(user),
            b":".to_vec(),
            latin1(DIGEST_REALM),
            b":".to_vec(),
            latin1(password),
        ];
        self.digest_md5 = Some(md5(&parts.each_ref().map(Vec::as_slice)).to_vec());
        self
    }

    /// Adds that of NTLM.
    pub fn with_ntlm(mut self, password: &str) -> Self {
        self.ntlm = Some(super::ntlm::nt_hash(password).to_vec());
        self
    }
}

impl ScramVerifier {
    pub(super) fn derive(hash: Hash, password: &str, salt: &[u8], iterations: u32) -> Self {
        let salted = hash.stretch(password.as_bytes(), salt, iterations);
        let client_key = hash.hmac(&salted, b"Client Key");
        ScramVerifier {
            salt: salt.to_vec(),
            iterations,
            stored_key: hash.digest(&client_key),
            server_key: hash.hmac(&salted, b"Server Key"),
        }
    }
}

impl CramVerifier {
    pub fn derive(password: &str) -> Self {
        let mut key = [0_u8; 64];
        let password = password.as_bytes();
        if password.len() > key.len() {
            key[..16].copy_from_slice(&md5(&[password]));
        } else {
            key[..password.len()].copy_from_slice(password);
        }
        CramVerifier {
            inner: state_after(&key.map(|b| b ^ 0x36)),
            outer: state_after(&key.map(|b| b ^ 0x5c)),
        }
    }

    /// HMAC-MD5 of the challenge; `None` if the verifier is damaged.
    pub fn hmac(&self, challenge: &[u8]) -> Option<[u8; 16]> {
        let inner = resume(&self.inner)?.chain_update(challenge).finalize();
        Some(resume(&self.outer)?.chain_update(inner).finalize().into())
    }
}

/// SASLprep (RFC 4013). A text that it forbids stands for itself: the password was taken, so it must work.
pub fn saslprep(text: &str) -> String {
    stringprep::saslprep(text).map_or_else(|_| text.to_owned(), |text| text.into_owned())
}

/// RFC 2831 §2.1.2.1: in ISO 8859-1 where that can write it.
pub(super) fn latin1(text: &str) -> Vec<u8> {
    let narrow: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    narrow.unwrap_or_else(|| text.as_bytes().to_vec())
}

fn state_after(block: &[u8; 64]) -> Vec<u8> {
    Md5::new()
        .chain_update(block)
        .serialize()
        .iter()
        .take(16)
        .copied()
        .collect()
}

fn resume(state: &[u8]) -> Option<Md5> {
    // All but the 16 bytes of the state is the same after any one block.
    let mut serialized = Md5::new().chain_update([0; 64]).serialize();
    serialized
        .get_mut(..16)?
        .copy_from_slice(state.get(..16).filter(|_| state.len() == 16)?);
    Md5::deserialize(&serialized).ok()
}

mod as_base64 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&crate::base64::encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(input)?;
        crate::base64::decode(text.as_bytes()).ok_or_else(|| D::Error::custom("not base64"))
    }
}

mod optional_base64 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::ref_option, reason = "the signature that serde calls")]
    pub(super) fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, out: S) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => out.serialize_some(&crate::base64::encode(bytes)),
            None => out.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Vec<u8>>, D::Error> {
        let Some(text) = Option::<String>::deserialize(input)? else {
            return Ok(None);
        };
        let bytes = crate::base64::decode(text.as_bytes());
        bytes.map(Some).ok_or_else(|| D::Error::custom("not base64"))
    }
}
