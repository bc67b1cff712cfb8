//! Damage stays where it is: it is found, told, and repaired if it can be.

use std::sync::Arc;

use disk::blob::BlobFile;

use super::*;

/// What a check finds, and whether it was repaired.
pub(super) async fn codes(owner: &Owner, repair: bool) -> Vec<(String, bool)> {
    let checked = owner.check(repair).await.unwrap();
    checked
        .problems
        .into_iter()
        .map(|(refusal, repaired)| (refusal.code, repaired))
        .collect()
}

/// Changes the database behind the room's back.
pub(super) async fn sql(owner: &Owner, statements: &'static str) {
    let run = |ctx: &mut ctx::Ctx<'_>| Ok(ctx.store.conn.execute_batch(statements)?);
    owner.handle.core.run(&owner.slot, run).await.unwrap();
}

#[test]
fn a_damaged_text_is_found_and_the_others_are_served() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        owner
            .append(inbox, vec![append("a"), append("b"), append("c")])
            .await
            .unwrap();
        sql(
            &owner,
            "UPDATE text SET body = 'x' WHERE id = (SELECT text FROM message WHERE uid = 2)",
        )
        .await;
        assert_eq!(
            codes(&owner, true).await,
            [("mailbox-text-damaged".to_owned(), false)]
        );
        let found = texts(&owner, "INBOX").await.unwrap();
        assert_eq!(found[1], (2, "LOST".to_owned()));
        assert!(found[2].1.contains("Hello c"));
        sql(
            &owner,
            "DELETE FROM meta WHERE text = (SELECT text FROM message WHERE uid = 3)",
        )
        .await;
        assert!(
            codes(&owner, false)
                .await
                .contains(&("mailbox-text-lost".to_owned(), false))
        );
        world.close().await;
    });
}

#[test]
fn counters_and_references_are_repaired() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        owner.append(inbox, vec![append("a"), append("b")]).await.unwrap();
        sql(
            &owner,
            "UPDATE message SET flags = 1 WHERE uid = 1; UPDATE meta SET refs = 7",
        )
        .await;
        let wrong = |repaired| {
            let codes = [
                "mailbox-counters-wrong",
                "mailbox-references-wrong",
                "mailbox-references-wrong",
            ];
            codes.map(|code| (code.to_owned(), repaired)).to_vec()
        };
        assert_eq!(codes(&owner, false).await, wrong(false));
        assert_eq!(codes(&owner, true).await, wrong(true));
        assert_eq!(codes(&owner, false).await, []);
        assert_eq!(owner.status(inbox).await.unwrap().unseen, 1);
        world.close().await;
    });
}

#[test]
fn one_owner_s_damage_is_not_another_s() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        for id in [ALICE, BOB] {
            let owner = world.boxes.owner(id);
            let inbox = owner.folder("INBOX").await.unwrap().id;
            owner.append(inbox, vec![append("a")]).await.unwrap();
        }
        let path = world.boxes.owner(ALICE).slot.dir.clone();
        world.close().await;
        std::fs::write(path.join("mail.db"), "this was a database once").unwrap();
        let _ = std::fs::remove_file(path.join("mail.db-wal"));
        let world = World::real(dir.path());
        assert!(matches!(
            world.boxes.owner(ALICE).folders().await,
            Err(MailboxError::Damaged(_))
        ));
        assert_eq!(texts(&world.boxes.owner(BOB), "INBOX").await.unwrap().len(), 1);
        world.close().await;
    });
}

#[test]
fn a_failed_sync_stops_the_acceptance() {
    let disk = SimDisk::new(7);
    runtime().block_on(async {
        let world = World::simulated(&disk, "damage-sync").unwrap();
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        owner.append(inbox, vec![append("a")]).await.unwrap();
        let core = &owner.handle.core;
        core.settle_all().unwrap();
        disk.fail_next_sync();
        assert!(core.durability.sync_all().is_err());
        assert!(
            core.durability.sync_all().is_err(),
            "a second sync would succeed without having written"
        );
        assert!(matches!(
            owner.append(inbox, vec![append("b")]).await,
            Err(MailboxError::Unavailable(_))
        ));
        assert_eq!(
            owner.status(inbox).await.unwrap().messages,
            1,
            "what is there can be read"
        );
    });
}

/// The head of a log that begins anew is synced by the commit. A later sync of the log would succeed without it, and the log would be folded into the
/// database with nothing to mend that from after a power cut.
#[test]
fn a_failed_sync_within_a_commit_stops_the_acceptance() {
    let disk = SimDisk::new(7);
    runtime().block_on(async {
        let world = World::simulated(&disk, "damage-sync-commit").unwrap();
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        owner.append(inbox, vec![append("a")]).await.unwrap();
        let core = &owner.handle.core;
        // What is open is committed below, and by nobody else.
        core.lingering.stop();
        core.settle_all().unwrap();
        crate::sqlite::checkpoint(&owner.slot.run.lock().store.as_ref().unwrap().conn).unwrap();
        owner.append(inbox, vec![append("b")]).await.unwrap();
        disk.fail_next_sync();
        let settled = core.settle_all();
        assert!(
            core.durability.failure().is_some(),
            "the sync failed, and was taken for any trouble: {settled:?}"
        );
        assert!(matches!(
            owner.append(inbox, vec![append("c")]).await,
            Err(MailboxError::Unavailable(_))
        ));
    });
}

/// What an APPEND left behind that found no room has the number that the next text gets.
#[test]
fn a_large_text_that_found_no_room_does_not_stand_in_for_the_next() {
    let disk = SimDisk::new(7);
    runtime().block_on(async {
        let world = World::simulated(&disk, "damage-room").unwrap();
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        owner.append(inbox, vec![append("small")]).await.unwrap();
        owner.handle.core.settle_all().unwrap();
        let mut text = message("large");
        text.resize(2 * SMALL_TEXT_MAX_BYTES, b'x');
        let large = Append {
            text: Blob::Bytes(Bytes::from(text.clone())),
            ..append("")
        };
        disk.set_full(0);
        owner.append(inbox, vec![large]).await.unwrap_err();
        disk.set_full(u64::MAX);
        let path = Path::new("/queued");
        world.disk.write_atomic(path, &text).unwrap();
        let file = BlobFile {
            path: path.to_owned(),
            len: text.len() as u64,
        };
        let id = world.accept(&text).await.unwrap();
        let delivery = Delivery {
            message: id,
            target: 0,
            folder: None,
            text: Blob::File(Arc::new(file)),
            received: 1_700_000_000,
            quota_bytes: None,
        };
        world.boxes.deliver(ALICE, delivery).await.unwrap();
        let found = texts(&owner, "INBOX").await.unwrap();
        assert_eq!(
            found.iter().map(|(_, text)| text.len()).collect::<Vec<_>>(),
            [message("small").len(), text.len()]
        );
    });
}
