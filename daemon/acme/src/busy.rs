//! The orders that are worked on or wait for their turn, and who waits for what comes of them.
//!
//! Whoever asks for the same names meanwhile waits for the order that is there and takes its result: authorities give few certificates. An
//! order that waits for its turn asks for the names that are wanted by then, so that it serves whoever asked for others, too; one that has
//! begun serves its own names alone. A look whether something is due serves nobody before it has found that it is.
//!
//! Must not know: what is said to the authority.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{AcmeError, Inner};

/// What came of an order; `None`: nothing yet.
type Done = Option<Result<(), AcmeError>>;

/// An order that is worked on or waits for its turn.
pub(crate) struct Running {
    /// The first of its names.
    name: String,
    stage: Mutex<Stage>,
    done: watch::Sender<Done>,
}

#[derive(PartialEq, Eq)]
enum Stage {
    /// Perhaps it finds that there is nothing to do.
    Looks,
    Waits,
    Asks(Vec<String>),
}

impl Running {
    fn new(name: &str, stage: Stage) -> Self {
        Self {
            name: name.to_owned(),
            stage: Mutex::new(stage),
            done: watch::Sender::new(None),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// It asks for these names now. The caller holds the list of what is wanted.
    pub(crate) fn asks(&self, names: &[String]) {
        *self.stage.lock() = Stage::Asks(names.to_vec());
    }

    /// How many wait for what comes of it.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.done.receiver_count()
    }

    fn serves(&self, names: &[String]) -> bool {
        let same = names.first() == Some(&self.name);
        same && match &*self.stage.lock() {
            Stage::Looks => false,
            Stage::Waits => true,
            Stage::Asks(asked) => asked == names,
        }
    }
}

/// Keeps an order among those that are worked on, as long as this lives.
pub(crate) struct Busy {
    inner: Arc<Inner>,
    running: Arc<Running>,
}

impl Busy {
    /// A look whether something is due.
    pub(crate) fn look(inner: &Arc<Inner>, name: &str) -> Self {
        let running = Arc::new(Running::new(name, Stage::Looks));
        inner.busy.lock().push(running.clone());
        let inner = inner.clone();
        Self { inner, running }
    }

    /// What will come of an order for these names: of the one that is there, or of one that is begun now, for as long as it takes.
    pub(crate) fn order(inner: &Arc<Inner>, names: &[String]) -> Outcome {
        let mut all = inner.busy.lock();
        if let Some(running) = all.iter().find(|running| running.serves(names)) {
            return Outcome(running.done.subscribe());
        }
        let name = names.first().map(String::as_str).unwrap_or_default();
        let running = Arc::new(Running::new(name, Stage::Waits));
        all.push(running.clone());
        drop(all);
        let outcome = Outcome(running.done.subscribe());
        let inner = inner.clone();
        let busy = Self { inner, running };
        tokio::spawn(async move {
            let done = busy.inner.work(&busy.running, true).await;
            busy.running.done.send_replace(Some(done));
        });
        outcome
    }

    /// What is due is tried; the caller learns of it from the list.
    pub(crate) async fn work_if_due(self) {
        let done = self.inner.work(&self.running, false).await;
        self.running.done.send_replace(Some(done));
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut all = self.inner.busy.lock();
        all.retain(|running| !Arc::ptr_eq(running, &self.running));
    }
}

/// What will come of an order.
pub(crate) struct Outcome(watch::Receiver<Done>);

impl Outcome {
    pub(crate) async fn wait(mut self) -> Result<(), AcmeError> {
        let done = self.0.wait_for(Option::is_some).await;
        let done = done.map(|done| done.clone());
        // It ended without a word: a panic.
        let broken = || AcmeError::Answer("the order was broken off".to_owned());
        done.ok().flatten().unwrap_or_else(|| Err(broken()))
    }
}
