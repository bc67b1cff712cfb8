//! Public trees: which domains and groups have public folders.

use shared::Rights;
use shared::model::{PublicTree, TreeOf};
use shared::protocol::*;

use super::folders::give;
use crate::dispatch::Handle;
use crate::{Caller, Context, Fault};

impl Handle for TreeList {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Rows<PublicTree>, Fault> {
        Ok(context.directory.trees(self.page).await?)
    }
}

impl Handle for TreeAdd {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Changed, Fault> {
        let tree = context
            .directory
            .add_tree(&self.name, self.quota_bytes, &caller.name)
            .await?;
        let owner = context.mailboxes.owner(tree.owner);
        owner.make_tree().await?;
        // What most will want; it can be changed like all rights.
        let (kept, role) = match tree.of {
            TreeOf::Domain => (format!("@{}", tree.name), "reader"),
            TreeOf::Group => (format!("${}", tree.name.to_lowercase()), "editor"),
        };
        let rights = Rights::parse_words(role).unwrap_or_default();
        give(context, &owner, "INBOX", &kept, rights).await?;
        Ok(Changed {
            revision: tree.revision,
        })
    }
}

impl Handle for TreeSet {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Changed, Fault> {
        Ok(Changed {
            revision: context.directory.set_tree(self.tree, &caller.name).await?,
        })
    }
}

impl Handle for TreeRemove {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        let owner = context.directory.remove_tree(&self.name, &caller.name).await?;
        context.mailboxes.owner(owner).destroy().await?;
        Ok(Done {})
    }
}
