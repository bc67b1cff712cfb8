//! Domains and their other names.

use drivers::{Batch, Filter, Row, Value, kinds};
use shared::mechanisms::{self, Mechanisms};
use shared::model::{Domain, OwnerId};
use shared::protocol::{DomainRow, Page, Rows};
use shared::{DomainName, Refusal};

use super::{app_passwords, check_text, unknown_domain};
use crate::core::{Core, PIECE_ROWS, query};
use crate::{ChangeError, Unavailable, records};

/// Other names that a domain may have.
const DOMAIN_ALIASES_MAX: usize = 1000;

pub(crate) async fn list(core: &Core, page: Page) -> Result<Rows<DomainRow>, Unavailable> {
    let driver = core.driver(&kinds::DOMAIN);
    let found = driver
        .page(&kinds::DOMAIN, query(&page, None, &page.sort))
        .await?;
    let mut rows = Vec::with_capacity(found.rows.len());
    for row in &found.rows {
        let filter = Filter::equal("domain", row.text("name"));
        let users = core
            .driver(&kinds::USER)
            .count(&kinds::USER, Some(filter))
            .await?;
        rows.push(DomainRow {
            domain: records::domain(row)?,
            users,
        });
    }
    Ok(Rows {
        total: found.total,
        rows,
    })
}

pub(crate) async fn get(core: &Core, name: &DomainName) -> Result<Option<Domain>, Unavailable> {
    core.get(&kinds::DOMAIN, name.as_str())
        .await?
        .map(|row| records::domain(&row))
        .transpose()
}

pub(crate) async fn add(core: &Core, domain: Domain, by: &str) -> Result<u64, ChangeError> {
    let _changing = core.changing.lock().await;
    add_locked(core, domain, by).await
}

/// The caller holds the lock of changes.
pub(super) async fn add_locked(core: &Core, mut domain: Domain, by: &str) -> Result<u64, ChangeError> {
    domain.mechanisms = mechanisms::validate(&domain.mechanisms)?;
    check(core, &domain).await?;
    let mut batch = Batch::new().insert(records::domain_row(&domain));
    for row in name_rows(&domain) {
        batch = batch.insert(row);
    }
    let revision = first(core.write(batch, "domain", domain.name.as_str()).await?);
    core.caches.forget_all();
    // Those of the others stay: they need not be read again for each of very many that are added.
    let more = Mechanisms::of(&domain.mechanisms);
    core.offered.rcu(|offered| offered.and(more));
    core.changed("domain", domain.name.as_str(), "added", by);
    Ok(revision)
}

pub(crate) async fn set(core: &Core, mut domain: Domain, by: &str) -> Result<u64, ChangeError> {
    let _changing = core.changing.lock().await;
    domain.mechanisms = mechanisms::validate(&domain.mechanisms)?;
    check(core, &domain).await?;
    let before = get(core, &domain.name).await?;
    let name = domain.name.as_str();
    let mut batch = Batch::new()
        .update(
            vec![name.into()],
            records::domain_row(&domain),
            Some(domain.revision),
        )
        .delete_all(&kinds::DOMAIN_NAME, Filter::equal("domain", name));
    for row in name_rows(&domain) {
        batch = batch.insert(row);
    }
    let revision = first(core.write(batch, "domain", name).await?);
    core.caches.forget_all();
    core.load_offered().await?;
    let now = Mechanisms::of(&domain.mechanisms);
    if before.is_some_and(|before| Mechanisms::of(&before.mechanisms) != now) {
        forget_verifiers(core, &domain.name, now).await?;
    }
    core.changed("domain", name, "changed", by);
    Ok(revision)
}

/// Returns the owners whose mailboxes are to be removed with it.
pub(crate) async fn remove(
    core: &Core,
    name: &DomainName,
    with_users: bool,
    by: &str,
) -> Result<Vec<OwnerId>, ChangeError> {
    let _changing = core.changing.lock().await;
    let domain = get(core, name).await?.ok_or_else(|| unknown_domain(name))?;
    let of_domain = || Filter::equal("domain", name.as_str());
    let users = core
        .driver(&kinds::USER)
        .count(&kinds::USER, Some(of_domain()))
        .await;
    let users = users.map_err(Unavailable::from)?;
    if users > 0 && !with_users {
        return Err(Refusal::new("domain-not-empty")
            .with("name", name)
            .with("users", users)
            .into());
    }
    super::trees::check_none(core, name.as_str()).await?;
    let owners = owners(core, name).await?;
    let mut batch = Batch::new()
        .delete(&kinds::DOMAIN, vec![name.as_str().into()], None)
        .delete_all(&kinds::DOMAIN_NAME, of_domain())
        .delete_all(&kinds::USER, of_domain())
        .delete_all(&kinds::ALIAS, of_domain())
        .delete_all(&kinds::GROUP_MEMBER, of_domain());
    if !owners.is_empty() {
        let values: Vec<_> = owners.iter().map(|owner| Value::from(owner.0)).collect();
        batch = batch
            .delete_all(&kinds::CREDENTIAL, Filter::any_of("owner", values.clone()))
            .delete_all(&kinds::APP_PASSWORD, Filter::any_of("owner", values.clone()))
            .delete_all(&kinds::USER_CERTIFICATE, Filter::any_of("owner", values.clone()))
            .delete_all(&kinds::VACATION_ANSWER, Filter::any_of("owner", values.clone()))
            .delete_all(&kinds::SHARE, Filter::any_of("owner", values.clone()));
        batch = super::external::with_owner(batch, &values);
    }
    core.write(batch, "domain", name.as_str()).await?;
    for name in std::iter::once(name).chain(&domain.aliases) {
        super::dkim::remove_all(core, name).await?;
    }
    core.caches.forget_all();
    for owner in &owners {
        core.caches.formers.forget(*owner);
    }
    core.load_offered().await?;
    core.changed("domain", name.as_str(), "removed", by);
    Ok(owners)
}

/// What is kept for mechanisms that are off is removed at once, the password itself (APOP) above all. What those that are on need comes with the next
/// login that sends the password.
async fn forget_verifiers(core: &Core, name: &DomainName, wanted: Mechanisms) -> Result<(), ChangeError> {
    let owners = owners(core, name).await?;
    for piece in owners.chunks(usize::try_from(PIECE_ROWS).unwrap_or(1000)) {
        let mut batch = Batch::new();
        for owner in piece {
            if let Some(stored) = core.stored(*owner).await?
                && let Some(less) = stored.without_unwanted(wanted)
            {
                batch = batch.put(core.credential(*owner, &less)?);
            }
            batch = app_passwords::forget_verifiers(core, *owner, wanted, batch).await?;
        }
        core.write(batch, "domain", name.as_str()).await?;
        for owner in piece {
            core.caches.formers.restrict(*owner, wanted);
        }
    }
    Ok(())
}

async fn owners(core: &Core, name: &DomainName) -> Result<Vec<OwnerId>, Unavailable> {
    let (mut owners, mut after) = (Vec::new(), None);
    loop {
        let filter = Filter::equal("domain", name.as_str());
        let piece = core
            .driver(&kinds::USER)
            .scan(&kinds::USER, Some(filter), after, PIECE_ROWS)
            .await?;
        let Some(last) = piece.last() else {
            return Ok(owners);
        };
        after = Some(last.key());
        owners.extend(piece.iter().filter_map(|row| row.count("owner")).map(OwnerId));
    }
}

async fn check(core: &Core, domain: &Domain) -> Result<(), ChangeError> {
    shared::model::check_language(&domain.language)?;
    check_text("description", &domain.description)?;
    if domain.aliases.len() > DOMAIN_ALIASES_MAX {
        let refusal = Refusal::new("too-many")
            .with("field", "aliases")
            .with("max", DOMAIN_ALIASES_MAX);
        return Err(refusal.field("aliases").into());
    }
    let mut names = vec![&domain.name];
    for alias in &domain.aliases {
        if names.contains(&alias) {
            return Err(Refusal::new("domain-exists")
                .with("name", alias)
                .field("aliases")
                .into());
        }
        names.push(alias);
    }
    for name in names {
        let taken = core.get(&kinds::DOMAIN_NAME, name.as_str()).await?;
        if taken.is_some_and(|row| row.text("domain") != domain.name.as_str()) {
            let field = if *name == domain.name { "name" } else { "aliases" };
            return Err(Refusal::new("domain-exists")
                .with("name", name)
                .field(field)
                .into());
        }
    }
    Ok(())
}

fn name_rows(domain: &Domain) -> impl Iterator<Item = Row> {
    let names = std::iter::once(&domain.name).chain(&domain.aliases);
    names.map(|name| {
        Row::new(&kinds::DOMAIN_NAME)
            .with("name", name.as_str())
            .with("domain", domain.name.as_str())
    })
}

/// The revision of the first row of a batch.
pub(super) fn first(revisions: Vec<u64>) -> u64 {
    revisions.first().copied().unwrap_or(0)
}
