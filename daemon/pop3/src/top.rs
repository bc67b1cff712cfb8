//! TOP (RFC 1939 §7): the header, the blank line and so many lines of the body.

use net::ConnError;

use crate::send::{self, Part};
use crate::session::Session;

pub(crate) async fn top(session: &mut Session, number: u32, lines: u64) -> Result<(), ConnError> {
    send::send(session, number, Part::Top(Top::new(lines))).await
}

/// Finds where TOP's part of a text ends, in pieces of any size.
#[derive(Clone, Debug)]
pub(crate) struct Top {
    lines: u64,
    in_header: bool,
    /// The line so far holds nothing but perhaps a CR.
    blank: bool,
    done: bool,
}

impl Top {
    pub(crate) fn new(lines: u64) -> Self {
        Self {
            lines,
            in_header: true,
            blank: true,
            done: false,
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// The part of a piece that belongs to it.
    pub(crate) fn take<'a>(&mut self, piece: &'a [u8]) -> &'a [u8] {
        let mut at = 0;
        while !self.done && at < piece.len() {
            let rest = piece.get(at..).unwrap_or_default();
            let end = memchr::memchr(b'\n', rest);
            let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            self.blank &= matches!(line, b"" | b"\r");
            at += end.map_or(rest.len(), |end| end + 1);
            if end.is_none() {
                break;
            }
            if self.in_header {
                self.in_header = !self.blank;
                self.done = self.blank && self.lines == 0;
            } else {
                self.lines -= 1;
                self.done = self.lines == 0;
            }
            self.blank = true;
        }
        piece.get(..at).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_the_same_in_pieces_of_any_size() {
        let text = b"A: 1\r\nB: 2\r\n\r\none\r\n\r\ntwo";
        for (lines, expected) in [
            (0, &b"A: 1\r\nB: 2\r\n\r\n"[..]),
            (1, b"A: 1\r\nB: 2\r\n\r\none\r\n"),
            (2, b"A: 1\r\nB: 2\r\n\r\none\r\n\r\n"),
            (3, text),
            (u64::MAX, text),
        ] {
            for size in 1..text.len() {
                let mut top = Top::new(lines);
                let out: Vec<u8> = text
                    .chunks(size)
                    .flat_map(|piece| top.take(piece).to_vec())
                    .collect();
                assert_eq!(out, expected, "{lines} lines in pieces of {size}");
            }
        }
    }
}
