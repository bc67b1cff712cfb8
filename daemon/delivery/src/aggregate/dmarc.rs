//! Reports on mail in the names of other domains (DMARC, RFC 7489 §7.2).
//!
//! Must not know: where rows are kept, when reports are sent.

use std::fmt::Write;
use std::net::IpAddr;

use authenticity::{Observation, ReportHead, Results, report_xml, wants_reports};
use events::Scope;
use events::kinds::delivery::DmarcReportSent;
use shared::protocol::ReportKind;
use shared::settings::Settings;
use shared::{Address, DomainName};
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

pub(super) async fn send(inner: &Inner, report: &Report<'_>) -> Result<Done, ReportError> {
    let rows = report.rows.iter();
    let seen: Vec<(Observation, u64)> = rows
        .filter_map(|row| Some((serde_json::from_str(&row.body).ok()?, row.count)))
        .collect();
    let Some(to) = addressees(inner, report.domain, &seen).await else {
        return Ok(Done::NotNow);
    };
    if to.is_empty() || seen.is_empty() {
        return Ok(Done::NotWanted);
    }
    let text = render(&inner.parts.directory.settings(), report, &to, &seen);
    let scope = Scope::message(mail::post(inner, &to, text).await?);
    let event = DmarcReportSent {
        domain: report.domain.to_owned(),
        messages: seen.iter().map(|(_, count)| count).sum(),
        to: to.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    inner.parts.events.emit(scope, event);
    Ok(Done::Sent)
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

/// The message, RFC 7489 §7.2.1.1.
fn render(settings: &Settings, report: &Report<'_>, to: &[Address], seen: &[(Observation, u64)]) -> String {
    let submitter = mail::Submitter::of(settings);
    let (hostname, domain) = (submitter.hostname, report.domain);
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
    let file = format!("{hostname}!{domain}!{begin}!{end}.xml.gz");
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
