//! NAMESPACE (RFC 9051 §6.3.10).

use crate::reply::{Answer, COMPLETED, untagged};
use crate::session::Session;

/// Between the levels of a name.
pub(crate) const DELIMITER: char = '/';

impl Session {
    pub(crate) fn namespace(&mut self) -> Answer {
        untagged(self.conn.output(), "NAMESPACE ((\"\" \"/\")) NIL NIL");
        Answer::ok(COMPLETED)
    }
}
