//! What touches very many messages goes in portions: others get their turn, and a power cut between two loses nothing else.

use super::uids::fill;
use super::*;

const MANY: u32 = 2500;

fn all() -> Vec<Uid> {
    (1..=MANY).collect()
}

/// How many messages there are once the job before has begun to be done.
async fn beside<T>(owner: &Owner, folder: FolderId, call: impl Future<Output = Result<T>>) -> (T, u64) {
    // Polled in this order: the question stands behind the first portion, and before the second, for no portion is done before it is asked.
    let held = owner.slot.run.lock();
    let (done, status, ()) = tokio::join!(biased; call, owner.status(folder), async move { drop(held) });
    (done.unwrap(), status.unwrap().messages)
}

#[test]
fn others_get_their_turn() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let inbox = fill(&owner, MANY).await;
        let archive = owner.folder("Archive").await.unwrap().id;
        let (copied, there) = beside(&owner, archive, owner.copy(inbox, &all(), &owner, archive)).await;
        assert_eq!((copied.source, copied.target), (all(), all()));
        assert_eq!(there, 1000);
        let (moved, there) = beside(&owner, inbox, owner.move_to(inbox, &all(), &owner, archive)).await;
        assert_eq!((moved.source, moved.target.len()), (all(), MANY as usize));
        assert_eq!(there, u64::from(MANY) - 1000);
        // Every second one, found by their flags.
        let odd: Vec<Uid> = (1..=2 * MANY).step_by(2).collect();
        let deleted = change(FlagAction::Add, Flags::DELETED, &[]);
        owner.store(archive, &odd, deleted).await.unwrap();
        let (gone, there) = beside(&owner, archive, owner.expunge(archive, None)).await;
        assert_eq!(gone, odd);
        assert!(there > u64::from(MANY) && there < u64::from(2 * MANY), "{there}");
        let rest: Vec<Uid> = (2..=2 * MANY).step_by(2).collect();
        let (gone, there) = beside(&owner, archive, owner.remove_messages(archive, &rest)).await;
        assert_eq!((gone, there), (rest, u64::from(MANY) - 1000));
        assert_eq!(owner.status(archive).await.unwrap().messages, 0);
        assert_eq!(owner.check(false).await.unwrap().problems, []);
        drop(owner);
        world.close().await;
    });
}

#[test]
fn a_copy_that_does_not_fit_copies_nothing() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let inbox = fill(&owner, MANY).await;
        let archive = owner.folder("Archive").await.unwrap().id;
        let size = message("a").len() as u64;
        for (messages, fits) in [(2 * MANY - 1, false), (2 * MANY, true)] {
            let how = Transfer {
                quota_bytes: Some(u64::from(messages) * size),
                ..Transfer::COPY
            };
            let copied = owner.transfer(inbox, &all(), &owner, archive, how).await;
            assert_eq!(copied.is_ok(), fits, "room for {messages}");
            let there = owner.status(archive).await.unwrap().messages;
            assert_eq!(there, if fits { u64::from(MANY) } else { 0 });
        }
        drop(owner);
        world.close().await;
    });
}

/// The folder goes while its messages are being copied into it: what was copied is taken back, and nothing is said to be there.
#[test]
fn a_copy_into_a_folder_that_goes_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let inbox = fill(&owner, MANY).await;
        let archive = owner.folder("Archive").await.unwrap().id;
        let uids = all();
        let copy = owner.copy(inbox, &uids, &owner, archive);
        let held = owner.slot.run.lock();
        let (copied, deleted, ()) =
            tokio::join!(biased; copy, owner.delete("Archive"), async move { drop(held) });
        deleted.unwrap();
        assert!(matches!(copied, Err(MailboxError::NoSuchFolder)));
        assert_eq!(owner.check(false).await.unwrap().problems, []);
        assert_eq!(owner.status(inbox).await.unwrap().messages, u64::from(MANY));
        drop(owner);
        world.close().await;
    });
}

/// The power goes in the middle: each message is as it was or as it was to be, and the mailbox is sound.
#[test]
fn a_power_cut_in_the_middle() {
    for seed in 0..24_u64 {
        let disk = SimDisk::new(seed);
        disk.shared().create_dir_all_synced(Path::new("/data")).unwrap();
        let lane = "portions";
        let runtime = runtime();
        let (inbox, archive) = runtime.block_on(async {
            let world = World::simulated(&disk, lane).unwrap();
            let owner = world.boxes.owner(ALICE);
            let inbox = fill(&owner, MANY).await;
            let archive = owner.folder("Archive").await.unwrap().id;
            drop(owner);
            world.close().await;
            (inbox, archive)
        });
        disk.crash_at(disk.steps() + 20 + seed * 17);
        let kind = seed % 3;
        // What fails is not told as done.
        let _ = World::simulated(&disk, lane).map(|world| {
            runtime.block_on(async {
                let owner = world.boxes.owner(ALICE);
                let odd: Vec<Uid> = (1..=MANY).step_by(2).collect();
                match kind {
                    0 => owner.remove_messages(inbox, &odd).await.map(drop),
                    1 => owner.move_to(inbox, &odd, &owner, archive).await.map(drop),
                    _ => owner.copy(inbox, &odd, &owner, archive).await.map(drop),
                }
            })
        });
        let disk = disk.restart();
        runtime.block_on(async {
            let world = World::simulated(&disk, lane).unwrap();
            let owner = world.boxes.owner(ALICE);
            let there = owner.select("INBOX", false).await.unwrap().uids;
            let moved = owner.status(archive).await.unwrap().messages;
            let what = format!("seed {seed}, {moved} in the archive");
            assert!(
                (1..=MANY).step_by(2).all(|uid| there.contains(uid + 1)),
                "{what}: others have gone too"
            );
            let gone = u64::from(MANY) - there.len() as u64;
            match kind {
                0 => assert_eq!(moved, 0, "{what}"),
                1 => assert_eq!(moved, gone, "{what}"),
                _ => assert_eq!(gone, 0, "{what}"),
            }
            assert_eq!(owner.check(false).await.unwrap().problems, [], "{what}");
            drop(owner);
            world.close().await;
        });
    }
}
