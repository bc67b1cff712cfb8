//! Groups of users, nested, perhaps with an address of their own.

use std::collections::{BTreeMap, BTreeSet};

use drivers::{Batch, Filter, Value, kinds};
use shared::model::Group;
use shared::protocol::{Page, Rows};
use shared::{Address, Refusal};

use super::domains::first;
use super::{check_free, check_text, in_own_domain};
use crate::core::{Core, query};
use crate::{ChangeError, Unavailable, records};

/// Longest name in bytes.
const NAME_LENGTH_MAX_BYTES: usize = 64;
/// Direct members of a group.
const MEMBERS_MAX: usize = 100_000;
/// Groups within a group.
const MEMBER_GROUPS_MAX: usize = 1000;

pub(crate) async fn list(core: &Core, page: Page) -> Result<Rows<Group>, Unavailable> {
    let sort = if page.sort == "description" {
        "description"
    } else {
        "key"
    };
    let found = core
        .driver(&kinds::GROUP)
        .page(&kinds::GROUP, query(&page, None, sort))
        .await?;
    let mut rows = Vec::with_capacity(found.rows.len());
    for row in &found.rows {
        let members = core
            .all(&kinds::GROUP_MEMBER, Filter::equal("group_key", row.text("key")))
            .await?;
        let members = members
            .iter()
            .filter_map(|row| Address::parse(row.text("address")).ok())
            .collect();
        rows.push(Group {
            members,
            ..records::group(row)
        });
    }
    Ok(Rows {
        total: found.total,
        rows,
    })
}

pub(crate) async fn add(core: &Core, mut group: Group, by: &str) -> Result<u64, ChangeError> {
    let _changing = core.changing.lock().await;
    check(core, &mut group, None).await?;
    let batch = with_members(Batch::new().insert(records::group_row(&group)), &group);
    let revision = first(core.write(batch, "group", &group.name).await?);
    done(core, &group.name, "added", by);
    Ok(revision)
}

pub(crate) async fn set(core: &Core, mut group: Group, by: &str) -> Result<u64, ChangeError> {
    let _changing = core.changing.lock().await;
    let key = group.name.to_lowercase();
    let old = core.get(&kinds::GROUP, &key).await?;
    let old = old.ok_or_else(|| Refusal::new("group-unknown").with("name", &group.name))?;
    check(core, &mut group, Some(old.text("address_key"))).await?;
    let batch = Batch::new()
        .update(
            vec![key.as_str().into()],
            records::group_row(&group),
            Some(group.revision),
        )
        .delete_all(&kinds::GROUP_MEMBER, Filter::equal("group_key", key.as_str()));
    let revision = first(
        core.write(with_members(batch, &group), "group", &group.name)
            .await?,
    );
    done(core, &group.name, "changed", by);
    Ok(revision)
}

pub(crate) async fn remove(core: &Core, name: &str, by: &str) -> Result<(), ChangeError> {
    let _changing = core.changing.lock().await;
    let key = name.to_lowercase();
    super::trees::check_none(core, name).await?;
    let batch = Batch::new()
        .delete(&kinds::GROUP, vec![key.as_str().into()], None)
        .delete_all(&kinds::GROUP_MEMBER, Filter::equal("group_key", key.as_str()));
    core.write(batch, "group", name).await?;
    done(core, name, "removed", by);
    Ok(())
}

/// The names of the groups that these addresses (by key) are direct members of.
pub(super) async fn groups_of(
    core: &Core,
    members: &[String],
) -> Result<BTreeMap<String, Vec<String>>, Unavailable> {
    let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let values: Vec<_> = members.iter().map(|key| Value::from(key.as_str())).collect();
    for values in values.chunks(1000) {
        let rows = core
            .all(
                &kinds::GROUP_MEMBER,
                Filter::any_of("member_key", values.to_vec()),
            )
            .await?;
        let keys: BTreeSet<_> = rows.iter().map(|row| row.text("group_key").to_owned()).collect();
        let keys = keys.into_iter().map(Value::from).collect();
        let groups = core.all(&kinds::GROUP, Filter::any_of("key", keys)).await?;
        let names: BTreeMap<_, _> = groups
            .iter()
            .map(|row| (row.text("key"), row.text("name")))
            .collect();
        for row in &rows {
            if let Some(name) = names.get(row.text("group_key")) {
                of.entry(row.text("member_key").to_owned())
                    .or_default()
                    .push((*name).to_owned());
            }
        }
    }
    Ok(of)
}

/// Refuses a name that no group has.
pub(super) async fn check_exist(core: &Core, names: &[String]) -> Result<(), ChangeError> {
    for name in names {
        if core.get(&kinds::GROUP, &name.to_lowercase()).await?.is_none() {
            return Err(Refusal::new("group-unknown")
                .with("name", name)
                .field("groups")
                .into());
        }
    }
    Ok(())
}

fn with_members(mut batch: Batch, group: &Group) -> Batch {
    let mut seen = BTreeSet::new();
    for member in group.members.iter().filter(|member| seen.insert(member.key())) {
        batch = batch.insert(records::member_row(&group.name, member));
    }
    batch
}

/// Also puts the addresses under their domains' own names.
async fn check(core: &Core, group: &mut Group, own: Option<&str>) -> Result<(), ChangeError> {
    check_name(&group.name)?;
    check_text("description", &group.description)?;
    for (field, count, max) in [
        ("members", group.members.len(), MEMBERS_MAX),
        ("member_groups", group.member_groups.len(), MEMBER_GROUPS_MAX),
    ] {
        if count > max {
            return Err(Refusal::new("too-many")
                .with("field", field)
                .with("max", max)
                .field(field)
                .into());
        }
    }
    if let Some(address) = &group.address {
        let address = in_own_domain(core, address).await?;
        check_free(core, &address, own.filter(|own| !own.is_empty())).await?;
        group.address = Some(address);
    }
    for member in &mut group.members {
        let Some(domain) = core.domain_of(member.domain()).await? else {
            continue;
        };
        *member = Address::from_parts(member.local(), domain.name.clone())?;
        if core.known(member).await?.is_none() {
            return Err(Refusal::new("user-unknown")
                .with("name", member)
                .field("members")
                .into());
        }
    }
    if group
        .member_groups
        .iter()
        .any(|name| name.to_lowercase() == group.name.to_lowercase())
    {
        return Err(Refusal::new("group-in-itself")
            .with("name", &group.name)
            .field("member_groups")
            .into());
    }
    check_exist(core, &group.member_groups).await
}

/// A name stands in rights as `$name` and in lists with commas: letters, digits, blanks, `-`, `_` and `.`.
fn check_name(name: &str) -> Result<(), Refusal> {
    let usable = |c: char| c.is_alphanumeric() || " -_.".contains(c);
    let good = !name.is_empty()
        && name.len() <= NAME_LENGTH_MAX_BYTES
        && name.trim() == name
        && name.chars().all(usable);
    if good {
        Ok(())
    } else {
        Err(Refusal::new("group-invalid").with("name", name).field("name"))
    }
}

fn done(core: &Core, name: &str, action: &str, by: &str) {
    core.caches.forget_user("", None);
    core.changed("group", name, action, by);
}
