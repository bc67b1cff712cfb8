//! Aliases: addresses that lead to others.

use drivers::{Batch, kinds};
use shared::model::Alias;
use shared::protocol::{Page, Rows};
use shared::{Address, DomainName, Refusal};

use super::domains::first;
use super::{check_free, in_own_domain};
use crate::core::{Core, domain_filter, query};
use crate::{ChangeError, Unavailable, records};

/// Addresses that an alias may lead to; more is a mailing list.
const ALIAS_TARGETS_MAX: usize = 1000;

pub(crate) async fn list(
    core: &Core,
    domain: Option<&DomainName>,
    page: Page,
) -> Result<Rows<Alias>, Unavailable> {
    let query = query(&page, domain_filter(domain), "key");
    let found = core.driver(&kinds::ALIAS).page(&kinds::ALIAS, query).await?;
    let rows = found.rows.iter().map(records::alias).collect::<Result<_, _>>()?;
    Ok(Rows {
        total: found.total,
        rows,
    })
}

pub(crate) async fn add(core: &Core, mut alias: Alias, by: &str) -> Result<u64, ChangeError> {
    let _changing = core.changing.lock().await;
    alias.address = in_own_domain(core, &alias.address).await?;
    check(&alias)?;
    check_free(core, &alias.address, None).await?;
    let name = alias.address.to_string();
    let revision = first(
        core.write(Batch::new().insert(records::alias_row(&alias)), "alias", &name)
            .await?,
    );
    done(core, &alias.address, "added", by);
    Ok(revision)
}

pub(crate) async fn set(core: &Core, mut alias: Alias, by: &str) -> Result<u64, ChangeError> {
    let _changing = core.changing.lock().await;
    alias.address = in_own_domain(core, &alias.address).await?;
    check(&alias)?;
    let key = vec![alias.address.key().into()];
    let batch = Batch::new().update(key, records::alias_row(&alias), Some(alias.revision));
    let revision = first(core.write(batch, "alias", &alias.address.to_string()).await?);
    done(core, &alias.address, "changed", by);
    Ok(revision)
}

pub(crate) async fn remove(core: &Core, address: &Address, by: &str) -> Result<(), ChangeError> {
    let _changing = core.changing.lock().await;
    let batch = Batch::new().delete(&kinds::ALIAS, vec![address.key().into()], None);
    core.write(batch, "alias", &address.to_string()).await?;
    done(core, address, "removed", by);
    Ok(())
}

fn check(alias: &Alias) -> Result<(), Refusal> {
    if alias.targets.is_empty() {
        return Err(Refusal::new("alias-without-target")
            .with("name", &alias.address)
            .field("targets"));
    }
    if alias.targets.len() > ALIAS_TARGETS_MAX {
        return Err(Refusal::new("too-many")
            .with("field", "targets")
            .with("max", ALIAS_TARGETS_MAX)
            .field("targets"));
    }
    if alias
        .targets
        .iter()
        .any(|target| target.key() == alias.address.key())
    {
        return Err(Refusal::new("alias-to-itself")
            .with("name", &alias.address)
            .field("targets"));
    }
    Ok(())
}

fn done(core: &Core, address: &Address, action: &str, by: &str) {
    core.caches.forget_user(&address.key(), None);
    core.changed("alias", &address.to_string(), action, by);
}
