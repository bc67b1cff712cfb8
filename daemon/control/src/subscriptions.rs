//! What is pushed to a client: a task for each channel that it subscribed to.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use shared::Refusal;
use shared::protocol::{Call, Change};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::{Caller, Context, Fault, handlers};

/// How often the figures of `monitor` and `queue` are pushed.
const PERIOD: Duration = Duration::from_secs(1);

/// The running subscriptions; they end with the connection.
#[derive(Default)]
pub(crate) struct Subscriptions {
    tasks: HashMap<String, JoinHandle<()>>,
    missed: Arc<AtomicU64>,
}

impl Drop for Subscriptions {
    fn drop(&mut self) {
        for task in self.tasks.values() {
            task.abort();
        }
    }
}

impl Subscriptions {
    pub(crate) fn add(
        &mut self,
        channel: &str,
        context: &Arc<Context>,
        caller: &Caller,
        out: &mpsc::Sender<String>,
    ) -> Result<(), Fault> {
        // The connection's end is seen by the tasks being dropped with it; a weak sender would end them too early.
        let push = Push {
            out: out.downgrade(),
            missed: Arc::clone(&self.missed),
        };
        // Else two tasks would tell of the same.
        self.remove(channel);
        // What happens once the subscription is answered is not missed, however late its task begins: feeds are begun here.
        let task = match channel {
            "monitor" => tokio::spawn(monitor(Arc::clone(context), push)),
            "log" => tokio::spawn(log(context.events.subscribe(), caller.clone(), push)),
            "queue" => tokio::spawn(queue(Arc::clone(context), push)),
            "changes" => tokio::spawn(changes(context.directory.changes(), push)),
            _ => return Err(Refusal::new("channel-unknown").with("channel", channel).into()),
        };
        self.tasks.insert(channel.to_owned(), task);
        Ok(())
    }

    pub(crate) fn remove(&mut self, channel: &str) {
        if let Some(task) = self.tasks.remove(channel) {
            task.abort();
        }
    }
}

/// Where a task pushes to.
struct Push {
    out: mpsc::WeakSender<String>,
    missed: Arc<AtomicU64>,
}

impl Push {
    /// Pushes if there is room, counts if not; `false` once the connection is gone.
    fn send(&self, channel: &str, params: &impl Serialize) -> bool {
        let Some(out) = self.out.upgrade() else {
            return false;
        };
        let Ok(params) = serde_json::to_value(params) else {
            return true;
        };
        let call = Call {
            jsonrpc: "2.0".to_owned(),
            id: None,
            method: channel.to_owned(),
            params,
        };
        let Ok(line) = serde_json::to_string(&call) else {
            return true;
        };
        match out.try_send(line) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.missed.fetch_add(1, Ordering::Relaxed);
                true
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }
}

async fn monitor(context: Arc<Context>, push: Push) {
    let mut clock = tokio::time::interval(PERIOD);
    loop {
        clock.tick().await;
        if !push.send(
            "monitor",
            &handlers::monitor(&context, push.missed.load(Ordering::Relaxed)),
        ) {
            return;
        }
    }
}

/// The queue's figures, when they have changed.
async fn queue(context: Arc<Context>, push: Push) {
    let mut clock = tokio::time::interval(PERIOD);
    let mut last = None;
    loop {
        clock.tick().await;
        let counts = context.queue.counts();
        if last != Some(counts) {
            last = Some(counts);
            let params = serde_json::json!({
                "messages": counts.messages,
                "accepted_total": counts.accepted_total,
                "delivered_total": counts.delivered_total,
            });
            if !push.send("queue", &params) {
                return;
            }
        }
    }
}

async fn log(mut feed: Receiver<Arc<events::Record>>, caller: Caller, push: Push) {
    loop {
        match feed.recv().await {
            Ok(record) => {
                if !push.send("log", &record.row(caller.language)) {
                    return;
                }
            }
            Err(RecvError::Lagged(count)) => {
                push.missed.fetch_add(count, Ordering::Relaxed);
            }
            Err(RecvError::Closed) => return,
        }
    }
}

async fn changes(mut feed: Receiver<Change>, push: Push) {
    loop {
        match feed.recv().await {
            Ok(change) => {
                if !push.send("changes", &change) {
                    return;
                }
            }
            Err(RecvError::Lagged(count)) => {
                push.missed.fetch_add(count, Ordering::Relaxed);
            }
            Err(RecvError::Closed) => return,
        }
    }
}
