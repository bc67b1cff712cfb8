//! App passwords of a user: making, listing, removing, and what a login needs of them.

use std::time::{SystemTime, UNIX_EPOCH};

use drivers::{Batch, Filter, Row, Value, kinds};
use shared::mechanisms::Mechanisms;
use shared::model::{AppPassword, OwnerId, Protocol, User};
use shared::{Address, Refusal};
use wire::sasl::Verifiers;

use super::{check_text, users};
use crate::core::Core;
use crate::login::permit;
use crate::password::app::{Kept, Letters, seal_name};
use crate::password::{self, salt_of};
use crate::{ChangeError, Unavailable, records};

/// App passwords that one user may have.
const APP_PASSWORDS_MAX: usize = 50;
/// Longest label in bytes.
const LABEL_LENGTH_MAX_BYTES: usize = 100;
/// How old the time of the last use may grow in the table before it is written anew: a program that logs in each minute must not
/// cost a write each minute.
const USED_AT_PRECISION_S: i64 = 3600;

/// One of a user's app passwords, for a login.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) row: Row,
    pub(crate) kept: Kept,
}

impl App {
    pub(crate) fn label(&self) -> &str {
        self.row.text("label")
    }
}

pub(crate) async fn list(core: &Core, address: &Address) -> Result<Vec<AppPassword>, ChangeError> {
    let user = users::known(core, address).await?;
    let rows = rows(core, user.owner).await?;
    Ok(rows.iter().map(records::app_password).collect())
}

/// Makes one; the answer is what is to be shown to the user, once.
pub(crate) async fn add(
    core: &Core,
    address: &Address,
    label: &str,
    protocols: &[Protocol],
    by: &str,
) -> Result<String, ChangeError> {
    let label = label.trim();
    check_text("label", label)?;
    if label.is_empty() || label.len() > LABEL_LENGTH_MAX_BYTES {
        return Err(Refusal::new("label-invalid").field("label").into());
    }
    let _changing = core.changing.lock().await;
    let user = users::known(core, address).await?;
    if rows(core, user.owner).await?.len() >= APP_PASSWORDS_MAX {
        let refusal = Refusal::new("too-many")
            .with("field", "label")
            .with("max", APP_PASSWORDS_MAX);
        return Err(refusal.field("label").into());
    }
    let no_random = || Unavailable("the system gives no random bytes".to_owned());
    let letters = Letters::make().ok_or_else(no_random)?;
    let shown = letters.shown();
    let verifiers = verifiers(core, &user, shown.clone()).await?;
    let kept = Kept::new(&core.secret, user.owner, &letters, verifiers);
    let key = label.to_lowercase();
    let sealed = core
        .seal
        .seal(user.owner, &seal_name(&key), &kept)
        .ok_or_else(no_random)?;
    let made = AppPassword {
        label: label.to_owned(),
        protocols: protocols.to_vec(),
        made_at: now(),
        used_at: None,
    };
    let row = records::app_password_row(user.owner, &made, sealed);
    core.write(Batch::new().insert(row), "app-password", label)
        .await?;
    core.changed("app-password", &user.address.to_string(), "added", by);
    Ok(shown)
}

pub(crate) async fn remove(core: &Core, address: &Address, label: &str, by: &str) -> Result<(), ChangeError> {
    let _changing = core.changing.lock().await;
    let user = users::known(core, address).await?;
    let key = records::app_password_key(user.owner, label.trim());
    let old = rows(core, user.owner).await?;
    let old = old.iter().find(|row| row.key() == key);
    let old = old.and_then(|row| kept(core, user.owner, row));
    let batch = Batch::new().delete(&kinds::APP_PASSWORD, key, None);
    core.write(batch, "app-password", label).await?;
    if let Some(old) = old {
        core.caches.formers.add(user.owner, old.into());
    }
    core.changed("app-password", &user.address.to_string(), "removed", by);
    Ok(())
}

/// Those that open a protocol. One that is damaged is passed over.
pub(crate) async fn of_owner(
    core: &Core,
    owner: OwnerId,
    protocol: Protocol,
) -> Result<Vec<App>, Unavailable> {
    let mut apps = Vec::new();
    for row in rows(core, owner).await? {
        let protocols = row.list("protocols");
        let opens = protocols.is_empty()
            || protocols
                .iter()
                .any(|name| name == records::protocol_name(protocol));
        if opens && let Some(kept) = kept(core, owner, &row) {
            apps.push(App { row, kept });
        }
    }
    Ok(apps)
}

/// The one that a password is.
pub(crate) async fn find(
    core: &Core,
    owner: OwnerId,
    protocol: Protocol,
    password: &str,
) -> Result<Option<App>, Unavailable> {
    let Some(letters) = Letters::parse(password) else {
        return Ok(None);
    };
    let apps = of_owner(core, owner, protocol).await?;
    Ok(apps
        .into_iter()
        .find(|app| app.kept.is(&core.secret, owner, &letters)))
}

/// Notes that one was used. A failure is no reason to refuse a login: the next one notes it.
pub(crate) async fn used(core: &Core, app: &App) {
    let (now, before) = (now(), app.row.count("used_at").unwrap_or(0));
    if now.saturating_sub(i64::try_from(before).unwrap_or(i64::MAX)) < USED_AT_PRECISION_S {
        return;
    }
    let row = app.row.clone().with("used_at", u64::try_from(now).unwrap_or(0));
    // An update, and of this very revision: one that was removed meanwhile does not come back.
    let batch = Batch::new().update(row.key(), row, Some(app.row.revision()));
    if core.write(batch, "app-password", "").await.is_ok() {
        core.announce("app-password", app.label(), "");
    }
}

/// The changes after a rename: DIGEST-MD5's verifiers hold for one spelling of the name.
pub(crate) async fn renamed(core: &Core, owner: OwnerId, mut batch: Batch) -> Result<Batch, Unavailable> {
    for row in rows(core, owner).await? {
        let name = seal_name(row.text("key"));
        let Some(mut kept) = core.seal.open::<Kept>(owner, &name, row.bytes("sealed")) else {
            continue;
        };
        kept.verifiers.digest_md5 = None;
        if let Some(sealed) = core.seal.seal(owner, &name, &kept) {
            batch = batch.put(row.with("sealed", sealed));
        }
    }
    Ok(batch)
}

/// The changes after a mechanism was switched off in the user's domain.
pub(crate) async fn forget_verifiers(
    core: &Core,
    owner: OwnerId,
    wanted: Mechanisms,
    mut batch: Batch,
) -> Result<Batch, Unavailable> {
    for row in rows(core, owner).await? {
        let name = seal_name(row.text("key"));
        let Some(mut kept) = core.seal.open::<Kept>(owner, &name, row.bytes("sealed")) else {
            continue;
        };
        let less = password::wanted_of(kept.verifiers.clone(), wanted);
        if less == kept.verifiers {
            continue;
        }
        kept.verifiers = less;
        if let Some(sealed) = core.seal.seal(owner, &name, &kept) {
            batch = batch.put(row.with("sealed", sealed));
        }
    }
    Ok(batch)
}

/// SCRAM's salt of a user's passwords, if there is one yet.
pub(crate) async fn salt(core: &Core, owner: OwnerId) -> Result<Option<Vec<u8>>, Unavailable> {
    if let Some(stored) = core.stored(owner).await?
        && let Some(salt) = salt_of(&stored.verifiers)
    {
        return Ok(Some(salt));
    }
    let rows = rows(core, owner).await?;
    let kept = rows.iter().find_map(|row| kept(core, owner, row));
    Ok(kept.and_then(|kept| salt_of(&kept.verifiers)))
}

/// What is kept of one; nothing if it is damaged.
fn kept(core: &Core, owner: OwnerId, row: &Row) -> Option<Kept> {
    core.seal
        .open(owner, &seal_name(row.text("key")), row.bytes("sealed"))
}

async fn rows(core: &Core, owner: OwnerId) -> Result<Vec<Row>, Unavailable> {
    let filter = Filter::equal("owner", Value::from(owner.0));
    let driver = core.driver(&kinds::APP_PASSWORD);
    Ok(driver
        .select(&kinds::APP_PASSWORD, filter, APP_PASSWORDS_MAX as u64)
        .await?)
}

/// Derived on a thread that may block.
async fn verifiers(core: &Core, user: &User, password: String) -> Result<Verifiers, ChangeError> {
    let salt = salt(core, user.owner).await?;
    let wanted = core.mechanisms_of(&user.address).await?;
    let name = user.address.key();
    let _permit = permit(core).await?;
    let deriving =
        tokio::task::spawn_blocking(move || password::verifiers(&name, &password, salt.as_deref(), wanted));
    let derived = deriving
        .await
        .map_err(|_| Unavailable("hashing a password failed".to_owned()))?;
    Ok(derived?)
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(0)
}
