//! Whom users who are away have answered, so that nobody hears the same twice (RFC 3834 §2).
//!
//! Must not know: what an answer says.

use drivers::{Batch, Filter, Row, Value, kinds};
use shared::Address;
use shared::model::OwnerId;

use crate::core::Core;
use crate::{ChangeError, Unavailable};

/// Rows of one user; whoever else writes to him gets no answer until some are old.
const ANSWERS_MAX_COUNT: u64 = 10_000;
/// Days for which rows that say nothing any more are looked for.
const OLD_DAYS: i64 = 60;
const DAY_S: i64 = 86_400;

/// Whether the user has answered that address within so many days before `now` (Unix seconds), or as many as he may.
pub(crate) async fn is_answered(
    core: &Core,
    owner: OwnerId,
    to: &Address,
    days: u32,
    now: i64,
) -> Result<bool, Unavailable> {
    let driver = core.driver(&kinds::VACATION_ANSWER);
    let key = vec![Value::from(owner.0), to.key().into()];
    if let Some(row) = driver.get(&kinds::VACATION_ANSWER, key).await? {
        let at = row.count("at").unwrap_or(0) as i64;
        return Ok(now - at < i64::from(days) * DAY_S);
    }
    let of_user = Filter::equal("owner", Value::from(owner.0));
    let count = driver.count(&kinds::VACATION_ANSWER, Some(of_user)).await?;
    Ok(count >= ANSWERS_MAX_COUNT)
}

/// Notes an answer, and forgets those that are long ago.
pub(crate) async fn note(
    core: &Core,
    owner: OwnerId,
    to: &Address,
    days: u32,
    now: i64,
) -> Result<(), ChangeError> {
    let today = now / DAY_S;
    let old = (1..=OLD_DAYS).map(|days| Value::from(today - days)).collect();
    let row = Row::new(&kinds::VACATION_ANSWER)
        .with("owner", owner.0)
        .with("recipient", to.key())
        .with("at", now)
        .with("until_day", today + i64::from(days));
    let batch = Batch::new()
        .put(row)
        .delete_all(&kinds::VACATION_ANSWER, Filter::any_of("until_day", old));
    core.write(batch, "vacation", "").await.map(drop)
}

/// Whoever was answered hears of it anew: the user is away another time, or gone.
pub(crate) fn forgotten(batch: Batch, owner: OwnerId) -> Batch {
    batch.delete_all(
        &kinds::VACATION_ANSWER,
        Filter::equal("owner", Value::from(owner.0)),
    )
}
