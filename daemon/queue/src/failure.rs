//! Whether nobody knows any more what is in `waiting.db`: then nothing is taken in until the queue is opened anew.
//!
//! Must not know: why a write may have failed.

use std::sync::Arc;

use tokio::sync::watch;

use crate::{Queue, QueueError};

/// Set once, and never taken back.
pub(crate) struct Failure(watch::Sender<Option<Arc<str>>>);

impl Failure {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    /// The first cause counts.
    pub(crate) fn set(&self, cause: &str) {
        self.0.send_if_modified(|failure| {
            let first = failure.is_none();
            failure.get_or_insert_with(|| cause.into());
            first
        });
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.borrow().is_some()
    }

    pub(crate) fn check(&self) -> Result<(), QueueError> {
        match &*self.0.borrow() {
            Some(cause) => Err(QueueError::Unavailable(cause.to_string())),
            None => Ok(()),
        }
    }
}

impl Queue {
    /// Waits until a write or sync of `waiting.db` fails, after which nothing is taken in any more; the cause.
    pub async fn until_failed(&self) -> String {
        let mut failure = self.inner.failure.0.subscribe();
        let cause = failure.wait_for(Option::is_some).await;
        match cause.ok().and_then(|cause| cause.clone()) {
            Some(cause) => cause.to_string(),
            // The sender lives as long as this handle.
            None => std::future::pending().await,
        }
    }
}
