//! A message on its way to the client: dots put on, large texts read piece by piece.

use bytes::Bytes;
use disk::blob::Blob;
use mailbox::Shown;
use net::ConnError;
use wire::pop3::Stuffer;

use crate::replies::{self, Text};
use crate::session::Session;
use crate::top::Top;

/// Bytes of a large text that are in memory at once.
const PIECE_BYTES: usize = 64 * 1024;
/// Room for the end of the last line and of the text.
const END_ROOM_BYTES: usize = 16;

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
    let text = match maildrop.message(number) {
        Ok((index, message)) => match maildrop.read(index).await.map(|message| message.text) {
            Ok(Some(text)) if message.downgraded => downgraded(session, text).await,
            Ok(Some(text)) => Ok(Shown::as_stored(text)),
            Ok(None) => Err(replies::GONE),
            Err(text) => Err(text),
        },
        Err(text) => Err(text),
    };
    match text {
        Ok(text) => send_text(session, text, part).await,
        Err(text) => {
            session.err(text);
            Ok(())
        }
    }
}

/// The message as clients without UTF8 see it (RFC 6856 §2.1, RFC 6858).
async fn downgraded(session: &Session, text: Blob) -> Result<Shown, Text> {
    let disk = session.server.disk.clone();
    let rewritten = tokio::task::spawn_blocking(move || Shown::downgraded(text, &*disk));
    match rewritten.await {
        Ok(Ok(text)) => Ok(text),
        _ => Err(replies::UNAVAILABLE),
    }
}

async fn send_text(session: &mut Session, text: Shown, mut part: Part) -> Result<(), ConnError> {
    let mut stuffer = Stuffer::new();
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
        let piece = part.take(&piece);
        let out = session.conn.output();
        out.reserve(piece.len() + piece.len() / 32 + END_ROOM_BYTES);
        stuffer.feed(piece, out);
        session.conn.flush_if_full().await?;
    }
    if !begun {
        session.ok(replies::MESSAGE);
    }
    stuffer.finish(session.conn.output());
    session.conn.flush_if_full().await
}

/// The next piece; from memory at once, from a file off the runtime's threads.
async fn read(session: &Session, text: &Shown, at: u64) -> std::io::Result<Bytes> {
    if text.path().is_none() {
        return text.read_range(&*session.server.disk, at, PIECE_BYTES);
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
