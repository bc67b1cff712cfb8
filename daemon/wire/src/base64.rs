//! Base64 in its two tempers: strict for AUTH lines (RFC 4648 §3.3), tolerant for bodies (RFC 2045 §6.8).

use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;

/// Encodes with padding, without line ends.
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes an AUTH response: nothing but the alphabet, canonical padding. `None` if it is anything else.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Decodes a body: whatever is not in the alphabet is skipped, padding may be missing or in the middle
/// (bodies glued together), bits left over are dropped.
pub fn decode_tolerant(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut decoder = Tolerant::default();
    decoder.push(text, &mut out);
    decoder.finish(&mut out);
    out
}

/// The same, a portion at a time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tolerant {
    bits: u32,
    digits: u32,
}

impl Tolerant {
    pub fn push(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let (mut bits, mut digits) = (self.bits, self.digits);
        for &byte in text {
            let value = VALUES[usize::from(byte)];
            if value < 64 {
                bits = bits << 6 | u32::from(value);
                digits += 1;
                if digits == 4 {
                    out.extend_from_slice(&bits.to_be_bytes()[1..]);
                    (bits, digits) = (0, 0);
                }
            } else if byte == b'=' {
                flush(bits, digits, out);
                (bits, digits) = (0, 0);
            }
        }
        (self.bits, self.digits) = (bits, digits);
    }

    pub fn finish(self, out: &mut Vec<u8>) {
        flush(self.bits, self.digits, out);
    }
}

/// The whole bytes among two or three digits.
fn flush(bits: u32, digits: u32, out: &mut Vec<u8>) {
    match digits {
        2 => out.push((bits >> 4) as u8),
        3 => out.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => {}
    }
}

/// The value of each digit; 255 for all that is no digit.
const VALUES: [u8; 256] = {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [255; 256];
    let mut index = 0;
    while index < 64 {
        values[digits[index] as usize] = index as u8;
        index += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_and_tolerant() {
        let cases: &[(&str, Option<&str>, &str)] = &[
            ("", Some(""), ""),
            ("YQ==", Some("a"), "a"),
            ("YWI=", Some("ab"), "ab"),
            ("YWJj", Some("abc"), "abc"),
            ("YQ", None, "a"),
            ("YQ=", None, "a"),
            ("YR==", None, "a"),
            ("YWJj\r\n", None, "abc"),
            ("Y W\tJ!j", None, "abc"),
            ("YQ==YmM=", None, "abc"),
            ("Y", None, ""),
            ("====", None, ""),
        ];
        for (text, strict, tolerant) in cases {
            assert_eq!(
                decode(text.as_bytes()).as_deref(),
                strict.map(str::as_bytes),
                "{text}"
            );
            assert_eq!(decode_tolerant(text.as_bytes()), tolerant.as_bytes(), "{text}");
        }
        assert_eq!(encode(b"abcd"), "YWJjZA==");
    }
}
