//! What callers give and get. Nothing here does anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use disk::blob::Blob;
use journal::RecordId;
use shared::model::OwnerId;
use tokio::sync::watch;
use wire::imap::Flags;

use crate::uidset::UidSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FolderId(pub i64);

/// A change number of an owner (RFC 7162): rises strictly, never given twice.
pub type ModSeq = u64;
pub type Uid = u32;

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

/// What is known of a message that may have been delivered before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The record that the message came in with: its key, however often its record has changed since.
    pub first: RecordId,
    /// Which messages may be delivered again.
    pub needed: Arc<Needed>,
}

/// Messages that may be delivered again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// Of the messages whose first record is below this one...
    pub below: u64,
    /// ...these may, in ascending order, and no others.
    pub ids: Vec<u64>,
}

impl Needed {
    /// Nothing is known of any message.
    pub const UNKNOWN: Self = Self {
        below: 0,
        ids: Vec::new(),
    };

    pub(crate) fn names(&self, id: u64) -> bool {
        self.ids.binary_search(&id).is_ok()
    }
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

/// Rights by folder: whose (as it was given, see [`crate::Owner::change_rights`]) are which (RFC 4314 letters).
pub type RightsTable = BTreeMap<FolderId, Vec<(String, String)>>;

/// What is done to somebody's rights (RFC 4314 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RightsAction {
    Replace,
    Add,
    Remove,
}

/// An entry of METADATA (RFC 5464) and its value; none removes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// Whose private entry it is; 0: everybody's.
    pub user: OwnerId,
    /// The whole name, `/shared/…` or `/private/…`, in lower case.
    pub entry: String,
    pub value: Option<Vec<u8>>,
}

/// How messages go to another folder.
#[derive(Clone, Copy, Debug)]
pub struct Transfer {
    /// The originals go once the copies are durable.
    pub expunge: bool,
    /// Bytes that the target's owner may fill; `None`: no limit.
    pub quota_bytes: Option<u64>,
    /// System flags that the copies keep.
    pub flags: Flags,
    /// Whether they keep keywords.
    pub keywords: bool,
}

impl Transfer {
    pub const COPY: Self = Self {
        expunge: false,
        quota_bytes: None,
        flags: Flags::ALL,
        keywords: true,
    };
    pub const MOVE: Self = Self {
        expunge: true,
        ..Self::COPY
    };
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

/// What a watched folder's MODSEQ is when the folder is no more.
pub const FOLDER_GONE: ModSeq = ModSeq::MAX;

/// What those see who watch a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FolderNow {
    /// The highest; [`FOLDER_GONE`] when the folder was removed.
    pub modseq: ModSeq,
    /// Becomes another when rights on any of the owner's folders were changed.
    pub rights: u64,
}

/// A folder as a session that selects it sees it.
#[derive(Clone, Debug)]
pub struct Selected {
    pub folder: Folder,
    pub status: Status,
    /// All messages.
    pub uids: Arc<UidSet>,
    /// The first message without \Seen.
    pub first_unseen: Option<Uid>,
    pub keywords: Vec<String>,
    /// The first UID that is recent for this session; claimed unless the folder was only examined.
    pub recent_from: Uid,
    pub watch: watch::Receiver<FolderNow>,
}

/// What a session knows of its selected folder.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// It was told of all changes up to this one …
    pub modseq: ModSeq,
    /// … and of messages up to this one.
    pub last_uid: Uid,
    /// New messages are recent for it, and for no other session.
    pub claims_recent: bool,
}

/// What happened in a folder after a MODSEQ.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// All messages that are there now.
    pub uids: Arc<UidSet>,
    /// Those that the caller knows and that were changed, in the order of their UIDs.
    pub rows: Vec<Row>,
    /// Where to go on with [`crate::Owner::rows`] if these are not all.
    pub next: Option<Uid>,
    pub highest_modseq: ModSeq,
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
    /// When it came into its folder.
    pub saved: bool,
    /// Its thread.
    pub thread: bool,
    /// What clients without UTF8=ACCEPT see of it.
    pub downgraded: bool,
}

/// One message as asked for by [`Want`].
#[derive(Clone, Debug)]
pub struct Fetched {
    pub row: Row,
    /// Unix seconds and minutes from UTC.
    pub received: (i64, i16),
    pub size: u64,
    pub owner: OwnerId,
    /// RFC 8474 EMAILID: the same for copies of one text within an owner.
    pub email_id: u64,
    /// RFC 8514 SAVEDATE, Unix seconds.
    pub saved: i64,
    /// RFC 8474 THREADID: the number of the thread's first text.
    pub thread_id: u64,
    /// RFC 8970; set by whoever has asked for it.
    pub preview: Option<String>,
    /// The size for clients that must not see headers in UTF-8 (RFC 6858), if it has such.
    pub downgraded_size: Option<u64>,
    pub envelope: Option<Bytes>,
    pub structure: Option<Bytes>,
    /// With its blank line; of a large text no more than 1 MiB.
    pub header: Option<Bytes>,
    /// Bytes of the header, if header or text were asked for.
    pub header_len: u64,
    /// The text, or where it lies if it is large.
    pub text: Option<Blob>,
}

/// A message as a listing of sizes has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeRow {
    pub uid: Uid,
    pub size: u64,
    /// As in [`Fetched`].
    pub email_id: u64,
    /// As in [`Fetched`].
    pub downgraded_size: Option<u64>,
}

/// Some of the messages asked for, in the order of their UIDs.
#[derive(Clone, Debug, Default)]
pub struct Portion {
    pub messages: Vec<Fetched>,
    /// Of the UIDs asked for, those up to this one are in it or gone.
    pub upto: Uid,
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
    /// The system flags, and whether the keywords, that may change: a replacement leaves the others as they are.
    pub within: (Flags, bool),
}

impl FlagChange {
    /// All flags may change.
    pub const ALL: (Flags, bool) = (Flags::ALL, true);
}

#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// The messages that exist, as they are now, in the order of their UIDs (unchanged ones too).
    pub rows: Vec<Row>,
    /// What their MODSEQs were before, in the same order.
    pub before: Vec<ModSeq>,
    /// What the folder's highest MODSEQ was before.
    pub highest_before: ModSeq,
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

/// A node of the trees of THREAD (RFC 5256), which are given in preorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadNode {
    /// `None`: a message that is not among those that were threaded.
    pub uid: Option<Uid>,
    /// How many trees that hang on it follow.
    pub children: u32,
}

/// What a check of one owner found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    pub messages: u64,
    /// Codes and arguments of what is wrong, and whether it was repaired.
    pub problems: Vec<(shared::Refusal, bool)>,
}

/// RFC 8474 §4: the MAILBOXID of a folder. Numbers of owners and folders are never given twice.
pub fn mailbox_id(owner: OwnerId, folder: FolderId) -> String {
    format!("F{:x}-{:x}", owner.0, folder.0)
}

/// RFC 8474 §5.1: the EMAILID of a text.
pub fn email_id(owner: OwnerId, text: u64) -> String {
    format!("M{:x}-{text:x}", owner.0)
}

/// RFC 8474 §5.2: the THREADID of a thread.
pub fn thread_id(owner: OwnerId, thread: u64) -> String {
    format!("T{:x}-{thread:x}", owner.0)
}

/// The number in an EMAILID of this owner.
pub(crate) fn email_number(owner: OwnerId, id: &str) -> Option<u64> {
    number_in(id, &format!("M{:x}-", owner.0))
}

/// The number in a THREADID of this owner.
pub(crate) fn thread_number(owner: OwnerId, id: &str) -> Option<u64> {
    number_in(id, &format!("T{:x}-", owner.0))
}

fn number_in(id: &str, prefix: &str) -> Option<u64> {
    let number = u64::from_str_radix(id.strip_prefix(prefix)?, 16).ok()?;
    // One spelling only.
    (format!("{prefix}{number:x}") == id).then_some(number)
}
