//! The few words that this room itself says to a peer that gets no session. English constants, as all replies are.

use shared::model::Protocol;

pub(crate) const BUSY: &str = "too many connections, try again later";
pub(crate) const BUSY_ADDRESS: &str = "too many connections from your address";
pub(crate) const PAUSED: &str = "the service is paused, try again later";

/// A refusal in the protocol's own words: RFC 5321 §3.1 and RFC 3463, RFC 3501 §7.1.5, RFC 1939 §4 with RFC 3206 §4.
pub(crate) fn refusal(protocol: Protocol, temporary: bool, text: &str) -> String {
    // A reply is one line whatever the text holds.
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    match (protocol, temporary) {
        (Protocol::Smtp | Protocol::Submission | Protocol::Lmtp, true) => format!("421 4.3.2 {text}\r\n"),
        (Protocol::Smtp | Protocol::Submission | Protocol::Lmtp, false) => format!("554 5.7.1 {text}\r\n"),
        (Protocol::Imap, true) => format!("* BYE [UNAVAILABLE] {text}\r\n"),
        (Protocol::Imap, false) => format!("* BYE {text}\r\n"),
        (Protocol::Pop3, true) => format!("-ERR [SYS/TEMP] {text}\r\n"),
        // RFC 9110 §15.6.4, §15.5.4
        (Protocol::Web, true) => {
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
        }
        (Protocol::Web, false) => {
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
        }
        (Protocol::Pop3, false) => format!("-ERR [SYS/PERM] {text}\r\n"),
    }
}
