//! Character sets by their MIME names, to text.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// Whether a name (RFC 2978) is known.
pub fn is_known(name: &[u8]) -> bool {
    lookup(name).is_some()
}

/// Decodes bytes of a named charset. What cannot be decoded becomes U+FFFD; an unknown name counts as
/// none given.
pub fn decode<'a>(name: Option<&[u8]>, bytes: &'a [u8]) -> Cow<'a, str> {
    match certain(name) {
        Some(encoding) => encoding.decode_without_bom_handling(bytes).0,
        None => guess(bytes),
    }
}

/// The charset of a name, if the name can be believed: much mail that claims ASCII holds something else.
pub(crate) fn certain(name: Option<&[u8]>) -> Option<&'static Encoding> {
    name.and_then(lookup).filter(|encoding| *encoding != WINDOWS_1252)
}

/// UTF-8 if it is, else Windows-1252.
pub fn guess(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

pub(crate) fn lookup(name: &[u8]) -> Option<&'static Encoding> {
    let name = name.trim_ascii();
    // Names that Encoding::for_label, made for the web, does not know.
    if name.eq_ignore_ascii_case(b"utf8mb4") || name.eq_ignore_ascii_case(b"x-utf-8") {
        return Some(UTF_8);
    }
    if let Some(number) = name.strip_prefix(b"cp").or_else(|| name.strip_prefix(b"CP")) {
        let label = [b"windows-", number].concat();
        return Encoding::for_label(&label).or_else(|| Encoding::for_label(name));
    }
    Encoding::for_label(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_unknown_charsets() {
        let cases: &[(&str, &[u8], &str)] = &[
            ("koi8-r", b"\xf0\xf2\xe9", "ПРИ"),
            ("Windows-1251", b"\xcf\xf0\xe8", "При"),
            ("cp1251", b"\xcf\xf0\xe8", "При"),
            ("iso-8859-5", b"\xbf\xe0", "Пр"),
            ("us-ascii", "é".as_bytes(), "é"),
            ("iso-8859-1", b"\xe9", "é"),
            ("x-unknown", b"\xe9", "é"),
            ("utf-8", b"\xff", "\u{fffd}"),
            ("iso-2022-jp", b"\x1b$B$\"\x1b(B", "あ"),
        ];
        for (name, bytes, text) in cases {
            assert_eq!(decode(Some(name.as_bytes()), bytes), *text, "{name}");
        }
    }
}
