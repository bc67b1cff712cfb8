//! Public keys in DNS (RFC 6376 §3.6, RFC 8463, RFC 8301) and what they confirm.

use dns::DnsError;
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use shared::DomainName;

use crate::questions::Questions;
use crate::tags::Tags;

/// What signatures are made with; `rsa-sha1` is no longer worth anything (RFC 8301 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    RsaSha256,
    Ed25519Sha256,
}

impl Algorithm {
    pub fn name(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsa-sha256",
            Self::Ed25519Sha256 => "ed25519-sha256",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "rsa-sha256" => Some(Self::RsaSha256),
            "ed25519-sha256" => Some(Self::Ed25519Sha256),
            _ => None,
        }
    }

    fn key_type(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsa",
            Self::Ed25519Sha256 => "ed25519",
        }
    }
}

/// Why a key is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyError {
    Temporary,
    Missing,
    Revoked,
    Bad,
}

impl KeyError {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Temporary => "key unavailable",
            Self::Missing => "no key",
            Self::Revoked => "key revoked",
            Self::Bad => "key does not fit",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Key {
    algorithm: Algorithm,
    bytes: Vec<u8>,
    /// `t=s`: the signing user's domain must be the key's own.
    pub(crate) strict: bool,
}

impl Key {
    /// Asks for the key of a selector.
    pub(crate) async fn find(
        questions: &Questions,
        selector: &str,
        domain: &str,
        algorithm: Algorithm,
    ) -> Result<Self, KeyError> {
        let name = format!("{selector}._domainkey.{domain}");
        let name = DomainName::parse(&name).map_err(|_| KeyError::Missing)?;
        let records = match questions.txt(name.as_str()).await {
            Ok(records) => records,
            Err(DnsError::Temporary(_)) => return Err(KeyError::Temporary),
            Err(DnsError::NoSuchDomain) => return Err(KeyError::Missing),
        };
        let mut last = KeyError::Missing;
        for record in &records {
            match Self::parse(record, algorithm) {
                Ok(key) => return Ok(key),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn parse(record: &[u8], algorithm: Algorithm) -> Result<Self, KeyError> {
        let tags = Tags::parse(record).ok_or(KeyError::Bad)?;
        let has = |tag: &str, wanted: &[&str]| {
            tags.get(tag)
                .is_none_or(|list| list.split(':').any(|item| wanted.contains(&item.trim())))
        };
        let version = tags.get("v").is_none() || tags.begins_with("v", "DKIM1");
        let fits = tags.get("k").unwrap_or("rsa") == algorithm.key_type();
        if !version || !fits || !has("h", &["sha256"]) || !has("s", &["*", "email"]) {
            return Err(KeyError::Bad);
        }
        if tags.get("p").is_some_and(str::is_empty) {
            return Err(KeyError::Revoked);
        }
        let bytes = tags.base64("p").ok_or(KeyError::Bad)?;
        let bytes = match algorithm {
            Algorithm::RsaSha256 => rsa_public_key(&bytes).ok_or(KeyError::Bad)?.to_vec(),
            Algorithm::Ed25519Sha256 => bytes,
        };
        let strict = tags
            .get("t")
            .is_some_and(|flags| flags.split(':').any(|flag| flag.trim() == "s"));
        Ok(Self {
            algorithm,
            bytes,
            strict,
        })
    }

    /// Whether the signature over `message` is the key's. RSA keys below 1024 bits confirm nothing (RFC 8301 §3.2).
    pub(crate) fn confirms(&self, message: &[u8], signature: &[u8]) -> bool {
        let confirmed = match self.algorithm {
            Algorithm::RsaSha256 => {
                UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, &self.bytes)
                    .verify(message, signature)
            }
            // RFC 8463 §3: what is signed is the hash.
            Algorithm::Ed25519Sha256 => UnparsedPublicKey::new(&ED25519, &self.bytes)
                .verify(digest(&SHA256, message).as_ref(), signature),
        };
        confirmed.is_ok()
    }
}

/// The RSAPublicKey in a SubjectPublicKeyInfo (RFC 5280 §4.1), or the bare one that some publish.
fn rsa_public_key(der: &[u8]) -> Option<&[u8]> {
    const RSA_ENCRYPTION: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    let (outer, _) = element(der, 0x30)?;
    if outer.first() == Some(&0x02) {
        return Some(der);
    }
    let (algorithm, rest) = element(outer, 0x30)?;
    let (bits, _) = element(rest, 0x03)?;
    algorithm
        .starts_with(RSA_ENCRYPTION)
        .then(|| bits.strip_prefix(&[0]))?
}

/// The content of a DER element and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    let (len, rest) = rest.split_first()?;
    let (len, rest) = match len {
        0..=0x7f => (usize::from(*len), rest),
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(len & 0x7f))?;
            (
                bytes.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)),
                rest,
            )
        }
        _ => return None,
    };
    (*first == tag).then(|| rest.split_at_checked(len))?
}
