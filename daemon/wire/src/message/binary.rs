//! Rewrites a message of BODY=BINARYMIME (RFC 3030 §3) while it comes, so that it can be stored, read and relayed like any other.
//!
//! Parts whose Content-Transfer-Encoding is `binary` are encoded as base64 and say so; multiparts and messages that are `binary` for
//! the sake of their parts become `8bit` (RFC 2045 §6.4 allows them no more). Everything else passes unchanged: whoever reads what comes
//! out looks for NUL and bare CR or LF in it as in all message data, and finds them where a part was not labelled.
//!
//! What is held: a header until its end, at most `HEADER_MAX_BYTES`; in a body at most a line that may be a boundary. Boundaries are
//! recognised as [`super::Message::parse`] does, so that readers find the same parts.
//!
//! Must not know: how the text is framed on the wire.

use memchr::memmem;

use super::header::{field, header_end, headers};
use super::mime::{ContentType, word};
use super::parse::boundary_of;
use super::{BOUNDARY_MAX_BYTES, DEPTH_MAX_PARTS};
use crate::base64;

/// A header of the message or of a part; what comes with a longer one passes unchanged.
const HEADER_MAX_BYTES: usize = 256 * 1024;
/// Octets of one line of base64: 76 characters (RFC 2045 §6.8).
const LINE_BYTES: usize = 57;
/// How much of a line decides whether it is a boundary: dashes, the boundary, dashes.
const BOUNDARY_LINE_BYTES: usize = BOUNDARY_MAX_BYTES + 4;

/// Rewrites one message, in pieces of any size.
#[derive(Debug, Default)]
pub struct Reencoder {
    place: Place,
    /// What came and is not decided yet.
    held: Vec<u8>,
    /// Up to here a header's end was looked for.
    searched: usize,
    /// Of the multiparts around the current place, outermost first.
    boundaries: Vec<Vec<u8>>,
    /// `held` begins with a line.
    line_start: bool,
    depth: usize,
}

#[derive(Debug, Default)]
enum Place {
    #[default]
    Header,
    /// Passes unchanged.
    Plain,
    Base64(Lines),
}

impl Reencoder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece; what is certain is appended to `out`.
    pub fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        self.held.extend_from_slice(piece);
        while self.step(false, out) {}
    }

    /// What is left when all has come.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        while self.step(true, out) {}
        self.end_body(out);
        // Message data ends with a line end.
        if matches!(self.place, Place::Base64(_)) && !out.ends_with(b"\r\n") {
            out.extend_from_slice(b"\r\n");
        }
    }

    /// Decides about some of what is held; whether there may be more to decide.
    fn step(&mut self, all: bool, out: &mut Vec<u8>) -> bool {
        match self.place {
            Place::Header => self.header(all, out),
            Place::Plain | Place::Base64(_) => self.body(all, out),
        }
    }

    fn header(&mut self, all: bool, out: &mut Vec<u8>) -> bool {
        if self.held.is_empty() {
            return false;
        }
        let from = self.searched.saturating_sub(3);
        let ended = self.held.starts_with(b"\r\n")
            || memmem::find(self.held.get(from..).unwrap_or_default(), b"\r\n\r\n").is_some();
        self.searched = self.held.len();
        if !ended && !all && self.held.len() <= HEADER_MAX_BYTES {
            return false;
        }
        self.searched = 0;
        if !ended && !all {
            self.place = Place::Plain;
            return true;
        }
        let end = header_end(&self.held).min(self.held.len());
        // A part without the blank line ends where its multipart goes on (as in `parse`).
        if let Some(line) = self.boundary_in_header(end) {
            out.extend(self.held.drain(..line));
            self.place = Place::Plain;
            self.line_start = true;
            return true;
        }
        let header: Vec<u8> = self.held.drain(..end).collect();
        self.begin_part(&header, out);
        self.line_start = true;
        true
    }

    /// Where in the first bytes of `held` a line is a boundary.
    fn boundary_in_header(&self, end: usize) -> Option<usize> {
        if self.boundaries.is_empty() {
            return None;
        }
        let header = self.held.get(..end)?;
        let starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', header).map(|at| at + 1));
        let mut starts = starts.filter(|at| header.get(*at..).is_some_and(|line| line.starts_with(b"--")));
        starts.find(|at| boundary_of(&self.boundaries, header.get(*at..).unwrap_or_default(), 0).is_some())
    }

    /// Hands a header on, with another encoding where the body gets one, and decides what becomes of the body.
    fn begin_part(&mut self, header: &[u8], out: &mut Vec<u8>) {
        let content = field(header, "Content-Type").and_then(ContentType::parse);
        let content = content.unwrap_or_else(|| ContentType::default_of(false));
        let binary = headers(header)
            .filter(|field| field.is("Content-Transfer-Encoding"))
            .any(|field| word(field.value).is_some_and(|word| word.eq_ignore_ascii_case(b"binary")));
        let room = self.depth < DEPTH_MAX_PARTS;
        let multipart = content.type_ == "multipart" && content.has_boundary();
        let message = content.type_ == "message" && matches!(content.subtype.as_str(), "rfc822" | "global");
        self.place = match () {
            () if multipart && room => {
                self.depth += 1;
                let boundary = content.param("boundary").unwrap_or_default();
                let boundary = boundary.get(..BOUNDARY_MAX_BYTES).unwrap_or(boundary);
                self.boundaries.push(boundary.to_vec());
                Place::Plain
            }
            () if message && room => {
                self.depth += 1;
                Place::Header
            }
            () if binary => Place::Base64(Lines::default()),
            () => Place::Plain,
        };
        if binary {
            let encoding = if matches!(self.place, Place::Base64(_)) {
                "base64"
            } else {
                "8bit"
            };
            relabel(header, encoding, out);
        } else {
            out.extend_from_slice(header);
        }
    }

    /// Goes on to the next line that may be a boundary.
    fn body(&mut self, all: bool, out: &mut Vec<u8>) -> bool {
        let line = if self.boundaries.is_empty() {
            None
        } else if self.line_start && self.held.starts_with(b"--") {
            Some(0)
        } else {
            memmem::find(&self.held, b"\r\n--").map(|at| at + 2)
        };
        let Some(line) = line else {
            let keep = if all || self.boundaries.is_empty() {
                0
            } else {
                open_end(&self.held, self.line_start)
            };
            let pass = self.held.len() - keep;
            self.line_start &= pass == 0;
            self.pass(pass, out);
            return false;
        };
        let rest = self.held.get(line..).unwrap_or_default();
        let whole = memchr::memchr(b'\n', rest).map(|end| end + 1);
        if whole.is_none() && rest.len() < BOUNDARY_LINE_BYTES && !all {
            // Without the line end before it, which may belong to the boundary.
            let before = line.saturating_sub(2);
            self.line_start &= before == 0 && line == 0;
            self.pass(before, out);
            return false;
        }
        let seen = rest.get(..whole.unwrap_or(rest.len())).unwrap_or(rest);
        let Some(hit) = boundary_of(&self.boundaries, seen, 0) else {
            self.line_start = false;
            self.pass(line + 2, out);
            return true;
        };
        let length = line + seen.len();
        self.pass(line.saturating_sub(2), out);
        self.end_body(out);
        let drained = length - line.saturating_sub(2);
        out.extend(self.held.drain(..drained));
        self.boundaries.truncate(hit.level + usize::from(!hit.last));
        self.depth = self.depth.min(self.boundaries.len());
        self.place = if hit.last { Place::Plain } else { Place::Header };
        self.line_start = whole.is_some();
        true
    }

    /// Hands the first `len` bytes of what is held on.
    fn pass(&mut self, len: usize, out: &mut Vec<u8>) {
        let bytes = self.held.drain(..len.min(self.held.len()));
        match &mut self.place {
            Place::Base64(lines) => lines.push(bytes.as_slice(), out),
            Place::Header | Place::Plain => out.extend_from_slice(bytes.as_slice()),
        }
    }

    fn end_body(&mut self, out: &mut Vec<u8>) {
        if let Place::Base64(lines) = &mut self.place {
            lines.finish(out);
        }
    }
}

/// How many bytes at the end may be the beginning of a line end and a boundary.
fn open_end(held: &[u8], line_start: bool) -> usize {
    if line_start && (held.is_empty() || held == b"-") {
        return held.len();
    }
    let starts: [&[u8]; 3] = [b"\r\n-", b"\r\n", b"\r"];
    let open = starts.into_iter().find(|start| held.ends_with(start));
    open.map_or(0, <[u8]>::len)
}

/// The header with another Content-Transfer-Encoding; of several such fields one is left.
fn relabel(header: &[u8], encoding: &str, out: &mut Vec<u8>) {
    let mut at = 0;
    let mut done = false;
    for field in headers(header).filter(|field| field.is("Content-Transfer-Encoding")) {
        out.extend_from_slice(header.get(at..field.range.start).unwrap_or_default());
        at = field.range.end;
        if !std::mem::replace(&mut done, true) {
            out.extend_from_slice(format!("Content-Transfer-Encoding: {encoding}\r\n").as_bytes());
        }
    }
    out.extend_from_slice(header.get(at..).unwrap_or_default());
}

/// Lines of base64 (RFC 2045 §6.8). A line end goes before each line but the first: the last one's belongs to the boundary.
#[derive(Debug, Default)]
struct Lines {
    rest: Vec<u8>,
    begun: bool,
}

impl Lines {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.rest.extend_from_slice(bytes);
        let whole = self.rest.len() - self.rest.len() % LINE_BYTES;
        let rest = self.rest.split_off(whole);
        let lines = std::mem::replace(&mut self.rest, rest);
        for line in lines.chunks(LINE_BYTES) {
            self.line(line, out);
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let rest = std::mem::take(&mut self.rest);
        if !rest.is_empty() {
            self.line(&rest, out);
        }
    }

    fn line(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.begun, true) {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(base64::encode(bytes).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::message::{Message, Part, decode};
    use crate::smtp::Checker;

    fn in_pieces(text: &[u8], len: usize) -> Vec<u8> {
        let mut reencoder = Reencoder::new();
        let mut out = Vec::new();
        for piece in text.chunks(len) {
            reencoder.feed(piece, &mut out);
        }
        reencoder.finish(&mut out);
        out
    }

    /// All leaves, decoded.
    fn leaves(text: &[u8]) -> Vec<Vec<u8>> {
        let structure = Message::parse(text);
        let mut found = Vec::new();
        structure.root.walk(&mut |part: &Part| {
            if part.children.is_empty() && part.message.is_none() {
                let encoding = field(&text[part.header.clone()], "Content-Transfer-Encoding");
                let encoding = encoding.and_then(word).unwrap_or_else(|| b"7bit".to_vec());
                found.push(
                    decode::transfer(&text[part.body.clone()], &encoding)
                        .unwrap()
                        .into_owned(),
                );
            }
        });
        found
    }

    const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\r\r\n--no\n--b\r\n--\r\n-";

    fn mixed() -> Vec<u8> {
        let mut text =
            b"Subject: t\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"outer\"\r\n\
            Content-Transfer-Encoding: BINARY\r\n\r\npreamble\r\n--outer\r\n\r\nHello\r\n--outer\r\n\
            Content-Type: image/png\r\nContent-Transfer-Encoding:\r\n binary\r\nX-A: b\r\n\r\n"
                .to_vec();
        text.extend_from_slice(PICTURE);
        text.extend_from_slice(
            b"\r\n--outer\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\n\
            Subject: inner\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n",
        );
        text.extend_from_slice(&PICTURE.repeat(20));
        text.extend_from_slice(b"\r\n--outer--\r\nepilogue\r\n");
        text
    }

    /// A picture would arrive damaged, or the message could not be stored at all.
    #[test]
    fn binary_parts_become_base64_and_everything_else_stays() {
        let text = mixed();
        let whole = in_pieces(&text, text.len());
        assert_eq!(Checker::new().feed(&whole), None);
        let expected: [Vec<u8>; 3] = [b"Hello".to_vec(), PICTURE.to_vec(), PICTURE.repeat(20)];
        assert_eq!(leaves(&whole), expected);
        let shown = String::from_utf8(whole.clone()).unwrap();
        assert!(
            shown.contains("Content-Transfer-Encoding: 8bit\r\n\r\npreamble\r\n--outer\r\n\r\nHello\r\n")
        );
        assert!(shown.contains("Content-Transfer-Encoding: base64\r\nX-A: b\r\n"));
        assert!(shown.ends_with("\r\n--outer--\r\nepilogue\r\n"));
        assert!(!shown.to_lowercase().contains("binary"));
        assert!(shown.lines().all(|line| line.len() <= 78));
        for len in 1..70 {
            assert_eq!(in_pieces(&text, len), whole, "{len}");
        }
    }

    #[test]
    fn a_message_that_is_one_binary_part_ends_with_a_line_end() {
        let out = in_pieces(b"Content-Transfer-Encoding: binary\r\n\r\n\0\x01", 3);
        assert_eq!(out, b"Content-Transfer-Encoding: base64\r\n\r\nAAE=\r\n");
        let empty = in_pieces(b"Content-Transfer-Encoding: binary\r\n\r\n", 3);
        assert_eq!(empty, b"Content-Transfer-Encoding: base64\r\n\r\n");
    }

    /// What is not labelled is not touched: the checker finds the NUL.
    #[test]
    fn parts_without_the_label_pass_as_they_are() {
        let texts: [&[u8]; 6] = [
            b"Subject: x\r\n\r\na\0b\r\n",
            b"no header at all",
            b"",
            b"\r\nbody\r\n",
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX: y\r\n--b\r\n\r\nz\r\n--b--",
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b",
        ];
        for text in texts {
            for len in 1..9 {
                assert_eq!(in_pieces(text, len), text, "{len} {}", text.escape_ascii());
            }
        }
    }

    #[test]
    fn little_is_held_however_long_a_line_or_header_is() {
        let mut reencoder = Reencoder::new();
        let mut out = Vec::new();
        for _ in 0..64 {
            reencoder.feed(&[b'x'; 16 * 1024], &mut out);
        }
        assert!(reencoder.held.len() <= HEADER_MAX_BYTES + 16 * 1024);
        let mut reencoder = Reencoder::new();
        reencoder.feed(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--", &mut out);
        for _ in 0..64 {
            reencoder.feed(
                b"\r\n--xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                    .repeat(100)
                    .as_slice(),
                &mut out,
            );
        }
        assert!(reencoder.held.len() <= BOUNDARY_LINE_BYTES);
    }
}
