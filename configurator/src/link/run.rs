//! The link's loop: connect, subscribe, relay; after a loss, wait a little longer each time and connect again.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use i18n::Language;
use serde_json::Value;
use shared::client::Client;
use shared::protocol::Subscribe;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::export::{self, failed};
use super::transport::{Connection, connect};
use super::{Arrival, Courier, Export, Failed, Outgoing, Target};

/// The first pause before connecting again, in seconds; it doubles up to the longest.
const RETRY_FIRST_S: u64 = 1;
const RETRY_MAX_S: u64 = 30;
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// How long an answer may take before the person is told that there is none.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(2);
/// Requests under way at once.
const UNDER_WAY_MAX: usize = 32;
const CHANNELS: [&str; 4] = ["monitor", "log", "queue", "changes"];

/// Why a connection ended.
enum End {
    /// The window is gone.
    Window,
    Lost(String),
    /// The person changed the language.
    Language(Language),
}

pub(super) async fn run(
    target: Target,
    mut language: Language,
    mut requests: mpsc::Receiver<Outgoing>,
    courier: Courier,
) {
    let mut pause_s = RETRY_FIRST_S;
    loop {
        let attempt = tokio::time::timeout(CONNECT_TIMEOUT, connect(&target, language)).await;
        let reason = match attempt {
            Ok(Ok(connection)) => {
                pause_s = RETRY_FIRST_S;
                match serve(connection, &mut requests, &courier).await {
                    End::Window => return,
                    End::Language(wanted) => {
                        language = wanted;
                        continue;
                    }
                    End::Lost(reason) => reason,
                }
            }
            Ok(Err(error)) => error.to_string(),
            Err(elapsed) => elapsed.to_string(),
        };
        if !courier.bring(Arrival::Gone {
            reason,
            retry_s: pause_s,
        }) {
            return;
        }
        match wait(Duration::from_secs(pause_s), &mut requests, &courier).await {
            End::Window => return,
            End::Language(wanted) => language = wanted,
            End::Lost(_) => {}
        }
        pause_s = (pause_s * 2).min(RETRY_MAX_S);
    }
}

/// Waits for the next attempt; whatever is asked meanwhile is answered as lost.
async fn wait(pause: Duration, requests: &mut mpsc::Receiver<Outgoing>, courier: &Courier) -> End {
    let deadline = tokio::time::Instant::now() + pause;
    loop {
        match tokio::time::timeout_at(deadline, requests.recv()).await {
            Err(_) | Ok(Some(Outgoing::Retry)) => return End::Lost(String::new()),
            Ok(None) => return End::Window,
            Ok(Some(Outgoing::Language(language))) => return End::Language(language),
            Ok(Some(Outgoing::Call { id, .. } | Outgoing::Export { id, .. })) => {
                if !courier.bring(Arrival::Answer {
                    id,
                    result: Err(Failed::Lost),
                }) {
                    return End::Window;
                }
            }
        }
    }
}

/// Relays until the connection or the window ends. What is still under way then is answered as lost.
async fn serve(connection: Connection, requests: &mut mpsc::Receiver<Outgoing>, courier: &Courier) -> End {
    let connection = Arc::new(connection);
    if !courier.bring(Arrival::Connected(connection.client.welcome().clone())) {
        return End::Window;
    }
    let mut open = HashSet::new();
    let end = relay(&connection, requests, courier, &mut open).await;
    for id in open {
        courier.bring(Arrival::Answer {
            id,
            result: Err(Failed::Lost),
        });
    }
    end
}

async fn relay(
    connection: &Arc<Connection>,
    requests: &mut mpsc::Receiver<Outgoing>,
    courier: &Courier,
    open: &mut HashSet<u64>,
) -> End {
    let channels = CHANNELS.map(str::to_owned).to_vec();
    if let Err(error) = connection.client.call(Subscribe { channels }).await {
        return End::Lost(error.to_string());
    }
    let turns = Arc::new(Semaphore::new(UNDER_WAY_MAX));
    let mut calls: JoinSet<(u64, Result<Value, Failed>)> = JoinSet::new();
    loop {
        tokio::select! {
            note = connection.client.notification() => {
                let Some(note) = note else { return End::Lost(String::new()) };
                if !courier.bring(Arrival::Note { channel: note.channel, params: note.params }) {
                    return End::Window;
                }
            }
            Some(done) = calls.join_next(), if !calls.is_empty() => {
                // A call that panicked stays in `open` and is answered as lost when the connection ends.
                let Ok((id, result)) = done else { continue };
                open.remove(&id);
                if !courier.bring(Arrival::Answer { id, result }) {
                    return End::Window;
                }
            }
            asked = requests.recv() => match asked {
                None => return End::Window,
                Some(Outgoing::Language(language)) => return End::Language(language),
                Some(Outgoing::Retry) => {}
                Some(Outgoing::Call { id, method, params }) => {
                    open.insert(id);
                    let (connection, turns) = (Arc::clone(connection), Arc::clone(&turns));
                    calls.spawn(async move {
                        let _turn = turns.acquire().await;
                        (id, call(&connection.client, method, params).await)
                    });
                }
                Some(Outgoing::Export { id, what, path }) => {
                    open.insert(id);
                    let connection = Arc::clone(connection);
                    calls.spawn(async move {
                        let written = match what {
                            Export::Log(filter) => export::log(&connection.client, filter, &path).await,
                            Export::Messages(ids) => export::messages(&connection.client, &ids, &path).await,
                        };
                        (id, written)
                    });
                }
            },
        }
    }
}

async fn call(client: &Client, method: &str, params: Value) -> Result<Value, Failed> {
    match tokio::time::timeout(ANSWER_TIMEOUT, client.call_raw(method, params)).await {
        Ok(result) => result.map_err(failed),
        Err(_) => Err(Failed::Lost),
    }
}
