//! The collation `i;unicode-casemap` (RFC 5051), to the letter, as SORT and THREAD need it (searching finds more: see `casemap`).
//!
//! Texts that are equal under it have equal prepared forms, which sort as bytes do.

use std::borrow::Cow;

use unicode_normalization::char::decompose_compatible;

/// Letters without a titlecase property although they have capitals: those of Georgian.
const GEORGIAN: std::ops::RangeInclusive<char> = '\u{10d0}'..='\u{10ff}';
/// They decompose by rule, not by a property in `UnicodeData.txt`.
const HANGUL: std::ops::RangeInclusive<char> = '\u{ac00}'..='\u{d7a3}';

/// The prepared form of a text: titlecase and decomposition by their properties, repeated until nothing changes (RFC 5051 §2).
pub fn casemap(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
            Cow::Owned(text.to_ascii_uppercase())
        } else {
            Cow::Borrowed(text)
        };
    }
    let mut out = String::with_capacity(text.len() + text.len() / 2);
    for char in text.chars() {
        put(char, &mut out);
    }
    Cow::Owned(out)
}

fn put(char: char, out: &mut String) {
    if char.is_ascii() {
        out.push(char.to_ascii_uppercase());
        return;
    }
    let title = titlecase(char);
    let mut changed = false;
    if !HANGUL.contains(&title) {
        let mut count = 0;
        decompose_compatible(title, |_| count += 1);
        decompose_compatible(title, |part| {
            if count > 1 || part != title {
                changed = true;
                // What it is made of may have a titlecase of its own.
                put(part, out);
            }
        });
    }
    if !changed {
        out.push(title);
    }
}

/// The titlecase property. (A capital of several characters is no property but a special casing; what such characters decompose to is
/// capitalised.)
fn titlecase(char: char) -> char {
    if GEORGIAN.contains(&char) {
        return char;
    }
    let mut upper = char.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) => single,
        _ => char,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prepared_forms() {
        let cases = [
            ("", ""),
            ("Hello, World 1", "HELLO, WORLD 1"),
            ("Привет", "ПРИВЕТ"),
            // Й and Ё are И and Е with a mark.
            ("йё", "И\u{306}Е\u{308}"),
            ("e\u{301}É", "E\u{301}E\u{301}"),
            ("ǆǅǄ", "DZ\u{30c}DZ\u{30c}DZ\u{30c}"),
            ("ﬁ", "FI"),
            ("ß", "ß"),
            ("ａｂ", "AB"),
            ("ｶﾞ", "カ\u{3099}"),
            ("日本語", "日本語"),
            ("한", "한"),
            ("\u{10d0}", "\u{10d0}"),
            ("ᾳ", "ΑΙ"),
            ("①", "1"),
        ];
        for (text, expected) in cases {
            assert_eq!(casemap(text), expected, "{text}");
        }
    }

    #[test]
    fn a_prepared_form_is_final() {
        for char in '\0'..=char::MAX {
            let once = casemap(char.encode_utf8(&mut [0; 4])).into_owned();
            assert_eq!(casemap(&once), once, "{char:?}");
        }
    }
}
