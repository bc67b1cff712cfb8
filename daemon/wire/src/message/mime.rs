//! Content-Type, Content-Disposition and their parameters (RFC 2045 §5.1, RFC 2183, RFC 2231).
//!
//! Parameters are kept as IMAP shows them: continuations joined (RFC 2231 §3), percent-encoding untouched
//! and marked by the `*` at the end of the name; `message::decode` turns them into text.

use super::header::unfold;
use super::lex::{Lexer, is_token};

/// Parameters kept of one field; the rest is dropped.
pub const PARAMS_MAX_COUNT: usize = 100;

/// A parameter name in lower case and its value without quotes.
pub type Param = (String, Vec<u8>);

/// The Content-Type of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentType {
    /// In lower case.
    pub type_: String,
    /// In lower case.
    pub subtype: String,
    pub params: Vec<Param>,
}

impl ContentType {
    /// RFC 2045 §5.2; inside of multipart/digest RFC 2046 §5.1.5.
    pub(crate) fn default_of(in_digest: bool) -> Self {
        if in_digest {
            return ContentType {
                type_: "message".into(),
                subtype: "rfc822".into(),
                params: Vec::new(),
            };
        }
        let params = vec![("charset".into(), b"us-ascii".to_vec())];
        ContentType {
            type_: "text".into(),
            subtype: "plain".into(),
            params,
        }
    }

    pub fn is(&self, type_: &str, subtype: &str) -> bool {
        self.type_ == type_ && self.subtype == subtype
    }

    /// The value of the parameter with this name (lower case), raw.
    pub fn param(&self, name: &str) -> Option<&[u8]> {
        param(&self.params, name)
    }

    pub(crate) fn has_boundary(&self) -> bool {
        self.param("boundary")
            .is_some_and(|boundary| !boundary.is_empty())
    }

    /// `type/subtype`.
    pub fn essence(&self) -> String {
        format!("{}/{}", self.type_, self.subtype)
    }

    /// Reads the value of a Content-Type field; `None` if it names no type.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let mut lexer = Lexer::new(value);
        lexer.skip_cfws();
        let type_ = lower(lexer.token());
        lexer.skip_cfws();
        if type_.is_empty() || !lexer.eat(b'/') {
            return None;
        }
        lexer.skip_cfws();
        let subtype = lower(lexer.token());
        if subtype.is_empty() {
            return None;
        }
        Some(ContentType {
            type_,
            subtype,
            params: params(&mut lexer),
        })
    }
}

/// The Content-Disposition of a part (RFC 2183).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disposition {
    /// `inline`, `attachment` …, in lower case.
    pub kind: String,
    pub params: Vec<Param>,
}

impl Disposition {
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let mut lexer = Lexer::new(value);
        lexer.skip_cfws();
        let kind = lower(lexer.token());
        (!kind.is_empty()).then(|| Disposition {
            kind,
            params: params(&mut lexer),
        })
    }

    /// The value of the parameter with this name (lower case), raw.
    pub fn param(&self, name: &str) -> Option<&[u8]> {
        param(&self.params, name)
    }
}

/// The single word of a field such as Content-Transfer-Encoding (RFC 2045 §6.1).
pub(crate) fn word(value: &[u8]) -> Option<Vec<u8>> {
    let mut lexer = Lexer::new(value);
    lexer.skip_cfws();
    let word = lexer.token();
    (!word.is_empty()).then(|| word.to_vec())
}

/// The tags of a Content-Language field (RFC 3282).
pub(crate) fn languages(value: &[u8]) -> Vec<Vec<u8>> {
    let mut lexer = Lexer::new(value);
    let mut tags = Vec::new();
    while tags.len() < PARAMS_MAX_COUNT {
        lexer.skip_cfws();
        let tag = lexer.token();
        if !tag.is_empty() {
            tags.push(tag.to_vec());
        } else if lexer.peek().is_some() {
            lexer.bump();
        } else {
            break;
        }
    }
    tags
}

/// The text of an unstructured field; `None` if there is nothing in it.
pub(crate) fn text(value: &[u8]) -> Option<Vec<u8>> {
    let text = unfold(value);
    (!text.is_empty()).then(|| text.into_owned())
}

fn param<'a>(params: &'a [Param], name: &str) -> Option<&'a [u8]> {
    params
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_slice())
}

fn lower(word: &[u8]) -> String {
    String::from_utf8_lossy(word).to_ascii_lowercase()
}

/// The parameters after the first word, to the end of the field.
fn params(lexer: &mut Lexer<'_>) -> Vec<Param> {
    let mut found: Vec<Param> = Vec::new();
    while found.len() < PARAMS_MAX_COUNT {
        lexer.skip_cfws();
        match lexer.peek() {
            None => break,
            Some(b';') => lexer.bump(),
            Some(b'"') => {
                lexer.quoted(&mut Vec::new());
                continue;
            }
            // A missing semicolon is forgiven.
            Some(byte) if is_token(byte) => {}
            Some(_) => {
                lexer.bump();
                continue;
            }
        }
        lexer.skip_cfws();
        let name = lower(lexer.token());
        lexer.skip_cfws();
        if name.is_empty() || !lexer.eat(b'=') {
            continue;
        }
        lexer.skip_cfws();
        let value = param_value(lexer);
        found.push((name, value));
    }
    join_continuations(found)
}

/// A quoted string, or all up to white space or a semicolon: real mail has unquoted values with specials.
fn param_value(lexer: &mut Lexer<'_>) -> Vec<u8> {
    let mut value = Vec::new();
    if lexer.peek() == Some(b'"') {
        lexer.quoted(&mut value);
    } else {
        let raw = lexer.take_while(|byte| byte > b' ' && byte != b';' && byte != b'"' && byte != b'(');
        value.extend_from_slice(raw);
    }
    value
}

/// `name*0`, `name*1*` … become one `name`, or `name*` if any of them is percent-encoded (RFC 2231 §3, §4.1).
fn join_continuations(found: Vec<Param>) -> Vec<Param> {
    if !found.iter().any(|(name, _)| name.contains('*')) {
        return found;
    }
    let mut joined: Vec<Param> = Vec::with_capacity(found.len());
    let mut pieces: Vec<(String, u32, bool, Vec<u8>)> = Vec::new();
    for (name, value) in found {
        match piece(&name) {
            Some((base, number, encoded)) => pieces.push((base.to_owned(), number, encoded, value)),
            None => joined.push((name, value)),
        }
    }
    pieces.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    for group in pieces.chunk_by(|a, b| a.0 == b.0) {
        let encoded = group.iter().any(|(_, _, encoded, _)| *encoded);
        let mut value = Vec::new();
        for (next, (_, number, piece_encoded, text)) in (0_u32..).zip(group) {
            // What follows a gap cannot be joined.
            if *number != next {
                break;
            }
            if encoded && !piece_encoded {
                percent_encode(text, &mut value);
            } else {
                value.extend_from_slice(text);
            }
        }
        if let Some((base, ..)) = group.first() {
            let name = if encoded { format!("{base}*") } else { base.clone() };
            joined.push((name, value));
        }
    }
    joined
}

/// Splits `name*3*` into name, number and whether it is percent-encoded.
fn piece(name: &str) -> Option<(&str, u32, bool)> {
    let (rest, encoded) = match name.strip_suffix('*') {
        Some(rest) => (rest, true),
        None => (name, false),
    };
    let (base, number) = rest.split_once('*')?;
    Some((base, number.parse().ok()?, encoded))
}

/// A plain piece among encoded ones is encoded too, so that the whole can be decoded in one way.
fn percent_encode(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in text {
        if byte == b'%' || byte <= b' ' || byte >= 127 {
            out.extend_from_slice(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        } else {
            out.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shown(value: &str) -> String {
        let Some(content) = ContentType::parse(value.as_bytes()) else {
            return "none".into();
        };
        let params = content
            .params
            .iter()
            .map(|(n, v)| format!(" {n}={}", String::from_utf8_lossy(v)));
        content.essence() + &params.collect::<String>()
    }

    #[test]
    fn content_types() {
        let cases = [
            ("text/plain", "text/plain"),
            (
                " Text / HTML (a (b) c) ; charset = \"a\\\"b\"",
                "text/html charset=a\"b",
            ),
            (
                "multipart/mixed; boundary=a=b?c; x",
                "multipart/mixed boundary=a=b?c",
            ),
            ("multipart/mixed boundary=\"x\"", "multipart/mixed boundary=x"),
            ("text", "none"),
            ("", "none"),
            ("text/plain;;; charset=x;", "text/plain charset=x"),
            (
                "a/b; name*1*=%20c; name*0*=u''a%; name*2=\"d e\"",
                "a/b name*=u''a%%20cd%20e",
            ),
            ("a/b; n*0=a; n*1=b; n*3=d", "a/b n=ab"),
            ("a/b; n*=u''%41; x=1", "a/b n*=u''%41 x=1"),
            ("a/b; name=\"no end", "a/b name=no end"),
        ];
        for (value, expected) in cases {
            assert_eq!(shown(value), expected, "{value}");
        }
    }

    #[test]
    fn dispositions_and_languages() {
        let found = Disposition::parse(b" ATTACHMENT; filename=\"a b.txt\"").unwrap();
        assert_eq!(
            (found.kind.as_str(), found.param("filename")),
            ("attachment", Some(&b"a b.txt"[..]))
        );
        assert_eq!(languages(b"en, de-AT (x)"), [b"en".to_vec(), b"de-AT".to_vec()]);
        assert_eq!(word(b" (c) Base64 "), Some(b"Base64".to_vec()));
    }
}
