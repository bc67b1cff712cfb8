//! Whom a name of NTLM means: `DOMAIN\user`, where the domain is whatever the user typed or the client's machine is a member of.
//!
//! It is tried as one of our domains by its DNS name, then as the NetBIOS name that organisations give a domain: the first label, at most 15 characters. A
//! domain that is none of ours (the client's machine, this server's name) says nothing, and the name beside it stands for itself as in other mechanisms.
//! Whoever is found: the proof of the password holds for the domain as it was sent.

use drivers::kinds;
use shared::{Address, DomainName};

use super::find as find_plain;
use crate::Unavailable;
use crate::cache::Known;
use crate::core::Core;

/// Characters of a name in NetBIOS: longer labels are cut there.
const NETBIOS_NAME_MAX_CHARS: usize = 15;

pub(crate) async fn find(core: &Core, name: &str) -> Result<Option<Known>, Unavailable> {
    let Some((domain, user)) = name.split_once('\\') else {
        return find_plain(core, name).await;
    };
    if let Some(domain) = domain_named(core, domain).await? {
        return match Address::from_parts(user, domain) {
            Ok(address) => core.known(&address).await,
            Err(_) => Ok(None),
        };
    }
    find_plain(core, user).await
}

async fn domain_named(core: &Core, name: &str) -> Result<Option<DomainName>, Unavailable> {
    let Ok(name) = DomainName::parse(name) else {
        return Ok(None);
    };
    if core.domain_of(&name).await?.is_some() {
        return Ok(Some(name));
    }
    if name.as_str().contains('.') {
        return Ok(None);
    }
    netbios(core, name.as_str()).await
}

/// The one domain whose first label that is; none if there are several.
async fn netbios(core: &Core, label: &str) -> Result<Option<DomainName>, Unavailable> {
    let beginning = if label.chars().count() < NETBIOS_NAME_MAX_CHARS {
        format!("{label}.")
    } else {
        label.to_owned()
    };
    // Rows come in the order of their keys: two are enough to know whether there is one.
    let after = Some(vec![beginning.as_str().into()]);
    let rows = core
        .driver(&kinds::DOMAIN_NAME)
        .scan(&kinds::DOMAIN_NAME, None, after, 2)
        .await?;
    let mut found = rows.iter().filter(|row| row.text("name").starts_with(&beginning));
    match (found.next(), found.next()) {
        (Some(row), None) => Ok(DomainName::parse(row.text("domain")).ok()),
        (Some(row), Some(other)) if row.text("domain") == other.text("domain") => {
            Ok(DomainName::parse(row.text("domain")).ok())
        }
        _ => Ok(None),
    }
}
