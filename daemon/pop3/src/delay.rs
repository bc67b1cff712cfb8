//! LOGIN-DELAY (RFC 2449 §6.5): how soon a user may come again.

use std::time::Duration;

use shared::model::OwnerId;
use tokio::time::Instant;

use crate::Server;

/// Logins that are remembered; above this those whose time is over are forgotten.
const REMEMBERED_MAX_COUNT: usize = 10_000;

/// Whether the user may log in now; if so the delay begins.
pub(crate) fn may_enter(server: &Server, owner: OwnerId) -> bool {
    let delay = Duration::from_secs(server.directory.settings().number("pop3.login-delay"));
    let mut logins = server.logins.lock();
    if delay.is_zero() {
        logins.clear();
        return true;
    }
    let now = Instant::now();
    if logins.len() >= REMEMBERED_MAX_COUNT {
        logins.retain(|_, last| now.duration_since(*last) < delay);
    }
    if logins
        .get(&owner)
        .is_some_and(|last| now.duration_since(*last) < delay)
    {
        return false;
    }
    logins.insert(owner, now);
    true
}
