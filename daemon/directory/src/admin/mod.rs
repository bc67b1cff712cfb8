//! Administration: one file per kind. Each change is checked and made under one lock, then forgotten by the caches, then
//! told: as an event and to the subscribers.

pub(crate) mod access;
pub(crate) mod aliases;
pub(crate) mod app_passwords;
pub(crate) mod certificates;
pub(crate) mod dkim;
pub(crate) mod domains;
pub(crate) mod external;
pub(crate) mod groups;
pub(crate) mod import;
pub(crate) mod reports;
pub(crate) mod routes;
pub(crate) mod settings;
pub(crate) mod trees;
pub(crate) mod users;
pub(crate) mod vacation;

use drivers::{Filter, kinds};
use shared::{Address, DomainName, Refusal};

use crate::ChangeError;
use crate::core::Core;

/// Longest name, description or comment in bytes.
pub(crate) const TEXT_LENGTH_MAX_BYTES: usize = 1024;

/// Refuses texts that are too long or hold control characters.
pub(crate) fn check_text(field: &str, text: &str) -> Result<(), Refusal> {
    if text.len() > TEXT_LENGTH_MAX_BYTES || text.chars().any(char::is_control) {
        return Err(Refusal::new("text-invalid").with("field", field).field(field));
    }
    Ok(())
}

/// The address with the domain's own name. Refuses a domain that is not ours.
pub(crate) async fn in_own_domain(core: &Core, address: &Address) -> Result<Address, ChangeError> {
    let Some(domain) = core.domain_of(address.domain()).await? else {
        return Err(unknown_domain(address.domain()).into());
    };
    Ok(Address::from_parts(address.local(), domain.name.clone())?)
}

pub(crate) fn unknown_domain(name: &DomainName) -> Refusal {
    Refusal::new("domain-unknown").with("name", name).field("domain")
}

/// Refuses an address that a user, an alias or a group has, but for the one whose key is `own`.
pub(crate) async fn check_free(core: &Core, address: &Address, own: Option<&str>) -> Result<(), ChangeError> {
    let key = address.key();
    if own == Some(key.as_str()) {
        return Ok(());
    }
    let by_key = |code: &str| ChangeError::Refused(Refusal::new(code).with("name", address).field("address"));
    if core.get(&kinds::USER, &key).await?.is_some() {
        return Err(by_key("user-exists"));
    }
    if core.get(&kinds::ALIAS, &key).await?.is_some() {
        return Err(by_key("alias-exists"));
    }
    let group = core
        .driver(&kinds::GROUP)
        .select(&kinds::GROUP, Filter::equal("address_key", key), 1)
        .await;
    if !group.map_err(crate::Unavailable::from)?.is_empty() {
        return Err(by_key("group-address-exists"));
    }
    Ok(())
}
