//! Folders and rights of owners that others have looked at, kept when their mailboxes are closed: who has a thousand colleagues that share with everybody
//! lists their folders without opening a thousand databases.
//!
//! Only the owner's worker puts and forgets, and before those are answered who asked for a change; so nobody reads what was changed before.
//!
//! Must not know: who may see what.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use shared::model::OwnerId;

use crate::types::{Folder, RightsTable};

/// Folders and rights given, over all owners that are kept.
const WEIGHT_MAX: usize = 200_000;

pub(crate) type Shared = (Arc<Vec<Folder>>, Arc<RightsTable>);

#[derive(Default)]
pub(crate) struct Shares {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    by_owner: HashMap<OwnerId, Shared>,
    weight: usize,
}

impl Shares {
    pub(crate) fn get(&self, owner: OwnerId) -> Option<Shared> {
        self.kept.lock().by_owner.get(&owner).cloned()
    }

    pub(crate) fn put(&self, owner: OwnerId, shared: Shared) {
        let mut kept = self.kept.lock();
        let weight = weight(&shared);
        if kept.weight + weight > WEIGHT_MAX {
            // Whoever is still looked at comes again.
            *kept = Kept::default();
        }
        kept.weight += weight;
        if let Some(before) = kept.by_owner.insert(owner, shared) {
            kept.weight -= self::weight(&before);
        }
    }

    pub(crate) fn forget(&self, owner: OwnerId) {
        let mut kept = self.kept.lock();
        if let Some(before) = kept.by_owner.remove(&owner) {
            kept.weight -= weight(&before);
        }
    }
}

fn weight(shared: &Shared) -> usize {
    1 + shared.0.len() + shared.1.values().map(Vec::len).sum::<usize>()
}
