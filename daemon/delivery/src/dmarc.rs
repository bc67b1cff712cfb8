//! Aggregate reports to domains whose mail came here (DMARC, RFC 7489 §7.2): gathered in memory, kept in a table, sent once a day.
//!
//! What was gathered in the last minute is lost with a crash. Rows are removed once their report is in the queue: after a crash between the two the
//! same report, with the same id, is sent once more. A report has the null reverse-path: nothing answers it.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use authenticity::{Observation, ReportHead, Results, report_xml, wants_reports};
use directory::DmarcRow;
use disk::blob::Blob;
use events::Scope;
use events::kinds::delivery::DmarcReportSent;
use parking_lot::Mutex;
use queue::{Envelope, QueueError};
use shared::protocol::DmarcWaiting;
use shared::settings::Settings;
use shared::{Address, DomainName};
use tokio::time::Instant;
use wire::message::date::Date;

use crate::report::base64_lines;
use crate::{Delivery, Inner, now};

const DAY_S: i64 = 86_400;
/// How often what was gathered is written down.
const FLUSH: Duration = Duration::from_mins(1);
/// How often it is looked for days that are over; a report that can't be sent now is tried again then.
const LOOK_S: i64 = 3600;
/// Unlike messages of a minute; further ones are not reported on.
const GATHERED_MAX_COUNT: usize = 10_000;
/// Rows of one report; the others are left out.
const REPORT_ROWS_MAX_COUNT: usize = 20_000;
/// Days after which what could not be sent is dropped.
const LIFE_DAYS: i64 = 7;
/// How long DNS is asked whether a report is wanted.
const ASK: Duration = Duration::from_secs(20);

/// Results since the last minute: by day and what is told of them.
#[derive(Default)]
pub(crate) struct Gathered {
    rows: Mutex<HashMap<(i64, String), (String, u64)>>,
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
}

impl Delivery {
    /// A message was accepted whose sender was checked.
    pub fn checked(&self, results: &Results, peer: IpAddr) {
        let settings = self.inner.parts.directory.settings();
        if !settings.flag("dmarc.reports") {
            return;
        }
        let Some(seen) = Observation::of(results, peer) else {
            return;
        };
        let Ok(body) = serde_json::to_string(&seen) else {
            return;
        };
        let mut rows = self.inner.gathered.rows.lock();
        let key = (now() / DAY_S, body);
        if let Some((_, count)) = rows.get_mut(&key) {
            *count += 1;
        } else if rows.len() < GATHERED_MAX_COUNT {
            rows.insert(key, (seen.domain, 1));
        }
    }

    /// What waits to be reported.
    pub async fn dmarc_waiting(&self) -> Result<Vec<DmarcWaiting>, ReportError> {
        flush(&self.inner).await?;
        let waiting = waiting(&self.inner).await?;
        Ok(waiting
            .into_iter()
            .map(|((domain, day), messages)| DmarcWaiting {
                domain,
                day: day * DAY_S,
                messages,
            })
            .collect())
    }

    /// Sends all that waits, also of the day that is not over; gives the number of reports.
    pub async fn send_dmarc_reports(&self) -> Result<u64, ReportError> {
        flush(&self.inner).await?;
        send(&self.inner, i64::MAX).await
    }
}

/// Writes down and sends as long as the service runs.
pub(crate) async fn run(inner: Arc<Inner>) {
    let mut stopped = inner.stopped.subscribe();
    let mut looked = 0;
    loop {
        // The guard of the value must not live on.
        let end =
            tokio::time::timeout(FLUSH, async { drop(stopped.wait_for(|stopped| *stopped).await) }).await;
        // A database that does not answer now is asked again a minute later; no room for more is a limit of its own.
        let _ = flush(&inner).await;
        if end.is_ok() {
            return;
        }
        let now = now();
        if now - looked >= LOOK_S {
            looked = now;
            let _ = drop_old(&inner, now / DAY_S).await;
            if inner.parts.directory.settings().flag("dmarc.reports") {
                let _ = send(&inner, now / DAY_S).await;
            }
        }
    }
}

async fn flush(inner: &Inner) -> Result<(), ReportError> {
    let gathered = std::mem::take(&mut *inner.gathered.rows.lock());
    if gathered.is_empty() {
        return Ok(());
    }
    let rows = gathered.iter().map(|((day, body), (domain, count))| DmarcRow {
        key: format!("{day}.{}", Observation::key(body)),
        day: *day,
        domain: domain.clone(),
        body: body.clone(),
        count: *count,
    });
    let written = inner.parts.directory.add_dmarc_rows(rows.collect()).await;
    if written.is_err() {
        let mut rows = inner.gathered.rows.lock();
        for (key, value) in gathered {
            rows.entry(key).or_insert((value.0, 0)).1 += value.1;
        }
    }
    Ok(written?)
}

/// Messages by domain and day.
async fn waiting(inner: &Inner) -> Result<BTreeMap<(String, i64), u64>, ReportError> {
    let mut out = BTreeMap::new();
    for row in inner.parts.directory.dmarc_rows(None).await? {
        *out.entry((row.domain, row.day)).or_insert(0) += row.count;
    }
    Ok(out)
}

async fn drop_old(inner: &Inner, today: i64) -> Result<(), ReportError> {
    let directory = &inner.parts.directory;
    let rows = directory.dmarc_rows(None).await?.into_iter();
    let old: Vec<String> = rows
        .filter(|row| row.day + LIFE_DAYS < today)
        .map(|row| row.key)
        .collect();
    if !old.is_empty() {
        directory.remove_dmarc_rows(&old).await?;
    }
    Ok(())
}

/// Sends the reports on days before `end`.
async fn send(inner: &Inner, end: i64) -> Result<u64, ReportError> {
    let _alone = inner.reporting.lock().await;
    let mut sent = 0;
    for (domain, day) in waiting(inner).await?.into_keys().filter(|(_, day)| *day < end) {
        let rows = inner.parts.directory.dmarc_rows(Some(&domain)).await?;
        let rows: Vec<DmarcRow> = rows.into_iter().filter(|row| row.day == day).collect();
        let seen: Vec<(Observation, u64)> = rows
            .iter()
            .take(REPORT_ROWS_MAX_COUNT)
            .filter_map(|row| Some((serde_json::from_str(&row.body).ok()?, row.count)))
            .collect();
        let Some(to) = addressees(inner, &domain, &seen).await else {
            continue;
        };
        if !to.is_empty() && !seen.is_empty() {
            commit(inner, &domain, day, &to, &seen).await?;
            sent += 1;
        }
        let keys: Vec<String> = rows.into_iter().map(|row| row.key).collect();
        inner.parts.directory.remove_dmarc_rows(&keys).await?;
    }
    Ok(sent)
}

/// Who wants the report. `None`: it can't be found out now.
async fn addressees(inner: &Inner, domain: &str, seen: &[(Observation, u64)]) -> Option<Vec<Address>> {
    let Ok(domain) = DomainName::parse(domain) else {
        return Some(Vec::new());
    };
    let mut out = Vec::new();
    let Some((newest, _)) = seen.last() else {
        return Some(out);
    };
    for address in newest.reports.iter().filter_map(|text| Address::parse(text).ok()) {
        let deadline = Instant::now() + ASK;
        if wants_reports(&inner.parts.dns, &domain, address.domain(), deadline).await? {
            out.push(address);
        }
    }
    Some(out)
}

async fn commit(
    inner: &Inner,
    domain: &str,
    day: i64,
    to: &[Address],
    seen: &[(Observation, u64)],
) -> Result<(), QueueError> {
    let settings = inner.parts.directory.settings();
    let text = render(&settings, domain, day, to, seen);
    let envelope = Envelope::from_server(to, 0, now());
    let mut intake = inner.parts.queue.intake();
    intake.write(text.as_bytes()).await?;
    let text: Blob = intake.finish().await?;
    let committed = inner.parts.queue.commit(envelope, text).await?;
    let event = DmarcReportSent {
        domain: domain.to_owned(),
        messages: seen.iter().map(|(_, count)| count).sum(),
        to: to.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    let scope = Scope::message(events::MessageId(committed.id().0));
    inner.parts.events.emit(scope, event);
    Ok(())
}

/// The message, RFC 7489 §7.2.1.1.
fn render(
    settings: &Settings,
    domain: &str,
    day: i64,
    to: &[Address],
    seen: &[(Observation, u64)],
) -> String {
    let hostname = settings.text("server.hostname");
    let contact = ["dmarc.contact", "server.postmaster"]
        .into_iter()
        .find_map(|key| Address::parse(settings.text(key)).ok());
    let contact = contact.map_or_else(|| format!("postmaster@{hostname}"), |contact| contact.to_string());
    let organization = match settings.text("dmarc.organization") {
        "" => hostname,
        organization => organization,
    };
    let (begin, end) = (day * DAY_S, (day + 1) * DAY_S - 1);
    let id = format!("{day}.{domain}@{hostname}");
    let head = ReportHead {
        organization,
        contact: &contact,
        id: &id,
        begin,
        end,
    };
    let packed = gzip(report_xml(&head, seen).as_bytes());
    let file = format!("{hostname}!{domain}!{begin}!{end}.xml.gz");
    let to: Vec<String> = to.iter().map(|address| format!("<{address}>")).collect();
    let mut out = String::new();
    // Writing to a text in memory can't fail.
    let _ = write!(
        out,
        "Return-Path: <>\r\nFrom: <{contact}>\r\nTo: {}\r\nDate: {}\r\nMessage-ID: <{:x}.{id}>\r\n\
         Subject: Report Domain: {domain}\r\n Submitter: {hostname}\r\n Report-ID: <{id}>\r\nMIME-Version: 1.0\r\n\
         Auto-Submitted: auto-generated\r\nContent-Type: application/gzip;\r\n\tname=\"{file}\"\r\n\
         Content-Disposition: attachment;\r\n\tfilename=\"{file}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        to.join(",\r\n\t"),
        Date::utc(now()).rfc5322(),
        now(),
        base64_lines(&packed),
    );
    out
}

/// The format of gzip.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    const LEVEL: u8 = 6;
    // No name, no time, an unknown system.
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    out.extend(miniz_oxide::deflate::compress_to_vec(bytes, LEVEL));
    out.extend_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out
}
