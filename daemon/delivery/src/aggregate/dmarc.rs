//! Reports on mail in the names of other domains (DMARC, RFC 7489 §7.2).
//!
//! Must not know: where rows are kept, when reports are sent.

use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;

use authenticity::{Observation, ReportHead, Results, report_xml, wants_reports};
use directory::ReportRow;
use events::Scope;
use events::kinds::delivery::DmarcReportSent;
use shared::protocol::ReportKind;
use shared::settings::Settings;
use shared::{Address, DomainName};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::{ASK, Done, Report, ReportError, is_on, mail};
use crate::report::base64_lines;
use crate::{Delivery, Inner};

impl Delivery {
    /// A message was accepted whose sender was checked.
    pub fn checked(&self, results: &Results, peer: IpAddr) {
        if !is_on(&self.inner.parts.directory.settings(), ReportKind::Dmarc) {
            return;
        }
        let Some(seen) = Observation::of(results, peer) else {
            return;
        };
        if let Ok(body) = serde_json::to_string(&seen) {
            self.inner.gathered.count(ReportKind::Dmarc, &seen.domain, body);
        }
    }
}

pub(super) async fn send(inner: &Inner, report: &Arc<Report>) -> Result<Done, ReportError> {
    let Some(to) = addressees(inner, report).await else {
        return Ok(Done::NotNow);
    };
    if to.is_empty() {
        return Ok(Done::NotWanted);
    }
    let (settings, report, to_all) = (inner.parts.directory.settings(), report.clone(), to.clone());
    let domain = report.domain.clone();
    let rendered = spawn_blocking(move || {
        let read = |row: &ReportRow| Some((serde_json::from_str(&row.body).ok()?, row.count));
        let seen: Vec<(Observation, u64)> = report.rows.iter().filter_map(read).collect();
        let messages = seen.iter().map(|(_, count)| count).sum();
        (render(&settings, &report, &to_all, &seen), messages)
    });
    let (text, messages) = rendered.await?;
    let scope = Scope::message(mail::post(inner, &to, text).await?);
    let event = DmarcReportSent {
        domain,
        messages,
        to: to.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    inner.parts.events.emit(scope, event);
    Ok(Done::Sent)
}

/// Who wants the report. `None`: it can't be found out now.
async fn addressees(inner: &Inner, report: &Report) -> Option<Vec<Address>> {
    let mut rows = report.rows.iter();
    // All of one day say the same, or one of those that the domain said.
    let first = rows.find_map(|row| serde_json::from_str::<Observation>(&row.body).ok());
    let (Ok(domain), Some(first)) = (DomainName::parse(&report.domain), first) else {
        return Some(Vec::new());
    };
    let mut out = Vec::new();
    for address in first.reports.iter().filter_map(|text| Address::parse(text).ok()) {
        let deadline = Instant::now() + ASK;
        if wants_reports(&inner.parts.dns, &domain, address.domain(), deadline).await? {
            out.push(address);
        }
    }
    Some(out)
}

/// The message, RFC 7489 §7.2.1.1.
fn render(settings: &Settings, report: &Report, to: &[Address], seen: &[(Observation, u64)]) -> String {
    let submitter = mail::Submitter::of(settings);
    let hostname = submitter.hostname;
    let (begin, end) = report.range();
    let id = report.id(hostname);
    let head = ReportHead {
        organization: submitter.organization,
        contact: &submitter.contact,
        id: &id,
        begin,
        end,
    };
    let packed = mail::gzip(report_xml(&head, seen).as_bytes());
    let file = format!("{}.xml.gz", report.file(hostname));
    let mut out = mail::head(&submitter, report, to);
    // Writing to a text in memory can't fail.
    let _ = write!(
        out,
        "Content-Type: application/gzip;\r\n\tname=\"{file}\"\r\nContent-Disposition: attachment;\r\n\tfilename=\"{file}\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}",
        base64_lines(&packed),
    );
    out
}
