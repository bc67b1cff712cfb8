//! What mechanisms compare that never hear the password: what is kept of a user's password, of the app passwords, and of those that let nobody in any more.
//!
//! The last are compared as well so that the failures of a program that knows no other are counted once (`password::former`).

use std::sync::Arc;

use wire::sasl::Verifiers;

use super::{Login, NOBODY, find, ntlm};
use crate::admin::app_passwords;
use crate::{LoginFailure, LoginStep, Unavailable};

/// For the log.
const NO_GOOD: &str = "a former password, or the user is disabled";

impl Login {
    /// What is kept of the user's passwords, former ones too; nothing if there is no such user.
    pub(super) async fn verifiers(&mut self, user: &str, authzid: Option<&str>) -> Option<Verifiers> {
        let core = Arc::clone(&self.directory.inner);
        let (protocol, mechanism) = (self.context.protocol, self.mechanism);
        let found = async {
            // A mechanism that is off in the user's domain fails as for one who does not exist.
            let known = match mechanism {
                "NTLM" => ntlm::find(&core, user).await?,
                _ => find(&core, user).await?,
            };
            let mut known = known.filter(|known| known.mechanisms.has(mechanism));
            if let Some(other) = authzid.filter(|other| !other.is_empty()) {
                let other = find(&core, other).await?.map(|other| other.account.owner);
                known = known.filter(|known| other == Some(known.account.owner));
            }
            // The tables are asked for a user who does not exist as well: it takes the same time.
            let owner = known.as_ref().map_or(NOBODY, |known| known.account.owner);
            let stored = core.stored(owner).await?;
            let apps = app_passwords::of_owner(&core, owner, protocol).await?;
            Ok(known.map(|known| (known, stored, apps)))
        };
        match found.await {
            Ok(Some((known, stored, apps))) => {
                let formers = core.caches.formers.of(known.account.owner);
                // Who has no password at all fails as one who does not exist.
                if stored.is_none() && apps.is_empty() && formers.is_empty() {
                    return None;
                }
                // Those of a user who may not log in are no better than former ones.
                self.bad_from = Some(if known.enabled { 1 + apps.len() } else { 0 });
                let formers = formers.iter().map(|former| &former.verifiers);
                let others = apps.iter().map(|app| &app.kept.verifiers).chain(formers);
                let others = others.cloned().collect();
                self.known = Some(known);
                self.apps = apps;
                let all = Verifiers {
                    others,
                    ..stored.unwrap_or_default().verifiers
                };
                if waits(mechanism) {
                    let authzid = authzid.map(str::to_owned);
                    self.compared = Some(Box::new((authzid, all.clone())));
                }
                Some(all)
            }
            Ok(None) => None,
            Err(Unavailable(_)) => {
                self.failure = Some(LoginFailure::Unavailable);
                None
            }
        }
    }

    /// Which of those compared let nobody in, counted from 0; `None`: this one does.
    pub(super) fn bad(&self, which: usize) -> Option<usize> {
        self.bad_from.and_then(|from| which.checked_sub(from))
    }

    /// Where the password that was right is now. Some mechanisms were told what is kept before the client shows that it knows the password, or wait for the
    /// client to read their last words: it may take its time, and a change in between counts.
    pub(super) async fn place_now(&mut self, which: usize) -> Result<usize, LoginFailure> {
        let Some(compared) = self.compared.take() else {
            return Ok(which);
        };
        let (authzid, before) = *compared;
        let user = self.user.clone();
        let now = self.verifiers(&user, authzid.as_deref()).await;
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let right = before.each().find(|(place, _)| *place == which);
        let found = now.as_ref().zip(right).and_then(|(now, (_, right))| {
            let mut each = now.each();
            each.find(|(_, one)| is_same(self.mechanism, one, right))
        });
        found.map(|(place, _)| place).ok_or(LoginFailure::Credentials)
    }

    /// The peer knows a password that lets nobody in (any more), and may try it for ever: that is one failure.
    /// `bad`: which of them it is.
    pub(super) fn no_good(&mut self, bad: usize) -> LoginStep {
        let core = &self.directory.inner;
        let owner = self.known.as_ref().map_or(NOBODY, |known| known.account.owner);
        self.attempt = Some(
            core.caches
                .attempt(&format!("no good {}", owner.0), &bad.to_string()),
        );
        self.failed(LoginFailure::Credentials, NO_GOOD)
    }
}

/// Whether the client is waited for between what is kept being read and the end.
fn waits(mechanism: &str) -> bool {
    mechanism.starts_with("SCRAM") || mechanism == "DIGEST-MD5"
}

/// Whether a mechanism compares with the same.
fn is_same(mechanism: &str, one: &Verifiers, other: &Verifiers) -> bool {
    if mechanism.starts_with("SCRAM-SHA-256") {
        one.scram_sha256 == other.scram_sha256
    } else if mechanism.starts_with("SCRAM-SHA-1") {
        one.scram_sha1 == other.scram_sha1
    } else {
        one.digest_md5 == other.digest_md5
    }
}
