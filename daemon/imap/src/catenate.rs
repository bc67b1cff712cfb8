//! CATENATE (RFC 4469): messages put together of texts and of pieces of messages that are there already.
//!
//! The pieces go one after the other into an intake; of a large text no more than a piece is in memory.

use std::io;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use disk::SharedDisk;
use disk::blob::Blob;
use mailbox::{Shown, Want};
use queue::Intake;
use shared::Rights;
use wire::imap::render::put_quoted;
use wire::imap::{CatPart, MessageUrl, Section, SectionText};
use wire::message::Message;
use wire::message::text::{HEADER_MAX_BYTES, Text};

use crate::append::{empty, not_stored};
use crate::fetch::fields;
use crate::reply::Answer;
use crate::session::Session;

/// Octets copied at once.
const PIECE_MAX_BYTES: usize = 64 * 1024;
/// Pieces of one message.
const PARTS_MAX: usize = 1000;

impl Session {
    /// Octets of the texts that have been announced so far; refused if they are too many.
    pub(crate) fn size_of_texts(&self, parts: &[CatPart]) -> Result<u64, Answer> {
        let sizes = parts.iter().map(|part| match part {
            CatPart::Text { size } => *size,
            CatPart::Url(_) => 0,
        });
        let size = sizes.fold(0, u64::saturating_add);
        if parts.len() > PARTS_MAX {
            return Err(Answer::no("too many pieces in one message").with("LIMIT"));
        }
        if size > self.append_max_bytes() {
            return Err(too_big());
        }
        Ok(size)
    }

    /// The message that these pieces make. `texts`: those that came as literals.
    pub(crate) async fn catenate(
        &mut self,
        parts: &[CatPart],
        texts: &mut impl Iterator<Item = Blob>,
    ) -> Result<Blob, Answer> {
        self.size_of_texts(parts)?;
        let mut intake = self.server.queue.intake();
        for part in parts {
            let (blob, range) = match part {
                CatPart::Text { .. } => {
                    let text = texts.next().ok_or(Answer::bad("text expected"))?;
                    let len = text.len();
                    (text, 0..len)
                }
                CatPart::Url(url) => self.piece_at(url).await?,
            };
            let len = range.end.saturating_sub(range.start);
            if intake.len().saturating_add(len) > self.append_max_bytes() {
                return Err(too_big());
            }
            copy(&self.server.disk, &blob, range, &mut intake).await?;
        }
        if intake.is_empty() {
            return Err(empty());
        }
        intake.finish().await.map_err(|_| not_stored())
    }

    fn append_max_bytes(&self) -> u64 {
        self.user.as_ref().map_or(0, |user| user.append_max_bytes)
    }

    /// Where the octets of a URL lie.
    async fn piece_at(&mut self, url: &str) -> Result<(Blob, Range<u64>), Answer> {
        let parsed = MessageUrl::parse(url).ok_or_else(|| bad_url(url, "no such URL"))?;
        let unread = |answer: Answer| match answer.code.as_deref() {
            // What can't be reached now is no bad URL.
            Some("UNAVAILABLE") => answer,
            _ => bad_url(url, "no such mailbox, or it may not be read"),
        };
        let place = match (&parsed.mailbox, &self.view) {
            (Some(name), _) => self.place(name.as_str(), Rights::READ).await.map_err(unread)?,
            (None, Some(view)) if view.may_read() => view.place.clone(),
            (None, _) => return Err(bad_url(url, "no mailbox is selected")),
        };
        if parsed
            .uid_validity
            .is_some_and(|validity| validity != place.folder.uid_validity)
        {
            return Err(bad_url(url, "the UIDVALIDITY is another one"));
        }
        let want = Want {
            text: true,
            ..Want::default()
        };
        let found = place
            .spot
            .owner
            .fetch(place.folder.id, &[parsed.uid], want)
            .await?;
        let message = found
            .into_iter()
            .next()
            .ok_or_else(|| bad_url(url, "no such message"))?;
        let text = message
            .text
            .ok_or_else(|| bad_url(url, "the message is damaged"))?;
        let (blob, range) = match &parsed.section {
            None => {
                let len = text.len();
                (text, 0..len)
            }
            Some(section) => located(&self.server.disk, text, section.clone())
                .await?
                .ok_or_else(|| bad_url(url, "no such section"))?,
        };
        Ok((blob, partial(range, parsed.partial)))
    }
}

fn too_big() -> Answer {
    Answer::no("the message would be too big").with("TOOBIG")
}

/// RFC 4469 §5
fn bad_url(url: &str, reason: &'static str) -> Answer {
    let mut code = BytesMut::from(&b"BADURL "[..]);
    let shown = url.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    put_quoted(&mut code, if shown { url.as_bytes() } else { b"" });
    match String::from_utf8(code.to_vec()) {
        Ok(code) => Answer::no(reason).with(code),
        Err(_) => Answer::no(reason),
    }
}

fn partial(range: Range<u64>, partial: Option<(u32, Option<u32>)>) -> Range<u64> {
    let Some((offset, count)) = partial else {
        return range;
    };
    let start = range.start.saturating_add(u64::from(offset)).min(range.end);
    let end = count.map_or(range.end, |count| start.saturating_add(u64::from(count)));
    start..end.min(range.end)
}

async fn copy(disk: &SharedDisk, blob: &Blob, range: Range<u64>, intake: &mut Intake) -> Result<(), Answer> {
    let mut at = range.start;
    while at < range.end {
        let len = usize::try_from(range.end - at)
            .unwrap_or(usize::MAX)
            .min(PIECE_MAX_BYTES);
        let piece = read(disk, blob, at, len).await?;
        if piece.is_empty() {
            return Err(not_stored());
        }
        at += piece.len() as u64;
        intake.write(&piece).await.map_err(|_| not_stored())?;
    }
    Ok(())
}

async fn read(disk: &SharedDisk, blob: &Blob, at: u64, len: usize) -> Result<Bytes, Answer> {
    if let Blob::Bytes(_) = blob {
        return blob.read_range(&**disk, at, len).map_err(|_| not_stored());
    }
    let (disk, blob) = (disk.clone(), blob.clone());
    let read = tokio::task::spawn_blocking(move || blob.read_range(&*disk, at, len)).await;
    read.map_err(|_| not_stored())?.map_err(|_| not_stored())
}

/// Where a section lies; `None`: there is no such one.
async fn located(
    disk: &SharedDisk,
    blob: Blob,
    section: Section,
) -> Result<Option<(Blob, Range<u64>)>, Answer> {
    let disk = disk.clone();
    let find = move || {
        let text = Shown::as_stored(blob.clone());
        let located = text.with_windows(&*disk, |windows| locate(windows, &section))?;
        Ok::<_, io::Error>(match located {
            None => None,
            Some(Located::Range(range)) => Some((blob, range.start as u64..range.end as u64)),
            Some(Located::Fields { header, names, not }) => {
                let len = header.len().min(HEADER_MAX_BYTES);
                let fields = fields(&text.read_range(&*disk, header.start as u64, len)?, names, not);
                let len = fields.len() as u64;
                Some((Blob::Bytes(fields), 0..len))
            }
        })
    };
    let found = tokio::task::spawn_blocking(find).await;
    found.map_err(|_| not_stored())?.map_err(|_| not_stored())
}

enum Located<'a> {
    Range(Range<usize>),
    /// Header fields are put together.
    Fields {
        header: Range<usize>,
        names: &'a [String],
        not: bool,
    },
}

/// RFC 9051 §6.4.5.1
fn locate<'a>(text: &mut impl Text, section: &'a Section) -> Option<Located<'a>> {
    let whole = section.part.is_empty();
    match section.text {
        SectionText::All if whole => return Some(Located::Range(0..text.len())),
        SectionText::Mime if whole => return None,
        _ => {}
    }
    let structure = Message::parse_text(text);
    let (header, body) = if whole {
        (structure.root.header.clone(), structure.root.body.clone())
    } else {
        let part = structure.section(&section.part)?;
        match section.text {
            SectionText::All => return Some(Located::Range(part.body.clone())),
            SectionText::Mime => return Some(Located::Range(part.header.clone())),
            _ => {
                let message = part.message.as_ref()?;
                (message.header.clone(), message.body.clone())
            }
        }
    };
    Some(match &section.text {
        SectionText::Text => Located::Range(body),
        SectionText::HeaderFields { names, not } => Located::Fields {
            header,
            names,
            not: *not,
        },
        _ => Located::Range(header),
    })
}
