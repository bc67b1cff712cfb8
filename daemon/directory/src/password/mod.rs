//! What is kept of a password, and how one is checked.
//!
//! Kept are an argon2id hash (for PLAIN and LOGIN) and the verifiers of the other mechanisms, together sealed with the
//! server's secret. Everything here is slow on purpose: call it on a thread that may block.

pub(crate) mod app;
pub(crate) mod former;
mod scheme;
mod seal;

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use serde::{Deserialize, Serialize};
use shared::Refusal;
use shared::mechanisms::Mechanisms;
use wire::sasl::{SCRAM_ITERATIONS, Verifiers};

pub(crate) use scheme::Given;
pub(crate) use seal::Seal;

/// Memory of argon2id. With two passes about 25 ms on the machines of today: the least that OWASP recommends.
const ARGON2_MEMORY_KIB: u32 = 19 * 1024;
const ARGON2_PASSES: u32 = 2;
/// Longest password in bytes: longer ones are refused, so that hashing has a bound.
pub(crate) const PASSWORD_LENGTH_MAX_BYTES: usize = 1024;
const SALT_BYTES: usize = 16;

/// What is kept of one user's password.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stored {
    /// Our own argon2id. A bulk import leaves it out and lets the first plain login make it: 10,000 of them would take
    /// minutes, and guard nothing that the SCRAM verifiers beside them don't give to whoever has the server's secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) argon2: Option<String>,
    /// A hash from elsewhere, with its scheme; gone after the first plain login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) imported: Option<String>,
    #[serde(default)]
    pub(crate) verifiers: Verifiers,
    /// The password itself, where the domain has a mechanism on that can't do without (APOP), after an administrator was warned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) plain: Option<String>,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    Wrong,
    Right,
    /// Right, and now that the password is known what is kept of it can be made whole.
    RightButIncomplete,
}

impl Stored {
    /// Everything that is kept of a password for these mechanisms. `user`: the full address in lower case. `salt`: SCRAM's, which all passwords of a
    /// user share, since the client is told one before it says which password it has; `None`: a new one.
    pub(crate) fn make(
        user: &str,
        password: &str,
        salt: Option<&[u8]>,
        wanted: Mechanisms,
    ) -> Result<Self, Refusal> {
        let argon2 = hash(password).ok_or_else(|| Refusal::new("password-unusable").field("password"))?;
        Ok(Self {
            argon2: Some(argon2),
            imported: None,
            verifiers: verifiers(user, password, salt, wanted)?,
            plain: wanted.has("APOP").then(|| password.to_owned()),
        })
    }

    /// What a bulk import keeps: see [`Stored::argon2`].
    pub(crate) fn make_for_import(user: &str, given: &Given, wanted: Mechanisms) -> Result<Self, Refusal> {
        match given {
            Given::Plain(password) => Ok(Self {
                // Without those of SCRAM nothing would be kept that a login can be checked with.
                verifiers: verifiers(user, password, None, wanted.and(scram()))?,
                plain: wanted.has("APOP").then(|| password.clone()),
                ..Self::default()
            }),
            Given::Hash(hash) => Ok(Self {
                imported: Some(hash.clone()),
                ..Self::default()
            }),
        }
    }

    /// Checks a password. Takes as long for a wrong one as for a right one, and as for no user at all.
    pub(crate) fn check(&self, password: &str, wanted: Mechanisms) -> Checked {
        if password.len() > PASSWORD_LENGTH_MAX_BYTES {
            return Checked::Wrong;
        }
        let complete = self.is_complete(wanted);
        if let Some(hash) = &self.argon2 {
            return match (verify_argon2(hash, password), complete) {
                (false, _) => Checked::Wrong,
                (true, true) => Checked::Right,
                (true, false) => Checked::RightButIncomplete,
            };
        }
        burn(password);
        let right = match &self.imported {
            Some(hash) => scheme::verify(hash, password),
            None => self.matches_scram(password),
        };
        if right {
            Checked::RightButIncomplete
        } else {
            Checked::Wrong
        }
    }

    /// Whether what is kept is what these mechanisms need, no more and no less.
    fn is_complete(&self, wanted: Mechanisms) -> bool {
        self.plain.is_some() == wanted.has("APOP")
            && [
                (self.verifiers.scram_sha1.is_some(), "SCRAM-SHA-1"),
                (self.verifiers.scram_sha256.is_some(), "SCRAM-SHA-256"),
                (self.verifiers.cram_md5.is_some(), "CRAM-MD5"),
                (self.verifiers.digest_md5.is_some(), "DIGEST-MD5"),
                (self.verifiers.ntlm.is_some(), "NTLM"),
            ]
            .iter()
            .all(|(kept, name)| *kept == wanted.has(name))
    }

    /// Less than is kept, if mechanisms need less; SCRAM's of a bulk import stay where there is nothing else to check a password with.
    pub(crate) fn without_unwanted(&self, wanted: Mechanisms) -> Option<Self> {
        let only_scram = self.argon2.is_none() && self.imported.is_none();
        let kept = if only_scram { wanted.and(scram()) } else { wanted };
        let less = Self {
            verifiers: wanted_of(self.verifiers.clone(), kept),
            plain: self.plain.clone().filter(|_| wanted.has("APOP")),
            ..self.clone()
        };
        (less.verifiers != self.verifiers || less.plain != self.plain).then_some(less)
    }

    fn matches_scram(&self, password: &str) -> bool {
        let Some(kept) = &self.verifiers.scram_sha256 else {
            return false;
        };
        let made = Verifiers::derive_with(password, &kept.salt, kept.iterations);
        made.scram_sha256.is_some_and(|made| {
            subtle::ConstantTimeEq::ct_eq(made.stored_key.as_slice(), kept.stored_key.as_slice()).into()
        })
    }
}

/// Spends the time of a check: for a user that does not exist.
pub(crate) fn burn(password: &str) {
    let mut out = [0_u8; 32];
    let password = password.get(..password.len().min(64)).unwrap_or_default();
    // The result is of no use, and neither is a failure.
    let _ =
        std::hint::black_box(argon2().hash_password_into(password.as_bytes(), &[7; SALT_BYTES], &mut out));
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &str) -> Option<String> {
    let salt = random::<SALT_BYTES>().ok()?;
    argon2()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .ok()
        .map(|hash| hash.to_string())
}

fn verify_argon2(hash: &str, password: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

/// SCRAM's salt in what is kept.
pub(crate) fn salt_of(verifiers: &Verifiers) -> Option<Vec<u8>> {
    let scram = verifiers
        .scram_sha256
        .as_ref()
        .or(verifiers.scram_sha1.as_ref())?;
    (scram.iterations == SCRAM_ITERATIONS).then(|| scram.salt.clone())
}

/// Verifiers without those of mechanisms that are off.
pub(crate) fn wanted_of(all: Verifiers, wanted: Mechanisms) -> Verifiers {
    Verifiers {
        scram_sha1: all.scram_sha1.filter(|_| wanted.has("SCRAM-SHA-1")),
        scram_sha256: all.scram_sha256.filter(|_| wanted.has("SCRAM-SHA-256")),
        cram_md5: all.cram_md5.filter(|_| wanted.has("CRAM-MD5")),
        digest_md5: all.digest_md5.filter(|_| wanted.has("DIGEST-MD5")),
        ntlm: all.ntlm.filter(|_| wanted.has("NTLM")),
        others: all.others,
    }
}

fn scram() -> Mechanisms {
    Mechanisms::of(&["SCRAM-SHA-256".to_owned()])
}

pub(crate) fn verifiers(
    user: &str,
    password: &str,
    salt: Option<&[u8]>,
    wanted: Mechanisms,
) -> Result<Verifiers, Refusal> {
    let new = random::<SALT_BYTES>().map_err(|_| Refusal::new("password-unusable").field("password"))?;
    let all = Verifiers::derive(password, salt.unwrap_or(&new))
        .with_digest_md5(user, password)
        .with_ntlm(password);
    Ok(wanted_of(all, wanted))
}

/// Random bytes of the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_password_is_right_and_another_is_wrong() {
        let stored = Stored::make("a@b.test", "geheim пароль", None, Mechanisms::standard()).unwrap();
        assert_eq!(
            stored.check("geheim пароль", Mechanisms::standard()),
            Checked::Right
        );
        assert_eq!(stored.check("geheim", Mechanisms::standard()), Checked::Wrong);
        assert_eq!(
            Stored::default().check("", Mechanisms::standard()),
            Checked::Wrong
        );
    }

    #[test]
    fn an_imported_password_can_be_completed_at_the_first_login() {
        let given = Given::parse("pass word").unwrap();
        let stored = Stored::make_for_import("a@b.test", &given, Mechanisms::standard()).unwrap();
        assert!(stored.argon2.is_none());
        assert_eq!(
            stored.check("pass word", Mechanisms::standard()),
            Checked::RightButIncomplete
        );
        assert_eq!(stored.check("password", Mechanisms::standard()), Checked::Wrong);
    }

    #[test]
    fn what_is_kept_follows_the_mechanisms_that_are_on() {
        let of = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            Mechanisms::of(&names)
        };
        let stored = Stored::make("a@b.test", "geheim", None, Mechanisms::standard()).unwrap();
        assert!(stored.plain.is_none());
        let apop = of(&["PLAIN", "APOP"]);
        assert_eq!(stored.check("geheim", apop), Checked::RightButIncomplete);
        let less = stored.without_unwanted(apop).unwrap();
        assert!(less.verifiers == Verifiers::default() && less.argon2.is_some());
        let stored = Stored::make("a@b.test", "geheim", None, apop).unwrap();
        assert_eq!(stored.plain.as_deref(), Some("geheim"));
        assert_eq!(stored.check("geheim", apop), Checked::Right);
        assert!(stored.without_unwanted(of(&["PLAIN"])).unwrap().plain.is_none());
        // A bulk import can be checked by SCRAM's verifier only, whatever is on.
        let given = Given::parse("geheim").unwrap();
        let stored = Stored::make_for_import("a@b.test", &given, of(&["PLAIN"])).unwrap();
        assert_eq!(
            stored.check("geheim", of(&["PLAIN"])),
            Checked::RightButIncomplete
        );
        assert!(stored.without_unwanted(of(&["PLAIN"])).is_none());
    }
}
