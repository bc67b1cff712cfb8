//! ID (RFC 2971). What the client says of itself decides what it is offered, where an administrator wants it so, and nothing else.

use bytes::BufMut;
use wire::imap::render::put_quoted;

use crate::reply::{Answer, COMPLETED};
use crate::session::Session;

impl Session {
    pub(crate) fn id(&mut self, client: &[(String, Option<String>)]) -> Answer {
        self.name_client(client);
        let known = self.user.is_some();
        let out = self.conn.output();
        out.put_slice(b"* ID (\"name\" \"BatPost\"");
        // The version is told to users only.
        if known {
            out.put_slice(b" \"version\" ");
            put_quoted(out, env!("CARGO_PKG_VERSION").as_bytes());
        }
        out.put_slice(b")\r\n");
        Answer::ok(COMPLETED)
    }
}
