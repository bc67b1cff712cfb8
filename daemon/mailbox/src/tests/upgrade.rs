//! A mailbox of an older version opens as it is, with all mail in it.

use super::*;

/// What version 1 had.
const TABLES_OF_1: [&str; 9] = [
    "state",
    "folder",
    "subscription",
    "rights",
    "message",
    "meta",
    "text",
    "applied",
    "expunged",
];

/// Makes a database what version 1 would have made of it.
fn back_to_version_1(conn: &rusqlite::Connection) {
    let mut names = conn
        .prepare("SELECT type, name FROM sqlite_master WHERE type IN ('table', 'trigger', 'view') AND name NOT LIKE 'sqlite_%'")
        .unwrap();
    let added: Vec<(String, String)> = names
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(std::result::Result::unwrap)
        .filter(|(_, name): &(String, String)| !TABLES_OF_1.contains(&name.as_str()))
        .collect();
    drop(names);
    // Triggers go with their tables, and the tables of a virtual one with it.
    for (kind, name) in added {
        let _ = conn.execute_batch(&format!("DROP {kind} IF EXISTS \"{name}\""));
    }
    conn.execute_batch("ALTER TABLE folder DROP COLUMN sealed; PRAGMA user_version=1")
        .unwrap();
}

#[test]
fn version_1_opens_and_works() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        owner.append(inbox, vec![append("a"), append("b")]).await.unwrap();
        let international = owner.append(inbox, vec![append("é")]).await.unwrap();
        assert_eq!(international.len(), 1);
        let large = Append {
            text: Blob::Bytes(Bytes::from(format!(
                "In-Reply-To: <reply@x>\r\n\r\n{}",
                ".".repeat(70_000)
            ))),
            ..append("")
        };
        let reply = Append {
            text: Blob::Bytes(Bytes::from_static(b"Message-ID: <reply@x>\r\n\r\nx")),
            ..append("")
        };
        owner.append(inbox, vec![reply, large]).await.unwrap();
        drop(owner);
        world.close().await;
        back_to_version_1(&database(dir.path(), ALICE));
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        owner.append(inbox, vec![append("c")]).await.unwrap();
        let found = texts(&owner, "INBOX").await.unwrap();
        assert_eq!(found.len(), 6);
        assert!(found[0].1.contains("Hello a") && found[5].1.contains("Hello c"));
        // What version 1 did not keep was found in the texts.
        let want = Want {
            thread: true,
            downgraded: true,
            ..Want::default()
        };
        let found = owner.fetch(inbox, &[1, 3, 4, 5], want).await.unwrap();
        assert!(found[0].downgraded_size.is_none() && found[1].downgraded_size.is_some());
        assert_eq!(found[2].thread_id, found[3].thread_id);
        assert!(owner.check(false).await.unwrap().problems.is_empty());
        owner.expunge(inbox, None).await.unwrap();
        drop(owner);
        world.close().await;
    });
}

#[test]
fn version_2_opens_and_works() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let inbox = super::uids::fill(&owner, 3000).await;
        drop(owner);
        world.close().await;
        let conn = database(dir.path(), ALICE);
        conn.execute_batch(
            "DROP TABLE uid_block; ALTER TABLE folder DROP COLUMN sealed; PRAGMA user_version=2",
        )
        .unwrap();
        drop(conn);
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        assert_eq!(owner.select("INBOX", false).await.unwrap().uids.len(), 3000);
        owner.append(inbox, vec![append("new")]).await.unwrap();
        owner.remove_messages(inbox, &[7]).await.unwrap();
        assert!(super::uids::sealed(&owner, inbox).await > 0);
        assert!(owner.check(false).await.unwrap().problems.is_empty());
        drop(owner);
        world.close().await;
        let world = World::real(dir.path());
        let selected = world.boxes.owner(ALICE).select("INBOX", false).await.unwrap();
        assert_eq!(selected.uids.len(), 3000);
        assert!(!selected.uids.contains(7) && selected.uids.contains(3001));
        world.close().await;
    });
}

#[test]
fn an_unknown_version_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        world.boxes.owner(ALICE).folders().await.unwrap();
        world.close().await;
        let conn = database(dir.path(), ALICE);
        conn.execute_batch("PRAGMA user_version=1000").unwrap();
        drop(conn);
        let world = World::real(dir.path());
        let refused = world.boxes.owner(ALICE).folders().await;
        assert!(matches!(refused, Err(MailboxError::Unavailable(_))));
        world.close().await;
    });
}

/// What it says of somebody's mail would be lost, and mail delivered twice.
#[test]
fn a_record_of_a_newer_version_is_refused_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        owner.append(inbox, vec![append("a")]).await.unwrap();
        let version = crate::record::VERSION + 1;
        let newer = world
            .journal
            .commit(crate::JOURNAL_KIND, &[&[version, 77, 0]])
            .await
            .unwrap();
        drop((owner, newer));
        world.close().await;
        for _ in 0..2 {
            let refused = World::open(Arc::new(RealDisk::new()), dir.path(), None)
                .err()
                .unwrap();
            assert!(refused.to_string().contains("newer version"), "{refused}");
        }
    });
}
