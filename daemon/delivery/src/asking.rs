//! Messages that wait for what the DNS and a web server say of their domain. One domain whose servers don't answer must not fill the memory: it gets
//! half as much as there is room left for all; its other messages come again later.
//!
//! Must not know: what is asked.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use parking_lot::Mutex;

use crate::way::{Hop, Way};

/// Messages of one domain that may wait, however little room is left.
const ASKING_MIN_COUNT: usize = 50;
/// Seconds until one comes again that may not.
pub(crate) const ASK_AGAIN_S: i64 = 30;

/// How many wait, by domain.
#[derive(Default)]
pub(crate) struct Asking {
    all: Mutex<HashMap<String, usize>>,
}

/// One that waits, as long as it lives.
pub(crate) struct Asks<'a> {
    of: &'a Asking,
    name: String,
}

impl Asking {
    /// `room`: messages for which there is room in memory. `None`: too many wait.
    pub(crate) fn begin(&self, way: &Way, room: usize) -> Option<Asks<'_>> {
        let name = match way.hops.first() {
            Some(Hop::Exchangers(domain)) => domain.to_string(),
            Some(Hop::Host(host, _) | Hop::Address(host, _)) => host.clone(),
            None => String::new(),
        };
        let mut all = self.all.lock();
        let count = all.entry(name.clone()).or_default();
        if *count >= ASKING_MIN_COUNT.max(room / 2) {
            return None;
        }
        *count += 1;
        Some(Asks { of: self, name })
    }
}

impl Drop for Asks<'_> {
    fn drop(&mut self) {
        if let Entry::Occupied(mut entry) = self.of.all.lock().entry(std::mem::take(&mut self.name)) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn way(host: &str) -> Way {
        crate::way::plain(crate::way::By::Direct, vec![Hop::Host(host.to_owned(), 25)])
    }

    /// One domain whose servers don't answer would keep all other mail from going.
    #[test]
    fn one_domain_gets_half_of_the_room() {
        let asking = Asking::default();
        let (slow, other) = (way("slow.test"), way("other.test"));
        let mut waiting = Vec::new();
        let mut room = 1000;
        while let Some(asks) = asking.begin(&slow, room) {
            waiting.push(asks);
            room -= 1;
        }
        assert_eq!((waiting.len(), room), (333, 667));
        assert!(asking.begin(&other, room).is_some());
        waiting.pop();
        assert!(asking.begin(&slow, room).is_some());
        drop(waiting);
        assert!(asking.all.lock().is_empty());
        let least: Vec<_> = std::iter::from_fn(|| asking.begin(&slow, 0)).collect();
        assert_eq!(least.len(), ASKING_MIN_COUNT);
    }
}
