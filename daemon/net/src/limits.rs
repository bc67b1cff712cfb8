//! Sessions per address. An IPv6 peer owns its /64, so that is what counts as its address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

/// Sessions by address.
#[derive(Debug, Default)]
pub(crate) struct PerAddress {
    counts: Mutex<HashMap<IpAddr, u64>>,
}

/// One session's place; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    of: Arc<PerAddress>,
    key: IpAddr,
}

impl PerAddress {
    /// A place, unless `max` are taken.
    pub(crate) fn take(self: &Arc<Self>, peer: IpAddr, max: u64) -> Option<Place> {
        let key = counted_as(peer);
        let mut counts = self.counts.lock();
        let count = counts.entry(key).or_insert(0);
        if *count >= max {
            if *count == 0 {
                counts.remove(&key);
            }
            return None;
        }
        *count += 1;
        Some(Place {
            of: self.clone(),
            key,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.of.counts.lock();
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

fn counted_as(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn places_are_given_back_and_a_network_counts_as_one() {
        let limits = Arc::new(PerAddress::default());
        let take = |text: &str| limits.take(text.parse().unwrap(), 2);
        let first = take("2001:db8::1").unwrap();
        let _second = take("2001:db8::ffff:2").unwrap();
        assert!(take("2001:db8::3").is_none());
        assert!(take("2001:db8:0:1::3").is_some());
        drop(first);
        assert!(take("2001:db8::3").is_some());
        let _v4 = (take("192.0.2.1").unwrap(), take("::ffff:192.0.2.1").unwrap());
        assert!(take("192.0.2.1").is_none());
        assert!(limits.take("192.0.2.9".parse().unwrap(), 0).is_none());
        assert_eq!(limits.counts.lock().len(), 2);
    }
}
