//! The beginning of a message for listings (RFC 8970): what a person would read first.

use super::{Part, Structure, charset, decode};

/// Characters of a preview (RFC 8970 §3.2).
pub const PREVIEW_MAX_CHARS: usize = 200;
/// Bytes of a part that are looked at.
const PART_MAX_BYTES: usize = 64 * 1024;

/// The preview of a text; empty if there is nothing to read in it. `text` may be cut: what is there counts.
pub fn preview(text: &[u8], structure: &Structure) -> String {
    let mut plain = None;
    let mut html = None;
    readable(&structure.root, &mut |part| {
        let slot = match part.content.subtype.as_str() {
            "html" => &mut html,
            "plain" | "enriched" | "markdown" => &mut plain,
            _ => return,
        };
        if slot.is_none() {
            *slot = Some(shown(text, part)).filter(|shown| !shown.is_empty());
        }
    });
    plain.or(html).unwrap_or_default()
}

/// The text parts that are the message itself: no attachments, no messages within.
fn readable(part: &Part, visit: &mut dyn FnMut(&Part)) {
    let attached = part
        .disposition
        .as_ref()
        .is_some_and(|disposition| disposition.kind == "attachment");
    if attached {
        return;
    }
    if part.is_text() {
        visit(part);
    }
    for child in &part.children {
        readable(child, visit);
    }
}

fn shown(text: &[u8], part: &Part) -> String {
    let end = part.body.end.min(part.body.start.saturating_add(PART_MAX_BYTES));
    let Some(body) = text.get(part.body.start..end) else {
        return String::new();
    };
    let Some(bytes) = decode::transfer(body, &part.encoding) else {
        return String::new();
    };
    // A character may be cut in two at the end.
    let bytes = if end < part.body.end {
        bytes.get(..bytes.len().saturating_sub(4)).unwrap_or_default()
    } else {
        &bytes
    };
    let decoded = charset::decode(part.content.param("charset"), bytes);
    if part.content.subtype == "html" {
        let own = decode::html_text(&without_elements(&decoded, &["head", "title", "blockquote"]));
        let own = collapse(&own);
        if own.is_empty() {
            return collapse(&decode::html_text(&without_elements(
                &decoded,
                &["head", "title"],
            )));
        }
        return own;
    }
    let own = collapse(&own_words(&decoded));
    if own.is_empty() {
        // Nothing but a quotation: better that than nothing.
        return collapse(&decoded.replace('>', " "));
    }
    own
}

/// A plain text without what it quotes, its signature, and what introduces them.
fn own_words(text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        // RFC 3676 §4.3: what follows is the signature.
        if line == "-- " || is_original_message(trimmed) {
            break;
        }
        if trimmed.starts_with('>') || trimmed.starts_with("-----BEGIN PGP") {
            continue;
        }
        // "On Monday Ann wrote:" above a quotation.
        let introduces = trimmed.ends_with(':')
            && lines
                .clone()
                .map(str::trim)
                .find(|next| !next.is_empty())
                .is_some_and(|next| next.starts_with('>'));
        if introduces {
            continue;
        }
        out.push_str(line);
        out.push('\n');
        if out.len() > PREVIEW_MAX_CHARS * 16 {
            break;
        }
    }
    out
}

/// `-----Original Message-----` and its like, below which everything is quoted.
fn is_original_message(line: &str) -> bool {
    line.starts_with("-----") && line.ends_with("-----") && line.len() > 10 && !line.contains("PGP")
}

/// HTML without these elements and what is in them. A quotation without an end reaches to the end.
fn without_elements(html: &str, names: &[&str]) -> String {
    let mut out = String::with_capacity(html.len());
    let mut names = names.to_vec();
    let mut rest = html;
    'text: while let Some(at) = memchr::memchr(b'<', rest.as_bytes()) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        for &name in &names {
            if !tag(from, name, false) {
                continue;
            }
            out.push(' ');
            rest = match after_element(from, name) {
                Some(after) => after,
                None if name == "blockquote" => "",
                None => {
                    // Never closed: only the tag itself goes, and no other is looked for.
                    names.retain(|known| *known != name);
                    let end = memchr::memchr(b'>', from.as_bytes()).map_or(from.len(), |end| end + 1);
                    from.get(end..).unwrap_or_default()
                }
            };
            continue 'text;
        }
        out.push('<');
        rest = from.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// What follows an element that begins here, elements of the same name within it passed over; `None`: it has no end.
fn after_element<'a>(html: &'a str, name: &str) -> Option<&'a str> {
    let mut depth = 0_usize;
    let mut rest = html;
    while let Some(at) = memchr::memchr(b'<', rest.as_bytes()) {
        let from = rest.get(at..).unwrap_or_default();
        if tag(from, name, false) {
            depth += 1;
        } else if tag(from, name, true) {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                let end = memchr::memchr(b'>', from.as_bytes()).map_or(from.len(), |end| end + 1);
                return from.get(end..);
            }
        }
        rest = from.get(1..).unwrap_or_default();
    }
    None
}

/// Whether `<name` (or `</name`) stands here.
fn tag(html: &str, name: &str, closing: bool) -> bool {
    let bytes = html.as_bytes();
    let skip = if closing { 2 } else { 1 };
    if closing && bytes.get(1) != Some(&b'/') {
        return false;
    }
    bytes
        .get(skip..skip + name.len())
        .is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
        && bytes
            .get(skip + name.len())
            .is_none_or(|next| !next.is_ascii_alphanumeric())
}

/// Single spaces for white space, nothing for what is not seen, and at most so many characters.
fn collapse(text: &str) -> String {
    let mut out = String::new();
    let mut count = 0;
    let mut gap = false;
    for decoded in text.chars() {
        if decoded.is_whitespace() || decoded.is_control() {
            gap = count > 0;
            continue;
        }
        // Soft hyphens, joiners, marks of direction: newsletters fill their beginnings with them.
        if matches!(
            decoded,
            '\u{ad}' | '\u{34f}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{fffd}'
        ) {
            continue;
        }
        if std::mem::take(&mut gap) {
            out.push(' ');
            count += 1;
        }
        if count >= PREVIEW_MAX_CHARS {
            break;
        }
        out.push(decoded);
        count += 1;
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;
    use proptest::prelude::*;

    fn of(text: &[u8]) -> String {
        preview(text, &Message::parse(text))
    }

    #[test]
    fn previews() {
        let cases: &[(&[u8], &str)] = &[
            (b"\r\nHello\r\n  there\r\n", "Hello there"),
            (b"\r\n", ""),
            (b"Content-Type: image/png\r\n\r\nPNG", ""),
            (b"\r\n> old\r\n\r\nnew\r\n-- \r\nAnn", "new"),
            (b"\r\nOn Monday Ann wrote:\r\n\r\n> old\r\n\r\nI agree:\r\nyes", "I agree: yes"),
            (b"\r\nMine.\r\n\r\n-----Original Message-----\r\nTheirs.", "Mine."),
            (b"\r\n> only\r\n> quoted", "only quoted"),
            (
                b"Content-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: base64\r\n\r\n8NLJ18XU",
                "Привет",
            ),
            (
                b"Content-Type: text/html; charset=utf-8\r\n\r\n<html><head><title>T</title><style>a{}</style></head><body><p>One &amp;<br>two</p>\
                  <blockquote>a<blockquote>b</blockquote>c</blockquote>\xe2\x80\x8b three</body>",
                "One & two three",
            ),
            (b"Content-Type: text/html\r\n\r\n<blockquote>all</blockquote>", "all"),
        ];
        for (text, expected) in cases {
            assert_eq!(of(text), *expected, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn the_first_readable_part() {
        let text = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Disposition: attachment\r\n\r\nno\r\n\
            --b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\nContent-Type: text/html\r\n\r\n<b>html</b>\r\n\
            --c\r\n\r\nplain\r\n--c--\r\n--b--\r\n";
        assert_eq!(of(text), "plain");
        let empty = b"Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\n \r\n--c\r\nContent-Type: text/html\r\n\r\n<b>html</b>\r\n--c--\r\n";
        assert_eq!(of(empty), "html");
    }

    #[test]
    fn at_most_200_characters() {
        let text = format!(
            "Content-Type: text/plain; charset=utf-8\r\n\r\n{}",
            "щ".repeat(300)
        );
        assert_eq!(of(text.as_bytes()), "щ".repeat(200));
        let long = format!("\r\n{}", "é ".repeat(100_000));
        assert_eq!(of(long.as_bytes()).chars().count(), 199);
    }

    proptest! {
        #[test]
        fn never_more(text in "(?s).{0,400}") {
            let mail = format!("Content-Type: text/html; charset=utf-8\r\n\r\n{text}");
            prop_assert!(of(mail.as_bytes()).chars().count() <= PREVIEW_MAX_CHARS);
        }
    }
}
