//! Comparing text without regard to case: i;unicode-casemap (RFC 5051).
//!
//! Texts that are equal under the collation become the same string, and a substring stays one. Beyond RFC 5051, which maps single characters only,
//! letters whose capital is several are spread out: `ß` is found as `SS`, as people write it in capitals.

use unicode_normalization::UnicodeNormalization;

/// Capital letters, fully decomposed. ASCII costs next to nothing.
pub fn casemap(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    casemap_to(text, &mut out);
    out
}

/// The same, appended.
pub fn casemap_to(text: &str, out: &mut String) {
    let mut rest = text;
    while !rest.is_empty() {
        let ascii = rest
            .bytes()
            .position(|byte| !byte.is_ascii())
            .unwrap_or(rest.len());
        let (plain, other) = rest.split_at(ascii);
        let from = out.len();
        out.push_str(plain);
        if let Some(added) = out.get_mut(from..) {
            added.make_ascii_uppercase();
        }
        // ASCII is left as it is by decomposition, and no mark moves across it.
        let len = other
            .bytes()
            .position(|byte| byte.is_ascii())
            .unwrap_or(other.len());
        let (other, next) = other.split_at(len);
        push_other(other, out);
        rest = next;
    }
}

fn push_other(text: &str, out: &mut String) {
    for char in text.nfkd() {
        // By way of the small letter: the capital ẞ is ß as well.
        for small in char.to_lowercase() {
            out.extend(small.to_uppercase());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts() {
        let cases = [
            ("Hello", "hELLO"),
            ("Привет", "ПРИВЕТ"),
            ("ёж", "Е\u{308}Ж"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("Ｆｕｌｌ　１", "full 1"),
            ("Straße", "STRASSE"),
            ("STRAẞE", "strasse"),
            ("ﬁne ①", "FINE 1"),
            ("Å \u{212b}", "A\u{30a} å"),
            ("e\u{301}\u{323}", "ẹ́"),
            ("ｶﾞ", "ガ"),
            ("각", "\u{1100}\u{1161}\u{11a8}"),
            ("日本語 😀", "日本語 😀"),
            ("İ", "i\u{307}"),
            ("\u{212a}", "k"),
        ];
        for (first, second) in cases {
            assert_eq!(casemap(first), casemap(second), "{first} {second}");
        }
        assert_ne!(casemap("日本"), casemap("日木"));
        assert_eq!(casemap("a_z"), "A_Z");
    }

    #[test]
    fn every_character_is_mapped_once_and_for_all() {
        for char in '\0'..=char::MAX {
            let once = casemap(char.encode_utf8(&mut [0; 4]));
            assert_eq!(casemap(&once), once, "{char:?} U+{:04X}", u32::from(char));
        }
    }
}
