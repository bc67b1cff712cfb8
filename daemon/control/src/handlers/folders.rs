//! The folders of a user, and public ones.

use std::collections::BTreeMap;

use events::Scope;
use events::kinds::server::ConfigurationChanged;
use mailbox::{Owner, RightsAction};
use shared::model::Folder;
use shared::protocol::*;
use shared::{Refusal, Rights};

use super::users::user;
use crate::dispatch::Handle;
use crate::{Caller, Context, Fault};

/// What stands before the name of a public tree.
const PUBLIC: &str = "Public/";
/// Own folders can't be named so: in IMAP these are the folders of others.
const RESERVED: [&str; 2] = ["Public", "Other Users"];

/// Whose folders they are.
pub(super) struct Whose {
    pub(super) owner: Owner,
    is_tree: bool,
}

pub(super) async fn whose(context: &Context, written: &str) -> Result<Whose, Fault> {
    let Some(name) = written.strip_prefix(PUBLIC) else {
        return Ok(Whose {
            owner: context.mailboxes.owner(user(context, written).await?.owner),
            is_tree: false,
        });
    };
    let tree = context.directory.tree(name).await?;
    let tree = tree.ok_or_else(|| Refusal::new("tree-unknown").with("name", name))?;
    Ok(Whose {
        owner: context.mailboxes.owner(tree.owner),
        is_tree: true,
    })
}

async fn owner(context: &Context, written: &str) -> Result<Owner, Fault> {
    Ok(whose(context, written).await?.owner)
}

/// Refuses names that mean something else.
fn check_name(whose: &Whose, name: &str) -> Result<(), Fault> {
    let first = name.split('/').next().unwrap_or_default();
    if !whose.is_tree && RESERVED.contains(&first) {
        let refusal = Refusal::new("folder-name-reserved").with("name", first);
        return Err(refusal.field("name").into());
    }
    Ok(())
}

/// Makes what the directory knows of an owner's rights anew.
pub(super) async fn note_shares(context: &Context, owner: &Owner) -> Result<(), Fault> {
    let all = async { Ok::<_, Fault>(owner.identifiers().await?) };
    context.directory.change_shares(owner.id(), None, all).await
}

/// Gives rights, in the form in which they are kept.
pub(super) async fn give(
    context: &Context,
    owner: &Owner,
    folder: &str,
    kept: &str,
    rights: Rights,
) -> Result<(), Fault> {
    let change = async {
        owner
            .change_rights(folder, kept, RightsAction::Replace, rights)
            .await?;
        Ok::<_, Fault>(owner.identifiers().await?)
    };
    let gains = Some(kept).filter(|_| !rights.is_empty());
    context.directory.change_shares(owner.id(), gains, change).await
}

fn changed(context: &Context, caller: &Caller, user: &str, name: &str, action: &str) {
    let event = ConfigurationChanged {
        kind: "folder".to_owned(),
        name: format!("{user} {name}"),
        action: action.to_owned(),
        by: caller.name.clone(),
    };
    context.events.emit(Scope::default(), event);
}

impl Handle for FolderList {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Rows<Folder>, Fault> {
        let owner = owner(context, &self.user).await?;
        let mut rows = Vec::new();
        let (folders, table) = owner.folders_and_rights().await?;
        for folder in folders.iter() {
            let status = owner.status(folder.id).await?;
            let mut rights = BTreeMap::new();
            for (kept, letters) in table.get(&folder.id).into_iter().flatten() {
                let name = context.directory.identifier_name(kept).await?;
                // Rights of those who are gone are shown as they are kept: they can be taken away.
                rights.insert(name.unwrap_or_else(|| kept.clone()), letters.clone());
            }
            let special = folder
                .special_use
                .as_ref()
                .map(|s| s.trim_start_matches('\\').to_lowercase());
            rows.push(Folder {
                name: folder.name.clone(),
                special_use: special,
                messages: status.messages,
                unseen: status.unseen,
                bytes: status.bytes,
                subscribed: folder.subscribed,
                rights,
            });
        }
        Ok(Rows {
            total: rows.len() as u64,
            rows,
        })
    }
}

impl Handle for FolderAdd {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        let special = self.special_use.as_deref().map(special_use).transpose()?;
        let whose = whose(context, &self.user).await?;
        check_name(&whose, &self.name)?;
        if whose.is_tree {
            whose.owner.create_in_tree(&self.name, special).await?;
        } else {
            whose.owner.create(&self.name, special).await?;
        }
        changed(context, caller, &self.user, &self.name, "add");
        Ok(Done {})
    }
}

/// The attribute of RFC 6154 for a name without its backslash, in any case.
fn special_use(name: &str) -> Result<&'static str, Fault> {
    let known = [
        "\\All",
        "\\Archive",
        "\\Drafts",
        "\\Flagged",
        "\\Junk",
        "\\Sent",
        "\\Trash",
    ];
    let found = known
        .into_iter()
        .find(|known| known.trim_start_matches('\\').eq_ignore_ascii_case(name));
    found.ok_or_else(|| Refusal::new("special-use-unknown").with("name", name).into())
}

impl Handle for FolderRename {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        let whose = whose(context, &self.user).await?;
        check_name(&whose, &self.to)?;
        if whose.is_tree {
            whose.owner.rename_in_tree(&self.name, &self.to).await?;
        } else {
            whose.owner.rename(&self.name, &self.to).await?;
        }
        changed(context, caller, &self.user, &self.to, "rename");
        Ok(Done {})
    }
}

impl Handle for FolderRemove {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        let owner = owner(context, &self.user).await?;
        owner.delete(&self.name).await?;
        note_shares(context, &owner).await?;
        changed(context, caller, &self.user, &self.name, "remove");
        Ok(Done {})
    }
}

impl Handle for FolderRights {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        let rights = Rights::parse_words(&self.rights)
            .map_err(|bad| Refusal::new("right-unknown").with("right", bad))?;
        let kept = match context.directory.identifier(&self.identifier).await? {
            Some(kept) => kept,
            None if rights.is_empty() => self.identifier.clone(),
            None => {
                return Err(Refusal::new("identifier-unknown")
                    .with("name", &self.identifier)
                    .field("identifier")
                    .into());
            }
        };
        let owner = owner(context, &self.user).await?;
        give(context, &owner, &self.name, &kept, rights).await?;
        changed(context, caller, &self.user, &self.name, "rights");
        Ok(Done {})
    }
}
