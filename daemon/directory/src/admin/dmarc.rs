//! What is kept for aggregate reports (DMARC) until they are sent: alike messages of one day are one row.
//!
//! Must not know: what a row's body means.

use drivers::{Batch, Filter, Row, kinds};

use crate::core::Core;
use crate::{ChangeError, Unavailable};

/// Rows in all; further ones are dropped.
const ROWS_MAX_COUNT: u64 = 100_000;

/// Alike messages of one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DmarcRow {
    /// The same for alike messages of a day.
    pub key: String,
    /// Days since 1970.
    pub day: i64,
    /// The domain that the report is on.
    pub domain: String,
    pub body: String,
    pub count: u64,
}

/// Adds to what is there.
pub(crate) async fn add(core: &Core, rows: Vec<DmarcRow>) -> Result<(), ChangeError> {
    let driver = core.driver(&kinds::DMARC_RESULT);
    let there = driver
        .count(&kinds::DMARC_RESULT, None)
        .await
        .map_err(Unavailable::from)?;
    let mut room = ROWS_MAX_COUNT.saturating_sub(there);
    let mut batch = Batch::new();
    for row in rows {
        let had = core.get(&kinds::DMARC_RESULT, &row.key).await?;
        if had.is_none() {
            if room == 0 {
                continue;
            }
            room -= 1;
        }
        let before = had.and_then(|had| had.count("count")).unwrap_or(0);
        batch = batch.put(
            Row::new(&kinds::DMARC_RESULT)
                .with("key", row.key)
                .with("day", row.day)
                .with("domain", row.domain)
                .with("body", row.body)
                .with("count", before + row.count),
        );
    }
    core.write(batch, "dmarc", "").await.map(drop)
}

/// Those of one domain, or all.
pub(crate) async fn rows(core: &Core, domain: Option<&str>) -> Result<Vec<DmarcRow>, Unavailable> {
    let read = |row: &Row| DmarcRow {
        key: row.text("key").to_owned(),
        day: row.count("day").unwrap_or(0) as i64,
        domain: row.text("domain").to_owned(),
        body: row.text("body").to_owned(),
        count: row.count("count").unwrap_or(0),
    };
    if let Some(domain) = domain {
        let rows = core
            .all(&kinds::DMARC_RESULT, Filter::equal("domain", domain))
            .await?;
        return Ok(rows.iter().map(read).collect());
    }
    // Without the bodies, which would fill the memory.
    let mut out = Vec::new();
    core.each(&kinds::DMARC_RESULT, |row| {
        out.push(DmarcRow {
            body: String::new(),
            ..read(row)
        });
    })
    .await?;
    Ok(out)
}

pub(crate) async fn remove(core: &Core, keys: &[String]) -> Result<(), ChangeError> {
    let mut batch = Batch::new();
    for key in keys {
        batch = batch.delete_all(&kinds::DMARC_RESULT, Filter::equal("key", key.as_str()));
    }
    core.write(batch, "dmarc", "").await.map(drop)
}
