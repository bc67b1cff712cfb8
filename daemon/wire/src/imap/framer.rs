//! The framer: finds where a command ends in what has arrived, and which literals it announces.
//!
//! It holds positions, not octets, but for the skeleton of an APPEND. The buffer it is shown begins where the
//! last frame that consumed octets ended; between two calls it may only grow.

use super::append::{message_literal, refusal};
use super::command::{ParseError, Tag};
use super::lexer::{Lexer, Resume, literal_at_end};

/// What a peer may make us hold or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// One line, literals not counted.
    pub line_length_max_bytes: usize,
    /// One literal that is no message.
    pub literal_max_bytes: u64,
    /// A command with its literals, without messages.
    pub command_max_bytes: usize,
    /// One message.
    pub append_max_bytes: u64,
}

/// A message literal of APPEND or REPLACE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Literal {
    pub size: u64,
    /// The client waits for "+".
    pub sync: bool,
    /// A literal8.
    pub binary: bool,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Read more into the buffer.
    NeedMore,
    /// A whole command, literals included, lies in `buf[..len]`. Consume it.
    Command { len: usize },
    /// A literal was announced that the client sends only after "+". Consume nothing; send it, then read on. If it is the
    /// `first` of its command, `buf[..prefix_len]` tells whether anything good can come of it (`refusal`); if not, answer,
    /// consume that much and `reset`. So it is with the first after a message of an APPEND (`append_refusal`).
    Continue { prefix_len: usize, first: bool },
    /// The command so far is an APPEND (or REPLACE) up to this message literal. Consume `prefix_len`; look at
    /// it with `append_skeleton` and `parse_append_prefix`; if all is well take `literal.size` octets off
    /// the stream, else call `abandon_append`. Then go on.
    AppendLiteral { prefix_len: usize, literal: Literal },
    /// The rest of that APPEND lies in `buf[..len]`. Consume it; `take_append` gives what to parse.
    AppendEnd { len: usize },
    /// A line or command above its limit. Consume `len`; answer BAD; what follows of it is skipped.
    TooLong { tag: Option<Tag>, len: usize },
    /// A literal above its limit. Consume `len`; answer NO [TOOBIG] (or BYE). One that does not wait for "+"
    /// is skipped.
    LiteralTooBig {
        tag: Option<Tag>,
        size: u64,
        sync: bool,
        len: usize,
    },
    /// Octets of what is being skipped. Consume `len`.
    Skip { len: usize },
}

/// A line outside of commands: DONE, or a response to a SASL challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    NeedMore,
    /// The text is `buf[..text_len]`; consume `len`.
    Line {
        text_len: usize,
        len: usize,
    },
    TooLong,
}

/// The longest announcement of a literal with its CRLF.
const TAIL_MAX_BYTES: usize = 32;

#[derive(Debug, Default)]
enum State {
    #[default]
    Command,
    /// So many octets of a literal, then the rest of its command.
    Skip { literal: u64, tail: Vec<u8> },
}

/// Finds the ends of commands; one for each session.
#[derive(Debug, Default)]
pub struct Framer {
    state: State,
    /// Where the line after the last literal begins.
    line: usize,
    /// Up to where its end was looked for.
    scanned: usize,
    /// An APPEND without its messages.
    skeleton: Vec<u8>,
    resume: Resume,
}

impl Framer {
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at what has arrived.
    pub fn next(&mut self, buf: &[u8], limits: &Limits) -> Frame {
        if matches!(self.state, State::Skip { .. }) {
            return self.skip(buf);
        }
        while let Some(unseen) = buf.get(self.scanned..) {
            let Some(newline) = memchr::memchr(b'\n', unseen) else {
                self.scanned = buf.len();
                if self.too_long(buf.len(), limits) {
                    return self.refuse_line(buf, buf.len());
                }
                return Frame::NeedMore;
            };
            let end = self.scanned + newline + 1;
            if self.too_long(end, limits) {
                return self.refuse_line(buf, end);
            }
            let line = trim_crlf(buf.get(self.line..end).unwrap_or_default());
            let Some(head) = literal_at_end(line) else {
                return self.finish(buf, end);
            };
            let literal = Literal {
                size: head.size,
                sync: head.sync,
                binary: head.binary,
            };
            if let Some(frame) = self.message(buf, end, literal, limits) {
                return frame;
            }
            // A literal that belongs into the command.
            let fits = usize::try_from(literal.size)
                .ok()
                .filter(|_| literal.size <= limits.literal_max_bytes)
                .and_then(|size| size.checked_add(end))
                .filter(|&after| after.saturating_add(self.skeleton.len()) <= limits.command_max_bytes);
            let Some(after) = fits else {
                return self.refuse_literal(buf, end, literal);
            };
            let first = self.line == 0;
            self.line = after;
            self.scanned = after;
            if literal.sync {
                return Frame::Continue {
                    prefix_len: end,
                    first,
                };
            }
        }
        Frame::NeedMore
    }

    /// A line that is no command.
    pub fn line(buf: &[u8], line_length_max_bytes: usize) -> Line {
        match memchr::memchr(b'\n', buf) {
            Some(at) if at <= line_length_max_bytes => {
                let text = buf.get(..at).unwrap_or_default();
                Line::Line {
                    text_len: text.strip_suffix(b"\r").unwrap_or(text).len(),
                    len: at + 1,
                }
            }
            None if buf.len() <= line_length_max_bytes => Line::NeedMore,
            _ => Line::TooLong,
        }
    }

    /// What has arrived of the APPEND that is under way, its messages cut out.
    pub fn append_skeleton(&self) -> &[u8] {
        &self.skeleton
    }

    /// Why the APPEND that is under way can't go on with `prefix`, which announces a literal that is no message: with nothing but a URL may
    /// it be so (RFC 4469).
    pub fn append_refusal(&self, prefix: &[u8], utf8: bool) -> Option<ParseError> {
        refusal(&[&self.skeleton, prefix].concat(), utf8)
    }

    /// The whole skeleton, after `AppendEnd`.
    pub fn take_append(&mut self) -> Vec<u8> {
        self.resume = Resume::Start;
        std::mem::take(&mut self.skeleton)
    }

    /// Gives up the APPEND that is under way. `unread`: what the client still sends of the announced literal
    /// (it and the rest of the command are skipped); `None`: the client waits for "+" and gets an
    /// answer instead, so nothing follows.
    pub fn abandon_append(&mut self, unread: Option<u64>) {
        self.reset();
        if let Some(literal) = unread {
            self.state = State::Skip {
                literal,
                tail: Vec::new(),
            };
        }
    }

    /// Forgets everything, as after STARTTLS or a command that was refused before its literal came.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    fn too_long(&self, end: usize, limits: &Limits) -> bool {
        end.saturating_sub(self.line) > limits.line_length_max_bytes
            || end.saturating_add(self.skeleton.len()) > limits.command_max_bytes
    }

    /// The command ends at `end`.
    fn finish(&mut self, buf: &[u8], end: usize) -> Frame {
        self.line = 0;
        self.scanned = 0;
        if self.resume == Resume::Start {
            return Frame::Command { len: end };
        }
        self.skeleton
            .extend_from_slice(buf.get(..end).unwrap_or_default());
        Frame::AppendEnd { len: end }
    }

    /// If the literal announced before `end` is a message: the frame that says so.
    fn message(&mut self, buf: &[u8], end: usize, literal: Literal, limits: &Limits) -> Option<Frame> {
        let piece = buf.get(..end)?;
        if self.resume == Resume::Start && !is_append(piece) {
            return None;
        }
        let kept = self.skeleton.len();
        self.skeleton.extend_from_slice(piece);
        let Some(resume) = message_literal(&self.skeleton, self.resume) else {
            self.skeleton.truncate(kept);
            return None;
        };
        if literal.size > limits.append_max_bytes {
            return Some(self.refuse_literal(buf, end, literal));
        }
        self.resume = resume;
        self.line = 0;
        self.scanned = 0;
        Some(Frame::AppendLiteral {
            prefix_len: end,
            literal,
        })
    }

    fn tag(&self, buf: &[u8]) -> Option<Tag> {
        let start = if self.skeleton.is_empty() {
            buf
        } else {
            &self.skeleton
        };
        let mut lexer = Lexer::new(start, false);
        lexer
            .tag()
            .ok()
            .filter(|_| lexer.peek() == Some(b' '))
            .map(Tag::new)
    }

    fn refuse_line(&mut self, buf: &[u8], len: usize) -> Frame {
        let tag = self.tag(buf);
        let line = buf.get(..len).unwrap_or_default();
        self.reset();
        if line.ends_with(b"\n") {
            self.after_skipped_line(line);
        } else {
            self.state = State::Skip {
                literal: 0,
                tail: tail_of(&[], line),
            };
        }
        Frame::TooLong { tag, len }
    }

    fn refuse_literal(&mut self, buf: &[u8], end: usize, literal: Literal) -> Frame {
        let tag = self.tag(buf);
        self.reset();
        if !literal.sync {
            self.state = State::Skip {
                literal: literal.size,
                tail: Vec::new(),
            };
        }
        Frame::LiteralTooBig {
            tag,
            size: literal.size,
            sync: literal.sync,
            len: end,
        }
    }

    fn skip(&mut self, buf: &[u8]) -> Frame {
        let State::Skip { literal, tail } = &mut self.state else {
            return Frame::NeedMore;
        };
        if buf.is_empty() {
            return Frame::NeedMore;
        }
        if *literal > 0 {
            let len = usize::try_from(*literal).unwrap_or(usize::MAX).min(buf.len());
            *literal -= len as u64;
            return Frame::Skip { len };
        }
        let Some(newline) = memchr::memchr(b'\n', buf) else {
            *tail = tail_of(tail, buf);
            return Frame::Skip { len: buf.len() };
        };
        let line = tail_of(tail, buf.get(..=newline).unwrap_or_default());
        self.after_skipped_line(&line);
        Frame::Skip { len: newline + 1 }
    }

    /// A line that is skipped may announce a literal; the client waits for none that it was not asked for.
    fn after_skipped_line(&mut self, line: &[u8]) {
        self.state = match literal_at_end(trim_crlf(line)) {
            Some(head) if !head.sync => State::Skip {
                literal: head.size,
                tail: Vec::new(),
            },
            _ => State::Command,
        };
    }
}

fn tail_of(before: &[u8], more: &[u8]) -> Vec<u8> {
    let skip = more.len().saturating_sub(TAIL_MAX_BYTES);
    let more = more.get(skip..).unwrap_or_default();
    let keep = before.len().saturating_sub(TAIL_MAX_BYTES - more.len());
    [before.get(keep..).unwrap_or_default(), more].concat()
}

fn trim_crlf(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Whether this begins an APPEND or REPLACE.
fn is_append(command: &[u8]) -> bool {
    let mut lexer = Lexer::new(command, false);
    if lexer.tag().is_err() || lexer.sp().is_err() {
        return false;
    }
    if lexer.eat_word("UID") && lexer.sp().is_err() {
        return false;
    }
    lexer.eat_word("APPEND") || lexer.eat_word("REPLACE")
}

#[cfg(test)]
mod tests;
