//! The control channel's client, for the command line and the configurator.
//!
//! One connection carries requests and notifications. A reader task hands answers to those who wait for them and
//! notifications to a bounded channel; what does not fit there is counted and the daemon's figures of `missed` tell of its own losses.

mod queued;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use interprocess::local_socket::tokio::Stream;
use interprocess::local_socket::traits::tokio::Stream as _;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{mpsc, oneshot};

use crate::Refusal;
use crate::protocol::{Answer, Call, Failure, Hello, LINE_LENGTH_MAX_BYTES, Request, VERSION, Welcome, code};
pub use queued::QueuedText;

/// Notifications kept for a slow reader.
const NOTIFICATIONS_MAX: usize = 1024;
/// The socket's name in the data directory.
pub const SOCKET_NAME: &str = "control.sock";
/// Where the socket's path stands when it had to lie elsewhere (a path too long for a socket).
pub const SOCKET_NOTE: &str = "control.path";

/// Where a daemon's control channel is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The daemon that serves this data directory.
    Data(PathBuf),
    /// A socket (Unix) or the name of a pipe (Windows).
    Socket(PathBuf),
}

#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody answers there: the daemon does not run, or not there.
    #[error("no daemon answers: {0}")]
    NoDaemon(String),
    /// The connection was lost before the answer came.
    #[error("the connection to the daemon was lost")]
    Lost,
    #[error("the daemon refused: {}", .0.message)]
    Failed(Failure),
    /// The answer is not what the protocol says.
    #[error("the daemon's answer was not understood: {0}")]
    Garbled(String),
}

/// A notification as it came.
#[derive(Clone, Debug)]
pub struct Notification {
    /// `monitor`, `log`, `queue`, `changes`.
    pub channel: String,
    pub params: Value,
}

/// Who waits for which answer; `None` once the connection is lost, so that nobody waits for ever.
type Waiting = Arc<Mutex<Option<HashMap<u64, oneshot::Sender<Result<Value, Failure>>>>>>;

/// A connection to the daemon. Requests may be made from several tasks at once.
pub struct Client {
    out: mpsc::Sender<String>,
    waiting: Waiting,
    next_id: AtomicU64,
    welcome: Welcome,
    notifications: tokio::sync::Mutex<mpsc::Receiver<Notification>>,
    reader: tokio::task::JoinHandle<()>,
}

/// The writer ends with its channel; the reader would hold the connection open until the daemon closes it.
impl Drop for Client {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Client {
    /// Connects and says hello. `language`: `en` or `ru`.
    pub async fn connect(endpoint: &Endpoint, client: &str, language: &str) -> Result<Self, CallError> {
        let stream = open(endpoint)
            .await
            .map_err(|error| CallError::NoDaemon(error.to_string()))?;
        let (read, write) = tokio::io::split(stream);
        Self::over(read, write, client, language).await
    }

    /// The same over any pair of streams, such as the pipes of an `ssh` that runs `batpostctl stdio`.
    pub async fn over<R, W>(read: R, write: W, client: &str, language: &str) -> Result<Self, CallError>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let waiting = Waiting::new(Mutex::new(Some(HashMap::new())));
        let (out, lines) = mpsc::channel(64);
        let (notify, notifications) = mpsc::channel(NOTIFICATIONS_MAX);
        tokio::spawn(write_lines(write, lines));
        let reader = tokio::spawn(read_lines(read, Arc::clone(&waiting), notify));
        let mut made = Self {
            out,
            waiting,
            next_id: AtomicU64::new(1),
            welcome: Welcome {
                version: VERSION,
                server: String::new(),
                hostname: String::new(),
                first_run: false,
            },
            notifications: tokio::sync::Mutex::new(notifications),
            reader,
        };
        let hello = Hello {
            version: VERSION,
            client: client.to_owned(),
            language: language.to_owned(),
        };
        made.welcome = made.call(hello).await?;
        Ok(made)
    }

    /// What the daemon said of itself.
    pub fn welcome(&self) -> &Welcome {
        &self.welcome
    }

    /// Makes a request and waits for its answer.
    pub async fn call<R: Request>(&self, request: R) -> Result<R::Reply, CallError> {
        let params = serde_json::to_value(&request).map_err(|error| CallError::Garbled(error.to_string()))?;
        let reply = self.call_raw(R::METHOD, params).await?;
        serde_json::from_value(reply).map_err(|error| CallError::Garbled(error.to_string()))
    }

    /// Makes a request by its method's name.
    pub async fn call_raw(&self, method: &str, params: Value) -> Result<Value, CallError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let call = Call {
            jsonrpc: "2.0".to_owned(),
            id: Some(id),
            method: method.to_owned(),
            params,
        };
        let mut line = serde_json::to_string(&call).map_err(|error| CallError::Garbled(error.to_string()))?;
        line.push('\n');
        if line.len() > LINE_LENGTH_MAX_BYTES {
            let refusal = Refusal::new("request-too-long")
                .with("size", line.len())
                .with("max", LINE_LENGTH_MAX_BYTES);
            return Err(CallError::Failed(Failure {
                code: code::REFUSED,
                message: refusal.to_string(),
                data: Some(refusal),
            }));
        }
        let (answer, answered) = oneshot::channel();
        match lock(&self.waiting).as_mut() {
            Some(waiting) => waiting.insert(id, answer),
            None => return Err(CallError::Lost),
        };
        if self.out.send(line).await.is_err() {
            return Err(CallError::Lost);
        }
        match answered.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(failure)) => Err(CallError::Failed(failure)),
            Err(_) => Err(CallError::Lost),
        }
    }

    /// The next notification; `None` once the connection is lost.
    pub async fn notification(&self) -> Option<Notification> {
        self.notifications.lock().await.recv().await
    }
}

/// Opens the socket or pipe of an endpoint.
pub async fn open(endpoint: &Endpoint) -> std::io::Result<Stream> {
    let path = match endpoint {
        Endpoint::Socket(path) => path.clone(),
        Endpoint::Data(data) => socket_path(data),
    };
    connect(&path).await
}

/// The same in two halves. When the second is dropped, the daemon sees that nothing more comes, answers what it was asked and hangs
/// up; a pipe of Windows can't tell it so.
pub async fn open_halves(
    endpoint: &Endpoint,
) -> std::io::Result<(impl AsyncRead + Send + Unpin, impl AsyncWrite + Send + Unpin)> {
    Ok(halves(open(endpoint).await?))
}

#[cfg(unix)]
fn halves(stream: Stream) -> (impl AsyncRead + Send + Unpin, impl AsyncWrite + Send + Unpin) {
    let Stream::UdSocket(socket) = stream;
    tokio::net::UnixStream::from(socket).into_split()
}

#[cfg(windows)]
fn halves(stream: Stream) -> (impl AsyncRead + Send + Unpin, impl AsyncWrite + Send + Unpin) {
    tokio::io::split(stream)
}

/// Where the control socket of a data directory is: the daemon notes it there if it is not at the usual place.
pub fn socket_path(data: &Path) -> PathBuf {
    match std::fs::read_to_string(data.join(SOCKET_NOTE)) {
        Ok(noted) if !noted.trim().is_empty() => PathBuf::from(noted.trim()),
        _ => default_socket(data),
    }
}

#[cfg(unix)]
fn default_socket(data: &Path) -> PathBuf {
    data.join(SOCKET_NAME)
}

/// A pipe has one name space for the whole machine, so the name holds a digest of the directory's full path.
#[cfg(windows)]
fn default_socket(data: &Path) -> PathBuf {
    let full = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    let text = full.to_string_lossy().to_lowercase();
    let digest = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    PathBuf::from(format!(r"\\.\pipe\batpost-{digest:016x}"))
}

async fn connect(path: &Path) -> std::io::Result<Stream> {
    use interprocess::local_socket::{GenericFilePath, ToFsName as _};
    Stream::connect(path.to_fs_name::<GenericFilePath>()?).await
}

async fn write_lines(mut write: impl AsyncWrite + Send + Unpin, mut lines: mpsc::Receiver<String>) {
    while let Some(line) = lines.recv().await {
        if write.write_all(line.as_bytes()).await.is_err() || write.flush().await.is_err() {
            return;
        }
    }
}

/// Reads until the connection ends; then everyone who waits learns it, as the senders are dropped.
async fn read_lines(
    read: impl AsyncRead + Send + Unpin,
    waiting: Waiting,
    notify: mpsc::Sender<Notification>,
) {
    let mut reader = BufReader::new(read);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = (&mut reader).take(LINE_LENGTH_MAX_BYTES as u64);
        match limited.read_until(b'\n', &mut line).await {
            Ok(read) if read > 0 && line.ends_with(b"\n") => take(&line, &waiting, &notify),
            _ => break,
        }
    }
    lock(&waiting).take();
}

fn take(line: &[u8], waiting: &Waiting, notify: &mpsc::Sender<Notification>) {
    let Ok(value) = serde_json::from_slice::<Value>(line) else {
        return;
    };
    if value.get("method").is_some() {
        if let Ok(call) = serde_json::from_value::<Call>(value) {
            // A full channel means a reader that is too slow; the newest figures will follow.
            let _ = notify.try_send(Notification {
                channel: call.method,
                params: call.params,
            });
        }
        return;
    }
    let Ok(answer) = serde_json::from_value::<Answer>(value) else {
        return;
    };
    let Some(sender) = answer.id.and_then(|id| lock(waiting).as_mut()?.remove(&id)) else {
        return;
    };
    let outcome = match answer.error {
        Some(failure) => Err(failure),
        None => Ok(answer.result.unwrap_or(Value::Null)),
    };
    // The caller may have gone; then nobody wants the answer.
    let _ = sender.send(outcome);
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::protocol::{Count, QueueRetry, UserImport};

    #[tokio::test]
    async fn answers_find_their_requests_and_notifications_come_beside_them() {
        let (near, far) = tokio::io::duplex(4096);
        let (read, write) = tokio::io::split(near);
        let server = tokio::spawn(async move {
            let (far_read, mut far_write) = tokio::io::split(far);
            let mut lines = BufReader::new(far_read).lines();
            let hello: Call = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
            assert_eq!(hello.method, "hello");
            let welcome = r#"{"jsonrpc":"2.0","id":1,"result":{"version":{"major":1,"minor":0},"server":"0","hostname":"h","first_run":true}}"#;
            let note = r#"{"jsonrpc":"2.0","method":"queue","params":{"n":1}}"#;
            far_write
                .write_all(format!("{welcome}\n{note}\n").as_bytes())
                .await
                .unwrap();
            let call: Call = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
            let answer = format!(
                "{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{{\"count\":7}}}}\n",
                call.id.unwrap()
            );
            far_write.write_all(answer.as_bytes()).await.unwrap();
        });
        let client = Client::over(read, write, "test", "en").await.unwrap();
        assert!(client.welcome().first_run);
        let count: Count = client.call(QueueRetry { ids: Vec::new() }).await.unwrap();
        assert_eq!(count.count, 7);
        assert_eq!(client.notification().await.unwrap().channel, "queue");
        server.await.unwrap();
        // A line that the daemon would not take is refused here, with the reason; the connection would be lost over it.
        let csv = "x".repeat(LINE_LENGTH_MAX_BYTES);
        let import = UserImport {
            csv,
            create_domains: false,
        };
        match client.call(import).await {
            Err(CallError::Failed(failure)) => assert_eq!(failure.data.unwrap().code, "request-too-long"),
            other => panic!("{other:?}"),
        }
        assert!(matches!(
            client.call(QueueRetry { ids: Vec::new() }).await,
            Err(CallError::Lost)
        ));
    }
}
