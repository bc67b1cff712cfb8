//! One connection: reads requests, answers them in order, pushes what was subscribed to.

use std::sync::Arc;

use i18n::Language;
use serde_json::Value;
use shared::Refusal;
use shared::protocol::{
    Answer, Call, Hello, LINE_LENGTH_MAX_BYTES, Request as _, Subscribe, Unsubscribe, VERSION,
};
use shared::protocol::{Page, Welcome, code};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;

use crate::dispatch::dispatch;
use crate::subscriptions::Subscriptions;
use crate::{Caller, Context, Fault};

/// Lines on their way to the client.
const OUT_MAX_LINES: usize = 256;

/// Serves a client until it leaves or the daemon stops.
pub(crate) async fn serve<R, W>(read: R, write: W, name: String, context: Arc<Context>)
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let (out, lines) = mpsc::channel(OUT_MAX_LINES);
    let writer = tokio::spawn(write_lines(write, lines));
    let caller = Caller {
        name,
        language: Language::En,
    };
    let mut connection = Connection {
        caller,
        greeted: false,
        subscriptions: Subscriptions::default(),
        out,
        context,
    };
    connection.read(read).await;
    drop(connection);
    // The last answers are still on their way.
    let _ = writer.await;
}

struct Connection {
    caller: Caller,
    greeted: bool,
    subscriptions: Subscriptions,
    out: mpsc::Sender<String>,
    context: Arc<Context>,
}

impl Connection {
    async fn read(&mut self, read: impl AsyncRead + Unpin) {
        let mut stop = self.context.stop.subscribe();
        let mut reader = BufReader::new(read);
        let mut line = Vec::new();
        loop {
            line.clear();
            let mut limited = (&mut reader).take(LINE_LENGTH_MAX_BYTES as u64);
            let read = tokio::select! {
                read = limited.read_until(b'\n', &mut line) => read,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            match read {
                Ok(read) if read > 0 && line.ends_with(b"\n") => {}
                Ok(read) if read == LINE_LENGTH_MAX_BYTES => {
                    self.answer(None, Err(protocol(code::INVALID_REQUEST, "the line is too long")))
                        .await;
                    return;
                }
                _ => return,
            }
            if !self.take(&line).await {
                return;
            }
        }
    }

    /// Answers one line; `false` if nobody reads the answers any more.
    async fn take(&mut self, line: &[u8]) -> bool {
        let call: Call = match serde_json::from_slice(line) {
            Ok(call) => call,
            Err(error) => {
                return self
                    .answer(None, Err(protocol(code::PARSE, &error.to_string())))
                    .await;
            }
        };
        let id = call.id;
        let outcome = self.call(call).await;
        // A call without an id is a notification: nobody waits for an answer (JSON-RPC 2.0 §4.1).
        id.is_none() || self.answer(id, outcome).await
    }

    async fn call(&mut self, call: Call) -> Result<Value, Fault> {
        if call.method == Hello::METHOD {
            return self.hello(call.params).await;
        }
        if !self.greeted {
            return Err(protocol(code::INVALID_REQUEST, "say hello first"));
        }
        if call.method == Subscribe::METHOD || call.method == Unsubscribe::METHOD {
            let wanted: Subscribe = params(call.params)?;
            let on = call.method == Subscribe::METHOD;
            for channel in &wanted.channels {
                if on {
                    self.subscriptions
                        .add(channel, &self.context, &self.caller, &self.out)?;
                } else {
                    self.subscriptions.remove(channel);
                }
            }
            return Ok(Value::Object(serde_json::Map::new()));
        }
        dispatch(&self.context, &self.caller, &call.method, call.params).await
    }

    async fn hello(&mut self, value: Value) -> Result<Value, Fault> {
        let hello: Hello = params(value)?;
        if hello.version.major != VERSION.major {
            let theirs = format!("{}.{}", hello.version.major, hello.version.minor);
            let ours = format!("{}.{}", VERSION.major, VERSION.minor);
            return Err(Refusal::new("protocol-version")
                .with("theirs", theirs)
                .with("ours", ours)
                .into());
        }
        self.caller.language = Language::from_code(&hello.language).unwrap_or_default();
        self.greeted = true;
        let domains = self
            .context
            .directory
            .domains(Page {
                limit: 1,
                ..Page::default()
            })
            .await?;
        let welcome = Welcome {
            version: VERSION,
            server: self.context.version.to_owned(),
            hostname: self
                .context
                .directory
                .settings()
                .text("server.hostname")
                .to_owned(),
            first_run: domains.total == 0,
        };
        serde_json::to_value(welcome).map_err(|error| protocol(code::INTERNAL, &error.to_string()))
    }

    async fn answer(&self, id: Option<u64>, outcome: Result<Value, Fault>) -> bool {
        let (result, error) = match outcome {
            Ok(value) => (Some(value), None),
            Err(fault) => (None, Some(fault.failure(&self.caller))),
        };
        let mut answer = Answer {
            jsonrpc: "2.0".to_owned(),
            id,
            result,
            error,
        };
        let Ok(mut line) = serde_json::to_string(&answer) else {
            return false;
        };
        if line.len() >= LINE_LENGTH_MAX_BYTES {
            // A client would take a longer line for the end of the connection; it may ask for a shorter page instead.
            let fault = Fault::from(
                Refusal::new("answer-too-long")
                    .with("size", line.len())
                    .with("max", LINE_LENGTH_MAX_BYTES),
            );
            (answer.result, answer.error) = (None, Some(fault.failure(&self.caller)));
            let Ok(short) = serde_json::to_string(&answer) else {
                return false;
            };
            line = short;
        }
        self.out.send(line).await.is_ok()
    }
}

fn params<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Fault> {
    serde_json::from_value(value).map_err(|error| protocol(code::INVALID_PARAMS, &error.to_string()))
}

fn protocol(code: i32, reason: &str) -> Fault {
    Fault::Protocol {
        code,
        reason: reason.to_owned(),
    }
}

async fn write_lines(mut write: impl AsyncWrite + Unpin, mut lines: mpsc::Receiver<String>) {
    while let Some(mut line) = lines.recv().await {
        line.push('\n');
        if write.write_all(line.as_bytes()).await.is_err() || write.flush().await.is_err() {
            return;
        }
    }
}
