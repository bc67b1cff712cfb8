//! The black and the white list.

use drivers::{Batch, Filter, kinds};
use shared::Refusal;
use shared::model::{ListEntry, Side};
use shared::protocol::{Page, Rows};

use super::check_text;
use super::domains::first;
use crate::core::{Core, query};
use crate::{ChangeError, Unavailable, records};

/// Longest pattern in bytes.
const PATTERN_LENGTH_MAX_BYTES: usize = 320;

pub(crate) async fn list(
    core: &Core,
    side: Option<Side>,
    page: Page,
) -> Result<Rows<ListEntry>, Unavailable> {
    let filter = side.map(|side| Filter::equal("side", records::side_name(side)));
    let sort = if page.sort == "comment" { "comment" } else { "key" };
    let found = core
        .driver(&kinds::ACCESS)
        .page(&kinds::ACCESS, query(&page, filter, sort))
        .await?;
    Ok(Rows {
        total: found.total,
        rows: found.rows.iter().map(records::access).collect(),
    })
}

pub(crate) async fn after(
    core: &Core,
    after: Option<&ListEntry>,
    limit: u64,
) -> Result<Vec<ListEntry>, Unavailable> {
    let after = after.map(|entry| records::access_key(entry.side, &entry.pattern));
    let rows = core
        .driver(&kinds::ACCESS)
        .scan(&kinds::ACCESS, None, after, limit)
        .await?;
    Ok(rows.iter().map(records::access).collect())
}

pub(crate) async fn add(core: &Core, mut entry: ListEntry, by: &str) -> Result<u64, ChangeError> {
    entry.pattern = entry.pattern.trim().to_owned();
    check_text("comment", &entry.comment)?;
    let pattern = &entry.pattern;
    if pattern.is_empty()
        || pattern.len() > PATTERN_LENGTH_MAX_BYTES
        || pattern.chars().any(|c| c.is_control() || c.is_whitespace())
    {
        return Err(Refusal::new("pattern-invalid")
            .with("pattern", pattern)
            .field("pattern")
            .into());
    }
    let _changing = core.changing.lock().await;
    let batch = Batch::new().insert(records::access_row(&entry));
    let revision = first(core.write(batch, "access", &entry.pattern).await?);
    core.changed("access", &entry.pattern, "added", by);
    Ok(revision)
}

pub(crate) async fn remove(core: &Core, side: Side, pattern: &str, by: &str) -> Result<(), ChangeError> {
    let _changing = core.changing.lock().await;
    let batch = Batch::new().delete(&kinds::ACCESS, records::access_key(side, pattern.trim()), None);
    core.write(batch, "access", pattern).await?;
    core.changed("access", pattern, "removed", by);
    Ok(())
}
