//! Passwords that users had before.
//!
//! A program that was not told of the change tries the old one for ever, and must not shut a whole household out: the same failure made again counts
//! once. Where the password is said, one attempt can be told from another by it. Most mechanisms don't say it, and no two responses are alike;
//! by them an old password is known only by what was kept of it. So that is kept, in memory: the last few of each user, until the server ends.
//!
//! Nobody gets in by one.

use std::sync::Arc;

use moka::sync::Cache;
use shared::model::OwnerId;
use wire::sasl::Verifiers;

use super::Stored;
use super::app::Kept;

/// Users whose former passwords are known; of more, those are forgotten that nobody has asked for.
const USERS_MAX: u64 = 10_000;
/// Of one user, the last ones.
const OF_USER_MAX: usize = 3;

/// What is known of a password that counts no more.
#[derive(Clone)]
pub(crate) struct Former {
    pub(crate) verifiers: Verifiers,
    /// As in [`Stored::plain`].
    pub(crate) plain: Option<String>,
}

impl From<Stored> for Former {
    fn from(old: Stored) -> Self {
        Self {
            verifiers: old.verifiers,
            plain: old.plain,
        }
    }
}

impl From<Kept> for Former {
    fn from(old: Kept) -> Self {
        Self {
            verifiers: old.verifiers,
            plain: None,
        }
    }
}

pub(crate) struct Formers {
    of: Cache<OwnerId, Arc<Vec<Former>>>,
}

impl Formers {
    pub(crate) fn new() -> Self {
        Self {
            of: Cache::new(USERS_MAX),
        }
    }

    /// The newest first.
    pub(crate) fn of(&self, owner: OwnerId) -> Arc<Vec<Former>> {
        self.of.get(&owner).unwrap_or_default()
    }

    pub(crate) fn add(&self, owner: OwnerId, old: Former) {
        if old.verifiers == Verifiers::default() && old.plain.is_none() {
            return;
        }
        self.of.entry(owner).and_upsert_with(|known| {
            let known = known.map(|known| known.into_value()).unwrap_or_default();
            let rest = known.iter().take(OF_USER_MAX - 1).cloned();
            Arc::new(std::iter::once(old).chain(rest).collect())
        });
    }

    pub(crate) fn forget(&self, owner: OwnerId) {
        self.of.invalidate(&owner);
    }
}
