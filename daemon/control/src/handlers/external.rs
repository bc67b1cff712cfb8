//! External accounts.

use shared::Address;
use shared::external::ExternalState;
use shared::protocol::*;

use crate::dispatch::Handle;
use crate::{Caller, Context, Fault};

impl Handle for ExternalList {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Rows<ExternalRow>, Fault> {
        let user = match self.user.as_str() {
            "" => None,
            user => Some(Address::parse(user)?),
        };
        let found = context.directory.externals(user.as_ref(), self.page).await?;
        let mut rows = Vec::with_capacity(found.rows.len());
        for (owner, external) in found.rows {
            let state = context.fetch.state(owner, &external.name.to_lowercase()).await?;
            rows.push(ExternalRow { external, state });
        }
        Ok(Rows {
            total: found.total,
            rows,
        })
    }
}

impl Handle for ExternalAdd {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Changed, Fault> {
        let password = self.password.as_deref();
        let revision = context
            .directory
            .add_external(self.external, password, &caller.name)
            .await?;
        Ok(Changed { revision })
    }
}

impl Handle for ExternalSet {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Changed, Fault> {
        let password = self.password.as_deref();
        let revision = context
            .directory
            .set_external(self.external, password, &caller.name)
            .await?;
        Ok(Changed { revision })
    }
}

impl Handle for ExternalRemove {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        let user = Address::parse(&self.user)?;
        context
            .directory
            .remove_external(&user, &self.name, &caller.name)
            .await?;
        Ok(Done {})
    }
}

impl Handle for ExternalFetch {
    async fn handle(self, context: &Context, _: &Caller) -> Result<ExternalState, Fault> {
        let user = Address::parse(&self.user)?;
        Ok(context.fetch.now(&user, &self.name, self.wait).await?)
    }
}

impl Handle for ExternalTest {
    async fn handle(self, context: &Context, _: &Caller) -> Result<ExternalAnswer, Fault> {
        let user = Address::parse(&self.user)?;
        Ok(context.fetch.test(&user, &self.name).await?)
    }
}
