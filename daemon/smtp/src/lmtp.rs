//! What LMTP answers for each recipient once the text is there (RFC 2033 §4.2): whether the address still leads somewhere, and whether the mailbox
//! has room for that text.
//!
//! An address that leads to several mailboxes is taken if one of them has room: the others' copies wait in the queue.
//!
//! Must not know: how a text came.

use std::sync::Arc;
use std::time::Duration;

use directory::{Account, Resolution};
use queue::Recipient;
use shared::Address;
use tokio::time::{Instant, timeout_at};

use crate::replies;
use crate::session::Session;

/// How long the mailboxes of all recipients are asked.
const ROOM_TIMEOUT: Duration = Duration::from_secs(5);

/// For each recipient the reply with which it is refused now, if it is.
pub(crate) async fn refusals(
    session: &Session,
    recipients: &[Recipient],
    bytes: u64,
) -> Vec<Option<&'static str>> {
    let mut out = Vec::with_capacity(recipients.len());
    // Who hands the message over waits, and would send it once more if that took long.
    let deadline = Instant::now() + ROOM_TIMEOUT;
    for recipient in recipients {
        out.push(refusal(session, &recipient.address, (bytes, deadline)).await);
    }
    out
}

async fn refusal(
    session: &Session,
    address: &Address,
    (bytes, deadline): (u64, Instant),
) -> Option<&'static str> {
    let (accounts, remote) = match session.server.directory.resolve(address).await {
        Ok(Resolution::Deliver { accounts, remote }) => (accounts, remote),
        Ok(Resolution::Unknown | Resolution::NotLocal) => return Some(replies::UNKNOWN_USER),
        Ok(Resolution::Disabled) => return Some(replies::DISABLED_USER),
        Err(_) => return Some(replies::DIRECTORY_UNAVAILABLE),
    };
    if !remote.is_empty() {
        return None;
    }
    for account in &accounts {
        let keeps = account.forward_to.is_empty() || account.forward_keep;
        if !keeps || !is_full(session, account, (bytes, deadline)).await {
            return None;
        }
    }
    (!accounts.is_empty()).then_some(replies::OVER_QUOTA)
}

/// A mailbox that can't be asked now is not full: the queue knows how to wait for it.
async fn is_full(session: &Session, account: &Arc<Account>, (bytes, deadline): (u64, Instant)) -> bool {
    let (Some(mailboxes), Some(quota)) = (&session.server.mailboxes, account.quota_bytes) else {
        return false;
    };
    let owner = mailboxes.owner(account.owner);
    let used = timeout_at(deadline, owner.used_bytes()).await;
    matches!(used, Ok(Ok(used)) if used.saturating_add(bytes) > quota)
}
