//! GETQUOTA and GETQUOTAROOT (RFC 9208). Each owner has one root, named as the level that all its folders lie below: `""` is the user's own.
//! Only an administrator sets it.

use bytes::BufMut;
use shared::Rights;
use wire::imap::QuotaCommand;
use wire::imap::render::{put_astring, put_mailbox, put_number};

use crate::place::Spot;
use crate::reply::{Answer, COMPLETED, Outcome};
use crate::session::Session;

/// RFC 9208 §5.1: STORAGE counts units of this many bytes.
const UNIT_BYTES: u64 = 1024;

impl Session {
    pub(crate) async fn quota(&mut self, command: QuotaCommand) -> Outcome {
        let spot = match command {
            QuotaCommand::Get { root } => self.quota_root(&root).await,
            QuotaCommand::GetRoot { mailbox } => match self.counted_in(mailbox.as_str()).await {
                Ok((name, spot)) => {
                    let utf8 = self.enabled.utf8();
                    let out = self.conn.output();
                    out.put_slice(b"* QUOTAROOT ");
                    put_mailbox(out, &name, utf8);
                    out.put_u8(b' ');
                    put_astring(out, spot.root.as_bytes());
                    out.put_slice(b"\r\n");
                    Ok(spot)
                }
                Err(answer) => Err(answer),
            },
            QuotaCommand::Set { .. } => Err(Answer::no("only an administrator sets quotas").with("NOPERM")),
        };
        let spot = match spot {
            Ok(spot) => spot,
            Err(answer) => return Ok(answer),
        };
        let used = match spot.owner.used_bytes().await {
            Ok(used) => used,
            Err(error) => return Ok(error.into()),
        };
        let out = self.conn.output();
        out.put_slice(b"* QUOTA ");
        put_astring(out, spot.root.as_bytes());
        out.put_slice(b" (");
        if let Some(limit) = spot.quota_bytes {
            out.put_slice(b"STORAGE ");
            put_number(out, used.div_ceil(UNIT_BYTES));
            out.put_u8(b' ');
            put_number(out, limit / UNIT_BYTES);
        }
        out.put_slice(b")\r\n");
        Ok(Answer::ok(COMPLETED))
    }

    /// A mailbox's name, and whose quota it counts in. RFC 9208 §4.1.2: one's own need not be there yet.
    async fn counted_in(&mut self, name: &str) -> Result<(String, Spot), Answer> {
        let spot = self.spot(name).await?;
        let place = self.place(name, Rights::READ).await;
        match place {
            Ok(place) => Ok((place.name(), place.spot)),
            Err(answer) if spot.is_own() && answer.code.as_deref() == Some("NONEXISTENT") => {
                Ok((name.to_owned(), spot))
            }
            Err(answer) => Err(answer),
        }
    }

    /// The owner of a root, if the user may read any folder there.
    async fn quota_root(&self, root: &str) -> Result<Spot, Answer> {
        if root.is_empty() {
            return self.spot("INBOX").await;
        }
        let none = || Answer::no("no such quota root").with("NONEXISTENT");
        let spot = self.spot(root).await?;
        if spot.is_own() || spot.root != root {
            return Err(none());
        }
        let (folders, table) = spot.owner.folders_and_rights().await?;
        for folder in folders.iter() {
            if self
                .rights_in(&spot, &table, folder)
                .await?
                .contains(Rights::READ)
            {
                return Ok(spot);
            }
        }
        Err(none())
    }
}
