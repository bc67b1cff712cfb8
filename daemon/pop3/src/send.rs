//! A message on its way to the client: dots put on, large texts read piece by piece.

use disk::blob::Blob;
use net::ConnError;
use wire::pop3::Stuffer;

use crate::replies;
use crate::session::Session;
use crate::top::Top;

/// Bytes of a large text that are in memory at once.
const PIECE_BYTES: usize = 256 * 1024;

/// How much of a message is wanted.
pub(crate) enum Part {
    Whole,
    Top(Top),
}

impl Part {
    fn take<'a>(&mut self, piece: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Whole => piece,
            Self::Top(top) => top.take(piece),
        }
    }

    fn is_done(&self) -> bool {
        matches!(self, Self::Top(top) if top.is_done())
    }
}

pub(crate) async fn send(session: &mut Session, number: u32, part: Part) -> Result<(), ConnError> {
    let Some(maildrop) = session.maildrop.as_deref_mut() else {
        return Ok(());
    };
    let read = match maildrop.message(number) {
        Ok((index, _)) => maildrop.read(index).await,
        Err(text) => Err(text),
    };
    match read.map(|message| message.text) {
        Ok(Some(text)) => send_text(session, text, part).await,
        Ok(None) => {
            session.err(replies::GONE);
            Ok(())
        }
        Err(text) => {
            session.err(text);
            Ok(())
        }
    }
}

async fn send_text(session: &mut Session, text: Blob, mut part: Part) -> Result<(), ConnError> {
    let mut stuffer = Stuffer::new();
    let mut out = Vec::new();
    let mut at = 0;
    let mut begun = false;
    while at < text.len() && !part.is_done() {
        let Ok(piece) = read(session, &text, at).await else {
            // Once a part is sent, no error can be told but by hanging up: what was sent must not pass for the whole.
            if begun {
                return Err(ConnError::Closed);
            }
            session.err(replies::UNAVAILABLE);
            return Ok(());
        };
        if !begun {
            session.ok(replies::MESSAGE);
            begun = true;
        }
        at += piece.len() as u64;
        out.reserve(piece.len() + piece.len() / 32);
        stuffer.feed(part.take(&piece), &mut out);
        session.conn.output().extend_from_slice(&out);
        out.clear();
        session.conn.flush_if_full().await?;
    }
    if !begun {
        session.ok(replies::MESSAGE);
    }
    stuffer.finish(&mut out);
    session.conn.output().extend_from_slice(&out);
    session.conn.flush_if_full().await
}

/// The next piece; from memory at once, from a file off the runtime's threads.
async fn read(session: &Session, text: &Blob, at: u64) -> std::io::Result<bytes::Bytes> {
    if let Blob::Bytes(bytes) = text {
        return Ok(bytes.slice(usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len())..));
    }
    let (disk, text) = (session.server.disk.clone(), text.clone());
    let piece = tokio::task::spawn_blocking(move || text.read_range(&*disk, at, PIECE_BYTES)).await;
    let piece = piece.map_err(std::io::Error::other)??;
    if piece.is_empty() {
        Err(std::io::ErrorKind::UnexpectedEof.into())
    } else {
        Ok(piece)
    }
}
