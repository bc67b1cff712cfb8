//! CAPABILITY (RFC 9051 §6.1.1): what is offered in the state the session is in, and only what is complete.

use std::fmt::Write as _;

use directory::LoginContext;
use shared::model::Protocol;

use crate::session::Session;

/// Offered from the first moment on.
const ALWAYS: &str = "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE";
/// Offered to users.
const AUTHENTICATED: &str = "NAMESPACE ACL RIGHTS=texk LIST-MYRIGHTS UIDPLUS MOVE SPECIAL-USE CREATE-SPECIAL-USE QRESYNC CONDSTORE UNSELECT CHILDREN ESEARCH \
     SEARCHRES WITHIN LIST-EXTENDED LIST-STATUS METADATA LIST-METADATA STATUS=SIZE MULTIAPPEND BINARY QUOTA QUOTA=RES-STORAGE \
     SAVEDATE OBJECTID PREVIEW UTF8=ACCEPT REPLACE CATENATE \
     SORT SORT=DISPLAY ESORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES PARTIAL I18NLEVEL=1 CONTEXT=SEARCH CONTEXT=SORT NOTIFY MULTISEARCH UIDONLY";

impl Session {
    /// The list, without the word CAPABILITY.
    pub(crate) fn capabilities(&self) -> String {
        self.without_switched_off(self.all_capabilities())
    }

    fn all_capabilities(&self) -> String {
        let mut out = ALWAYS.to_owned();
        if let Some(user) = &self.user {
            out.push(' ');
            out.push_str(AUTHENTICATED);
            // RFC 7889 §2
            let _ = write!(out, " APPENDLIMIT={}", user.append_max_bytes);
            out.push_str(" UNAUTHENTICATE");
            // RFC 4978 §3: not twice.
            if !self.conn.is_compressed() {
                out.push_str(" COMPRESS=DEFLATE");
            }
            return out;
        }
        if self.conn.can_start_tls() {
            out.push_str(" STARTTLS");
        }
        // RFC 9051 §6.2.3: no password in the clear.
        if !self.conn.is_secure() || !self.server.directory.offers("PLAIN") {
            out.push_str(" LOGINDISABLED");
        }
        for mechanism in self.server.directory.mechanisms(&self.login_context()) {
            out.push_str(" AUTH=");
            out.push_str(mechanism);
        }
        out
    }

    pub(crate) fn login_context(&self) -> LoginContext {
        let bindings = ["tls-exporter", "tls-server-end-point"];
        LoginContext {
            protocol: Protocol::Imap,
            peer: self.conn.peer().ip(),
            secure: self.conn.is_secure(),
            tls: self.conn.is_tls(),
            channel_bindings: bindings
                .into_iter()
                .filter_map(|kind| Some((kind, self.conn.channel_binding(kind)?)))
                .collect(),
            certificate: self.conn.client_certificate(),
            scope: self.conn.session().scope(),
        }
    }
}
