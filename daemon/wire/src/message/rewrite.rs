//! Walks through a message that comes in pieces, part by part, and lets rules write it anew.
//!
//! What is held: a header until its end, at most `HEADER_MAX_BYTES`; in a body at most a line that may be a boundary. Boundaries are
//! recognised as [`super::Message::parse`] does, so that readers find the same parts. The pieces that a text comes in change nothing: two
//! walks meet the same parts in the same order.
//!
//! Whoever sends the message chooses what is in it, and the walk runs where sessions run: each byte is looked at a bounded number of times,
//! however many lines look like boundaries and however small the pieces are. So a header is read line by line, and ends at the first
//! boundary; cursors move over what is held, and its rest is moved to the front once for each piece.
//!
//! Composites that the rules don't open are *sealed*: to the rules one body, boundary lines and all. The walk goes through their parts all
//! the same, for a boundary in them may begin as one around them does (RFC 2046 §5.1.2). What ends a sealed one is nothing but a whole
//! boundary line of a multipart around it: what is signed must not be changed for the sake of a line that looks like one.
//!
//! Must not know: what is written anew, and why.

use memchr::memmem::Finder;

use super::header::{headers, is_blank};
use super::mime::{ContentType, word};
use super::parse::{Hit, boundary_of};
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
    /// What came; up to `at` it is written.
    held: Vec<u8>,
    at: usize,
    /// In a header: the line that is read now begins here.
    line: usize,
    /// Up to here an end of the line was looked for.
    searched: usize,
    /// Of the multiparts around the current place, outermost first.
    boundaries: Vec<Vec<u8>>,
    /// Which of them are digests (RFC 2046 §5.1.5).
    digests: Vec<bool>,
    /// Around the outermost sealed composite are so many multiparts.
    sealed: Option<usize>,
    /// The next header is that of a part; of a digest.
    part: Option<bool>,
    /// What is not written begins with a line.
    line_start: bool,
    /// The rest of a long boundary line is still to come.
    rest_of_line: bool,
    depth: usize,
    line_dashes: Finder<'static>,
    /// Bytes that were looked at or moved.
    #[cfg(test)]
    pub(super) work: std::cell::Cell<usize>,
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
            at: 0,
            line: 0,
            searched: 0,
            boundaries: Vec::new(),
            digests: Vec::new(),
            sealed: None,
            part: None,
            line_start: false,
            rest_of_line: false,
            depth: 0,
            line_dashes: Finder::new(b"\r\n--"),
            #[cfg(test)]
            work: std::cell::Cell::default(),
        }
    }

    /// Takes the next piece; what is certain is appended to `out`.
    pub(super) fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        self.held.extend_from_slice(piece);
        while self.step(false, out) {}
        if self.at > 0 {
            self.held.drain(..self.at);
            self.worked(self.held.len());
            self.line = self.line.saturating_sub(self.at);
            self.searched = self.searched.saturating_sub(self.at);
            self.at = 0;
        }
    }

    /// What is left when all has come.
    pub(super) fn finish(mut self, out: &mut Vec<u8>) -> R {
        while self.step(true, out) {}
        if self.place == Place::Body || self.sealed.is_some() {
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

    #[cfg(test)]
    fn worked(&self, bytes: usize) {
        self.work.set(self.work.get() + bytes);
    }

    #[cfg(not(test))]
    #[allow(clippy::unused_self)]
    fn worked(&self, _bytes: usize) {}

    /// Decides about some of what is held; whether there may be more to decide.
    fn step(&mut self, all: bool, out: &mut Vec<u8>) -> bool {
        if self.at >= self.held.len() {
            return false;
        }
        if self.rest_of_line {
            let end = self.line_end(self.at, self.held.len());
            self.rest_of_line = end.is_none();
            self.line_start = end.is_some();
            self.delimiter(end.unwrap_or(self.held.len()), out);
            return true;
        }
        match self.place {
            Place::Header => self.header(all, out),
            Place::Body | Place::Between | Place::Unknown => self.body(all, out),
        }
    }

    /// The offset after the line that began before `from`, if it ends before `to`.
    fn line_end(&self, from: usize, to: usize) -> Option<usize> {
        let unseen = self.held.get(from..to)?;
        let len = memchr::memchr(b'\n', unseen).map(|at| at + 1);
        self.worked(len.unwrap_or(unseen.len()));
        len.map(|len| from + len)
    }

    /// The boundary that a line is.
    fn hit(&self, line: &[u8]) -> Option<Hit> {
        if self.boundaries.is_empty() || !line.starts_with(b"--") {
            return None;
        }
        let line = line.get(..BOUNDARY_LINE_BYTES).unwrap_or(line);
        self.worked(line.len());
        let hit = boundary_of(&self.boundaries, line, 0)?;
        let unseals = self.sealed.is_some_and(|sealed| hit.level < sealed);
        (!unseals || self.is_whole(line, &hit)).then_some(hit)
    }

    /// Whether nothing but white space follows the boundary (RFC 2046 §5.1.1).
    fn is_whole(&self, line: &[u8], hit: &Hit) -> bool {
        let boundary = self.boundaries.get(hit.level).map_or(0, Vec::len);
        let dashes = if hit.last { 4 } else { 2 };
        let rest = line.get(boundary + dashes..).unwrap_or_default();
        rest.trim_ascii().is_empty()
    }

    /// Reads the next lines of a header, until it is known how it ends.
    fn header(&mut self, all: bool, out: &mut Vec<u8>) -> bool {
        self.line = self.line.max(self.at);
        self.searched = self.searched.max(self.line);
        let limit = self.at + HEADER_MAX_BYTES;
        loop {
            let end = self.line_end(self.searched, self.held.len());
            let end_or_all = end.unwrap_or(self.held.len());
            self.searched = end_or_all;
            if end_or_all > limit {
                self.place = Place::Unknown;
                self.line_start = true;
                (self.line, self.searched) = (self.at, self.at);
                return true;
            }
            if end.is_none() && !all {
                return false;
            }
            let line = self.held.get(self.line..end_or_all).unwrap_or_default();
            // A part without the blank line ends where its multipart goes on (as in `parse`).
            if let Some(hit) = self.hit(line) {
                self.header_without_end(&hit, end_or_all, out);
                self.line_start = end.is_some();
                return true;
            }
            if is_blank(line) || end.is_none() {
                let header = self.held.get(self.at..end_or_all).unwrap_or_default().to_vec();
                self.begin(&header, out);
                self.at = end_or_all;
                self.line_start = true;
                return true;
            }
            self.line = end_or_all;
        }
    }

    /// The line that is read, up to `end`, is a boundary: what came before it passes unchanged.
    fn header_without_end(&mut self, hit: &Hit, end: usize, out: &mut Vec<u8>) {
        let before = self.held.get(self.at..self.line).unwrap_or_default();
        let text_end = match self.sealed {
            Some(_) if before.ends_with(b"\r\n") => self.line - 2,
            _ => self.line,
        };
        self.place = Place::Unknown;
        self.pass(text_end, out);
        self.boundary(hit, end, out);
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
        if self.sealed.is_some() {
            self.rules.body(header, out);
        } else {
            let opened = composite && self.rules.opens(&head);
            self.rules.begin(&head, opened, out);
            self.sealed = (composite && !opened).then_some(self.boundaries.len());
        }
        self.place = match () {
            () if composite && head.is_multipart() => {
                let boundary = head.content.param("boundary").unwrap_or_default();
                let boundary = boundary.get(..BOUNDARY_MAX_BYTES).unwrap_or(boundary);
                self.boundaries.push(boundary.to_vec());
                self.digests.push(head.content.subtype == "digest");
                Place::Between
            }
            () if composite => {
                self.part = None;
                Place::Header
            }
            () => Place::Body,
        };
        self.depth += usize::from(composite);
    }

    /// Goes on to the next line that may be a boundary.
    fn body(&mut self, all: bool, out: &mut Vec<u8>) -> bool {
        let rest = self.held.get(self.at..).unwrap_or_default();
        let (text_end, line) = if self.boundaries.is_empty() {
            self.pass(self.held.len(), out);
            return false;
        } else if self.line_start && rest.starts_with(b"--") {
            (self.at, self.at)
        } else if let Some(found) = self.line_dashes.find(rest) {
            self.worked(found + 4);
            (self.at + found, self.at + found + 2)
        } else {
            self.worked(rest.len());
            let keep = if all { 0 } else { open_end(rest, self.line_start) };
            let end = self.held.len() - keep;
            self.line_start &= end == self.at;
            self.pass(end, out);
            return false;
        };
        let most = self.held.len().min(line + BOUNDARY_LINE_BYTES);
        let end = self.line_end(self.searched.max(line), most);
        if end.is_none() && most < line + BOUNDARY_LINE_BYTES && !all {
            // Without the line end before it, which may belong to the boundary.
            self.searched = most;
            self.pass(text_end, out);
            self.line_start = text_end == line;
            return false;
        }
        let end_or_most = end.unwrap_or(most);
        let seen = self.held.get(line..end_or_most).unwrap_or_default();
        let Some(hit) = self.hit(seen) else {
            self.line_start = false;
            self.pass(line + 2, out);
            return true;
        };
        self.pass(text_end, out);
        self.boundary(&hit, end_or_most, out);
        self.line_start = end.is_some();
        self.rest_of_line = end.is_none();
        true
    }

    /// Goes on after a boundary line, of which all up to `end` is held.
    fn boundary(&mut self, hit: &Hit, end: usize, out: &mut Vec<u8>) {
        if self.sealed.is_some_and(|sealed| hit.level < sealed) {
            self.sealed = None;
            self.rules.end_body(out);
        } else if self.sealed.is_none() && self.place == Place::Body {
            self.rules.end_body(out);
        }
        self.delimiter(end, out);
        self.part = Some(self.digests.get(hit.level).copied().unwrap_or_default());
        self.boundaries.truncate(hit.level + usize::from(!hit.last));
        self.digests.truncate(self.boundaries.len());
        self.depth = self.depth.min(self.boundaries.len());
        self.place = if hit.last { Place::Between } else { Place::Header };
    }

    /// Hands on what is held up to `end`, of a boundary line.
    fn delimiter(&mut self, end: usize, out: &mut Vec<u8>) {
        let bytes = self.held.get(self.at..end).unwrap_or_default();
        if self.sealed.is_some() {
            self.rules.body(bytes, out);
        } else {
            self.rules.between(bytes, out);
        }
        self.at = self.at.max(end);
    }

    /// Hands on what is held up to `end`.
    fn pass(&mut self, end: usize, out: &mut Vec<u8>) {
        let bytes = self.held.get(self.at..end).unwrap_or_default();
        match (self.sealed, self.place) {
            (Some(_), _) | (None, Place::Body) => self.rules.body(bytes, out),
            (None, Place::Between) => self.rules.between(bytes, out),
            (None, Place::Header | Place::Unknown) => out.extend_from_slice(bytes),
        }
        self.at = self.at.max(end);
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

#[cfg(test)]
mod tests;
