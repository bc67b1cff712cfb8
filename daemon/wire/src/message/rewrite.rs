//! Walks through a message that comes in pieces, part by part, and lets rules write it anew.
//!
//! What is held: a header until its end, at most `HEADER_MAX_BYTES`; in a body at most a line that may be a boundary. Boundaries are
//! recognised as [`super::Message::parse`] does, so that readers find the same parts. The pieces that a text comes in change nothing: two
//! walks meet the same parts in the same order.
//!
//! Must not know: what is written anew, and why.

use memchr::memmem;

use super::header::{header_end, headers};
use super::mime::{ContentType, word};
use super::parse::boundary_of;
use super::{BOUNDARY_MAX_BYTES, DEPTH_MAX_PARTS};

/// A header of the message or of a part; what comes with a longer one passes unchanged, to the next boundary.
pub(super) const HEADER_MAX_BYTES: usize = 256 * 1024;
/// How much of a line decides whether it is a boundary: dashes, the boundary, dashes.
pub(super) const BOUNDARY_LINE_BYTES: usize = BOUNDARY_MAX_BYTES + 4;

/// What becomes of what the walk meets. Everything that is not written to `out` is lost.
pub(super) trait Rules {
    /// Whether a multipart or a message is looked at part by part; else it is one body.
    fn opens(&self, head: &Head<'_>) -> bool;
    /// A header. `opened`: what follows are its parts, or the header of the message within; else `body` follows.
    fn begin(&mut self, head: &Head<'_>, opened: bool, out: &mut Vec<u8>);
    /// Some of a body, without the line end that belongs to the boundary after it (RFC 2046 §5.1.1).
    fn body(&mut self, bytes: &[u8], out: &mut Vec<u8>);
    fn end_body(&mut self, out: &mut Vec<u8>);
    /// What stands between parts and belongs to none: preamble, boundary lines and epilogue.
    fn between(&mut self, bytes: &[u8], out: &mut Vec<u8>);
    /// After all that, if a body was the last.
    fn end_message(&mut self, _out: &mut Vec<u8>) {}
}

/// A header, and what it says.
pub(super) struct Head<'a> {
    /// With its blank line, if it has one.
    pub(super) header: &'a [u8],
    /// What it says of the body, or what holds if it says nothing.
    pub(super) content: ContentType,
    /// The Content-Transfer-Encoding, if one is named.
    pub(super) encoding: Vec<u8>,
    /// The header of a message, not of a part in one.
    pub(super) of_message: bool,
}

impl Head<'_> {
    fn is_multipart(&self) -> bool {
        self.content.type_ == "multipart" && self.content.has_boundary()
    }

    fn is_message(&self) -> bool {
        self.content.type_ == "message" && matches!(self.content.subtype.as_str(), "rfc822" | "global")
    }
}

#[derive(Debug)]
pub(super) struct Walk<R> {
    pub(super) rules: R,
    place: Place,
    /// What came and is not decided yet.
    held: Vec<u8>,
    /// Up to here a header's end was looked for.
    searched: usize,
    /// Of the multiparts around the current place, outermost first.
    boundaries: Vec<Vec<u8>>,
    /// Which of them are digests (RFC 2046 §5.1.5).
    digests: Vec<bool>,
    /// The next header is that of a part; of a digest.
    part: Option<bool>,
    /// `held` begins with a line.
    line_start: bool,
    depth: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Header,
    Body,
    Between,
    /// Passes unchanged, to the next boundary.
    Unknown,
}

impl<R: Rules> Walk<R> {
    pub(super) fn new(rules: R) -> Self {
        Self {
            rules,
            place: Place::Header,
            held: Vec::new(),
            searched: 0,
            boundaries: Vec::new(),
            digests: Vec::new(),
            part: None,
            line_start: false,
            depth: 0,
        }
    }

    /// Takes the next piece; what is certain is appended to `out`.
    pub(super) fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        self.held.extend_from_slice(piece);
        while self.step(false, out) {}
    }

    /// What is left when all has come.
    pub(super) fn finish(mut self, out: &mut Vec<u8>) -> R {
        while self.step(true, out) {}
        if self.place == Place::Body {
            self.rules.end_body(out);
            self.rules.end_message(out);
        }
        self.rules
    }

    /// Bytes that wait for more.
    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        self.held.len()
    }

    /// Decides about some of what is held; whether there may be more to decide.
    fn step(&mut self, all: bool, out: &mut Vec<u8>) -> bool {
        match self.place {
            Place::Header => self.header(all, out),
            Place::Body | Place::Between | Place::Unknown => self.body(all, out),
        }
    }

    fn header(&mut self, all: bool, out: &mut Vec<u8>) -> bool {
        if self.held.is_empty() {
            return false;
        }
        let from = self.searched.saturating_sub(3);
        let seen = self.held.get(..self.held.len().min(HEADER_MAX_BYTES));
        let seen = seen.unwrap_or_default();
        let ended = seen.starts_with(b"\r\n")
            || memmem::find(seen.get(from..).unwrap_or_default(), b"\r\n\r\n").is_some();
        let too_long = !ended && self.held.len() > HEADER_MAX_BYTES;
        self.searched = seen.len();
        if !ended && !all && !too_long {
            return false;
        }
        self.searched = 0;
        if too_long {
            self.place = Place::Unknown;
            self.line_start = true;
            return true;
        }
        let end = header_end(&self.held).min(self.held.len());
        // A part without the blank line ends where its multipart goes on (as in `parse`).
        if let Some(line) = self.boundary_in_header(end) {
            out.extend(self.held.drain(..line));
            self.place = Place::Unknown;
            self.line_start = true;
            return true;
        }
        let header: Vec<u8> = self.held.drain(..end).collect();
        self.begin(&header, out);
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

    /// Hands a header on, and decides what follows.
    fn begin(&mut self, header: &[u8], out: &mut Vec<u8>) {
        // The first that says something counts, as in `parse`.
        let named = |name: &'static str| headers(header).filter(move |field| field.is(name));
        let content = named("Content-Type").find_map(|field| ContentType::parse(field.value));
        let encoding = named("Content-Transfer-Encoding").find_map(|field| word(field.value));
        let head = Head {
            header,
            content: content.unwrap_or_else(|| ContentType::default_of(self.part == Some(true))),
            encoding: encoding.unwrap_or_default(),
            of_message: self.part.is_none(),
        };
        let composite = self.depth < DEPTH_MAX_PARTS && (head.is_multipart() || head.is_message());
        let opened = composite && self.rules.opens(&head);
        self.place = match () {
            () if opened && head.is_multipart() => {
                let boundary = head.content.param("boundary").unwrap_or_default();
                let boundary = boundary.get(..BOUNDARY_MAX_BYTES).unwrap_or(boundary);
                self.boundaries.push(boundary.to_vec());
                self.digests.push(head.content.subtype == "digest");
                Place::Between
            }
            () if opened => {
                self.part = None;
                Place::Header
            }
            () => Place::Body,
        };
        self.depth += usize::from(opened);
        self.rules.begin(&head, opened, out);
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
        if self.place == Place::Body {
            self.rules.end_body(out);
        }
        let drained = length - line.saturating_sub(2);
        let delimiter = self.held.drain(..drained);
        self.rules.between(delimiter.as_slice(), out);
        drop(delimiter);
        self.part = Some(self.digests.get(hit.level).copied().unwrap_or_default());
        self.boundaries.truncate(hit.level + usize::from(!hit.last));
        self.digests.truncate(self.boundaries.len());
        self.depth = self.depth.min(self.boundaries.len());
        self.place = if hit.last { Place::Between } else { Place::Header };
        self.line_start = whole.is_some();
        true
    }

    /// Hands the first `len` bytes of what is held on.
    fn pass(&mut self, len: usize, out: &mut Vec<u8>) {
        let bytes = self.held.drain(..len.min(self.held.len()));
        match self.place {
            Place::Body => self.rules.body(bytes.as_slice(), out),
            Place::Between => self.rules.between(bytes.as_slice(), out),
            Place::Header | Place::Unknown => out.extend_from_slice(bytes.as_slice()),
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

/// The header with another Content-Transfer-Encoding; of several such fields one is left. `false`: there is none, and `out` is as it was.
pub(super) fn relabel(header: &[u8], encoding: &str, out: &mut Vec<u8>) -> bool {
    let mut at = 0;
    for field in headers(header).filter(|field| field.is("Content-Transfer-Encoding")) {
        out.extend_from_slice(header.get(at..field.range.start).unwrap_or_default());
        if at == 0 {
            out.extend_from_slice(format!("Content-Transfer-Encoding: {encoding}\r\n").as_bytes());
        }
        at = field.range.end;
    }
    if at > 0 {
        out.extend_from_slice(header.get(at..).unwrap_or_default());
    }
    at > 0
}
