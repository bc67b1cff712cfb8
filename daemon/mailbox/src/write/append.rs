//! APPEND: new messages with their texts, in one record.

use bytes::Bytes;
use disk::blob::Blob;
use journal::RecordId;

use crate::ctx::Ctx;
use crate::record::{self, Item, ItemText, Op, Ranges};
use crate::texts;
use crate::types::{Append, Appended, FolderId};
use crate::{OwnerId, Result, SMALL_TEXT_MAX_BYTES};

/// Small texts of one record, in bytes; those beyond go to files.
const RECORD_TEXTS_MAX_BYTES: usize = 4 << 20;

/// Appends; the record is to be waited for.
pub(crate) fn append(
    ctx: &mut Ctx<'_>,
    folder: FolderId,
    messages: Vec<Append>,
    source: Option<(OwnerId, i64, Ranges)>,
) -> Result<(Vec<Appended>, Option<RecordId>)> {
    let uid_validity = ctx.store.folder(folder)?.uid_validity;
    let Some(quota) = messages.first().map(|message| message.quota_bytes) else {
        return Ok((Vec::new(), None));
    };
    ctx.check_quota(quota, messages.iter().map(|message| message.text.len()).sum())?;
    let keywords: Vec<String> = messages
        .iter()
        .flat_map(|message| message.keywords.iter().cloned())
        .collect();
    let (_, names) = ctx.keyword_bits(folder.0, &keywords, true)?;
    let count = u32::try_from(messages.len()).unwrap_or(u32::MAX);
    let first_uid = ctx.take_uids(folder.0, count)?;
    let first_modseq = ctx.take_modseqs(u64::from(count))?;
    let mut items = Vec::with_capacity(messages.len());
    let mut inline = 0;
    for ((message, uid), modseq) in messages.iter().zip(first_uid..).zip(first_modseq..) {
        items.push(Item {
            uid,
            modseq,
            flags: message.flags,
            keywords: bits(&ctx.store.folder(folder)?.keywords, &names, &message.keywords),
            received: message.received,
            key: None,
            text: item_text(ctx, modseq, &message.text, &mut inline)?,
        });
    }
    if items.iter().any(|item| item.text == ItemText::Large) {
        // Before the record speaks of it.
        ctx.core
            .disk
            .sync_dir(&crate::durability::large_dir(&ctx.store.dir))?;
    }
    let appended = items
        .iter()
        .map(|item| Appended {
            folder,
            uid_validity,
            uid: item.uid,
            modseq: item.modseq,
        })
        .collect();
    let op = Op::Append(record::Append {
        folder: folder.0,
        names,
        items,
        source,
    });
    let moved = matches!(&op, Op::Append(append) if append.source.is_some());
    if !moved {
        let record = ctx.record(&op, None)?;
        return Ok((appended, Some(record)));
    }
    // Durable before it is applied: a target that has messages of which no record says that the source must lose them would keep them twice.
    let record = ctx.record_durably(&op)?;
    // Until the source has let go of them.
    ctx.core.journal.pin(record);
    Ok((appended, Some(record)))
}

/// Into the record while it is small, else into a file. `inline`: bytes in the record so far.
pub(crate) fn item_text(ctx: &mut Ctx<'_>, id: u64, text: &Blob, inline: &mut usize) -> Result<ItemText> {
    let len = text.len() as usize;
    if len <= SMALL_TEXT_MAX_BYTES && *inline + len <= RECORD_TEXTS_MAX_BYTES {
        *inline += len;
        let bytes: Bytes = text.read_range(ctx.core.disk.as_ref(), 0, len)?;
        return Ok(ItemText::Small(bytes));
    }
    texts::place_large(ctx.core.disk.as_ref(), ctx.store, id, text)?;
    Ok(ItemText::Large)
}

/// The bits of keywords, given those that are known and those that will be.
fn bits(known: &[String], new: &[String], keywords: &[String]) -> u64 {
    let names = known.iter().chain(new);
    names.enumerate().fold(0, |bits, (bit, name)| {
        let has = keywords.iter().any(|keyword| keyword.eq_ignore_ascii_case(name));
        if has { bits | 1 << bit } else { bits }
    })
}
