//! STAT (RFC 1939 §5): how many messages and octets, those marked as deleted left out.

use crate::session::Session;

pub(crate) fn stat(session: &mut Session) {
    let Some(maildrop) = &session.maildrop else { return };
    let (count, octets) = maildrop
        .listed()
        .fold((0_u64, 0_u64), |(count, octets), (_, message)| {
            (count + 1, octets + message.size)
        });
    session.raw(&format!("+OK {count} {octets}\r\n"));
}
