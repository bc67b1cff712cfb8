//! What is known of a message beside its text: when it was saved, its thread, its preview, and how others see it.

use super::*;

const ALL: Want = Want {
    facts: true,
    envelope: false,
    structure: false,
    header: false,
    text: false,
    saved: true,
    thread: true,
    downgraded: true,
};

fn mail(id: &str, header: &str) -> Append {
    let text = format!("Message-ID: <{id}@x>\r\n{header}\r\nText of {id}\r\n");
    Append {
        text: Blob::Bytes(Bytes::from(text)),
        ..append("")
    }
}

async fn all(owner: &Owner, folder: FolderId) -> Vec<Fetched> {
    let uids: Vec<Uid> = (1..100).collect();
    owner.fetch(folder, &uids, ALL).await.unwrap()
}

#[test]
fn dates_of_saving() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let before = now();
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        let archive = owner.folder("Archive").await.unwrap().id;
        let fresh = Append {
            received: (now(), 0),
            ..append("fresh")
        };
        owner.append(inbox, vec![append("old"), fresh]).await.unwrap();
        let queued = world.accept(b"late").await.unwrap();
        world.deliver(ALICE, queued, 0, b"late").await.unwrap();
        let found = all(&owner, inbox).await;
        assert_eq!(found.len(), 3);
        assert!(
            found
                .iter()
                .all(|message| (before..=now()).contains(&message.saved))
        );
        assert_eq!(found[0].received.0, 1_700_000_000);
        // A copy is saved anew, whatever its original says; what has left a folder leaves nothing behind.
        let run = |ctx: &mut ctx::Ctx<'_>| Ok(ctx.store.conn.execute_batch("UPDATE saved SET at = 5")?);
        owner.handle.core.run(&owner.slot, run).await.unwrap();
        assert_eq!(all(&owner, inbox).await[0].saved, 5);
        owner.copy(inbox, &[1], &owner, archive).await.unwrap();
        owner.move_to(inbox, &[3], &owner, archive).await.unwrap();
        let copies = all(&owner, archive).await;
        assert!(copies.iter().all(|message| message.saved >= before));
        owner.remove_messages(inbox, &[1, 2]).await.unwrap();
        owner.remove_messages(archive, &[1, 2]).await.unwrap();
        for table in ["saved", "thread", "thread_key", "preview", "downgraded"] {
            let sql = format!("SELECT count(*) FROM {table}");
            let run = move |ctx: &mut ctx::Ctx<'_>| {
                Ok(ctx.store.conn.query_row(&sql, [], |row| row.get::<_, i64>(0))?)
            };
            assert_eq!(
                owner.handle.core.run(&owner.slot, run).await.unwrap(),
                0,
                "{table}"
            );
        }
        world.close().await;
    });
}

#[test]
fn threads_stay_what_they_are() {
    let disk = SimDisk::new(11);
    disk.shared().create_dir_all_synced(Path::new("/data")).unwrap();
    let told = runtime().block_on(async {
        let world = World::simulated(&disk, "items-threads").unwrap();
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        let messages = vec![
            mail("a", ""),
            mail("b", "In-Reply-To: <a@x>\r\n"),
            // Its parent is not here, its grandparent is.
            mail("d", "References: <a@x> <c@x>\r\n"),
            mail("e", ""),
            // An answer to what only a reference has told of.
            mail("f", "In-Reply-To: <c@x>\r\n"),
            append("no Message-ID at all"),
        ];
        owner.append(inbox, messages).await.unwrap();
        owner.remove_messages(inbox, &[1]).await.unwrap();
        owner
            .append(
                inbox,
                vec![mail("g", "References: <a@x> <b@x>\r\n"), mail("e", "")],
            )
            .await
            .unwrap();
        all(&owner, inbox).await
    });
    let threads: Vec<u64> = told.iter().map(|message| message.thread_id).collect();
    let [first, second, other, third, none, late, again] = threads[..] else {
        panic!("{threads:?}")
    };
    assert_eq!((second, third, late), (first, first, first));
    assert!(other != first && none != first && none != other);
    assert_eq!(again, other);
    // What the database has lost the journal has not.
    disk.power_cut();
    let disk = disk.restart();
    runtime().block_on(async {
        let world = World::simulated(&disk, "items-threads").unwrap();
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        let facts = |found: &[Fetched]| -> Vec<(Uid, u64, u64, i64)> {
            found
                .iter()
                .map(|m| (m.row.uid, m.email_id, m.thread_id, m.saved))
                .collect()
        };
        assert_eq!(facts(&all(&owner, inbox).await), facts(&told));
    });
}

#[test]
fn previews_are_made_once() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        let large = Append {
            text: Blob::Bytes(Bytes::from(format!(
                "Subject: x\r\n\r\n{}",
                "large ".repeat(100_000)
            ))),
            ..append("")
        };
        owner.append(inbox, vec![append("a"), large]).await.unwrap();
        assert_eq!(
            owner.previews(inbox, &[1, 2, 3], true).await.unwrap(),
            [(1, None), (2, None)]
        );
        let made = owner.previews(inbox, &[1], false).await.unwrap();
        assert_eq!(made, [(1, Some("Hello a".to_owned()))]);
        assert_eq!(owner.previews(inbox, &[1], true).await.unwrap(), made);
        let made = owner.previews(inbox, &[2], false).await.unwrap();
        assert!(made[0].1.as_ref().unwrap().starts_with("large large"));
        world.close().await;
    });
}

#[test]
fn international_texts_are_known() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        owner.append(inbox, vec![append("a"), append("é")]).await.unwrap();
        let found = all(&owner, inbox).await;
        let sizes: Vec<bool> = found.iter().map(|m| m.downgraded_size.is_some()).collect();
        assert_eq!(sizes, [false, true]);
        world.close().await;
    });
}

#[test]
fn a_replaced_message_is_gone_and_the_quota_counts_once() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        let archive = owner.folder("Archive").await.unwrap().id;
        owner.append(inbox, vec![append("a")]).await.unwrap();
        let full = Append {
            quota_bytes: Some(message("b").len() as u64),
            ..append("b")
        };
        let replaced = owner
            .replace(inbox, 1, &owner, inbox, full.clone())
            .await
            .unwrap();
        assert_eq!(replaced.unwrap().uid, 2);
        assert!(
            owner
                .replace(inbox, 1, &owner, inbox, full.clone())
                .await
                .unwrap()
                .is_none()
        );
        let larger = Append {
            quota_bytes: full.quota_bytes,
            ..append("longer")
        };
        let refused = owner.replace(inbox, 2, &owner, archive, larger).await;
        assert!(matches!(refused, Err(MailboxError::OverQuota)));
        let other = world.boxes.owner(BOB);
        let there = other.folder("INBOX").await.unwrap().id;
        other.append(there, vec![append("c")]).await.unwrap();
        owner.replace(inbox, 2, &other, there, append("d")).await.unwrap();
        assert!(texts(&owner, "INBOX").await.unwrap().is_empty());
        let found = texts(&other, "INBOX").await.unwrap();
        assert!(found.len() == 2 && found[1].1.contains("Hello d"));
        world.close().await;
    });
}
