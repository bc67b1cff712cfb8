//! The text of one message and what sections of it are.

use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};
use disk::SharedDisk;
use disk::blob::Blob;
use mailbox::Fetched;
use net::{Conn, ConnError};
use wire::imap::render::put_literal_head;
use wire::imap::{FetchItem, SectionText};
use wire::message::{Message, Part, Structure, decode, header_end, headers, structure};

use super::item::partial;

/// Octets of a large text in memory at once.
const PIECE_MAX_BYTES: usize = 256 * 1024;

/// Where the values of a message's items come from.
pub(super) struct Source {
    header: Option<Bytes>,
    blob: Option<Blob>,
    /// The whole text, if it is in memory.
    text: Option<Bytes>,
    structure: Option<Structure>,
    disk: SharedDisk,
}

impl Source {
    pub(super) fn new(message: &Fetched, disk: SharedDisk) -> Self {
        let text = match &message.text {
            Some(Blob::Bytes(bytes)) => Some(bytes.clone()),
            _ => None,
        };
        Self {
            header: message
                .header
                .clone()
                .filter(|header| is_whole(header, message.size)),
            blob: message.text.clone(),
            text,
            structure: None,
            disk,
        }
    }

    /// Reads and takes apart what the items need. False if a text can't be read.
    pub(super) async fn prepare(
        &mut self,
        mut items: impl Iterator<Item = &FetchItem>,
        wants_header: bool,
    ) -> bool {
        let structure = items.any(needs_structure);
        // A header too long to be given with the message is found in its text.
        let cut = self.header.is_none() && self.text.is_none() && self.blob.is_some() && wants_header;
        if !structure && !cut {
            return true;
        }
        let Some(blob) = self.blob.clone() else {
            return false;
        };
        if let Some(text) = &self.text {
            self.structure = Some(Message::parse(text));
            return true;
        }
        let disk = self.disk.clone();
        let read = move || {
            let text = blob.read_range(&*disk, 0, usize::try_from(blob.len()).unwrap_or(usize::MAX))?;
            let structure = Message::parse(&text);
            Ok::<_, std::io::Error>((text, structure))
        };
        match tokio::task::spawn_blocking(read).await {
            Ok(Ok((text, structure))) => {
                self.text = Some(text);
                self.structure = Some(structure);
                true
            }
            _ => false,
        }
    }

    /// If the item is a piece of a text that is not in memory: which one.
    pub(super) fn streamed(&self, item: &FetchItem) -> Option<Range<u64>> {
        let blob = self.blob.as_ref().filter(|_| self.text.is_none())?;
        let whole = match item {
            FetchItem::Rfc822 => 0..blob.len(),
            FetchItem::Rfc822Text => self.header.as_ref()?.len() as u64..blob.len(),
            FetchItem::BodySection { section, .. } if section.part.is_empty() => match section.text {
                SectionText::All => 0..blob.len(),
                SectionText::Text => self.header.as_ref()?.len() as u64..blob.len(),
                _ => return None,
            },
            _ => return None,
        };
        let Some(partial) = partial(item) else {
            return Some(whole);
        };
        let start = whole
            .start
            .saturating_add(u64::from(partial.offset))
            .min(whole.end);
        Some(start..start.saturating_add(u64::from(partial.count)).min(whole.end))
    }

    /// Sends a piece of a large text as a literal. Once it is announced an error ends the session.
    pub(super) async fn stream(&self, conn: &mut Conn, range: Range<u64>) -> Result<(), ConnError> {
        let Some(blob) = &self.blob else { return Ok(()) };
        put_literal_head(conn.output(), range.end - range.start, false);
        let mut at = range.start;
        while at < range.end {
            let len = usize::try_from(range.end - at)
                .unwrap_or(usize::MAX)
                .min(PIECE_MAX_BYTES);
            let (blob, disk) = (blob.clone(), self.disk.clone());
            let read = tokio::task::spawn_blocking(move || blob.read_range(&*disk, at, len)).await;
            let piece = read.map_err(std::io::Error::other)??;
            if piece.len() != len {
                return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
            }
            at += len as u64;
            conn.output().put_slice(&piece);
            conn.flush_if_full().await?;
        }
        Ok(())
    }

    /// BODY: the structure without its extension data.
    pub(super) fn body_structure(&self) -> Vec<u8> {
        match (&self.text, &self.structure) {
            (Some(text), Some(parsed)) => structure::render(text, parsed, false),
            _ => b"NIL".to_vec(),
        }
    }

    /// Whether this BINARY item has an encoding that nobody knows (RFC 3516 §4.3).
    pub(super) fn has_unknown_encoding(&self, item: &FetchItem) -> bool {
        let (FetchItem::Binary { part, .. } | FetchItem::BinarySize { part }) = item else {
            return false;
        };
        if part.is_empty() {
            return false;
        }
        let (Some(text), Some(parsed)) = (&self.text, &self.structure) else {
            return false;
        };
        parsed
            .section(part)
            .is_some_and(|part| decoded(text, part).is_none())
    }

    /// The octets of an item, partial not applied; nothing if there is no such part.
    pub(super) fn section(&self, item: &FetchItem) -> Option<Bytes> {
        match item {
            FetchItem::Rfc822 => self.text.clone(),
            FetchItem::Rfc822Header => self.header(),
            FetchItem::Rfc822Text => self.body(),
            FetchItem::BodySection { section, .. } if section.part.is_empty() => match &section.text {
                SectionText::All => self.text.clone(),
                SectionText::Header => self.header(),
                SectionText::Text => self.body(),
                SectionText::HeaderFields { names, not } => Some(fields(&self.header()?, names, *not)),
                SectionText::Mime => None,
            },
            FetchItem::BodySection { section, .. } => {
                let (text, part) = (
                    self.text.as_ref()?,
                    self.structure.as_ref()?.section(&section.part)?,
                );
                part_section(text, part, &section.text)
            }
            FetchItem::Binary { part, .. } | FetchItem::BinarySize { part } if part.is_empty() => {
                self.text.clone()
            }
            FetchItem::Binary { part, .. } | FetchItem::BinarySize { part } => {
                decoded(self.text.as_ref()?, self.structure.as_ref()?.section(part)?)
            }
            _ => None,
        }
    }

    fn header(&self) -> Option<Bytes> {
        self.header.clone().or_else(|| {
            let text = self.text.as_ref()?;
            Some(text.slice(..header_end(text)))
        })
    }

    fn body(&self) -> Option<Bytes> {
        let text = self.text.as_ref()?;
        let start = self.header.as_ref().map_or_else(|| header_end(text), Bytes::len);
        Some(text.slice(start.min(text.len())..))
    }
}

/// Whether a header ends where headers end, and not where the store has cut it.
fn is_whole(header: &[u8], size: u64) -> bool {
    header.len() as u64 == size
        || header.ends_with(b"\n\r\n")
        || header.ends_with(b"\n\n")
        || header == b"\r\n"
}

fn needs_structure(item: &FetchItem) -> bool {
    match item {
        FetchItem::Body => true,
        FetchItem::BodySection { section, .. } => !section.part.is_empty(),
        FetchItem::Binary { .. } | FetchItem::BinarySize { .. } => true,
        _ => false,
    }
}

/// RFC 9051 §6.4.5.1: HEADER and TEXT of a part are those of the message inside it.
fn part_section(text: &Bytes, part: &Part, what: &SectionText) -> Option<Bytes> {
    let range = match what {
        SectionText::All => part.body.clone(),
        SectionText::Mime => part.header.clone(),
        SectionText::Header => part.message.as_ref()?.header.clone(),
        SectionText::Text => part.message.as_ref()?.body.clone(),
        SectionText::HeaderFields { names, not } => {
            let header = slice(text, &part.message.as_ref()?.header)?;
            return Some(fields(&header, names, *not));
        }
    };
    slice(text, &range)
}

fn slice(text: &Bytes, range: &Range<usize>) -> Option<Bytes> {
    (range.start <= range.end && range.end <= text.len()).then(|| text.slice(range.clone()))
}

fn decoded(text: &Bytes, part: &Part) -> Option<Bytes> {
    let body = slice(text, &part.body)?;
    decode::transfer(&body, &part.encoding).map(|bytes| Bytes::from(bytes.into_owned()))
}

/// The fields with (or without) these names, as they stand there, and the blank line.
fn fields(header: &[u8], names: &[String], not: bool) -> Bytes {
    let mut out = BytesMut::new();
    for field in headers(header) {
        let named = names.iter().any(|name| field.is(name));
        if named != not {
            out.put_slice(header.get(field.range.clone()).unwrap_or_default());
        }
    }
    out.put_slice(b"\r\n");
    out.freeze()
}
