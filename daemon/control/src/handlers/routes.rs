//! Routes of outgoing mail.

use shared::protocol::*;
use shared::{Address, Route};

use crate::dispatch::Handle;
use crate::{Caller, Context, Fault};

impl Handle for RouteList {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Rows<Route>, Fault> {
        Ok(context.directory.routes(self.page).await?)
    }
}

impl Handle for RouteAdd {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Changed, Fault> {
        let password = self.password.as_deref();
        let revision = context
            .directory
            .add_route(self.route, password, &caller.name)
            .await?;
        Ok(Changed { revision })
    }
}

impl Handle for RouteSet {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Changed, Fault> {
        let password = self.password.as_deref();
        let revision = context
            .directory
            .set_route(self.route, password, &caller.name)
            .await?;
        Ok(Changed { revision })
    }
}

impl Handle for RouteRemove {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        context.directory.remove_route(&self.name, &caller.name).await?;
        Ok(Done {})
    }
}

impl Handle for RouteTest {
    async fn handle(self, context: &Context, _: &Caller) -> Result<RouteAnswer, Fault> {
        let to = Address::parse(&self.to)?;
        let from = self.from.filter(|from| !from.is_empty() && from != "<>");
        let from = from.map(|from| Address::parse(&from)).transpose()?;
        Ok(context.delivery.route(from.as_ref(), &to).await)
    }
}
