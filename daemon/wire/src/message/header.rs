//! Header fields by byte range (RFC 5322 §2.2), of mail as it is, not as it should be: lines may end in LF
//! alone, a line may have no colon, the blank line may be missing.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;

use super::lex::trim;

/// One header field with its continuation lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'a> {
    /// Without the colon and white space before it. Empty for a line that is no field (no colon, or a name
    /// with forbidden bytes, such as the `From ` line of an mbox).
    pub name: &'a [u8],
    /// All after the colon, raw, folding included, without the last line end. For a line that is no field,
    /// the whole line.
    pub value: &'a [u8],
    /// Where name, value and the last line end stand in the text.
    pub range: Range<usize>,
}

impl Field<'_> {
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The fields of a header, up to the blank line or the end of the text.
pub fn headers(text: &[u8]) -> Fields<'_> {
    Fields { text, at: 0 }
}

/// The offset after the blank line that ends the header; the length of the text if there is none.
pub fn header_end(text: &[u8]) -> usize {
    let mut at = 0;
    while at < text.len() {
        let end = line_end(text, at);
        if is_blank(&text[at..end]) {
            return end;
        }
        at = end;
    }
    at
}

/// The value of the first field with this name, raw.
pub fn field<'a>(header: &'a [u8], name: &str) -> Option<&'a [u8]> {
    headers(header)
        .find(|field| field.is(name))
        .map(|field| field.value)
}

/// A value without line ends (RFC 5322 §2.2.3) and without white space at both ends.
pub fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    let value = trim(value);
    if memchr::memchr2(b'\r', b'\n', value).is_none() {
        return Cow::Borrowed(value);
    }
    Cow::Owned(
        value
            .iter()
            .copied()
            .filter(|byte| !matches!(byte, b'\r' | b'\n'))
            .collect(),
    )
}

/// Iterator of [`headers`].
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let start = self.at;
        if start >= self.text.len() {
            return None;
        }
        let mut end = line_end(self.text, start);
        if is_blank(&self.text[start..end]) {
            self.at = self.text.len();
            return None;
        }
        while let Some(b' ' | b'\t') = self.text.get(end) {
            end = line_end(self.text, end);
        }
        self.at = end;
        let line = without_line_end(&self.text[start..end]);
        let (name, value) = split(line).unwrap_or((&[], line));
        Some(Field {
            name,
            value,
            range: start..end,
        })
    }
}

/// Name and value; `None` if the line is no field.
fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr(b':', line)?;
    let name = line[..colon].trim_ascii_end();
    // RFC 5322 §2.2: printable ASCII without the colon.
    let printable = !name.is_empty() && name.iter().all(|byte| (33..=126).contains(byte));
    printable.then(|| (name, &line[colon + 1..]))
}

/// The offset after the line that begins at `at`.
pub(crate) fn line_end(text: &[u8], at: usize) -> usize {
    match memchr(b'\n', &text[at..]) {
        Some(len) => at + len + 1,
        None => text.len(),
    }
}

pub(crate) fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n")
}

pub(crate) fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_and_values(text: &str) -> Vec<(&str, &str)> {
        headers(text.as_bytes())
            .map(|field| {
                let text = |bytes| std::str::from_utf8(bytes).unwrap_or("?");
                (text(field.name), text(field.value))
            })
            .collect()
    }

    #[test]
    fn fields_of_good_and_bad_headers() {
        type Shown<'a> = &'a [(&'a str, &'a str)];
        let cases: &[(&str, Shown<'_>, usize)] = &[
            ("", &[], 0),
            ("\r\nbody", &[], 2),
            (
                "A: 1\r\nB : 2\r\n c\r\n\r\nC: 3",
                &[("A", " 1"), ("B", " 2\r\n c")],
                19,
            ),
            ("A:1\nB:\n\nbody", &[("A", "1"), ("B", "")], 8),
            (
                "From x Mon 10:00\r\nA: 1",
                &[("", "From x Mon 10:00"), ("A", " 1")],
                22,
            ),
            (" lost\r\nA: 1\r\n", &[("", " lost"), ("A", " 1")], 13),
            ("no colon\r\n\r\n", &[("", "no colon")], 12),
        ];
        for (text, fields, end) in cases {
            assert_eq!(&names_and_values(text), fields, "{text:?}");
            assert_eq!(header_end(text.as_bytes()), *end, "{text:?}");
        }
    }
}
