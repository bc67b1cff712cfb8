//! Where mail to an address goes.
//!
//! In a domain of ours, the first that has the local part takes it: user, alias, group; then the same for what stands before
//! a `+`; then `postmaster` of the server; then the domain's catch-all. Aliases and groups lead on, to a bounded depth.

use std::collections::HashSet;
use std::sync::Arc;

use drivers::{Filter, kinds};
use shared::model::{Domain, OwnerId};
use shared::{Address, DomainName};

use crate::core::{Core, PIECE_ROWS, local_key};
use crate::{Account, Resolution, Unavailable, records};

/// Aliases and groups that may lead to each other.
const DEPTH_MAX: u32 = 16;
/// Recipients that one address may lead to; the rest of a larger one gets nothing, mailing lists are made for that.
const RECIPIENTS_MAX: usize = 100_000;
/// Larger resolutions are not kept in memory.
const KEPT_RECIPIENTS_MAX: usize = 100;

/// What an address is, one step.
enum Found {
    User(Arc<Account>),
    Leads(Vec<Address>),
    Disabled,
    Unknown,
}

#[derive(Default)]
struct Walk {
    seen: HashSet<String>,
    owners: HashSet<OwnerId>,
    accounts: Vec<Arc<Account>>,
    remote: Vec<Address>,
    disabled: bool,
}

pub(crate) async fn resolve(core: &Core, address: &Address) -> Result<Resolution, Unavailable> {
    let key = address.key();
    if let Some(found) = core.caches.resolutions.get(&key) {
        return Ok(Resolution::clone(&found));
    }
    let epoch = core.caches.epoch();
    let resolution = walk(core, address).await?;
    let recipients = match &resolution {
        Resolution::Deliver { accounts, remote } => accounts.len() + remote.len(),
        _ => 0,
    };
    // Names that are not ours are kept by `domain_of`: peers choose them.
    if recipients <= KEPT_RECIPIENTS_MAX && !matches!(resolution, Resolution::NotLocal) {
        core.caches
            .keep(&core.caches.resolutions, key, Arc::new(resolution.clone()), epoch);
    }
    Ok(resolution)
}

/// Own address, plus-addresses of it, aliases and groups that lead to the user, and what was allowed by name; not the catch-all.
pub(crate) async fn may_send_as(
    core: &Core,
    account: &Account,
    address: &Address,
) -> Result<bool, Unavailable> {
    // As it is now: the session may have begun before a change.
    let now = core.known(&account.address).await?;
    if let Some(known) = now
        && is_allowed_anywhere(core, &known.account.send_as, address).await?
    {
        return Ok(true);
    }
    is_address_of(core, account, address, true).await
}

/// Own address, plus-addresses of it, aliases that lead to the user; and, if wanted, addresses of the user's groups.
pub(crate) async fn is_address_of(
    core: &Core,
    account: &Account,
    address: &Address,
    with_groups: bool,
) -> Result<bool, Unavailable> {
    let own = account.address.key();
    let mut seen = HashSet::new();
    let mut waiting = vec![(address.clone(), 0)];
    while let Some((address, depth)) = waiting.pop() {
        let Some(domain) = core.domain_of(address.domain()).await? else {
            continue;
        };
        if depth > DEPTH_MAX || !seen.insert(local_key(address.local(), &domain)) {
            continue;
        }
        for local in [Some(address.local()), before_plus(address.local())]
            .into_iter()
            .flatten()
        {
            match user_or_alias(core, local, &domain).await? {
                Found::User(found) if found.owner == account.owner => return Ok(true),
                Found::Leads(targets) => {
                    waiting.extend(targets.into_iter().map(|target| (target, depth + 1)));
                    break;
                }
                Found::User(_) => break,
                Found::Disabled => {}
                Found::Unknown if !with_groups => {}
                // Members of a group are users, not aliases.
                Found::Unknown => match group(core, local, &domain).await? {
                    Some(members) if members.iter().any(|member| member.key() == own) => return Ok(true),
                    Some(_) => break,
                    None => {}
                },
            }
        }
    }
    Ok(false)
}

async fn walk(core: &Core, address: &Address) -> Result<Resolution, Unavailable> {
    if core.domain_of(address.domain()).await?.is_none() {
        return Ok(Resolution::NotLocal);
    }
    let mut walk = Walk::default();
    let mut waiting = vec![(address.clone(), 0)];
    while let Some((address, depth)) = waiting.pop() {
        if walk.accounts.len() + walk.remote.len() >= RECIPIENTS_MAX {
            break;
        }
        let Some(domain) = core.domain_of(address.domain()).await? else {
            // The local part of an address elsewhere is never folded.
            if walk
                .seen
                .insert(format!("{}@{}", address.local(), address.domain()))
            {
                walk.remote.push(address);
            }
            continue;
        };
        if depth > DEPTH_MAX || !walk.seen.insert(local_key(address.local(), &domain)) {
            continue;
        }
        match step(core, &address, &domain).await? {
            Found::User(account) if walk.owners.insert(account.owner) => walk.accounts.push(account),
            Found::User(_) | Found::Unknown => {}
            // In the order in which they were written.
            Found::Leads(targets) => {
                waiting.extend(targets.into_iter().rev().map(|target| (target, depth + 1)));
            }
            Found::Disabled => walk.disabled = true,
        }
    }
    Ok(match walk {
        Walk {
            accounts,
            remote,
            disabled,
            ..
        } if accounts.is_empty() && remote.is_empty() => {
            if disabled {
                Resolution::Disabled
            } else {
                Resolution::Unknown
            }
        }
        Walk { accounts, remote, .. } => Resolution::Deliver { accounts, remote },
    })
}

async fn step(core: &Core, address: &Address, domain: &Domain) -> Result<Found, Unavailable> {
    if !domain.enabled {
        return Ok(Found::Disabled);
    }
    let local = address.local();
    for local in [Some(local), before_plus(local)].into_iter().flatten() {
        match user_or_alias(core, local, domain).await? {
            Found::Unknown => {}
            found => return Ok(found),
        }
        if let Some(members) = group(core, local, domain).await? {
            return Ok(Found::Leads(members));
        }
    }
    // Nobody but this server can have made it.
    if let Some(sender) = core.srs.reverse(local, crate::srs::now()) {
        return Ok(Found::Leads(vec![sender]));
    }
    // RFC 5321 §4.5.1: every domain has a postmaster.
    let settings = core.settings.load();
    if local.eq_ignore_ascii_case("postmaster")
        && let Ok(postmaster) = Address::parse(settings.text("server.postmaster"))
    {
        return Ok(Found::Leads(vec![postmaster]));
    }
    Ok(domain
        .catch_all
        .clone()
        .map_or(Found::Unknown, |address| Found::Leads(vec![address])))
}

/// Whether an entry means that address, as it is or as what it stands for: without what is behind the plus, in the domain that its own is another
/// name of.
async fn is_allowed_anywhere(
    core: &Core,
    entries: &[String],
    address: &Address,
) -> Result<bool, Unavailable> {
    if entries.is_empty() {
        return Ok(false);
    }
    let Some(domain) = core.domain_of(address.domain()).await? else {
        // Elsewhere a plus may be a letter like others.
        return Ok(is_allowed(entries, address));
    };
    let local = address.local();
    // Behind the plus there may be somebody else's address.
    let is_taken = !matches!(user_or_alias(core, local, &domain).await?, Found::Unknown)
        || group(core, local, &domain).await?.is_some();
    let locals = [Some(local), before_plus(local).filter(|_| !is_taken)];
    let domains = [address.domain(), &domain.name];
    let same = locals.into_iter().flatten().flat_map(|local| {
        let of = |name: &&DomainName| Address::from_parts(local, (*name).clone()).ok();
        domains.iter().filter_map(of).collect::<Vec<_>>()
    });
    Ok(same.into_iter().any(|address| is_allowed(entries, &address)))
}

/// Whether an entry of [`shared::model::User::send_as`] means that address.
fn is_allowed(entries: &[String], address: &Address) -> bool {
    entries.iter().any(|entry| match entry.strip_prefix('@') {
        _ if entry == "*" => true,
        Some(domain) => address.domain().as_str() == domain,
        None => Address::parse(entry).is_ok_and(|entry| entry.key() == address.key()),
    })
}

/// `user+tag` is also `user`.
fn before_plus(local: &str) -> Option<&str> {
    local
        .split_once('+')
        .map(|(user, _)| user)
        .filter(|user| !user.is_empty())
}

async fn user_or_alias(core: &Core, local: &str, domain: &Domain) -> Result<Found, Unavailable> {
    if let Some(known) = core.known_in(local, domain).await? {
        return Ok(if known.enabled {
            Found::User(known.account)
        } else {
            Found::Disabled
        });
    }
    let Some(row) = core.get(&kinds::ALIAS, &local_key(local, domain)).await? else {
        return Ok(Found::Unknown);
    };
    let alias = records::alias(&row)?;
    Ok(if alias.enabled {
        Found::Leads(alias.targets)
    } else {
        Found::Disabled
    })
}

/// Members of the group that has that address, and of the groups within it.
async fn group(core: &Core, local: &str, domain: &Domain) -> Result<Option<Vec<Address>>, Unavailable> {
    let driver = core.driver(&kinds::GROUP);
    let filter = Filter::equal("address_key", local_key(local, domain));
    let Some(first) = driver.select(&kinds::GROUP, filter, 1).await?.into_iter().next() else {
        return Ok(None);
    };
    let mut seen = HashSet::from([first.text("key").to_owned()]);
    let mut waiting = vec![first];
    let mut members = Vec::new();
    while let Some(group) = waiting.pop() {
        let rows = core
            .all(
                &kinds::GROUP_MEMBER,
                Filter::equal("group_key", group.text("key")),
            )
            .await?;
        members.extend(
            rows.iter()
                .filter_map(|row| Address::parse(row.text("address")).ok()),
        );
        let within = group.list("member_groups").iter().map(|name| name.to_lowercase());
        let new: Vec<_> = within
            .filter(|key| seen.insert(key.clone()))
            .map(Into::into)
            .collect();
        waiting.extend(
            driver
                .select(&kinds::GROUP, Filter::any_of("key", new), PIECE_ROWS)
                .await?,
        );
    }
    Ok(Some(members))
}

/// The only domain of the server, if there is exactly one.
pub(crate) async fn only_domain(core: &Core) -> Result<Option<DomainName>, Unavailable> {
    let rows = core
        .driver(&kinds::DOMAIN)
        .scan(&kinds::DOMAIN, None, None, 2)
        .await?;
    match rows.as_slice() {
        [only] => Ok(DomainName::parse(only.text("name")).ok()),
        _ => Ok(None),
    }
}
