//! Where a mailbox name of a client leads: to whose mailbox, to which folder in it, and what this user may do there.
//!
//! A user's own folders have their own names. Folders of others are below `Other Users/<address>`, those of a domain or a group below
//! `Public/<name>`; the INBOX of a public tree is that level itself. Every command gets at folders through this file.

use directory::Whose;
use mailbox::{Folder, MailboxError, Owner, RightsTable};
use shared::{Address, Rights};

use crate::namespace::DELIMITER;
use crate::reply::Answer;
use crate::session::Session;

/// The levels that are above what is not the user's own.
pub(crate) const OTHER_USERS: &str = "Other Users";
pub(crate) const PUBLIC: &str = "Public";
const INBOX: &str = "INBOX";

/// RFC 2342 §3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    Personal,
    Other,
    Public,
}

/// A name within somebody's mailbox; a folder of that name need not be there.
#[derive(Clone)]
pub(crate) struct Spot {
    pub(crate) owner: Owner,
    pub(crate) space: Space,
    /// The name that the owner knows.
    pub(crate) inner: String,
    /// The levels above for this client, without a delimiter at the end; empty for own folders.
    pub(crate) root: String,
    /// Bytes that the owner may fill.
    pub(crate) quota_bytes: Option<u64>,
}

/// A folder, and what this user may do with it.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) spot: Spot,
    pub(crate) folder: Folder,
    pub(crate) rights: Rights,
}

/// The first levels of a name.
enum Named<'a> {
    Personal,
    /// `Other Users` or `Public` itself.
    Root,
    User(&'a str, &'a str),
    Tree(&'a str, &'a str),
}

impl Spot {
    /// The owner's name of a folder as this client knows it.
    pub(crate) fn client_name(&self, inner: &str) -> String {
        match self.space {
            Space::Personal => inner.to_owned(),
            Space::Public if inner == INBOX => self.root.clone(),
            _ => format!("{}{DELIMITER}{inner}", self.root),
        }
    }

    pub(crate) fn is_own(&self) -> bool {
        self.space == Space::Personal
    }
}

impl Place {
    /// As this client knows it.
    pub(crate) fn name(&self) -> String {
        self.spot.client_name(&self.folder.name)
    }

    /// RFC 4314 §4: a right that is missing is told only to those who may know of the folder.
    pub(crate) fn permit(&self, any: Rights) -> Result<(), Answer> {
        if self.rights.intersects(any) {
            Ok(())
        } else if self.rights.contains(Rights::LOOKUP) {
            Err(no_permission())
        } else {
            Err(no_such_mailbox())
        }
    }
}

pub(crate) fn no_such_mailbox() -> Answer {
    MailboxError::NoSuchFolder.into()
}

pub(crate) fn no_permission() -> Answer {
    Answer::no("you have no right to do this").with("NOPERM")
}

pub(crate) fn directory_unavailable() -> Answer {
    Answer::no("the directory can't be reached now, try again later").with("UNAVAILABLE")
}

/// The level of a user below `Other Users`: the address, with what would end a level written as in quoted-printable.
pub(crate) fn user_level(address: &Address) -> String {
    address.to_string().replace('=', "=3D").replace(DELIMITER, "=2F")
}

fn user_of_level(level: &str) -> Option<Address> {
    Address::parse(&level.replace("=2F", "/").replace("=3D", "=")).ok()
}

fn parse(name: &str) -> Named<'_> {
    let (first, rest) = name.split_once(DELIMITER).unwrap_or((name, ""));
    let whose = match first {
        OTHER_USERS => Named::User,
        PUBLIC => Named::Tree,
        _ => return Named::Personal,
    };
    let (level, inner) = rest.split_once(DELIMITER).unwrap_or((rest, ""));
    if level.is_empty() {
        Named::Root
    } else {
        whose(level, inner)
    }
}

impl Session {
    /// Where a name lies. Says nothing about what this user may see there.
    pub(crate) async fn spot(&self, name: &str) -> Result<Spot, Answer> {
        let Some(user) = &self.user else {
            return Err(Answer::bad("log in first"));
        };
        let (level, inner, is_tree) = match parse(name) {
            Named::Personal => {
                return Ok(Spot {
                    owner: user.home.clone(),
                    space: Space::Personal,
                    inner: name.to_owned(),
                    root: String::new(),
                    quota_bytes: user.account.quota_bytes,
                });
            }
            Named::Root => return Err(no_such_mailbox()),
            Named::User(level, inner) => (level, inner, false),
            Named::Tree(level, inner) => (level, inner, true),
        };
        let directory = &self.server.directory;
        let whose = if is_tree {
            directory.tree(level).await.map(|tree| tree.map(Whose::Tree))
        } else {
            match user_of_level(level) {
                Some(address) => directory
                    .account(&address)
                    .await
                    .map(|account| account.map(Whose::User)),
                None => Ok(None),
            }
        };
        let whose = whose.map_err(|_| directory_unavailable())?;
        let spot = self.spot_of(&whose.ok_or_else(no_such_mailbox)?);
        let inner = match (is_tree, inner) {
            (true, "") => INBOX,
            // It has a name already.
            (true, inner) if inner.eq_ignore_ascii_case(INBOX) => return Err(no_such_mailbox()),
            (_, inner) => inner,
        };
        // One mailbox has one name: the address as it is written, and not the user's own.
        let (_, root_level) = spot.root.split_once(DELIMITER).unwrap_or_default();
        if root_level != level || spot.owner.id() == user.account.owner {
            return Err(no_such_mailbox());
        }
        Ok(Spot {
            inner: inner.to_owned(),
            ..spot
        })
    }

    /// The topmost place of another owner.
    pub(crate) fn spot_of(&self, whose: &Whose) -> Spot {
        let (space, root, quota_bytes) = match whose {
            Whose::User(account) => {
                let root = format!("{OTHER_USERS}{DELIMITER}{}", user_level(&account.address));
                (Space::Other, root, account.quota_bytes)
            }
            Whose::Tree(tree) => {
                let root = format!("{PUBLIC}{DELIMITER}{}", tree.name);
                (Space::Public, root, tree.quota_bytes)
            }
        };
        Spot {
            owner: self.server.mailboxes.owner(whose.owner()).by(self.origin),
            space,
            inner: String::new(),
            root,
            quota_bytes,
        }
    }

    /// The folder of that name, whatever may be done with it.
    pub(crate) async fn find(&self, name: &str) -> Result<Place, Answer> {
        let spot = self.spot(name).await?;
        if spot.is_own() {
            let folder = spot.owner.folder(&spot.inner).await?;
            return Ok(Place {
                spot,
                folder,
                rights: Rights::ALL,
            });
        }
        // What is no name at all is no folder either.
        let found = spot.owner.folder_and_rights(&spot.inner).await;
        let (folder, table) = found.map_err(|error| match error {
            MailboxError::InvalidName => no_such_mailbox(),
            error => error.into(),
        })?;
        let rights = self.rights_in(&spot, &table, &folder).await?;
        Ok(Place { spot, folder, rights })
    }

    /// The folder of that name, if this user has any of these rights on it.
    pub(crate) async fn place(&self, name: &str, any: Rights) -> Result<Place, Answer> {
        let place = self.find(name).await?;
        place.permit(any)?;
        Ok(place)
    }

    /// A folder that messages are to be put into; TRYCREATE if it is missing and could be made (RFC 9051 §7.1).
    pub(crate) async fn target(&self, name: &str) -> Result<Place, Answer> {
        let answer = match self.place(name, Rights::INSERT).await {
            Ok(place) => return Ok(place),
            Err(answer) => answer,
        };
        if answer.code.as_deref() != Some("NONEXISTENT") {
            return Err(answer);
        }
        Err(match self.room_for(name).await {
            Ok(_) => Answer::no("no such mailbox").with("TRYCREATE"),
            Err(_) => answer,
        })
    }

    /// What this user may do with a folder of that owner.
    pub(crate) async fn rights_in(
        &self,
        spot: &Spot,
        table: &RightsTable,
        folder: &Folder,
    ) -> Result<Rights, Answer> {
        let Some(user) = &self.user else {
            return Ok(Rights::NONE);
        };
        if spot.is_own() {
            return Ok(Rights::ALL);
        }
        let identity = self.server.directory.identity(&user.account).await;
        let identity = identity.map_err(|_| directory_unavailable())?;
        Ok(table
            .get(&folder.id)
            .map_or(Rights::NONE, |granted| identity.rights(granted)))
    }

    /// Where a folder of that name may be made: for folders of others, the right `k` on the nearest folder above it is needed.
    pub(crate) async fn room_for(&self, name: &str) -> Result<Spot, Answer> {
        let spot = match self.spot(name).await {
            Ok(spot) if spot.is_own() => return Ok(spot),
            Ok(spot) => spot,
            // Who exists is not told to those who may do nothing there.
            Err(answer) if answer.code.as_deref() == Some("NONEXISTENT") => return Err(no_permission()),
            Err(answer) => return Err(answer),
        };
        let (folders, table) = spot.owner.folders_and_rights().await?;
        let root = (spot.space == Space::Public).then_some(INBOX);
        let above = spot.inner.match_indices(DELIMITER).rev();
        let nearest = above
            .filter_map(|(at, _)| spot.inner.get(..at))
            .chain(root)
            .find_map(|name| folders.iter().find(|folder| folder.name == name));
        let Some(nearest) = nearest else {
            return Err(no_permission());
        };
        let rights = self.rights_in(&spot, &table, nearest).await?;
        if rights.contains(Rights::CREATE) {
            Ok(spot)
        } else {
            Err(no_permission())
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_users() {
        for text in ["anna@example.test", "a/b@example.test", "a=2Fb=@example.test"] {
            let address = Address::parse(text).unwrap();
            let level = user_level(&address);
            assert!(!level.contains('/'), "{level}");
            assert_eq!(user_of_level(&level).unwrap(), address);
        }
        assert!(user_of_level("anna").is_none());
    }
}
