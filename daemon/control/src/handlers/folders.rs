//! The folders of a user.

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

async fn owner(context: &Context, address: &str) -> Result<Owner, Fault> {
    Ok(context.mailboxes.owner(user(context, address).await?.owner))
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
        owner(context, &self.user)
            .await?
            .create(&self.name, special)
            .await?;
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
        owner(context, &self.user)
            .await?
            .rename(&self.name, &self.to)
            .await?;
        changed(context, caller, &self.user, &self.to, "rename");
        Ok(Done {})
    }
}

impl Handle for FolderRemove {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        owner(context, &self.user).await?.delete(&self.name).await?;
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
        let change = async {
            owner
                .change_rights(&self.name, &kept, RightsAction::Replace, rights)
                .await?;
            Ok::<_, Fault>(owner.identifiers().await?)
        };
        let gains = Some(kept.as_str()).filter(|_| !rights.is_empty());
        context.directory.change_shares(owner.id(), gains, change).await?;
        changed(context, caller, &self.user, &self.name, "rights");
        Ok(Done {})
    }
}
