//! Aggregate reports to other domains, once a day: on mail in their names (DMARC, RFC 7489 §7.2) and on the security of connections to their hosts
//! (TLS-RPT, RFC 8460). Gathered in memory, kept in a table for each kind, sent when the day is over.
//!
//! What was gathered in the last minute is lost with a crash. Rows are removed once their report is on its way: after a crash between the two the same
//! report, with the same id, is sent once more. What comes later for the same day makes a report of its own, with another id. Mail with a report has the null reverse-path, so nothing answers it; it goes whatever the security of
//! its way, and counts in no report.
//!
//! Must not know: what a row's body means; that is for the kinds.

mod dmarc;
mod mail;
mod tls;
mod tls_report;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use authenticity::Observation;
use directory::ReportRow;
use parking_lot::Mutex;
use queue::QueueError;
use shared::protocol::{ReportKind, ReportWaiting};
use shared::settings::Settings;

use crate::{Delivery, Inner, now};
pub(crate) use tls::{About, Finding, Flaw, Policy};

const DAY_S: i64 = 86_400;
/// How often what was gathered is written down.
const FLUSH: Duration = Duration::from_mins(1);
/// How often it is looked for days that are over; a report that can't be sent now is tried again then.
const LOOK: Duration = Duration::from_hours(1);
/// Seconds after midnight within which a server begins: all would come at once (RFC 8460 §4.1).
const SPREAD_S: i64 = 4 * 3600;
/// What is unlike, of one kind and one minute; the rest is not reported on.
const GATHERED_MAX_COUNT: usize = 10_000;
const GATHERED_MAX_BYTES: usize = 8 * 1024 * 1024;
/// Days after which what could not be sent is dropped.
const LIFE_DAYS: i64 = 7;
/// How long DNS is asked whether a report is wanted.
const ASK: Duration = Duration::from_secs(20);

/// What was seen since the last minute.
#[derive(Default)]
pub(crate) struct Gathered {
    dmarc: Mutex<Rows>,
    tls: Mutex<Rows>,
    /// Held while it is written down: counts are added to those in the table.
    writing: tokio::sync::Mutex<()>,
}

/// By day and what is told, which names the domain that it is for; with that domain, and how often.
#[derive(Default)]
struct Rows {
    counts: HashMap<(i64, String), (String, u64)>,
    bytes: usize,
}

impl Gathered {
    fn of(&self, kind: ReportKind) -> &Mutex<Rows> {
        match kind {
            ReportKind::Dmarc => &self.dmarc,
            ReportKind::Tls => &self.tls,
        }
    }

    /// Counts once more what `body` tells.
    pub(crate) fn count(&self, kind: ReportKind, domain: &str, body: String) {
        let mut rows = self.of(kind).lock();
        let key = (now() / DAY_S, body);
        if let Some((_, count)) = rows.counts.get_mut(&key) {
            *count += 1;
        } else if rows.counts.len() < GATHERED_MAX_COUNT && rows.bytes < GATHERED_MAX_BYTES {
            rows.bytes += key.1.len() + domain.len();
            rows.counts.insert(key, (domain.to_owned(), 1));
        }
    }
}

/// Why reports can't be sent now.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("{0}")]
    Directory(#[from] directory::ChangeError),
    #[error("{0}")]
    Unavailable(#[from] directory::Unavailable),
    #[error("{0}")]
    Queue(#[from] QueueError),
    #[error("{0}")]
    Fault(#[from] tokio::task::JoinError),
}

/// The report on one domain and day.
#[derive(Clone)]
struct Report {
    kind: ReportKind,
    domain: String,
    /// Days since 1970.
    day: i64,
    /// What was seen, and how often.
    rows: Vec<ReportRow>,
    /// Tells it from others on that day.
    part: u32,
}

impl Report {
    fn new(kind: ReportKind, domain: String, day: i64, mut rows: Vec<ReportRow>) -> Self {
        rows.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let mut hash = crc32fast::Hasher::new();
        for row in &rows {
            hash.update(row.key.as_bytes());
            hash.update(&row.count.to_le_bytes());
        }
        Self {
            kind,
            domain,
            day,
            rows,
            part: hash.finalize(),
        }
    }

    /// Its first and its last second.
    fn range(&self) -> (i64, i64) {
        (self.day * DAY_S, (self.day + 1) * DAY_S - 1)
    }

    /// The same when it is sent once more.
    fn id(&self, hostname: &str) -> String {
        let Self {
            kind,
            domain,
            day,
            part,
            ..
        } = self;
        format!("{}.{day}.{part:x}.{domain}@{hostname}", kind.word())
    }

    /// The name of the file with it, without its ending (RFC 7489 §7.2.1.1, RFC 8460 §5.1).
    fn file(&self, hostname: &str) -> String {
        let (begin, end) = self.range();
        format!("{hostname}!{}!{begin}!{end}!{:x}", self.domain, self.part)
    }
}

impl Delivery {
    /// What waits to be reported.
    pub async fn reports_waiting(&self) -> Result<Vec<ReportWaiting>, ReportError> {
        let mut out = Vec::new();
        for kind in ReportKind::ALL {
            flush(&self.inner, kind).await?;
            let waiting = waiting(&self.inner, kind).await?.into_iter();
            out.extend(waiting.map(|((domain, day), count)| ReportWaiting {
                kind,
                domain,
                day: day * DAY_S,
                count,
            }));
        }
        Ok(out)
    }

    /// Sends all that waits, also of the day that is not over; gives the number of reports.
    pub async fn send_reports(&self, kind: ReportKind) -> Result<u64, ReportError> {
        flush(&self.inner, kind).await?;
        send(&self.inner, kind, i64::MAX).await
    }
}

/// Whether reports of that kind are sent.
fn is_on(settings: &Settings, kind: ReportKind) -> bool {
    settings.flag(match kind {
        ReportKind::Dmarc => "dmarc.reports",
        ReportKind::Tls => "tls-report.send",
    })
}

/// Writes down what is gathered, as long as the service runs.
pub(crate) async fn keep(inner: Arc<Inner>) {
    loop {
        let end = is_stopped_within(&inner, FLUSH).await;
        for kind in ReportKind::ALL {
            // A database that does not answer now is asked again a minute later; no room for more is a limit of its own.
            let _ = flush(&inner, kind).await;
        }
        if end {
            return;
        }
    }
}

/// Sends what is over, as long as the service runs.
pub(crate) async fn run(inner: Arc<Inner>) {
    let mut pause = FLUSH;
    while !is_stopped_within(&inner, pause).await {
        pause = LOOK;
        let settings = inner.parts.directory.settings();
        let spread = i64::from(crc32fast::hash(settings.text("server.hostname").as_bytes())) % SPREAD_S;
        let now = now();
        for kind in ReportKind::ALL {
            let _ = drop_old(&inner, kind, now / DAY_S).await;
            if is_on(&settings, kind) {
                let _ = send(&inner, kind, (now - spread) / DAY_S).await;
            }
        }
    }
}

async fn is_stopped_within(inner: &Inner, time: Duration) -> bool {
    let mut stopped = inner.stopped.subscribe();
    // The guard of the value must not live on.
    tokio::time::timeout(time, async { drop(stopped.wait_for(|stopped| *stopped).await) })
        .await
        .is_ok()
}

async fn flush(inner: &Inner, kind: ReportKind) -> Result<(), ReportError> {
    let _alone = inner.gathered.writing.lock().await;
    let gathered = std::mem::take(&mut *inner.gathered.of(kind).lock());
    if gathered.counts.is_empty() {
        return Ok(());
    }
    let rows = gathered
        .counts
        .iter()
        .map(|((day, body), (domain, count))| ReportRow {
            key: format!("{day}.{}", Observation::key(body)),
            day: *day,
            domain: domain.clone(),
            body: body.clone(),
            count: *count,
        });
    let written = inner.parts.directory.add_report_rows(kind, rows.collect()).await;
    if written.is_err() {
        let mut rows = inner.gathered.of(kind).lock();
        rows.bytes += gathered.bytes;
        for (key, value) in gathered.counts {
            rows.counts.entry(key).or_insert((value.0, 0)).1 += value.1;
        }
    }
    Ok(written?)
}

/// Counts by domain and day.
async fn waiting(inner: &Inner, kind: ReportKind) -> Result<BTreeMap<(String, i64), u64>, ReportError> {
    let mut out = BTreeMap::new();
    for row in inner.parts.directory.report_rows(kind, None).await? {
        *out.entry((row.domain, row.day)).or_insert(0) += row.count;
    }
    Ok(out)
}

async fn drop_old(inner: &Inner, kind: ReportKind, today: i64) -> Result<(), ReportError> {
    let directory = &inner.parts.directory;
    let rows = directory.report_rows(kind, None).await?.into_iter();
    let old: Vec<ReportRow> = rows.filter(|row| row.day + LIFE_DAYS < today).collect();
    if !old.is_empty() {
        let _alone = inner.gathered.writing.lock().await;
        directory.settle_report_rows(kind, old).await?;
    }
    Ok(())
}

/// Sends the reports on days before `end`.
async fn send(inner: &Inner, kind: ReportKind, end: i64) -> Result<u64, ReportError> {
    let _alone = inner.reporting.lock().await;
    let directory = &inner.parts.directory;
    let mut sent = 0;
    let waiting = waiting(inner, kind).await?.into_keys();
    for (domain, day) in waiting.filter(|(_, day)| *day < end) {
        if *inner.stopped.borrow() {
            break;
        }
        let mut rows = directory.report_rows(kind, Some(&domain)).await?;
        rows.retain(|row| row.day == day);
        if rows.is_empty() {
            continue;
        }
        let report = Arc::new(Report::new(kind, domain, day, rows));
        let done = match kind {
            ReportKind::Dmarc => dmarc::send(inner, &report).await?,
            ReportKind::Tls => tls_report::send(inner, &report).await?,
        };
        match done {
            Done::Sent => sent += 1,
            Done::NotWanted => {}
            Done::NotNow => continue,
        }
        // Meanwhile the same may have been seen again.
        let _alone = inner.gathered.writing.lock().await;
        let rows = Arc::unwrap_or_clone(report).rows;
        directory.settle_report_rows(kind, rows).await?;
    }
    Ok(sent)
}

/// What became of a report.
enum Done {
    Sent,
    NotWanted,
    /// It is tried again later.
    NotNow,
}
