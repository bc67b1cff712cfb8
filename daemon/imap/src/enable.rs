//! ENABLE (RFC 5161; RFC 9051 §6.3.1).

use crate::reply::{Answer, COMPLETED, untagged};
use crate::session::Session;

impl Session {
    pub(crate) fn enable(&mut self, names: &[String]) -> Answer {
        let mut now = String::from("ENABLED");
        for name in names {
            if !self.offers(name) {
                continue;
            }
            let switch = match name.as_str() {
                "CONDSTORE" => &mut self.enabled.condstore,
                "IMAP4REV2" => &mut self.enabled.rev2,
                // RFC 5161 §3.1: what is not known is let go.
                _ => continue,
            };
            if !std::mem::replace(switch, true) {
                now.push_str(if name == "IMAP4REV2" {
                    " IMAP4rev2"
                } else {
                    " CONDSTORE"
                });
            }
        }
        untagged(self.conn.output(), &now);
        Answer::ok(COMPLETED)
    }
}
