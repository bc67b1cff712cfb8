//! Who comes first when the processor is short: peers who are handing over messages, before mailboxes.
//!
//! While somebody waits for the 250 of a message, only a few deliveries go on at once, so that a burst is taken in at the speed of the journal; the
//! mailboxes catch up when it is over. The queue's memory bounds how far they may stay behind: past it `Queue::commit` waits. A delivery that
//! got no turn for a while goes on all the same, so that slow disks under many mailboxes hold nobody up.
//!
//! Must not know: what is delivered.

use std::time::Duration;

use queue::Queue;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How long a delivery waits for its turn at most.
const WAIT_MAX: Duration = Duration::from_millis(100);

pub(crate) struct Turns {
    few: Semaphore,
}

impl Default for Turns {
    /// As many at once as there are processors.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            few: Semaphore::new(processors.max(2)),
        }
    }
}

impl Turns {
    /// Waits for a turn while messages are being taken in; the delivery holds it to its end.
    pub(crate) async fn take(&self, queue: &Queue) -> Option<SemaphorePermit<'_>> {
        if let Ok(turn) = self.few.try_acquire() {
            return Some(turn);
        }
        if !queue.is_taking_in() {
            return None;
        }
        tokio::time::timeout(WAIT_MAX, self.few.acquire())
            .await
            .ok()?
            .ok()
    }
}
