//! Canonical forms of header fields and bodies (RFC 6376 §3.4), bodies as they stream by.
//!
//! Must not know: signatures, DNS.

use ring::digest::{Context, Digest, SHA256};

/// Canonical bytes that are gathered before they are hashed.
const GATHER_BYTES: usize = 8 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Simple,
    Relaxed,
}

impl Form {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "simple" => Some(Self::Simple),
            "relaxed" => Some(Self::Relaxed),
            _ => None,
        }
    }
}

/// Appends a header field with its line end. `raw`: the field as it stands, line end included.
pub(crate) fn field(form: Form, raw: &[u8], out: &mut Vec<u8>) {
    match form {
        Form::Simple => out.extend_from_slice(raw),
        Form::Relaxed => relaxed_field(raw, out),
    }
}

/// RFC 6376 §3.4.2
fn relaxed_field(raw: &[u8], out: &mut Vec<u8>) {
    let colon = memchr::memchr(b':', raw).unwrap_or(raw.len());
    let (name, value) = raw.split_at(colon);
    out.extend(name.trim_ascii_end().iter().map(u8::to_ascii_lowercase));
    out.push(b':');
    let mut space = false;
    let mut empty = true;
    for byte in value.iter().skip(1) {
        match byte {
            b' ' | b'\t' => space = true,
            b'\r' | b'\n' => {}
            other => {
                if space && !empty {
                    out.push(b' ');
                }
                (space, empty) = (false, false);
                out.push(*other);
            }
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Hashes a body in one of its canonical forms; what it holds does not grow with the body.
pub(crate) struct BodyHash {
    form: Form,
    /// `l=`: how many canonical bytes count.
    limit: Option<u64>,
    context: Context,
    gathered: Vec<u8>,
    /// Canonical bytes so far.
    len: u64,
    /// Line ends that count only if something follows.
    line_ends: u64,
    /// White space that counts only if something follows in the line (relaxed).
    space: bool,
    /// The last byte was a CR.
    cr: bool,
}

impl BodyHash {
    pub(crate) fn new(form: Form, limit: Option<u64>) -> Self {
        Self {
            form,
            limit,
            context: Context::new(&SHA256),
            gathered: Vec::new(),
            len: 0,
            line_ends: 0,
            space: false,
            cr: false,
        }
    }

    pub(crate) fn is(&self, form: Form, limit: Option<u64>) -> bool {
        self.form == form && self.limit == limit
    }

    pub(crate) fn what(&self) -> (Form, Option<u64>) {
        (self.form, self.limit)
    }

    pub(crate) fn feed(&mut self, mut bytes: &[u8]) {
        while let Some(first) = bytes.first() {
            if std::mem::take(&mut self.cr) {
                if *first == b'\n' {
                    self.line_ends += 1;
                    self.space = false;
                    bytes = &bytes[1..];
                    continue;
                }
                self.content(b"\r");
            }
            match first {
                b'\r' => self.cr = true,
                b' ' | b'\t' if self.form == Form::Relaxed => self.space = true,
                _ => {
                    let end = match self.form {
                        Form::Simple => memchr::memchr(b'\r', bytes),
                        Form::Relaxed => memchr::memchr3(b' ', b'\t', b'\r', bytes),
                    };
                    let (content, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
                    self.content(content);
                    bytes = rest;
                    continue;
                }
            }
            bytes = &bytes[1..];
        }
    }

    /// The hash; `None` if `l=` wanted more than there is.
    pub(crate) fn finish(mut self) -> Option<Digest> {
        if std::mem::take(&mut self.cr) {
            self.content(b"\r");
        }
        // RFC 6376 §3.4.3: an empty body is a line end. §3.4.4: it is nothing.
        if self.form == Form::Simple || self.len > 0 {
            self.emit(b"\r\n");
        }
        self.flush();
        match self.limit {
            Some(limit) if limit > self.len => None,
            _ => Some(self.context.finish()),
        }
    }

    fn content(&mut self, bytes: &[u8]) {
        for _ in 0..std::mem::take(&mut self.line_ends) {
            self.emit(b"\r\n");
        }
        if std::mem::take(&mut self.space) {
            self.emit(b" ");
        }
        self.emit(bytes);
    }

    fn emit(&mut self, bytes: &[u8]) {
        let room = self
            .limit
            .map_or(u64::MAX, |limit| limit.saturating_sub(self.len));
        self.len += bytes.len() as u64;
        let counted = &bytes[..usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len())];
        if self.gathered.len() + counted.len() > GATHER_BYTES {
            self.flush();
        }
        if counted.len() > GATHER_BYTES {
            self.context.update(counted);
        } else {
            self.gathered.extend_from_slice(counted);
        }
    }

    fn flush(&mut self) {
        self.context.update(&self.gathered);
        self.gathered.clear();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sha256(bytes: &[u8]) -> Vec<u8> {
        ring::digest::digest(&SHA256, bytes).as_ref().to_vec()
    }

    /// A good signature would count as broken, depending on how the network cut the text.
    #[test]
    fn bodies_have_one_hash_however_they_are_cut() {
        for (form, body, canonical) in [
            (Form::Simple, "", "\r\n"),
            (Form::Simple, "\r\n\r\n", "\r\n"),
            (Form::Simple, " a \r\n\r\nb\r\n\r\n\r\n", " a \r\n\r\nb\r\n"),
            (Form::Simple, "no end", "no end\r\n"),
            (Form::Simple, "bare\rcr\r\r\n", "bare\rcr\r\r\n"),
            (Form::Relaxed, "", ""),
            (Form::Relaxed, "\r\n \r\n\t\r\n", ""),
            // RFC 6376 §3.4.6
            (Form::Relaxed, " C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n"),
            (Form::Relaxed, "a\r\n \r\n b", "a\r\n\r\n b\r\n"),
        ] {
            for cut in 0..=body.len() {
                let mut hash = BodyHash::new(form, None);
                hash.feed(&body.as_bytes()[..cut]);
                hash.feed(&body.as_bytes()[cut..]);
                let found = hash.finish().unwrap();
                assert_eq!(
                    found.as_ref(),
                    sha256(canonical.as_bytes()),
                    "{form:?} {body:?} cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn a_length_limits_what_counts_and_must_be_there() {
        let hash = |limit| {
            let mut hash = BodyHash::new(Form::Simple, Some(limit));
            hash.feed(b"12345\r\nadded below\r\n");
            hash.finish().map(|digest| digest.as_ref().to_vec())
        };
        assert_eq!(hash(7).unwrap(), sha256(b"12345\r\n"));
        assert_eq!(hash(0).unwrap(), sha256(b""));
        assert!(hash(100).is_none());
    }

    /// RFC 6376 §3.4.6
    #[test]
    fn fields_lose_what_servers_change() {
        let mut out = Vec::new();
        field(Form::Relaxed, b"A: X\r\n", &mut out);
        field(Form::Relaxed, b"B : Y\t\r\n\tZ  \r\n", &mut out);
        assert_eq!(out, b"a:X\r\nb:Y Z\r\n");
    }
}
