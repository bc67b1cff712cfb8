//! What a session sees: folders, messages, flags, changes.

use wire::imap::{SearchKey, TextField};

use super::*;

/// Runs a test on the machine's disk and on the simulated one.
fn both(name: &str, test: impl AsyncFn(&World)) {
    let dir = tempfile::tempdir().unwrap();
    let runtime = runtime();
    for world in [
        World::real(dir.path()),
        World::simulated(&SimDisk::new(1), name).unwrap(),
    ] {
        runtime.block_on(async {
            test(&world).await;
            world.close().await;
        });
    }
}

#[test]
fn a_delivered_message_is_there_once() {
    both("sessions-deliver", async |world| {
        let id = world.accept(&message("one")).await.unwrap();
        let first = world.deliver(ALICE, id, 0, &message("one")).await.unwrap();
        assert_eq!(
            world.deliver(ALICE, id, 0, &message("one")).await.unwrap(),
            first,
            "a repeat does nothing"
        );
        let second = world.deliver(ALICE, id, 1, &message("one")).await.unwrap();
        assert_eq!(
            (first.uid, second.uid),
            (1, 2),
            "another target is another message"
        );
        assert!(second.modseq > first.modseq);
        let owner = world.boxes.owner(ALICE);
        let selected = owner.select("inbox", true).await.unwrap();
        assert_eq!(
            (
                selected.status.messages,
                selected.status.recent,
                selected.recent_from
            ),
            (2, 2, 1)
        );
        assert_eq!(selected.uids.len(), 2);
        assert_eq!(
            owner.select("INBOX", true).await.unwrap().recent_from,
            3,
            "claimed by the first session"
        );
        let fetched = owner
            .fetch(
                selected.folder.id,
                &[1, 2, 3],
                Want {
                    facts: true,
                    envelope: true,
                    structure: true,
                    header: true,
                    text: true,
                    ..Want::default()
                },
            )
            .await
            .unwrap();
        assert_eq!(fetched.len(), 2);
        let Some(Blob::Bytes(text)) = &fetched[0].text else {
            panic!()
        };
        assert_eq!(&text[..], message("one"));
        assert_eq!(fetched[0].size, message("one").len() as u64);
        assert!(fetched[0].header.as_ref().unwrap().ends_with(b"\r\n\r\n"));
        assert!(fetched[0].envelope.as_ref().unwrap().starts_with(b"(\"Wed, 17"));
        assert!(
            fetched[0]
                .structure
                .as_ref()
                .unwrap()
                .starts_with(b"(\"text\" \"plain\"")
        );
        assert_eq!(world.boxes.owners().unwrap(), [ALICE]);
    });
}

#[test]
fn folders_and_what_is_in_them() {
    both("sessions-folders", async |world| {
        let owner = world.boxes.owner(ALICE);
        let names = |folders: &[Folder]| {
            folders
                .iter()
                .map(|folder| folder.name.clone())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            names(&owner.folders().await.unwrap()),
            "INBOX Archive Drafts Junk Sent Trash"
        );
        let made = owner.create("work/2024/may", None).await.unwrap();
        assert_eq!(
            names(&owner.folders().await.unwrap()),
            "INBOX Archive Drafts Junk Sent Trash work work/2024 work/2024/may"
        );
        assert!(matches!(
            owner.create("work", None).await,
            Err(MailboxError::FolderExists)
        ));
        assert!(matches!(
            owner.create("a//b", None).await,
            Err(MailboxError::InvalidName)
        ));
        owner.append(made.id, vec![append("kept")]).await.unwrap();
        owner.rename("work", "play/old").await.unwrap();
        assert_eq!(
            names(&owner.folders().await.unwrap()),
            "INBOX Archive Drafts Junk Sent Trash play play/old play/old/2024 play/old/2024/may"
        );
        assert!(matches!(
            owner.rename("play", "play/x").await,
            Err(MailboxError::NotAllowed(_))
        ));
        let moved = owner.folder("play/old/2024/may").await.unwrap();
        assert_eq!((moved.id, moved.uid_validity), (made.id, made.uid_validity));
        assert_eq!(texts(&owner, "play/old/2024/may").await.unwrap().len(), 1);
        owner.delete("play/old/2024/may").await.unwrap();
        assert!(matches!(
            owner.status(made.id).await,
            Err(MailboxError::NoSuchFolder)
        ));
        assert!(owner.changes(made.id, 0, 0, false).await.unwrap().gone);
        let again = owner
            .create("play/old/2024/may", Some("\\Archive"))
            .await
            .unwrap();
        assert!(
            again.uid_validity > made.uid_validity,
            "the name means another folder now"
        );
        assert!(owner.delete("INBOX").await.is_err());
        assert_eq!(owner.used_bytes().await.unwrap(), 0);
        owner.subscribe("gone/for/long", true).await.unwrap();
        owner.subscribe("Junk", false).await.unwrap();
        assert!(
            owner
                .subscriptions()
                .await
                .unwrap()
                .contains(&"gone/for/long".to_owned())
        );
        assert!(!owner.folder("Junk").await.unwrap().subscribed);
        let give = async |who: &str, action, letters: &str| {
            let rights = shared::Rights::parse(letters).unwrap();
            owner.change_rights("Junk", who, action, rights).await.unwrap();
        };
        give("bob", RightsAction::Replace, "lrs").await;
        give("anyone", RightsAction::Add, "l").await;
        give("bob", RightsAction::Remove, "rsl").await;
        assert_eq!(
            owner.rights().await.unwrap()[&owner.folder("Junk").await.unwrap().id],
            [("anyone".to_owned(), "l".to_owned())]
        );
    });
}

#[test]
fn renaming_inbox_moves_what_is_in_it() {
    both("sessions-inbox", async |world| {
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap();
        owner
            .append(inbox.id, vec![append("a"), append("b")])
            .await
            .unwrap();
        owner.rename("inbox", "old").await.unwrap();
        assert_eq!(owner.status(inbox.id).await.unwrap().messages, 0);
        assert_eq!(texts(&owner, "old").await.unwrap().len(), 2);
        assert_eq!(gone(&owner, inbox.id, 0).await, [1, 2]);
    });
}

#[test]
fn flags_counters_and_changes() {
    both("sessions-flags", async |world| {
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        let appended = owner
            .append(inbox, (0..10).map(|n| append(&n.to_string())).collect())
            .await
            .unwrap();
        assert_eq!(
            appended.iter().map(|message| message.uid).collect::<Vec<_>>(),
            (1..=10).collect::<Vec<_>>()
        );
        let mut watch = owner.watch();
        let before = owner.status(inbox).await.unwrap();
        assert_eq!((before.messages, before.unseen, before.uid_next), (10, 10, 11));
        let stored = owner
            .store(
                inbox,
                &[2, 3, 5, 77],
                change(FlagAction::Add, Flags::SEEN, &["$Work"]),
            )
            .await
            .unwrap();
        assert_eq!(stored.keywords, ["$Work"]);
        assert_eq!(
            stored
                .rows
                .iter()
                .map(|row| (row.uid, row.flags, row.keywords))
                .collect::<Vec<_>>(),
            [(2, Flags::SEEN, 1), (3, Flags::SEEN, 1), (5, Flags::SEEN, 1)]
        );
        assert!(watch.has_changed().unwrap());
        watch.mark_unchanged();
        assert_eq!(owner.status(inbox).await.unwrap().unseen, 7);
        let changes = owner
            .changes(inbox, before.highest_modseq, 10, false)
            .await
            .unwrap();
        assert_eq!(changes.rows, stored.rows);
        assert_eq!(changes.highest_modseq, stored.highest_modseq);
        let same = owner
            .store(inbox, &[2], change(FlagAction::Add, Flags::SEEN, &[]))
            .await
            .unwrap();
        assert_eq!(same.highest_modseq, stored.highest_modseq, "nothing changed");
        assert!(!watch.has_changed().unwrap());
        let late = FlagChange {
            unchanged_since: Some(before.highest_modseq),
            within: FlagChange::ALL,
            ..change(FlagAction::Replace, Flags::FLAGGED, &[])
        };
        let late = owner.store(inbox, &[1, 2], late).await.unwrap();
        assert_eq!(late.modified, [2]);
        assert_eq!(late.rows[0].flags, Flags::FLAGGED);
        owner
            .store(inbox, &[4, 5, 6], change(FlagAction::Add, Flags::DELETED, &[]))
            .await
            .unwrap();
        let since = owner.status(inbox).await.unwrap();
        assert_eq!((since.deleted, since.messages), (3, 10));
        assert_eq!(owner.expunge(inbox, Some(&[5, 6, 7])).await.unwrap(), [5, 6]);
        assert_eq!(owner.expunge(inbox, None).await.unwrap(), [4]);
        let changes = owner
            .changes(inbox, since.highest_modseq, 10, false)
            .await
            .unwrap();
        let expunged = gone(&owner, inbox, since.highest_modseq).await;
        assert_eq!(
            (expunged.as_slice(), changes.rows.len()),
            ([4, 5, 6].as_slice(), 0)
        );
        let after = owner.status(inbox).await.unwrap();
        assert_eq!(
            (after.messages, after.deleted, after.unseen, after.uid_next),
            (7, 0, 5, 11)
        );
        assert!(owner.check(false).await.unwrap().problems.is_empty());
    });
}

#[test]
fn keywords_have_a_limit() {
    both("sessions-keywords", async |world| {
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        owner.append(inbox, vec![append("a")]).await.unwrap();
        let names: Vec<String> = (0..KEYWORDS_PER_FOLDER_MAX).map(|n| format!("k{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(
            owner
                .store(inbox, &[1], change(FlagAction::Add, Flags::NONE, &names))
                .await
                .unwrap()
                .rows[0]
                .keywords,
            u64::MAX
        );
        let more = owner
            .store(inbox, &[1], change(FlagAction::Add, Flags::NONE, &["one-more"]))
            .await;
        assert!(matches!(more, Err(MailboxError::TooManyKeywords)));
        assert!(
            owner
                .store(
                    inbox,
                    &[1],
                    change(FlagAction::Remove, Flags::NONE, &["never-known", "K3"])
                )
                .await
                .is_ok()
        );
    });
}

#[test]
fn quota() {
    both("sessions-quota", async |world| {
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        let size = message("1").len() as u64;
        let limited = |subject| Append {
            quota_bytes: Some(2 * size),
            ..append(subject)
        };
        owner
            .append(inbox, vec![limited("1"), limited("2")])
            .await
            .unwrap();
        assert!(matches!(
            owner.append(inbox, vec![limited("3")]).await,
            Err(MailboxError::OverQuota)
        ));
        owner.remove_messages(inbox, &[1]).await.unwrap();
        owner.append(inbox, vec![limited("4")]).await.unwrap();
        assert_eq!(owner.used_bytes().await.unwrap(), 2 * size);
    });
}

#[test]
fn large_texts_lie_in_files() {
    both("sessions-large", async |world| {
        let owner = world.boxes.owner(ALICE);
        let mut text = message("large");
        text.resize(200_000, b'x');
        let id = world.accept(&text).await.unwrap();
        world.deliver(ALICE, id, 0, &text).await.unwrap();
        let inbox = owner.folder("INBOX").await.unwrap().id;
        let large = Append {
            text: Blob::Bytes(Bytes::from(text.clone())),
            ..append("")
        };
        owner.append(inbox, vec![large, append("small")]).await.unwrap();
        let found = texts(&owner, "INBOX").await.unwrap();
        assert_eq!(
            found
                .iter()
                .map(|(uid, text)| (*uid, text.len()))
                .collect::<Vec<_>>(),
            [(1, text.len()), (2, text.len()), (3, message("small").len())]
        );
        let fetched = owner
            .fetch(
                inbox,
                &[1],
                Want {
                    text: true,
                    header: true,
                    ..Want::default()
                },
            )
            .await
            .unwrap();
        let path = fetched[0].text.as_ref().unwrap().path().unwrap().to_owned();
        assert!(fetched[0].header.as_ref().unwrap().ends_with(b"\r\n\r\n"));
        owner.remove_messages(inbox, &[1]).await.unwrap();
        assert!(
            world.disk.exists(&path).unwrap(),
            "until the expunge can't be undone"
        );
        world.journal.release(id);
        // The record of the expunge lies in a segment that goes once later ones are begun.
        for number in 0..200 {
            owner
                .append(inbox, vec![append(&number.to_string())])
                .await
                .unwrap();
        }
        // What has not been committed holds its records.
        owner.handle.core.settle_all().unwrap();
        world.journal.trim().unwrap();
        assert!(!world.disk.exists(&path).unwrap());
        assert!(owner.check(false).await.unwrap().problems.is_empty());
    });
}

#[test]
fn searches() {
    both("sessions-search", async |world| {
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        let odd = b"From: =?utf-8?q?J=C3=96RG?= <j@x>\r\nSubject: plain\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nw4RwZmVs\r\n";
        let odd = Append {
            text: Blob::Bytes(Bytes::from_static(odd)),
            flags: Flags::SEEN,
            ..append("")
        };
        owner
            .append(
                inbox,
                vec![append("alpha"), odd, append("beta"), append("alphabet")],
            )
            .await
            .unwrap();
        owner
            .store(inbox, &[3], change(FlagAction::Add, Flags::FLAGGED, &["$K"]))
            .await
            .unwrap();
        let header =
            |name: &str, text: &str| SearchKey::Text(TextField::Header(name.to_owned()), text.to_owned());
        let body = |text: &str| SearchKey::Text(TextField::Body, text.to_owned());
        let day = wire::imap::Date {
            year: 1996,
            month: 7,
            day: 17,
        };
        let cases: Vec<(SearchKey, &[Uid])> = vec![
            (SearchKey::All, &[1, 2, 3, 4]),
            (SearchKey::Flag(Flags::SEEN, true), &[2]),
            (SearchKey::Flag(Flags::SEEN, false), &[1, 3, 4]),
            (SearchKey::Keyword("$k".into(), true), &[3]),
            (SearchKey::Keyword("unknown".into(), false), &[1, 2, 3, 4]),
            (header("subject", "ALPHA"), &[1, 4]),
            (header("from", "jörg"), &[2]),
            (header("date", ""), &[1, 3, 4]),
            (body("äpfel"), &[2]),
            (body("hello ALPHAb"), &[4]),
            (body("subject"), &[]),
            (SearchKey::Text(TextField::Text, "BETA".into()), &[3]),
            (SearchKey::SentOn(day), &[1, 3, 4]),
            (SearchKey::SentBefore(day), &[]),
            (SearchKey::Since(day), &[1, 2, 3, 4]),
            (SearchKey::Larger(10_000), &[]),
            (SearchKey::Younger(10), &[]),
            (SearchKey::Older(10), &[1, 2, 3, 4]),
            (
                SearchKey::Uid(wire::imap::SequenceSet::parse(b"2,4:*").unwrap()),
                &[2, 4],
            ),
            (SearchKey::Not(Box::new(header("subject", "a"))), &[]),
            (
                SearchKey::Or(
                    Box::new(body("beta")),
                    Box::new(SearchKey::Flag(Flags::SEEN, true)),
                ),
                &[2, 3],
            ),
            (
                SearchKey::And(vec![
                    header("subject", "alpha"),
                    SearchKey::Not(Box::new(body("alphabet"))),
                ]),
                &[1],
            ),
        ];
        for (key, expected) in cases {
            assert_eq!(
                owner
                    .search(inbox, Arc::new(key.clone()), 1_800_000_000)
                    .await
                    .unwrap(),
                expected,
                "{key:?}"
            );
        }
    });
}

#[test]
fn what_was_there_is_there_after_a_stop() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = runtime();
    let before = runtime.block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let made = owner.create("kept", None).await.unwrap();
        owner
            .append(made.id, vec![append("a"), append("b")])
            .await
            .unwrap();
        owner
            .store(made.id, &[1], change(FlagAction::Add, Flags::ANSWERED, &["$X"]))
            .await
            .unwrap();
        let before = owner.select("kept", false).await.unwrap();
        world.close().await;
        before
    });
    runtime.block_on(async {
        let world = World::real(dir.path());
        assert!(world.clean);
        let after = world.boxes.owner(ALICE).select("kept", false).await.unwrap();
        assert_eq!(
            (&after.uids, after.status, &after.keywords),
            (&before.uids, before.status, &before.keywords)
        );
        let next = world
            .boxes
            .owner(ALICE)
            .append(after.folder.id, vec![append("c")])
            .await
            .unwrap();
        assert_eq!(next[0].uid, 3, "no UID is passed over after a clean stop");
        world.close().await;
    });
}

// A message for a folder that can't be would wait until it is given up, and be lost.
#[test]
fn a_delivery_for_a_folder_that_can_not_be_goes_to_the_inbox() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        for (number, (folder, stored_in)) in
            [("a//b", "INBOX"), ("/Archive", "INBOX"), ("Old/Mail", "Old/Mail")]
                .into_iter()
                .enumerate()
        {
            let subject = format!("{number}");
            let delivery = Delivery {
                message: world.accept(&message(&subject)).await.unwrap(),
                target: 0,
                folder: Some(folder.to_owned()),
                text: Blob::Bytes(Bytes::from(message(&subject))),
                received: 1_700_000_000,
                quota_bytes: None,
            };
            world.boxes.deliver(ALICE, delivery).await.unwrap();
            let found = texts(&world.boxes.owner(ALICE), stored_in).await.unwrap();
            let last = found.last().unwrap();
            assert!(
                last.1.contains(&format!("Subject: {number}")),
                "{folder}: {last:?}"
            );
        }
        world.close().await;
    });
}
