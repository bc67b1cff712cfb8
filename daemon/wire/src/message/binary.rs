//! Rewrites a message of BODY=BINARYMIME (RFC 3030 §3) while it comes, so that it can be stored, read and relayed like any other.
//!
//! Parts whose Content-Transfer-Encoding is `binary` are encoded as base64 and say so; multiparts and messages that are `binary` for
//! the sake of their parts become `8bit` (RFC 2045 §6.4 allows them no more). Everything else passes unchanged: whoever reads what comes
//! out looks for NUL and bare CR or LF in it as in all message data, and finds them where a part was not labelled.
//!
//! Must not know: how the text is framed on the wire.

use super::encoders::Base64;
use super::header::headers;
use super::mime::word;
use super::rewrite::{Head, Rules, Walk, relabel};

/// Rewrites one message, in pieces of any size.
#[derive(Debug)]
pub struct Reencoder {
    walk: Walk<Binary>,
}

impl Default for Reencoder {
    fn default() -> Self {
        Self {
            walk: Walk::new(Binary::default()),
        }
    }
}

impl Reencoder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece; what is certain is appended to `out`.
    pub fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        self.walk.feed(piece, out);
    }

    /// What is left when all has come.
    pub fn finish(self, out: &mut Vec<u8>) {
        self.walk.finish(out);
    }
}

#[derive(Debug, Default)]
struct Binary {
    /// Of the body that is being encoded.
    lines: Option<Base64>,
}

impl Rules for Binary {
    fn opens(&self, _head: &Head<'_>) -> bool {
        true
    }

    fn begin(&mut self, head: &Head<'_>, opened: bool, out: &mut Vec<u8>) {
        let binary = headers(head.header)
            .filter(|field| field.is("Content-Transfer-Encoding"))
            .any(|field| word(field.value).is_some_and(|word| word.eq_ignore_ascii_case(b"binary")));
        self.lines = (binary && !opened).then(Base64::default);
        let encoding = if opened { "8bit" } else { "base64" };
        if !binary || !relabel(head.header, encoding, out) {
            out.extend_from_slice(head.header);
        }
    }

    fn body(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match &mut self.lines {
            Some(lines) => lines.push(bytes, out),
            None => out.extend_from_slice(bytes),
        }
    }

    fn end_body(&mut self, out: &mut Vec<u8>) {
        if let Some(lines) = &mut self.lines {
            lines.finish(out);
        }
    }

    fn between(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(bytes);
    }

    /// Message data ends with a line end.
    fn end_message(&mut self, out: &mut Vec<u8>) {
        if self.lines.is_some() && !out.ends_with(b"\r\n") {
            out.extend_from_slice(b"\r\n");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::message::header::field;
    use crate::message::rewrite::{BOUNDARY_LINE_BYTES, HEADER_MAX_BYTES};
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
        assert!(reencoder.walk.held_bytes() <= HEADER_MAX_BYTES + 16 * 1024);
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
        assert!(reencoder.walk.held_bytes() <= BOUNDARY_LINE_BYTES);
    }
}
