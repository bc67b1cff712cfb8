//! The tables of `mail.db`, and a new mailbox as a whole.
//!
//! Version 1: the first. Version 2: the tables of [`ADDED_IN_2`]. Version 3: what [`ADDED_IN_3`] adds.
//!
//! - `state`: one row with the owner's counters. `journal_id`: the last record of the journal that is applied. `epoch`: the journal's when
//!   this database was last opened. `modseq_reserved`: numbers that may have been given.
//! - `folder`: a folder with its counters. `uid_reserved` as above; `recent_from`: the first UID that no session has claimed; `keywords`: names
//!   in the order of their bits, separated by a space.
//! - `message`: narrow, so that listing flags reads little. `text` names what it shares with its copies.
//! - `meta`: what is shown without the text. `refs`: messages that have this text. `large`: the text is in `large/<number in hexadecimal>`.
//! - `text`: small texts, header and body apart, so that listing headers leaves bodies alone.
//! - `applied`: deliveries that the queue might repeat. `late`: Unix seconds, if the queue's record was gone already.
//! - `expunged`: ranges of UIDs that went at a MODSEQ (RFC 7162).
//!
//! Those of version 2:
//!
//! - `saved`: when a message came into its folder (RFC 8514, Unix seconds), if that is not its internal date.
//! - `thread`: the thread of a text (RFC 8474), and which keys it has brought; without a row the text is its own thread. `thread_key`: hashes of
//!   Message-IDs, and the thread that they lead to.
//! - `preview`: previews that somebody has asked for (RFC 8970).
//! - `keys`: what searches and sorting need of a header; see `keys.rs`.
//! - `order_key`: what texts are sorted and threaded by; see `read/order.rs`. `refs`: hashes of 64 bits.
//! - `ix_…`: the index of texts; see `index.rs`.
//! - `annotation`: entries of METADATA (RFC 5464). `folder` 0: of the mailbox as a whole; `user` 0: shared by all, else the owner of the user.
//! - `downgraded`: texts with headers in UTF-8, and how large they are for clients that must not see them so (RFC 6858).
//!
//! Those of version 3: `uid_block` and `folder.sealed`, which UIDs a folder has without its rows; see `uids.rs`. A mailbox of an older version is filled
//! when it is next changed.

use std::path::Path;
use std::sync::Arc;

use disk::Disk;
use parking_lot::Mutex;
use rusqlite::Connection;
use wire::message::Summary;

use crate::durability::large_path;
use crate::{Result, texts, threads};

/// `PRAGMA user_version`.
pub(crate) const VERSION: i64 = 3;
/// `PRAGMA application_id`: "BPmb".
const APPLICATION_ID: i64 = 0x4250_6d62;
/// UIDs and MODSEQs that a new mailbox may give before it reserves a block.
const FIRST_BLOCK: u64 = 1000;

const TABLES: &str = "
CREATE TABLE state(id INTEGER PRIMARY KEY CHECK(id = 1), modseq INTEGER NOT NULL, modseq_reserved INTEGER NOT NULL,
  epoch INTEGER NOT NULL, journal_id INTEGER NOT NULL, uid_validity INTEGER NOT NULL);
CREATE TABLE folder(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, special_use TEXT, uid_validity INTEGER NOT NULL,
  uid_next INTEGER NOT NULL, uid_reserved INTEGER NOT NULL, highest_modseq INTEGER NOT NULL, messages INTEGER NOT NULL,
  unseen INTEGER NOT NULL, deleted INTEGER NOT NULL, recent INTEGER NOT NULL, recent_from INTEGER NOT NULL,
  bytes INTEGER NOT NULL, keywords TEXT NOT NULL);
CREATE TABLE subscription(name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE rights(folder INTEGER NOT NULL, identifier TEXT NOT NULL, rights TEXT NOT NULL,
  PRIMARY KEY(folder, identifier)) WITHOUT ROWID;
CREATE TABLE message(folder INTEGER NOT NULL, uid INTEGER NOT NULL, modseq INTEGER NOT NULL, flags INTEGER NOT NULL,
  keywords INTEGER NOT NULL, received INTEGER NOT NULL, zone INTEGER NOT NULL, size INTEGER NOT NULL, text INTEGER NOT NULL,
  PRIMARY KEY(folder, uid)) WITHOUT ROWID;
CREATE TABLE meta(text INTEGER PRIMARY KEY, refs INTEGER NOT NULL, size INTEGER NOT NULL, crc INTEGER NOT NULL,
  header_bytes INTEGER NOT NULL, sent_day INTEGER, large INTEGER NOT NULL, envelope BLOB NOT NULL, structure BLOB NOT NULL);
CREATE TABLE text(id INTEGER PRIMARY KEY, header BLOB NOT NULL, body BLOB NOT NULL);
CREATE TABLE applied(message INTEGER NOT NULL, target INTEGER NOT NULL, folder INTEGER NOT NULL, uid INTEGER NOT NULL,
  modseq INTEGER NOT NULL, late INTEGER NOT NULL, PRIMARY KEY(message, target)) WITHOUT ROWID;
CREATE TABLE expunged(folder INTEGER NOT NULL, modseq INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  PRIMARY KEY(folder, modseq, first)) WITHOUT ROWID;
";

/// What version 2 has beside the tables of version 1: for new mailboxes, and for those of version 1 when they are opened. Rows that
/// old messages lack are filled when they are needed.
const ADDED_IN_2: &str = "
CREATE TABLE saved(folder INTEGER NOT NULL, uid INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(folder, uid)) WITHOUT ROWID;
CREATE TABLE thread(text INTEGER PRIMARY KEY, thread INTEGER NOT NULL, keys BLOB NOT NULL);
CREATE TABLE thread_key(key INTEGER PRIMARY KEY, thread INTEGER NOT NULL, text INTEGER NOT NULL);
CREATE TABLE preview(text INTEGER PRIMARY KEY, preview TEXT NOT NULL);
CREATE TABLE keys(text INTEGER PRIMARY KEY, froms TEXT, sent INTEGER, sent_day INTEGER, long INTEGER NOT NULL, tos TEXT, ccs TEXT,
  bccs TEXT, subject TEXT);
CREATE TABLE order_key(text INTEGER PRIMARY KEY, sent INTEGER, subject TEXT NOT NULL, subject_hash INTEGER NOT NULL,
  is_reply INTEGER NOT NULL, sender TEXT NOT NULL, recipient TEXT NOT NULL, cc TEXT NOT NULL, display_sender TEXT NOT NULL,
  display_recipient TEXT NOT NULL, message_id INTEGER, refs BLOB NOT NULL);
CREATE TABLE ix_state(id INTEGER PRIMARY KEY CHECK(id = 1), indexed_to INTEGER NOT NULL, version INTEGER NOT NULL);
CREATE TABLE ix_segment(id INTEGER PRIMARY KEY, count INTEGER NOT NULL, bytes INTEGER NOT NULL, texts BLOB NOT NULL, wide BLOB NOT NULL);
CREATE TABLE ix_words(id INTEGER PRIMARY KEY, starts BLOB NOT NULL, words BLOB NOT NULL);
CREATE TABLE ix_lists(id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE ix_gone(text INTEGER PRIMARY KEY);
CREATE TABLE annotation(folder INTEGER NOT NULL, user INTEGER NOT NULL, entry TEXT NOT NULL, value BLOB NOT NULL,
  PRIMARY KEY(folder, user, entry)) WITHOUT ROWID;
CREATE TABLE downgraded(text INTEGER PRIMARY KEY, size INTEGER NOT NULL);
";

/// What version 3 has beside that.
const ADDED_IN_3: &str = "
CREATE TABLE uid_block(id INTEGER PRIMARY KEY, marks INTEGER NOT NULL, uids BLOB NOT NULL);
ALTER TABLE folder ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0;
";

/// The folders that every mailbox has at first, with their special uses (RFC 6154).
const FOLDERS: [(&str, Option<&str>); 6] = [
    (crate::names::INBOX, None),
    ("Drafts", Some("\\Drafts")),
    ("Sent", Some("\\Sent")),
    ("Junk", Some("\\Junk")),
    ("Trash", Some("\\Trash")),
    ("Archive", Some("\\Archive")),
];

/// Made once per second: UIDVALIDITY is the time.
static TEMPLATE: Mutex<Option<Template>> = Mutex::new(None);

/// The second and the epoch of a new mailbox, and its bytes.
type Template = (i64, u64, Arc<Vec<u8>>);

/// The bytes of a new `mail.db`, in WAL mode. `now`: Unix seconds.
pub(crate) fn new_database(now: i64, epoch: u64) -> Result<Arc<Vec<u8>>> {
    let mut template = TEMPLATE.lock();
    if let Some((made, made_in, bytes)) = &*template
        && (*made, *made_in) == (now, epoch)
    {
        return Ok(Arc::clone(bytes));
    }
    let bytes = Arc::new(build(now, epoch)?);
    *template = Some((now, epoch, Arc::clone(&bytes)));
    Ok(bytes)
}

/// Brings an older database to this version; `false`: it is of a version that this program does not know. All or nothing. `dir`: the
/// owner's own directory.
pub(crate) fn upgrade(conn: &Connection, disk: &dyn Disk, dir: &Path) -> Result<bool> {
    let version: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if !(1..VERSION).contains(&version) {
        return Ok(version == VERSION);
    }
    let transaction = conn.unchecked_transaction()?;
    if version == 1 {
        conn.execute_batch(ADDED_IN_2)?;
        fill(conn, disk, dir)?;
    }
    conn.execute_batch(ADDED_IN_3)?;
    conn.execute_batch(&format!("PRAGMA user_version={VERSION};"))?;
    transaction.commit()?;
    Ok(true)
}

/// Threads, and what is international, of the texts that version 1 has kept.
fn fill(conn: &Connection, disk: &dyn Disk, dir: &Path) -> Result<()> {
    let mut statement = conn.prepare(
        "SELECT m.text, m.large, x.header, x.body FROM meta m LEFT JOIN text x ON x.id = m.text ORDER BY m.text",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id = row.get::<_, i64>(0)? as u64;
        let text = if row.get(1)? {
            // A text that is lost has no thread; a check tells of it.
            disk.read(&large_path(dir, id)).unwrap_or_default().into()
        } else {
            texts::join(row, 2)?.unwrap_or_default()
        };
        let summary = Summary::of(&text);
        texts::note_downgraded(conn, id, &summary)?;
        threads::keep(conn, id, &summary)?;
    }
    Ok(())
}

fn build(now: i64, epoch: u64) -> Result<Vec<u8>> {
    let mut conn = disk::sqlite::open_in_memory()?;
    conn.execute_batch("PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL;")?;
    conn.execute_batch(TABLES)?;
    conn.execute_batch(ADDED_IN_2)?;
    conn.execute_batch(ADDED_IN_3)?;
    conn.execute_batch(&format!(
        "PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={VERSION};"
    ))?;
    let first = u32::try_from(now).unwrap_or(1).max(1);
    for (index, (name, special_use)) in (0_u32..).zip(FOLDERS) {
        conn.execute(
            "INSERT INTO folder VALUES(?1, ?2, ?3, ?4, 1, ?5, 1, 0, 0, 0, 0, 1, 0, '', 0)",
            rusqlite::params![
                index + 1,
                name,
                special_use,
                first.saturating_add(index),
                FIRST_BLOCK as i64
            ],
        )?;
        conn.execute("INSERT INTO subscription VALUES(?1)", [name])?;
    }
    let last = first.saturating_add(FOLDERS.len() as u32);
    // Folders, texts and MODSEQs share one row of numbers: those of the first folders are taken.
    let taken = FOLDERS.len() as u64;
    conn.execute(
        "INSERT INTO state VALUES(1, ?1, ?2, ?3, 0, ?4)",
        (taken as i64, FIRST_BLOCK as i64, epoch as i64, last),
    )?;
    let mut bytes = conn.serialize("main")?.to_vec();
    // SQLite's file format §1.3: 2 at offsets 18 and 19 is WAL.
    if let Some(versions) = bytes.get_mut(18..20) {
        versions.fill(2);
    }
    Ok(bytes)
}
