//! External accounts of users, and what is kept of the mail that was fetched from them.
//!
//! An account belongs to an owner's number: a rename of the user changes nothing. Marks and state are written by whoever fetches, and only
//! as long as the account is there.

use drivers::{Batch, Filter, Row, Value, kinds};
use shared::external::{EXTERNAL_TEXT_LENGTH_MAX_BYTES, External};
use shared::model::OwnerId;
use shared::protocol::{Page, Rows};
use shared::{Address, Refusal};

use super::domains::first;
use super::users;
use crate::core::{Core, query};
use crate::{ChangeError, ExternalAccount, ExternalSeen, ExternalTurn, Unavailable, Whose, records, sharing};

/// Accounts of one user.
const EXTERNALS_MAX_COUNT: u64 = 50;

pub(crate) async fn list(
    core: &Core,
    user: Option<&Address>,
    page: Page,
) -> Result<Rows<(OwnerId, External)>, ChangeError> {
    let sort = match page.sort.as_str() {
        "host" => "host",
        "login" => "login",
        "comment" => "comment",
        _ => "key",
    };
    let filter = match user {
        Some(user) => Some(of_owner(users::known(core, user).await?.owner)),
        None => None,
    };
    let query = query(&page, filter, sort);
    let found = core.driver(&kinds::EXTERNAL).page(&kinds::EXTERNAL, query).await;
    let found = found.map_err(Unavailable::from)?;
    let mut rows = Vec::with_capacity(found.rows.len());
    for row in &found.rows {
        let owner = OwnerId(row.count("owner").unwrap_or_default());
        if let Some(user) = user_of(core, owner).await? {
            rows.push((owner, records::external(row, user)?));
        }
    }
    Ok(Rows {
        total: found.total,
        rows,
    })
}

/// One account with its password, for whoever fetches.
pub(crate) async fn account(
    core: &Core,
    owner: OwnerId,
    key: &str,
) -> Result<Option<ExternalAccount>, Unavailable> {
    let Some(row) = row(core, owner, key).await? else {
        return Ok(None);
    };
    let Some(user) = user_of(core, owner).await? else {
        return Ok(None);
    };
    let external = records::external(&row, user)?;
    let password = core.seal.open(owner, &record(key), row.bytes("sealed"));
    Ok(Some(ExternalAccount {
        owner,
        key: key.to_owned(),
        external,
        password,
    }))
}

/// All that are visited by themselves.
pub(crate) async fn turns(core: &Core) -> Result<Vec<ExternalTurn>, Unavailable> {
    let mut turns = Vec::new();
    let each = |row: &Row| {
        if row.flag("enabled") {
            turns.push(ExternalTurn {
                owner: OwnerId(row.count("owner").unwrap_or_default()),
                key: row.text("key").to_owned(),
                interval_minutes: records::minutes(row),
                revision: row.revision(),
            });
        }
    };
    core.each(&kinds::EXTERNAL, each).await?;
    Ok(turns)
}

pub(crate) async fn add(
    core: &Core,
    external: External,
    password: Option<&str>,
    by: &str,
) -> Result<u64, ChangeError> {
    let external = external.check()?;
    let _changing = core.changing.lock().await;
    let owner = users::known(core, &external.user).await?.owner;
    let driver = core.driver(&kinds::EXTERNAL);
    let count = driver.count(&kinds::EXTERNAL, Some(of_owner(owner))).await;
    if count.map_err(Unavailable::from)? >= EXTERNALS_MAX_COUNT {
        let refusal = Refusal::new("too-many").with("field", "name");
        return Err(refusal.with("max", EXTERNALS_MAX_COUNT).into());
    }
    let sealed = sealed(core, owner, &external.name, password, None)?;
    let batch = Batch::new().insert(records::external_row(owner, &external, sealed));
    let revision = first(core.write(batch, "external", &external.name).await?);
    done(core, &external.user, &external.name, "added", by);
    Ok(revision)
}

pub(crate) async fn set(
    core: &Core,
    external: External,
    password: Option<&str>,
    by: &str,
) -> Result<u64, ChangeError> {
    let external = external.check()?;
    let _changing = core.changing.lock().await;
    let owner = users::known(core, &external.user).await?.owner;
    let key = external.name.to_lowercase();
    let old = row(core, owner, &key).await?;
    let old = old.ok_or_else(|| unknown(&external.name))?;
    let sealed = sealed(core, owner, &external.name, password, Some(&old))?;
    let mut batch = Batch::new().update(
        old.key(),
        records::external_row(owner, &external, sealed),
        Some(external.revision),
    );
    let elsewhere = old.text("host") != external.host
        || old.text("login") != external.login
        || old.text("protocol") != external.protocol.word();
    if elsewhere {
        // What was fetched there says nothing of what is here.
        batch = without_memory(batch, owner, &key);
    }
    let revision = first(core.write(batch, "external", &external.name).await?);
    done(core, &external.user, &external.name, "changed", by);
    Ok(revision)
}

pub(crate) async fn remove(core: &Core, user: &Address, name: &str, by: &str) -> Result<(), ChangeError> {
    let _changing = core.changing.lock().await;
    let owner = users::known(core, user).await?.owner;
    let key = name.trim().to_lowercase();
    let batch = Batch::new().delete(&kinds::EXTERNAL, key_of(owner, &key), None);
    let batch = without_memory(batch, owner, &key);
    core.write(batch, "external", name).await?;
    done(core, user, name, "removed", by);
    Ok(())
}

/// The changes that go with a user.
pub(crate) fn with_owner(batch: Batch, owners: &[Value]) -> Batch {
    [&kinds::EXTERNAL, &kinds::EXTERNAL_STATE, &kinds::EXTERNAL_SEEN]
        .into_iter()
        .fold(batch, |batch, table| {
            batch.delete_all(table, Filter::any_of("owner", owners.to_vec()))
        })
}

/// What whoever fetches keeps of an account, in a form of its own.
pub(crate) async fn state(core: &Core, owner: OwnerId, key: &str) -> Result<Option<String>, Unavailable> {
    let driver = core.driver(&kinds::EXTERNAL_STATE);
    let row = driver
        .get(&kinds::EXTERNAL_STATE, vec![account_of(owner, key).into()])
        .await?;
    Ok(row.map(|row| row.text("body").to_owned()))
}

pub(crate) async fn seen(core: &Core, owner: OwnerId, key: &str) -> Result<Vec<ExternalSeen>, Unavailable> {
    let filter = Filter::equal("account", account_of(owner, key));
    let rows = core.all(&kinds::EXTERNAL_SEEN, filter).await?;
    let seen = rows.iter().map(|row| ExternalSeen {
        mark: row.text("mark").to_owned(),
        at: row.int("at").unwrap_or_default(),
        skipped_bytes: row.count("skipped_bytes"),
    });
    Ok(seen.collect())
}

/// Keeps marks, forgets others, and keeps a state: all or nothing. `false`: the account is gone, or was changed to another one.
pub(crate) async fn keep(
    core: &Core,
    account: &ExternalAccount,
    seen: &[ExternalSeen],
    forgotten: &[String],
    state: Option<&str>,
) -> Result<bool, ChangeError> {
    let (owner, key) = (account.owner, account.key.as_str());
    let _changing = core.changing.lock().await;
    let Some(now) = row(core, owner, key).await? else {
        return Ok(false);
    };
    let known = &account.external;
    if now.text("host") != known.host
        || now.text("login") != known.login
        || now.text("protocol") != known.protocol.word()
    {
        return Ok(false);
    }
    let mut batch = Batch::new();
    for one in seen {
        let row = Row::new(&kinds::EXTERNAL_SEEN)
            .with("place", place_of(owner, key, &one.mark))
            .with("account", account_of(owner, key))
            .with("mark", one.mark.as_str())
            .with("owner", owner.0)
            .with("at", u64::try_from(one.at).unwrap_or_default())
            .with("skipped_bytes", one.skipped_bytes);
        batch = batch.put(row);
    }
    if !forgotten.is_empty() {
        let places = forgotten.iter().map(|mark| place_of(owner, key, mark).into());
        batch = batch.delete_all(&kinds::EXTERNAL_SEEN, Filter::any_of("place", places.collect()));
    }
    if let Some(state) = state {
        let row = Row::new(&kinds::EXTERNAL_STATE)
            .with("account", account_of(owner, key))
            .with("owner", owner.0)
            .with("body", state);
        batch = batch.put(row);
    }
    core.write(batch, "external", key).await?;
    Ok(true)
}

fn without_memory(batch: Batch, owner: OwnerId, key: &str) -> Batch {
    let account = account_of(owner, key);
    batch
        .delete_all(&kinds::EXTERNAL_STATE, Filter::equal("account", account.as_str()))
        .delete_all(&kinds::EXTERNAL_SEEN, Filter::equal("account", account))
}

async fn row(core: &Core, owner: OwnerId, key: &str) -> Result<Option<Row>, Unavailable> {
    let driver = core.driver(&kinds::EXTERNAL);
    Ok(driver.get(&kinds::EXTERNAL, key_of(owner, key)).await?)
}

async fn user_of(core: &Core, owner: OwnerId) -> Result<Option<Address>, Unavailable> {
    Ok(match sharing::whose(core, owner).await? {
        Some(Whose::User(account)) => Some(account.address.clone()),
        _ => None,
    })
}

/// What is kept of the password: the new one, none if that is empty, what was there if there is no new one.
fn sealed(
    core: &Core,
    owner: OwnerId,
    name: &str,
    password: Option<&str>,
    old: Option<&Row>,
) -> Result<Option<Vec<u8>>, ChangeError> {
    let Some(password) = password else {
        let kept = old.map(|old| old.bytes("sealed").to_vec());
        return Ok(kept.filter(|kept| !kept.is_empty()));
    };
    if password.is_empty() {
        return Ok(None);
    }
    let unusable = password.len() > EXTERNAL_TEXT_LENGTH_MAX_BYTES || password.contains(['\0', '\r', '\n']);
    if unusable {
        return Err(Refusal::new("password-unusable").field("password").into());
    }
    let sealed = core.seal.seal(owner, &record(&name.to_lowercase()), &password);
    let sealed = sealed.ok_or_else(|| Unavailable("the system gives no random bytes".to_owned()))?;
    Ok(Some(sealed))
}

fn of_owner(owner: OwnerId) -> Filter {
    Filter::equal("owner", Value::from(owner.0))
}

fn key_of(owner: OwnerId, key: &str) -> Vec<Value> {
    vec![owner.0.into(), key.into()]
}

fn account_of(owner: OwnerId, key: &str) -> String {
    format!("{}/{key}", owner.0)
}

fn place_of(owner: OwnerId, key: &str, mark: &str) -> String {
    // Neither a name nor a unique id holds a line end.
    format!("{}/{key}\n{mark}", owner.0)
}

/// Under which name a password is sealed: an app password's label is a label, and this is none of them.
fn record(key: &str) -> String {
    format!("external account {key}")
}

fn unknown(name: &str) -> Refusal {
    Refusal::new("external-unknown").with("name", name).field("name")
}

fn done(core: &Core, user: &Address, name: &str, action: &str, by: &str) {
    core.changed("external", &format!("{user} {name}"), action, by);
}
