//! Header fields in ASCII, for hosts that take nothing else.
//!
//! A field that [`downgrade::without_loss`] can say in ASCII is said so. For the others a reader gets what can be kept: words of a text or of
//! a name become encoded words, of `unknown-8bit` (RFC 1428 §3) if they are no UTF-8; in fields whose grammar has no such words (Received,
//! References …) and in lines that are no fields each octet becomes `?`. Addresses and boundaries stay: half of them leads nowhere.
//!
//! Must not know: bodies.

use std::fmt::Write;

use crate::message::downgrade::{self, ADDRESS_FIELDS, LINE_MAX_BYTES, STRUCTURED_FIELDS};
use crate::message::header::{Field, headers};
use crate::message::mime::ContentType;

/// Octets in one encoded word of `unknown-8bit`: 75 characters with what is around them (RFC 2047 §2).
const WORD_MAX_BYTES: usize = 18;

/// The header with its fields in ASCII, where that can be.
pub(super) fn ascii_fields(header: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(header.len());
    let mut at = 0;
    for field in headers(header) {
        let line = header.get(field.range.clone()).unwrap_or_default();
        if line.is_ascii() {
            continue;
        }
        if let Some(put) = ascii_field(&field, line) {
            out.extend_from_slice(header.get(at..field.range.start).unwrap_or_default());
            out.extend_from_slice(&put);
            at = field.range.end;
        }
    }
    out.extend_from_slice(header.get(at..).unwrap_or_default());
    out
}

/// `line`: the field with its line end. `None`: it stays as it is.
fn ascii_field(field: &Field<'_>, line: &[u8]) -> Option<Vec<u8>> {
    if let Some(put) = downgrade::without_loss(field) {
        return Some(put.into_bytes());
    }
    let is = |known: &&str| field.is(known);
    if field.name.is_empty() || STRUCTURED_FIELDS.iter().any(is) || field.is("content-disposition") {
        return Some(question_marks(line));
    }
    if field.is("content-type") {
        let after = ContentType::parse(&question_marks(field.value));
        let same = downgrade::is_same(ContentType::parse(field.value), after);
        return same.then(|| question_marks(line));
    }
    if field.is("return-path") {
        return None;
    }
    let is_list = ADDRESS_FIELDS.iter().any(is);
    let value = words(field.value, is_list)?;
    let mut put = [field.name, b":"].concat();
    put.extend_from_slice(&value);
    put.extend_from_slice(b"\r\n");
    let fits = |put: &[u8]| {
        put.split(|byte| *byte == b'\n')
            .all(|line| line.len() <= LINE_MAX_BYTES)
    };
    Some(if fits(&put) { put } else { question_marks(line) })
}

fn question_marks(line: &[u8]) -> Vec<u8> {
    let ascii = |byte: &u8| if byte.is_ascii() { *byte } else { b'?' };
    line.iter().map(ascii).collect()
}

/// A value with encoded words where it is not ASCII. `is_list`: it is a list of addresses, in which only names, comments and lone words may
/// be encoded (RFC 2047 §5); `None` if an address would have to be.
fn words(value: &[u8], is_list: bool) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(value.len());
    let (mut rest, mut in_angle) = (value, false);
    while let Some(&byte) = rest.first() {
        let len = if is_list && byte == b'"' {
            quoted_len(rest)
        } else {
            run_len(rest, is_list)
        };
        let (run, after) = rest.split_at_checked(len.max(1))?;
        rest = after;
        if run.is_ascii() {
            match byte {
                b'<' => in_angle = true,
                b'>' => in_angle = false,
                _ => {}
            }
            out.extend_from_slice(run);
            continue;
        }
        let joins = |byte: Option<&u8>| matches!(byte, Some(b'@' | b'.'));
        if is_list && (in_angle || joins(out.last()) || joins(rest.first())) {
            return None;
        }
        let text = match run.strip_prefix(b"\"") {
            Some(quoted) if is_list => quoted.strip_suffix(b"\"").unwrap_or(quoted),
            _ => run,
        };
        // Not glued to what came before it: it would be no encoded word.
        if !matches!(out.last(), Some(b' ' | b'\t' | b'(')) {
            out.extend_from_slice(b" ");
        }
        encode(text, &mut out);
        // RFC 2047 §5: nor to what follows; and no line is made of white space alone.
        let next = rest.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
        match (rest.first(), next) {
            (Some(b' ' | b'\t'), Some(next)) if !matches!(next, b'\r' | b'\n') => {
                out.extend_from_slice(b"\r\n");
            }
            (None | Some(b' ' | b'\t' | b'\r' | b'\n' | b')'), _) => {}
            _ => out.push(b' '),
        }
    }
    Some(out)
}

/// Words that are not ASCII, with the white space between them; or one that is; or what stands between words.
fn run_len(rest: &[u8], is_list: bool) -> usize {
    let between = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n') || (is_list && is_special(byte));
    let is_word = |byte: &u8| !between(*byte);
    let word_len = |bytes: &[u8]| {
        bytes
            .iter()
            .position(|byte| !is_word(byte))
            .unwrap_or(bytes.len())
    };
    let mut len = word_len(rest);
    if rest.get(..len).is_none_or(<[u8]>::is_ascii) {
        return len;
    }
    loop {
        let after = rest.get(len..).unwrap_or_default();
        let gap = after.len() - after.trim_ascii_start().len();
        let next = after.get(gap..).unwrap_or_default();
        let more = word_len(next);
        if gap == 0 || next.get(..more).is_none_or(<[u8]>::is_ascii) {
            return len;
        }
        len += gap + more;
    }
}

/// RFC 5322 §3.2.3
fn is_special(byte: u8) -> bool {
    b"()<>[]:;@\\,.\"".contains(&byte)
}

/// A quoted string with its quotes; one without an end reaches to the end.
fn quoted_len(rest: &[u8]) -> usize {
    let mut escaped = false;
    let end = rest.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map_or(rest.len(), |end| end + 2)
}

/// Encoded words, folded between them (RFC 2047 §2).
fn encode(text: &[u8], out: &mut Vec<u8>) {
    let text: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    if let Ok(text) = std::str::from_utf8(&text) {
        out.extend_from_slice(downgrade::encoded_words(text, "\r\n").as_bytes());
        return;
    }
    let mut put = String::new();
    for piece in text.chunks(WORD_MAX_BYTES) {
        put.push_str(if put.is_empty() {
            "=?unknown-8bit?Q?"
        } else {
            "\r\n =?unknown-8bit?Q?"
        });
        for byte in piece {
            if byte.is_ascii_alphanumeric() {
                put.push(char::from(*byte));
            } else {
                // Writing to a text in memory can't fail.
                let _ = write!(put, "={byte:02X}");
            }
        }
        put.push_str("?=");
    }
    out.extend_from_slice(put.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A letter of an old program, or one that passed such a server, would come back to its sender.
    #[test]
    fn every_field_but_an_address_is_said_in_ascii() {
        let cases: [(&[u8], &str); 19] = [
            (
                b"Subject: Re: \xf0\xf2 \xe9",
                "Subject: Re: =?unknown-8bit?Q?=F0=F2=20=E9?=",
            ),
            (
                b"Subject: =?koi8-r?Q?=F0?= x \xe9 y",
                "Subject: =?koi8-r?Q?=F0?= x =?unknown-8bit?Q?=E9?=\r\n y",
            ),
            (b"X-A:\xe9", "X-A: =?unknown-8bit?Q?=E9?="),
            (
                b"From: \xf0\xf2 <a@b.test>",
                "From: =?unknown-8bit?Q?=F0=F2?=\r\n <a@b.test>",
            ),
            (
                b"From: \"\xf0, \xf2\" <a@b.test>",
                "From: =?unknown-8bit?Q?=F0=2C=20=F2?=\r\n <a@b.test>",
            ),
            (
                b"From: a@b.test (\xf0)",
                "From: a@b.test (=?unknown-8bit?Q?=F0?=)",
            ),
            (b"To: \xd0\x98", "To: =?UTF-8?B?0Jg=?="),
            (b"To: \xd0\x98 \xd0\x9f", "To: =?UTF-8?B?0Jgg0J8=?="),
            (
                b"Cc: Bob, J\xc3\xb6rg <j@x>",
                "Cc: Bob, =?UTF-8?B?SsO2cmc=?=\r\n <j@x>",
            ),
            (b"Received: from \xc3\xa9 by x", "Received: from ?? by x"),
            (b"References: <\xe9@x>", "References: <?@x>"),
            (b"no field \xe9", "no field ?"),
            (b"\xe9: x", "?: x"),
            (
                b"Content-Type: text/plain; name=\"\xf0\"",
                "Content-Type: text/plain;\r\n name*=unknown-8bit''%F0",
            ),
            (
                b"Content-Disposition: attachment; filename=\"\xf0\"",
                "Content-Disposition: attachment;\r\n filename*=unknown-8bit''%F0",
            ),
            (b"Content-Type: \xe9", "Content-Type: ?"),
            (b"From: \xf0<a@b.test>", "From: =?unknown-8bit?Q?=F0?= <a@b.test>"),
            (b"Subject: \xf0 \r\n x", "Subject: =?unknown-8bit?Q?=F0?= \r\n x"),
            (b"X: y", "X: y"),
        ];
        for (field, expected) in cases {
            let header = [field, b"\r\nY: z\r\n\r\n"].concat();
            let shown = ascii_fields(&header);
            assert_eq!(
                String::from_utf8_lossy(&shown),
                format!("{expected}\r\nY: z\r\n\r\n"),
                "{}",
                field.escape_ascii()
            );
        }
    }

    /// Half of an address would be somebody else's.
    #[test]
    fn addresses_and_boundaries_stay() {
        let same: [&[u8]; 6] = [
            b"From: <\xe9@x.test>\r\n\r\n",
            b"To: a@\xe9.test\r\n\r\n",
            b"To: \xe9@x\r\n\r\n",
            b"Return-Path: <\xe9@x>\r\n\r\n",
            b"Content-Type: multipart/mixed; boundary=\"\xe9\"\r\n\r\n",
            b"Content-Type: te\xe9t/plain\r\n\r\n",
        ];
        for header in same {
            assert_eq!(ascii_fields(header), header, "{}", header.escape_ascii());
        }
    }

    #[test]
    fn any_value_gives_lines_that_fit() {
        for byte in [
            b" \xe9" as &[u8],
            b"\xe9",
            b"\xe9,",
            b"\"\xe9",
            b"\xe9 x",
            b"(\xe9",
        ] {
            for name in ["Subject", "To"] {
                let header = [name.as_bytes(), b": ", &byte.repeat(400), b"\r\n\r\n"].concat();
                let out = ascii_fields(&header);
                assert!(out.is_ascii());
                assert!(
                    out.split(|byte| *byte == b'\n')
                        .all(|line| line.len() <= LINE_MAX_BYTES + 1)
                );
                assert_eq!(headers(&out).count(), 1);
            }
        }
    }
}
