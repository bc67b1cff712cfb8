//! What a user logs in with beside the password: app passwords and certificates.

use shared::Address;
use shared::model::{AppPassword, UserCertificate};
use shared::protocol::*;

use crate::dispatch::Handle;
use crate::{Caller, Context, Fault};

impl Handle for AppPasswordList {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Vec<AppPassword>, Fault> {
        let address = Address::parse(&self.address)?;
        Ok(context.directory.app_passwords(&address).await?)
    }
}

impl Handle for AppPasswordAdd {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<NewAppPassword, Fault> {
        let address = Address::parse(&self.address)?;
        let made = context
            .directory
            .add_app_password(&address, &self.label, &self.protocols, &caller.name);
        Ok(NewAppPassword {
            password: made.await?,
        })
    }
}

impl Handle for AppPasswordRemove {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        let address = Address::parse(&self.address)?;
        let removing = context
            .directory
            .remove_app_password(&address, &self.label, &caller.name);
        removing.await?;
        Ok(Done {})
    }
}

impl Handle for UserCertificateList {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Vec<UserCertificate>, Fault> {
        let address = Address::parse(&self.address)?;
        Ok(context.directory.certificates(&address).await?)
    }
}

impl Handle for UserCertificateAdd {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<UserCertificate, Fault> {
        let address = Address::parse(&self.address)?;
        let adding =
            context
                .directory
                .add_certificate(&address, &self.label, &self.certificate, &caller.name);
        Ok(UserCertificate {
            fingerprint: adding.await?,
            label: self.label,
        })
    }
}

impl Handle for UserCertificateRemove {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        let address = Address::parse(&self.address)?;
        let removing = context
            .directory
            .remove_certificate(&address, &self.fingerprint, &caller.name);
        removing.await?;
        Ok(Done {})
    }
}
