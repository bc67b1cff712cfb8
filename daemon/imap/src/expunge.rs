//! EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, §6.4.9).

use shared::Rights;
use wire::imap::SequenceSet;

use crate::reply::{Answer, COMPLETED, Outcome};
use crate::session::{Session, Tell};
use crate::view::View;

impl Session {
    /// Removes the messages with \Deleted, all or those among the UIDs. The responses come with the announcement.
    pub(crate) async fn expunge(&mut self, set: Option<SequenceSet>) -> Outcome {
        let Some(view) = &self.view else {
            return Ok(Answer::bad("no mailbox"));
        };
        if let Err(answer) = view.permit(Rights::EXPUNGE) {
            return Ok(answer);
        }
        let uids = match set {
            None => None,
            Some(set) => match view.indices(&set, true) {
                Ok(ranges) => Some(view.uids_of(&ranges)),
                Err(answer) => return Ok(answer),
            },
        };
        match view
            .place
            .spot
            .owner
            .expunge(view.folder.id, uids.as_deref())
            .await
        {
            Ok(gone) => self.expunged(!gone.is_empty()).await,
            Err(error) => Ok(error.into()),
        }
    }

    /// Tells of it; with QRESYNC also how far the client has come (RFC 7162 §3.2.7).
    async fn expunged(&mut self, any: bool) -> Outcome {
        self.tell(Tell::All, false).await?;
        let modseq = self.view.as_ref().map_or(0, View::modseq);
        let answer = Answer::ok(COMPLETED);
        Ok(if any && self.enabled.qresync {
            answer.with(format!("HIGHESTMODSEQ {modseq}"))
        } else {
            answer
        })
    }
}
