//! CLOSE and UNSELECT (RFC 9051 §6.4.1, §6.4.2).

use crate::reply::{Answer, COMPLETED, Outcome};
use crate::session::Session;

impl Session {
    /// Removes what is marked \Deleted, silently; not from a folder that was only examined.
    pub(crate) async fn close(&mut self) -> Outcome {
        if let (Some(view), Some(user)) = (&self.view, &self.user)
            && !view.read_only
            && let Err(error) = user.owner.expunge(view.folder.id, None).await
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
