//! The formats of this room's journal records, and of the column `head` of `waiting.db`.
//!
//! A record of kind 2 is: version (1 byte), length of the head (4 bytes, little endian), the head (JSON, [`Head`]), the small text
//! (nothing if the head names a file). A record of kind 3 is: version (1 byte), a [`Step`] (JSON). Unknown members are ignored, missing
//! ones have their defaults; the version rises only when an older program could not read a record without losing something.
//!
//! Version 1: the first.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use disk::blob::{Blob, BlobFile};
use serde::{Deserialize, Serialize};

use crate::{Envelope, KIND_MESSAGE, QueueError};

/// The version of both formats.
pub(crate) const VERSION: u8 = 1;
/// Bytes before the head.
const PREFIX_BYTES: usize = 5;
/// What a message costs in memory beside its text and recipients, about.
const MESSAGE_COST_BYTES: usize = 768;
/// What a recipient costs in memory, about.
const RECIPIENT_COST_BYTES: usize = 192;

/// Everything of a message but its text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The message's id; `None`: this record's own number.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<u64>,
    #[serde(rename = "e")]
    pub(crate) envelope: Arc<Envelope>,
    /// By recipient; empty: all wait and were never tried.
    #[serde(rename = "s", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) states: Vec<State>,
    #[serde(rename = "a", default, skip_serializing_if = "is_zero")]
    pub(crate) attempts: u32,
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) marks: Vec<String>,
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<Cause>,
    /// Where an administrator sends it: `host` or `host:port`.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub(crate) route: Option<String>,
    /// An administrator removed it: the sender is to be told.
    #[serde(rename = "r", default, skip_serializing_if = "is_false")]
    pub(crate) removed: bool,
    /// The large text's file in `queue/large` and its length in bytes.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<(String, u64)>,
}

/// The message that caused another one, and the marks that it got thereby.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cause {
    pub(crate) id: u64,
    pub(crate) marks: Vec<String>,
}

/// How it stands with one recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    #[serde(rename = "k", default)]
    pub(crate) stage: Stage,
    #[serde(rename = "a", default, skip_serializing_if = "is_zero")]
    pub(crate) attempts: u32,
    /// Unix seconds; 0: at once.
    #[serde(rename = "n", default)]
    pub(crate) next_try: i64,
    #[serde(rename = "r", default, skip_serializing_if = "String::is_empty")]
    pub(crate) reply: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    #[default]
    #[serde(rename = "w")]
    Waiting,
    #[serde(rename = "d")]
    Delivered,
    #[serde(rename = "f")]
    Failed,
}

impl Stage {
    /// The word of the control protocol.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// What happened to the message of a record of kind 2.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Step {
    /// Done, removed, or moved to `waiting.db`: this record counts no more.
    #[serde(rename = "g")]
    Gone { record: u64 },
    #[serde(rename = "p")]
    Progress {
        record: u64,
        states: Vec<(u32, State)>,
        marks: Vec<String>,
    },
}

/// The part of a record of kind 2 before the text.
pub(crate) fn encode_message(head: &Head) -> Result<Vec<u8>, QueueError> {
    let mut out = vec![VERSION, 0, 0, 0, 0];
    serde_json::to_writer(&mut out, head).map_err(|error| crate::unavailable("envelope", &error))?;
    let length =
        u32::try_from(out.len() - PREFIX_BYTES).map_err(|error| crate::unavailable("envelope", &error))?;
    if let Some(field) = out.get_mut(1..PREFIX_BYTES) {
        field.copy_from_slice(&length.to_le_bytes());
    }
    Ok(out)
}

/// Why a record can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("a record of format {0}, which a newer version wrote")]
    Newer(u8),
    #[error("a record that can't be read: {0}")]
    Damaged(String),
}

/// Head and small text of a record of kind 2.
pub(crate) fn decode_message(payload: &Bytes) -> Result<(Head, Bytes), DecodeError> {
    let damaged = |what: &str| DecodeError::Damaged(what.to_owned());
    match payload.first() {
        Some(&VERSION) => {}
        Some(&other) => return Err(DecodeError::Newer(other)),
        None => return Err(damaged("empty")),
    }
    let length: [u8; 4] = payload
        .get(1..PREFIX_BYTES)
        .and_then(|b| b.try_into().ok())
        .ok_or_else(|| damaged("short"))?;
    let end = PREFIX_BYTES.saturating_add(u32::from_le_bytes(length) as usize);
    let json = payload.get(PREFIX_BYTES..end).ok_or_else(|| damaged("short"))?;
    let head = serde_json::from_slice(json).map_err(|error| DecodeError::Damaged(error.to_string()))?;
    Ok((head, payload.slice(end..)))
}

pub(crate) fn encode_step(step: &Step) -> Result<Vec<u8>, QueueError> {
    let mut out = vec![VERSION];
    serde_json::to_writer(&mut out, step).map_err(|error| crate::unavailable("progress", &error))?;
    Ok(out)
}

pub(crate) fn decode_step(payload: &[u8]) -> Result<Step, DecodeError> {
    match payload.split_first() {
        Some((&VERSION, json)) => {
            serde_json::from_slice(json).map_err(|error| DecodeError::Damaged(error.to_string()))
        }
        Some((&other, _)) => Err(DecodeError::Newer(other)),
        None => Err(DecodeError::Damaged("empty".to_owned())),
    }
}

/// The text of a message's record, for a replay of the mailboxes; `None` if it is no such record. `dir`: [`crate::Options::dir`].
pub fn text_of(dir: &Path, record: &journal::Record) -> Option<Blob> {
    if record.kind != KIND_MESSAGE {
        return None;
    }
    let (head, text) = decode_message(&record.payload).ok()?;
    Some(match head.file {
        Some((name, len)) => Blob::File(Arc::new(BlobFile {
            path: crate::files::large_dir(dir).join(name),
            len,
        })),
        None => Blob::Bytes(text),
    })
}

/// Bytes that a message takes of the memory limit.
pub(crate) fn memory_cost(envelope: &Envelope, text: &Blob) -> usize {
    let text = match text {
        Blob::Bytes(bytes) if bytes.len() <= crate::SMALL_TEXT_MAX_BYTES => bytes.len(),
        _ => 0,
    };
    text + MESSAGE_COST_BYTES + RECIPIENT_COST_BYTES * envelope.recipients.len()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(flag: &bool) -> bool {
    !*flag
}
