//! The structure of a message by byte range (RFC 5322, RFC 2045, RFC 2046), and what IMAP shows of it.
//!
//! Nothing here fails: mail in the world is broken in every way, and a server must store and show it all.
//! Ranges are offsets into the whole text. Parsing is linear: each byte is looked at a bounded number of
//! times, whatever the nesting.

pub mod addresses;
mod binary;
pub mod casemap;
pub mod charset;
pub mod collation;
pub mod date;
pub mod decode;
pub mod downgrade;
mod encoders;
pub mod envelope;
mod header;
mod lex;
mod mend;
mod mime;
mod order;
mod parse;
mod preview;
mod rewrite;
pub mod searchable;
mod seven_bit;
pub mod structure;
pub mod subject;
mod summary;
pub mod text;
mod transfer;

use std::ops::Range;

pub use binary::Reencoder;
pub use header::{Field, Fields, field, header_end, headers, unfold};
pub use mend::Mender;
pub use mime::{ContentType, Disposition, PARAMS_MAX_COUNT, Param};
pub use order::{Order, THREAD_REFERENCES_MAX_COUNT};
pub use preview::{PREVIEW_MAX_CHARS, preview};
pub use seven_bit::{Plan, SevenBit, Survey};
pub use summary::{REFERENCES_MAX_COUNT, Summary};
pub use transfer::Transfer;

/// Multiparts and messages within one another; deeper ones are opaque.
pub const DEPTH_MAX_PARTS: usize = 64;
/// Parts of one message; those beyond are not shown.
pub const PARTS_MAX_COUNT: usize = 1000;
/// The longest boundary compared (RFC 2046 §5.1.1 allows 70).
pub const BOUNDARY_MAX_BYTES: usize = 998;

/// Where [`Message::parse`] lives.
#[derive(Debug, Clone, Copy)]
pub struct Message;

impl Message {
    pub fn parse(text: &[u8]) -> Structure {
        parse::parse(&mut { text })
    }

    /// The same of a text that is not in memory as a whole.
    pub fn parse_text(text: &mut impl text::Text) -> Structure {
        parse::parse(text)
    }
}

/// A message taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    /// The message itself: its header is the message's header, its body all the rest.
    pub root: Part,
}

/// A body part, or a whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The header with its blank line.
    pub header: Range<usize>,
    /// The body without the line end that belongs to the boundary after it (RFC 2046 §5.1.1).
    pub body: Range<usize>,
    /// Line feeds in the body.
    pub lines: usize,
    pub content: ContentType,
    /// The Content-Transfer-Encoding as it stands there; `7bit` if there is none.
    pub encoding: Vec<u8>,
    pub id: Option<Vec<u8>>,
    pub description: Option<Vec<u8>>,
    pub disposition: Option<Disposition>,
    pub language: Vec<Vec<u8>>,
    pub location: Option<Vec<u8>>,
    pub md5: Option<Vec<u8>>,
    /// The parts of a multipart.
    pub children: Vec<Part>,
    /// The message inside of a message/rfc822 or message/global part.
    pub message: Option<Box<Part>>,
}

impl Part {
    /// Even if no part was found in it. A multipart without a boundary counts as text/plain.
    pub fn is_multipart(&self) -> bool {
        self.content.type_ == "multipart" && self.content.has_boundary()
    }

    pub fn is_text(&self) -> bool {
        self.content.type_ == "text"
    }

    /// Bytes of the body.
    pub fn size(&self) -> usize {
        self.body.len()
    }

    /// The file name that the sender gave it, decoded.
    pub fn filename(&self) -> Option<String> {
        let disposition = self.disposition.as_ref().map(|d| &d.params);
        disposition
            .and_then(|params| decode::param_text(params, "filename"))
            .or_else(|| decode::param_text(&self.content.params, "name"))
    }

    /// This part and all within it, outermost first.
    pub fn walk(&self, visit: &mut dyn FnMut(&Part)) {
        visit(self);
        for child in &self.children {
            child.walk(visit);
        }
        if let Some(message) = &self.message {
            message.walk(visit);
        }
    }
}

impl Structure {
    /// The part with this number (RFC 3501 §6.4.5): parts of a multipart count from 1; the only part of a
    /// message that is no multipart is its part 1; numbers go on into a message/rfc822 part.
    ///
    /// Part 1 of such a message is the message's own [`Part`]: its body is the part's body. The empty number
    /// is the message.
    pub fn section(&self, numbers: &[u32]) -> Option<&Part> {
        let mut part = &self.root;
        // What is in `part` counts as a message whose content may be a single part.
        let mut is_message = true;
        for &number in numbers {
            if let Some(inner) = &part.message
                && !is_message
            {
                part = inner;
                is_message = true;
            }
            let index = usize::try_from(number).ok()?.checked_sub(1)?;
            if part.is_multipart() {
                part = part.children.get(index)?;
            } else if !(is_message && index == 0) {
                return None;
            }
            is_message = false;
        }
        Some(part)
    }
}

#[cfg(test)]
mod tests;
