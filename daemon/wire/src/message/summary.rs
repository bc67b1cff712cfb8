//! What a mailbox keeps of a message beside its text, found while it is delivered.

use super::envelope::{self, Collected};
use super::text::{Text, with_range};
use super::{Message, Part, Structure, date, downgrade, header, structure};

/// Message-IDs kept of a References field: enough for any thread that people write.
pub const REFERENCES_MAX_COUNT: usize = 200;

/// What is shown, and what threads are made of, without the text. (What messages are sorted by: `Order`.)
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// The ENVELOPE, ready for the wire.
    pub envelope: Vec<u8>,
    /// The BODYSTRUCTURE (extended), ready for the wire.
    pub structure: Vec<u8>,
    /// Bytes of the header with its blank line.
    pub header_len: u32,
    /// Bytes of the whole message.
    pub size: u64,
    /// Line feeds in the whole message.
    pub lines: u32,
    /// The Date field, Unix seconds.
    pub sent: Option<i64>,
    /// The day of the Date field as written, disregarding time and zone, since 1970-01-01 (SENTON).
    pub sent_day: Option<i64>,
    /// With its angle brackets.
    pub message_id: Option<String>,
    /// With their angle brackets, oldest first: References, or else the first of In-Reply-To
    /// (RFC 5256 §3, REFERENCES).
    pub references: Vec<String>,
    /// Bytes of the message for clients that know no international mail, if these must not see it as it is.
    pub downgraded_size: Option<u64>,
}

impl Summary {
    pub fn of(text: &[u8]) -> Summary {
        Self::of_text(&mut { text })
    }

    /// The same of a text that is not in memory as a whole.
    pub fn of_text(text: &mut impl Text) -> Summary {
        let parsed = Message::parse_text(text);
        Self::with_structure_of(text, &parsed)
    }

    /// The same, if the structure is known.
    pub fn with_structure(text: &[u8], parsed: &Structure) -> Summary {
        Self::with_structure_of(&mut { text }, parsed)
    }

    fn with_structure_of(text: &mut impl Text, parsed: &Structure) -> Summary {
        let summary = with_range(text, parsed.root.header.clone(), |head| {
            Self::of_header(head, &parsed.root)
        });
        Summary {
            structure: structure::render_text(text, parsed, true),
            size: text.len() as u64,
            downgraded_size: downgrade::downgraded_size(text, parsed),
            ..summary
        }
    }

    /// What the header alone tells, and the length of the message.
    fn of_header(head: &[u8], root: &Part) -> Summary {
        let fields = Collected::of(head);
        let mut rendered = Vec::with_capacity(512);
        envelope::render_fields(&fields, &mut rendered);
        let sent = fields.date.and_then(date::parse);
        let header_lines = memchr::memchr_iter(b'\n', head).count();
        Summary {
            envelope: rendered,
            structure: Vec::new(),
            header_len: u32::try_from(root.header.len()).unwrap_or(u32::MAX),
            size: 0,
            lines: u32::try_from(header_lines + root.lines).unwrap_or(u32::MAX),
            sent: sent.map(|date| date.unix),
            sent_day: sent.map(|date| date.local_day()),
            message_id: fields.message_id.and_then(|value| message_ids(value, 1).pop()),
            references: references(&fields),
            downgraded_size: None,
        }
    }
}

fn references(fields: &Collected<'_>) -> Vec<String> {
    let listed = fields
        .references
        .map(|value| message_ids(value, REFERENCES_MAX_COUNT));
    match listed {
        Some(listed) if !listed.is_empty() => listed,
        _ => fields
            .in_reply_to
            .map(|value| message_ids(value, 1))
            .unwrap_or_default(),
    }
}

/// The `<…>` of a value, without white space within.
fn message_ids(value: &[u8], most: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = value;
    while found.len() < most
        && let Some(start) = memchr::memchr(b'<', rest)
        && let Some(len) = memchr::memchr(b'>', &rest[start..])
    {
        let id: Vec<u8> = rest[start..=start + len]
            .iter()
            .copied()
            .filter(|b| !b.is_ascii_whitespace())
            .collect();
        found.push(String::from_utf8_lossy(&id).into_owned());
        rest = &rest[start + len + 1..];
    }
    let bare = header::unfold(value);
    if found.is_empty() && most == 1 && !bare.is_empty() && !bare.contains(&b' ') {
        found.push(String::from_utf8_lossy(&bare).into_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn summary_of_a_message() {
        let text = b"From: =?utf-8?q?J=C3=A9?= <j@x>\r\nSubject: Re: [l] =?utf-8?q?=C3=A9?=\r\n\
            Date: Wed, 17 Jul 1996 23:23:25 -0700\r\nMessage-ID: <a@b>\r\nReferences: <1@x>\r\n <2@x>\r\n\r\n\
            one\r\ntwo";
        let found = Summary::of(text);
        assert_eq!(found.header_len as usize, text.len() - 8);
        assert_eq!((found.size, found.lines), (text.len() as u64, 8));
        assert_eq!(found.sent, Some(837_671_005));
        assert_eq!(found.sent_day, date::parse_imap_date(b"17-Jul-1996"));
        assert_eq!(found.message_id.as_deref(), Some("<a@b>"));
        assert_eq!(found.references, ["<1@x>", "<2@x>"]);
        assert!(found.structure.starts_with(b"(\"text\" \"plain\""));
        assert!(found.envelope.starts_with(b"(\"Wed, 17"));
    }

    #[test]
    fn summary_of_nothing() {
        let found = Summary::of(b"");
        assert_eq!(
            (found.size, found.header_len, found.lines, found.sent),
            (0, 0, 0, None)
        );
        assert_eq!(found.envelope, b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    }
}
