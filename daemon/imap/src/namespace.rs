//! NAMESPACE (RFC 9051 §6.3.10; RFC 2342).

use crate::place::{OTHER_USERS, PUBLIC};
use crate::reply::{Answer, COMPLETED, untagged};
use crate::session::Session;

/// Between the levels of a name.
pub(crate) const DELIMITER: char = '/';

impl Session {
    pub(crate) fn namespace(&mut self) -> Answer {
        let line = format!(
            "NAMESPACE ((\"\" \"/\")) ((\"{OTHER_USERS}{DELIMITER}\" \"/\")) ((\"{PUBLIC}{DELIMITER}\" \"/\"))"
        );
        untagged(self.conn.output(), &line);
        Answer::ok(COMPLETED)
    }
}
