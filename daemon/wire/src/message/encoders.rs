//! Bodies in quoted-printable and base64, written piece by piece (RFC 2045 §6.7, §6.8).
//!
//! No line of either begins with a dash: nothing that is encoded here can be taken for a boundary, whatever it held.

use crate::base64;

/// Octets of one line of base64: 76 characters (RFC 2045 §6.8).
const BASE64_LINE_BYTES: usize = 57;
/// Characters of one line of quoted-printable, without the `=` of a soft line end (RFC 2045 §6.7 rule 5).
const QUOTED_LINE_CHARS: usize = 75;

/// Lines of base64. A line end goes before each line but the first: the last one's belongs to the boundary.
#[derive(Debug, Default)]
pub(super) struct Base64 {
    rest: Vec<u8>,
    begun: bool,
}

impl Base64 {
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.rest.extend_from_slice(bytes);
        let whole = self.rest.len() - self.rest.len() % BASE64_LINE_BYTES;
        let rest = self.rest.split_off(whole);
        let lines = std::mem::replace(&mut self.rest, rest);
        for line in lines.chunks(BASE64_LINE_BYTES) {
            self.line(line, out);
        }
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
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

/// Quoted-printable: line ends stay line ends, every other octet can be read back as it was.
#[derive(Debug, Default)]
pub(super) struct Quoted {
    column: usize,
    /// White space or a CR, of which it is not known whether a line ends after it.
    held: Option<u8>,
}

impl Quoted {
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            match self.held.take() {
                Some(b'\r') if byte == b'\n' => {
                    out.extend_from_slice(b"\r\n");
                    self.column = 0;
                    continue;
                }
                Some(b'\r') => self.escaped(b'\r', out),
                // Rule 3: white space at the end of a line would get lost.
                Some(blank) if byte == b'\r' => self.escaped(blank, out),
                Some(blank) => self.plain(blank, out),
                None => {}
            }
            match byte {
                b' ' | b'\t' | b'\r' => self.held = Some(byte),
                b'=' => self.escaped(byte, out),
                b'!'..=b'~' => self.plain(byte, out),
                _ => self.escaped(byte, out),
            }
        }
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if let Some(held) = self.held.take() {
            self.escaped(held, out);
        }
    }

    /// How many of the octets take three characters.
    pub(super) fn escapes(bytes: &[u8]) -> usize {
        let plain = |byte: &u8| {
            matches!(byte, b' ' | b'\t' | b'\r' | b'\n') || (*byte != b'=' && byte.is_ascii_graphic())
        };
        bytes.iter().filter(|byte| !plain(byte)).count()
    }

    fn plain(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.room(1, out);
        if self.column == 0 && byte == b'-' {
            self.escaped(byte, out);
        } else {
            out.push(byte);
            self.column += 1;
        }
    }

    fn escaped(&mut self, byte: u8, out: &mut Vec<u8>) {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        self.room(3, out);
        let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or_default();
        out.extend_from_slice(&[b'=', digit(byte >> 4), digit(byte & 15)]);
        self.column += 3;
    }

    fn room(&mut self, chars: usize, out: &mut Vec<u8>) {
        if self.column + chars > QUOTED_LINE_CHARS {
            out.extend_from_slice(b"=\r\n");
            self.column = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::decode;

    fn quoted(body: &[u8], len: usize) -> Vec<u8> {
        let mut quoted = Quoted::default();
        let mut out = Vec::new();
        for piece in body.chunks(len) {
            quoted.push(piece, &mut out);
        }
        quoted.finish(&mut out);
        out
    }

    #[test]
    fn lines_of_quoted_printable() {
        let long = format!("{}\r\n--b\r\n", "x".repeat(80));
        let wrapped = format!("{}=\r\nxxxxx\r\n=2D-b\r\n", "x".repeat(75));
        let cases: &[(&[u8], &[u8])] = &[
            (b"", b""),
            (b"a=b \xff", b"a=3Db =FF"),
            (b"end \r\nof\t\r\nlines ", b"end=20\r\nof=09\r\nlines=20"),
            (b"\r\r\n\n \r", b"=0D\r\n=0A=20=0D"),
            (b"-- \r\nAnn", b"=2D-=20\r\nAnn"),
            (long.as_bytes(), wrapped.as_bytes()),
        ];
        for (body, expected) in cases {
            assert_eq!(
                quoted(body, 3).escape_ascii().to_string(),
                expected.escape_ascii().to_string()
            );
        }
    }

    proptest! {
        /// A text would arrive damaged.
        #[test]
        fn what_is_quoted_is_read_back(
            body in proptest::collection::vec(prop_oneof![any::<u8>(), proptest::sample::select(b" \t\r\n=-.x".to_vec())], 0..400),
            len in 1usize..50,
        ) {
            let out = quoted(&body, len);
            prop_assert_eq!(decode::quoted_printable(&out), body);
            for line in out.split(|byte| *byte == b'\n') {
                prop_assert!(line.is_ascii() && line.len() <= 77 && !line.starts_with(b"-"));
                prop_assert!(!line.ends_with(b" ") && !line.ends_with(b" \r"));
            }
        }
    }
}
