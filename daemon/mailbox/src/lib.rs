//! Folders, messages, flags, UIDs and MODSEQs, rights, quota, search and the change feed: the only writer of mailboxes.
//!
//! One owner (user, group, public tree) is one SQLite database `mail/ab/<owner>/mail.db`, with large texts in files
//! beside it. Everything that changes an owner is one logical record in the `journal` with its outcome stated (UIDs and
//! MODSEQs included), applied to the database in the order of the journal; the database is a view of the journal that
//! a replay can finish. See `replay.rs` for what a crash leaves in each state.
//!
//! Must not know: sessions, the wire, who may log in.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use disk::SharedDisk;
use disk::blob::Blob;
use events::Events;
use journal::{Journal, RecordId};
pub use shared::model::OwnerId;
pub use wire::imap::Flags;
use wire::imap::SearchKey;

/// The journal's kind byte of this room's records.
pub const JOURNAL_KIND: journal::Kind = journal::Kind(1);
/// Keywords that one folder may know.
pub const KEYWORDS_PER_FOLDER_MAX: usize = 64;
/// Texts above this many bytes lie in files of their own.
pub const SMALL_TEXT_MAX_BYTES: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FolderId(pub i64);

/// A change number of an owner (RFC 7162): rises strictly, never given twice.
pub type ModSeq = u64;
pub type Uid = u32;

/// Why a mailbox could not do what was asked. Everything else is the caller's "try again later".
#[derive(Debug, Clone, thiserror::Error)]
pub enum MailboxError {
    #[error("no such folder")]
    NoSuchFolder,
    #[error("the folder exists already")]
    FolderExists,
    #[error("this folder can't be changed so: {0}")]
    NotAllowed(&'static str),
    #[error("invalid folder name")]
    InvalidName,
    #[error("over quota")]
    OverQuota,
    #[error("too many keywords in this folder")]
    TooManyKeywords,
    #[error("the mailbox can't be reached now: {0}")]
    Unavailable(String),
    /// The store is damaged for this owner; others are served.
    #[error("the mailbox is damaged: {0}")]
    Damaged(String),
}

pub type Result<T> = std::result::Result<T, MailboxError>;

#[derive(Clone, Debug)]
pub struct Options {
    /// `<data>/mail`.
    pub dir: PathBuf,
    /// Databases held open at most.
    pub open_owners_max: usize,
    /// Worker threads; 0: twice the cores.
    pub workers: usize,
    /// SQLite's VFS by name; `None`: its own default (the real disk).
    pub vfs: Option<String>,
}

/// All mailboxes. Cheap to clone.
#[derive(Clone)]
pub struct Mailboxes {
    _inner: Arc<()>,
}

impl Mailboxes {
    /// Opens the room and replays this room's records. `unclean_epoch` is the journal's epoch: an owner that has not seen it
    /// jumps its UID and MODSEQ counters past the reserved blocks.
    pub fn open(disk: SharedDisk, journal: Journal, replay: &[journal::Record], events: Events, options: Options) -> Result<Self> {
        let _ = (disk, journal, replay, events, options);
        todo!()
    }

    /// A handle on an owner's mailbox; nothing is opened yet. A mailbox that has never been used is made with its INBOX and
    /// the usual folders (Drafts, Sent, Junk, Trash, Archive with their special uses) at its first use.
    pub fn owner(&self, id: OwnerId) -> Owner {
        let _ = id;
        todo!()
    }

    /// Puts a queued message into an owner's folder (created if missing; `None`: INBOX) and returns when it is visible. Idempotent: the
    /// same key is delivered once, also after a crash. Does not wait for a sync: the queue's record carries durability until then.
    pub async fn deliver(&self, owner: OwnerId, delivery: Delivery) -> Result<Appended> {
        let _ = (owner, delivery);
        todo!()
    }

    /// Owners that have a mailbox on the disk.
    pub fn owners(&self) -> Result<Vec<OwnerId>> {
        todo!()
    }

    /// Applies and syncs everything, closes the databases.
    pub async fn close(&self) {
        todo!()
    }
}

#[derive(Clone, Debug)]
pub struct Delivery {
    /// The queue's record and the number of the target within it.
    pub message: RecordId,
    pub target: u32,
    pub folder: Option<String>,
    /// The whole text, trace header fields included.
    pub text: Blob,
    /// Unix seconds.
    pub received: i64,
    /// Bytes the owner may fill; `None`: no limit.
    pub quota_bytes: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct Append {
    pub text: Blob,
    pub flags: Flags,
    pub keywords: Vec<String>,
    /// Unix seconds and the offset from UTC in minutes.
    pub received: (i64, i16),
    pub quota_bytes: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    pub folder: FolderId,
    pub uid_validity: u32,
    pub uid: Uid,
    pub modseq: ModSeq,
}

/// A folder of an owner. Levels are separated by `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    pub id: FolderId,
    pub name: String,
    /// RFC 6154 attribute with its backslash, e.g. `\Drafts`.
    pub special_use: Option<String>,
    pub subscribed: bool,
    pub uid_validity: u32,
}

/// Kept as counters in the folder's row: costs the same in a folder of any size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    pub messages: u64,
    pub unseen: u64,
    pub deleted: u64,
    /// Messages that no session has been told of as recent.
    pub recent: u64,
    pub uid_next: Uid,
    pub uid_validity: u32,
    pub highest_modseq: ModSeq,
    pub bytes: u64,
}

/// What a listing of flags needs of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub uid: Uid,
    pub modseq: ModSeq,
    pub flags: Flags,
    /// Bit n: the folder's keyword n.
    pub keywords: u64,
}

/// A folder as a session that selects it sees it.
#[derive(Clone, Debug)]
pub struct Selected {
    pub folder: Folder,
    pub status: Status,
    /// All messages in the order of their UIDs.
    pub rows: Vec<Row>,
    pub keywords: Vec<String>,
    /// The first UID that is recent for this session; claimed unless the folder was only examined.
    pub recent_from: Uid,
}

/// What happened in a folder after a MODSEQ.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// New and changed messages, in the order of their UIDs.
    pub rows: Vec<Row>,
    pub expunged: Vec<Uid>,
    pub highest_modseq: ModSeq,
    /// The folder's keywords, if the caller does not know them all.
    pub keywords: Vec<String>,
    pub recent_from: Uid,
    /// The folder was removed.
    pub gone: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Want {
    /// Internal date, size.
    pub facts: bool,
    /// The rendered ENVELOPE.
    pub envelope: bool,
    /// The rendered BODYSTRUCTURE.
    pub structure: bool,
    /// The header's bytes only.
    pub header: bool,
    /// The whole text.
    pub text: bool,
}

/// One message as asked for by [`Want`].
#[derive(Clone, Debug)]
pub struct Fetched {
    pub row: Row,
    /// Unix seconds and minutes from UTC.
    pub received: (i64, i16),
    pub size: u64,
    /// RFC 8474 EMAILID: the same for copies of one text within an owner.
    pub email_id: u64,
    pub envelope: Option<Bytes>,
    pub structure: Option<Bytes>,
    pub header: Option<Bytes>,
    /// The text, or where it lies if it is large.
    pub text: Option<Blob>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagAction {
    Add,
    Remove,
    Replace,
}

#[derive(Clone, Debug)]
pub struct FlagChange {
    pub action: FlagAction,
    pub flags: Flags,
    pub keywords: Vec<String>,
    /// RFC 7162 §3.1.3.
    pub unchanged_since: Option<ModSeq>,
}

#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// The messages that exist, as they are now, in the order of their UIDs (unchanged ones too).
    pub rows: Vec<Row>,
    /// UIDs that failed `unchanged_since`.
    pub modified: Vec<Uid>,
    pub keywords: Vec<String>,
    pub highest_modseq: ModSeq,
}

/// UIDs of a COPY or MOVE, pairwise (RFC 4315).
#[derive(Clone, Debug, Default)]
pub struct Copied {
    pub uid_validity: u32,
    pub source: Vec<Uid>,
    pub target: Vec<Uid>,
}

/// What a check of one owner found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    pub messages: u64,
    /// Codes and arguments of what is wrong, and whether it was repaired.
    pub problems: Vec<(shared::Refusal, bool)>,
}

/// A handle on one owner's mailbox. Calls of one owner take effect in the order in which they were made.
#[derive(Clone)]
pub struct Owner {
    _inner: Arc<()>,
}

impl Owner {
    pub fn id(&self) -> OwnerId {
        todo!()
    }

    /// All folders, sorted by name, INBOX first.
    pub async fn folders(&self) -> Result<Arc<Vec<Folder>>> {
        todo!()
    }

    /// The folder of that name; INBOX in any case.
    pub async fn folder(&self, name: &str) -> Result<Folder> {
        let _ = name;
        todo!()
    }

    /// Makes a folder and the missing levels above it. Durable when it returns.
    pub async fn create(&self, name: &str, special_use: Option<&str>) -> Result<Folder> {
        let _ = (name, special_use);
        todo!()
    }

    /// RFC 3501 §6.3.5: renames a folder with those below it; renaming INBOX moves its messages. Durable when it returns.
    pub async fn rename(&self, name: &str, to: &str) -> Result<()> {
        let _ = (name, to);
        todo!()
    }

    /// Removes a folder with its messages. INBOX is refused. Durable when it returns.
    pub async fn delete(&self, name: &str) -> Result<()> {
        let _ = name;
        todo!()
    }

    /// Subscriptions are names: a folder need not exist (RFC 3501 §6.3.6).
    pub async fn subscribe(&self, name: &str, on: bool) -> Result<()> {
        let _ = (name, on);
        todo!()
    }

    pub async fn subscriptions(&self) -> Result<Vec<String>> {
        todo!()
    }

    /// Rights by identifier (RFC 4314 letters) on a folder, and setting them (empty: removed).
    pub async fn rights(&self, name: &str) -> Result<Vec<(String, String)>> {
        let _ = name;
        todo!()
    }

    pub async fn set_rights(&self, name: &str, identifier: &str, rights: &str) -> Result<()> {
        let _ = (name, identifier, rights);
        todo!()
    }

    pub async fn status(&self, folder: FolderId) -> Result<Status> {
        let _ = folder;
        todo!()
    }

    /// Bytes in all folders.
    pub async fn used_bytes(&self) -> Result<u64> {
        todo!()
    }

    /// `claim_recent`: SELECT claims the recent messages for its session, EXAMINE does not.
    pub async fn select(&self, name: &str, claim_recent: bool) -> Result<Selected> {
        let _ = (name, claim_recent);
        todo!()
    }

    pub async fn changes(&self, folder: FolderId, since: ModSeq, claim_recent: bool) -> Result<Changes> {
        let _ = (folder, since, claim_recent);
        todo!()
    }

    /// Sees a new value after every change of any of the owner's folders (sent once the change is visible). Costs nothing while
    /// nothing happens and keeps no database open.
    pub fn watch(&self) -> tokio::sync::watch::Receiver<u64> {
        todo!()
    }

    /// Messages in the order of `uids` (ascending); those that are gone are left out. Stops when the texts gathered pass about
    /// 1 MiB or 1,000 messages: the caller asks again for UIDs after the last one.
    pub async fn fetch(&self, folder: FolderId, uids: &[Uid], want: Want) -> Result<Vec<Fetched>> {
        let _ = (folder, uids, want);
        todo!()
    }

    /// Changes flags. The record is in the journal but its sync is not waited for (at most a second of flag changes is lost at a power cut; nothing at a crash
    /// of the daemon).
    pub async fn store(&self, folder: FolderId, uids: &[Uid], change: FlagChange) -> Result<Stored> {
        let _ = (folder, uids, change);
        todo!()
    }

    /// Removes the messages among `uids` (all, if `None`) that have \Deleted. Durable when it returns.
    pub async fn expunge(&self, folder: FolderId, uids: Option<&[Uid]>) -> Result<Vec<Uid>> {
        let _ = (folder, uids);
        todo!()
    }

    /// Removes messages whatever their flags (POP3's QUIT). Durable when it returns.
    pub async fn remove_messages(&self, folder: FolderId, uids: &[Uid]) -> Result<Vec<Uid>> {
        let _ = (folder, uids);
        todo!()
    }

    /// Durable when it returns.
    pub async fn append(&self, folder: FolderId, messages: Vec<Append>) -> Result<Vec<Appended>> {
        let _ = (folder, messages);
        todo!()
    }

    /// All or nothing. Durable when it returns.
    pub async fn copy(&self, folder: FolderId, uids: &[Uid], to: &Owner, target: FolderId) -> Result<Copied> {
        let _ = (folder, uids, to, target);
        todo!()
    }

    /// The target is durable before the source is expunged. Durable when it returns.
    pub async fn move_to(&self, folder: FolderId, uids: &[Uid], to: &Owner, target: FolderId) -> Result<Copied> {
        let _ = (folder, uids, to, target);
        todo!()
    }

    /// The UIDs of the messages that match, ascending. Sequence sets in `key` have been replaced by UID sets. Strings are
    /// UTF-8, matched as substrings without regard to case over decoded text (RFC 3501 §6.4.4). `now`: Unix seconds, for YOUNGER and OLDER.
    pub async fn search(&self, folder: FolderId, key: Arc<SearchKey>, now: i64) -> Result<Vec<Uid>> {
        let _ = (folder, key, now);
        todo!()
    }

    /// Verifies checksums, counters and links; repairs if asked.
    pub async fn check(&self, repair: bool) -> Result<Checked> {
        let _ = repair;
        todo!()
    }

    /// Removes the mailbox with all mail.
    pub async fn destroy(&self) -> Result<()> {
        todo!()
    }
}
