//! COMPRESS (RFC 4978): everything after the OK is DEFLATE, both ways.

use wire::imap::Tag;

use crate::reply::{Answer, End, Outcome};
use crate::session::Session;

impl Session {
    /// Answers by itself: the OK is the last that goes as it is.
    pub(crate) async fn compress(&mut self, tag: &Tag, mechanism: &str) -> Outcome {
        if mechanism != "DEFLATE" {
            return Ok(Answer::bad("no such compression"));
        }
        if self.conn.is_compressed() {
            return Ok(Answer::no("DEFLATE is on already").with("COMPRESSIONACTIVE"));
        }
        Answer::ok("DEFLATE from here on").put(self.conn.output(), tag);
        self.conn.flush().await?;
        self.conn.start_deflate();
        self.framer.reset();
        Err(End::Resume)
    }
}
