//! EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, §6.4.9).

use shared::Rights;
use wire::imap::SequenceSet;

use crate::reply::{Answer, COMPLETED, Outcome};
use crate::session::Session;

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
            Ok(_) => Ok(Answer::ok(COMPLETED)),
            Err(error) => Ok(error.into()),
        }
    }
}
