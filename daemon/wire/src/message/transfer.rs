//! Decoding of a body that comes in pieces (RFC 2045 §6.7, §6.8).

use super::decode::{self, Encoding};
use crate::base64;

/// Octets of a line of quoted-printable that are held back until its end comes. RFC 2045 §6.7 allows 76.
const LINE_MAX_BYTES: usize = 64 * 1024;
/// Octets at the end of such a line within which a place to cut it is looked for.
const CUT_MAX_BYTES: usize = 4096;

/// The octets that a body stands for, piece by piece: all pieces together are what `decode::transfer` gives of the whole.
#[derive(Debug)]
pub struct Transfer {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Identity,
    Base64(base64::Tolerant),
    /// A line whose end has not come.
    QuotedPrintable(Vec<u8>),
}

impl Transfer {
    /// `None` if the encoding is unknown.
    pub fn new(encoding: &[u8]) -> Option<Self> {
        let kind = match Encoding::from_name(encoding) {
            Encoding::Identity => Kind::Identity,
            Encoding::Base64 => Kind::Base64(base64::Tolerant::default()),
            Encoding::QuotedPrintable => Kind::QuotedPrintable(Vec::new()),
            Encoding::Unknown => return None,
        };
        Some(Self { kind })
    }

    /// Decodes the next piece.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        match &mut self.kind {
            Kind::Identity => out.extend_from_slice(piece),
            Kind::Base64(decoder) => decoder.push(piece, out),
            Kind::QuotedPrintable(line) => {
                line.extend_from_slice(piece);
                let done = match memchr::memrchr(b'\n', line) {
                    Some(end) => end + 1,
                    None if line.len() > LINE_MAX_BYTES => {
                        let cut = safe_cut(line);
                        decode::quoted_printable_piece(&line[..cut], out);
                        line.drain(..cut);
                        return;
                    }
                    None => return,
                };
                decode::quoted_printable_to(&line[..done], out);
                line.drain(..done);
            }
        }
    }

    /// What is left when all has come.
    pub fn finish(self, out: &mut Vec<u8>) {
        match self.kind {
            Kind::Identity => {}
            Kind::Base64(decoder) => decoder.finish(out),
            Kind::QuotedPrintable(line) => decode::quoted_printable_to(&line, out),
        }
    }
}

/// Where an endless line can be cut: not within an escape, nor in white space that may turn out to be at its end.
fn safe_cut(line: &[u8]) -> usize {
    let least = line.len().saturating_sub(CUT_MAX_BYTES).max(3);
    let safe = |&at: &usize| {
        let before = line.get(at - 3..at).unwrap_or_default();
        !before.contains(&b'=') && before.last().is_some_and(|byte| !byte.is_ascii_whitespace())
    };
    (least..line.len()).rev().find(safe).unwrap_or(line.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn in_pieces(body: &[u8], encoding: &[u8], len: usize) -> Vec<u8> {
        let mut transfer = Transfer::new(encoding).unwrap();
        let mut out = Vec::new();
        for piece in body.chunks(len) {
            transfer.push(piece, &mut out);
        }
        transfer.finish(&mut out);
        out
    }

    #[test]
    fn pieces_give_what_the_whole_gives() {
        let bodies: [&[u8]; 6] = [
            b"",
            b"QUJD\r\nREVG\r\nR0g=\r\nIg==QQ",
            b"a=20b =\r\nc  \r\n=3D=3d=zz=\r\nend \t",
            b"lone\n=\nlf =4",
            b"\0\x01\xff\r\n.\r\n",
            b"=C3=A9=\r\n=",
        ];
        for encoding in [&b"base64"[..], b"Quoted-Printable", b"8bit"] {
            for body in bodies {
                let whole = decode::transfer(body, encoding).unwrap();
                for len in 1..20 {
                    assert_eq!(in_pieces(body, encoding, len), *whole, "{len} {body:?}");
                }
            }
        }
        assert!(Transfer::new(b"x-uuencode").is_none());
    }

    #[test]
    fn a_line_without_an_end_is_not_held() {
        let body = b"ab=3Dc ".repeat(40_000);
        let whole = decode::transfer(&body, b"quoted-printable").unwrap();
        assert_eq!(in_pieces(&body, b"quoted-printable", 10_000), *whole);
        let blank = b" ".repeat(200_000);
        let mut transfer = Transfer::new(b"quoted-printable").unwrap();
        transfer.push(&blank, &mut Vec::new());
        assert!(matches!(&transfer.kind, Kind::QuotedPrintable(held) if held.len() <= LINE_MAX_BYTES));
    }
}
