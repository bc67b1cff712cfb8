//! Who somebody is in respect of rights on folders, and who has shared folders with whom.
//!
//! A mailbox keeps rights under identifiers in the form of [`Directory::identifier`](crate::Directory::identifier): users by the
//! number of their owner, so that a rename changes nothing and nobody inherits the rights of a namesake who is gone. What `share` holds is
//! a hint: it says which owners are worth asking, and may name too many, never too few.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use drivers::{Batch, Filter, Value, kinds};
use shared::model::{OwnerId, PublicTree};
use shared::{Address, DomainName, Rights};

use crate::core::Core;
use crate::{Account, ChangeError, Unavailable, records};

/// Groups of one user, those around them included, that count.
const GROUPS_MAX: usize = 10_000;
/// Owners that one user is shown.
const SHARERS_MAX: usize = 10_000;

const ANYONE: &str = "anyone";
const AUTHENTICATED: &str = "authenticated";

/// All identifiers that mean one user.
#[derive(Debug, PartialEq, Eq)]
pub struct Identity {
    names: HashSet<String>,
}

impl Identity {
    /// What these grants make together (RFC 4314 §2): the union of what is given less the union of what is denied.
    pub fn rights(&self, granted: &[(String, String)]) -> Rights {
        let (mut given, mut denied) = (Rights::NONE, Rights::NONE);
        for (identifier, letters) in granted {
            let rights = Rights::parse(letters).unwrap_or_default();
            match identifier.strip_prefix('-') {
                Some(identifier) if self.names.contains(identifier) => denied = denied.with(rights),
                None if self.names.contains(identifier) => given = given.with(rights),
                _ => {}
            }
        }
        given.without(denied)
    }
}

/// Whose mailbox an owner's is.
#[derive(Clone, Debug)]
pub enum Whose {
    User(Arc<Account>),
    Tree(Arc<PublicTree>),
}

impl Whose {
    pub fn owner(&self) -> OwnerId {
        match self {
            Self::User(account) => account.owner,
            Self::Tree(tree) => tree.owner,
        }
    }
}

/// The groups that each group lies in, by their names in lower case.
pub(crate) type Nesting = HashMap<String, Vec<String>>;

pub(crate) async fn identity(core: &Core, account: &Account) -> Result<Arc<Identity>, Unavailable> {
    let key = account.owner.0.to_string();
    if let Some(found) = core.caches.identities.get(&key) {
        return Ok(found);
    }
    let epoch = core.caches.epoch();
    let mut names = HashSet::from([
        by_owner(account.owner),
        account.address.key(),
        format!("@{}", account.address.domain()),
        ANYONE.to_owned(),
        AUTHENTICATED.to_owned(),
    ]);
    for group in groups(core, &account.address).await? {
        names.insert(format!("${group}"));
    }
    let identity = Arc::new(Identity { names });
    core.caches
        .keep(&core.caches.identities, key, Arc::clone(&identity), epoch);
    Ok(identity)
}

/// The groups of a user and those around them, in lower case.
async fn groups(core: &Core, address: &Address) -> Result<BTreeSet<String>, Unavailable> {
    let direct = core
        .all(&kinds::GROUP_MEMBER, Filter::equal("member_key", address.key()))
        .await?;
    let mut waiting: Vec<String> = direct
        .iter()
        .map(|row| row.text("group_key").to_owned())
        .collect();
    if waiting.is_empty() {
        return Ok(BTreeSet::new());
    }
    let nesting = nesting(core).await?;
    let mut all = BTreeSet::new();
    while let Some(group) = waiting.pop() {
        if all.len() >= GROUPS_MAX || all.contains(&group) {
            continue;
        }
        waiting.extend(nesting.get(&group).into_iter().flatten().cloned());
        all.insert(group);
    }
    Ok(all)
}

async fn nesting(core: &Core) -> Result<Arc<Nesting>, Unavailable> {
    if let Some(found) = core.caches.nesting.get("") {
        return Ok(found);
    }
    let epoch = core.caches.epoch();
    let mut nesting = Nesting::new();
    core.each(&kinds::GROUP, |row| {
        for within in row.list("member_groups") {
            let around = nesting.entry(within.to_lowercase()).or_default();
            around.push(row.text("key").to_owned());
        }
    })
    .await?;
    let nesting = Arc::new(nesting);
    core.caches
        .keep(&core.caches.nesting, String::new(), Arc::clone(&nesting), epoch);
    Ok(nesting)
}

fn by_owner(owner: OwnerId) -> String {
    format!("#{}", owner.0)
}

/// What a person writes, as it is kept. `None`: there is nobody of that name.
pub(crate) async fn identifier(core: &Core, written: &str) -> Result<Option<String>, Unavailable> {
    let (minus, name) = match written.strip_prefix('-') {
        Some(name) => ("-", name),
        None => ("", written),
    };
    let kept = if [ANYONE, AUTHENTICATED]
        .iter()
        .any(|all| all.eq_ignore_ascii_case(name))
    {
        Some(name.to_ascii_lowercase())
    } else if let Some(group) = name.strip_prefix('$') {
        let key = group.to_lowercase();
        let found = core.get(&kinds::GROUP, &key).await?;
        found.map(|_| format!("${key}"))
    } else if let Some(domain) = name.strip_prefix('@') {
        match DomainName::parse(domain) {
            Ok(domain) => core
                .domain_of(&domain)
                .await?
                .map(|domain| format!("@{}", domain.name)),
            Err(_) => None,
        }
    } else {
        match Address::parse(name) {
            Ok(address) => core
                .known(&address)
                .await?
                .map(|known| by_owner(known.account.owner)),
            Err(_) => None,
        }
    };
    Ok(kept.map(|kept| format!("{minus}{kept}")))
}

/// The reverse of [`identifier`]. `None`: nobody has that name any more.
pub(crate) async fn identifier_name(core: &Core, kept: &str) -> Result<Option<String>, Unavailable> {
    let (minus, name) = match kept.strip_prefix('-') {
        Some(name) => ("-", name),
        None => ("", kept),
    };
    let name = if let Some(owner) = name.strip_prefix('#') {
        let owner = OwnerId(owner.parse().unwrap_or(0));
        match whose(core, owner).await? {
            Some(Whose::User(account)) => Some(account.address.to_string()),
            _ => None,
        }
    } else if let Some(group) = name.strip_prefix('$') {
        let found = core.get(&kinds::GROUP, group).await?;
        found.map(|row| format!("${}", row.text("name")))
    } else {
        Some(name.to_owned())
    };
    Ok(name.map(|name| format!("{minus}{name}")))
}

/// Whose mailbox that is; `None`: nobody's any more.
pub(crate) async fn whose(core: &Core, owner: OwnerId) -> Result<Option<Whose>, Unavailable> {
    let key = owner.0.to_string();
    if let Some(found) = core.caches.whose.get(&key) {
        return Ok(found);
    }
    let epoch = core.caches.epoch();
    let by_owner = || Filter::equal("owner", Value::from(owner.0));
    let users = core.driver(&kinds::USER);
    let user = users
        .select(&kinds::USER, by_owner(), 1)
        .await?
        .into_iter()
        .next();
    let whose = match user {
        Some(row) => {
            let address = records::user(&row)?.address;
            core.known(&address)
                .await?
                .map(|known| Whose::User(known.account))
        }
        None => {
            let trees = core.driver(&kinds::TREE);
            let tree = trees
                .select(&kinds::TREE, by_owner(), 1)
                .await?
                .into_iter()
                .next();
            tree.map(|row| Whose::Tree(Arc::new(records::tree(&row))))
        }
    };
    core.caches.keep(&core.caches.whose, key, whose.clone(), epoch);
    Ok(whose)
}

/// Those who have given this user rights on something.
pub(crate) async fn sharers(core: &Core, account: &Account) -> Result<Arc<Vec<Whose>>, Unavailable> {
    let key = account.owner.0.to_string();
    if let Some(found) = core.caches.sharers.get(&key) {
        return Ok(found);
    }
    let epoch = core.caches.epoch();
    let identity = identity(core, account).await?;
    let names: Vec<&String> = identity.names.iter().collect();
    let mut owners = BTreeSet::new();
    for names in names.chunks(500) {
        let values = names.iter().map(|name| Value::from(name.as_str())).collect();
        let rows = core
            .all(&kinds::SHARE, Filter::any_of("identifier", values))
            .await?;
        owners.extend(rows.iter().filter_map(|row| row.count("owner")).map(OwnerId));
    }
    owners.remove(&account.owner);
    let mut sharers = Vec::new();
    for owner in owners.into_iter().take(SHARERS_MAX) {
        sharers.extend(whose(core, owner).await?);
    }
    let sharers = Arc::new(sharers);
    core.caches
        .keep(&core.caches.sharers, key, Arc::clone(&sharers), epoch);
    Ok(sharers)
}

/// Changes rights of an owner and the hint with them: it is there before the rights are, and goes after them, so that no crash leaves too little.
/// `change` gives all identifiers that have rights of this owner when it is done.
pub(crate) async fn change<E: From<ChangeError>>(
    core: &Core,
    owner: OwnerId,
    gains: Option<&str>,
    change: impl Future<Output = Result<BTreeSet<String>, E>>,
) -> Result<(), E> {
    // One at a time: what another change reads and then writes must not undo this one.
    let _sharing = core.sharing.lock().await;
    if let Some(gains) = gains {
        note(core, owner, &BTreeSet::from([gains.to_owned()]), true).await?;
    }
    let now = change.await?;
    Ok(note(core, owner, &now, false).await?)
}

/// Notes whom an owner has given rights: all of them, or only more than are known.
async fn note(
    core: &Core,
    owner: OwnerId,
    identifiers: &BTreeSet<String>,
    only_more: bool,
) -> Result<(), ChangeError> {
    let rows = core
        .all(&kinds::SHARE, Filter::equal("owner", Value::from(owner.0)))
        .await?;
    let known: BTreeSet<&str> = rows.iter().map(|row| row.text("identifier")).collect();
    let wanted: BTreeSet<&str> = identifiers
        .iter()
        .map(String::as_str)
        .filter(|identifier| !identifier.starts_with('-'))
        .collect();
    let mut batch = Batch::new();
    let mut changes = false;
    for identifier in wanted.difference(&known) {
        batch = batch.put(records::share_row(identifier, owner));
        changes = true;
    }
    for identifier in known.difference(&wanted).filter(|_| !only_more) {
        let key = vec![(*identifier).into(), owner.0.into()];
        batch = batch.delete(&kinds::SHARE, key, None);
        changes = true;
    }
    if changes {
        core.write(batch, "share", &owner.0.to_string()).await?;
        core.caches.forget_sharing();
    }
    Ok(())
}
