//! One pass over the text that finds the parts.
//!
//! Line feeds are counted once, by a counter that only moves forward. While it looks for the end of a part
//! the parser knows the boundaries of all multiparts around it, at most [`DEPTH_MAX_PARTS`] of them; a line
//! that begins with one of them ends everything inside.

use memchr::memmem::Finder;

use super::header::{headers, is_blank};
use super::mime::{self, ContentType, Disposition};
use super::text::{Text, with_range};
use super::{BOUNDARY_MAX_BYTES, DEPTH_MAX_PARTS, PARTS_MAX_COUNT, Part, Structure};

pub(super) fn parse<T: Text>(text: &mut T) -> Structure {
    let mut parser = Parser {
        text,
        at: 0,
        line_feeds: 0,
        boundaries: Vec::new(),
        parts_left: PARTS_MAX_COUNT,
        depth: 0,
        line_dashes: Finder::new(b"\n--"),
    };
    let (root, _) = parser.part(false);
    Structure { root }
}

struct Parser<'a, T> {
    text: &'a mut T,
    /// Up to here the line feeds are counted.
    at: usize,
    line_feeds: usize,
    /// Of the multiparts around the current place, outermost first.
    boundaries: Vec<Vec<u8>>,
    parts_left: usize,
    depth: usize,
    line_dashes: Finder<'static>,
}

/// Why a part ended.
struct Stop {
    /// The end of the body, before the line end that belongs to the boundary.
    end: usize,
    /// Line feeds before `end`.
    line_feeds: usize,
    boundary: Option<Hit>,
}

/// A boundary line.
pub(super) struct Hit {
    /// Index into the boundaries.
    pub(super) level: usize,
    /// `--boundary--`
    pub(super) last: bool,
    /// The offset after the line.
    after: usize,
}

impl<T: Text> Parser<'_, T> {
    /// Parses the part whose header begins at the current place.
    fn part(&mut self, in_digest: bool) -> (Part, Stop) {
        self.parts_left = self.parts_left.saturating_sub(1);
        let start = self.at;
        let header = self.header();
        let end = match &header {
            Ok(end) => *end,
            Err(stop) => stop.end,
        };
        let mut part = with_range(self.text, start..end, |header| describe(header, in_digest));
        part.header = start..end;
        part.body = end..end;
        let stop = match header {
            Err(stop) => stop,
            Ok(_) => {
                self.count_to(end);
                let before = self.line_feeds;
                let stop = self.body(&mut part);
                part.body.end = stop.end.max(end);
                part.lines = stop.line_feeds.saturating_sub(before);
                stop
            }
        };
        (part, stop)
    }

    /// The end of the header at the current place; `Err` if a boundary or the end of the text comes before
    /// the blank line.
    fn header(&mut self) -> Result<usize, Stop> {
        let mut at = self.at;
        while at < self.text.len() {
            let end = line_end_in(self.text, at);
            // A line that is longer than the window is seen as far as it decides anything.
            let line = self.text.window(at);
            let line = line.get(..end - at).unwrap_or(line);
            if is_blank(line) {
                return Ok(end);
            }
            if let Some(hit) = boundary_of(&self.boundaries, line, end) {
                self.count_to(at);
                // All of the header stays header: it ends with the line before the boundary.
                return Err(Stop {
                    end: at,
                    line_feeds: self.line_feeds,
                    boundary: Some(hit),
                });
            }
            at = end;
        }
        self.count_to(at);
        Err(Stop {
            end: at,
            line_feeds: self.line_feeds,
            boundary: None,
        })
    }

    fn body(&mut self, part: &mut Part) -> Stop {
        self.depth += 1;
        let too_deep = self.depth > DEPTH_MAX_PARTS;
        let stop = if too_deep || self.parts_left == 0 {
            self.skip(self.at)
        } else if part.is_multipart() {
            self.multipart(part)
        } else if part.content.type_ == "message"
            && matches!(part.content.subtype.as_str(), "rfc822" | "global")
        {
            let (message, stop) = self.part(false);
            part.message = Some(Box::new(message));
            stop
        } else {
            self.skip(self.at)
        };
        self.depth -= 1;
        stop
    }

    fn multipart(&mut self, part: &mut Part) -> Stop {
        let level = self.boundaries.len();
        let boundary = part.content.param("boundary").unwrap_or_default();
        self.boundaries
            .push(boundary[..boundary.len().min(BOUNDARY_MAX_BYTES)].to_vec());
        let in_digest = part.content.subtype == "digest";
        // The preamble, RFC 2046 §5.1.1.
        let mut stop = self.skip(self.at);
        while let Some(hit) = &stop.boundary
            && hit.level == level
        {
            self.count_to(hit.after);
            if hit.last || self.parts_left == 0 {
                // The epilogue, if there is one: without it the line end after the last boundary is a part of the outer boundary.
                self.boundaries.truncate(level);
                let floor = before_line_end(self.text, hit.after);
                return self.skip(floor);
            }
            let (child, next) = self.part(in_digest);
            part.children.push(child);
            stop = next;
        }
        self.boundaries.truncate(level);
        stop
    }

    /// Goes on to the next boundary line of any multipart around, or to the end of the text. A line end from `floor` on may be a part of
    /// that boundary.
    fn skip(&mut self, floor: usize) -> Stop {
        // Whether a line begins at `at`.
        let (mut at, mut begins) = (self.at, true);
        while !self.boundaries.is_empty() {
            let window = self.text.window(at);
            if begins && window.starts_with(b"--") {
                let end = line_end_in(self.text, at);
                let line = self.text.window(at);
                let line = line.get(..end - at).unwrap_or(line);
                if let Some(hit) = boundary_of(&self.boundaries, line, end) {
                    self.count_to(at);
                    return self.stop_before(at, floor, hit);
                }
            }
            let window = self.text.window(at);
            let len = window.len();
            match self.line_dashes.find(window) {
                Some(offset) => (at, begins) = (at + offset + 1, true),
                None if len == 0 || at + len >= self.text.len() => break,
                // The next window begins so that it holds what this one holds in part.
                None => (at, begins) = (at + len.saturating_sub(2).max(1), false),
            }
        }
        self.count_to(self.text.len());
        Stop {
            end: self.at,
            line_feeds: self.line_feeds,
            boundary: None,
        }
    }

    /// The line end before a boundary is not part of the body (RFC 2046 §5.1.1), if the body has begun.
    fn stop_before(&mut self, line: usize, floor: usize, hit: Hit) -> Stop {
        let (mut end, mut line_feeds) = (line, self.line_feeds);
        if end > floor && byte_at(self.text, end - 1) == Some(b'\n') {
            end -= 1;
            line_feeds -= 1;
            if end > floor && byte_at(self.text, end - 1) == Some(b'\r') {
                end -= 1;
            }
        }
        Stop {
            end,
            line_feeds,
            boundary: Some(hit),
        }
    }

    fn count_to(&mut self, to: usize) {
        while self.at < to {
            let window = self.text.window(self.at);
            let bytes = window.get(..to - self.at).unwrap_or(window);
            if bytes.is_empty() {
                // Not to be read: the text ends here.
                self.at = to;
                return;
            }
            self.line_feeds += memchr::memchr_iter(b'\n', bytes).count();
            self.at += bytes.len();
        }
    }
}

/// The boundary that a line begins with: the longest, then the innermost (RFC 2046 §5.1.2). `after`: the offset after the line.
pub(super) fn boundary_of(boundaries: &[Vec<u8>], line: &[u8], after: usize) -> Option<Hit> {
    let line = line.strip_prefix(b"--")?;
    let mut best: Option<(usize, usize)> = None;
    for (level, boundary) in boundaries.iter().enumerate() {
        let longer = best.is_none_or(|(_, len)| boundary.len() >= len);
        if longer && line.starts_with(boundary) {
            best = Some((level, boundary.len()));
        }
    }
    let (level, len) = best?;
    Some(Hit {
        level,
        last: line[len..].starts_with(b"--"),
        after,
    })
}

/// The offset after the line that begins at `at`.
fn line_end_in(text: &mut impl Text, mut at: usize) -> usize {
    loop {
        let window = text.window(at);
        match memchr::memchr(b'\n', window) {
            Some(len) => return at + len + 1,
            None if window.is_empty() => return text.len(),
            None => at += window.len(),
        }
    }
}

fn byte_at(text: &mut impl Text, at: usize) -> Option<u8> {
    text.window(at).first().copied()
}

/// What the header says of its body; the first field of each name counts.
fn describe(header: &[u8], in_digest: bool) -> Part {
    let mut part = Part {
        header: 0..0,
        body: 0..0,
        lines: 0,
        content: ContentType {
            type_: String::new(),
            subtype: String::new(),
            params: Vec::new(),
        },
        encoding: Vec::new(),
        id: None,
        description: None,
        disposition: None,
        language: Vec::new(),
        location: None,
        md5: None,
        children: Vec::new(),
        message: None,
    };
    let mut content = None;
    for field in headers(header) {
        // Every field of interest begins so.
        let Some((prefix, name)) = field.name.split_at_checked(8) else {
            continue;
        };
        if !prefix.eq_ignore_ascii_case(b"content-") {
            continue;
        }
        let value = field.value;
        match name.to_ascii_lowercase().as_slice() {
            b"type" if content.is_none() => content = ContentType::parse(value),
            b"transfer-encoding" if part.encoding.is_empty() => {
                part.encoding = mime::word(value).unwrap_or_default();
            }
            b"id" if part.id.is_none() => part.id = mime::text(value),
            b"description" if part.description.is_none() => part.description = mime::text(value),
            b"disposition" if part.disposition.is_none() => part.disposition = Disposition::parse(value),
            b"language" if part.language.is_empty() => part.language = mime::languages(value),
            b"location" if part.location.is_none() => part.location = mime::text(value),
            b"md5" if part.md5.is_none() => part.md5 = mime::text(value),
            _ => {}
        }
    }
    // A multipart without a boundary has no parts: as a text, people can at least read it.
    let readable = |found: &ContentType| found.type_ != "multipart" || found.has_boundary();
    part.content = match content {
        Some(found) if readable(&found) => found,
        Some(_) => ContentType::default_of(false),
        None => ContentType::default_of(in_digest),
    };
    if part.encoding.is_empty() {
        part.encoding = b"7bit".to_vec();
    }
    part
}

/// Where the line ends that goes up to `after`: before its CRLF or LF, if it has one.
fn before_line_end(text: &mut impl Text, after: usize) -> usize {
    let mut end = after;
    for byte in *b"\n\r" {
        if end > 0 && byte_at(text, end - 1) == Some(byte) {
            end -= 1;
        }
    }
    end
}
