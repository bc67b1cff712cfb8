//! Logs, settings, storage, checks and the end of the daemon.

use shared::Refusal;
use shared::protocol::*;

use super::folders::{note_shares, whose};
use crate::dispatch::Handle;
use crate::{Caller, Context, Fault};

impl Handle for LogQuery {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Rows<LogRow>, Fault> {
        let (events, language) = (context.events.clone(), caller.language);
        let read = tokio::task::spawn_blocking(move || {
            events.flush();
            events.query(&self.query, language)
        });
        let rows = match read.await {
            Ok(Ok(rows)) => rows,
            Ok(Err(error)) => return Err(Refusal::new("unavailable").with("reason", error).into()),
            Err(error) => return Err(Refusal::new("unavailable").with("reason", error).into()),
        };
        Ok(Rows {
            total: rows.len() as u64,
            rows,
        })
    }
}

impl Handle for SettingList {
    async fn handle(self, context: &Context, _: &Caller) -> Result<SettingValues, Fault> {
        let (values, revision) = context.directory.setting_values().await?;
        Ok(SettingValues { values, revision })
    }
}

impl Handle for SettingSet {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Changed, Fault> {
        let set = context
            .directory
            .set_setting(&self.key, &self.value, self.revision, &caller.name);
        Ok(Changed { revision: set.await? })
    }
}

impl Handle for StorageShow {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Storage, Fault> {
        let drivers = drivers::DRIVERS.iter().map(|name| (*name).to_owned()).collect();
        Ok(Storage {
            kinds: context.placed.show(),
            drivers,
        })
    }
}

impl Handle for Check {
    async fn handle(self, context: &Context, _: &Caller) -> Result<CheckReport, Fault> {
        let owners = match &self.user {
            Some(written) => vec![whose(context, written).await?.owner.id()],
            None => context.mailboxes.owners()?,
        };
        let mut report = CheckReport::default();
        for id in owners {
            report.mailboxes += 1;
            let owner = context.mailboxes.owner(id);
            // A mailbox that can't be asked has its problem below.
            if self.repair && note_shares(context, &owner).await.is_err() {
                report.problems.push(Problem {
                    owner: id.0.to_string(),
                    refusal: Refusal::new("shares-unknown"),
                    repaired: false,
                });
            }
            match owner.check(self.repair).await {
                Ok(checked) => {
                    report.messages += checked.messages;
                    report
                        .problems
                        .extend(checked.problems.into_iter().map(|(refusal, repaired)| Problem {
                            owner: id.0.to_string(),
                            refusal,
                            repaired,
                        }));
                }
                Err(error) => report.problems.push(Problem {
                    owner: id.0.to_string(),
                    refusal: Refusal::new("mailbox-damaged").with("reason", error),
                    repaired: false,
                }),
            }
        }
        Ok(report)
    }
}

impl Handle for Shutdown {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Done, Fault> {
        context.stop.send_replace(true);
        Ok(Done {})
    }
}
