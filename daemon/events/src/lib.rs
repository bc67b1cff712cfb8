//! One typed event per thing worth knowing, and the sinks it goes to: text log, JSON lines, live feed, metrics.
//!
//! An event type is declared once, in `kinds/<channel>.rs`: its code, channel, severity and fields. Its text for people
//! is the Fluent message `event-<code>` with the fields as variables. Sinks are fed by a thread of their own through a
//! bounded queue: emitting never blocks and what did not fit is counted.
//!
//! Must not know: mail. No decision of the server rests on a text made here.

mod files;
pub mod kinds;
mod names;
mod query;
mod sink;
mod text;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use shared::protocol::{LogFilter, LogRow};
use tokio::sync::broadcast;

use sink::{Sink, ToSink};

pub use serde_json::Value;

/// Records on their way to the sinks; what does not fit is counted.
const QUEUE_MAX_RECORDS: usize = 65_536;
/// Records kept for a slow reader of the live feed.
const FEED_MAX_RECORDS: usize = 4096;

/// A session's number: rises from 1 and is never given twice within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// A queued message's id as people and logs see it (the journal record's number in hexadecimal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub u64);

impl std::fmt::Display for MessageId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:x}", self.0)
    }
}

impl std::str::FromStr for MessageId {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    Smtp,
    Pop3,
    Imap,
    Delivery,
    Security,
    Errors,
    Drivers,
    Application,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Debug,
    Info,
    Warning,
    Error,
}

/// What stands beside every event: which session and message it belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    pub session: Option<SessionId>,
    pub message: Option<MessageId>,
    pub peer: Option<SocketAddr>,
}

impl Scope {
    pub fn session(id: SessionId, peer: SocketAddr) -> Self {
        Self {
            session: Some(id),
            peer: Some(peer),
            message: None,
        }
    }
    pub fn message(id: MessageId) -> Self {
        Self {
            message: Some(id),
            ..Self::default()
        }
    }
    pub fn with_message(self, id: MessageId) -> Self {
        Self {
            message: Some(id),
            ..self
        }
    }
}

/// What an event type says of itself; implemented by the `events!` declarations in `kinds`.
pub trait Event: Send {
    const CODE: &'static str;
    const CHANNEL: Channel;
    const SEVERITY: Severity;
    /// The fields by name, in the order of the declaration.
    fn fields(&self) -> Vec<(&'static str, Value)>;
}

/// An event as the sinks see it.
#[derive(Clone, Debug)]
pub struct Record {
    /// Rises by one with each record, over restarts too.
    pub seq: u64,
    /// Unix time in microseconds.
    pub at_us: i64,
    pub channel: Channel,
    pub severity: Severity,
    pub code: &'static str,
    pub scope: Scope,
    pub fields: Vec<(&'static str, Value)>,
}

/// Where the logs go and what they hold.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of the log files; `None`: no files (tests).
    pub dir: Option<PathBuf>,
    /// The language of the text log.
    pub language: i18n::Language,
    /// What is less severe is not recorded.
    pub severity: Severity,
    /// Log files older than that are removed.
    pub keep_days: u32,
}

/// The door: cheap to clone, never blocks. `Events::none()` swallows everything (tests).
#[derive(Clone, Debug)]
pub struct Events {
    inner: Option<Arc<Inner>>,
}

#[derive(Debug)]
struct Inner {
    queue: SyncSender<ToSink>,
    missed: AtomicU64,
    severity: Severity,
    feed: broadcast::Sender<Arc<Record>>,
    dir: Option<PathBuf>,
}

impl Events {
    pub fn none() -> Self {
        Self { inner: None }
    }

    /// Starts the sinks' thread. Fails if the folder can't be made or written.
    pub fn start(options: Options) -> std::io::Result<Self> {
        let (queue, records) = sync_channel(QUEUE_MAX_RECORDS);
        let (feed, _) = broadcast::channel(FEED_MAX_RECORDS);
        let (dir, severity) = (options.dir.clone(), options.severity);
        let sink = Sink::open(options, feed.clone())?;
        std::thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || sink.run(&records))?;
        let inner = Inner {
            queue,
            missed: AtomicU64::new(0),
            severity,
            feed,
            dir,
        };
        Ok(Self {
            inner: Some(Arc::new(inner)),
        })
    }

    /// Hands an event to the sinks.
    pub fn emit<E: Event>(&self, scope: Scope, event: E) {
        let Some(inner) = &self.inner else { return };
        if E::SEVERITY < inner.severity {
            return;
        }
        let record = Record {
            seq: 0,
            at_us: jiff::Timestamp::now().as_microsecond(),
            channel: E::CHANNEL,
            severity: E::SEVERITY,
            code: E::CODE,
            scope,
            fields: event.fields(),
        };
        let missed = inner.missed.swap(0, Ordering::Relaxed);
        if inner.queue.try_send(ToSink::Record(record, missed)).is_err() {
            inner.missed.fetch_add(missed + 1, Ordering::Relaxed);
        }
    }

    /// Records as they come; a slow reader is told how many it missed.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Record>> {
        match &self.inner {
            Some(inner) => inner.feed.subscribe(),
            None => broadcast::channel(1).1,
        }
    }

    /// Changes the language of the text log from now on.
    pub fn set_language(&self, language: i18n::Language) {
        if let Some(inner) = &self.inner {
            // A full queue keeps the old language until the setting is made again: nothing depends on it.
            let _ = inner.queue.try_send(ToSink::Language(language));
        }
    }

    /// Changes how many days' files are kept, from the next day on.
    pub fn set_keep_days(&self, days: u32) {
        if let Some(inner) = &self.inner {
            // As with the language: a full queue keeps the old number until the setting is made again.
            let _ = inner.queue.try_send(ToSink::KeepDays(days));
        }
    }

    /// Stored rows that pass the filter, newest last, with texts in that language. Blocks: reads files.
    pub fn query(&self, filter: &LogFilter, language: i18n::Language) -> std::io::Result<Vec<LogRow>> {
        match self.inner.as_ref().and_then(|inner| inner.dir.as_deref()) {
            Some(dir) => query::rows(dir, filter, language),
            None => Ok(Vec::new()),
        }
    }

    /// Waits until everything emitted so far has reached the sinks. Blocks.
    pub fn flush(&self) {
        let Some(inner) = &self.inner else { return };
        let (done, wait) = sync_channel(1);
        if inner.queue.send(ToSink::Flush(done)).is_ok() {
            let _ = wait.recv();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::kinds::security::RelayDenied;
    use crate::kinds::smtp::MessageAccepted;

    fn options(dir: &std::path::Path) -> Options {
        Options {
            dir: Some(dir.to_owned()),
            language: i18n::Language::En,
            severity: Severity::Info,
            keep_days: 30,
        }
    }

    #[test]
    fn a_session_can_be_followed_through_the_log_in_the_readers_language() {
        let dir = tempfile::tempdir().unwrap();
        let events = Events::start(options(dir.path())).unwrap();
        let mut feed = events.subscribe();
        let scope = Scope::session(SessionId(7), "192.0.2.1:25".parse().unwrap());
        events.emit(
            scope,
            RelayDenied {
                recipient: "a\nb@elsewhere.test".to_owned(),
            },
        );
        let accepted = MessageAccepted {
            sender: "c@d.test".to_owned(),
            recipients: 2,
            size: 10,
        };
        events.emit(scope.with_message(MessageId(0xab)), accepted);
        events.emit(
            Scope::default(),
            RelayDenied {
                recipient: "x@y.test".to_owned(),
            },
        );
        events.flush();
        assert_eq!(feed.try_recv().unwrap().code, "relay-denied");
        let filter = LogFilter {
            session: Some(7),
            ..LogFilter::default()
        };
        let rows = events.query(&filter, i18n::Language::Ru).unwrap();
        let codes: Vec<_> = rows.iter().map(|row| row.code.as_str()).collect();
        assert_eq!(codes, ["relay-denied", "smtp-message-accepted"]);
        assert_eq!(rows[1].message.as_deref(), Some("ab"));
        assert!(
            rows[1].text.contains("2 получателей") || rows[1].text.contains("c@d.test"),
            "{}",
            rows[1].text
        );
        let days = files::files(dir.path(), "log").unwrap();
        let text: String = days
            .iter()
            .map(|day| std::fs::read_to_string(day).unwrap())
            .collect();
        assert_eq!(
            text.lines().count(),
            3,
            "what a peer sent began a line of its own: {text}"
        );
    }

    #[test]
    fn numbers_go_on_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let events = Events::start(options(dir.path())).unwrap();
            for _ in 0..300 {
                events.emit(
                    Scope::default(),
                    RelayDenied {
                        recipient: "x@y.test".repeat(40),
                    },
                );
            }
            events.flush();
        }
        let events = Events::start(options(dir.path())).unwrap();
        let filter = LogFilter {
            before: 302,
            limit: 300,
            ..LogFilter::default()
        };
        let seqs: Vec<_> = events
            .query(&filter, i18n::Language::En)
            .unwrap()
            .iter()
            .map(|r| r.seq)
            .collect();
        assert_eq!(seqs, (2..302).collect::<Vec<_>>());
    }
}
