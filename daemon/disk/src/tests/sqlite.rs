//! SQLite on the simulated disk: nothing that is committed durably is lost, and no cut corrupts a database.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::{Disk, SimDisk, vfs};

const DATABASE: &str = "/data/mail.db";

/// Seeds per case; each cuts the power at another step.
const SEEDS: u64 = 120;

fn open(vfs_name: &str, journal: &str, synchronous: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = Connection::open_with_flags_and_vfs(DATABASE, flags, vfs_name)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", journal)?;
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "wal_autocheckpoint", 20)?;
    Ok(connection)
}

/// Inserts 1, 2, 3 … one to a transaction until the power goes off; the last that was committed.
fn fill(connection: &Connection) -> i64 {
    let count = connection.query_row("SELECT coalesce(max(n), 0) FROM t", [], |row| row.get(0));
    let Ok(mut committed) = count else { return 0 };
    let insert = |n: i64| connection.execute("INSERT INTO t VALUES (?1, randomblob(900))", [n]);
    while committed < 100 && insert(committed + 1).is_ok() {
        committed += 1;
    }
    committed
}

/// Runs a database through a cut per seed; how many committed rows were lost in all.
fn survive(vfs_name: &str, journal: &str, synchronous: &str) -> i64 {
    let mut lost = 0;
    for seed in 0..SEEDS {
        let sim = SimDisk::new(seed);
        sim.create_dir_all_synced(Path::new("/data")).unwrap();
        vfs::register(vfs_name, sim.shared()).unwrap();
        let connection = open(vfs_name, journal, synchronous).unwrap();
        connection
            .execute("CREATE TABLE t (n INTEGER PRIMARY KEY, b BLOB)", [])
            .unwrap();
        // The schema is made durable, so that a lost tail is a tail of rows.
        drop(connection);
        let connection = open(vfs_name, journal, synchronous).unwrap();
        sim.crash_at(sim.steps() + 3 + seed * 5);
        let committed = fill(&connection);
        drop(connection);
        let sim = sim.restart();
        vfs::register(vfs_name, sim.shared()).unwrap();
        let connection = open(vfs_name, journal, synchronous).unwrap();
        let check: String = connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(check, "ok", "seed {seed}");
        let (count, last): (i64, i64) = connection
            .query_row("SELECT count(*), coalesce(max(n), 0) FROM t", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(
            count, last,
            "seed {seed}: what is lost is a tail, no row in between"
        );
        assert!(
            last <= committed + 1,
            "seed {seed}: at most the row in flight is more than was committed"
        );
        lost += (committed - last).max(0);
        // The database goes on working.
        assert!(fill(&connection) >= last);
    }
    lost
}

#[test]
fn full_commits_survive_in_wal() {
    assert_eq!(survive("test-wal-full", "WAL", "FULL"), 0);
}

#[test]
fn full_commits_survive_with_a_rollback_journal() {
    assert_eq!(survive("test-delete-full", "DELETE", "FULL"), 0);
}

#[test]
fn normal_commits_lose_a_tail_and_corrupt_nothing() {
    assert!(
        survive("test-wal-normal", "WAL", "NORMAL") > 0,
        "if nothing is ever lost, the disk is too kind"
    );
}

#[test]
fn two_connections_exclude_each_other() {
    let sim = SimDisk::new(1);
    sim.create_dir_all(Path::new("/data")).unwrap();
    vfs::register("test-locks", sim.shared()).unwrap();
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connect = || Connection::open_with_flags_and_vfs(DATABASE, flags, "test-locks").unwrap();
    let (one, two) = (connect(), connect());
    two.busy_timeout(std::time::Duration::ZERO).unwrap();
    one.execute_batch("CREATE TABLE t (n INTEGER); BEGIN IMMEDIATE; INSERT INTO t VALUES (1)")
        .unwrap();
    assert!(two.execute("INSERT INTO t VALUES (2)", []).is_err());
    assert_eq!(
        two.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0))
            .unwrap(),
        0
    );
    one.execute_batch("COMMIT").unwrap();
    two.execute("INSERT INTO t VALUES (2)", []).unwrap();
    assert_eq!(
        one.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0))
            .unwrap(),
        2
    );
}

#[test]
fn a_full_disk_and_a_failed_sync_are_errors_to_sqlite() {
    let sim = SimDisk::new(1);
    sim.create_dir_all(Path::new("/data")).unwrap();
    vfs::register("test-full", sim.shared()).unwrap();
    let connection = open("test-full", "WAL", "FULL").unwrap();
    connection
        .execute("CREATE TABLE t (n INTEGER PRIMARY KEY, b BLOB)", [])
        .unwrap();
    sim.fail_next_sync();
    assert!(connection.execute("INSERT INTO t VALUES (1, NULL)", []).is_err());
    sim.set_full(100_000);
    let error = connection
        .execute("INSERT INTO t VALUES (2, zeroblob(200000))", [])
        .unwrap_err();
    assert_eq!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DiskFull),
        "{error}"
    );
}

/// Were cached statements compiled anew at each use, a listing would cost a tenth more.
#[test]
fn a_cached_statement_is_compiled_once() {
    let connection = crate::sqlite::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE TABLE message(folder INTEGER, uid INTEGER, size INTEGER, PRIMARY KEY(folder, uid)) WITHOUT ROWID;
             INSERT INTO message VALUES(1, 5, 10);",
        )
        .unwrap();
    let query = || {
        connection
            .prepare_cached(
                "SELECT size FROM message WHERE folder = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid",
            )
            .unwrap()
    };
    for last in 5..50 {
        assert_eq!(
            query().query_row((1, 2, last), |row| row.get::<_, i64>(0)),
            Ok(10)
        );
    }
    assert_eq!(query().get_status(rusqlite::StatementStatus::RePrepare), 0);
}
