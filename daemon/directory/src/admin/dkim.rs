//! Keys that sign mail. Their private halves are sealed as verifiers of passwords are, bound to domain and selector.
//!
//! Must not know: what a key is made of.

use drivers::{Batch, Filter, Row, Value, kinds};
use shared::model::DkimKey;
use shared::protocol::{Page, Rows};
use shared::{DomainName, Refusal};

use super::domains::first;
use super::unknown_domain;
use crate::core::{Core, query};
use crate::{ChangeError, Unavailable, records};

/// Keys of one domain.
const KEYS_MAX_COUNT: u64 = 20;
/// DNS has no longer label.
const SELECTOR_LABEL_MAX_BYTES: usize = 63;

pub(crate) async fn list(
    core: &Core,
    domain: Option<&DomainName>,
    page: Page,
) -> Result<Rows<DkimKey>, Unavailable> {
    let filter = domain.map(of_domain);
    let sort = if page.sort.is_empty() {
        "domain"
    } else {
        &page.sort
    };
    let found = core
        .driver(&kinds::DKIM_KEY)
        .page(&kinds::DKIM_KEY, query(&page, filter, sort))
        .await?;
    let rows: Result<Vec<DkimKey>, Unavailable> = found.rows.iter().map(records::dkim_key).collect();
    Ok(Rows {
        total: found.total,
        rows: rows?,
    })
}

pub(crate) async fn get(
    core: &Core,
    domain: &DomainName,
    selector: &str,
) -> Result<Option<DkimKey>, Unavailable> {
    row(core, domain, selector)
        .await?
        .map(|row| records::dkim_key(&row))
        .transpose()
}

pub(crate) async fn add(
    core: &Core,
    mut key: DkimKey,
    private: Vec<u8>,
    by: &str,
) -> Result<DkimKey, ChangeError> {
    let _changing = core.changing.lock().await;
    if core.domain_of(&key.domain).await?.is_none() {
        return Err(unknown_domain(&key.domain).into());
    }
    let label_ok = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && label.len() <= SELECTOR_LABEL_MAX_BYTES && label.bytes().all(plain)
    };
    if !key.selector.split('.').all(label_ok) || DomainName::parse(&key.record_name).is_err() {
        return Err(Refusal::new("selector-invalid")
            .with("selector", &key.selector)
            .field("selector")
            .into());
    }
    let count = core
        .driver(&kinds::DKIM_KEY)
        .count(&kinds::DKIM_KEY, Some(of_domain(&key.domain)))
        .await
        .map_err(Unavailable::from)?;
    if count >= KEYS_MAX_COUNT {
        return Err(Refusal::new("too-many")
            .with("field", "keys")
            .with("max", KEYS_MAX_COUNT)
            .into());
    }
    let sealed = core.seal.seal_bytes(&place(&key.domain, &key.selector), private);
    let sealed = sealed.ok_or_else(|| Unavailable("the system gives no random bytes".to_owned()))?;
    let batch = Batch::new().insert(records::dkim_key_row(&key).with("private", sealed));
    key.revision = first(core.write(batch, "dkim", &key.selector).await?);
    core.changed("dkim", &key.record_name, "added", by);
    Ok(key)
}

pub(crate) async fn set(
    core: &Core,
    domain: &DomainName,
    selector: &str,
    active: bool,
    by: &str,
) -> Result<u64, ChangeError> {
    let _changing = core.changing.lock().await;
    let row = row(core, domain, selector).await?;
    let row = row.ok_or_else(|| Refusal::new("dkim-unknown").with("name", selector))?;
    let batch = Batch::new().update(key(domain, selector), row.with("active", active), None);
    let revision = first(core.write(batch, "dkim", selector).await?);
    let name = format!("{selector}._domainkey.{domain}");
    core.changed("dkim", &name, if active { "enabled" } else { "disabled" }, by);
    Ok(revision)
}

pub(crate) async fn remove(
    core: &Core,
    domain: &DomainName,
    selector: &str,
    by: &str,
) -> Result<(), ChangeError> {
    let _changing = core.changing.lock().await;
    let batch = Batch::new().delete(&kinds::DKIM_KEY, key(domain, selector), None);
    core.write(batch, "dkim", selector).await?;
    core.changed("dkim", &format!("{selector}._domainkey.{domain}"), "removed", by);
    Ok(())
}

/// Goes with its domain. The caller holds the lock of changes.
pub(super) async fn remove_all(core: &Core, domain: &DomainName) -> Result<(), ChangeError> {
    let batch = Batch::new().delete_all(&kinds::DKIM_KEY, of_domain(domain));
    core.write(batch, "dkim", domain.as_str()).await.map(drop)
}

pub(crate) async fn secrets(
    core: &Core,
    domain: &DomainName,
) -> Result<Vec<(DkimKey, Option<Vec<u8>>)>, Unavailable> {
    let mut out = Vec::new();
    for row in core.all(&kinds::DKIM_KEY, of_domain(domain)).await? {
        let key = records::dkim_key(&row)?;
        let private = core
            .seal
            .open_bytes(&place(&key.domain, &key.selector), row.bytes("private"));
        if key.active {
            out.push((key, private));
        }
    }
    Ok(out)
}

async fn row(core: &Core, domain: &DomainName, selector: &str) -> Result<Option<Row>, Unavailable> {
    let descriptor = &kinds::DKIM_KEY;
    let found = core.driver(descriptor).get(descriptor, key(domain, selector));
    Ok(found.await?)
}

fn key(domain: &DomainName, selector: &str) -> Vec<Value> {
    vec![domain.as_str().into(), selector.into()]
}

fn of_domain(domain: &DomainName) -> Filter {
    Filter::equal("domain", domain.as_str())
}

fn place(domain: &DomainName, selector: &str) -> Vec<u8> {
    format!("dkim {selector} {domain}").into_bytes()
}
