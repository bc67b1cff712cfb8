//! Mailbox names: modified UTF-7 on the wire (RFC 3501 §5.1.3), UTF-8 within; UTF-8 on both sides after
//! ENABLE IMAP4rev2 or UTF8=ACCEPT (RFC 9051 §5.1, RFC 6855 §3).

use std::borrow::Cow;
use std::fmt;

use super::lexer::{Bad, Lexer, Parsed};

/// A mailbox name, decoded. `INBOX` is always in capitals.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailboxName(String);

impl MailboxName {
    /// From decoded text.
    pub fn new(name: impl Into<String>) -> Self {
        let mut name = name.into();
        // RFC 9051 §5.1: INBOX in any case is the same mailbox, and so is what lies below it.
        let level = name.find('/').unwrap_or(name.len());
        if let Some(first) = name.get_mut(..level)
            && first.eq_ignore_ascii_case("INBOX")
        {
            first.make_ascii_uppercase();
        }
        Self(name)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }

    pub fn is_inbox(&self) -> bool {
        self.0 == "INBOX"
    }
}

impl fmt::Display for MailboxName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl AsRef<str> for MailboxName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Decodes modified UTF-7. Strict: only the one spelling that [`encode_utf7`] gives is taken, so that two
/// names on the wire are never one mailbox.
pub fn decode_utf7(name: &[u8]) -> Option<String> {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    let mut after_shift = false;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'&' => {
                let end = memchr::memchr(b'-', rest)?;
                let (coded, after) = (rest.get(..end)?, rest.get(end + 1..)?);
                rest = after;
                if coded.is_empty() {
                    out.push('&');
                    after_shift = false;
                    continue;
                }
                // Two shifts side by side would be a second spelling.
                if after_shift {
                    return None;
                }
                decode_shifted(coded, &mut out)?;
                after_shift = true;
            }
            0x20..=0x7e => {
                out.push(char::from(byte));
                after_shift = false;
            }
            _ => return None,
        }
    }
    Some(out)
}

/// One run of modified base64 of UTF-16BE.
fn decode_shifted(coded: &[u8], out: &mut String) -> Option<()> {
    let mut bits = 0u32;
    let mut held = 0u32;
    let mut high: Option<u16> = None;
    for &byte in coded {
        bits = (bits << 6) | u32::from(sextet(byte)?);
        held += 6;
        if held < 16 {
            continue;
        }
        held -= 16;
        let unit = (bits >> held) as u16;
        bits &= (1 << held) - 1;
        let decoded = match (high.take(), unit) {
            (None, 0xd800..=0xdbff) => {
                high = Some(unit);
                continue;
            }
            (None, _) => char::from_u32(u32::from(unit))?,
            (Some(high), 0xdc00..=0xdfff) => {
                char::from_u32(0x10000 + ((u32::from(high) - 0xd800) << 10) + (u32::from(unit) - 0xdc00))?
            }
            (Some(_), _) => return None,
        };
        // Printable ASCII stands for itself.
        if matches!(decoded, ' '..='~') {
            return None;
        }
        out.push(decoded);
    }
    // The padding: fewer bits than a sextet, all zero.
    (held < 6 && bits == 0 && high.is_none()).then_some(())
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b',' => Some(63),
        _ => None,
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// Encodes as modified UTF-7. A name in plain ASCII without `&` stays as it is.
pub fn encode_utf7(name: &str) -> Cow<'_, str> {
    if name
        .bytes()
        .all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'&')
    {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len() * 2);
    let mut shifted: Option<(u32, u32)> = None;
    for decoded in name.chars() {
        if matches!(decoded, ' '..='~') {
            unshift(shifted.take(), &mut out);
            out.push(decoded);
            if decoded == '&' {
                out.push('-');
            }
            continue;
        }
        let (mut bits, mut held) = shifted.unwrap_or_else(|| {
            out.push('&');
            (0, 0)
        });
        for unit in decoded.encode_utf16(&mut [0; 2]) {
            bits = (bits << 16) | u32::from(*unit);
            held += 16;
            while held >= 6 {
                held -= 6;
                out.push(letter(bits >> held));
                bits &= (1 << held) - 1;
            }
        }
        shifted = Some((bits, held));
    }
    unshift(shifted, &mut out);
    Cow::Owned(out)
}

fn unshift(shifted: Option<(u32, u32)>, out: &mut String) {
    if let Some((bits, held)) = shifted {
        if held > 0 {
            out.push(letter(bits << (6 - held)));
        }
        out.push('-');
    }
}

fn letter(sextet: u32) -> char {
    char::from(ALPHABET[(sextet & 63) as usize])
}

/// mailbox = "INBOX" / astring
pub(super) fn mailbox(lexer: &mut Lexer<'_>) -> Parsed<MailboxName> {
    mailbox_text(lexer).map(MailboxName::new)
}

/// A name or a piece of one (the reference of LIST).
pub(super) fn mailbox_text(lexer: &mut Lexer<'_>) -> Parsed<String> {
    let bytes = lexer.astring()?;
    decode(&bytes, lexer.utf8)
}

/// list-mailbox = 1*list-char / string
pub(super) fn pattern(lexer: &mut Lexer<'_>) -> Parsed<String> {
    let bytes = match lexer.peek() {
        Some(b'"' | b'{') => lexer.string()?,
        _ => Cow::Borrowed(lexer.list_atom()?),
    };
    decode(&bytes, lexer.utf8)
}

fn decode(bytes: &[u8], utf8: bool) -> Parsed<String> {
    let name = if utf8 {
        String::from_utf8(bytes.to_vec()).ok()
    } else {
        decode_utf7(bytes)
    };
    let name = name.ok_or(Bad(if utf8 {
        "mailbox name is not UTF-8"
    } else {
        "mailbox name is not modified UTF-7"
    }))?;
    // RFC 9051 §5.1: control characters, and the line separators of Unicode, name no mailbox.
    if name
        .chars()
        .any(|decoded| decoded.is_control() || matches!(decoded, '\u{2028}' | '\u{2029}'))
    {
        return Err(Bad("control character in mailbox name"));
    }
    Ok(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_ways() {
        for (wire, name) in [
            ("INBOX", "INBOX"),
            ("&-", "&"),
            ("a&-b", "a&b"),
            ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
            ("&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-", "Отправленные"),
            ("&2D3eAA-", "😀"),
            ("Entw&APw-rfe", "Entwürfe"),
        ] {
            assert_eq!(decode_utf7(wire.as_bytes()).unwrap(), name);
            assert_eq!(encode_utf7(name), wire);
        }
    }

    #[test]
    fn refuses_second_spellings() {
        for wire in [
            "&",
            "&AOk",
            "&AOk-&AOk-",
            "&AGE-",
            "&2D0-",
            "&3gA-",
            "&AOl-",
            "&A-",
            "é",
            "a\u{7f}",
            "&AOk=-",
        ] {
            assert_eq!(decode_utf7(wire.as_bytes()), None, "{wire}");
        }
    }

    #[test]
    fn inbox_in_any_case() {
        assert!(MailboxName::new("iNbOx").is_inbox());
        assert_eq!(MailboxName::new("inbox/x").as_str(), "INBOX/x");
        assert_eq!(MailboxName::new("inbox2/x").as_str(), "inbox2/x");
    }

    proptest! {
        #[test]
        fn round_trip(name in any::<String>()) {
            let wire = encode_utf7(&name);
            prop_assert!(wire.is_ascii());
            prop_assert_eq!(decode_utf7(wire.as_bytes()), Some(name));
        }

        #[test]
        fn one_spelling(wire in "[ -~]{0,12}|(&[A-Za-z0-9+,]{0,9}-){0,3}") {
            if let Some(name) = decode_utf7(wire.as_bytes()) {
                prop_assert_eq!(encode_utf7(&name), wire);
            }
        }
    }
}
