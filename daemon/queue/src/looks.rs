//! Listings that are under way, and what moves between memory and `waiting.db` while they look.
//!
//! A listing looks at memory first, then at the database. Without more it would miss what was a row at the first look and came back before the
//! second, and show twice what went the other way. So each is told of both:
//!
//! - What comes back is told, with what a list needs of it, before its row is deleted; it is known as coming until it is in memory. A message that a
//!   listing finds neither in memory, nor among those that are coming, is a row then; if it is none at the second look, it was told of.
//! - What goes is told before its row is made. Its row is durable before memory forgets it: whoever looks at the database later finds it there.
//!
//! What was told of is in the database as well, or not; the listing looks. All this lasts as long as the listing, and holds up nobody.
//!
//! Must not know: how a list is sorted or filtered.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::live::Inner;
use crate::rows::Glimpse;

/// What moves, for those who look.
#[derive(Default)]
pub(crate) struct Moves {
    /// Messages with a new record whose rows may still be there.
    coming: HashMap<u64, Glimpse>,
    /// Listings by their numbers.
    looks: HashMap<u64, Moved>,
    last: u64,
    /// Messages that have come back so far.
    pub(crate) came_count: u64,
}

/// What one listing was told of.
#[derive(Default)]
pub(crate) struct Moved {
    pub(crate) came: HashMap<u64, Glimpse>,
    pub(crate) went: HashSet<u64>,
}

impl Moves {
    /// A message comes back from the database; its row is deleted after this.
    pub(crate) fn comes(&mut self, id: u64, glimpse: &Glimpse) {
        for moved in self.looks.values_mut() {
            moved.came.insert(id, glimpse.clone());
        }
        self.coming.insert(id, glimpse.clone());
    }

    /// It is in memory.
    pub(crate) fn is_here(&mut self, id: u64) {
        self.came_count += u64::from(self.coming.remove(&id).is_some());
    }

    pub(crate) fn is_coming(&self, id: u64) -> bool {
        self.coming.contains_key(&id)
    }

    /// A message goes to the database; its row is made after this.
    pub(crate) fn goes(&mut self, id: u64) {
        for moved in self.looks.values_mut() {
            moved.went.insert(id);
        }
    }

    #[cfg(test)]
    pub(crate) fn is_at_rest(&self) -> bool {
        self.coming.is_empty() && self.looks.is_empty()
    }
}

/// A listing that is under way; told of nothing more when it is dropped.
pub(crate) struct Look {
    inner: Arc<Inner>,
    number: u64,
}

impl Look {
    /// With the messages in memory and those that are coming, at one moment.
    pub(crate) fn begin(inner: &Arc<Inner>) -> (Self, Vec<u64>, HashMap<u64, Glimpse>) {
        let mut state = inner.state.lock();
        state.moves.last += 1;
        let number = state.moves.last;
        state.moves.looks.insert(number, Moved::default());
        let here = state.messages.keys().copied().collect();
        let look = Self {
            inner: inner.clone(),
            number,
        };
        (look, here, state.moves.coming.clone())
    }

    /// What moved since it began.
    pub(crate) fn moved(&self) -> Moved {
        let mut state = self.inner.state.lock();
        let moved = state.moves.looks.get_mut(&self.number);
        moved.map(std::mem::take).unwrap_or_default()
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        self.inner.state.lock().moves.looks.remove(&self.number);
    }
}
