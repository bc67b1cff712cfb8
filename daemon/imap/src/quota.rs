//! GETQUOTA and GETQUOTAROOT (RFC 9208). One root, named "", holds all folders of the user; only an administrator sets it.

use bytes::BufMut;
use wire::imap::QuotaCommand;
use wire::imap::render::put_mailbox;

use crate::reply::{Answer, COMPLETED, Outcome, untagged};
use crate::session::Session;

impl Session {
    pub(crate) async fn quota(&mut self, command: QuotaCommand) -> Outcome {
        let Some(user) = &self.user else {
            return Ok(Answer::bad("no user"));
        };
        match command {
            QuotaCommand::Get { root } if root.is_empty() => {}
            QuotaCommand::Get { .. } => return Ok(Answer::no("no such quota root").with("NONEXISTENT")),
            QuotaCommand::GetRoot { mailbox } => {
                if let Err(error) = user.home.folder(mailbox.as_str()).await {
                    return Ok(error.into());
                }
                let out = self.conn.output();
                out.put_slice(b"* QUOTAROOT ");
                put_mailbox(out, mailbox.as_str(), self.enabled.rev2);
                out.put_slice(b" \"\"\r\n");
            }
            QuotaCommand::Set { .. } => {
                return Ok(Answer::no("only an administrator sets quotas").with("NOPERM"));
            }
        }
        let used = match user.home.used_bytes().await {
            Ok(used) => used,
            Err(error) => return Ok(error.into()),
        };
        // RFC 9208 §5.1: STORAGE counts units of 1,024 bytes.
        let line = match user.account.quota_bytes {
            Some(limit) => format!("QUOTA \"\" (STORAGE {} {})", used.div_ceil(1024), limit / 1024),
            None => "QUOTA \"\" ()".to_owned(),
        };
        untagged(self.conn.output(), &line);
        Ok(Answer::ok(COMPLETED))
    }
}
