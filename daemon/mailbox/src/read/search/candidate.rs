//! A message that a search looks at, of which only what is asked for is read.

use std::cell::OnceCell;
use std::ops::ControlFlow;

use bytes::Bytes;
use memchr::memmem::Finder;
use wire::imap::Flags;
use wire::message::searchable::{self, Scope};
use wire::message::{Message, Structure};

use crate::ctx::Ctx;
use crate::index::{Answer, Place, Verdict};
use crate::keys::{self, FIELDS, Keys};
use crate::types::{FolderId, Row};
use crate::{Result, saved, texts, threads};

/// Columns of a row of the search before those of its keys.
pub(super) const COLUMNS: &str = "m.uid, m.modseq, m.flags, m.keywords, m.received, m.zone, m.size, m.text";
/// The same, if nothing but UID and text is needed: a column costs as much as comparing a field.
pub(super) const FEW_COLUMNS: &str = "m.uid, 0, 0, 0, 0, 0, 0, m.text";
/// The columns `k.text`, `k.long`, `k.sent_day`; then those of [`FIELDS`].
const KEY_COLUMN: usize = 8;
const FIRST_FIELD_COLUMN: usize = KEY_COLUMN + 3;

/// The columns of the keys that are needed, the others as NULL.
pub(super) fn key_columns(fields: u32, sent: bool) -> String {
    let mut columns = format!(", k.text, k.long, {}", if sent { "k.sent_day" } else { "NULL" });
    for (bit, (column, _)) in FIELDS.iter().enumerate() {
        columns.push_str(", ");
        if fields & (1 << bit) == 0 {
            columns.push_str("NULL");
        } else {
            columns.push_str("k.");
            columns.push_str(column);
        }
    }
    columns
}

pub(super) struct Candidate<'a, 'b> {
    pub(super) row: Row,
    pub(super) received: i64,
    pub(super) zone: i16,
    pub(super) size: u64,
    pub(super) text: u64,
    folder: FolderId,
    ctx: &'a Ctx<'b>,
    columns: &'a rusqlite::Row<'a>,
    /// Keys that were made because the table has none.
    made: OnceCell<Keys>,
    header: OnceCell<Vec<u8>>,
    whole: OnceCell<Bytes>,
    structure: OnceCell<Structure>,
    answer: (&'a Answer, &'a Place),
}

impl<'a, 'b> Candidate<'a, 'b> {
    pub(super) fn read(
        ctx: &'a Ctx<'b>,
        folder: FolderId,
        columns: &'a rusqlite::Row<'a>,
        few: bool,
        answer: (&'a Answer, &'a Place),
    ) -> Result<Self> {
        let (row, received, zone, size) = if few {
            let row = Row {
                uid: columns.get(0)?,
                modseq: 0,
                flags: Flags::NONE,
                keywords: 0,
            };
            (row, 0, 0, 0)
        } else {
            let size = columns.get::<_, i64>(6)? as u64;
            (
                crate::store::read_row(columns)?,
                columns.get(4)?,
                columns.get(5)?,
                size,
            )
        };
        Ok(Candidate {
            row,
            received,
            zone,
            size,
            text: columns.get::<_, i64>(7)? as u64,
            folder,
            ctx,
            columns,
            made: OnceCell::new(),
            header: OnceCell::new(),
            whole: OnceCell::new(),
            structure: OnceCell::new(),
            answer,
        })
    }

    /// RFC 8514, Unix seconds.
    pub(super) fn saved(&self) -> Result<i64> {
        saved::of(self.ctx.store, self.folder.0, self.row.uid, self.received)
    }

    /// RFC 8474.
    pub(super) fn thread(&self) -> Result<u64> {
        threads::of(&self.ctx.store.conn, self.text)
    }

    pub(super) fn sent_day(&self) -> Result<Option<i64>> {
        if self.has_keys()? {
            return Ok(self.columns.get(KEY_COLUMN + 2)?);
        }
        Ok(self.keys()?.sent_day)
    }

    /// Whether one of the five fields that have keys satisfies `test`.
    pub(super) fn field(&self, field: usize, test: impl FnOnce(&str) -> bool) -> Result<bool> {
        if self.has_keys()? && self.columns.get::<_, u32>(KEY_COLUMN + 1)? & (1 << field) == 0 {
            let value = self.columns.get_ref(FIRST_FIELD_COLUMN + field)?;
            return Ok(value.as_str_or_null().ok().flatten().is_some_and(test));
        }
        let keys = self.keys()?;
        Ok(keys
            .fields
            .get(field)
            .and_then(Option::as_deref)
            .is_some_and(test))
    }

    fn has_keys(&self) -> Result<bool> {
        Ok(self.columns.get_ref(KEY_COLUMN)? != rusqlite::types::ValueRef::Null)
    }

    fn keys(&self) -> Result<&Keys> {
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        let keys = Keys::of(self.header()?);
        Ok(self.made.get_or_init(|| keys))
    }

    /// Keys for the table, if they had to be made.
    pub(super) fn into_made(self) -> Option<Keys> {
        self.made.get()?;
        let missing = self.has_keys().is_ok_and(|has| !has);
        self.made.into_inner().filter(|_| missing)
    }

    pub(super) fn header(&self) -> Result<&[u8]> {
        if let Some(header) = self.header.get() {
            return Ok(header);
        }
        let header = keys::header(self.ctx.core, self.ctx.store, self.text)?.unwrap_or_default();
        Ok(self.header.get_or_init(|| header))
    }

    /// What can't be read matches no text: it was told when it was found.
    fn whole(&self) -> Result<&Bytes> {
        if let Some(whole) = self.whole.get() {
            return Ok(whole);
        }
        let whole = texts::read(self.ctx.core, self.ctx.store, self.text)?.unwrap_or_default();
        Ok(self.whole.get_or_init(|| whole))
    }

    /// What the index says of the text.
    pub(super) fn verdict(&self, question: usize) -> Verdict {
        let (answer, place) = self.answer;
        answer.verdict(question, self.text, place)
    }

    /// Whether the text holds a needle.
    pub(super) fn holds(&self, scope: Scope, needle: &Finder<'_>) -> Result<bool> {
        let whole = self.whole()?;
        let structure = self.structure.get_or_init(|| Message::parse(whole));
        // What of the pieces so far a needle could begin in, and the last piece.
        let mut window: Vec<u8> = Vec::new();
        let found = searchable::pieces(whole, structure, scope, &mut |piece| {
            window.extend_from_slice(piece.as_bytes());
            if needle.find(&window).is_some() {
                return ControlFlow::Break(());
            }
            let kept = needle.needle().len().saturating_sub(1).min(window.len());
            window.drain(..window.len() - kept);
            ControlFlow::Continue(())
        });
        Ok(found.is_break())
    }
}
