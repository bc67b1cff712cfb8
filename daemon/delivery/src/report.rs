//! Reports to senders (RFC 3461, RFC 3464): what failed, what is late, what arrived.
//!
//! A report has the null reverse-path and is committed together with marks on its cause: one for each recipient and action, so that a crash
//! repeats none. A message with the null reverse-path is never reported on (RFC 5321 §6.1).

use std::fmt::Write;
use std::sync::Arc;

use bytes::Bytes;
use disk::blob::Blob;
use events::Scope;
use events::kinds::delivery::{BounceDropped, BounceSent};
use i18n::Language;
use queue::{Envelope, Job, Notify, QueueError, Recipient};
use shared::Address;
use wire::message::date::Date;

use crate::process::Verdicts;
use crate::verdict::Verdict;
use crate::{Inner, now, text};

/// Bytes of an original that is returned whole; of a larger one the header.
const RETURN_MAX_BYTES: u64 = 1024 * 1024;
/// Bytes of a header that is returned.
const HEADER_RETURN_MAX_BYTES: usize = 64 * 1024;
/// Characters of a base64 line (RFC 2045 §6.8).
const BASE64_LINE_CHARS: usize = 76;
/// Bytes in one encoded-word of a Subject, so that it stays under 75 characters (RFC 2047 §2).
const ENCODED_WORD_BYTES: usize = 42;

/// RFC 3464 §2.3.3
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Failed,
    Delayed,
    Delivered,
    Relayed,
    Expanded,
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
            Self::Expanded => "expanded",
        }
    }
}

/// What a report says of one recipient.
struct Line<'a> {
    index: u32,
    recipient: &'a Recipient,
    action: Action,
    verdict: &'a Verdict,
}

/// What the texts of a report need.
struct Report<'a> {
    language: Language,
    hostname: &'a str,
    envelope: &'a Envelope,
    sender: &'a Address,
    lines: &'a [Line<'a>],
    /// Of delays: until when it is tried.
    until: i64,
    now: i64,
}

/// Tells the sender what is to be told of these verdicts, at most one report for each kind.
pub(crate) async fn tell(inner: &Arc<Inner>, job: &mut Job, verdicts: &Verdicts) -> Result<(), QueueError> {
    let envelope = job.envelope.clone();
    let now = now();
    let warn_after = inner.parts.directory.settings().number("queue.warn-after");
    let late = warn_after > 0 && now >= envelope.received.saturating_add_unsigned(warn_after);
    let lines: Vec<Line<'_>> = verdicts
        .iter()
        .filter_map(|(index, verdict)| {
            let recipient = envelope.recipients.get(*index as usize)?;
            let action = action(verdict, recipient.notify, late)?;
            Some(Line {
                index: *index,
                recipient,
                action,
                verdict,
            })
        })
        .filter(|line| !job.has_mark(&mark(line)))
        .collect();
    let Some(sender) = &envelope.sender else {
        if lines.iter().any(|line| line.action == Action::Failed) {
            let reason = lines
                .iter()
                .map(|line| line.recipient.address.to_string())
                .collect::<Vec<_>>()
                .join(", ");
            inner
                .parts
                .events
                .emit(Scope::message(job.id), BounceDropped { reason });
        }
        return Ok(());
    };
    let (failed, rest): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.action == Action::Failed);
    let (delayed, good): (Vec<_>, Vec<_>) = rest.into_iter().partition(|line| line.action == Action::Delayed);
    for lines in [failed, delayed, good] {
        if !lines.is_empty() {
            send(inner, job, &envelope, sender, &lines, now).await?;
        }
    }
    Ok(())
}

/// What is to be said of a recipient, by the verdict and NOTIFY (RFC 3461 §4.1).
fn action(verdict: &Verdict, notify: Option<Notify>, late: bool) -> Option<Action> {
    let wanted = notify.unwrap_or(Notify {
        success: false,
        failure: true,
        delay: true,
    });
    let (action, wanted) = match verdict {
        Verdict::Failed { .. } => (Action::Failed, wanted.failure),
        Verdict::PutOff { .. } => (Action::Delayed, wanted.delay && late),
        Verdict::Stored => (Action::Delivered, wanted.success),
        Verdict::Forwarded => (Action::Expanded, wanted.success),
        // RFC 3461 §6.2.1: a host that knows DSN reports itself.
        Verdict::Relayed { dsn, .. } => (Action::Relayed, wanted.success && !dsn),
        Verdict::NotTried { .. } => return None,
    };
    wanted.then_some(action)
}

fn mark(line: &Line<'_>) -> String {
    format!("{} {}", line.action.word(), line.index)
}

async fn send(
    inner: &Arc<Inner>,
    job: &mut Job,
    envelope: &Envelope,
    sender: &Address,
    lines: &[Line<'_>],
    now: i64,
) -> Result<(), QueueError> {
    let settings = inner.parts.directory.settings();
    let language = language(inner, sender, settings.text("server.language")).await;
    let hostname = settings.text("server.hostname");
    let until = envelope
        .received
        .saturating_add_unsigned(settings.number("queue.lifetime"));
    let report = Report {
        language,
        hostname,
        envelope,
        sender,
        lines,
        until,
        now,
    };
    let (original, whole) = original(inner, job, lines).await;
    let id = format!(
        "{:x}.{}.{}",
        now,
        job.id,
        lines.first().map_or(0, |line| line.index)
    );
    let text = render(&report, &id, &original, whole);
    let eight_bit = !text.is_ascii();
    let own = Envelope::from_server(std::slice::from_ref(sender), envelope.session, now);
    let own = Envelope {
        smtputf8: own.smtputf8 || envelope.smtputf8,
        eight_bit,
        // RFC 8689 §5
        require_tls: envelope.require_tls,
        ..own
    };
    let marks: Vec<String> = lines.iter().map(mark).collect();
    let committed = inner
        .parts
        .queue
        .commit_from(job, &marks, own, Blob::Bytes(text.into()))
        .await?;
    let scope = Scope::message(events::MessageId(committed.id().0));
    let event = BounceSent {
        recipient: sender.to_string(),
        about: job.id.to_string(),
    };
    inner.parts.events.emit(scope, event);
    Ok(())
}

/// The language of the sender, if that is one of our users who has one; else the server's.
async fn language(inner: &Inner, sender: &Address, servers: &str) -> Language {
    // A directory that can't be asked now: better a report in another language than none.
    let account = inner.parts.directory.account(sender).await.ok().flatten();
    let own = account.and_then(|account| Language::from_code(&account.language));
    own.or_else(|| Language::from_code(servers))
        .unwrap_or(Language::En)
}

/// What of the original is returned, and whether that is all of it (RFC 3461 §6.3: only failures return a whole text; RFC 8689 §5: none that
/// wanted TLS all the way).
async fn original(inner: &Arc<Inner>, job: &Job, lines: &[Line<'_>]) -> (Bytes, bool) {
    let failed = lines.iter().any(|line| line.action == Action::Failed);
    let wanted = job.envelope.return_full == Some(true) && !job.envelope.require_tls;
    let whole = failed && wanted && job.text.len() <= RETURN_MAX_BYTES;
    let disk = &inner.parts.disk;
    let read = if whole {
        text::piece(disk, &job.text, 0, RETURN_MAX_BYTES as usize).await
    } else {
        text::header(disk, &job.text).await
    };
    // A report without the original is better than none.
    let bytes = read.unwrap_or_default();
    let skip = text::return_path_len(&job.envelope, &bytes);
    let bytes = bytes.slice(skip..);
    if !whole && bytes.len() > HEADER_RETURN_MAX_BYTES {
        return (bytes.slice(..HEADER_RETURN_MAX_BYTES), false);
    }
    (bytes, whole)
}

/// The whole text of a report (RFC 3462, RFC 3464).
fn render(report: &Report<'_>, id: &str, original: &[u8], whole: bool) -> Vec<u8> {
    let hostname = report.hostname;
    let kind = kind(report.lines);
    let boundary = format!("=_{id}_report");
    let mut out = String::new();
    // Writing to a text in memory can't fail, here and below.
    let _ = write!(
        out,
        "Return-Path: <>\r\nFrom: {} <postmaster@{hostname}>\r\nTo: <{}>\r\nSubject: {}\r\nDate: {}\r\n\
         Message-ID: <{id}@{hostname}>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{boundary}\"\r\n\
         Content-Transfer-Encoding: {}\r\n\r\n",
        encoded_words(&i18n::text(report.language, "report-from")),
        report.sender,
        encoded_words(&i18n::text(report.language, &format!("report-subject-{kind}"))),
        Date::utc(report.now).rfc5322(),
        if original.is_ascii() { "7bit" } else { "8bit" },
    );
    let _ = write!(
        out,
        "--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Language: {}\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        report.language.code(),
        base64_lines(explanation(report, kind).as_bytes()),
    );
    let _ = write!(
        out,
        "--{boundary}\r\nContent-Type: message/delivery-status\r\n\r\n{}",
        status(report)
    );
    let (of_type, encoding) = (
        if whole {
            "message/rfc822"
        } else {
            "text/rfc822-headers"
        },
        if original.is_ascii() { "7bit" } else { "8bit" },
    );
    let _ = write!(
        out,
        "--{boundary}\r\nContent-Type: {of_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    );
    let mut out = out.into_bytes();
    out.extend_from_slice(original);
    if !original.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    out
}

/// The part of the texts' keys that names the kind of report.
fn kind(lines: &[Line<'_>]) -> &'static str {
    match lines.first().map(|line| line.action) {
        Some(Action::Failed) | None => "failed",
        Some(Action::Delayed) => "delayed",
        Some(_) => "delivered",
    }
}

/// The part for people.
fn explanation(report: &Report<'_>, kind: &str) -> String {
    let language = report.language;
    let count = report.lines.len() as u64;
    let args = [
        ("count", i18n::Arg::from(count)),
        ("host", i18n::Arg::from(report.hostname)),
        ("until", i18n::Arg::from(Date::utc(report.until).rfc5322())),
        (
            "received",
            i18n::Arg::from(Date::utc(report.envelope.received).rfc5322()),
        ),
    ];
    let mut out = i18n::format(language, &format!("report-intro-{kind}"), &args);
    out.push_str("\n\n");
    for line in report.lines {
        let _ = writeln!(out, "<{}>", line.recipient.address);
        let key = reason_key(line);
        let _ = writeln!(out, "    {}", i18n::text(language, key));
        if let Verdict::Failed { reply, .. } | Verdict::PutOff { reply, .. } = line.verdict {
            let _ = writeln!(out, "    {reply}");
        }
        out.push('\n');
    }
    out.push_str(&i18n::format(language, &format!("report-end-{kind}"), &args));
    out.push('\n');
    out.replace('\n', "\r\n")
}

/// Why, in words: by the enhanced status code (RFC 3463).
fn reason_key(line: &Line<'_>) -> &'static str {
    match line.action {
        Action::Delivered => return "report-reason-delivered",
        Action::Relayed => return "report-reason-relayed",
        Action::Expanded => return "report-reason-expanded",
        Action::Failed | Action::Delayed => {}
    }
    let status = line.verdict.status();
    match (status.1, status.2) {
        (1, 1) => "report-reason-unknown",
        (1, 2) | (4, 4) => "report-reason-no-domain",
        (1, 10) => "report-reason-takes-no-mail",
        (2, 1) => "report-reason-disabled",
        (2, 2) => "report-reason-over-quota",
        (3, 4) => "report-reason-too-large",
        (4, 6) => "report-reason-loop",
        (4, 7) => "report-reason-expired",
        (4, _) => "report-reason-unreachable",
        (6, 7) => "report-reason-international",
        (7, 5) => "report-reason-insecure",
        (7, 30) => "report-reason-require-tls",
        (7, 0) if matches!(line.verdict, Verdict::Failed { host: None, .. }) => "report-reason-removed",
        _ => "report-reason-refused",
    }
}

/// The part for programs (RFC 3464 §2).
fn status(report: &Report<'_>) -> String {
    let mut out = format!("Reporting-MTA: dns; {}\r\n", report.hostname);
    if let Some(id) = &report.envelope.envelope_id {
        let _ = write!(out, "Original-Envelope-Id: {}\r\n", one_line(id));
    }
    let _ = write!(
        out,
        "Arrival-Date: {}\r\n",
        Date::utc(report.envelope.received).rfc5322()
    );
    for line in report.lines {
        out.push_str("\r\n");
        if let Some(original) = &line.recipient.original {
            let _ = write!(out, "Original-Recipient: {}\r\n", original_recipient(original));
        }
        let address = line.recipient.address.to_string();
        let of_type = if address.is_ascii() { "rfc822" } else { "utf-8" };
        let _ = write!(
            out,
            "Final-Recipient: {of_type};{}\r\nAction: {}\r\nStatus: {}\r\n",
            ascii_address(&address),
            line.action.word(),
            line.verdict.status(),
        );
        if let Verdict::Failed { host: Some(host), .. }
        | Verdict::PutOff { host: Some(host), .. }
        | Verdict::Relayed { host, .. } = line.verdict
        {
            let _ = write!(out, "Remote-MTA: dns; {}\r\n", one_line(host));
        }
        if let Verdict::Failed { reply, .. }
        | Verdict::PutOff { reply, .. }
        | Verdict::Relayed { reply, .. } = line.verdict
        {
            let _ = write!(out, "Diagnostic-Code: smtp; {}\r\n", one_line(reply));
        }
        let _ = write!(out, "Last-Attempt-Date: {}\r\n", Date::utc(report.now).rfc5322());
        if line.action == Action::Delayed {
            let _ = write!(out, "Will-Retry-Until: {}\r\n", Date::utc(report.until).rfc5322());
        }
    }
    out.push_str("\r\n");
    out
}

/// A value of one field: printable ASCII, of a bounded length.
pub(crate) fn one_line(text: &str) -> String {
    const VALUE_MAX_CHARS: usize = 900;
    text.chars()
        .take(VALUE_MAX_CHARS)
        .map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' })
        .collect()
}

/// ORCPT without its xtext (RFC 3461 §4.2, RFC 3464 §2.3.1).
fn original_recipient(original: &str) -> String {
    let decoded = original.split_once(';').and_then(|(kind, address)| {
        let address = wire::smtp::xtext_decode(address.as_bytes())?;
        Some(format!("{kind};{address}"))
    });
    ascii_address(&decoded.unwrap_or_else(|| original.to_owned()))
}

/// An address in ASCII: others by RFC 6533 §3 (utf-8-addr-xtext).
fn ascii_address(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    for c in address.chars() {
        if c == ' ' || c.is_ascii_graphic() {
            out.push(c);
        } else {
            let _ = write!(out, "\\x{{{:X}}}", u32::from(c));
        }
    }
    out
}

pub(crate) fn base64_lines(bytes: &[u8]) -> String {
    let encoded = wire::base64::encode(bytes);
    let mut out = String::with_capacity(encoded.len() + encoded.len() / 38);
    for (index, c) in encoded.chars().enumerate() {
        if index > 0 && index % BASE64_LINE_CHARS == 0 {
            out.push_str("\r\n");
        }
        out.push(c);
    }
    out.push_str("\r\n");
    out
}

/// A text in a header field (RFC 2047).
pub(crate) fn encoded_words(text: &str) -> String {
    if text.is_ascii() {
        return one_line(text);
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        if word.len() + c.len_utf8() > ENCODED_WORD_BYTES {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let encoded: Vec<String> = words
        .iter()
        .map(|word| format!("=?utf-8?B?{}?=", wire::base64::encode(word.as_bytes())))
        .collect();
    encoded.join("\r\n ")
}
