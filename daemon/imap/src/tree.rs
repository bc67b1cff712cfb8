//! All names that this user may see: own folders, those of others on which the user has the right `l`, and the levels above them.

use std::collections::{BTreeMap, HashSet, VecDeque};

use directory::Identity;
use mailbox::{Folder, FolderId, RightsTable};
use shared::Rights;
use wire::imap::list_reaches;

use crate::namespace::DELIMITER;
use crate::place::{OTHER_USERS, PUBLIC, Spot, directory_unavailable};
use crate::reply::Answer;
use crate::session::Session;

/// Mailboxes of others that are asked at the same time.
const OWNERS_AT_ONCE: usize = 16;

/// A name that a listing may show.
#[derive(Default)]
pub(crate) struct Entry {
    /// No folder: a level above one, or a subscription without one.
    pub(crate) folder: Option<Seen>,
    pub(crate) special_use: Option<String>,
    pub(crate) subscribed: bool,
    pub(crate) children: bool,
}

/// A folder that is there.
#[derive(Clone, Copy)]
pub(crate) struct Seen {
    /// Index of its owner in [`Tree::owners`].
    pub(crate) owner: usize,
    pub(crate) id: FolderId,
    pub(crate) rights: Rights,
}

/// All names in order, and whose they are.
#[derive(Default)]
pub(crate) struct Tree {
    pub(crate) owners: Vec<Spot>,
    names: BTreeMap<String, Entry>,
}

impl Tree {
    pub(crate) fn get(&self, name: &str) -> Option<&Entry> {
        self.names.get(name)
    }

    /// Sorted by name, INBOX first.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = (&String, &Entry)> {
        let inbox = self.names.get_key_value("INBOX");
        inbox
            .into_iter()
            .chain(self.names.iter().filter(|(name, _)| *name != "INBOX"))
    }

    fn add(&mut self, name: String, folder: Seen, special_use: Option<String>) {
        for above in levels_above(&name) {
            self.names.entry(above.to_owned()).or_default().children = true;
        }
        let entry = self.names.entry(name).or_default();
        entry.folder = Some(folder);
        entry.special_use = special_use;
    }

    fn subscribe(&mut self, subscriptions: &[String]) {
        let subscribed: HashSet<&str> = subscriptions.iter().map(String::as_str).collect();
        for name in subscribed {
            self.names.entry(name.to_owned()).or_default().subscribed = true;
            for above in levels_above(name) {
                self.names.entry(above.to_owned()).or_default();
            }
        }
    }
}

/// `a/b` and `a` for `a/b/c`.
pub(crate) fn levels_above(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices(DELIMITER)
        .filter_map(|(at, _)| name.get(..at))
        .filter(|above| !above.is_empty())
}

impl Session {
    /// The subscribed names alone.
    pub(crate) async fn subscribed_tree(&self) -> Result<Tree, Answer> {
        let Some(user) = &self.user else {
            return Err(Answer::bad("no user"));
        };
        let mut tree = Tree::default();
        tree.subscribe(&user.home.subscriptions().await?);
        Ok(tree)
    }

    /// What patterns may show. Mailboxes of others are only opened if a pattern reaches them.
    pub(crate) async fn tree(&self, patterns: &[String]) -> Result<Tree, Answer> {
        let Some(user) = &self.user else {
            return Err(Answer::bad("no user"));
        };
        let mut tree = Tree::default();
        let mine = self.spot("INBOX").await?;
        for folder in user.home.folders().await?.iter() {
            let seen = Seen {
                owner: 0,
                id: folder.id,
                rights: Rights::ALL,
            };
            tree.add(folder.name.clone(), seen, folder.special_use.clone());
        }
        tree.owners.push(mine);
        let reached = |root: &str| {
            let mut patterns = patterns.iter();
            patterns.any(|pattern| list_reaches(pattern, root, DELIMITER))
        };
        if [OTHER_USERS, PUBLIC].into_iter().any(reached) {
            let sharers = self.server.directory.sharers(&user.account).await;
            let sharers = sharers.map_err(|_| directory_unavailable())?;
            // The levels above are shown for what is below them, so those must be known too.
            let spots = sharers.iter().map(|whose| self.spot_of(whose));
            let spots =
                spots.filter(|spot| levels_above(&spot.root).chain([spot.root.as_str()]).any(reached));
            let identity = self.server.directory.identity(&user.account).await;
            let identity = identity.map_err(|_| directory_unavailable())?;
            add_shared(&mut tree, spots.collect(), &identity).await;
        }
        tree.subscribe(&user.home.subscriptions().await?);
        Ok(tree)
    }
}

/// Adds what these owners share, in their order.
async fn add_shared(tree: &mut Tree, spots: Vec<Spot>, identity: &Identity) {
    let mut waiting = spots.into_iter();
    let mut asked = VecDeque::new();
    loop {
        for spot in waiting.by_ref().take(OWNERS_AT_ONCE - asked.len()) {
            let owner = spot.owner.clone();
            asked.push_back((
                spot,
                tokio::spawn(async move { owner.folders_and_rights().await }),
            ));
        }
        let Some((spot, answer)) = asked.pop_front() else {
            return;
        };
        // One mailbox that can't be reached must not hide all others.
        if let Ok(Ok((folders, table))) = answer.await {
            add_owner(tree, spot, &folders, &table, identity);
        }
    }
}

fn add_owner(tree: &mut Tree, spot: Spot, folders: &[Folder], table: &RightsTable, identity: &Identity) {
    let owner = tree.owners.len();
    for folder in folders {
        let rights = table
            .get(&folder.id)
            .map_or(Rights::NONE, |granted| identity.rights(granted));
        if rights.contains(Rights::LOOKUP) {
            let seen = Seen {
                owner,
                id: folder.id,
                rights,
            };
            // What somebody's folder is used for says nothing about one's own (RFC 6154 §2).
            tree.add(spot.client_name(&folder.name), seen, None);
        }
    }
    tree.owners.push(spot);
}
