//! The text of a message as searches see it: decoded, folded by [`casemap`], handed out in pieces of bounded size, so that a large message costs
//! little memory.
//!
//! The head: every field of the message's header, of the headers of its parts and of messages inside, as `NAME: VALUE`, and the names of attachments
//! decoded by RFC 2231 too. The body: every text part, HTML as its source and without tags. Lines of the head and parts end with a line feed.

use std::ops::ControlFlow;

use encoding_rs::{CoderResult, Decoder, DecoderResult, UTF_8, WINDOWS_1252};

use super::decode::{self, Encoding};
use super::header::headers;
use super::{Part, Structure, casemap, charset};
use crate::base64::Tolerant;

/// Bytes of a text that are decoded in one go.
const CHUNK_BYTES: usize = 64 * 1024;
/// A line of a quoted-printable body is cut after this many bytes.
const LINE_MAX_BYTES: usize = 1 << 20;
/// A folded piece is about so long, in bytes.
const PIECE_BYTES: usize = 32 * 1024;
/// Tags are taken out of so many bytes of HTML at a time.
const HTML_BYTES: usize = 256 * 1024;

/// Which text is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Head,
    Body,
    /// Both, in the order of the message.
    All,
}

/// Takes a piece; breaks off when it has enough. Where a piece ends means nothing.
pub type Each<'a> = dyn FnMut(&str) -> ControlFlow<()> + 'a;

/// Hands out the pieces of a message.
pub fn pieces(text: &[u8], structure: &Structure, scope: Scope, each: &mut Each<'_>) -> ControlFlow<()> {
    part(text, &structure.root, scope, each)
}

fn part(text: &[u8], this: &Part, scope: Scope, each: &mut Each<'_>) -> ControlFlow<()> {
    if scope != Scope::Body {
        head(text, this, each)?;
    }
    if scope != Scope::Head && this.is_text() {
        body(text.get(this.body.clone()).unwrap_or_default(), this, each)?;
    }
    for child in &this.children {
        part(text, child, scope, each)?;
    }
    match &this.message {
        Some(message) => part(text, message, scope, each),
        None => ControlFlow::Continue(()),
    }
}

fn head(text: &[u8], this: &Part, each: &mut Each<'_>) -> ControlFlow<()> {
    let mut line = String::new();
    for field in headers(text.get(this.header.clone()).unwrap_or_default()) {
        line.clear();
        casemap::casemap_to(&charset::guess(field.name), &mut line);
        line.push_str(": ");
        line.push_str(&header_value(field.value));
        line.push('\n');
        each(&line)?;
    }
    match this.filename() {
        Some(name) => each(&(casemap::casemap(&name) + "\n")),
        None => ControlFlow::Continue(()),
    }
}

/// A header field's value as searches compare it: unfolded, decoded, folded, tabs as spaces.
pub fn header_value(value: &[u8]) -> String {
    casemap::casemap(&decode::header_text(value)).replace('\t', " ")
}

fn body(bytes: &[u8], this: &Part, each: &mut Each<'_>) -> ControlFlow<()> {
    let mut folder = Folder::default();
    decoded(bytes, this, &mut |text| folder.push(text, each))?;
    folder.push("\n", each)?;
    folder.finish(each)?;
    if this.content.subtype != "html" {
        return ControlFlow::Continue(());
    }
    let (mut folder, mut html) = (Folder::default(), String::new());
    decoded(bytes, this, &mut |text| {
        html.push_str(text);
        if html.len() < HTML_BYTES {
            return ControlFlow::Continue(());
        }
        // Before a tag, if there is one.
        let end = html.rfind('<').filter(|&at| at > 0).unwrap_or(html.len());
        let rest = html.split_off(end);
        let block = std::mem::replace(&mut html, rest);
        folder.push(&decode::html_text(&block), each)
    })?;
    folder.push(&decode::html_text(&html), each)?;
    folder.push("\n", each)?;
    folder.finish(each)
}

/// The text of a text part, in its charset. Nothing if the encoding is unknown.
fn decoded(bytes: &[u8], this: &Part, each: &mut Each<'_>) -> ControlFlow<()> {
    let encoding = Encoding::from_name(&this.encoding);
    let charset = charset::certain(this.content.param("charset")).unwrap_or_else(|| {
        if is_utf8(bytes, encoding) {
            UTF_8
        } else {
            WINDOWS_1252
        }
    });
    let mut decoder = charset.new_decoder_without_bom_handling();
    transferred(bytes, encoding, &mut |bytes, last| {
        convert(&mut decoder, bytes, last, each)
    })
}

fn convert(decoder: &mut Decoder, mut bytes: &[u8], last: bool, each: &mut Each<'_>) -> ControlFlow<()> {
    let room = decoder
        .max_utf8_buffer_length(bytes.len())
        .unwrap_or(4 * CHUNK_BYTES);
    let mut out = String::with_capacity(room);
    loop {
        let (result, read, _) = decoder.decode_to_string(bytes, &mut out, last);
        bytes = bytes.get(read..).unwrap_or_default();
        each(&out)?;
        if result == CoderResult::InputEmpty {
            return ControlFlow::Continue(());
        }
        out.clear();
    }
}

fn is_utf8(bytes: &[u8], encoding: Encoding) -> bool {
    if encoding == Encoding::Identity {
        return std::str::from_utf8(bytes).is_ok();
    }
    let mut decoder = UTF_8.new_decoder_without_bom_handling();
    let mut out = String::with_capacity(4 * CHUNK_BYTES);
    let checked = transferred(bytes, encoding, &mut |mut bytes, last| {
        loop {
            out.clear();
            let (result, read) = decoder.decode_to_string_without_replacement(bytes, &mut out, last);
            bytes = bytes.get(read..).unwrap_or_default();
            match result {
                DecoderResult::InputEmpty => return ControlFlow::Continue(()),
                DecoderResult::OutputFull => out.reserve(CHUNK_BYTES),
                DecoderResult::Malformed(..) => return ControlFlow::Break(()),
            }
        }
    });
    checked.is_continue()
}

/// The bytes that a body stands for, a portion at a time; `true` with the last.
fn transferred(
    bytes: &[u8],
    encoding: Encoding,
    each: &mut dyn FnMut(&[u8], bool) -> ControlFlow<()>,
) -> ControlFlow<()> {
    match encoding {
        Encoding::Unknown => ControlFlow::Continue(()),
        Encoding::Identity => {
            for chunk in bytes.chunks(CHUNK_BYTES) {
                each(chunk, false)?;
            }
            each(&[], true)
        }
        Encoding::Base64 => {
            let (mut decoder, mut out) = (Tolerant::default(), Vec::new());
            for chunk in bytes.chunks(CHUNK_BYTES) {
                out.clear();
                decoder.push(chunk, &mut out);
                each(&out, false)?;
            }
            out.clear();
            decoder.finish(&mut out);
            each(&out, true)
        }
        Encoding::QuotedPrintable => {
            let mut rest = bytes;
            while !rest.is_empty() {
                let (chunk, next) = rest.split_at(lines_end(rest));
                each(&decode::quoted_printable(chunk), false)?;
                rest = next;
            }
            each(&[], true)
        }
    }
}

/// The end of the last line that ends within a chunk; of the first one, if it is longer.
fn lines_end(bytes: &[u8]) -> usize {
    let window = bytes.get(..CHUNK_BYTES).unwrap_or(bytes);
    if window.len() == bytes.len() {
        return bytes.len();
    }
    let end = memchr::memrchr(b'\n', window).or_else(|| {
        let longest = bytes.get(..LINE_MAX_BYTES).unwrap_or(bytes);
        memchr::memchr(b'\n', longest).or(Some(longest.len().saturating_sub(1)))
    });
    end.map_or(bytes.len(), |end| end + 1)
}

/// Folds text that comes in portions: cut only where folding does not look across.
#[derive(Default)]
struct Folder {
    pending: String,
    folded: String,
}

impl Folder {
    fn push(&mut self, text: &str, each: &mut Each<'_>) -> ControlFlow<()> {
        self.pending.push_str(text);
        if self.pending.len() < PIECE_BYTES {
            return ControlFlow::Continue(());
        }
        // ASCII is never composed with what follows; else before a character that nothing can move across.
        let ascii = self.pending.bytes().rposition(|byte| byte.is_ascii());
        let cut = ascii.map(|at| at + 1).or_else(|| {
            let mut starters = self.pending.char_indices().rev();
            let starter = |char| unicode_normalization::char::canonical_combining_class(char) == 0;
            starters.find(|&(_, char)| starter(char)).map(|(at, _)| at)
        });
        let rest = self.pending.split_off(cut.unwrap_or(self.pending.len()));
        self.flush(each)?;
        self.pending.push_str(&rest);
        ControlFlow::Continue(())
    }

    fn finish(&mut self, each: &mut Each<'_>) -> ControlFlow<()> {
        self.flush(each)
    }

    fn flush(&mut self, each: &mut Each<'_>) -> ControlFlow<()> {
        self.folded.clear();
        casemap::casemap_to(&self.pending, &mut self.folded);
        self.pending.clear();
        if self.folded.is_empty() {
            return ControlFlow::Continue(());
        }
        each(&self.folded)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::message::Message;

    fn all(text: &[u8], scope: Scope) -> String {
        let mut out = String::new();
        let end = pieces(text, &Message::parse(text), scope, &mut |piece| {
            out.push_str(piece);
            ControlFlow::Continue(())
        });
        assert!(end.is_continue());
        out
    }

    const MAIL: &[u8] = b"Subject: =?koi8-r?B?8NLJ18XU?=\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\
        Content-Type: text/html; charset=windows-1251\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        <p title=3D\"t\">=CF=F0=E8<b>=E2=E5</b>=F2=\r\n!</p>\r\n--x\r\n\
        Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*0*=utf-8''%D0%9E%D1%82; filename*1*=%D1%87%D1%91%D1%82.pdf\r\n\r\n\
        not text\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner text\r\n--x--\r\n";

    #[test]
    fn heads_and_bodies() {
        let (head, body) = (all(MAIL, Scope::Head), all(MAIL, Scope::Body));
        let name = casemap::casemap("отчёт.pdf");
        assert!(
            head.contains("SUBJECT: ПРИВЕТ\n") && head.contains(&name),
            "{head}"
        );
        assert!(
            head.contains("SUBJECT: INNER\n") && !head.contains("INNER TEXT"),
            "{head}"
        );
        assert_eq!(body, "<P TITLE=\"T\">ПРИ<B>ВЕ</B>Т!</P>\n ПРИВЕТ! \nINNER TEXT\n");
        let both = all(MAIL, Scope::All);
        assert_eq!(both.len(), head.len() + body.len());
    }

    #[test]
    fn large_parts_are_what_small_ones_are() {
        // Characters of several bytes, marks and long lines across every border.
        let line = "Жёлтый e\u{301}\u{323} 日本語が한국 ß ﬁ 😀 ".repeat(40);
        let text = format!("{line}\r\n").repeat(60) + &"語".repeat(30_000);
        let plain = casemap::casemap(&text);
        let shown =
            |header: &str, body: &[u8]| all(&[header.as_bytes(), b"\r\n\r\n", body].concat(), Scope::Body);
        assert_eq!(shown("A: b", text.as_bytes()), plain.clone() + "\n");
        let base64 = crate::base64::encode(text.as_bytes());
        let got = shown("Content-Transfer-Encoding: base64", base64.as_bytes());
        assert_eq!(got, plain.clone() + "\n");
        let mut quoted = String::new();
        for byte in text.bytes() {
            let _ = write!(quoted, "={byte:02X}");
            if quoted.len().is_multiple_of(75) {
                quoted.push_str("=\r\n");
            }
        }
        let got = shown("Content-Transfer-Encoding: quoted-printable", quoted.as_bytes());
        assert_eq!(got, plain.clone() + "\n");
        let (gb, _, _) = encoding_rs::GB18030.encode(&text);
        let got = shown("Content-Type: text/plain; charset=gb18030", &gb);
        assert_eq!(got, plain + "\n");
    }

    #[test]
    fn a_consumer_that_has_enough_gets_no_more() {
        let text = [b"\r\n".as_slice(), &b"words\r\n".repeat(50_000)].concat();
        let mut count = 0;
        let end = pieces(&text, &Message::parse(&text), Scope::All, &mut |_| {
            count += 1;
            ControlFlow::Break(())
        });
        assert!(end.is_break());
        assert_eq!(count, 1);
    }
}
