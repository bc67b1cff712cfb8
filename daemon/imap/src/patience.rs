//! What is borne of a peer that gives nothing useful: time before it has logged in, refused logins, octets that are read only to be let go.
//!
//! Must not know: commands.

use std::time::Duration;

use tokio::time::Instant;

use crate::reply::{BYE_LOGINS, BYE_TOO_BIG, End};

/// How long a client may take to log in between two commands, and altogether: an octet now and then keeps no place.
const LOGIN_TIMEOUT: Duration = Duration::from_mins(3);
const LOGIN_TIME_MAX: Duration = Duration::from_mins(15);
/// Logins of one connection that are refused; who guesses has to come again, and is noticed by then.
const REFUSED_LOGINS_MAX: u32 = 20;
/// What comes behind a literal that is let go.
const REST_MAX_BYTES: u64 = 256 * 1024;

pub(crate) struct Patience {
    since: Instant,
    refused: u32,
    skipped: u64,
}

impl Patience {
    /// A stranger is there.
    pub(crate) fn new() -> Self {
        Self {
            since: Instant::now(),
            refused: 0,
            skipped: 0,
        }
    }

    /// How long a stranger is waited for now.
    pub(crate) fn timeout(&self) -> Duration {
        LOGIN_TIME_MAX
            .saturating_sub(self.since.elapsed())
            .min(LOGIN_TIMEOUT)
    }

    /// A login was refused, and that was told.
    pub(crate) fn note_login(&mut self) -> Result<(), End> {
        self.refused += 1;
        if self.refused > REFUSED_LOGINS_MAX {
            Err(End::Bye(BYE_LOGINS))
        } else {
            Ok(())
        }
    }

    /// Octets were let go: of what is longer than `max`, or never ends, no more is read.
    pub(crate) fn note_skipped(&mut self, len: usize, max: u64) -> Result<(), End> {
        self.skipped = self.skipped.saturating_add(len as u64);
        if self.skipped > max.saturating_add(REST_MAX_BYTES) {
            Err(End::Bye(BYE_TOO_BIG))
        } else {
            Ok(())
        }
    }

    /// Something was said that is read.
    pub(crate) fn note_read(&mut self) {
        self.skipped = 0;
    }
}
