//! The IMAP BODY and BODYSTRUCTURE (RFC 3501 §7.4.2, RFC 9051 §7.5.2), ready for the wire.

use super::envelope::{self, nstring, string};
use super::{Param, Part, Structure};

/// Renders the structure of `text`; `extended` is BODYSTRUCTURE, else BODY.
pub fn render(text: &[u8], structure: &Structure, extended: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    part(text, &structure.root, extended, &mut out);
    out
}

fn part(text: &[u8], part: &Part, extended: bool, out: &mut Vec<u8>) {
    out.push(b'(');
    if part.is_multipart() {
        multipart(text, part, extended, out);
    } else {
        single(text, part, extended, out);
    }
    out.push(b')');
}

fn multipart(text: &[u8], whole: &Part, extended: bool, out: &mut Vec<u8>) {
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

fn single(text: &[u8], part: &Part, extended: bool, out: &mut Vec<u8>) {
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
        envelope::render_to(text.get(message.header.clone()).unwrap_or_default(), out);
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
