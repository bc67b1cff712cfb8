//! COPY and MOVE (RFC 9051 §6.4.7, §6.4.8) with COPYUID.

use bytes::{BufMut, BytesMut};
use mailbox::{Copied, MailboxError, Transfer};
use shared::Rights;
use wire::imap::render::{put_number, put_uid_sequence};
use wire::imap::{MailboxName, SequenceSet};

use crate::place::Place;
use crate::reply::{Answer, COMPLETED, Outcome};
use crate::rights::flags_kept;
use crate::session::Session;

/// `NO [TRYCREATE]` where a folder to be filled is missing (RFC 9051 §7.1).
pub(crate) fn target_missing(error: MailboxError) -> Answer {
    match error {
        MailboxError::NoSuchFolder => Answer::no("no such mailbox").with("TRYCREATE"),
        error => error.into(),
    }
}

/// What the copies may keep in their new place.
fn transfer_to(place: &Place, expunge: bool) -> Transfer {
    Transfer {
        expunge,
        quota_bytes: place.spot.quota_bytes,
        flags: flags_kept(place.rights),
        keywords: place.rights.contains(Rights::WRITE),
    }
}

impl Session {
    pub(crate) async fn copy(&mut self, uid: bool, set: &SequenceSet, name: &MailboxName) -> Outcome {
        let Some(view) = &self.view else {
            return Ok(Answer::bad("no mailbox"));
        };
        let uids = match view.indices(set, uid) {
            Ok(ranges) => view.uids_of(&ranges),
            Err(answer) => return Ok(answer),
        };
        let to = match self.target(name.as_str()).await {
            Ok(to) => to,
            Err(answer) => return Ok(answer),
        };
        if uids.is_empty() {
            return Ok(Answer::ok("no messages"));
        }
        let (from, how) = (&view.place.spot.owner, transfer_to(&to, false));
        let copied = match from
            .transfer(view.folder.id, &uids, &to.spot.owner, to.folder.id, how)
            .await
        {
            Ok(copied) => copied,
            Err(error) => return Ok(target_missing(error)),
        };
        self.note_put(to.spot.owner.id(), to.folder.id, &copied.target);
        Ok(match copy_uid(&copied) {
            Some(code) => Answer::ok(COMPLETED).with(code),
            None => Answer::no("the messages are gone").with("EXPUNGEISSUED"),
        })
    }

    pub(crate) async fn move_messages(
        &mut self,
        uid: bool,
        set: &SequenceSet,
        name: &MailboxName,
    ) -> Outcome {
        let Some(view) = &self.view else {
            return Ok(Answer::bad("no mailbox"));
        };
        // RFC 6851 §4.5: what STORE and EXPUNGE would need.
        if let Err(answer) = view
            .permit(Rights::DELETED)
            .and_then(|()| view.permit(Rights::EXPUNGE))
        {
            return Ok(answer);
        }
        let uids = match view.indices(set, uid) {
            Ok(ranges) => view.uids_of(&ranges),
            Err(answer) => return Ok(answer),
        };
        let to = match self.target(name.as_str()).await {
            Ok(to) => to,
            Err(answer) => return Ok(answer),
        };
        let Some(view) = self.view.as_mut().filter(|_| !uids.is_empty()) else {
            return Ok(Answer::ok("no messages"));
        };
        let (from, how) = (view.place.spot.owner.clone(), transfer_to(&to, true));
        match from
            .transfer(view.folder.id, &uids, &to.spot.owner, to.folder.id, how)
            .await
        {
            Ok(moved) => {
                self.note_put(to.spot.owner.id(), to.folder.id, &moved.target);
                // RFC 6851 §4.3: COPYUID comes before the EXPUNGEs, in an untagged OK.
                if let Some(code) = copy_uid(&moved) {
                    let out = self.conn.output();
                    out.put_slice(b"* OK [");
                    out.put_slice(code.as_bytes());
                    out.put_slice(b"] moved\r\n");
                }
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
