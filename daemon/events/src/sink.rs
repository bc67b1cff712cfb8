//! The thread that feeds the sinks: text log, JSON lines, live feed.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Duration;

use i18n::Language;
use jiff::Timestamp;
use tokio::sync::broadcast;

use crate::files::{DailyFile, day_of, remove_old};
use crate::kinds::store::EventsMissed;
use crate::{Event as _, Options, Record, Scope, query};

/// How long events are gathered before they are written: nobody reads a log faster.
const GATHER: Duration = Duration::from_millis(10);

/// What comes through the queue.
pub(crate) enum ToSink {
    /// A record, and how many were missed before it.
    Record(Record, u64),
    Language(Language),
    KeepDays(u32),
    Flush(SyncSender<()>),
}

pub(crate) struct Sink {
    options: Options,
    feed: broadcast::Sender<Arc<Record>>,
    files: Option<(DailyFile, DailyFile)>,
    next_seq: u64,
}

impl Sink {
    pub(crate) fn open(options: Options, feed: broadcast::Sender<Arc<Record>>) -> io::Result<Self> {
        let mut next_seq = 1;
        let mut files = None;
        if let Some(dir) = &options.dir {
            std::fs::create_dir_all(dir)?;
            next_seq = query::last_seq(dir)? + 1;
            files = Some((DailyFile::new(dir, "log"), DailyFile::new(dir, "jsonl")));
        }
        Ok(Self {
            options,
            feed,
            files,
            next_seq,
        })
    }

    pub(crate) fn run(mut self, records: &Receiver<ToSink>) {
        while let Ok(first) = records.recv() {
            let mut next = Some(first);
            while let Some(item) = next {
                self.take(item);
                next = records.try_recv().ok();
            }
            self.flush();
            // What comes meanwhile costs its senders no wake-up of this thread.
            std::thread::sleep(GATHER);
        }
    }

    fn take(&mut self, item: ToSink) {
        match item {
            ToSink::Record(record, missed) => {
                if missed > 0 {
                    let event = EventsMissed { count: missed };
                    self.record(Record {
                        seq: 0,
                        at_us: record.at_us,
                        channel: EventsMissed::CHANNEL,
                        severity: EventsMissed::SEVERITY,
                        code: EventsMissed::CODE,
                        scope: Scope::default(),
                        fields: event.fields(),
                    });
                }
                self.record(record);
            }
            ToSink::Language(language) => self.options.language = language,
            ToSink::KeepDays(days) => self.options.keep_days = days,
            ToSink::Flush(done) => {
                self.flush();
                let _ = done.send(());
            }
        }
    }

    fn record(&mut self, mut record: Record) {
        record.seq = self.next_seq;
        self.next_seq += 1;
        if let Err(error) = self.write(&record) {
            complain(&error);
        }
        // Nobody listening is the usual case.
        let _ = self.feed.send(Arc::new(record));
    }

    fn write(&mut self, record: &Record) -> io::Result<()> {
        let Some((text, json)) = &mut self.files else {
            return Ok(());
        };
        let day = day_of(record.at_us);
        let new_day = text.line(&day, &text_line(record, self.options.language))?;
        let row = serde_json::to_string(&record.bare_row()).map_err(io::Error::other)?;
        json.line(&day, &row)?;
        if new_day && let Some(dir) = &self.options.dir {
            remove_old(dir, record.at_us, self.options.keep_days)?;
        }
        Ok(())
    }

    fn flush(&mut self) {
        if let Some((text, json)) = &mut self.files
            && let Err(error) = text.flush().and_then(|()| json.flush())
        {
            complain(&error);
        }
    }
}

/// The log can't be written: the standard error stream is the only place left to say so.
fn complain(error: &io::Error) {
    let args = [("reason", i18n::Arg::from(error.to_string()))];
    let text = i18n::format(Language::of_environment(), "log-unwritable", &args);
    // Where nobody reads that stream either, there is nobody left to tell.
    let _ = writeln!(io::stderr(), "{text}");
}

fn text_line(record: &Record, language: Language) -> String {
    let at = Timestamp::from_microsecond(record.at_us).unwrap_or_default();
    let row = record.row(language);
    let mut line = format!("{at:.3} {} {} {}", row.severity, row.channel, row.code);
    if let Some(session) = row.session {
        let _ = write!(line, " session={session}");
    }
    if let Some(message) = &row.message {
        let _ = write!(line, " message={message}");
    }
    if let Some(peer) = record.scope.peer {
        let _ = write!(line, " peer={peer}");
    }
    line.push_str(": ");
    // What a peer sent must not begin a line of its own.
    line.extend(
        row.text
            .chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c }),
    );
    line
}
