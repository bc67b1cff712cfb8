//! The text of a message in the queue, piece by piece, so that no answer grows with it.
//!
//! Must not know: where it is written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{CallError, Client};
use crate::protocol::QueueRead;

/// Bytes that are asked for at once.
const PIECE_BYTES: u64 = 1024 * 1024;

/// Reads a message's text from its beginning.
pub struct QueuedText<'a> {
    client: &'a Client,
    id: String,
    offset: u64,
}

impl Client {
    /// The text of the message with that id.
    pub fn queued_text(&self, id: &str) -> QueuedText<'_> {
        QueuedText {
            client: self,
            id: id.to_owned(),
            offset: 0,
        }
    }
}

impl QueuedText<'_> {
    /// The next piece; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, CallError> {
        let request = QueueRead {
            id: self.id.clone(),
            offset: self.offset,
            limit: Some(PIECE_BYTES),
        };
        let piece = self.client.call(request).await?;
        let bytes = STANDARD.decode(&piece.base64);
        let bytes = bytes.map_err(|error| CallError::Garbled(error.to_string()))?;
        self.offset += bytes.len() as u64;
        Ok((!bytes.is_empty()).then_some(bytes))
    }
}

impl CallError {
    /// Whether a message was delivered or removed meanwhile.
    pub fn is_gone(&self) -> bool {
        let Self::Failed(failure) = self else {
            return false;
        };
        let refusal = failure.data.as_ref();
        refusal.is_some_and(|refusal| refusal.code == "message-unknown")
    }
}
