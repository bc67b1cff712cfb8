//! xtext (RFC 3461 §4): values of ENVID, ORCPT and AUTH.

/// Decodes; `None` if it is no xtext or holds something else than UTF-8 (RFC 6533 §3 sends raw UTF-8).
pub fn decode(text: &[u8]) -> Option<String> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'+' => out.push(digit(bytes.next()?)? << 4 | digit(bytes.next()?)?),
            b'=' => return None,
            b'!'..=b'~' | 128.. => out.push(byte),
            _ => return None,
        }
    }
    // What was hidden in it may go into header fields and lines later.
    let text = String::from_utf8(out).ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}

/// Encodes.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if matches!(byte, b'!'..=b'~') && !matches!(byte, b'+' | b'=') {
            out.push(char::from(byte));
        } else {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            out.push('+');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for text in ["", "a@b", "a+b=c d", "\u{438}"] {
            assert_eq!(decode(encode(text).as_bytes()).as_deref(), Some(text));
        }
        assert_eq!(encode("a+b"), "a+2Bb");
        for bad in ["+", "+2", "+2b", "a=b", "a b", "+0D+0A"] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad}");
        }
    }
}
