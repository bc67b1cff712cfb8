//! A text that need not be in memory as a whole.

use std::ops::Range;

use bytes::Bytes;

/// Octets that a window shows at least, if the text has them: more than any boundary line needs.
pub const WINDOW_MIN_BYTES: usize = 4096;
/// Octets that [`Windows`] reads at once.
const WINDOW_BYTES: usize = 256 * 1024;
/// Octets before the place asked for that are read along: the parser looks back over a line end.
const BEHIND_BYTES: usize = 64;
/// Octets of one header that are looked at, if the text is not in memory.
pub const HEADER_MAX_BYTES: usize = 1 << 20;

/// Where the parser reads.
pub trait Text {
    /// Octets of the whole.
    fn len(&self) -> usize;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The octets from `at` on: at least [`WINDOW_MIN_BYTES`], or all up to the end. None: the text ends there, or can't be read.
    fn window(&mut self, at: usize) -> &[u8];
}

impl Text for &[u8] {
    fn len(&self) -> usize {
        (**self).len()
    }

    fn window(&mut self, at: usize) -> &[u8] {
        self.get(at..).unwrap_or_default()
    }
}

/// A text of which one window at a time is in memory. `read` gives as many octets as asked for from an offset, which are there.
#[derive(Debug)]
pub struct Windows<R> {
    len: usize,
    read: R,
    start: usize,
    buffer: Bytes,
    failed: bool,
}

impl<R: FnMut(usize, usize) -> Option<Bytes>> Windows<R> {
    pub fn new(len: usize, read: R) -> Self {
        Self {
            len,
            read,
            start: 0,
            buffer: Bytes::new(),
            failed: false,
        }
    }

    /// Whether something could not be read: what was found is not to be believed then.
    pub fn has_failed(&self) -> bool {
        self.failed
    }
}

impl<R: FnMut(usize, usize) -> Option<Bytes>> Text for Windows<R> {
    fn len(&self) -> usize {
        self.len
    }

    fn window(&mut self, at: usize) -> &[u8] {
        if self.failed || at >= self.len {
            return &[];
        }
        let end = self.start + self.buffer.len();
        let enough = (at + WINDOW_MIN_BYTES).min(self.len);
        if at < self.start || end < enough {
            self.start = at.saturating_sub(BEHIND_BYTES);
            let len = (self.len - self.start).min(WINDOW_BYTES);
            // The old window goes before the new one comes.
            self.buffer = Bytes::new();
            self.buffer = (self.read)(self.start, len).unwrap_or_default();
            self.failed = self.buffer.len() < len;
            if self.failed {
                return &[];
            }
        }
        self.buffer.get(at - self.start..).unwrap_or_default()
    }
}

/// What `see` makes of a range, of which no more than [`HEADER_MAX_BYTES`] are gathered if it is not in memory.
pub(super) fn with_range<T: Text, V>(text: &mut T, range: Range<usize>, see: impl FnOnce(&[u8]) -> V) -> V {
    let window = text.window(range.start);
    if let Some(whole) = window.get(..range.len()) {
        return see(whole);
    }
    let mut gathered = Vec::new();
    let len = range.len().min(HEADER_MAX_BYTES);
    while gathered.len() < len {
        let window = text.window(range.start + gathered.len());
        let left = len - gathered.len();
        let piece = window.get(..left).unwrap_or(window);
        if piece.is_empty() {
            break;
        }
        gathered.extend_from_slice(piece);
    }
    see(&gathered)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{Message, Summary};
    use super::*;

    fn windows(text: &[u8]) -> Windows<impl FnMut(usize, usize) -> Option<Bytes>> {
        Windows::new(text.len(), move |at, len| {
            Some(Bytes::copy_from_slice(&text[at..at + len]))
        })
    }

    /// A mail whose parts, headers and boundaries lie across the ends of windows.
    fn long_mail(lead: usize) -> Vec<u8> {
        let mut mail = b"From: a@x\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\npreamble\r\n--b\r\n".to_vec();
        mail.extend(b"Content-Type: text/plain\r\n\r\n");
        mail.extend(std::iter::repeat_n(&b"x\r\n--c\r\n"[..], lead).flatten());
        mail.extend(b"\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nX: ");
        mail.extend(std::iter::repeat_n(b'y', 300_000));
        mail.extend(b"\r\nContent-Type: multipart/alternative; boundary=bb\r\n\r\n--bb\r\n\r\none\r\n--bb--\r\n--b\r\n");
        mail.extend(b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n");
        mail.extend(std::iter::repeat_n(&b"QUJD\r\n"[..], 60_000).flatten());
        mail.extend(b"--b--\r\nepilogue");
        mail
    }

    #[test]
    fn a_text_in_windows_is_understood_as_one_in_memory() {
        // The places of the boundaries move over the end of the first window.
        for lead in (0..5).chain(29_090..29_128) {
            let mail = long_mail(lead);
            let mut shown = windows(&mail);
            assert_eq!(Message::parse_text(&mut shown), Message::parse(&mail), "{lead}");
            assert_eq!(
                Summary::of_text(&mut windows(&mail)),
                Summary::of(&mail),
                "{lead}"
            );
            assert!(!shown.has_failed());
        }
    }

    #[test]
    fn what_can_not_be_read_is_told_and_ends() {
        let mail = long_mail(100);
        let mut broken = Windows::new(mail.len(), |at, len| {
            (at == 0).then(|| Bytes::copy_from_slice(&mail[..len]))
        });
        let _ = Message::parse_text(&mut broken);
        assert!(broken.has_failed());
    }

    #[test]
    fn a_header_without_an_end_is_looked_at_so_far() {
        let mut mail = b"Subject: s\r\n".to_vec();
        mail.extend(std::iter::repeat_n(&b"X: y\r\n"[..], HEADER_MAX_BYTES / 4).flatten());
        let found = Summary::of_text(&mut windows(&mail));
        assert_eq!(found.header_len as usize, mail.len());
        assert!(found.envelope.starts_with(b"(NIL \"s\""));
    }
}
