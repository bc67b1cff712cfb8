//! CLOSE and UNSELECT (RFC 9051 §6.4.1, §6.4.2).

use shared::Rights;

use crate::reply::{Answer, COMPLETED, Outcome};
use crate::session::{Session, Tell};

impl Session {
    /// Removes what is marked \Deleted, silently; not from a folder that was only examined, nor without the right to.
    pub(crate) async fn close(&mut self) -> Outcome {
        if self.enabled.qresync {
            self.tell(Tell::All, false).await?;
        }
        let Some(view) = &mut self.view else {
            return Ok(Answer::bad("no mailbox"));
        };
        let mut code = None;
        if view.permit(Rights::EXPUNGE).is_ok() {
            let gone = match view.place.spot.owner.expunge(view.folder.id, None).await {
                Ok(gone) => gone,
                Err(error) => return Ok(error.into()),
            };
            // RFC 7162 §3.2.8: only if the client then knows all up to it.
            if self.enabled.qresync
                && !gone.is_empty()
                && let Some(news) = view.sync(true).await?
                && view.is_only_loss(&news, &gone)
            {
                code = Some(format!("HIGHESTMODSEQ {}", view.modseq()));
            }
        }
        let answer = self.unselect();
        Ok(match code {
            Some(code) => answer.with(code),
            None => answer,
        })
    }

    pub(crate) fn unselect(&mut self) -> Answer {
        self.view = None;
        self.conn.session().set_state("authenticated");
        Answer::ok(COMPLETED)
    }
}
