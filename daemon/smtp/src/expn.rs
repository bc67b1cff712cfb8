//! EXPN (RFC 5321 §3.5, §4.1.1.7): members of lists are nobody's business, unless the setting `smtp.verify` is on, and then that of users.

use std::fmt::Write;

use directory::Resolution;

use crate::session::Session;
use crate::{replies, vrfy};

/// Members that are told; of a larger list none is.
const MEMBERS_MAX_COUNT: usize = 100;

pub(crate) async fn expn(session: &mut Session, text: &str) {
    if !vrfy::is_told(session) {
        return session.refuse(replies::NOT_IMPLEMENTED);
    }
    let Some(address) = vrfy::address(text) else {
        return session.refuse(replies::NOT_AN_ADDRESS);
    };
    let members = match session.server.directory.resolve(&address).await {
        Ok(Resolution::Deliver { accounts, remote }) => {
            let here = accounts.iter().map(|account| account.address.to_string());
            here.chain(remote.iter().map(ToString::to_string))
                .collect::<Vec<_>>()
        }
        Ok(Resolution::Disabled) => return session.refuse(replies::DISABLED_USER),
        Ok(Resolution::Unknown | Resolution::NotLocal) => return session.refuse(replies::UNKNOWN_USER),
        Err(_) => return session.refuse(replies::DIRECTORY_UNAVAILABLE),
    };
    if members.len() > MEMBERS_MAX_COUNT {
        return session.reply(replies::VRFY);
    }
    let last = members.len().saturating_sub(1);
    for (at, member) in members.iter().enumerate() {
        let separator = if at == last { ' ' } else { '-' };
        // Writing to a buffer in memory can't fail.
        let _ = write!(session.conn.output(), "250{separator}2.1.5 <{member}>\r\n");
    }
}
