//! What mechanisms compare that never hear the password: what is kept of a user's password, of the app passwords, and of those that let nobody in any more.
//!
//! The last are compared as well so that the failures of a program that knows no other are counted once (`password::former`).

use std::sync::Arc;

use wire::sasl::{ScramVerifier, Verifiers};

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
                if mechanism.starts_with("SCRAM") {
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

    /// Whether the password that was right is so still. SCRAM is told what is kept before the client shows that it knows the password, which may be a
    /// while.
    pub(super) async fn is_right_still(&mut self, which: usize) -> bool {
        let Some(compared) = self.compared.take() else {
            return true;
        };
        let (authzid, before) = *compared;
        let user = self.user.clone();
        let now = self.verifiers(&user, authzid.as_deref()).await;
        now.is_some_and(|now| scram_of(&now, which) == scram_of(&before, which))
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

/// What SCRAM compares with for one of a user's passwords.
fn scram_of(all: &Verifiers, which: usize) -> Option<[Option<&ScramVerifier>; 2]> {
    let one = match which.checked_sub(1) {
        None => Some(all),
        Some(place) => all.others.get(place),
    };
    one.map(|one| [one.scram_sha1.as_ref(), one.scram_sha256.as_ref()])
}
