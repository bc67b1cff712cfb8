//! Numbers as people of a language write them: digits in groups, the decimal mark, sizes.

use crate::{Arg, Language, format};

/// A whole number with its digits in groups: `1,234,567` or `1 234 567` (with no-break spaces).
pub fn grouped(language: Language, number: u64) -> String {
    let digits = number.to_string();
    // Russian leaves numbers of four digits whole.
    if language == Language::Ru && digits.len() <= 4 {
        return digits;
    }
    let mark = match language {
        Language::En => ',',
        Language::Ru => '\u{a0}',
    };
    let mut out = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(mark);
        }
        out.push(digit);
    }
    out
}

/// A number with that many decimals and the language's decimal mark.
pub fn decimal(language: Language, number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    match language {
        Language::En => text,
        Language::Ru => text.replace('.', ","),
    }
}

/// A size in the largest unit that leaves at least one whole: `1.2 MB`, `1,2 МБ` (units of 1024).
pub fn bytes(language: Language, size: u64) -> String {
    const UNITS: [&str; 5] = ["unit-b", "unit-kb", "unit-mb", "unit-gb", "unit-tb"];
    let mut value = size as f64;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let number = if unit == 0 || value >= 99.95 {
        decimal(language, value, 0)
    } else {
        decimal(language, value, 1)
    };
    format(language, UNITS[unit], &[("number", Arg::Text(number))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_as_the_language_does() {
        assert_eq!(grouped(Language::En, 1_234_567), "1,234,567");
        assert_eq!(grouped(Language::En, 999), "999");
        assert_eq!(grouped(Language::Ru, 1234), "1234");
        assert_eq!(grouped(Language::Ru, 1_234_567), "1\u{a0}234\u{a0}567");
    }

    #[test]
    fn sizes_use_the_largest_unit() {
        assert_eq!(bytes(Language::En, 512), "512 B");
        assert_eq!(bytes(Language::En, 1_258_291), "1.2 MB");
        assert_eq!(bytes(Language::Ru, 1_258_291), "1,2 МБ");
        assert_eq!(bytes(Language::En, 1_048_575), "1.0 MB");
    }
}
