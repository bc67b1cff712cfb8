//! REPLACE and UID REPLACE (RFC 8508): a new message in the place of one of the selected mailbox.

use bytes::BufMut;
use mailbox::Uid;
use shared::Rights;
use wire::imap::{AppendArgs, NumberRange, ReplaceArgs, SeqNumber, SequenceSet};

use crate::append::append_uid;
use crate::copy::target_missing;
use crate::reply::{Answer, COMPLETED, Outcome, uid_required};
use crate::session::{Session, Tell};

impl Session {
    /// Which message it is that shall go, if it may.
    pub(crate) fn replaced_uid(&self, uid: bool, number: SeqNumber) -> Result<Uid, Answer> {
        let Some(view) = &self.view else {
            return Err(Answer::bad("select a mailbox first"));
        };
        if self.enabled.uid_only && !uid {
            return Err(uid_required());
        }
        // RFC 8508 §3.5: what STORE and EXPUNGE would need.
        view.permit(Rights::DELETED)?;
        view.permit(Rights::EXPUNGE)?;
        let range = NumberRange {
            from: number,
            to: number,
        };
        let ranges = view.indices(&SequenceSet::Ranges([range].into_iter().collect()), uid)?;
        let found = view.uids_of(&ranges).first().copied();
        found.ok_or(Answer::no("no such message"))
    }

    /// The whole command has come.
    pub(crate) async fn replace(&mut self, uid: bool, args: ReplaceArgs) -> Outcome {
        let replaced = match self.replaced_uid(uid, args.number) {
            Ok(replaced) => replaced,
            Err(answer) => {
                self.appending = None;
                return Ok(answer);
            }
        };
        let append = AppendArgs {
            mailbox: args.mailbox,
            messages: vec![args.message],
        };
        let (place, messages) = match self.appended(append).await {
            Ok(ready) => ready,
            Err(answer) => return Ok(answer),
        };
        let (Some(view), Some(message)) = (&self.view, messages.into_iter().next()) else {
            return Ok(Answer::bad("message expected"));
        };
        let (owner, folder) = (view.place.spot.owner.clone(), view.folder.id);
        let done = owner
            .replace(folder, replaced, &place.spot.owner, place.folder.id, message)
            .await;
        match done {
            Ok(Some(appended)) => {
                self.note_put(place.spot.owner.id(), place.folder.id, &[appended.uid]);
                // RFC 8508 §3.3: APPENDUID and EXISTS are told before the EXPUNGE.
                if let Some(code) = append_uid(&[appended]) {
                    let out = self.conn.output();
                    out.put_slice(b"* OK [");
                    out.put_slice(code.as_bytes());
                    out.put_slice(b"] appended\r\n");
                }
                self.tell(Tell::NoExpunge, uid).await?;
                Ok(Answer::ok(COMPLETED))
            }
            Ok(None) => Ok(Answer::no("the message is gone").with("EXPUNGEISSUED")),
            Err(error) => Ok(target_missing(error)),
        }
    }
}
