//! VRFY (RFC 5321 §3.5, §4.1.1.6): says nothing of who exists, unless the setting `smtp.verify` is on, and then to users only.

use std::fmt::Write;

use directory::Resolution;
use shared::Address;

use crate::replies;
use crate::session::Session;

pub(crate) async fn vrfy(session: &mut Session, text: &str) {
    if !is_told(session) {
        return session.reply(replies::VRFY);
    }
    let Some(address) = address(text) else {
        return session.refuse(replies::NOT_AN_ADDRESS);
    };
    match session.server.directory.resolve(&address).await {
        Ok(Resolution::Deliver { .. }) => {
            // Writing to a buffer in memory can't fail.
            let _ = write!(session.conn.output(), "250 2.1.5 <{address}>\r\n");
        }
        Ok(Resolution::Disabled) => session.refuse(replies::DISABLED_USER),
        Ok(Resolution::Unknown) => session.refuse(replies::UNKNOWN_USER),
        Ok(Resolution::NotLocal) => session.reply(replies::VRFY),
        Err(_) => session.refuse(replies::DIRECTORY_UNAVAILABLE),
    }
}

/// Whether this client hears who exists.
pub(crate) fn is_told(session: &Session) -> bool {
    session.limits.verify && session.account.is_some()
}

/// `anna@example.test` or `<anna@example.test>`, perhaps with a name before it.
pub(crate) fn address(text: &str) -> Option<Address> {
    let text = text.trim();
    let inner = match text.rsplit_once('<') {
        Some((_, rest)) => rest.strip_suffix('>')?,
        None => text,
    };
    Address::parse(inner).ok()
}
