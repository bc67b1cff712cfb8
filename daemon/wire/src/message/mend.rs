//! Texts from elsewhere as this server keeps them: each line ends with CRLF, and there is no NUL (RFC 5322 §2.3).

/// Mends a text in pieces of any size: a bare CR or LF becomes a line end, a NUL is left out.
#[derive(Debug, Clone, Default)]
pub struct Mender {
    after_cr: bool,
}

impl Mender {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn feed(&mut self, mut input: &[u8], out: &mut Vec<u8>) {
        if self.after_cr && !input.is_empty() {
            // The line end was handed on with its CR.
            self.after_cr = false;
            input = input.strip_prefix(b"\n").unwrap_or(input);
        }
        loop {
            let len = memchr::memchr3(b'\r', b'\n', 0, input).unwrap_or(input.len());
            let (text, rest) = input.split_at(len);
            out.extend_from_slice(text);
            match rest {
                [] => return,
                [0, rest @ ..] => input = rest,
                [b'\r'] => {
                    out.extend_from_slice(b"\r\n");
                    self.after_cr = true;
                    return;
                }
                [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => {
                    out.extend_from_slice(b"\r\n");
                    input = rest;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_they_should_however_the_text_comes_in_pieces() {
        for (input, expected) in [
            (b"" as &[u8], b"" as &[u8]),
            (b"a\r\nb\r\n", b"a\r\nb\r\n"),
            (b"a\nb\n\n", b"a\r\nb\r\n\r\n"),
            (b"a\rb\r\r\n", b"a\r\nb\r\n\r\n"),
            (b"\0a\0\r\0\nb", b"a\r\n\r\nb"),
            (b"a\r", b"a\r\n"),
        ] {
            for size in 1..=input.len().max(1) {
                let (mut mender, mut out) = (Mender::new(), Vec::new());
                for piece in input.chunks(size) {
                    mender.feed(piece, &mut out);
                }
                assert_eq!(out, expected, "{} by {size}", input.escape_ascii());
            }
        }
    }
}
