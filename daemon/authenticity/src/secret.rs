//! Private keys for signing: made, taken from PEM, opened for use; and the record that publishes their other half.

use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::pkcs8::EncodePrivateKey;
use shared::DomainName;

use crate::key::Algorithm;

/// Bits of RSA keys that are made here: longer ones do not fit into one string of a TXT record, and few look at them.
const RSA_BITS: usize = 2048;
/// `AlgorithmIdentifier` of RSA (RFC 8017 §A.1).
const RSA_IDENTIFIER: &[u8] = &[
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// Why a key can't be made or taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFault {
    /// The system gives no random bytes.
    NoRandom,
    /// The text is no private key that signs: PKCS #8 or PKCS #1 in PEM, RSA of 2048 to 4096 bits or Ed25519.
    Unreadable,
}

/// A private key before it belongs to a domain.
pub struct Secret {
    pub algorithm: Algorithm,
    /// PKCS #8.
    pub private: Vec<u8>,
    /// The text of the TXT record (RFC 6376 §3.6.1).
    pub record: String,
}

impl Secret {
    /// Makes a key. Blocks for as long as a second.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyFault> {
        let private = match algorithm {
            Algorithm::RsaSha256 => {
                let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, RSA_BITS);
                let der = key.map_err(|_| KeyFault::NoRandom)?.to_pkcs8_der();
                der.map_err(|_| KeyFault::NoRandom)?.as_bytes().to_vec()
            }
            Algorithm::Ed25519Sha256 => {
                let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
                made.map_err(|_| KeyFault::NoRandom)?.as_ref().to_vec()
            }
        };
        Self::from_pkcs8(private)
    }

    /// Takes a key that was made elsewhere.
    pub fn from_pem(text: &str) -> Result<Self, KeyFault> {
        let der = |label: &str| {
            let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
            let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
            let packed: String = body.split_ascii_whitespace().collect();
            wire::base64::decode(packed.as_bytes())
        };
        if let Some(pkcs8) = der("PRIVATE KEY") {
            return Self::from_pkcs8(pkcs8);
        }
        let pkcs1 = der("RSA PRIVATE KEY").ok_or(KeyFault::Unreadable)?;
        let content = [&[0x02, 0x01, 0x00], RSA_IDENTIFIER, &tagged(0x04, &pkcs1)].concat();
        Self::from_pkcs8(tagged(0x30, &content))
    }

    fn from_pkcs8(private: Vec<u8>) -> Result<Self, KeyFault> {
        let pair = Pair::open(&private).ok_or(KeyFault::Unreadable)?;
        Ok(Self {
            algorithm: pair.algorithm(),
            private,
            record: pair.record(),
        })
    }
}

/// A key that signs for a domain.
pub struct SigningKey {
    pub(crate) domain: DomainName,
    pub(crate) selector: String,
    pub(crate) pair: Pair,
}

impl SigningKey {
    /// `private`: PKCS #8, as [`Secret`] has it. `None` if it can't be read.
    pub fn open(domain: &DomainName, selector: &str, private: &[u8]) -> Option<Self> {
        Some(Self {
            domain: domain.clone(),
            selector: selector.to_owned(),
            pair: Pair::open(private)?,
        })
    }

    pub fn domain(&self) -> &DomainName {
        &self.domain
    }
}

pub(crate) enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl Pair {
    fn open(pkcs8: &[u8]) -> Option<Self> {
        if let Ok(pair) = RsaKeyPair::from_pkcs8(pkcs8) {
            return Some(Self::Rsa(Box::new(pair)));
        }
        // Other programs leave the public half out.
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).ok()?;
        Some(Self::Ed25519(Box::new(pair)))
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa(_) => Algorithm::RsaSha256,
            Self::Ed25519(_) => Algorithm::Ed25519Sha256,
        }
    }

    fn record(&self) -> String {
        match self {
            Self::Rsa(pair) => {
                let bits = [&[0], pair.public().as_ref()].concat();
                let content = [RSA_IDENTIFIER, &tagged(0x03, &bits)].concat();
                let info = wire::base64::encode(&tagged(0x30, &content));
                format!("v=DKIM1; k=rsa; p={info}")
            }
            // RFC 8463 §4: the bare key.
            Self::Ed25519(pair) => {
                let bare = wire::base64::encode(pair.public_key().as_ref());
                format!("v=DKIM1; k=ed25519; p={bare}")
            }
        }
    }

    /// `None` if the system gives no random bytes, which blind RSA.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .ok()?;
                Some(signature)
            }
            // RFC 8463 §3
            Self::Ed25519(pair) => {
                let hash = ring::digest::digest(&ring::digest::SHA256, message);
                Some(pair.sign(hash.as_ref()).as_ref().to_vec())
            }
        }
    }
}

/// A DER element.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len();
    let mut out = vec![tag];
    if len < 0x80 {
        out.push(len as u8);
    } else {
        let bytes = len.to_be_bytes();
        let bytes = &bytes[bytes.iter().position(|byte| *byte > 0).unwrap_or(0)..];
        out.push(0x80 | bytes.len() as u8);
        out.extend_from_slice(bytes);
    }
    out.extend_from_slice(content);
    out
}
