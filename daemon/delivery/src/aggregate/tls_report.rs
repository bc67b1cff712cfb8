//! Reports on the security of connections to a domain's hosts (TLS-RPT, RFC 8460): who wants them, their JSON, their way.
//!
//! A report counts as sent when one of its addressees has it: a web server took it, or it is in the queue. By mail it goes only if it can be signed
//! (§3: an unsigned one is thrown away), over the web only to servers whose certificate holds.
//!
//! Must not know: where rows are kept, when reports are sent.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use dns::DnsError;
use events::Scope;
use events::kinds::delivery::{TlsReportFailed, TlsReportSent};
use http::{Limits, Request};
use serde_json::{Value, json};
use shared::{Address, DomainName};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use wire::message::date::Date;

use super::tls::{Policy, Seen};
use super::{ASK, Done, Report, ReportError, mail};
use crate::report::base64_lines;
use crate::{Inner, sign};

/// Addressees of one domain that are looked at.
const ADDRESSEES_MAX_COUNT: usize = 5;
/// Policies that are told; who changes his every minute hears of so many.
const POLICIES_MAX_COUNT: usize = 100;
/// Failures that are told one by one; the rest is in the sum.
const DETAILS_MAX_COUNT: usize = 2000;
const MEDIA_TYPE: &str = "application/tlsrpt+gzip";
const POST: Limits = Limits {
    total: Duration::from_secs(30),
    connect: Duration::from_secs(10),
    body_max_bytes: 64 * 1024,
    redirects_max_count: 0,
};

/// Who wants reports (§3).
#[derive(Debug, Default, PartialEq, Eq)]
struct Addressees {
    mail: Vec<Address>,
    web: Vec<String>,
}

pub(super) async fn send(inner: &Inner, report: &Arc<Report>) -> Result<Done, ReportError> {
    let Ok(domain) = DomainName::parse(&report.domain) else {
        return Ok(Done::NotWanted);
    };
    let name = format!("_smtp._tls.{domain}");
    let wanted = match timeout(ASK, inner.parts.dns.txt(&name)).await {
        Ok(Ok(records)) => addressees(&records),
        Ok(Err(DnsError::NoSuchDomain)) => None,
        Ok(Err(DnsError::Temporary(_))) | Err(_) => return Ok(Done::NotNow),
    };
    let Some(wanted) = wanted else {
        return Ok(Done::NotWanted);
    };
    let settings = inner.parts.directory.settings();
    let submitter = mail::Submitter::of(&settings);
    let (of_task, settings_of_task) = (report.clone(), settings.clone());
    let rendered = spawn_blocking(move || {
        let (json, sums) = render(&mail::Submitter::of(&settings_of_task), &of_task);
        (mail::gzip(json.to_string().as_bytes()), sums)
    });
    let (packed, Sums { sessions, failures }) = rendered.await?;
    let mut took = Vec::new();
    for url in &wanted.web {
        match post(inner, url, &packed).await {
            Ok(()) => took.push(url.clone()),
            Err(reason) => failed(inner, report, url, reason),
        }
    }
    let mut scope = Scope::default();
    if !wanted.mail.is_empty() {
        let from = Address::parse(&submitter.contact).ok();
        if sign::has_key(inner, from.as_ref().map(Address::domain)).await {
            let text = message(&submitter, report, &wanted.mail, &packed);
            scope = Scope::message(mail::post(inner, &wanted.mail, text).await?);
            took.extend(wanted.mail.iter().map(ToString::to_string));
        } else {
            let reason = format!("{} has no key (DKIM) to sign it with", submitter.contact);
            failed(
                inner,
                report,
                &wanted.mail.first().map(ToString::to_string).unwrap_or_default(),
                reason,
            );
        }
    }
    if took.is_empty() {
        return Ok(Done::NotNow);
    }
    let event = TlsReportSent {
        domain: report.domain.clone(),
        sessions,
        failures,
        to: took.join(", "),
    };
    inner.parts.events.emit(scope, event);
    Ok(Done::Sent)
}

fn failed(inner: &Inner, report: &Report, to: &str, reason: String) {
    let event = TlsReportFailed {
        domain: report.domain.clone(),
        to: to.to_owned(),
        reason,
    };
    inner.parts.events.emit(Scope::default(), event);
}

/// §5.4
async fn post(inner: &Inner, url: &str, packed: &[u8]) -> Result<(), String> {
    let request = Request::post(url, MEDIA_TYPE, packed.to_vec()).map_err(|error| error.to_string())?;
    let answer = inner.parts.http.send(request, &POST).await;
    let answer = answer.map_err(|error| error.to_string())?;
    if answer.is_success() {
        Ok(())
    } else {
        Err(format!("status {}", answer.status))
    }
}

/// §3: of exactly one record. `None`: nobody wants to be told.
fn addressees(records: &[Vec<u8>]) -> Option<Addressees> {
    let mut found = records
        .iter()
        .filter_map(|record| std::str::from_utf8(record).ok())
        .filter(|record| record.split(';').next().is_some_and(is_version) && record.contains(';'));
    let (Some(record), None) = (found.next(), found.next()) else {
        return None;
    };
    let rua = record.split(';').skip(1).find_map(|field| {
        let (key, value) = field.split_once('=')?;
        (key.trim() == "rua").then_some(value)
    })?;
    let mut out = Addressees::default();
    for uri in rua.split(',').map(str::trim).take(ADDRESSEES_MAX_COUNT) {
        let scheme = uri.split(':').next().unwrap_or_default();
        if scheme.eq_ignore_ascii_case("mailto") {
            out.mail.extend(address(uri));
        } else if scheme.eq_ignore_ascii_case("https") {
            out.web.push(uri.to_owned());
        }
    }
    (out != Addressees::default()).then_some(out)
}

fn is_version(field: &str) -> bool {
    let version = field.split_once('=');
    version.is_some_and(|(key, value)| key.trim() == "v" && value.trim() == "TLSRPTv1")
}

/// RFC 6068 §2: an address, percent-encoded, perhaps with fields that don't matter here.
fn address(uri: &str) -> Option<Address> {
    let text = uri.get("mailto:".len()..)?.split('?').next()?;
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            out.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            out.push(byte);
        }
    }
    Address::parse(std::str::from_utf8(&out).ok()?).ok()
}

/// The sessions of a report, and how many of them failed.
struct Sums {
    sessions: u64,
    failures: u64,
}

/// The report (§4.4).
fn render(submitter: &mail::Submitter<'_>, report: &Report) -> (Value, Sums) {
    let mut policies: Vec<Told> = Vec::new();
    let mut details = 0;
    for row in &report.rows {
        let Ok(seen) = serde_json::from_str::<Seen>(&row.body) else {
            continue;
        };
        let at = policies.iter().position(|told| told.policy == seen.policy);
        if at.is_none() && policies.len() == POLICIES_MAX_COUNT {
            continue;
        }
        let at = at.unwrap_or_else(|| {
            policies.push(Told {
                policy: seen.policy.clone(),
                successes: 0,
                failures: 0,
                details: Vec::new(),
            });
            policies.len() - 1
        });
        let Some(told) = policies.get_mut(at) else {
            continue;
        };
        if seen.result.is_empty() {
            told.successes += row.count;
            continue;
        }
        told.failures += row.count;
        if details < DETAILS_MAX_COUNT {
            details += 1;
            told.details.push(detail(&seen, row.count));
        }
    }
    let (begin, end) = report.range();
    let json = json!({
        "organization-name": submitter.organization,
        "date-range": {
            "start-datetime": Date::utc(begin).rfc3339(),
            "end-datetime": Date::utc(end).rfc3339(),
        },
        "contact-info": submitter.contact,
        "report-id": report.id(submitter.hostname),
        "policies": policies.iter().map(Told::json).collect::<Vec<_>>(),
    });
    let sum = |of: fn(&Told) -> u64| policies.iter().map(of).sum::<u64>();
    let failures = sum(|told| told.failures);
    let sessions = failures + sum(|told| told.successes);
    (json, Sums { sessions, failures })
}

/// What is told of one policy.
struct Told {
    policy: Policy,
    successes: u64,
    failures: u64,
    details: Vec<Value>,
}

impl Told {
    fn json(&self) -> Value {
        let policy = &self.policy;
        let mut of = json!({ "policy-type": policy.kind, "policy-domain": policy.domain });
        for (key, lines) in [("policy-string", &policy.lines), ("mx-host", &policy.hosts)] {
            if !lines.is_empty() {
                of[key] = json!(lines);
            }
        }
        let mut out = json!({
            "policy": of,
            "summary": {
                "total-successful-session-count": self.successes,
                "total-failure-session-count": self.failures,
            },
        });
        if !self.details.is_empty() {
            out["failure-details"] = json!(self.details);
        }
        out
    }
}

fn detail(seen: &Seen, count: u64) -> Value {
    let mut out = json!({ "result-type": seen.result, "failed-session-count": count });
    for (key, value) in [
        ("sending-mta-ip", &seen.own_address),
        ("receiving-mx-hostname", &seen.host),
        ("receiving-ip", &seen.address),
        ("failure-reason-code", &seen.reason),
    ] {
        if !value.is_empty() {
            out[key] = json!(value);
        }
    }
    out
}

/// §5.3
fn message(submitter: &mail::Submitter<'_>, report: &Report, to: &[Address], packed: &[u8]) -> String {
    let (hostname, domain) = (submitter.hostname, &report.domain);
    let file = format!("{}.json.gz", report.file(hostname));
    // Of nothing that could be too long or not allowed there (RFC 2046 §5.1.1).
    let boundary = format!(
        "=_{:x}_{:x}_report",
        report.day,
        crc32fast::hash(report.id(hostname).as_bytes())
    );
    let mut out = mail::head(submitter, report, to);
    // TLS-Required: that the way is not secure must not keep those from hearing of it who can mend it (RFC 8460 §3, RFC 8689 §3). Writing to a
    // text in memory can't fail.
    let _ = write!(
        out,
        "TLS-Required: No\r\nTLS-Report-Domain: {domain}\r\nTLS-Report-Submitter: {hostname}\r\n\
         Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n\tboundary=\"{boundary}\"\r\n\r\n\
         --{boundary}\r\nContent-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\
         This is an aggregate report on the security of connections (TLS) from {hostname}\r\nto the hosts of {domain}.\r\n\r\n\
         --{boundary}\r\nContent-Type: {MEDIA_TYPE};\r\n\tname=\"{file}\"\r\nContent-Disposition: attachment;\r\n\tfilename=\"{file}\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--{boundary}--\r\n",
        base64_lines(packed),
    );
    out
}
