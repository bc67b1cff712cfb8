//! Whether a user may write in the name that the header shows (RFC 6409 §6.1).
//!
//! The envelope's sender is looked at with MAIL; what people see is From, so it is held to the same rule: own addresses, those of aliases
//! and groups, and what an administrator allowed.

use std::sync::Arc;

use directory::{Account, Directory};
use shared::{Address, DomainName};
use wire::message::addresses::{Entry, MISSING_DOMAIN, MISSING_MAILBOX, Mailbox, entries};
use wire::message::headers;

/// Addresses in From that are looked at; a message with more is refused.
const FROM_MAX_COUNT: usize = 50;

/// What the header's From is checked with.
pub(crate) struct Writer {
    directory: Directory,
    account: Arc<Account>,
}

/// Why a header is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Objection {
    NotAllowed,
    DirectoryUnavailable,
}

impl Writer {
    pub(crate) fn new(directory: &Directory, account: &Arc<Account>) -> Self {
        Self {
            directory: directory.clone(),
            account: account.clone(),
        }
    }

    /// Looks at every address of every From field; what can't be read as an address is nobody's.
    pub(crate) async fn check(&self, header: &[u8]) -> Result<(), Objection> {
        let mut mailboxes: Vec<Mailbox> = Vec::new();
        for field in headers(header).filter(|field| field.is("From")) {
            let before = mailboxes.len();
            mailboxes.extend(entries(field.value).into_iter().filter_map(|entry| match entry {
                Entry::Mailbox(mailbox) => Some(mailbox),
                Entry::GroupStart(_) | Entry::GroupEnd => None,
            }));
            // A name without an address is shown as whose it is as well.
            if mailboxes.len() == before || mailboxes.len() > FROM_MAX_COUNT {
                return Err(Objection::NotAllowed);
            }
        }
        for mailbox in &mailboxes {
            let address = address(mailbox).ok_or(Objection::NotAllowed)?;
            match self.directory.may_send_as(&self.account, &address).await {
                Ok(true) => {}
                Ok(false) => return Err(Objection::NotAllowed),
                Err(_) => return Err(Objection::DirectoryUnavailable),
            }
        }
        Ok(())
    }
}

fn address(mailbox: &Mailbox) -> Option<Address> {
    if mailbox.local == MISSING_MAILBOX || mailbox.domain == MISSING_DOMAIN {
        return None;
    }
    let domain = DomainName::parse(std::str::from_utf8(&mailbox.domain).ok()?).ok()?;
    Address::from_parts(std::str::from_utf8(&mailbox.local).ok()?, domain).ok()
}
