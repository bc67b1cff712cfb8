//! Passwords that users had before.
//!
//! A program that was not told of the change tries the old one for ever, and must not shut a whole household out: the same failure made again counts
//! once. Where the password is said, one attempt can be told from another by it. Most mechanisms don't say it, and no two responses are alike;
//! by them an old password is known only by what was kept of it. So that is kept, in memory: the last few of each user, until the server ends.
//!
//! Nobody gets in by one.

use std::sync::Arc;

use moka::ops::compute::Op;
use moka::sync::Cache;
use shared::mechanisms::Mechanisms;
use shared::model::OwnerId;
use wire::sasl::Verifiers;

use super::app::Kept;
use super::{Stored, wanted_of};

/// Users whose former passwords are known; of more, those are forgotten that nobody has asked for.
const USERS_MAX: u64 = 10_000;
/// Of one user, the last ones.
const OF_USER_MAX: usize = 8;

/// What is known of a password that counts no more.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Former {
    pub(crate) verifiers: Verifiers,
    /// As in [`Stored::plain`].
    pub(crate) plain: Option<String>,
}

impl Former {
    fn is_empty(&self) -> bool {
        self.verifiers == Verifiers::default() && self.plain.is_none()
    }
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
        if old.is_empty() {
            return;
        }
        self.of.entry(owner).and_upsert_with(|known| {
            let known = known.map(|known| known.into_value()).unwrap_or_default();
            let rest = known.iter().filter(|former| **former != old);
            let rest: Vec<Former> = rest.take(OF_USER_MAX - 1).cloned().collect();
            Arc::new(std::iter::once(old).chain(rest).collect())
        });
    }

    /// What is known for mechanisms that are off is forgotten.
    pub(crate) fn restrict(&self, owner: OwnerId, wanted: Mechanisms) {
        self.of.entry(owner).and_compute_with(|known| {
            let Some(known) = known else { return Op::Nop };
            let known = known.into_value();
            let less = known.iter().cloned().map(|former| Former {
                verifiers: wanted_of(former.verifiers, wanted),
                plain: former.plain.filter(|_| wanted.has("APOP")),
            });
            Op::Put(Arc::new(less.filter(|former| !former.is_empty()).collect()))
        });
    }

    pub(crate) fn forget(&self, owner: OwnerId) {
        self.of.invalidate(&owner);
    }
}
