//! STARTTLS (RFC 9051 §6.2.1).

use wire::imap::Tag;

use crate::reply::{Answer, End, Outcome};
use crate::session::Session;

impl Session {
    /// Answers by itself: the OK must be out before the handshake begins.
    pub(crate) async fn starttls(&mut self, tag: &Tag) -> Outcome {
        if !self.conn.can_start_tls() {
            return Ok(Answer::bad("STARTTLS is not offered"));
        }
        // Whatever was sent along with STARTTLS was sent by somebody who was not asked who he is.
        if !self.conn.input().is_empty() {
            Answer::bad("commands were sent ahead of the handshake").put(self.conn.output(), tag);
            return Err(End::Bye("commands were sent ahead of the handshake"));
        }
        Answer::ok("begin TLS").put(self.conn.output(), tag);
        self.conn.flush().await?;
        self.conn.start_tls().await?;
        self.framer.reset();
        Err(End::Resume)
    }
}
