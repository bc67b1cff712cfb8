//! The texts of messages: read in pieces, with fields put on top or taken off.

use bytes::Bytes;
use disk::SharedDisk;
use disk::blob::Blob;
use queue::{Envelope, Queue};

/// Bytes of a header that are looked at.
pub(crate) const HEADER_MAX_BYTES: usize = 256 * 1024;
/// Bytes of one piece.
pub(crate) const PIECE_BYTES: usize = 128 * 1024;
/// Received fields of a message that goes in circles.
const HOPS_MAX_COUNT: usize = 60;

/// A piece of a text, read off the runtime's threads if it is in a file. Empty at the end.
pub(crate) async fn piece(disk: &SharedDisk, text: &Blob, at: u64, len: usize) -> std::io::Result<Bytes> {
    if let Blob::Bytes(_) = text {
        return text.read_range(disk.as_ref(), at, len);
    }
    let (disk, text) = (disk.clone(), text.clone());
    let read = tokio::task::spawn_blocking(move || text.read_range(disk.as_ref(), at, len)).await;
    read.map_err(std::io::Error::other)?
}

/// The header with its blank line, as far as it is looked at.
pub(crate) async fn header(disk: &SharedDisk, text: &Blob) -> std::io::Result<Bytes> {
    let start = piece(disk, text, 0, HEADER_MAX_BYTES).await?;
    let end = wire::message::header_end(&start).min(start.len());
    Ok(start.slice(..end))
}

/// Bytes of the Return-Path that this server put on top: it does not leave the house (RFC 5321 §4.4).
pub(crate) fn return_path_len(envelope: &Envelope, start: &[u8]) -> usize {
    let field = return_path(envelope);
    if start.starts_with(field.as_bytes()) {
        field.len()
    } else {
        0
    }
}

/// The Return-Path of a message, with its line end.
pub(crate) fn return_path(envelope: &Envelope) -> String {
    let sender = envelope
        .sender
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    format!("Return-Path: <{sender}>\r\n")
}

/// Whether the message has passed too many servers (RFC 5321 §6.3).
pub(crate) fn goes_in_circles(header: &[u8]) -> bool {
    let fields = wire::message::headers(header);
    fields
        .filter(|field| field.name.eq_ignore_ascii_case(b"received"))
        .count()
        > HOPS_MAX_COUNT
}

/// Whether the message says that security must not keep it (RFC 8689 §5). More than one such field says nothing.
pub(crate) fn needs_no_tls(header: &[u8]) -> bool {
    let mut fields = wire::message::headers(header).filter(|field| field.is("TLS-Required"));
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return false;
    };
    wire::message::unfold(field.value)
        .trim_ascii()
        .eq_ignore_ascii_case(b"no")
}

/// Whether the message was forwarded by that address before.
pub(crate) fn was_delivered_to(header: &[u8], address: &str) -> bool {
    let mut fields =
        wire::message::headers(header).filter(|field| field.name.eq_ignore_ascii_case(b"delivered-to"));
    fields.any(|field| field.value.trim_ascii().eq_ignore_ascii_case(address.as_bytes()))
}

/// The text with fields on top, under the Return-Path of the new envelope; that of the one it had goes.
pub(crate) async fn with_fields(
    queue: &Queue,
    disk: &SharedDisk,
    (had, envelope): (&Envelope, &Envelope),
    text: &Blob,
    fields: &[u8],
) -> Result<Blob, queue::QueueError> {
    let unreadable = |error: std::io::Error| queue::QueueError::Unavailable(error.to_string());
    let mut intake = queue.intake();
    let start = piece(disk, text, 0, PIECE_BYTES).await.map_err(unreadable)?;
    let skip = return_path_len(had, &start);
    intake.write(return_path(envelope).as_bytes()).await?;
    intake.write(fields).await?;
    let mut at = skip as u64;
    loop {
        let piece = piece(disk, text, at, PIECE_BYTES).await.map_err(unreadable)?;
        if piece.is_empty() {
            return intake.finish().await;
        }
        at += piece.len() as u64;
        intake.write(&piece).await?;
    }
}
