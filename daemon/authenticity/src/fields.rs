//! The fields of one header as signatures see them: found by name from the bottom up, each once (RFC 6376 §5.4.2).

use std::collections::HashMap;

use wire::message::{Field, headers};

use crate::canonical::{self, Form};

pub(crate) struct Fields<'a> {
    header: &'a [u8],
    all: Vec<Field<'a>>,
    /// By name in lower case: places in `all`, top to bottom. Without it a peer could make the search quadratic.
    by_name: HashMap<Vec<u8>, Vec<usize>>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(header: &'a [u8]) -> Self {
        let all: Vec<Field<'a>> = headers(header).collect();
        let mut by_name: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (at, field) in all.iter().enumerate().filter(|(_, field)| !field.name.is_empty()) {
            by_name
                .entry(field.name.to_ascii_lowercase())
                .or_default()
                .push(at);
        }
        Self { header, all, by_name }
    }

    /// The fields of that name (in lower case), top to bottom.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = &Field<'a>> {
        let places = self.by_name.get(name.as_bytes()).map(Vec::as_slice);
        places
            .unwrap_or_default()
            .iter()
            .filter_map(|at| self.all.get(*at))
    }

    /// A field as it stands, with its line end.
    pub(crate) fn raw(&self, field: &Field<'a>) -> &'a [u8] {
        self.header.get(field.range.clone()).unwrap_or_default()
    }

    /// What a signature over these names covers, in the order of the names; names that are not there count for nothing.
    pub(crate) fn signed<'n>(&self, names: impl Iterator<Item = &'n str>, form: Form) -> Vec<u8> {
        let mut out = Vec::new();
        let mut used: HashMap<Vec<u8>, usize> = HashMap::new();
        for name in names {
            let name = name.as_bytes().to_ascii_lowercase();
            let Some(places) = self.by_name.get(&name) else {
                continue;
            };
            let used = used.entry(name).or_default();
            let field = places
                .len()
                .checked_sub(*used + 1)
                .and_then(|at| self.all.get(places[at]));
            if let Some(field) = field {
                *used += 1;
                canonical::field(form, self.raw(field), &mut out);
            }
        }
        out
    }
}

/// A field without the value of its `b=` tag, in canonical form and without its last line end: the end of what a signature covers
/// (RFC 6376 §3.7).
pub(crate) fn without_signature(raw: &[u8], form: Form) -> Vec<u8> {
    let mut bare = Vec::with_capacity(raw.len());
    let colon = memchr::memchr(b':', raw).map_or(0, |at| at + 1);
    let line_end = raw.len() - wire_line_end(raw);
    bare.extend_from_slice(&raw[..colon]);
    for (at, tag) in raw[colon..line_end].split(|byte| *byte == b';').enumerate() {
        if at > 0 {
            bare.push(b';');
        }
        match memchr::memchr(b'=', tag) {
            Some(equals) if tag[..equals].trim_ascii() == b"b" => bare.extend_from_slice(&tag[..=equals]),
            _ => bare.extend_from_slice(tag),
        }
    }
    let mut out = Vec::with_capacity(bare.len());
    canonical::field(form, &bare, &mut out);
    let end = out.len() - wire_line_end(&out);
    out.truncate(end);
    out
}

/// Bytes of the line end at the end.
fn wire_line_end(raw: &[u8]) -> usize {
    match raw {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n'] => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A signature that was added later would break all older ones.
    #[test]
    fn fields_are_taken_from_the_bottom_up_and_once() {
        let fields = Fields::new(b"A: 1\r\nB: x\r\na: 2\r\n\r\n");
        let signed = fields.signed(["a", "A", "a", "none", "b"].into_iter(), Form::Relaxed);
        assert_eq!(signed, b"a:2\r\na:1\r\nb:x\r\n");
    }

    #[test]
    fn only_the_signature_itself_is_left_out() {
        let raw = b"DKIM-Signature: v=1; bh=b=x; b =\r\n AAAA\r\n BB ; c=relaxed\r\n";
        assert_eq!(
            without_signature(raw, Form::Simple),
            b"DKIM-Signature: v=1; bh=b=x; b =; c=relaxed"
        );
        assert_eq!(
            without_signature(raw, Form::Relaxed),
            b"dkim-signature:v=1; bh=b=x; b =; c=relaxed"
        );
    }
}
