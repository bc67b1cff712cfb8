//! What a listing of sizes needs: one narrow row for each message.

use crate::Result;
use crate::ctx::Ctx;
use crate::types::{FolderId, SizeRow, Uid};

/// Messages of one answer.
const ANSWER_MAX_MESSAGES: usize = 10_000;

pub(crate) fn sizes(ctx: &Ctx<'_>, folder: FolderId, from: Uid) -> Result<Vec<SizeRow>> {
    ctx.store.folder(folder)?;
    let mut statement = ctx.store.conn.prepare_cached(
        "SELECT m.uid, m.size, m.text, d.size FROM message m LEFT JOIN downgraded d ON d.text = m.text
         WHERE m.folder = ?1 AND m.uid >= ?2 ORDER BY m.uid LIMIT ?3",
    )?;
    let rows = statement.query_map((folder.0, from, ANSWER_MAX_MESSAGES as i64), |row| {
        Ok(SizeRow {
            uid: row.get(0)?,
            size: row.get::<_, i64>(1)? as u64,
            email_id: row.get::<_, i64>(2)? as u64,
            downgraded_size: row.get::<_, Option<i64>>(3)?.map(|size| size as u64),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
