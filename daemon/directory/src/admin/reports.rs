//! What is kept for aggregate reports until they are sent: what is alike on one day is one row. Each kind of report has a table of its own, so
//! that none takes the room of another.
//!
//! Must not know: what a row's body means.

use std::collections::HashMap;

use drivers::{Batch, Descriptor, Filter, Row, kinds};
use shared::protocol::ReportKind;

use crate::core::Core;
use crate::{ChangeError, Unavailable};

/// Rows of one kind; further ones are dropped.
const ROWS_MAX_COUNT: u64 = 100_000;
/// Of these on one domain, which are read into memory at once: what is told of mail is some hundred bytes, of connections some thousand.
const fn domain_rows_max_count(kind: ReportKind) -> u64 {
    match kind {
        ReportKind::Dmarc => 20_000,
        ReportKind::Tls => 2_000,
    }
}

/// What is alike on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRow {
    /// The same for what is alike on a day.
    pub key: String,
    /// Days since 1970.
    pub day: i64,
    /// The domain that the report is on.
    pub domain: String,
    pub body: String,
    pub count: u64,
}

fn table(kind: ReportKind) -> &'static Descriptor {
    match kind {
        ReportKind::Dmarc => &kinds::DMARC_RESULT,
        ReportKind::Tls => &kinds::TLS_RESULT,
    }
}

/// Adds to what is there.
pub(crate) async fn add(core: &Core, kind: ReportKind, rows: Vec<ReportRow>) -> Result<(), ChangeError> {
    let table = table(kind);
    let there = core.driver(table).count(table, None).await;
    let there = there.map_err(Unavailable::from)?;
    let mut room = ROWS_MAX_COUNT.saturating_sub(there);
    let mut rooms: HashMap<String, u64> = HashMap::new();
    let mut batch = Batch::new();
    for row in rows {
        let had = core.get(table, &row.key).await?;
        if had.is_none() {
            if !rooms.contains_key(&row.domain) {
                let of_domain = Filter::equal("domain", row.domain.as_str());
                let there = core.driver(table).count(table, Some(of_domain)).await;
                let left = domain_rows_max_count(kind).saturating_sub(there.map_err(Unavailable::from)?);
                rooms.insert(row.domain.clone(), left);
            }
            let room_of_domain = rooms.entry(row.domain.clone()).or_default();
            if room == 0 || *room_of_domain == 0 {
                continue;
            }
            room -= 1;
            *room_of_domain -= 1;
        }
        let before = had.and_then(|had| had.count("count")).unwrap_or(0);
        let count = before + row.count;
        batch = batch.put(stored(table, ReportRow { count, ..row }));
    }
    core.write(batch, kind.word(), "").await.map(drop)
}

fn stored(table: &'static Descriptor, row: ReportRow) -> Row {
    Row::new(table)
        .with("key", row.key)
        .with("day", row.day)
        .with("domain", row.domain)
        .with("body", row.body)
        .with("count", row.count)
}

fn read(row: &Row) -> ReportRow {
    ReportRow {
        key: row.text("key").to_owned(),
        day: row.count("day").unwrap_or(0) as i64,
        domain: row.text("domain").to_owned(),
        body: row.text("body").to_owned(),
        count: row.count("count").unwrap_or(0),
    }
}

/// Those of one domain, or all.
pub(crate) async fn rows(
    core: &Core,
    kind: ReportKind,
    domain: Option<&str>,
) -> Result<Vec<ReportRow>, Unavailable> {
    if let Some(domain) = domain {
        let rows = core.all(table(kind), Filter::equal("domain", domain)).await?;
        return Ok(rows.iter().map(read).collect());
    }
    // Without the bodies, which would fill the memory.
    let mut out = Vec::new();
    core.each(table(kind), |row| {
        out.push(ReportRow {
            body: String::new(),
            ..read(row)
        });
    })
    .await?;
    Ok(out)
}

/// Removes what was reported; what was counted since these rows were read stays. Nothing may be added meanwhile.
pub(crate) async fn settle(core: &Core, kind: ReportKind, rows: Vec<ReportRow>) -> Result<(), ChangeError> {
    let table = table(kind);
    let mut batch = Batch::new();
    for row in rows {
        let Some(there) = core.get(table, &row.key).await? else {
            continue;
        };
        let there = read(&there);
        batch = match there.count.checked_sub(row.count) {
            None | Some(0) => batch.delete_all(table, Filter::equal("key", row.key)),
            Some(count) => batch.put(stored(table, ReportRow { count, ..there })),
        };
    }
    core.write(batch, kind.word(), "").await.map(drop)
}
