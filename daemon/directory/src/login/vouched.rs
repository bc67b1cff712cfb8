//! Logins by what somebody else vouches for: client certificates and tokens.

use std::sync::Arc;

use super::{Login, find};
use crate::admin::certificates;
use crate::cache::Known;
use crate::{LoginFailure, Unavailable};

impl Login {
    /// The user whose certificate the peer has shown, if it is the one that it wants to act for.
    pub(super) async fn external(&mut self, authzid: Option<&str>) -> Option<String> {
        let core = Arc::clone(&self.directory.inner);
        let certificate = self.context.certificate.clone()?;
        authzid.unwrap_or_default().clone_into(&mut self.user);
        self.attempt = Some(core.caches.attempt(&self.user, &certificate.fingerprint));
        let found = async {
            let wanted = match authzid {
                Some(name) => Some(find(&core, name).await?.map(|known| known.account.owner)),
                None => None,
            };
            let mut shown: Vec<Known> = certificates::user_of(&core, &certificate.fingerprint)
                .await?
                .into_iter()
                .collect();
            for email in &certificate.emails {
                shown.extend(find(&core, email).await?);
            }
            Ok(shown
                .into_iter()
                .find(|known| wanted.is_none_or(|owner| owner == Some(known.account.owner))))
        };
        self.admit(found.await)
    }

    /// The user whose token that is, if it is the one that the peer names.
    pub(super) async fn token(&mut self, named: Option<&str>, token: &str) -> Option<String> {
        let core = Arc::clone(&self.directory.inner);
        named.unwrap_or_default().clone_into(&mut self.user);
        self.attempt = Some(core.caches.attempt(&self.user, token));
        let found = async {
            let settings = core.settings.load_full();
            let Some(user) = core.oauth.user(&settings, token).await? else {
                return Ok(None);
            };
            let known = find(&core, &user).await?;
            let wanted = match named {
                Some(name) => find(&core, name).await?.map(|known| known.account.owner),
                None => known.as_ref().map(|known| known.account.owner),
            };
            Ok(known.filter(|known| Some(known.account.owner) == wanted))
        };
        self.admit(found.await)
    }

    /// Takes over who was found, if that user may log in, and that way.
    fn admit(&mut self, found: Result<Option<Known>, Unavailable>) -> Option<String> {
        match found {
            Ok(known) => {
                let name = self.mechanism;
                self.known = known.filter(|known| known.enabled && known.mechanisms.has(name));
                let user = self.known.as_ref()?.account.address.to_string();
                user.clone_into(&mut self.user);
                Some(user)
            }
            Err(Unavailable(_)) => {
                self.failure = Some(LoginFailure::Unavailable);
                None
            }
        }
    }
}
