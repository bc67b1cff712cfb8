//! Whether a newer version of the program was at work on the queue: then nothing is opened, the mailboxes neither, for what it wrote would be passed over or
//! spoiled.
//!
//! Must not know: what the formats are.

use std::path::Path;

use journal::Record;
use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;

use crate::record::{self, DecodeError};
use crate::waiting::schema;
use crate::{KIND_MESSAGE, KIND_STEP, QueueError, unavailable};

/// Refuses what a newer version wrote, and changes nothing. Before the mailboxes are opened; `dir`: [`crate::Options::dir`]. Blocks.
pub fn check_formats(dir: &Path, replay: &[Record]) -> Result<(), QueueError> {
    for record in replay {
        let read = match record.kind {
            KIND_MESSAGE => record::decode_message(&record.payload).map(drop),
            KIND_STEP => record::decode_step(&record.payload).map(drop),
            _ => Ok(()),
        };
        if let Err(error @ DecodeError::Newer(_)) = read {
            return Err(unavailable("journal", &error));
        }
    }
    let path = dir.join("waiting.db");
    // What is missing, damaged or can't be read now is the opening's business.
    match version(&path) {
        Ok(version) => schema::check(version),
        Err(_) => Ok(()),
    }
}

fn version(path: &Path) -> rusqlite::Result<i64> {
    let connection = disk::sqlite::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, None)?;
    // The log is not folded here: the opening has to look after it first.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use journal::RecordId;

    use super::*;

    /// The mailboxes would apply what they understand, and the mail that waits would be looked at by a program that does not know its format.
    #[test]
    fn what_a_newer_version_wrote_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let record = |kind, payload: &'static [u8]| Record {
            id: RecordId(7),
            kind,
            payload: payload.into(),
        };
        check_formats(dir.path(), &[]).unwrap();
        let newer = [b'\xff'; 9];
        for kind in [KIND_MESSAGE, KIND_STEP] {
            check_formats(dir.path(), &[record(kind, b"\x01")]).unwrap();
            let newer = Record {
                id: RecordId(7),
                kind,
                payload: newer.to_vec().into(),
            };
            let refused = check_formats(dir.path(), &[newer]).unwrap_err();
            assert!(refused.to_string().contains("newer"), "{refused}");
        }
        let path = dir.path().join("waiting.db");
        let database = schema::open(&path, None).unwrap();
        check_formats(dir.path(), &[]).unwrap();
        database.execute_batch("PRAGMA user_version = 99").unwrap();
        let refused = check_formats(dir.path(), &[]).unwrap_err();
        assert!(refused.to_string().contains("newer"), "{refused}");
        drop(database);
        std::fs::write(&path, "no database").unwrap();
        check_formats(dir.path(), &[]).unwrap();
    }
}
