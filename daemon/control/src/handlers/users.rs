//! Users.

use shared::model::User;
use shared::protocol::*;
use shared::{Address, Refusal};

use super::directory::domain_filter;
use crate::dispatch::Handle;
use crate::{Caller, Context, Fault};

/// The user of that address, or the refusal that says there is none.
pub(super) async fn user(context: &Context, address: &str) -> Result<User, Fault> {
    let address = Address::parse(address)?;
    let found = context.directory.user(&address).await?;
    found.ok_or_else(|| Refusal::new("user-unknown").with("name", &address).into())
}

impl Handle for UserList {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Rows<UserRow>, Fault> {
        let domain = domain_filter(&self.domain)?;
        Ok(context.directory.users(domain.as_ref(), self.page).await?)
    }
}

impl Handle for UserGet {
    async fn handle(self, context: &Context, _: &Caller) -> Result<User, Fault> {
        user(context, &self.address).await
    }
}

impl Handle for UserAdd {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Changed, Fault> {
        let user = context.directory.add_user(self.user, &caller.name).await?;
        Ok(Changed {
            revision: user.revision,
        })
    }
}

impl Handle for UserSet {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Changed, Fault> {
        Ok(Changed {
            revision: context.directory.set_user(self.user, &caller.name).await?,
        })
    }
}

impl Handle for UserRename {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Changed, Fault> {
        let (address, to) = (Address::parse(&self.address)?, Address::parse(&self.to)?);
        Ok(Changed {
            revision: context.directory.rename_user(&address, &to, &caller.name).await?,
        })
    }
}

impl Handle for UserPassword {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        let address = Address::parse(&self.address)?;
        context
            .directory
            .set_password(&address, &self.password, &caller.name)
            .await?;
        Ok(Done {})
    }
}

impl Handle for UserRemove {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        let owner = context
            .directory
            .remove_user(&Address::parse(&self.address)?, &caller.name)
            .await?;
        if !self.keep_mail {
            context.mailboxes.owner(owner).destroy().await?;
        }
        Ok(Done {})
    }
}

impl Handle for UserImport {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<ImportReport, Fault> {
        Ok(context
            .directory
            .import_users(&self.csv, self.create_domains, &caller.name)
            .await?)
    }
}
