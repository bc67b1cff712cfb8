//! The maildrop of a session: the INBOX as it was at the login (RFC 1939 §4), locked against other POP3 sessions.

use std::collections::VecDeque;
use std::sync::Arc;

use mailbox::{Fetched, FolderId, MailboxError, Owner, Uid, Want};
use shared::model::OwnerId;

use crate::Server;
use crate::replies::{self, Text};

/// Messages that are asked for at once when a client reads one after the other; the mailbox gives at most about 1 MiB of them.
const AHEAD_MAX_COUNT: usize = 64;

pub(crate) struct Maildrop {
    pub(crate) owner: Owner,
    pub(crate) folder: FolderId,
    pub(crate) uid_validity: u32,
    pub(crate) messages: Vec<Message>,
    /// Messages read ahead, in the order of their UIDs.
    ahead: VecDeque<Fetched>,
    /// How many to ask for the next time.
    ahead_count: usize,
    /// The index of the message read last.
    last: Option<usize>,
    _lock: MaildropLock,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    pub(crate) uid: Uid,
    /// Octets.
    pub(crate) size: u64,
    pub(crate) deleted: bool,
}

/// An owner's maildrop, held by one session; given back when dropped.
pub(crate) struct MaildropLock {
    server: Arc<Server>,
    owner: OwnerId,
}

impl MaildropLock {
    pub(crate) fn take(server: &Arc<Server>, owner: OwnerId) -> Option<Self> {
        server.locked.lock().insert(owner).then(|| Self {
            server: server.clone(),
            owner,
        })
    }
}

impl Drop for MaildropLock {
    fn drop(&mut self) {
        self.server.locked.lock().remove(&self.owner);
    }
}

impl Maildrop {
    /// Locks and reads the maildrop; or says why not.
    pub(crate) async fn open(server: &Arc<Server>, owner: OwnerId) -> Result<Self, Text> {
        let lock = MaildropLock::take(server, owner).ok_or(replies::IN_USE)?;
        let owner = server.mailboxes.owner(owner);
        // EXAMINE's way: what is recent stays so for the user's IMAP sessions.
        let selected = owner
            .select("INBOX", false)
            .await
            .map_err(|error| failure(&error))?;
        let folder = selected.folder.id;
        let uids: Vec<Uid> = selected.uids.iter().collect();
        let mut messages = Vec::with_capacity(uids.len());
        let mut rest = uids.as_slice();
        while !rest.is_empty() {
            let want = Want {
                facts: true,
                ..Want::default()
            };
            let found = owner
                .fetch(folder, rest, want)
                .await
                .map_err(|error| failure(&error))?;
            let Some(last) = found.last().map(|message| message.row.uid) else {
                break;
            };
            messages.extend(found.iter().map(|message| Message {
                uid: message.row.uid,
                size: message.size,
                deleted: false,
            }));
            let done = rest.partition_point(|&uid| uid <= last);
            rest = rest.get(done..).unwrap_or_default();
        }
        Ok(Self {
            owner,
            folder,
            uid_validity: selected.folder.uid_validity,
            messages,
            ahead: VecDeque::new(),
            ahead_count: 1,
            last: None,
            _lock: lock,
        })
    }

    /// The message of that number, if it is there and not marked as deleted.
    pub(crate) fn message(&self, number: u32) -> Result<(usize, Message), Text> {
        let index = (number as usize).checked_sub(1).ok_or(replies::NO_SUCH_MESSAGE)?;
        match self.messages.get(index) {
            None => Err(replies::NO_SUCH_MESSAGE),
            Some(message) if message.deleted => Err(replies::DELETED),
            Some(message) => Ok((index, *message)),
        }
    }

    /// Messages that are not marked as deleted, with their numbers.
    pub(crate) fn listed(&self) -> impl Iterator<Item = (usize, &Message)> {
        self.messages
            .iter()
            .enumerate()
            .filter(|(_, message)| !message.deleted)
            .map(|(index, message)| (index + 1, message))
    }

    /// A message with its text. Who reads one after the other is read ahead for.
    pub(crate) async fn read(&mut self, index: usize) -> Result<Fetched, Text> {
        let uid = self.messages.get(index).ok_or(replies::NO_SUCH_MESSAGE)?.uid;
        while self.ahead.front().is_some_and(|ahead| ahead.row.uid < uid) {
            self.ahead.pop_front();
        }
        if self.ahead.front().is_none_or(|ahead| ahead.row.uid != uid) {
            let in_a_row = index
                .checked_sub(1)
                .is_some_and(|before| self.last == Some(before));
            self.ahead_count = if in_a_row {
                (self.ahead_count * 4).min(AHEAD_MAX_COUNT)
            } else {
                1
            };
            let coming = self
                .messages
                .iter()
                .skip(index)
                .filter(|message| !message.deleted);
            let uids: Vec<Uid> = coming.take(self.ahead_count).map(|message| message.uid).collect();
            let want = Want {
                text: true,
                ..Want::default()
            };
            self.ahead = self
                .owner
                .fetch(self.folder, &uids, want)
                .await
                .map_err(|error| failure(&error))?
                .into();
        }
        self.last = Some(index);
        match self.ahead.pop_front() {
            Some(message) if message.row.uid == uid => Ok(message),
            Some(other) => {
                self.ahead.push_front(other);
                Err(replies::GONE)
            }
            None => Err(replies::GONE),
        }
    }

    /// Removes what is marked (RFC 1939 §6). Durable when it returns.
    pub(crate) async fn update(&self) -> Result<(), MailboxError> {
        let uids: Vec<Uid> = self
            .messages
            .iter()
            .filter(|message| message.deleted)
            .map(|message| message.uid)
            .collect();
        if uids.is_empty() {
            return Ok(());
        }
        self.owner.remove_messages(self.folder, &uids).await.map(drop)
    }
}

/// What a client is told of a mailbox's failure.
pub(crate) fn failure(error: &MailboxError) -> Text {
    match error {
        MailboxError::Damaged(_) => replies::DAMAGED,
        _ => replies::UNAVAILABLE,
    }
}
