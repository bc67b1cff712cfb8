//! Users and their passwords.

use std::sync::Arc;

use drivers::{Batch, Filter, Value, kinds};
use shared::model::{OwnerId, User, Vacation, check_language, send_as};
use shared::protocol::{NewUser, Page, Rows, UserRow};
use shared::{Address, DomainName, Refusal};

use super::{app_passwords, check_free, check_text, external, groups, in_own_domain, vacation};
use crate::core::{Core, domain_filter, query};
use crate::login::permit;
use crate::password::{Given, Stored};
use crate::{ChangeError, Unavailable, records};

/// Addresses that a user's mail may be forwarded to.
const FORWARDS_MAX: usize = 100;
/// Groups that a user may be a direct member of.
const GROUPS_MAX: usize = 1000;
/// What a user may send as beside the own addresses.
const SEND_AS_MAX: usize = 100;

pub(crate) async fn list(
    core: &Core,
    domain: Option<&DomainName>,
    page: Page,
) -> Result<Rows<UserRow>, Unavailable> {
    let sort = match page.sort.as_str() {
        "name" => "name",
        "quota" | "quota_bytes" => "quota_bytes",
        _ => "key",
    };
    let query = query(&page, domain_filter(domain), sort);
    let found = core.driver(&kinds::USER).page(&kinds::USER, query).await?;
    let keys: Vec<_> = found.rows.iter().map(|row| row.text("key").to_owned()).collect();
    let mut groups = groups::groups_of(core, &keys).await?;
    let mut rows = Vec::with_capacity(found.rows.len());
    for row in &found.rows {
        let groups = groups.remove(row.text("key")).unwrap_or_default();
        rows.push(UserRow {
            user: User {
                groups,
                ..records::user(row)?
            },
            used_bytes: None,
        });
    }
    Ok(Rows {
        total: found.total,
        rows,
    })
}

pub(crate) async fn get(core: &Core, address: &Address) -> Result<Option<User>, Unavailable> {
    let Some(domain) = core.domain_of(address.domain()).await? else {
        return Ok(None);
    };
    let key = crate::core::local_key(address.local(), &domain);
    let Some(row) = core.get(&kinds::USER, &key).await? else {
        return Ok(None);
    };
    let groups = groups::groups_of(core, std::slice::from_ref(&key))
        .await?
        .remove(&key)
        .unwrap_or_default();
    Ok(Some(User {
        groups,
        ..records::user(&row)?
    }))
}

pub(crate) async fn add(core: &Arc<Core>, new: NewUser, by: &str) -> Result<User, ChangeError> {
    let given = new.password.as_deref().map(Given::parse).transpose()?;
    let address = in_own_domain(core, &new.address).await?;
    let stored = match given {
        Some(given) => Some(make(core, &address, given, None).await?),
        None => None,
    };
    let _changing = core.changing.lock().await;
    let mut user = new_user(address, &new, stored.is_some());
    check(core, &user).await?;
    check_free(core, &user.address, None).await?;
    check_room(core, user.address.domain(), 1).await?;
    user.owner = OwnerId(core.new_owners(1).await?.start);
    let batch = insertion(core, Batch::new(), &user, stored.as_ref())?;
    core.write(batch, "user", &user.address.to_string()).await?;
    user.revision = 1;
    done(core, &user, "added", by);
    Ok(user)
}

pub(crate) async fn set(core: &Core, mut user: User, by: &str) -> Result<u64, ChangeError> {
    let _changing = core.changing.lock().await;
    let old = known(core, &user.address).await?;
    // What is not the editor's to change.
    user.address = Address::from_parts(user.address.local(), old.address.domain().clone())?;
    user.owner = old.owner;
    user.has_password = old.has_password;
    check(core, &user).await?;
    let key = user.address.key();
    let batch = Batch::new()
        .update(
            vec![key.as_str().into()],
            records::user_row(&user),
            Some(user.revision),
        )
        .delete_all(&kinds::GROUP_MEMBER, Filter::equal("member_key", key.as_str()));
    let mut batch = with_groups(batch, &user);
    if user.vacation != old.vacation {
        batch = vacation::forgotten(batch, old.owner);
    }
    let revisions = core.write(batch, "user", &user.address.to_string()).await?;
    done(core, &user, "changed", by);
    Ok(super::domains::first(revisions))
}

pub(crate) async fn rename(
    core: &Core,
    address: &Address,
    to: &Address,
    by: &str,
) -> Result<u64, ChangeError> {
    let _changing = core.changing.lock().await;
    let old = known(core, address).await?;
    let to = in_own_domain(core, to).await?;
    check_free(core, &to, Some(&old.address.key())).await?;
    if to.domain() != old.address.domain() {
        check_room(core, to.domain(), 1).await?;
    }
    let new = User {
        address: to,
        ..old.clone()
    };
    let old_key = old.address.key();
    let mut batch = Batch::new()
        .update(
            vec![old_key.as_str().into()],
            records::user_row(&new),
            Some(old.revision),
        )
        .delete_all(
            &kinds::GROUP_MEMBER,
            Filter::equal("member_key", old_key.as_str()),
        );
    batch = with_groups(batch, &new);
    if let Some(mut stored) = core.stored(old.owner).await? {
        // It holds for one spelling of the name; the next plain login makes it again.
        stored.verifiers.digest_md5 = None;
        batch = batch.put(core.credential(old.owner, &stored)?);
    }
    batch = app_passwords::renamed(core, old.owner, batch).await?;
    let revisions = core.write(batch, "user", &old.address.to_string()).await?;
    core.caches.forget_user(&old_key, Some(old.owner));
    // They hold for the old name, and the old domain's mechanisms.
    core.caches.formers.forget(old.owner);
    done(core, &new, "renamed", by);
    core.announce("user", &old.address.to_string(), by);
    Ok(super::domains::first(revisions))
}

pub(crate) async fn set_password(
    core: &Arc<Core>,
    address: &Address,
    password: &str,
    by: &str,
) -> Result<(), ChangeError> {
    let given = Given::parse(password)?;
    let address = in_own_domain(core, address).await?;
    let salt = app_passwords::salt(core, known(core, &address).await?.owner).await?;
    let stored = make(core, &address, given, salt).await?;
    let _changing = core.changing.lock().await;
    let mut user = known(core, &address).await?;
    user.has_password = true;
    let old = core.stored(user.owner).await?;
    let batch = Batch::new().put(core.credential(user.owner, &stored)?).update(
        vec![user.address.key().into()],
        records::user_row(&user),
        None,
    );
    core.write(batch, "user", &user.address.to_string()).await?;
    if let Some(old) = old {
        core.caches.formers.add(user.owner, old.into());
    }
    done(core, &user, "password-changed", by);
    Ok(())
}

pub(crate) async fn remove(core: &Core, address: &Address, by: &str) -> Result<OwnerId, ChangeError> {
    let _changing = core.changing.lock().await;
    let user = known(core, address).await?;
    let key = user.address.key();
    let batch = Batch::new()
        .delete(&kinds::USER, vec![key.as_str().into()], None)
        .delete_all(
            &kinds::CREDENTIAL,
            Filter::equal("owner", Value::from(user.owner.0)),
        )
        .delete_all(
            &kinds::APP_PASSWORD,
            Filter::equal("owner", Value::from(user.owner.0)),
        )
        .delete_all(
            &kinds::USER_CERTIFICATE,
            Filter::equal("owner", Value::from(user.owner.0)),
        )
        .delete_all(&kinds::SHARE, Filter::equal("owner", Value::from(user.owner.0)))
        .delete_all(&kinds::GROUP_MEMBER, Filter::equal("member_key", key.as_str()));
    let batch = vacation::forgotten(batch, user.owner);
    let batch = external::with_owner(batch, &[user.owner.0.into()]);
    core.write(batch, "user", &user.address.to_string()).await?;
    core.caches.formers.forget(user.owner);
    done(core, &user, "removed", by);
    Ok(user.owner)
}

/// A user that does not exist yet; the owner's number is still missing.
pub(super) fn new_user(address: Address, new: &NewUser, has_password: bool) -> User {
    User {
        address,
        owner: OwnerId(0),
        name: new.name.clone(),
        enabled: new.enabled,
        quota_bytes: new.quota_bytes,
        denied_protocols: Vec::new(),
        forward_to: Vec::new(),
        forward_keep: true,
        send_as: Vec::new(),
        language: String::new(),
        vacation: Vacation::default(),
        groups: new.groups.clone(),
        has_password,
        revision: 0,
    }
}

/// The changes that make a user.
pub(super) fn insertion(
    core: &Core,
    batch: Batch,
    user: &User,
    stored: Option<&Stored>,
) -> Result<Batch, Unavailable> {
    let mut batch = batch.insert(records::user_row(user));
    if let Some(stored) = stored {
        batch = batch.put(core.credential(user.owner, stored)?);
    }
    Ok(with_groups(batch, user))
}

pub(super) async fn check(core: &Core, user: &User) -> Result<(), ChangeError> {
    check_text("name", &user.name)?;
    for (field, count, max) in [
        ("forward_to", user.forward_to.len(), FORWARDS_MAX),
        ("send_as", user.send_as.len(), SEND_AS_MAX),
        ("groups", user.groups.len(), GROUPS_MAX),
    ] {
        if count > max {
            return Err(Refusal::new("too-many")
                .with("field", field)
                .with("max", max)
                .field(field)
                .into());
        }
    }
    user.vacation.check()?;
    check_language(&user.language)?;
    for entry in &user.send_as {
        send_as(entry).map_err(|refusal| refusal.field("send_as"))?;
    }
    if user.forward_to.iter().any(|to| to.key() == user.address.key()) {
        return Err(Refusal::new("forward-to-itself")
            .with("name", &user.address)
            .field("forward_to")
            .into());
    }
    groups::check_exist(core, &user.groups).await
}

/// Refuses more users than the domain may have.
pub(super) async fn check_room(core: &Core, name: &DomainName, more: u64) -> Result<(), ChangeError> {
    let Some(domain) = core.domain_of(name).await? else {
        return Err(super::unknown_domain(name).into());
    };
    let Some(max) = domain.users_max else {
        return Ok(());
    };
    let filter = Filter::equal("domain", domain.name.as_str());
    let users = core
        .driver(&kinds::USER)
        .count(&kinds::USER, Some(filter))
        .await
        .map_err(Unavailable::from)?;
    if users + more > u64::from(max) {
        return Err(Refusal::new("domain-full")
            .with("name", name)
            .with("max", max)
            .field("address")
            .into());
    }
    Ok(())
}

pub(super) async fn known(core: &Core, address: &Address) -> Result<User, ChangeError> {
    let unknown = || {
        Refusal::new("user-unknown")
            .with("name", address)
            .field("address")
    };
    Ok(get(core, address).await?.ok_or_else(unknown)?)
}

/// Hashes on a thread that may block.
async fn make(
    core: &Core,
    address: &Address,
    given: Given,
    salt: Option<Vec<u8>>,
) -> Result<Stored, ChangeError> {
    let wanted = core.mechanisms_of(address).await?;
    let _permit = permit(core).await?;
    let user = address.key();
    let making = tokio::task::spawn_blocking(move || match &given {
        Given::Plain(password) => Stored::make(&user, password, salt.as_deref(), wanted),
        Given::Hash(_) => Stored::make_for_import(&user, &given, wanted),
    });
    let made = making
        .await
        .map_err(|_| Unavailable("hashing a password failed".to_owned()))?;
    Ok(made?)
}

fn with_groups(mut batch: Batch, user: &User) -> Batch {
    let mut seen = std::collections::BTreeSet::new();
    for group in user
        .groups
        .iter()
        .filter(|group| seen.insert(group.to_lowercase()))
    {
        batch = batch.insert(records::member_row(group, &user.address));
    }
    batch
}

fn done(core: &Core, user: &User, action: &str, by: &str) {
    core.caches.forget_user(&user.address.key(), Some(user.owner));
    core.changed("user", &user.address.to_string(), action, by);
}
