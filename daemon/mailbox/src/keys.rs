//! What searches and sorting need of a header, one narrow row a text: the sent date, and the fields that people search, decoded and folded.
//!
//! The rows are a cache of the texts. They are made when something asks for them first, so that a delivery pays nothing, and go with their text. No
//! row: not made yet. A field that is not there is NULL; several of one name are joined by line feeds, which no unfolded value has.
//!
//! | column | what |
//! |---|---|
//! | `froms`, `tos`, `ccs`, `bccs`, `subject` | the field as SEARCH sees it: [`folded`] |
//! | `sent`, `sent_day` | the Date field as Unix seconds; its day as it is written, in its own zone |
//! | `long` | bit n: [`FIELDS`] n is longer than [`FIELD_MAX_BYTES`] and not kept; whoever needs it reads the header |

use rusqlite::{Connection, OptionalExtension, params};
use wire::message::{casemap, date, headers, searchable};

use crate::Result;
use crate::core::Core;
use crate::store::Store;
use crate::texts;

/// The columns of fields with the fields' names.
pub(crate) const FIELDS: [(&str, &str); 5] = [
    ("froms", "From"),
    ("tos", "To"),
    ("ccs", "Cc"),
    ("bccs", "Bcc"),
    ("subject", "Subject"),
];
/// A folded field of more bytes is not kept.
const FIELD_MAX_BYTES: usize = 2048;
/// Bytes of a header that are looked at.
pub(crate) const HEADER_MAX_BYTES: usize = 1 << 20;

/// One row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) sent: Option<i64>,
    pub(crate) sent_day: Option<i64>,
    /// In the order of [`FIELDS`]; whole, however long.
    pub(crate) fields: [Option<String>; FIELDS.len()],
}

impl Keys {
    pub(crate) fn of(head: &[u8]) -> Keys {
        let mut keys = Keys::default();
        let mut dated = false;
        for field in headers(head) {
            if field.is("Date") && !std::mem::replace(&mut dated, true) {
                let sent = date::parse(field.value);
                keys.sent = sent.map(|date| date.unix);
                keys.sent_day = sent.map(|date| date.local_day());
                continue;
            }
            let known = FIELDS.iter().zip(&mut keys.fields);
            let mut kept = known
                .filter(|((_, name), _)| field.is(name))
                .map(|(_, kept)| kept);
            match kept.next() {
                Some(Some(kept)) => {
                    kept.push('\n');
                    kept.push_str(&folded(field.value));
                }
                Some(none) => *none = Some(folded(field.value)),
                None => {}
            }
        }
        keys
    }

    pub(crate) fn insert(&self, conn: &Connection, text: u64) -> Result<()> {
        let mut long = 0;
        let mut kept: [Option<&str>; FIELDS.len()] = [None; FIELDS.len()];
        for ((bit, field), kept) in self.fields.iter().enumerate().zip(&mut kept) {
            match field {
                Some(field) if field.len() > FIELD_MAX_BYTES => long |= 1 << bit,
                field => *kept = field.as_deref(),
            }
        }
        let [froms, tos, ccs, bccs, subject] = kept;
        conn.prepare_cached("INSERT OR REPLACE INTO keys VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?
            .execute(params![
                text as i64,
                froms,
                self.sent,
                self.sent_day,
                long,
                tos,
                ccs,
                bccs,
                subject
            ])?;
        Ok(())
    }
}

/// A header field's value as searches compare it.
pub(crate) fn folded(value: &[u8]) -> String {
    searchable::header_value(value)
}

/// A needle to find in one of those.
pub(crate) fn folded_needle(text: &str) -> String {
    casemap::casemap(text).replace('\t', " ")
}

/// Makes the row of a text that has none. A text that can't be read gets none.
pub(crate) fn make(core: &Core, store: &mut Store, text: u64) -> Result<Option<Keys>> {
    let Some(head) = header(core, store, text)? else {
        return Ok(None);
    };
    let keys = Keys::of(&head);
    keys.insert(&store.conn, text)?;
    store.wrote = true;
    Ok(Some(keys))
}

/// Makes the rows that are missing of these texts.
#[allow(dead_code, reason = "for whoever reads the table itself")]
pub(crate) fn fill(core: &Core, store: &mut Store, texts: &[u64]) -> Result<()> {
    for &text in texts {
        let known = store
            .conn
            .prepare_cached("SELECT 1 FROM keys WHERE text = ?1")?
            .exists([text as i64])?;
        if !known {
            make(core, store, text)?;
        }
    }
    Ok(())
}

/// The row of a text goes with it.
pub(crate) fn forget(store: &Store, text: u64) -> Result<()> {
    store
        .conn
        .prepare_cached("DELETE FROM keys WHERE text = ?1")?
        .execute([text as i64])?;
    Ok(())
}

/// The header of a text, of a long one its beginning; `None` if it is lost.
pub(crate) fn header(core: &Core, store: &Store, text: u64) -> Result<Option<Vec<u8>>> {
    let mut statement = store.conn.prepare_cached(
        "SELECT t.large, t.header_bytes, t.size, x.header FROM meta t LEFT JOIN text x ON x.id = t.text WHERE t.text = ?1",
    )?;
    let found = statement
        .query_row([text as i64], |row| {
            Ok((
                row.get::<_, bool>(0)?,
                row.get::<_, u32>(1)?,
                row.get::<_, i64>(2)?,
                row.get::<_, Option<Vec<u8>>>(3)?,
            ))
        })
        .optional()?;
    let Some((large, header_bytes, size, small)) = found else {
        return Ok(None);
    };
    if !large {
        return Ok(small);
    }
    let blob = texts::large_blob(store, text, size as u64);
    let len = (header_bytes as usize).min(HEADER_MAX_BYTES);
    match blob.read_range(core.disk.as_ref(), 0, len) {
        Ok(head) => Ok(Some(head.to_vec())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_header() {
        let keys = Keys::of(
            b"From: =?koi8-r?B?8NLJ18XU?= <a@b.c>\r\nTO: x@y,\r\n\tz@y\r\nTo: w@y\r\nDate: Wed, 17 Jul 1996 23:23:25 -0700\r\nBcc:\r\n\r\nSubject: no",
        );
        let field = |field: usize| keys.fields.get(field).and_then(Option::as_deref);
        assert_eq!(field(0), Some("ПРИВЕТ <A@B.C>"));
        assert_eq!(field(1), Some("X@Y, Z@Y\nW@Y"));
        assert_eq!((field(2), field(3), field(4)), (None, Some(""), None));
        assert_eq!(keys.sent, Some(837_671_005));
        assert_eq!(keys.sent_day, Some(837_671_005 / 86_400 - 1));
    }
}
