//! The link to the daemon: a thread of its own with the control channel's client.
//!
//! It takes requests, gives back answers and notifications, and connects again with a growing pause when the daemon is
//! gone. Both ways are bounded: a request that does not fit is answered as lost at once, and a notification that the
//! window is too slow for is counted and left out. Each arrival wakes the window.
//!
//! Must not know: what any request means.

mod export;
mod run;
mod transport;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc as std_mpsc;

use i18n::Language;
use serde_json::Value;
use shared::client::Endpoint;
use shared::protocol::{Failure, LogFilter, Welcome};
use tokio::sync::mpsc;

/// Requests waiting to be sent.
const REQUESTS_MAX: usize = 256;
/// Answers and notifications waiting for the window.
const ARRIVALS_MAX: usize = 4096;

/// Which daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Local(Endpoint),
    /// `ssh USER@HOST batpostctl stdio`.
    Ssh(String),
}

impl Target {
    /// How a person would name it.
    pub fn name(&self) -> String {
        match self {
            Self::Local(Endpoint::Data(path) | Endpoint::Socket(path)) => path.display().to_string(),
            Self::Ssh(host) => host.clone(),
        }
    }
}

/// What the window asks of the link.
#[derive(Clone, Debug)]
pub enum Outgoing {
    /// A request of the control protocol.
    Call {
        id: u64,
        method: &'static str,
        params: Value,
    },
    /// Writes to a file or a folder.
    Export { id: u64, what: Export, path: PathBuf },
    /// The language of the daemon's texts: connects anew with it.
    Language(Language),
    /// Tries to connect at once.
    Retry,
}

/// What is written.
#[derive(Clone, Debug, PartialEq)]
pub enum Export {
    /// The stored log rows that a filter lets through, to a file.
    Log(LogFilter),
    /// Messages of the queue, to a folder.
    Messages(Vec<String>),
}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Failed {
    /// The daemon said no.
    Daemon(Failure),
    /// There is no connection, or it was lost before the answer came.
    Lost,
    /// A file could not be written, or an answer was not understood; the words are the system's.
    Local(String),
}

/// What the link brings.
#[derive(Clone, Debug)]
pub enum Arrival {
    Connected(Welcome),
    /// Not connected; the next attempt is that many seconds away.
    Gone {
        reason: String,
        retry_s: u64,
    },
    Answer {
        id: u64,
        result: Result<Value, Failed>,
    },
    Note {
        channel: String,
        params: Value,
    },
}

/// The window's end of the link.
pub struct Link {
    out: mpsc::Sender<Outgoing>,
    arrivals: std_mpsc::Receiver<Arrival>,
    missed: Arc<AtomicU64>,
}

impl Link {
    /// Starts the thread. `wake` is called after each arrival.
    pub fn start(
        target: Target,
        language: Language,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let (out, requests) = mpsc::channel(REQUESTS_MAX);
        let (bring, arrivals) = std_mpsc::sync_channel(ARRIVALS_MAX);
        let missed = Arc::new(AtomicU64::new(0));
        let courier = Courier {
            bring,
            wake: Arc::new(wake),
            missed: Arc::clone(&missed),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::Builder::new()
            .name("link".to_owned())
            .spawn(move || runtime.block_on(run::run(target, language, requests, courier)))?;
        Ok(Self {
            out,
            arrivals,
            missed,
        })
    }

    /// Hands a request over; gives it back if the link is full or gone.
    pub fn send(&self, outgoing: Outgoing) -> Result<(), Box<Outgoing>> {
        self.out.try_send(outgoing).map_err(|error| match error {
            mpsc::error::TrySendError::Full(outgoing) | mpsc::error::TrySendError::Closed(outgoing) => {
                Box::new(outgoing)
            }
        })
    }

    /// What arrived since the last call; never waits.
    pub fn take(&self) -> impl Iterator<Item = Arrival> + '_ {
        self.arrivals.try_iter()
    }

    /// Notifications that the window was too slow for.
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}

/// Brings arrivals to the window.
#[derive(Clone)]
struct Courier {
    bring: std_mpsc::SyncSender<Arrival>,
    wake: Arc<dyn Fn() + Send + Sync>,
    missed: Arc<AtomicU64>,
}

impl Courier {
    /// False once the window is gone. A full channel loses notifications only: answers and states are few and always
    /// wait for room, on this thread, which has nothing better to do then.
    fn bring(&self, arrival: Arrival) -> bool {
        let alive = if matches!(arrival, Arrival::Note { .. }) {
            match self.bring.try_send(arrival) {
                Ok(()) => true,
                Err(std_mpsc::TrySendError::Full(_)) => {
                    self.missed.fetch_add(1, Ordering::Relaxed);
                    true
                }
                Err(std_mpsc::TrySendError::Disconnected(_)) => false,
            }
        } else {
            self.bring.send(arrival).is_ok()
        };
        (self.wake)();
        alive
    }
}
