//! The values of a message's items: octets in memory while the text is small, ranges of the file when it is large.

use std::io;
use std::ops::Range;
use std::path::Path;

use bytes::{BufMut, Bytes, BytesMut};
use disk::SharedDisk;
use disk::blob::Blob;
use mailbox::{Fetched, Shown};
use net::{Conn, ConnError};
use wire::imap::{FetchItem, SectionText};
use wire::message::text::HEADER_MAX_BYTES;
use wire::message::{Message, Structure, Transfer, decode, headers};

use super::item::partial;

/// Octets of a large text in memory at once.
const PIECE_MAX_BYTES: usize = 64 * 1024;
/// Sizes of decoded parts that are kept of one large message.
const SIZES_MAX: usize = 100;

/// A value of an item, partial applied.
pub(super) enum Value {
    /// Said without the text.
    Plain,
    /// There is no such part.
    Nil,
    Number(u64),
    Bytes(Bytes),
    /// Of a large text.
    Range(Range<u64>),
    Decoded(Decoded),
}

/// Octets that a part of a large text stands for.
pub(super) struct Decoded {
    body: Range<u64>,
    encoding: Vec<u8>,
    /// Which of the decoded octets are meant.
    pub(super) range: Range<u64>,
}

/// Why there is no value.
pub(super) enum Trouble {
    Unavailable,
    /// RFC 3516 §4.3
    UnknownEncoding,
}

impl From<io::Error> for Trouble {
    fn from(_: io::Error) -> Self {
        Self::Unavailable
    }
}

/// What was found out about the large message that was looked at last: its client asks for part after part.
pub(crate) struct Known {
    shown: Shown,
    structure: Option<Structure>,
    /// Of decoded bodies.
    sizes: Vec<(Range<usize>, u64)>,
}

impl Known {
    /// How this message is shown, if it is this one and shown so.
    pub(super) fn shown(&self, path: Option<&Path>, downgraded: bool) -> Option<&Shown> {
        Some(&self.shown).filter(|shown| shown.path() == path && shown.is_downgraded() == downgraded)
    }
}

/// Where the values of a message's items come from.
pub(super) struct Source<'a> {
    message: &'a Fetched,
    structure: Option<Structure>,
    /// Of this message if it is large, else of the one before.
    known: Option<Box<Known>>,
    disk: &'a SharedDisk,
}

impl<'a> Source<'a> {
    /// `shown`: the large text, if not as it is stored.
    pub(super) fn new(
        message: &'a Fetched,
        shown: Option<Shown>,
        known: Option<Box<Known>>,
        disk: &'a SharedDisk,
    ) -> Self {
        let shown = shown.or_else(|| match &message.text {
            Some(text @ Blob::File(_)) => Some(Shown::as_stored(text.clone())),
            _ => None,
        });
        let known = match shown {
            Some(shown) => {
                let (path, downgraded) = (shown.path(), shown.is_downgraded());
                let known = known.filter(|known| known.shown(path, downgraded).is_some());
                known.or_else(|| {
                    Some(Box::new(Known {
                        shown,
                        structure: None,
                        sizes: Vec::new(),
                    }))
                })
            }
            None => known,
        };
        Self {
            message,
            structure: None,
            known,
            disk,
        }
    }

    /// What is to be known for the next message.
    pub(super) fn into_known(self) -> Option<Box<Known>> {
        self.known
    }

    /// Reads and takes apart what the item needs.
    pub(super) async fn value(&mut self, item: &FetchItem) -> Result<Value, Trouble> {
        let message = self.message;
        let whole = 0..message.size;
        let found = match item {
            FetchItem::Rfc822 => self.range(whole),
            FetchItem::Rfc822Header => self.header(),
            FetchItem::Rfc822Text => self.range(message.header_len..message.size),
            FetchItem::BodySection { section, .. } if section.part.is_empty() => match &section.text {
                SectionText::All => self.range(whole),
                SectionText::Header => self.header(),
                SectionText::Text => self.range(message.header_len..message.size),
                SectionText::HeaderFields { names, not } => match &message.header {
                    Some(header) => Value::Bytes(fields(header, names, *not)),
                    None => Value::Nil,
                },
                SectionText::Mime => Value::Nil,
            },
            FetchItem::BodySection { section, .. } => self.part(&section.part, &section.text).await?,
            FetchItem::Binary { part, .. } if part.is_empty() => self.range(whole),
            FetchItem::BinarySize { part } if part.is_empty() => Value::Number(message.size),
            FetchItem::Binary { part, .. } => self.decoded(part).await?,
            FetchItem::BinarySize { part } => match self.decoded(part).await? {
                Value::Bytes(bytes) => Value::Number(bytes.len() as u64),
                Value::Range(range) => Value::Number(range.end - range.start),
                Value::Decoded(decoded) => Value::Number(decoded.range.end),
                _ => Value::Number(0),
            },
            _ => Value::Plain,
        };
        Ok(narrowed(found, item))
    }

    fn range(&self, range: Range<u64>) -> Value {
        let range = range.start.min(range.end)..range.end;
        match &self.message.text {
            Some(Blob::Bytes(text)) => {
                let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
                Value::Bytes(text.slice(at(range.start)..at(range.end)))
            }
            Some(Blob::File(_)) => Value::Range(range),
            None => Value::Nil,
        }
    }

    fn header(&self) -> Value {
        match &self.message.header {
            Some(header) if header.len() as u64 >= self.message.header_len => Value::Bytes(header.clone()),
            _ => self.range(0..self.message.header_len),
        }
    }

    /// RFC 9051 §6.4.5.1: HEADER and TEXT of a part are those of the message inside it.
    async fn part(&mut self, numbers: &[u32], what: &SectionText) -> Result<Value, Trouble> {
        let Some(part) = self.structure().await?.section(numbers) else {
            return Ok(Value::Nil);
        };
        let inner = part.message.as_deref();
        let range = match what {
            SectionText::All => Some(&part.body),
            SectionText::Mime => Some(&part.header),
            SectionText::Header | SectionText::HeaderFields { .. } => inner.map(|inner| &inner.header),
            SectionText::Text => inner.map(|inner| &inner.body),
        };
        let Some(range) = range.map(as_u64) else {
            return Ok(Value::Nil);
        };
        let SectionText::HeaderFields { names, not } = what else {
            return Ok(self.range(range));
        };
        let header = match self.range(range) {
            Value::Bytes(header) => header,
            Value::Range(range) => {
                let len = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
                self.read(range.start, len.min(HEADER_MAX_BYTES)).await?
            }
            _ => return Ok(Value::Nil),
        };
        Ok(Value::Bytes(fields(&header, names, *not)))
    }

    async fn decoded(&mut self, numbers: &[u32]) -> Result<Value, Trouble> {
        let Some(part) = self.structure().await?.section(numbers) else {
            return Ok(Value::Nil);
        };
        let (body, encoding) = (part.body.clone(), part.encoding.clone());
        match self.range(as_u64(&body)) {
            Value::Bytes(bytes) => match decode::transfer(&bytes, &encoding) {
                Some(std::borrow::Cow::Borrowed(_)) => Ok(Value::Bytes(bytes)),
                Some(std::borrow::Cow::Owned(decoded)) => Ok(Value::Bytes(decoded.into())),
                None => Err(Trouble::UnknownEncoding),
            },
            Value::Range(range) => match decode::Encoding::from_name(&encoding) {
                decode::Encoding::Identity => Ok(Value::Range(range)),
                decode::Encoding::Unknown => Err(Trouble::UnknownEncoding),
                _ => {
                    let size = self.measure(body, &encoding).await?;
                    Ok(Value::Decoded(Decoded {
                        body: range,
                        encoding,
                        range: 0..size,
                    }))
                }
            },
            other => Ok(other),
        }
    }

    /// How long a body of a large text is when it is decoded (RFC 3516 §4.3, BINARY.SIZE): it is told before the first octet is sent.
    async fn measure(&mut self, body: Range<usize>, encoding: &[u8]) -> Result<u64, Trouble> {
        let sizes = self.known.as_ref().map(|known| known.sizes.as_slice());
        let measured = sizes.unwrap_or_default().iter().find(|(range, _)| *range == body);
        if let Some(&(_, size)) = measured {
            return Ok(size);
        }
        let mut transfer = Transfer::new(encoding).ok_or(Trouble::UnknownEncoding)?;
        let (shown, disk) = (self.shown()?, self.disk.clone());
        let range = as_u64(&body);
        let measure = move || {
            let (mut size, mut at, mut decoded) = (0, range.start, Vec::new());
            while at < range.end {
                let piece = read(&shown, &disk, at, piece_len(at, range.end))?;
                at += piece.len() as u64;
                transfer.push(&piece, &mut decoded);
                size += decoded.len() as u64;
                decoded.clear();
            }
            transfer.finish(&mut decoded);
            Ok::<_, io::Error>(size + decoded.len() as u64)
        };
        let size = off_thread(measure).await?;
        if let Some(known) = &mut self.known
            && known.sizes.len() < SIZES_MAX
        {
            known.sizes.push((body, size));
        }
        Ok(size)
    }

    async fn structure(&mut self) -> Result<&Structure, Trouble> {
        match &self.message.text {
            Some(Blob::File(_)) => {
                if self.known.as_ref().is_none_or(|known| known.structure.is_none()) {
                    let (shown, disk) = (self.shown()?, self.disk.clone());
                    let parse = move || shown.with_windows(&*disk, |windows| Message::parse_text(windows));
                    let structure = off_thread(parse).await?;
                    if let Some(known) = &mut self.known {
                        known.structure = Some(structure);
                    }
                }
                let known = self.known.as_ref();
                known
                    .and_then(|known| known.structure.as_ref())
                    .ok_or(Trouble::Unavailable)
            }
            Some(Blob::Bytes(text)) => Ok(self.structure.get_or_insert_with(|| Message::parse(text))),
            None => Err(Trouble::Unavailable),
        }
    }

    fn shown(&self) -> Result<Shown, Trouble> {
        let known = self.known.as_ref().ok_or(Trouble::Unavailable)?;
        Ok(known.shown.clone())
    }

    async fn read(&self, at: u64, len: usize) -> Result<Bytes, Trouble> {
        let (shown, disk) = (self.shown()?, self.disk.clone());
        Ok(off_thread(move || read(&shown, &disk, at, len)).await?)
    }

    /// Sends a range of a large text. Its length was announced: an error ends the session.
    pub(super) async fn stream(&self, conn: &mut Conn, range: Range<u64>) -> Result<(), ConnError> {
        self.pieces(conn, range, |piece, out| {
            out.put_slice(piece);
            true
        })
        .await
    }

    /// Sends a decoded part of a large text.
    pub(super) async fn stream_decoded(&self, conn: &mut Conn, part: &Decoded) -> Result<(), ConnError> {
        let Some(mut transfer) = Transfer::new(&part.encoding) else {
            return Err(io::Error::from(io::ErrorKind::InvalidData).into());
        };
        let (mut skip, mut left) = (part.range.start, part.range.end - part.range.start);
        let mut put = |decoded: &mut Vec<u8>, out: &mut BytesMut| {
            let from = usize::try_from(skip).unwrap_or(usize::MAX).min(decoded.len());
            skip -= from as u64;
            let most = usize::try_from(left).unwrap_or(usize::MAX);
            let shown = decoded.get(from..).unwrap_or_default();
            let shown = shown.get(..most).unwrap_or(shown);
            out.put_slice(shown);
            left -= shown.len() as u64;
            decoded.clear();
            left > 0
        };
        let mut decoded = Vec::new();
        self.pieces(conn, part.body.clone(), |piece, out| {
            transfer.push(piece, &mut decoded);
            put(&mut decoded, out)
        })
        .await?;
        transfer.finish(&mut decoded);
        if put(&mut decoded, conn.output()) {
            // Fewer octets than were announced: the file is another one now.
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(())
    }

    /// Reads a range of a large text; `each` says whether to go on.
    async fn pieces(
        &self,
        conn: &mut Conn,
        range: Range<u64>,
        mut each: impl FnMut(&[u8], &mut BytesMut) -> bool,
    ) -> Result<(), ConnError> {
        let Ok(shown) = self.shown() else { return Ok(()) };
        let mut at = range.start;
        while at < range.end {
            let (shown, disk, len) = (shown.clone(), self.disk.clone(), piece_len(at, range.end));
            let piece = off_thread(move || read(&shown, &disk, at, len)).await?;
            at += len as u64;
            let more = each(&piece, conn.output());
            drop(piece);
            conn.flush_if_full().await?;
            if !more {
                break;
            }
        }
        Ok(())
    }
}

/// RFC 9051 §6.4.5: a partial fetch that begins past the end gives an empty string.
fn narrowed(value: Value, item: &FetchItem) -> Value {
    let Some(partial) = partial(item) else {
        return value;
    };
    let narrow = |range: Range<u64>| {
        let start = range.start.saturating_add(partial.offset).min(range.end);
        start..start.saturating_add(partial.count).min(range.end)
    };
    match value {
        Value::Bytes(bytes) => {
            let range = narrow(0..bytes.len() as u64);
            // Within the bytes, which are in memory.
            let range = range.start as usize..range.end as usize;
            Value::Bytes(bytes.slice(range))
        }
        Value::Range(range) => Value::Range(narrow(range)),
        Value::Decoded(decoded) => Value::Decoded(Decoded {
            range: narrow(decoded.range.clone()),
            ..decoded
        }),
        value => value,
    }
}

fn as_u64(range: &Range<usize>) -> Range<u64> {
    range.start as u64..range.end as u64
}

fn piece_len(at: u64, end: u64) -> usize {
    usize::try_from(end - at)
        .unwrap_or(usize::MAX)
        .min(PIECE_MAX_BYTES)
}

/// All of the octets, or an error.
fn read(shown: &Shown, disk: &SharedDisk, at: u64, len: usize) -> io::Result<Bytes> {
    let piece = shown.read_range(&**disk, at, len)?;
    if piece.len() == len {
        Ok(piece)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

pub(super) async fn off_thread<T: Send + 'static>(
    call: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(call)
        .await
        .map_err(io::Error::other)?
}

/// The fields with (or without) these names, as they stand there, and the blank line.
pub(crate) fn fields(header: &[u8], names: &[String], not: bool) -> Bytes {
    let mut out = BytesMut::with_capacity(256);
    for field in headers(header) {
        let named = names.iter().any(|name| field.is(name));
        if named != not {
            out.put_slice(header.get(field.range.clone()).unwrap_or_default());
        }
    }
    out.put_slice(b"\r\n");
    out.freeze()
}
