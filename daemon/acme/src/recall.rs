//! What was given is taken back: a certificate that is no longer to be believed is revoked, and the account's key is replaced.
//!
//! A revoked certificate serves on until the new one is there, which is asked for at once: mail programs seldom look whether one is revoked, and always whether
//! there is one. The new key of the account is on the disk before the authority hears of it; if its answer is lost, the authority is asked which of the two it
//! has before the account is used again.
//!
//! Must not know: why.

use std::time::Duration;

use events::Scope;
use events::kinds::server::{AccountKeyChanged, CertificateRevoked};

use tokio::sync::MutexGuard;

use crate::work::answerable_at_all;
use crate::{Acme, AcmeError, Inner};

/// How long an order under way is waited for.
const TURN_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a certificate is no longer to be believed (RFC 5280 §5.3.1), as far as authorities take it from a subscriber.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reason {
    #[default]
    Unspecified,
    /// Somebody else may have the key.
    KeyCompromise,
    AffiliationChanged,
    Superseded,
    CessationOfOperation,
}

impl Reason {
    pub const ALL: [Self; 5] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "key-compromise",
            Self::AffiliationChanged => "affiliation-changed",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessation-of-operation",
        }
    }

    /// An empty word: it is not said.
    pub fn of_word(word: &str) -> Option<Self> {
        if word.is_empty() {
            return Some(Self::Unspecified);
        }
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }

    fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
        }
    }
}

impl Inner {
    /// The turn of whoever does something with the authority; an order under way may take hours, and nobody waits for that.
    async fn turn(&self) -> Result<MutexGuard<'_, ()>, AcmeError> {
        let turn = tokio::time::timeout(TURN_TIMEOUT, self.one.lock()).await;
        turn.map_err(|_| AcmeError::Busy)
    }
}

impl Acme {
    /// Revokes the certificate of the order by that name, and has another one got at once.
    pub async fn revoke(&self, name: &str, reason: Reason) -> Result<(), AcmeError> {
        let name = name.trim().to_ascii_lowercase();
        let inner = &self.inner;
        inner.read_again(false).await?;
        // Not while it is being replaced.
        let _one = inner.turn().await?;
        let found = inner.wanted.lock().iter().find(|one| one.name() == name).cloned();
        let wanted = found.ok_or(AcmeError::Unknown)?;
        // By no id the tls room knows its standard certificate, which is none of ours.
        if wanted.id.is_empty() {
            return Err(AcmeError::NoCertificate);
        }
        let certificate = inner.parts.tls.der(&wanted.id).ok_or(AcmeError::NoCertificate)?;
        let options = (inner.parts.options)();
        answerable_at_all(&options)?;
        let (client, _) = inner.account(&options).await?;
        client.revoke(&certificate, reason.code()).await?;
        let event = CertificateRevoked {
            names: wanted.names.join(", "),
            reason: reason.word().to_owned(),
        };
        inner.parts.events.emit(Scope::default(), event);
        for kept in inner.wanted.lock().iter_mut().filter(|kept| kept.name() == name) {
            kept.next_try = 0;
        }
        inner.changed.notify_one();
        inner.keep().await
    }

    /// Gives the account at the authority a new key.
    pub async fn rekey(&self) -> Result<(), AcmeError> {
        let inner = &self.inner;
        let _one = inner.turn().await?;
        let options = (inner.parts.options)();
        answerable_at_all(&options)?;
        let (client, mut account) = inner.account(&options).await?;
        account.begin_change()?;
        inner.write_account(&account).await?;
        let Some(next) = account.next_key()? else {
            return Ok(());
        };
        let asked = client.change_key(&next).await;
        match &asked {
            // Whether it was heard is found out before the account is used again.
            Err(error) if error.is_passing() => return asked,
            done => account.end_change(done.is_ok()),
        }
        inner.write_account(&account).await?;
        asked?;
        let event = AccountKeyChanged {
            directory: options.directory,
        };
        inner.parts.events.emit(Scope::default(), event);
        Ok(())
    }
}
