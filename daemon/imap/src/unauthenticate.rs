//! UNAUTHENTICATE (RFC 8437): as after the greeting; TLS and compression stay.

use crate::patience::Patience;
use crate::reply::Answer;
use crate::session::{Enabled, Session};

impl Session {
    pub(crate) fn unauthenticate(&mut self) -> Answer {
        // Named one by one, so that nothing of a user is forgotten here when something is added there.
        let Self {
            conn,
            server: _,
            framer: _,
            user,
            view,
            enabled,
            appending,
            notify,
            // What the client is stays; what is switched off for it is looked up anew.
            switched: _,
            origin: _,
            errors: _,
            patience,
        } = self;
        // RFC 8437 §3: a selected mailbox is let go without an expunge; what was enabled is not any more.
        *user = None;
        *view = None;
        *enabled = Enabled::default();
        *appending = None;
        *patience = Patience::new();
        *notify = None;
        conn.session().set_user("");
        conn.session().set_state("");
        self.switch();
        Answer::ok("logged out").with(format!("CAPABILITY {}", self.capabilities()))
    }
}
