//! The pieces of responses, appended to a buffer.

use bytes::BufMut;

use super::date::DateTime;
use super::fetch::{Section, SectionText};
use super::flag::{FlagList, Flags};
use super::lexer::{Lexer, Parsed};
use super::mailbox::encode_utf7;
use super::set::ResolvedSet;

/// The longest string that is written between quotes; a longer one becomes a literal.
const QUOTED_MAX_BYTES: usize = 1024;

/// A number in decimal.
pub fn put_number(out: &mut impl BufMut, number: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.put_slice(digits.get(at..).unwrap_or_default());
}

/// The announcement of a literal and its octets.
pub fn put_literal(out: &mut impl BufMut, bytes: &[u8]) {
    put_literal_head(out, bytes.len() as u64, false);
    out.put_slice(bytes);
}

/// The announcement alone, for octets that are streamed after it.
pub fn put_literal_head(out: &mut impl BufMut, size: u64, binary: bool) {
    if binary {
        out.put_u8(b'~');
    }
    out.put_u8(b'{');
    put_number(out, size);
    out.put_slice(b"}\r\n");
}

/// Between quotes where that is allowed (7 bits, no line end, not long), else as a literal.
pub fn put_quoted_or_literal(out: &mut impl BufMut, bytes: &[u8]) {
    let quotable = bytes.len() <= QUOTED_MAX_BYTES
        && bytes
            .iter()
            .all(|&byte| byte < 0x80 && !matches!(byte, 0 | b'\r' | b'\n'));
    if quotable {
        put_quoted(out, bytes);
    } else {
        put_literal(out, bytes);
    }
}

/// Between quotes, whatever it is: for text that is known to hold no line end and no NUL.
pub fn put_quoted(out: &mut impl BufMut, bytes: &[u8]) {
    out.put_u8(b'"');
    let mut rest = bytes;
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        let (head, tail) = rest.split_at(at);
        out.put_slice(head);
        out.put_u8(b'\\');
        out.put_slice(tail.get(..1).unwrap_or_default());
        rest = tail.get(1..).unwrap_or_default();
    }
    out.put_slice(rest);
    out.put_u8(b'"');
}

/// A string, or NIL.
pub fn put_nstring(out: &mut impl BufMut, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => put_quoted_or_literal(out, bytes),
        None => out.put_slice(b"NIL"),
    }
}

/// An atom where it is one, else a string.
pub fn put_astring(out: &mut impl BufMut, bytes: &[u8]) {
    if is_atom(bytes) {
        out.put_slice(bytes);
    } else {
        put_quoted_or_literal(out, bytes);
    }
}

fn is_atom(bytes: &[u8]) -> bool {
    let whole = |parsed: Parsed<&str>| parsed.is_ok_and(|atom| atom.len() == bytes.len());
    whole(Lexer::new(bytes, false).atom()) && !bytes.eq_ignore_ascii_case(b"NIL")
}

/// A mailbox name: in modified UTF-7, or as UTF-8 if the client enabled that.
pub fn put_mailbox(out: &mut impl BufMut, name: &str, utf8: bool) {
    if !utf8 {
        put_astring(out, encode_utf7(name).as_bytes());
    } else if is_atom(name.as_bytes()) {
        out.put_slice(name.as_bytes());
    } else if name.bytes().any(|byte| matches!(byte, 0 | b'\r' | b'\n')) {
        put_literal(out, name.as_bytes());
    } else {
        put_quoted(out, name.as_bytes());
    }
}

/// `(\Seen $Junk)`; `recent` puts `\Recent` in front.
pub fn put_flags<'a>(
    out: &mut impl BufMut,
    system: Flags,
    keywords: impl IntoIterator<Item = &'a str>,
    recent: bool,
) {
    let mut between: &[u8] = b"(";
    if recent {
        out.put_slice(b"(\\Recent");
        between = b" ";
    }
    for (name, flag) in Flags::NAMES {
        if system.contains(flag) {
            out.put_slice(between);
            out.put_slice(name.as_bytes());
            between = b" ";
        }
    }
    for keyword in keywords {
        out.put_slice(between);
        out.put_slice(keyword.as_bytes());
        between = b" ";
    }
    out.put_slice(if between == b"(" { b"()" } else { b")" });
}

/// A flag list as it was parsed.
pub fn put_flag_list(out: &mut impl BufMut, flags: &FlagList) {
    put_flags(
        out,
        flags.system,
        flags.keywords.iter().map(String::as_str),
        false,
    );
}

/// Ascending numbers in ranges: `1:4,7`.
pub fn put_uid_set(out: &mut impl BufMut, numbers: impl IntoIterator<Item = u32>) {
    put_set(out, &ResolvedSet::from_numbers(numbers));
}

/// A set in ranges.
pub fn put_set(out: &mut impl BufMut, set: &ResolvedSet) {
    for (at, &(from, to)) in set.ranges().iter().enumerate() {
        if at > 0 {
            out.put_u8(b',');
        }
        put_number(out, u64::from(from));
        if from != to {
            out.put_u8(b':');
            put_number(out, u64::from(to));
        }
    }
}

/// Numbers in the order given, neighbours that ascend by one joined: UID sets whose order matters (COPYUID).
pub fn put_uid_sequence(out: &mut impl BufMut, numbers: &[u32]) {
    let mut rest = numbers;
    while let Some((&from, tail)) = rest.split_first() {
        if rest.len() < numbers.len() {
            out.put_u8(b',');
        }
        let run = tail
            .iter()
            .zip(1u32..)
            .take_while(|&(&number, step)| from.checked_add(step) == Some(number))
            .count();
        put_number(out, u64::from(from));
        if run > 0 {
            out.put_u8(b':');
            put_number(out, u64::from(from) + run as u64);
        }
        rest = tail.get(run..).unwrap_or_default();
    }
}

/// `"17-Jul-1996 02:44:25 -0700"`, in the zone it was given in.
pub fn put_date_time(out: &mut impl BufMut, moment: DateTime) {
    let date = moment.date();
    let local = moment
        .unix_seconds
        .saturating_add(i64::from(moment.offset_minutes) * 60);
    let second = local.rem_euclid(86_400) as u64;
    out.put_u8(b'"');
    // date-day-fixed = (SP DIGIT) / 2DIGIT
    if date.day < 10 {
        out.put_u8(b' ');
    }
    put_number(out, u64::from(date.day));
    out.put_u8(b'-');
    out.put_slice(date.month_name().as_bytes());
    out.put_u8(b'-');
    put_two(out, u64::from(date.year) / 100);
    put_two(out, u64::from(date.year) % 100);
    out.put_u8(b' ');
    put_two(out, second / 3600);
    out.put_u8(b':');
    put_two(out, second / 60 % 60);
    out.put_u8(b':');
    put_two(out, second % 60);
    out.put_slice(if moment.offset_minutes < 0 { b" -" } else { b" +" });
    let offset = u64::from(moment.offset_minutes.unsigned_abs());
    put_two(out, offset / 60);
    put_two(out, offset % 60);
    out.put_u8(b'"');
}

fn put_two(out: &mut impl BufMut, number: u64) {
    out.put_slice(&[b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]);
}

/// `[1.2.HEADER.FIELDS (DATE FROM)]`, as a FETCH response repeats it.
pub fn put_section(out: &mut impl BufMut, section: &Section) {
    out.put_u8(b'[');
    put_part(out, &section.part);
    if !section.part.is_empty() && section.text != SectionText::All {
        out.put_u8(b'.');
    }
    match &section.text {
        SectionText::All => {}
        SectionText::Header => out.put_slice(b"HEADER"),
        SectionText::Text => out.put_slice(b"TEXT"),
        SectionText::Mime => out.put_slice(b"MIME"),
        SectionText::HeaderFields { names, not } => {
            out.put_slice(if *not {
                b"HEADER.FIELDS.NOT ("
            } else {
                b"HEADER.FIELDS ("
            });
            for (at, name) in names.iter().enumerate() {
                if at > 0 {
                    out.put_u8(b' ');
                }
                put_astring(out, name.as_bytes());
            }
            out.put_u8(b')');
        }
    }
    out.put_u8(b']');
}

/// `1.2.3`
pub fn put_part(out: &mut impl BufMut, part: &[u32]) {
    for (at, &number) in part.iter().enumerate() {
        if at > 0 {
            out.put_u8(b'.');
        }
        put_number(out, u64::from(number));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
