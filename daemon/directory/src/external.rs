//! What the directory says of external accounts: [`Directory`]'s methods for them.

use shared::model::OwnerId;
use shared::protocol::{Page, Rows};
use shared::{Address, External};

use crate::admin::external;
use crate::{ChangeError, Directory, Unavailable};

/// An external account with what it logs in with.
pub struct ExternalAccount {
    pub owner: OwnerId,
    /// The name in lower case.
    pub key: String,
    pub external: External,
    pub password: Option<String>,
}

/// That an external account is to be visited by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalTurn {
    pub owner: OwnerId,
    pub key: String,
    pub interval_minutes: u32,
    /// Rises with each change of the account.
    pub revision: u64,
}

/// A message of an external account that need not be asked for again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalSeen {
    /// The other server's unique id.
    pub mark: String,
    /// Unix seconds.
    pub at: i64,
    /// It was not taken; its size.
    pub skipped_bytes: Option<u64>,
}

impl Directory {
    pub async fn externals(
        &self,
        user: Option<&Address>,
        page: Page,
    ) -> Result<Rows<(OwnerId, External)>, ChangeError> {
        external::list(&self.inner, user, page).await
    }
    pub async fn add_external(
        &self,
        external: External,
        password: Option<&str>,
        by: &str,
    ) -> Result<u64, ChangeError> {
        external::add(&self.inner, external, password, by).await
    }
    /// Without a password the old one stays; the empty one takes it away. Another host, login or protocol is another account: what was
    /// fetched from the old one is forgotten.
    pub async fn set_external(
        &self,
        external: External,
        password: Option<&str>,
        by: &str,
    ) -> Result<u64, ChangeError> {
        external::set(&self.inner, external, password, by).await
    }
    pub async fn remove_external(&self, user: &Address, name: &str, by: &str) -> Result<(), ChangeError> {
        external::remove(&self.inner, user, name, by).await
    }
    /// `key`: the name in lower case.
    pub async fn external(&self, owner: OwnerId, key: &str) -> Result<Option<ExternalAccount>, Unavailable> {
        external::account(&self.inner, owner, key).await
    }
    /// The external accounts that are in use.
    pub async fn external_turns(&self) -> Result<Vec<ExternalTurn>, Unavailable> {
        external::turns(&self.inner).await
    }
    /// What whoever fetches keeps of an account.
    pub async fn external_state(&self, owner: OwnerId, key: &str) -> Result<Option<String>, Unavailable> {
        external::state(&self.inner, owner, key).await
    }
    pub async fn external_seen(&self, owner: OwnerId, key: &str) -> Result<Vec<ExternalSeen>, Unavailable> {
        external::seen(&self.inner, owner, key).await
    }
    /// Keeps marks, forgets others, and keeps a state: all or nothing. `false`: the account is gone, or has become another one.
    pub async fn keep_external(
        &self,
        account: &ExternalAccount,
        seen: &[ExternalSeen],
        forgotten: &[String],
        state: Option<&str>,
    ) -> Result<bool, ChangeError> {
        external::keep(&self.inner, account, seen, forgotten, state).await
    }
    /// Tells whoever shows accounts that it stands otherwise with this one.
    pub fn tell_external(&self, account: &ExternalAccount) {
        let external = &account.external;
        self.inner.announce(
            "external-state",
            &format!("{} {}", external.user, external.name),
            "",
        );
    }
}
