//! Sizes as people type them: `50 MB`, `1,5 ГБ`, `1024`. Units are of 1024, as they are shown.

/// Units by their first letters, in both languages, with their bytes.
const UNITS: [(&[&str], u64); 5] = [
    (&["", "b", "б"], 1),
    (&["k", "kb", "kib", "к", "кб"], 1 << 10),
    (&["m", "mb", "mib", "м", "мб"], 1 << 20),
    (&["g", "gb", "gib", "г", "гб"], 1 << 30),
    (&["t", "tb", "tib", "т", "тб"], 1 << 40),
];

/// The bytes of a size as it was typed.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text: String = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_lowercase();
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = UNITS.iter().find(|(names, _)| names.contains(&unit))?.1;
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor);
    }
    let number: f64 = number.replace(',', ".").parse().ok()?;
    let bytes = number * factor as f64;
    (bytes.is_finite() && (0.0..1e18).contains(&bytes)).then_some(bytes.round() as u64)
}

/// A size for editing: in the largest unit in which it is whole.
pub fn show_bytes(bytes: u64) -> String {
    const NAMES: [&str; 5] = ["", " KB", " MB", " GB", " TB"];
    let mut value = bytes;
    let mut unit = 0;
    while value > 0 && value.is_multiple_of(1024) && unit + 1 < NAMES.len() {
        value /= 1024;
        unit += 1;
    }
    format!("{value}{}", NAMES[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_type_them() {
        for (text, want) in [
            ("0", Some(0)),
            ("1024", Some(1024)),
            ("50 MB", Some(50 << 20)),
            ("50mb", Some(50 << 20)),
            ("1,5 ГБ", Some(3 << 29)),
            ("1.5 g", Some(3 << 29)),
            ("2 ТБ", Some(2 << 40)),
            ("much", None),
            ("5 apples", None),
            ("-1", None),
            ("", None),
            ("99999999999999999999 TB", None),
        ] {
            assert_eq!(parse_bytes(text), want, "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_read_back() {
        for bytes in [0, 1, 1023, 1024, 52_428_800, 1 << 40, 1_000_000_000] {
            assert_eq!(parse_bytes(&show_bytes(bytes)), Some(bytes));
        }
    }
}
