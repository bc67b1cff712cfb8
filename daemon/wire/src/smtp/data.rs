//! Message data after DATA (RFC 5321 §4.5.2): dots off and on.
//!
//! The end is CRLF "." CRLF and nothing else. A bare CR, a bare LF or a NUL makes the message refusable and
//! is never read as a line end (RFC 5321 §2.3.8): what looks like an end to another server is no end here,
//! and is not handed on.

use bytes::BufMut;

/// What must not stand in message data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("bare CR in message data")]
    BareCr,
    #[error("bare LF in message data")]
    BareLf,
    #[error("NUL in message data")]
    Nul,
}

/// What became of a piece of input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fed {
    /// Bytes of the input that belong to the message; all of it before the end was seen.
    pub consumed: usize,
    /// The end was seen.
    pub ended: bool,
}

/// Takes the dots off, in pieces of any size.
#[derive(Debug, Clone)]
pub struct Unstuffer {
    state: State,
    fault: Option<Fault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// After CRLF, or at the very beginning.
    LineStart,
    Text,
    Cr,
    /// After the dot at the start of a line, which is not handed on.
    Dot,
    DotCr,
    Ended,
}

impl Default for Unstuffer {
    fn default() -> Self {
        Unstuffer {
            state: State::LineStart,
            fault: None,
        }
    }
}

impl Unstuffer {
    pub fn new() -> Self {
        Self::default()
    }

    /// The first fault seen. It stays; nothing is appended after it, but the true end is still looked for.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Reads input up to the end of the data, and appends the content to `out`.
    pub fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) -> Fed {
        let mut at = 0;
        // From here on input is content and not yet handed on.
        let mut from = 0;
        while let Some(&byte) = input.get(at) {
            match (self.state, byte) {
                (State::Text, _) => match memchr::memchr3(b'\r', b'\n', 0, &input[at..]) {
                    None => at = input.len(),
                    Some(len) => {
                        at += len + 1;
                        match input.get(at - 1) {
                            Some(b'\r') => self.state = State::Cr,
                            Some(b'\n') => self.fail(Fault::BareLf),
                            _ => self.fail(Fault::Nul),
                        }
                    }
                },
                (State::Cr, b'\n') => {
                    self.state = State::LineStart;
                    at += 1;
                }
                (State::LineStart, b'.') => {
                    self.hand_on(&input[from..at], out);
                    at += 1;
                    from = at;
                    self.state = State::Dot;
                }
                (State::Dot, b'\r') => {
                    at += 1;
                    from = at;
                    self.state = State::DotCr;
                }
                (State::DotCr, b'\n') => {
                    self.state = State::Ended;
                    return Fed {
                        consumed: at + 1,
                        ended: true,
                    };
                }
                (State::Cr | State::DotCr, _) => {
                    self.fail(Fault::BareCr);
                    self.state = State::Text;
                }
                (State::LineStart | State::Dot, _) => self.state = State::Text,
                (State::Ended, _) => {
                    return Fed {
                        consumed: 0,
                        ended: true,
                    };
                }
            }
        }
        self.hand_on(&input[from..at], out);
        Fed {
            consumed: at,
            ended: false,
        }
    }

    fn fail(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    fn hand_on(&self, content: &[u8], out: &mut Vec<u8>) {
        if self.fault.is_none() {
            out.extend_from_slice(content);
        }
    }
}

/// Looks for faults in content that comes without dots: BDAT (RFC 3030), APPEND. In pieces of any size.
#[derive(Debug, Clone, Default)]
pub struct Checker {
    after_cr: bool,
    fault: Option<Fault>,
}

impl Checker {
    pub fn new() -> Self {
        Self::default()
    }

    /// The first fault so far.
    pub fn feed(&mut self, text: &[u8]) -> Option<Fault> {
        let mut rest = text;
        while self.fault.is_none() {
            if self.after_cr
                && let Some((&first, after)) = rest.split_first()
            {
                self.after_cr = false;
                if first != b'\n' {
                    self.fault = Some(Fault::BareCr);
                }
                rest = after;
                continue;
            }
            let Some(len) = memchr::memchr3(b'\r', b'\n', 0, rest) else {
                break;
            };
            match rest.get(len) {
                Some(b'\r') => self.after_cr = true,
                Some(b'\n') => self.fault = Some(Fault::BareLf),
                _ => self.fault = Some(Fault::Nul),
            }
            rest = rest.get(len + 1..).unwrap_or_default();
        }
        self.fault
    }

    /// The first fault of the whole: a CR may have been the last byte.
    pub fn finish(self) -> Option<Fault> {
        self.fault.or(self.after_cr.then_some(Fault::BareCr))
    }
}

/// Puts the dots on, in pieces of any size. Bare CR and bare LF, which may be in a stored message but never
/// on the wire, become CRLF.
#[derive(Debug, Clone)]
pub struct Stuffer {
    at_line_start: bool,
    after_cr: bool,
}

impl Default for Stuffer {
    fn default() -> Self {
        Stuffer {
            at_line_start: true,
            after_cr: false,
        }
    }
}

impl Stuffer {
    pub fn new() -> Self {
        Self::default()
    }

    /// Lines that need no change are handed on many at once.
    pub fn feed(&mut self, text: &[u8], out: &mut impl BufMut) {
        let mut at = 0;
        if self.after_cr && !text.is_empty() {
            out.put_slice(b"\r\n");
            (self.after_cr, self.at_line_start) = (false, true);
            at = usize::from(text.starts_with(b"\n"));
        }
        // From here on text is not yet handed on.
        let mut from = at;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            if self.at_line_start && rest.starts_with(b".") {
                hand_on(text, from, at, out);
                out.put_u8(b'.');
                from = at;
            }
            self.at_line_start = false;
            let Some(len) = memchr::memchr2(b'\r', b'\n', rest) else {
                break;
            };
            self.at_line_start = true;
            let end = at + len;
            match rest.get(len..) {
                Some([b'\r', b'\n', ..]) => {
                    at = end + 2;
                    continue;
                }
                Some([b'\r']) => self.after_cr = true,
                _ => {}
            }
            hand_on(text, from, end, out);
            if !self.after_cr {
                out.put_slice(b"\r\n");
            }
            at = end + 1;
            from = at;
        }
        hand_on(text, from, text.len(), out);
    }

    /// Ends the last line if need be, and the data.
    pub fn finish(self, out: &mut impl BufMut) {
        if self.after_cr || !self.at_line_start {
            out.put_slice(b"\r\n");
        }
        out.put_slice(b".\r\n");
    }
}

fn hand_on(text: &[u8], from: usize, to: usize, out: &mut impl BufMut) {
    out.put_slice(text.get(from..to).unwrap_or_default());
}

/// Appends a whole text as message data with its end.
pub fn stuff(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len() + text.len() / 64 + 16);
    let mut stuffer = Stuffer::new();
    stuffer.feed(text, out);
    stuffer.finish(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All at once, and in pieces of one byte: the same.
    fn read(input: &[u8]) -> (Vec<u8>, Option<Fault>, Option<usize>) {
        let (mut whole, mut out) = (Unstuffer::new(), Vec::new());
        let fed = whole.feed(input, &mut out);
        let (mut small, mut out_small, mut consumed, mut ended) = (Unstuffer::new(), Vec::new(), 0, false);
        for byte in input.chunks(1) {
            let fed = small.feed(byte, &mut out_small);
            consumed += fed.consumed;
            ended = fed.ended;
            if ended {
                break;
            }
        }
        assert_eq!(
            (fed.consumed, fed.ended, whole.fault()),
            (consumed, ended, small.fault())
        );
        if whole.fault().is_none() {
            assert_eq!(out, out_small);
        }
        (out, whole.fault(), fed.ended.then_some(fed.consumed))
    }

    #[test]
    fn data_and_its_end() {
        let cases: &[(&[u8], &[u8], Option<usize>)] = &[
            (b".\r\n", b"", Some(3)),
            (b"a\r\n.\r\nQUIT\r\n", b"a\r\n", Some(6)),
            (b"..\r\n...a\r\n.b\r\n.\r\n", b".\r\n..a\r\nb\r\n", Some(17)),
            (b"a.\r\nb", b"a.\r\nb", None),
            (b"\r\n\r\n.\r\n", b"\r\n\r\n", Some(7)),
        ];
        for (input, content, end) in cases {
            assert_eq!(
                read(input),
                (content.to_vec(), None, *end),
                "{}",
                input.escape_ascii()
            );
        }
    }

    /// A user's mail server would hand on forged mail if one of these ended the data, or vanished from it.
    #[test]
    fn smuggling_is_refused_and_never_reinterpreted() {
        let ends: &[&[u8]] = &[
            b"\n.\n",
            b"\n.\r\n",
            b"\r.\r",
            b"\r\n.\n",
            b"\r\n.\r",
            b"\r.\r\n",
            b"\r.\n",
            b"\n.\r",
            b"\r\n\0.\r\n",
            b"\r\n.\0\r\n",
            b"\0\r\n.\n",
            b"\r\r\n.\r\r\n",
            b"\n\r\n.\n\r\n",
            b"\r\n.\r\r\n",
            b"\n\n.\r\n",
            b"\r\n.\n\n",
            b"\r\n..\n",
            b"\n..\r\n",
            b"\r\n.\r\0\n",
        ];
        for end in ends {
            let forged = [
                b"a",
                *end,
                b"MAIL FROM:<forged@x>\r\nDATA\r\nforged\r\n.\r\nRSET\r\n",
            ]
            .concat();
            let (content, fault, found) = read(&forged);
            assert!(fault.is_some(), "{}", end.escape_ascii());
            assert_eq!(found, Some(forged.len() - 6), "{}", end.escape_ascii());
            assert!(!content.windows(6).any(|part| part == b"forged"));
        }
    }

    #[test]
    fn content_without_dots_is_checked() {
        let cases: &[(&[u8], Option<Fault>)] = &[
            (b"", None),
            (b"a\r\n.\r\n\r\nb", None),
            (b"a\nb", Some(Fault::BareLf)),
            (b"a\rb\n", Some(Fault::BareCr)),
            (b"a\r\r\n", Some(Fault::BareCr)),
            (b"a\r", Some(Fault::BareCr)),
            (b"a\0\n", Some(Fault::Nul)),
        ];
        for (text, fault) in cases {
            let (mut whole, mut pieces) = (Checker::new(), Checker::new());
            whole.feed(text);
            for piece in text.chunks(1) {
                pieces.feed(piece);
            }
            assert_eq!(
                (whole.finish(), pieces.finish()),
                (*fault, *fault),
                "{}",
                text.escape_ascii()
            );
        }
    }

    #[test]
    fn sending() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"", b".\r\n"),
            (b"a", b"a\r\n.\r\n"),
            (b".\r\n..a\r\nb.\r\n", b"..\r\n...a\r\nb.\r\n.\r\n"),
            (b"a\n.\nb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r.\rb\r", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r\r\n", b"a\r\n\r\n.\r\n"),
        ];
        for (text, sent) in cases {
            let mut out = Vec::new();
            stuff(text, &mut out);
            assert_eq!(out, *sent, "{}", text.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn what_is_sent_is_read_back(lines in proptest::collection::vec("[.a]{0,4}", 0..8), cut in 0_usize..40) {
            let text: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\r\n").into_bytes()).collect();
            let mut pieces = Vec::new();
            let mut stuffer = Stuffer::new();
            let (one, two) = text.split_at(cut.min(text.len()));
            stuffer.feed(one, &mut pieces);
            stuffer.feed(two, &mut pieces);
            stuffer.finish(&mut pieces);
            let mut out = Vec::new();
            stuff(&text, &mut out);
            prop_assert_eq!(&out, &pieces);
            let end = out.len();
            prop_assert_eq!(read(&out), (text, None, Some(end)));
        }

        #[test]
        fn any_input_is_read_the_same_in_pieces(input in "[.\r\na\0]{0,40}") {
            read(input.as_bytes());
        }
    }
}
