//! LSUB (RFC 3501 §6.3.9).

use wire::imap::list_match;

use crate::list::put_line;
use crate::namespace::DELIMITER;
use crate::reply::{Answer, COMPLETED, Outcome};
use crate::session::Session;

impl Session {
    pub(crate) async fn lsub(&mut self, reference: &str, pattern: &str) -> Outcome {
        let tree = match self.subscribed_tree().await {
            Ok(tree) => tree,
            Err(answer) => return Ok(answer),
        };
        let pattern = format!("{reference}{pattern}");
        let utf8 = self.enabled.utf8();
        for (name, entry) in tree.in_order() {
            if !list_match(&pattern, name, DELIMITER) {
                continue;
            }
            if entry.subscribed {
                put_line(self.conn.output(), "LSUB", &[], name, utf8);
            } else if pattern.ends_with('%') {
                // Not subscribed itself, but something below it that % does not reach.
                put_line(self.conn.output(), "LSUB", &["\\Noselect"], name, utf8);
            }
            self.conn.flush_if_full().await?;
        }
        Ok(Answer::ok(COMPLETED))
    }
}
