//! What is kept for aggregate reports until they are sent: what is alike on one day is one row. Each kind of report has a table of its own, so
//! that none takes the room of another.
//!
//! Must not know: what a row's body means.

use drivers::{Batch, Descriptor, Filter, Row, kinds};
use shared::protocol::ReportKind;

use crate::core::Core;
use crate::{ChangeError, Unavailable};

/// Rows of one kind; further ones are dropped.
const ROWS_MAX_COUNT: u64 = 100_000;

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
    let mut batch = Batch::new();
    for row in rows {
        let had = core.get(table, &row.key).await?;
        if had.is_none() {
            if room == 0 {
                continue;
            }
            room -= 1;
        }
        let before = had.and_then(|had| had.count("count")).unwrap_or(0);
        batch = batch.put(
            Row::new(table)
                .with("key", row.key)
                .with("day", row.day)
                .with("domain", row.domain)
                .with("body", row.body)
                .with("count", before + row.count),
        );
    }
    core.write(batch, kind.word(), "").await.map(drop)
}

/// Those of one domain, or all.
pub(crate) async fn rows(
    core: &Core,
    kind: ReportKind,
    domain: Option<&str>,
) -> Result<Vec<ReportRow>, Unavailable> {
    let read = |row: &Row| ReportRow {
        key: row.text("key").to_owned(),
        day: row.count("day").unwrap_or(0) as i64,
        domain: row.text("domain").to_owned(),
        body: row.text("body").to_owned(),
        count: row.count("count").unwrap_or(0),
    };
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

pub(crate) async fn remove(core: &Core, kind: ReportKind, keys: &[String]) -> Result<(), ChangeError> {
    let mut batch = Batch::new();
    for key in keys {
        batch = batch.delete_all(table(kind), Filter::equal("key", key.as_str()));
    }
    core.write(batch, kind.word(), "").await.map(drop)
}
