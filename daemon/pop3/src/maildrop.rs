//! The maildrop of a session: the INBOX as it was at the login (RFC 1939 §4), locked against other POP3 sessions.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mailbox::{Fetched, FolderId, MailboxError, Owner, SizeRow, Uid, Want};
use shared::model::OwnerId;
use tokio::time::Instant;

use crate::Server;
use crate::replies::{self, Text};

/// Messages that are asked for at once when a client reads one after the other; the mailbox gives at most about 1 MiB of them.
const AHEAD_MAX_COUNT: usize = 64;
/// How long a login waits for the maildrop's other session to end.
const LOCK_WAIT: Duration = Duration::from_secs(2);

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
    /// Octets, as this session sees it.
    pub(crate) size: u64,
    /// What the mailbox knows its text by: it stays when a message is moved away and back.
    id: u64,
    /// The folder holds another message with that text, and before this one.
    copy: bool,
    /// The session is shown what clients without UTF8 may see.
    pub(crate) downgraded: bool,
    pub(crate) deleted: bool,
}

/// An owner's maildrop, held by one session; given back when dropped.
pub(crate) struct MaildropLock {
    server: Arc<Server>,
    owner: OwnerId,
}

impl MaildropLock {
    /// Waits a moment for a session that is about to end: a client that lost its connection comes back at once.
    pub(crate) async fn take(server: &Arc<Server>, owner: OwnerId) -> Option<Self> {
        let deadline = Instant::now() + LOCK_WAIT;
        loop {
            let freed = server.freed.notified();
            tokio::pin!(freed);
            // Listening begins before the look: an end between the two is not missed.
            freed.as_mut().enable();
            if server.locked.lock().insert(owner) {
                let server = server.clone();
                return Some(Self { server, owner });
            }
            tokio::time::timeout_at(deadline, freed).await.ok()?;
        }
    }
}

impl Drop for MaildropLock {
    fn drop(&mut self) {
        self.server.locked.lock().remove(&self.owner);
        self.server.freed.notify_waiters();
    }
}

impl Maildrop {
    /// Locks and reads the maildrop; or says why not. `utf8`: the client may see headers in UTF-8 (RFC 6856 §2).
    pub(crate) async fn open(server: &Arc<Server>, owner: OwnerId, utf8: bool) -> Result<Self, Text> {
        let lock = MaildropLock::take(server, owner).await.ok_or(replies::IN_USE)?;
        let owner = server.mailboxes.owner(owner);
        let folder = owner.folder("INBOX").await.map_err(|error| failure(&error))?;
        let mut messages: Vec<Message> = Vec::new();
        while let Some(from) = messages.last().map_or(Some(1), |last| last.uid.checked_add(1)) {
            let rows = owner.sizes(folder.id, from).await;
            let rows = rows.map_err(|error| failure(&error))?;
            if rows.is_empty() {
                break;
            }
            messages.extend(rows.iter().map(|row| Message::new(row, utf8)));
        }
        mark_copies(&mut messages);
        Ok(Self {
            owner,
            folder: folder.id,
            uid_validity: folder.uid_validity,
            messages,
            ahead: VecDeque::new(),
            ahead_count: 1,
            last: None,
            _lock: lock,
        })
    }

    /// What UIDL calls a message (RFC 1939 §7): the same in every session and never another's. Copies of one text have their
    /// UIDs as well.
    pub(crate) fn unique_id(&self, message: &Message) -> impl fmt::Display + use<> {
        let (id, copy) = (
            message.id,
            message.copy.then_some((self.uid_validity, message.uid)),
        );
        fmt::from_fn(move |out| match copy {
            None => write!(out, "{id:x}"),
            Some((uid_validity, uid)) => write!(out, "{id:x}.{uid_validity}.{uid}"),
        })
    }

    /// Texts were read ahead.
    pub(crate) fn holds_texts(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// The client is silent: lets go of what was read ahead.
    pub(crate) fn rest(&mut self) {
        self.ahead = VecDeque::new();
        self.ahead_count = 1;
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

impl Message {
    fn new(row: &SizeRow, utf8: bool) -> Self {
        let downgraded = row.downgraded_size.filter(|_| !utf8);
        Self {
            uid: row.uid,
            size: downgraded.unwrap_or(row.size),
            id: row.email_id,
            copy: false,
            downgraded: downgraded.is_some(),
            deleted: false,
        }
    }
}

/// Marks messages whose text another one with a lower UID has as well.
fn mark_copies(messages: &mut [Message]) {
    let mut ids: Vec<(u64, usize)> = messages
        .iter()
        .enumerate()
        .map(|(index, message)| (message.id, index))
        .collect();
    ids.sort_unstable();
    for pair in ids.windows(2) {
        if let [(before, _), (id, index)] = *pair
            && before == id
            && let Some(message) = messages.get_mut(index)
        {
            message.copy = true;
        }
    }
}

/// What a client is told of a mailbox's failure.
pub(crate) fn failure(error: &MailboxError) -> Text {
    match error {
        MailboxError::Damaged(_) => replies::DAMAGED,
        _ => replies::UNAVAILABLE,
    }
}
