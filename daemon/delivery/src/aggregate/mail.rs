//! Mail that carries a report: who writes it, its header, its way into the queue.
//!
//! Must not know: what is reported.

use std::fmt::Write;

use disk::blob::Blob;
use events::MessageId;
use queue::{Envelope, QueueError};
use shared::Address;
use shared::settings::Settings;
use wire::message::date::Date;

use super::Report;
use crate::{Inner, now};

/// Who reports.
pub(super) struct Submitter<'a> {
    pub(super) hostname: &'a str,
    pub(super) organization: &'a str,
    pub(super) contact: String,
}

impl<'a> Submitter<'a> {
    pub(super) fn of(settings: &'a Settings) -> Self {
        let hostname = settings.text("server.hostname");
        let contact = ["dmarc.contact", "server.postmaster"]
            .into_iter()
            .find_map(|key| Address::parse(settings.text(key)).ok());
        Self {
            hostname,
            organization: match settings.text("dmarc.organization") {
                "" => hostname,
                organization => organization,
            },
            contact: contact.map_or_else(|| format!("postmaster@{hostname}"), |contact| contact.to_string()),
        }
    }
}

/// The fields that all reports have.
pub(super) fn head(submitter: &Submitter<'_>, report: &Report, to: &[Address]) -> String {
    let Submitter {
        hostname, contact, ..
    } = submitter;
    let id = report.id(hostname);
    let to: Vec<String> = to.iter().map(|address| format!("<{address}>")).collect();
    let mut out = String::new();
    // Writing to a text in memory can't fail.
    let _ = write!(
        out,
        "Return-Path: <>\r\nFrom: <{contact}>\r\nTo: {}\r\nDate: {}\r\nMessage-ID: <{:x}.{id}>\r\n\
         Subject: Report Domain: {}\r\n Submitter: {hostname}\r\n Report-ID: <{id}>\r\nMIME-Version: 1.0\r\n\
         Auto-Submitted: auto-generated\r\n",
        to.join(",\r\n\t"),
        Date::utc(now()).rfc5322(),
        now(),
        report.domain,
    );
    out
}

/// Puts a report into the queue.
pub(super) async fn post(inner: &Inner, to: &[Address], text: String) -> Result<MessageId, QueueError> {
    // Nobody is to hear that a report did not arrive.
    let envelope = Envelope::from_server(to, 0, now());
    let mut intake = inner.parts.queue.intake();
    intake.write(text.as_bytes()).await?;
    let text: Blob = intake.finish().await?;
    let committed = inner.parts.queue.commit(envelope, text).await?;
    Ok(MessageId(committed.id().0))
}

/// The format of gzip.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    const LEVEL: u8 = 6;
    // No name, no time, an unknown system.
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    out.extend(miniz_oxide::deflate::compress_to_vec(bytes, LEVEL));
    out.extend_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out
}
