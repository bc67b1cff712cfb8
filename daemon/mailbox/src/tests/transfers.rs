//! COPY and MOVE, within an owner and between two.

use super::*;

async fn filled(world: &World, id: OwnerId, count: u32) -> (Owner, FolderId) {
    let owner = world.boxes.owner(id);
    let inbox = owner.folder("INBOX").await.unwrap().id;
    owner
        .append(inbox, (1..=count).map(|n| append(&n.to_string())).collect())
        .await
        .unwrap();
    (owner, inbox)
}

async fn subjects(owner: &Owner, folder: &str) -> Vec<(Uid, String)> {
    let subject = |text: String| {
        text.split("Subject: ")
            .nth(1)
            .unwrap()
            .split("\r\n")
            .next()
            .unwrap()
            .to_owned()
    };
    texts(owner, folder)
        .await
        .unwrap()
        .into_iter()
        .map(|(uid, text)| (uid, subject(text)))
        .collect()
}

#[test]
fn copies_share_the_text_and_keep_flags_and_keywords() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let (owner, inbox) = filled(&world, ALICE, 4).await;
        let archive = owner.folder("Archive").await.unwrap();
        owner
            .store(
                inbox,
                &[2],
                change(FlagAction::Add, Flags::FLAGGED, &["$One", "$Two"]),
            )
            .await
            .unwrap();
        owner.append(archive.id, vec![append("there")]).await.unwrap();
        owner
            .store(archive.id, &[1], change(FlagAction::Add, Flags::NONE, &["$two"]))
            .await
            .unwrap();
        let copied = owner.copy(inbox, &[2, 4, 9], &owner, archive.id).await.unwrap();
        assert_eq!(
            (copied.source, copied.target, copied.uid_validity),
            (vec![2, 4], vec![2, 3], archive.uid_validity)
        );
        assert_eq!(
            owner.used_bytes().await.unwrap(),
            6 * message("1").len() as u64 + message("there").len() as u64
        );
        let selected = owner.select("Archive", false).await.unwrap();
        let row = rows(&owner, archive.id, 0).await[1];
        assert_eq!(selected.keywords, ["$two", "$One"]);
        assert_eq!((row.flags, row.keywords), (Flags::FLAGGED, 3));
        let want = Want {
            facts: true,
            ..Want::default()
        };
        let ids = (
            owner.fetch(inbox, &[2], want).await.unwrap()[0].email_id,
            owner.fetch(archive.id, &[2], want).await.unwrap()[0].email_id,
        );
        assert_eq!(ids.0, ids.1);
        owner.remove_messages(inbox, &[2]).await.unwrap();
        assert_eq!(
            subjects(&owner, "Archive").await[1],
            (2, "2".to_owned()),
            "the text outlives one of its messages"
        );
        let moved = owner.move_to(inbox, &[1, 3], &owner, archive.id).await.unwrap();
        assert_eq!((moved.source, moved.target), (vec![1, 3], vec![4, 5]));
        assert_eq!(subjects(&owner, "INBOX").await, [(4, "4".to_owned())]);
        assert_eq!(owner.check(false).await.unwrap().problems, []);
        world.close().await;
    });
}

#[test]
fn between_owners() {
    let disk = SimDisk::new(3);
    runtime().block_on(async {
        let world = World::simulated(&disk, "transfers").unwrap();
        let (alice, inbox) = filled(&world, ALICE, 5).await;
        let (bob, target) = filled(&world, BOB, 1).await;
        alice
            .store(inbox, &[1, 2, 3], change(FlagAction::Add, Flags::SEEN, &["$K"]))
            .await
            .unwrap();
        let copied = alice.copy(inbox, &[1, 5], &bob, target).await.unwrap();
        assert_eq!((copied.source, copied.target), (vec![1, 5], vec![2, 3]));
        let moved = alice.move_to(inbox, &[2, 3], &bob, target).await.unwrap();
        assert_eq!((moved.source, moved.target), (vec![2, 3], vec![4, 5]));
        assert_eq!(
            subjects(&bob, "INBOX")
                .await
                .into_iter()
                .map(|(_, subject)| subject)
                .collect::<Vec<_>>(),
            ["1", "1", "5", "2", "3"]
        );
        assert_eq!(
            subjects(&alice, "INBOX")
                .await
                .into_iter()
                .map(|(uid, _)| uid)
                .collect::<Vec<_>>(),
            [1, 4, 5]
        );
        let selected = bob.select("INBOX", false).await.unwrap();
        let row = rows(&bob, selected.folder.id, 0).await[3];
        assert_eq!((row.flags, row.keywords), (Flags::SEEN, 1));
        assert!(matches!(
            alice.copy(inbox, &[1], &bob, FolderId(999)).await,
            Err(MailboxError::NoSuchFolder)
        ));
        world.close().await;
    });
}

#[test]
fn a_large_text_is_linked_and_stays_when_its_source_goes() {
    let disk = SimDisk::new(4);
    runtime().block_on(async {
        let world = World::simulated(&disk, "transfers-large").unwrap();
        let (alice, inbox) = filled(&world, ALICE, 0).await;
        let (bob, target) = filled(&world, BOB, 0).await;
        let mut text = message("large");
        text.resize(100_000, b'y');
        let large = Append {
            text: Blob::Bytes(Bytes::from(text.clone())),
            ..append("")
        };
        alice.append(inbox, vec![large]).await.unwrap();
        alice.move_to(inbox, &[1], &bob, target).await.unwrap();
        alice.destroy().await.unwrap();
        assert_eq!(texts(&bob, "INBOX").await.unwrap()[0].1.len(), text.len());
        assert_eq!(world.boxes.owners().unwrap(), [BOB]);
        world.close().await;
    });
}
