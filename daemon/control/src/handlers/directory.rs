//! Domains, aliases, groups and the black and white lists.

use shared::model::{Alias, Domain, Group, ListEntry};
use shared::protocol::*;
use shared::{Address, DomainName, Refusal};

use crate::dispatch::Handle;
use crate::{Caller, Context, Fault};

/// `None` for the empty text: all domains.
pub(super) fn domain_filter(name: &str) -> Result<Option<DomainName>, Fault> {
    if name.is_empty() {
        Ok(None)
    } else {
        Ok(Some(DomainName::parse(name)?))
    }
}

impl Handle for DomainList {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Rows<DomainRow>, Fault> {
        Ok(context.directory.domains(self.page).await?)
    }
}

impl Handle for DomainGet {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Domain, Fault> {
        let name = DomainName::parse(&self.name)?;
        let found = context.directory.domain(&name).await?;
        found.ok_or_else(|| Refusal::new("domain-unknown").with("name", &name).into())
    }
}

impl Handle for DomainAdd {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Changed, Fault> {
        Ok(Changed {
            revision: context.directory.add_domain(self.domain, &caller.name).await?,
        })
    }
}

impl Handle for DomainSet {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Changed, Fault> {
        Ok(Changed {
            revision: context.directory.set_domain(self.domain, &caller.name).await?,
        })
    }
}

impl Handle for DomainRemove {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        let name = DomainName::parse(&self.name)?;
        let owners = context
            .directory
            .remove_domain(&name, self.with_users, &caller.name)
            .await?;
        // The users are gone whatever happens, so one mailbox that can't be removed must not keep the others.
        let mut outcome = Ok(Done {});
        for owner in owners {
            if let Err(error) = context.mailboxes.owner(owner).destroy().await {
                outcome = Err(error.into());
            }
        }
        outcome
    }
}

impl Handle for AliasList {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Rows<Alias>, Fault> {
        let domain = domain_filter(&self.domain)?;
        Ok(context.directory.aliases(domain.as_ref(), self.page).await?)
    }
}

impl Handle for AliasAdd {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Changed, Fault> {
        Ok(Changed {
            revision: context.directory.add_alias(self.alias, &caller.name).await?,
        })
    }
}

impl Handle for AliasSet {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Changed, Fault> {
        Ok(Changed {
            revision: context.directory.set_alias(self.alias, &caller.name).await?,
        })
    }
}

impl Handle for AliasRemove {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        context
            .directory
            .remove_alias(&Address::parse(&self.address)?, &caller.name)
            .await?;
        Ok(Done {})
    }
}

impl Handle for GroupList {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Rows<Group>, Fault> {
        Ok(context.directory.groups(self.page).await?)
    }
}

impl Handle for GroupAdd {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Changed, Fault> {
        Ok(Changed {
            revision: context.directory.add_group(self.group, &caller.name).await?,
        })
    }
}

impl Handle for GroupSet {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Changed, Fault> {
        Ok(Changed {
            revision: context.directory.set_group(self.group, &caller.name).await?,
        })
    }
}

impl Handle for GroupRemove {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        context.directory.remove_group(&self.name, &caller.name).await?;
        Ok(Done {})
    }
}

impl Handle for AccessList {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Rows<ListEntry>, Fault> {
        Ok(context.directory.access(self.side, self.page).await?)
    }
}

impl Handle for AccessAdd {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Changed, Fault> {
        Ok(Changed {
            revision: context.directory.add_access(self.entry, &caller.name).await?,
        })
    }
}

impl Handle for AccessRemove {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        context
            .directory
            .remove_access(self.side, &self.pattern, &caller.name)
            .await?;
        Ok(Done {})
    }
}
