//! One item of a FETCH response.

use bytes::{BufMut, BytesMut};
use mailbox::{Fetched, Row, email_id, thread_id};
use wire::imap::render::{
    put_date_time, put_literal, put_literal_head, put_nstring, put_number, put_part, put_section,
};
use wire::imap::{DateTime, FetchItem, Partial};
use wire::message::structure;

use super::source::Value;
use crate::view::{View, open_fetch};

/// A response of items that a row answers.
pub(super) fn put_row(
    out: &mut BytesMut,
    index: usize,
    items: &[FetchItem],
    view: &View,
    row: &Row,
    (recent, uid_only): (bool, bool),
) {
    open_fetch(out, index, row.uid, uid_only);
    for (at, wanted) in items.iter().enumerate() {
        if at > 0 {
            out.put_u8(b' ');
        }
        put_local(out, wanted, view, row, recent);
    }
    out.put_slice(b")\r\n");
}

/// An item that a row answers. Nothing else comes here.
fn put_local(out: &mut BytesMut, item: &FetchItem, view: &View, row: &Row, recent: bool) {
    match item {
        FetchItem::Uid => {
            out.put_slice(b"UID ");
            put_number(out, u64::from(row.uid));
        }
        FetchItem::ModSeq => {
            out.put_slice(b"MODSEQ (");
            put_number(out, row.modseq);
            out.put_u8(b')');
        }
        _ => view.put_flags_item(out, row, recent),
    }
}

/// An item that is said without the text.
pub(super) fn put(out: &mut BytesMut, item: &FetchItem, view: &View, message: &Fetched, recent: bool) {
    match item {
        FetchItem::InternalDate => {
            out.put_slice(b"INTERNALDATE ");
            let (unix_seconds, offset_minutes) = message.received;
            put_date_time(
                out,
                DateTime {
                    unix_seconds,
                    offset_minutes,
                },
            );
        }
        FetchItem::Rfc822Size => {
            out.put_slice(b"RFC822.SIZE ");
            put_number(out, message.size);
        }
        FetchItem::SaveDate => {
            out.put_slice(b"SAVEDATE ");
            put_date_time(
                out,
                DateTime {
                    unix_seconds: message.saved,
                    offset_minutes: 0,
                },
            );
        }
        FetchItem::EmailId => put_id(out, "EMAILID", &email_id(message.owner, message.email_id)),
        FetchItem::ThreadId => put_id(out, "THREADID", &thread_id(message.owner, message.thread_id)),
        FetchItem::Preview { .. } => {
            out.put_slice(b"PREVIEW ");
            put_nstring(out, message.preview.as_deref().map(str::as_bytes));
        }
        FetchItem::Envelope => {
            out.put_slice(b"ENVELOPE ");
            out.put_slice(
                message
                    .envelope
                    .as_deref()
                    .unwrap_or(b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"),
            );
        }
        FetchItem::BodyStructure => {
            out.put_slice(b"BODYSTRUCTURE ");
            out.put_slice(message.structure.as_deref().unwrap_or(b"NIL"));
        }
        FetchItem::Body => {
            out.put_slice(b"BODY ");
            let body = message.structure.as_deref().and_then(structure::body_of);
            out.put_slice(body.as_deref().unwrap_or(b"NIL"));
        }
        _ => put_local(out, item, view, &message.row, recent),
    }
}

/// RFC 8474 §5.3: the id stands between parentheses.
fn put_id(out: &mut BytesMut, name: &str, id: &str) {
    for piece in [name, " (", id, ")"] {
        out.put_slice(piece.as_bytes());
    }
}

/// An item whose value is a number or a string that is in memory.
pub(super) fn put_value(out: &mut BytesMut, item: &FetchItem, value: &Value) {
    put_section_name(out, item);
    match value {
        Value::Number(number) => put_number(out, *number),
        // RFC 3516 §4.3: NUL stands in a literal8 only.
        Value::Bytes(bytes) if is_binary(item) && bytes.contains(&0) => {
            put_literal_head(out, bytes.len() as u64, true);
            out.put_slice(bytes);
        }
        Value::Bytes(bytes) => put_literal(out, bytes),
        _ => out.put_slice(b"NIL"),
    }
}

/// The name of an item whose octets follow.
pub(super) fn put_head(out: &mut BytesMut, item: &FetchItem, size: u64) {
    put_section_name(out, item);
    // RFC 3516 §4.3: a literal8 is allowed whatever is in it.
    put_literal_head(out, size, is_binary(item));
}

fn is_binary(item: &FetchItem) -> bool {
    matches!(item, FetchItem::Binary { .. })
}

pub(super) fn partial(item: &FetchItem) -> Option<Partial> {
    match item {
        FetchItem::BodySection { partial, .. } | FetchItem::Binary { partial, .. } => *partial,
        _ => None,
    }
}

/// `BODY[1.TEXT]<0> `: the name of an item with its section, as the response repeats it.
fn put_section_name(out: &mut BytesMut, item: &FetchItem) {
    match item {
        FetchItem::BodySection { section, .. } => {
            out.put_slice(b"BODY");
            put_section(out, section);
        }
        FetchItem::Binary { part, .. } | FetchItem::BinarySize { part } => {
            let binary = matches!(item, FetchItem::Binary { .. });
            out.put_slice(if binary { b"BINARY[" } else { b"BINARY.SIZE[" });
            put_part(out, part);
            out.put_u8(b']');
        }
        FetchItem::Rfc822 => out.put_slice(b"RFC822"),
        FetchItem::Rfc822Header => out.put_slice(b"RFC822.HEADER"),
        FetchItem::Rfc822Text => out.put_slice(b"RFC822.TEXT"),
        _ => {}
    }
    if let Some(partial) = partial(item) {
        out.put_u8(b'<');
        put_number(out, partial.offset);
        out.put_u8(b'>');
    }
    out.put_u8(b' ');
}
