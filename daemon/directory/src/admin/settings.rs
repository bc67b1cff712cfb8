//! Settings: one revision for all of them.

use std::sync::Arc;

use drivers::{Batch, Row, kinds};
use shared::settings::{SETTINGS, Settings};

use crate::core::{Core, SETTINGS_REVISION_KEY};
use crate::{ChangeError, Unavailable};

pub(crate) async fn list(core: &Core) -> Result<(Vec<(String, String)>, u64), Unavailable> {
    let row = core.get(&kinds::SETTING, SETTINGS_REVISION_KEY).await?;
    let settings = core.settings.load();
    let value = |key: &str| (key.to_owned(), settings.text(key).to_owned());
    let values = SETTINGS.iter().map(|setting| value(setting.key)).collect();
    Ok((values, row.map_or(0, |row| row.revision())))
}

pub(crate) async fn set(
    core: &Core,
    key: &str,
    value: &str,
    revision: u64,
    by: &str,
) -> Result<u64, ChangeError> {
    let _changing = core.changing.lock().await;
    let mut settings = Settings::clone(&core.settings.load());
    settings.set(key, value)?;
    let mark = Row::new(&kinds::SETTING).with("key", SETTINGS_REVISION_KEY);
    let batch = match revision {
        0 => Batch::new().insert(mark),
        _ => Batch::new().update(mark.key(), mark, Some(revision)),
    };
    let batch = batch.put(
        Row::new(&kinds::SETTING)
            .with("key", key)
            .with("value", settings.text(key)),
    );
    let made = core.placed.write(batch).await.map_err(|error| match error {
        drivers::Error::Unavailable(cause) => ChangeError::Unavailable(Unavailable(cause)),
        drivers::Error::ReadOnly { .. } => shared::Refusal::new("table-read-only").with("name", key).into(),
        // The mark is there already, or has another revision: either way the caller saw older settings.
        _ => shared::Refusal::new("revision-stale").with("name", key).into(),
    })?;
    core.settings.store(Arc::new(settings));
    core.caches.forget_all();
    core.changed("setting", key, "changed", by);
    Ok(made.first().copied().unwrap_or(0))
}
