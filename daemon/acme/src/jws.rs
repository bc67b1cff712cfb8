//! The account's key, and requests signed with it: JSON Web Signatures (RFC 7515) with ES256, as RFC 8555 §6.2 wants them.
//!
//! Must not know: what is signed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use ring::{digest, hmac};
use serde_json::{Value, json};

use crate::AcmeError;

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// SHA-256.
pub(crate) fn digest(text: &str) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    out
}

/// A key of an account: ECDSA on P-256.
pub(crate) struct AccountKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl AccountKey {
    /// Makes a key; it, and how it is kept (PKCS #8).
    pub(crate) fn generate() -> Result<Vec<u8>, AcmeError> {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let made = made.map_err(|_| AcmeError::Tls("the system gives no random bytes".to_owned()))?;
        Ok(made.as_ref().to_vec())
    }

    pub(crate) fn read(pkcs8: &[u8]) -> Result<Self, AcmeError> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &random);
        let pair = pair.map_err(|error| AcmeError::Disk(format!("the account's key: {error}")))?;
        Ok(Self { pair, random })
    }

    /// The public half (RFC 7517), its members as RFC 7638 §3.3 orders them.
    fn jwk_text(&self) -> String {
        // An uncompressed point: 4, x, y (SEC 1 §2.3.3).
        let point = self.pair.public_key().as_ref();
        let (x, y) = point
            .get(1..)
            .unwrap_or_default()
            .split_at(32.min(point.len().saturating_sub(1)));
        format!(
            r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
            base64url(x),
            base64url(y)
        )
    }

    pub(crate) fn jwk(&self) -> Value {
        serde_json::from_str(&self.jwk_text()).unwrap_or_default()
    }

    /// RFC 8555 §8.1
    pub(crate) fn authorization(&self, token: &str) -> String {
        format!("{token}.{}", base64url(digest(&self.jwk_text())))
    }

    /// A signed request. Without `kid` the key itself is in it (RFC 8555 §6.2). No payload: POST-as-GET (§6.3).
    pub(crate) fn sign(
        &self,
        url: &str,
        nonce: &str,
        kid: Option<&str>,
        payload: Option<&Value>,
    ) -> Result<String, AcmeError> {
        let protected = match kid {
            Some(kid) => json!({"alg": "ES256", "kid": kid, "nonce": nonce, "url": url}),
            None => json!({"alg": "ES256", "jwk": self.jwk(), "nonce": nonce, "url": url}),
        };
        let payload = payload.map(ToString::to_string).unwrap_or_default();
        Ok(self.signed(&protected, &payload)?.to_string())
    }

    /// What a new key says of itself so that it takes the place of the old one (RFC 8555 §7.3.5): signed by it, without a nonce.
    pub(crate) fn roll_over(&self, url: &str, account: &str, old: &Self) -> Result<Value, AcmeError> {
        let protected = json!({"alg": "ES256", "jwk": self.jwk(), "url": url});
        let payload = json!({"account": account, "oldKey": old.jwk()});
        self.signed(&protected, &payload.to_string())
    }

    fn signed(&self, protected: &Value, payload: &str) -> Result<Value, AcmeError> {
        let sign = |input: &[u8]| {
            let signed = self.pair.sign(&self.random, input);
            signed.map(|signature| base64url(signature.as_ref())).ok()
        };
        let made = flattened(protected, payload, sign);
        made.ok_or_else(|| AcmeError::Tls("the system gives no random bytes".to_owned()))
    }

    /// What binds the account to one that the authority knows already (RFC 8555 §7.3.4). `secret` is in base64url, as authorities give it.
    pub(crate) fn external_account(&self, url: &str, kid: &str, secret: &str) -> Option<Value> {
        let secret = URL_SAFE_NO_PAD.decode(secret.trim().trim_end_matches('=')).ok()?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let protected = json!({"alg": "HS256", "kid": kid, "url": url});
        flattened(&protected, &self.jwk_text(), |input| {
            Some(base64url(hmac::sign(&key, input)))
        })
    }
}

/// RFC 7515 §7.2.2
fn flattened(protected: &Value, payload: &str, sign: impl FnOnce(&[u8]) -> Option<String>) -> Option<Value> {
    let (protected, payload) = (base64url(protected.to_string()), base64url(payload));
    let signature = sign(format!("{protected}.{payload}").as_bytes())?;
    Some(json!({"protected": protected, "payload": payload, "signature": signature}))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    // An authority that can't verify a request answers none.
    #[test]
    fn what_is_signed_can_be_verified_by_the_key_in_it() {
        let key = AccountKey::read(&AccountKey::generate().unwrap()).unwrap();
        let text = key
            .sign("https://ca.test/new", "n1", None, Some(&json!({"a": 1})))
            .unwrap();
        let made: Value = serde_json::from_str(&text).unwrap();
        let part = |name: &str| made[name].as_str().unwrap().to_owned();
        let protected: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part("protected")).unwrap()).unwrap();
        assert_eq!(protected["nonce"], "n1");
        assert_eq!(protected["url"], "https://ca.test/new");
        let mut point = vec![4];
        for axis in ["x", "y"] {
            point.extend(
                URL_SAFE_NO_PAD
                    .decode(protected["jwk"][axis].as_str().unwrap())
                    .unwrap(),
            );
        }
        assert_eq!(point.len(), 65);
        let signature = URL_SAFE_NO_PAD.decode(part("signature")).unwrap();
        let input = format!("{}.{}", part("protected"), part("payload"));
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        public.verify(input.as_bytes(), &signature).unwrap();

        let text = key
            .sign("https://ca.test/o", "n2", Some("https://ca.test/a/1"), None)
            .unwrap();
        let made: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(made["payload"], "");
    }

    // RFC 7638 orders the members; another order is another thumbprint, and no challenge holds.
    #[test]
    fn the_thumbprint_is_that_of_the_ordered_members() {
        let key = AccountKey::read(&AccountKey::generate().unwrap()).unwrap();
        let jwk = key.jwk();
        let text = format!(
            "{{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":{},\"y\":{}}}",
            jwk["x"], jwk["y"]
        );
        assert_eq!(key.authorization("t"), format!("t.{}", base64url(digest(&text))));
    }

    #[test]
    fn an_external_account_is_bound_by_its_key() {
        let key = AccountKey::read(&AccountKey::generate().unwrap()).unwrap();
        let bound = key
            .external_account("https://ca.test/new", "kid-1", "AQID")
            .unwrap();
        let input = format!(
            "{}.{}",
            bound["protected"].as_str().unwrap(),
            bound["payload"].as_str().unwrap()
        );
        let secret = hmac::Key::new(hmac::HMAC_SHA256, &[1, 2, 3]);
        let signature = URL_SAFE_NO_PAD
            .decode(bound["signature"].as_str().unwrap())
            .unwrap();
        hmac::verify(&secret, input.as_bytes(), &signature).unwrap();
        assert!(
            key.external_account("https://ca.test/new", "kid-1", "!")
                .is_none()
        );
    }
}
