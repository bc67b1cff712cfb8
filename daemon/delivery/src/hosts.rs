//! Hosts that could not be reached lately: they are not tried again for each message.

use std::collections::HashMap;

use parking_lot::Mutex;

/// Hosts remembered.
const HOSTS_MAX_COUNT: usize = 10_000;
/// Seconds for which a host is left alone.
const REST_S: i64 = 60;

#[derive(Debug, Default)]
pub(crate) struct Hosts {
    resting: Mutex<HashMap<String, (i64, String)>>,
}

impl Hosts {
    /// Why a host is left alone now, if it is.
    pub(crate) fn resting(&self, host: &str, now: i64) -> Option<String> {
        let mut resting = self.resting.lock();
        let (until, reason) = resting.get(host)?;
        if *until > now {
            return Some(reason.clone());
        }
        resting.remove(host);
        None
    }

    pub(crate) fn failed(&self, host: &str, reason: &str, now: i64) {
        let mut resting = self.resting.lock();
        if resting.len() >= HOSTS_MAX_COUNT {
            resting.retain(|_, (until, _)| *until > now);
        }
        if resting.len() < HOSTS_MAX_COUNT {
            resting.insert(host.to_owned(), (now + REST_S, reason.to_owned()));
        }
    }

    pub(crate) fn works(&self, host: &str) {
        self.resting.lock().remove(host);
    }
}
