//! RETR (RFC 1939 §5).

use net::ConnError;

use crate::send::{self, Part};
use crate::session::Session;

pub(crate) async fn retr(session: &mut Session, number: u32) -> Result<(), ConnError> {
    send::send(session, number, Part::Whole).await
}
