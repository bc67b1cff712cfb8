//! COPY and MOVE (RFC 9051 §6.4.7, §6.4.8) with COPYUID.

use bytes::{BufMut, BytesMut};
use mailbox::{Copied, Folder, MailboxError};
use wire::imap::render::{put_number, put_uid_sequence};
use wire::imap::{MailboxName, SequenceSet};

use crate::expunge::READ_ONLY;
use crate::reply::{Answer, COMPLETED, Outcome};
use crate::session::{Session, User};

/// `NO [TRYCREATE]` where a folder to be filled is missing (RFC 9051 §7.1).
pub(crate) fn target_missing(error: MailboxError) -> Answer {
    match error {
        MailboxError::NoSuchFolder => Answer::no("no such mailbox").with("TRYCREATE"),
        error => error.into(),
    }
}

pub(crate) async fn target(user: &User, name: &MailboxName) -> Result<Folder, Answer> {
    user.owner.folder(name.as_str()).await.map_err(target_missing)
}

impl Session {
    pub(crate) async fn copy(&mut self, uid: bool, set: &SequenceSet, name: &MailboxName) -> Outcome {
        let (Some(view), Some(user)) = (&self.view, &self.user) else {
            return Ok(Answer::bad("no mailbox"));
        };
        let uids = match view.indices(set, uid) {
            Ok(ranges) => view.uids_of(&ranges),
            Err(answer) => return Ok(answer),
        };
        let folder = match target(user, name).await {
            Ok(folder) => folder,
            Err(answer) => return Ok(answer),
        };
        if uids.is_empty() {
            return Ok(Answer::ok("no messages"));
        }
        Ok(
            match user
                .owner
                .copy(view.folder.id, &uids, &user.owner, folder.id)
                .await
            {
                Ok(copied) => match copy_uid(&copied) {
                    Some(code) => Answer::ok(COMPLETED).with(code),
                    None => Answer::no("the messages are gone").with("EXPUNGEISSUED"),
                },
                Err(error) => target_missing(error),
            },
        )
    }

    pub(crate) async fn move_messages(
        &mut self,
        uid: bool,
        set: &SequenceSet,
        name: &MailboxName,
    ) -> Outcome {
        let (Some(view), Some(user)) = (&mut self.view, &self.user) else {
            return Ok(Answer::bad("no mailbox"));
        };
        if view.read_only {
            return Ok(Answer::no(READ_ONLY).with("READ-ONLY"));
        }
        let uids = match view.indices(set, uid) {
            Ok(ranges) => view.uids_of(&ranges),
            Err(answer) => return Ok(answer),
        };
        let folder = match target(user, name).await {
            Ok(folder) => folder,
            Err(answer) => return Ok(answer),
        };
        if uids.is_empty() {
            return Ok(Answer::ok("no messages"));
        }
        match user
            .owner
            .move_to(view.folder.id, &uids, &user.owner, folder.id)
            .await
        {
            Ok(moved) => {
                // RFC 6851 §4.3: COPYUID comes before the EXPUNGEs, in an untagged OK.
                if let Some(code) = copy_uid(&moved) {
                    let out = self.conn.output();
                    out.put_slice(b"* OK [");
                    out.put_slice(code.as_bytes());
                    out.put_slice(b"] moved\r\n");
                }
                view.note_expunged(&moved.source);
                Ok(Answer::ok(COMPLETED))
            }
            Err(error) => Ok(target_missing(error)),
        }
    }
}

/// `COPYUID validity source target` (RFC 4315 §3); nothing if nothing was copied.
fn copy_uid(copied: &Copied) -> Option<String> {
    if copied.source.is_empty() {
        return None;
    }
    let mut out = BytesMut::new();
    out.put_slice(b"COPYUID ");
    put_number(&mut out, u64::from(copied.uid_validity));
    out.put_u8(b' ');
    put_uid_sequence(&mut out, &copied.source);
    out.put_u8(b' ');
    put_uid_sequence(&mut out, &copied.target);
    String::from_utf8(out.to_vec()).ok()
}
