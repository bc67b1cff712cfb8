//! CLOSE and UNSELECT (RFC 9051 §6.4.1, §6.4.2).

use shared::Rights;

use crate::reply::{Answer, COMPLETED, Outcome};
use crate::session::Session;

impl Session {
    /// Removes what is marked \Deleted, silently; not from a folder that was only examined, nor without the right to.
    pub(crate) async fn close(&mut self) -> Outcome {
        if let Some(view) = &self.view
            && view.permit(Rights::EXPUNGE).is_ok()
            && let Err(error) = view.place.spot.owner.expunge(view.folder.id, None).await
        {
            return Ok(error.into());
        }
        Ok(self.unselect())
    }

    pub(crate) fn unselect(&mut self) -> Answer {
        self.view = None;
        self.conn.session().set_state("authenticated");
        Answer::ok(COMPLETED)
    }
}
