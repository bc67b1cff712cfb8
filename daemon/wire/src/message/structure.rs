//! The IMAP BODY and BODYSTRUCTURE (RFC 3501 §7.4.2, RFC 9051 §7.5.2), ready for the wire.

use super::envelope::{self, nstring, string};
use super::text::{Text, with_range};
use super::{DEPTH_MAX_PARTS, Param, Part, Structure};

/// Renders the structure of `text`; `extended` is BODYSTRUCTURE, else BODY.
pub fn render(text: &[u8], structure: &Structure, extended: bool) -> Vec<u8> {
    render_text(&mut { text }, structure, extended)
}

/// The same of a text that is not in memory as a whole.
pub fn render_text(text: &mut impl Text, structure: &Structure, extended: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    part(text, &structure.root, extended, &mut out);
    out
}

/// The BODY of a rendered BODYSTRUCTURE, without the text: what a mailbox answers FETCH BODY with. `None` if
/// it was not rendered here.
pub fn body_of(extended: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(extended.len());
    let rest = shorten(extended, &mut out, 0)?;
    rest.is_empty().then_some(out)
}

/// Copies one body without its extension data, and gives what follows it.
fn shorten<'a>(text: &'a [u8], out: &mut Vec<u8>, depth: usize) -> Option<&'a [u8]> {
    if depth > 2 * DEPTH_MAX_PARTS {
        return None;
    }
    let mut rest = text.strip_prefix(b"(")?;
    out.push(b'(');
    let plain_fields = if rest.starts_with(b"(") {
        while rest.starts_with(b"(") {
            rest = shorten(rest, out, depth + 1)?;
        }
        out.push(b' ');
        rest = rest.strip_prefix(b" ")?;
        1
    } else {
        7
    };
    let start = rest;
    for index in 0..plain_fields {
        rest = skip_value(if index == 0 {
            rest
        } else {
            rest.strip_prefix(b" ")?
        })?;
    }
    let copied = start.get(..start.len() - rest.len())?;
    out.extend_from_slice(copied);
    if plain_fields == 7 {
        // A message has its envelope and body, a message and a text their lines.
        if copied.starts_with(b"\"message\" ") && rest.starts_with(b" (") {
            let after = skip_value(rest.strip_prefix(b" ")?)?;
            out.extend_from_slice(rest.get(..rest.len() - after.len())?);
            out.push(b' ');
            rest = shorten(after.strip_prefix(b" ")?, out, depth + 1)?;
        }
        if rest.get(1).is_some_and(u8::is_ascii_digit) {
            let after = skip_value(rest.strip_prefix(b" ")?)?;
            out.extend_from_slice(rest.get(..rest.len() - after.len())?);
            rest = after;
        }
    }
    while let Some(field) = rest.strip_prefix(b" ") {
        rest = skip_value(field)?;
    }
    out.push(b')');
    rest.strip_prefix(b")")
}

/// What follows one string, number, NIL or list.
fn skip_value(text: &[u8]) -> Option<&[u8]> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'(' => depth += 1,
            b')' => depth = depth.checked_sub(1)?,
            b'"' => {
                at += 1;
                while *text.get(at)? != b'"' {
                    at += if text.get(at) == Some(&b'\\') { 2 } else { 1 };
                }
            }
            b'{' => {
                let len = memchr::memchr(b'}', text.get(at..)?)?;
                let size: usize = std::str::from_utf8(text.get(at + 1..at + len)?)
                    .ok()?
                    .parse()
                    .ok()?;
                at = at.checked_add(len + 2)?.checked_add(size)?;
            }
            _ => {
                while text.get(at + 1).is_some_and(u8::is_ascii_alphanumeric) {
                    at += 1;
                }
            }
        }
        at += 1;
        if depth == 0 {
            return text.get(at..);
        }
    }
}

fn part(text: &mut impl Text, part: &Part, extended: bool, out: &mut Vec<u8>) {
    out.push(b'(');
    if part.is_multipart() {
        multipart(text, part, extended, out);
    } else {
        single(text, part, extended, out);
    }
    out.push(b')');
}

fn multipart(text: &mut impl Text, whole: &Part, extended: bool, out: &mut Vec<u8>) {
    for child in &whole.children {
        part(text, child, extended, out);
    }
    if whole.children.is_empty() {
        // The grammar demands at least one part.
        out.extend_from_slice(b"(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0");
        out.extend_from_slice(if extended { b" NIL NIL NIL NIL)" } else { b")" });
    }
    out.push(b' ');
    string(whole.content.subtype.as_bytes(), out);
    if extended {
        out.push(b' ');
        params(&whole.content.params, out);
        dispositions(whole, out);
    }
}

fn single(text: &mut impl Text, part: &Part, extended: bool, out: &mut Vec<u8>) {
    string(part.content.type_.as_bytes(), out);
    out.push(b' ');
    string(part.content.subtype.as_bytes(), out);
    out.push(b' ');
    // RFC 2046 §4.1.2: what a text without a charset is in.
    if part.is_text()
        && part
            .content
            .param("charset")
            .or(part.content.param("charset*"))
            .is_none()
    {
        let mut shown = part.content.params.clone();
        shown.push(("charset".into(), b"us-ascii".to_vec()));
        params(&shown, out);
    } else {
        params(&part.content.params, out);
    }
    out.push(b' ');
    nstring(part.id.as_deref(), out);
    out.push(b' ');
    nstring(part.description.as_deref(), out);
    out.push(b' ');
    string(&part.encoding, out);
    number(part.size(), out);
    if let Some(message) = &part.message {
        out.push(b' ');
        with_range(text, message.header.clone(), |header| {
            envelope::render_to(header, out);
        });
        out.push(b' ');
        self::part(text, message, extended, out);
        number(part.lines, out);
    } else if part.content.is("message", "rfc822") {
        // Nested deeper than we look: the grammar demands an envelope and a body all the same.
        out.push(b' ');
        envelope::render_to(b"", out);
        out.extend_from_slice(b" (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0");
        out.extend_from_slice(if extended { b" NIL NIL NIL NIL)" } else { b")" });
        number(part.lines, out);
    } else if part.is_text() {
        number(part.lines, out);
    }
    if extended {
        out.push(b' ');
        nstring(part.md5.as_deref(), out);
        dispositions(part, out);
    }
}

/// Disposition, language and location, each after a space.
fn dispositions(part: &Part, out: &mut Vec<u8>) {
    match &part.disposition {
        None => out.extend_from_slice(b" NIL"),
        Some(disposition) => {
            out.extend_from_slice(b" (");
            string(disposition.kind.as_bytes(), out);
            out.push(b' ');
            params(&disposition.params, out);
            out.push(b')');
        }
    }
    match part.language.as_slice() {
        [] => out.extend_from_slice(b" NIL"),
        tags => {
            out.extend_from_slice(b" (");
            for (index, tag) in tags.iter().enumerate() {
                if index > 0 {
                    out.push(b' ');
                }
                string(tag, out);
            }
            out.push(b')');
        }
    }
    out.push(b' ');
    nstring(part.location.as_deref(), out);
}

fn params(params: &[Param], out: &mut Vec<u8>) {
    if params.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for (index, (name, value)) in params.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        string(name.as_bytes(), out);
        out.push(b' ');
        string(value, out);
    }
    out.push(b')');
}

fn number(value: usize, out: &mut Vec<u8>) {
    out.push(b' ');
    out.extend_from_slice(value.to_string().as_bytes());
}
