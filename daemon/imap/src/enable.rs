//! ENABLE (RFC 5161; RFC 9051 §6.3.1; RFC 6855, RFC 9586).

use crate::reply::{Answer, COMPLETED, untagged};
use crate::session::Session;

impl Session {
    pub(crate) fn enable(&mut self, names: &[String]) -> Answer {
        let mut now = String::from("ENABLED");
        let before = self.enabled.condstore;
        for name in names {
            if !self.offers(name) {
                continue;
            }
            let (switch, spelt) = match name.as_str() {
                "CONDSTORE" => (&mut self.enabled.condstore, " CONDSTORE"),
                "QRESYNC" => (&mut self.enabled.qresync, " QRESYNC"),
                "IMAP4REV2" => (&mut self.enabled.rev2, " IMAP4rev2"),
                "UIDONLY" => (&mut self.enabled.uid_only, " UIDONLY"),
                "UTF8=ACCEPT" => (&mut self.enabled.utf8_accept, " UTF8=ACCEPT"),
                // RFC 5161 §3.1: what is not known is let go.
                _ => continue,
            };
            if !std::mem::replace(switch, true) {
                now.push_str(spelt);
            }
        }
        untagged(self.conn.output(), &now);
        // RFC 7162 §3.2.3
        let condstore = self.enabled.condstore || self.enabled.qresync;
        self.enabled.condstore = before;
        self.enable_condstore(condstore);
        Answer::ok(COMPLETED)
    }
}
