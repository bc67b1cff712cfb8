//! Public trees: folders of a domain or a group.

use std::sync::Arc;

use drivers::{Batch, Filter, Value, kinds};
use shared::model::{OwnerId, PublicTree, TreeOf};
use shared::protocol::{Page, Rows};
use shared::{DomainName, Refusal};

use super::domains::first;
use crate::core::{Core, query};
use crate::{ChangeError, Unavailable, records};

pub(crate) async fn list(core: &Core, page: Page) -> Result<Rows<PublicTree>, Unavailable> {
    let found = core
        .driver(&kinds::TREE)
        .page(&kinds::TREE, query(&page, None, "key"))
        .await?;
    Ok(Rows {
        total: found.total,
        rows: found.rows.iter().map(records::tree).collect(),
    })
}

/// By its name, in any case. Cached.
pub(crate) async fn get(core: &Core, name: &str) -> Result<Option<Arc<PublicTree>>, Unavailable> {
    let key = name.to_lowercase();
    if let Some(found) = core.caches.trees.get(&key) {
        return Ok(found);
    }
    let epoch = core.caches.epoch();
    let row = core.get(&kinds::TREE, &key).await?;
    let tree = row.map(|row| Arc::new(records::tree(&row)));
    core.caches.keep(&core.caches.trees, key, tree.clone(), epoch);
    Ok(tree)
}

/// Makes the tree of that domain or group.
pub(crate) async fn add(
    core: &Core,
    name: &str,
    quota_bytes: Option<u64>,
    by: &str,
) -> Result<PublicTree, ChangeError> {
    let _changing = core.changing.lock().await;
    let mut tree = PublicTree {
        name: String::new(),
        of: TreeOf::Domain,
        owner: OwnerId(0),
        quota_bytes,
        revision: 1,
    };
    (tree.name, tree.of) = named(core, name).await?;
    tree.owner = OwnerId(core.new_owners(1).await?.start);
    let batch = Batch::new().insert(records::tree_row(&tree));
    core.write(batch, "tree", &tree.name).await?;
    done(core, &tree.name, "added", by);
    Ok(tree)
}

/// Changes the quota.
pub(crate) async fn set(core: &Core, tree: PublicTree, by: &str) -> Result<u64, ChangeError> {
    let _changing = core.changing.lock().await;
    let old = core.get(&kinds::TREE, &tree.name.to_lowercase()).await?;
    let old = old.ok_or_else(|| Refusal::new("tree-unknown").with("name", &tree.name))?;
    let new = PublicTree {
        quota_bytes: tree.quota_bytes,
        ..records::tree(&old)
    };
    let batch = Batch::new().update(old.key(), records::tree_row(&new), Some(tree.revision));
    let revision = first(core.write(batch, "tree", &new.name).await?);
    done(core, &new.name, "changed", by);
    Ok(revision)
}

/// Returns the owner whose mailbox is to be removed with it.
pub(crate) async fn remove(core: &Core, name: &str, by: &str) -> Result<OwnerId, ChangeError> {
    let _changing = core.changing.lock().await;
    let key = name.to_lowercase();
    let old = core.get(&kinds::TREE, &key).await?;
    let old = records::tree(&old.ok_or_else(|| Refusal::new("tree-unknown").with("name", name))?);
    let batch = Batch::new()
        .delete(&kinds::TREE, vec![key.into()], None)
        .delete_all(&kinds::SHARE, Filter::equal("owner", Value::from(old.owner.0)));
    core.write(batch, "tree", &old.name).await?;
    done(core, &old.name, "removed", by);
    Ok(old.owner)
}

/// Refuses to remove a domain or a group while it has public folders: they would go unseen.
pub(super) async fn check_none(core: &Core, name: &str) -> Result<(), ChangeError> {
    if core.get(&kinds::TREE, &name.to_lowercase()).await?.is_some() {
        return Err(Refusal::new("tree-exists-of").with("name", name).into());
    }
    Ok(())
}

/// The domain or the group of that name, as it is written.
async fn named(core: &Core, name: &str) -> Result<(String, TreeOf), ChangeError> {
    if let Ok(domain) = DomainName::parse(name)
        && let Some(domain) = core.domain_of(&domain).await?
    {
        return Ok((domain.name.to_string(), TreeOf::Domain));
    }
    match core.get(&kinds::GROUP, &name.to_lowercase()).await? {
        Some(group) => Ok((group.text("name").to_owned(), TreeOf::Group)),
        None => Err(Refusal::new("tree-of-unknown")
            .with("name", name)
            .field("name")
            .into()),
    }
}

fn done(core: &Core, name: &str, action: &str, by: &str) {
    core.caches.forget_sharing();
    core.changed("tree", name, action, by);
}
