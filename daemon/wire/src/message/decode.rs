//! Text for people and for searching: encoded words (RFC 2047), parameters (RFC 2231), bodies.
//!
//! Everything decodes to something; what is broken is shown as it stands.

use std::borrow::Cow;
use std::ops::Range;

use super::header::unfold;
use super::mime::Param;
use super::{Part, charset};
use crate::base64;

/// How a body is encoded (RFC 2045 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// 7bit, 8bit, binary.
    Identity,
    Base64,
    QuotedPrintable,
    /// A name that nobody knows: RFC 2045 §6.4 forbids to guess.
    Unknown,
}

impl Encoding {
    pub fn from_name(name: &[u8]) -> Self {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("base64") {
            Encoding::Base64
        } else if is("quoted-printable") {
            Encoding::QuotedPrintable
        } else if ["7bit", "8bit", "binary", "7-bit", "8-bit", ""]
            .iter()
            .any(|known| is(known))
        {
            Encoding::Identity
        } else {
            Encoding::Unknown
        }
    }
}

/// The bytes that a body stands for: what BINARY fetches (RFC 3516), and what people see. `None` if the
/// encoding is unknown.
pub fn transfer<'a>(body: &'a [u8], encoding: &[u8]) -> Option<Cow<'a, [u8]>> {
    match Encoding::from_name(encoding) {
        Encoding::Identity => Some(Cow::Borrowed(body)),
        Encoding::Base64 => Some(Cow::Owned(base64::decode_tolerant(body))),
        Encoding::QuotedPrintable => Some(Cow::Owned(quoted_printable(body))),
        Encoding::Unknown => None,
    }
}

/// The text of a text/* part, decoded; `None` for any other part or an unknown encoding.
pub fn part_text(text: &[u8], part: &Part) -> Option<String> {
    body_text(text, part, part.body.clone())
}

fn body_text(text: &[u8], part: &Part, body: Range<usize>) -> Option<String> {
    if !part.is_text() {
        return None;
    }
    let bytes = transfer(text.get(body)?, &part.encoding)?;
    Some(charset::decode(part.content.param("charset"), &bytes).into_owned())
}

/// The text of a header field's value: unfolded, encoded words decoded, raw 8-bit guessed.
pub fn header_text(raw: &[u8]) -> String {
    let value = unfold(raw);
    if memchr::memmem::find(&value, b"=?").is_none() {
        return charset::guess(&value).into_owned();
    }
    let mut out = String::with_capacity(value.len());
    let mut rest: &[u8] = &value;
    // Adjacent words in the same charset are joined before they become text: mail exists that cuts a
    // character in two.
    let mut pending: Option<(Vec<u8>, Vec<u8>)> = None;
    while !rest.is_empty() {
        let start = memchr::memmem::find(rest, b"=?").unwrap_or(rest.len());
        let (before, from) = rest.split_at(start);
        let Some(word) = encoded_word(from) else {
            flush(&mut pending, &mut out);
            let skip = (start + 2).min(rest.len());
            out.push_str(&charset::guess(&rest[..skip]));
            rest = &rest[skip..];
            continue;
        };
        // RFC 2047 §6.2: white space between two encoded words is not shown.
        let between_words = pending.is_some() && before.trim_ascii().is_empty();
        if !between_words {
            flush(&mut pending, &mut out);
            out.push_str(&charset::guess(before));
        }
        match &mut pending {
            Some((name, bytes)) if name.eq_ignore_ascii_case(word.charset) => bytes.extend(word.bytes),
            _ => {
                flush(&mut pending, &mut out);
                pending = Some((word.charset.to_vec(), word.bytes));
            }
        }
        rest = &from[word.len..];
    }
    flush(&mut pending, &mut out);
    out
}

/// The value of a parameter, decoded: `name*` with charset and percent-encoding (RFC 2231 §4), or `name`,
/// in which mail programs put encoded words although RFC 2047 §5 forbids it.
pub fn param_text(params: &[Param], name: &str) -> Option<String> {
    let find = |wanted: &str| {
        params
            .iter()
            .find(|(key, _)| key == wanted)
            .map(|(_, value)| value)
    };
    if let Some(value) = find(&format!("{name}*")) {
        let mut parts = value.splitn(3, |&byte| byte == b'\'');
        let (Some(charset), Some(_), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
            return Some(charset::guess(&percent(value)).into_owned());
        };
        return Some(charset::decode(Some(charset), &percent(text)).into_owned());
    }
    find(name).map(|value| header_text(value))
}

/// HTML without tags, comments and the content of style and script; the common entities decoded.
pub fn html_text(html: &str) -> String {
    let mut out = String::with_capacity(html.len() / 2);
    let mut rest = html;
    while let Some(start) = rest.find(['<', '&']) {
        out.push_str(&rest[..start]);
        let from = &rest[start..];
        if from.starts_with('&') {
            let (shown, len) = entity(from);
            out.push_str(shown.encode_utf8(&mut [0; 4]));
            rest = &from[len..];
            continue;
        }
        let closing = if from.starts_with("<!--") {
            "-->"
        } else if starts_with_tag(from, "<style") {
            "</style"
        } else if starts_with_tag(from, "<script") {
            "</script"
        } else {
            ">"
        };
        let end = find_ignoring_case(from, closing).map_or(from.len(), |at| at + closing.len());
        rest = &from[end..];
        if closing.starts_with("</") {
            rest = rest.strip_prefix('>').unwrap_or(rest);
        }
        // Tags of paragraphs separate words, those of letters do not.
        let inline = [
            "<b", "<i", "<u", "<em", "<strong", "<span", "<font", "<a", "</", "<!",
        ];
        if !inline.iter().any(|tag| starts_with_tag(from, tag)) || starts_with_block_end(from) {
            out.push(' ');
        }
    }
    out.push_str(rest);
    out
}

/// Quoted-printable (RFC 2045 §6.7); what is no valid escape stands for itself.
pub fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    quoted_printable_to(body, &mut out);
    out
}

/// The same of whole lines.
pub(super) fn quoted_printable_to(body: &[u8], out: &mut Vec<u8>) {
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        let content = super::header::without_line_end(line);
        let ending = &line[content.len()..];
        // Rule 3: white space at the end of a line was added on the way.
        let content = content.trim_ascii_end();
        let (content, ending) = match content.strip_suffix(b"=") {
            Some(shorter) => (shorter, &b""[..]),
            None => (content, ending),
        };
        quoted_printable_piece(content, out);
        out.extend_from_slice(ending);
    }
}

/// A piece of a line, without its end.
pub(super) fn quoted_printable_piece(content: &[u8], out: &mut Vec<u8>) {
    unescape(content, b'=', |byte| byte, out);
}

struct Word<'a> {
    charset: &'a [u8],
    bytes: Vec<u8>,
    len: usize,
}

/// An encoded word at the start of `text` (RFC 2047 §2), tolerant of spaces and of any length up to a line.
fn encoded_word(text: &[u8]) -> Option<Word<'_>> {
    const WORD_MAX_BYTES: usize = 4096;
    let window = &text[..text.len().min(WORD_MAX_BYTES)];
    let inner = window.strip_prefix(b"=?")?;
    let charset_len = inner.iter().take(60).position(|&byte| byte == b'?')?;
    let (charset, rest) = inner.split_at(charset_len);
    let (kind, rest) = rest.get(1..)?.split_first()?;
    let encoded = rest.strip_prefix(b"?")?;
    let encoded_len = memchr::memmem::find(encoded, b"?=")?;
    let encoded = &encoded[..encoded_len];
    let bytes = match kind.to_ascii_lowercase() {
        b'b' => base64::decode_tolerant(encoded),
        b'q' => {
            let mut out = Vec::with_capacity(encoded.len());
            // RFC 2047 §4.2: an underscore is a space.
            unescape(
                encoded,
                b'=',
                |byte| if byte == b'_' { b' ' } else { byte },
                &mut out,
            );
            out
        }
        _ => return None,
    };
    // RFC 2231 §5: a language may follow the charset.
    let charset = charset.split(|&byte| byte == b'*').next().unwrap_or(charset);
    if charset.is_empty() || charset.contains(&b' ') {
        return None;
    }
    Some(Word {
        charset,
        bytes,
        len: 2 + charset_len + 3 + encoded_len + 2,
    })
}

fn flush(pending: &mut Option<(Vec<u8>, Vec<u8>)>, out: &mut String) {
    if let Some((name, bytes)) = pending.take() {
        let text = charset::decode(Some(&name), &bytes);
        // Line ends in an encoded word would forge header fields wherever the text is shown.
        out.extend(
            text.chars()
                .map(|c| if matches!(c, '\r' | '\n' | '\0') { ' ' } else { c }),
        );
    }
}

fn percent(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    unescape(text, b'%', |byte| byte, &mut out);
    out
}

/// Replaces the mark and two hexadecimal digits by the byte; maps every other byte.
fn unescape(text: &[u8], mark: u8, map: impl Fn(u8) -> u8, out: &mut Vec<u8>) {
    let digit = |byte: Option<&u8>| byte.and_then(|&byte| char::from(byte).to_digit(16));
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if byte == mark
            && let (Some(high), Some(low)) = (digit(text.get(at + 1)), digit(text.get(at + 2)))
        {
            out.push((high * 16 + low) as u8);
            at += 3;
        } else {
            out.push(map(byte));
            at += 1;
        }
    }
}

fn starts_with_tag(text: &str, tag: &str) -> bool {
    let Some(head) = text.get(..tag.len()) else {
        return false;
    };
    let next = text[tag.len()..].chars().next();
    head.eq_ignore_ascii_case(tag)
        && (tag == "</" || tag == "<!" || next.is_none_or(|c| !c.is_ascii_alphanumeric()))
}

fn starts_with_block_end(text: &str) -> bool {
    [
        "</p", "</div", "</td", "</th", "</tr", "</li", "</h1", "</h2", "</h3", "</table", "</title",
    ]
    .iter()
    .any(|tag| starts_with_tag(text, tag))
}

fn find_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    let wanted = wanted.as_bytes();
    let first = *wanted.first()?;
    let bytes = text.as_bytes();
    memchr::memchr_iter(first, bytes).find(|&at| {
        bytes
            .get(at..at + wanted.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(wanted))
    })
}

/// The character of an entity at the start of `text`, and how many bytes it took.
fn entity(text: &str) -> (char, usize) {
    let end = text.bytes().take(12).position(|byte| byte == b';');
    let Some(name) = end.and_then(|end| text.get(1..end)) else {
        return ('&', 1);
    };
    let found = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => match name.strip_prefix('#') {
            Some(number) => match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => number.parse().ok(),
            }
            .and_then(char::from_u32),
            None => None,
        },
    };
    found.map_or(('&', 1), |c| (c, name.len() + 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    #[test]
    fn header_texts() {
        let cases: &[(&[u8], &str)] = &[
            (b" plain\r\n text ", "plain text"),
            (b"=?ISO-8859-1?Q?a?= b", "a b"),
            (b"=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=", "ab"),
            (b"=?ISO-8859-1?Q?a?=\r\n  =?utf-8?B?YsOp?=!", "ab\u{e9}!"),
            (b"=?ISO-8859-1?Q?a_b=20c?=", "a b c"),
            (
                b"=?koi8-r?B?8NLJ18XU?=",
                "\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442}",
            ),
            (b"=?windows-1251?Q?=CF=F0=E8?=", "\u{41f}\u{440}\u{438}"),
            (b"=?utf-8?b?0J8=?= =?UTF-8?b?0YA=?=", "\u{41f}\u{440}"),
            // One character cut in two.
            (b"=?utf-8?b?0A==?= =?utf-8?b?nw==?=", "\u{41f}"),
            (b"=?utf-8*en?q?x?=", "x"),
            (b"=?utf-8?q?no end", "=?utf-8?q?no end"),
            (b"=?utf-8?x?a?= =?", "=?utf-8?x?a?= =?"),
            (b"a=?utf-8?q?b?=c", "abc"),
            (b"\xd0\x9f \xff", "\u{d0}\u{178} \u{ff}"),
            (b"\xd0\x9f", "\u{41f}"),
            (b"=?utf-8?q?a=0D=0Ab?=", "a  b"),
            (b"", ""),
        ];
        for (raw, expected) in cases {
            assert_eq!(header_text(raw), *expected, "{}", String::from_utf8_lossy(raw));
        }
    }

    #[test]
    fn quoted_printable_bodies() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"a=3Db=\r\nc  \r\n=zz=", b"a=bc\r\n=zz"),
            (b"=C3=a9\n", b"\xc3\xa9\n"),
            (b"= \r\nx", b"x"),
        ];
        for (body, expected) in cases {
            assert_eq!(quoted_printable(body), *expected);
        }
    }

    #[test]
    fn params() {
        let text = b"Content-Type: a/b; name*=koi8-r'ru'%F0%F2; x==?utf-8?q?y?=; z*=%41\r\n\r\n";
        let part = Message::parse(text).root;
        assert_eq!(part.filename().as_deref(), Some("\u{41f}\u{420}"));
        assert_eq!(param_text(&part.content.params, "x").as_deref(), Some("y"));
        assert_eq!(param_text(&part.content.params, "z").as_deref(), Some("A"));
    }

    #[test]
    fn html_without_tags() {
        assert_eq!(
            html_text("<p>a<b>b</b>&amp;&#65;</p><style>.s{}</style>c"),
            " ab&A  c"
        );
    }
}
