//! The IMAP ENVELOPE (RFC 3501 §7.4.2, RFC 9051 §7.5.2), ready for the wire.

use std::borrow::Cow;

use super::addresses::{ADDRESSES_MAX_COUNT, Entry, entries};
use super::header::{headers, unfold};

/// Renders the ENVELOPE of a header.
pub fn render(header: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    render_to(header, &mut out);
    out
}

pub(crate) fn render_to(header: &[u8], out: &mut Vec<u8>) {
    render_fields(&Collected::of(header), out);
}

pub(super) fn render_fields(fields: &Collected<'_>, out: &mut Vec<u8>) {
    out.push(b'(');
    text(fields.date, out);
    out.push(b' ');
    text(fields.subject, out);
    let from = addresses(&fields.from);
    let or_from = |list: &[&[u8]]| {
        let found = addresses(list);
        // RFC 9051 §7.5.2: absent or empty Sender and Reply-To are those of From.
        if found == b"NIL" {
            Cow::Borrowed(&from)
        } else {
            Cow::Owned(found)
        }
    };
    let lists = [
        Cow::Borrowed(&from),
        or_from(&fields.sender),
        or_from(&fields.reply_to),
        Cow::Owned(addresses(&fields.to)),
        Cow::Owned(addresses(&fields.cc)),
        Cow::Owned(addresses(&fields.bcc)),
    ];
    for list in &lists {
        out.push(b' ');
        out.extend_from_slice(list);
    }
    out.push(b' ');
    text(fields.in_reply_to, out);
    out.push(b' ');
    text(fields.message_id, out);
    out.push(b')');
}

/// An IMAP nstring: quoted if it can be, else a literal (RFC 3501 §4.3).
pub fn nstring(value: Option<&[u8]>, out: &mut Vec<u8>) {
    match value {
        None => out.extend_from_slice(b"NIL"),
        Some(value) => string(value, out),
    }
}

/// An IMAP string: quoted if it is 7-bit without CR, LF and NUL, else a literal.
pub fn string(value: &[u8], out: &mut Vec<u8>) {
    let plain = value
        .iter()
        .all(|&byte| byte < 128 && !matches!(byte, 0 | b'\r' | b'\n'));
    if !plain {
        out.extend_from_slice(format!("{{{}}}\r\n", value.len()).as_bytes());
        // A NUL may not even stand in a literal (RFC 3501 §9, CHAR8).
        out.extend(value.iter().map(|&byte| if byte == 0 { b' ' } else { byte }));
        return;
    }
    out.push(b'"');
    let mut rest = value;
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        out.push(b'\\');
        out.push(rest[at]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// The fields of interest. Of unstructured ones the first counts; address fields are added up.
#[derive(Default)]
pub(super) struct Collected<'a> {
    pub(super) date: Option<&'a [u8]>,
    pub(super) subject: Option<&'a [u8]>,
    pub(super) in_reply_to: Option<&'a [u8]>,
    pub(super) message_id: Option<&'a [u8]>,
    pub(super) references: Option<&'a [u8]>,
    pub(super) from: Vec<&'a [u8]>,
    sender: Vec<&'a [u8]>,
    reply_to: Vec<&'a [u8]>,
    pub(super) to: Vec<&'a [u8]>,
    pub(super) cc: Vec<&'a [u8]>,
    bcc: Vec<&'a [u8]>,
}

impl<'a> Collected<'a> {
    pub(super) fn of(header: &'a [u8]) -> Self {
        let mut found = Collected::default();
        for field in headers(header) {
            let value = field.value;
            match field.name.len() {
                2 if field.is("to") => found.to.push(value),
                2 if field.is("cc") => found.cc.push(value),
                3 if field.is("bcc") => found.bcc.push(value),
                4 if field.is("from") => found.from.push(value),
                4 if field.is("date") => found.date = found.date.or(Some(value)),
                6 if field.is("sender") => found.sender.push(value),
                7 if field.is("subject") => found.subject = found.subject.or(Some(value)),
                8 if field.is("reply-to") => found.reply_to.push(value),
                10 if field.is("message-id") => found.message_id = found.message_id.or(Some(value)),
                10 if field.is("references") => found.references = found.references.or(Some(value)),
                11 if field.is("in-reply-to") => found.in_reply_to = found.in_reply_to.or(Some(value)),
                _ => {}
            }
        }
        found
    }
}

fn text(value: Option<&[u8]>, out: &mut Vec<u8>) {
    match value {
        None => nstring(None, out),
        Some(value) => string(&unfold(value), out),
    }
}

fn addresses(values: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(if values.is_empty() { 0 } else { 96 });
    let mut count = 0_usize;
    for entry in values.iter().flat_map(|value| entries(value)) {
        count += 1;
        if count > ADDRESSES_MAX_COUNT {
            break;
        }
        out.extend_from_slice(if out.is_empty() { b"((" } else { b"(" });
        match entry {
            Entry::Mailbox(mailbox) => {
                nstring(mailbox.name.as_deref(), &mut out);
                out.push(b' ');
                // RFC 9051 §7.5.2: the source route.
                let route = Some(&mailbox.route[..]).filter(|route| !route.is_empty());
                nstring(route, &mut out);
                out.push(b' ');
                string(&mailbox.local, &mut out);
                out.push(b' ');
                string(&mailbox.domain, &mut out);
            }
            // RFC 3501 §7.4.2: a group begins with a NIL host and ends with a NIL mailbox as well.
            Entry::GroupStart(name) => {
                out.extend_from_slice(b"NIL NIL ");
                string(&name, &mut out);
                out.extend_from_slice(b" NIL");
            }
            Entry::GroupEnd => out.extend_from_slice(b"NIL NIL NIL NIL"),
        }
        out.push(b')');
    }
    if out.is_empty() {
        return b"NIL".to_vec();
    }
    out.push(b')');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(header: &str) -> String {
        String::from_utf8_lossy(&render(header.as_bytes())).into_owned()
    }

    #[test]
    fn envelopes() {
        let cases = [
            ("", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"),
            (
                "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nFrom: Terry Gray <gray@cac.washington.edu>\r\n\
                 Subject: IMAP4rev1 WG mtg\r\n summary and minutes\r\nTo: imap@cac.washington.edu\r\n\
                 cc: minutes@CNRI.Reston.VA.US,\r\n John Klensin <KLENSIN@MIT.EDU>\r\n\
                 Message-Id: <B27397-0100000@cac.washington.edu>\r\n\r\n",
                "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and minutes\" \
                 ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
                 ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
                 ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
                 ((NIL NIL \"imap\" \"cac.washington.edu\")) ((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")\
                 (\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL \
                 \"<B27397-0100000@cac.washington.edu>\")",
            ),
            (
                "From: a@b\nSender:\nReply-To: r@x\nTo: G:x@y;\nSubject: \"q\\\n",
                "(NIL \"\\\"q\\\\\" ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) ((NIL NIL \"r\" \"x\")) \
                 ((NIL NIL \"G\" NIL)(NIL NIL \"x\" \"y\")(NIL NIL NIL NIL)) NIL NIL NIL NIL)",
            ),
            (
                "Subject: \u{e9}\r\n",
                "(NIL {2}\r\n\u{e9} NIL NIL NIL NIL NIL NIL NIL NIL)",
            ),
            (
                "Subject:\r\nDate: \r\n",
                "(\"\" \"\" NIL NIL NIL NIL NIL NIL NIL NIL)",
            ),
        ];
        for (header, expected) in cases {
            assert_eq!(shown(header), expected, "{header}");
        }
    }
}
