//! The shape of `waiting.db`, and how an older one comes to it.
//!
//! Version 2: a row of `message` holds what lists show and retries need, its text lies in `text`: looking through a million messages reads
//! none of their texts. `head` is the JSON of [`crate::record::Head`]; the other columns repeat what a list sorts and filters by, `search` is
//! what a filter is compared with, in lower case, and `file` names the text in `queue/large` if it is a large one.
//!
//! Version 3: `counted` has one row that says how many messages there are; triggers keep it in the transaction that makes or removes one, so that it
//! is right after any crash and nobody walks through a million rows to know. What lists are sorted and filtered by is indexed: a page costs
//! what it shows, wherever it lies. The indexes are no part of what must be there: a disk that is too full for them keeps nobody's mail back. Lists walk through
//! the rows then, and the next start builds what is missing.
//!
//! Version 2 had neither. Version 1 had the text in `message`, and no `file`.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::again::Again;
use crate::record::Head;
use crate::{QueueError, unavailable};

const VERSION: i64 = 3;
const MESSAGE: &str = "
    CREATE TABLE message (
        id INTEGER PRIMARY KEY,
        record INTEGER NOT NULL,
        next_try INTEGER NOT NULL,
        held INTEGER NOT NULL,
        received INTEGER NOT NULL,
        size INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        sender TEXT NOT NULL,
        search TEXT NOT NULL,
        head BLOB NOT NULL
    );
    CREATE INDEX message_due ON message (held, next_try);
    PRAGMA user_version = 1;
";
/// What version 2 has more.
const TEXTS: &str = "
    ALTER TABLE message ADD COLUMN file TEXT;
    CREATE INDEX message_file ON message (file) WHERE file IS NOT NULL;
    CREATE TABLE text (id INTEGER PRIMARY KEY, text BLOB NOT NULL);
    CREATE TRIGGER message_text AFTER DELETE ON message BEGIN DELETE FROM text WHERE id = old.id; END;
    PRAGMA user_version = 2;
";
/// What version 3 has more. Counting takes its time once, for what waits at the update.
const COUNTED: &str = "
    CREATE TABLE counted (one INTEGER PRIMARY KEY CHECK (one = 1), messages INTEGER NOT NULL);
    INSERT INTO counted SELECT 1, count(*) FROM message;
    CREATE TRIGGER message_came AFTER INSERT ON message BEGIN UPDATE counted SET messages = messages + 1; END;
    CREATE TRIGGER message_went AFTER DELETE ON message BEGIN UPDATE counted SET messages = messages - 1; END;
    PRAGMA user_version = 3;
";
/// By what lists are sorted and filtered: a name, and what it indexes.
pub(crate) const INDEXES: [(&str, &str); 8] = [
    ("message_id", "id"),
    ("message_sender", "sender"),
    ("message_size", "size"),
    ("message_received", "received"),
    ("message_next", "CASE held WHEN 0 THEN next_try END"),
    ("message_attempts", "attempts"),
    ("message_held", "held"),
    ("message_search", "search"),
];
/// How many messages there are.
pub(crate) const COUNT: &str = "SELECT messages FROM counted";

/// The rows in the database.
pub(super) struct Counted {
    pub(super) rows: u64,
    pub(super) oldest: Again,
}

/// The database counts them itself.
pub(super) fn count(connection: &Connection) -> rusqlite::Result<Counted> {
    let rows = connection
        .prepare_cached(COUNT)?
        .query_row([], |row| row.get::<_, i64>(0))?;
    Ok(Counted {
        rows: rows as u64,
        oldest: Again::read(connection)?,
    })
}

/// Builds the indexes that are missing, each by itself, so that the log need not hold them all. Takes its time once, for what waits at an update. The log
/// may be folded here.
pub(crate) fn index(connection: &Connection) -> rusqlite::Result<()> {
    let mut missing = INDEXES.iter();
    let built = missing.try_for_each(|(name, on)| {
        connection.execute_batch(&format!("CREATE INDEX IF NOT EXISTS {name} ON message ({on})"))
    });
    if built.is_err() {
        // What the log has taken of a full disk is needed for mail.
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    }
    built
}

/// A statement that goes by an index, as it is without.
pub(crate) fn walking(sql: &str) -> String {
    let mut parts = sql.split(" INDEXED BY ");
    let mut walking = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        walking.push_str(part.trim_start_matches(|c: char| !c.is_whitespace()));
    }
    walking
}

/// Opens the database, made if it is missing. `Err(true)`: it is damaged.
pub(crate) fn open(path: &Path, vfs: Option<&str>) -> Result<Connection, (bool, QueueError)> {
    let fail = |error: rusqlite::Error| {
        let code = error.sqlite_error_code();
        let damaged = matches!(code, Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt));
        (damaged, unavailable("waiting.db", &error))
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = disk::sqlite::open(path, flags, vfs).map_err(fail)?;
    let version = prepare(&connection).map_err(fail)?;
    check(version).map_err(|error| (false, error))?;
    Ok(connection)
}

/// Refuses a format that is not known here.
pub(crate) fn check(version: i64) -> Result<(), QueueError> {
    if version <= VERSION {
        return Ok(());
    }
    let text = format!("waiting.db has format {version}, which a newer version wrote");
    Err(QueueError::Unavailable(text))
}

/// The version that was found.
fn prepare(connection: &Connection) -> rusqlite::Result<i64> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found == 0 {
        // It is written each time that it is set, and a full disk must not keep the server from starting.
        connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
    }
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    if found >= VERSION {
        return Ok(found);
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let upgraded = upgrade(connection, found);
    connection.execute_batch(if upgraded.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    upgraded.map(|()| found)
}

fn upgrade(connection: &Connection, found: i64) -> rusqlite::Result<()> {
    if found < 1 {
        connection.execute_batch(MESSAGE)?;
    }
    if found < 2 {
        connection.execute_batch(TEXTS)?;
    }
    if found == 1 {
        move_texts(connection)?;
    }
    connection.execute_batch(COUNTED)
}

/// From version 1.
fn move_texts(connection: &Connection) -> rusqlite::Result<()> {
    let large: Vec<(i64, Vec<u8>)> = connection
        .prepare("SELECT id, head FROM message WHERE text IS NULL")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (id, head) in large {
        let head: Option<Head> = serde_json::from_slice(&head).ok();
        if let Some((name, _)) = head.and_then(|head| head.file) {
            connection.execute("UPDATE message SET file = ?2 WHERE id = ?1", (id, name))?;
        }
    }
    connection.execute_batch(
        "INSERT INTO text SELECT id, text FROM message WHERE text IS NOT NULL;
         ALTER TABLE message DROP COLUMN text;",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Mail that waited at an update would be lost, or its large texts removed as nobody's.
    #[test]
    fn a_database_of_version_1_keeps_its_mail() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("waiting.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(&MESSAGE.replace("head BLOB NOT NULL", "head BLOB NOT NULL, text BLOB"))
            .unwrap();
        let head = r#"{"i":2,"e":{"sender":null,"recipients":[],"origin":"smtp","user":null,"smtputf8":false,"eight_bit":false,
            "return_full":null,"envelope_id":null,"session":0,"received":0},"f":["large-1",70000]}"#;
        let insert = "INSERT INTO message VALUES (?1, 1, 5, 0, 0, 3, 1, '', 'x', ?2, ?3)";
        old.execute(insert, (1, &b"{}"[..], Some(&b"abc"[..]))).unwrap();
        old.execute(insert, (2, head.as_bytes(), None::<&[u8]>)).unwrap();
        drop(old);
        for _ in 0..2 {
            let new = open(&path, None).unwrap();
            let text: Vec<u8> = new
                .query_row("SELECT text FROM text WHERE id = 1", [], |row| row.get(0))
                .unwrap();
            let file: String = new
                .query_row("SELECT file FROM message WHERE id = 2", [], |row| row.get(0))
                .unwrap();
            let rows: i64 = new.query_row(COUNT, [], |row| row.get(0)).unwrap();
            assert_eq!(
                (text.as_slice(), file.as_str(), rows),
                (&b"abc"[..], "large-1", 2)
            );
        }
        let new = open(&path, None).unwrap();
        new.execute("DELETE FROM message WHERE id = 1", []).unwrap();
        let texts: i64 = new
            .query_row("SELECT count(*) FROM text", [], |row| row.get(0))
            .unwrap();
        assert_eq!(texts, 0);
    }

    /// Lists of the queue would fail while an index is missing.
    #[test]
    fn a_statement_without_its_index_is_the_same_statement() {
        let sql = "SELECT id FROM message INDEXED BY message_id WHERE a IN (SELECT b FROM c INDEXED BY d\n WHERE e)";
        let walks = "SELECT id FROM message WHERE a IN (SELECT b FROM c\n WHERE e)";
        assert_eq!(walking(sql), walks);
    }

    /// What waited at an update would not be counted, nor found.
    #[test]
    fn a_database_of_version_2_is_counted_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("waiting.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(MESSAGE).unwrap();
        old.execute_batch(TEXTS).unwrap();
        for id in 1..4 {
            let insert = "INSERT INTO message VALUES (?1, 1, 5, 0, 0, 3, 1, '', 'x', '{}', NULL)";
            old.execute(insert, [id]).unwrap();
        }
        drop(old);
        for left in [2, 1] {
            let new = open(&path, None).unwrap();
            let delete = "DELETE FROM message WHERE id = (SELECT max(id) FROM message)";
            new.execute(delete, []).unwrap();
            let rows: i64 = new.query_row(COUNT, [], |row| row.get(0)).unwrap();
            assert_eq!(rows, left);
        }
    }
}
