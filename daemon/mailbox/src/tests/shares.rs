//! Folders and rights that others look at: read without opening the mailbox, and never as they were before.

use super::*;

/// What a listing of somebody else's folders shows.
async fn shown(owner: &Owner) -> (Vec<String>, Vec<(String, String)>) {
    let (folders, rights) = owner.folders_and_rights().await.unwrap();
    let names = folders.iter().map(|folder| folder.name.clone()).collect();
    let given = rights.values().flatten().cloned().collect();
    (names, given)
}

fn is_open(owner: &Owner) -> bool {
    owner.slot.run.lock().store.is_some()
}

#[test]
fn a_closed_mailbox_is_not_opened_to_be_listed() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owners: Vec<Owner> = (1..=20).map(|id| world.boxes.owner(OwnerId(id))).collect();
        let mut first = Vec::new();
        for owner in &owners {
            owner
                .change_rights("INBOX", "anyone", RightsAction::Add, Rights::parse("lr").unwrap())
                .await
                .unwrap();
            first.push(shown(owner).await);
            owner.handle.core.close_slot(&owner.slot);
        }
        for (owner, first) in owners.iter().zip(&first) {
            assert_eq!(shown(owner).await, *first);
            assert!(!is_open(owner));
        }
        drop(owners);
        world.close().await;
    });
}

#[test]
fn each_change_is_seen_at_once() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let rights = Rights::parse("lr").unwrap();
        let mut before = shown(&owner).await;
        for step in 0..5 {
            match step {
                0 => drop(owner.create("Made", None).await.unwrap()),
                1 => owner.rename("Made", "Renamed").await.unwrap(),
                2 => owner
                    .change_rights("Renamed", "anyone", RightsAction::Add, rights)
                    .await
                    .unwrap(),
                3 => owner.delete("Renamed").await.unwrap(),
                _ => owner
                    .change_rights("INBOX", "user:7", RightsAction::Add, rights)
                    .await
                    .unwrap(),
            }
            let after = shown(&owner).await;
            assert_ne!(after, before, "step {step}");
            before = after;
        }
        let subscribed = async || {
            let (folders, _) = owner.folders_and_rights().await.unwrap();
            folders.iter().filter(|folder| folder.subscribed).count()
        };
        let count = subscribed().await;
        owner.subscribe("Archive", false).await.unwrap();
        assert_eq!(subscribed().await, count - 1);
        owner.destroy().await.unwrap();
        assert!(owner.handle.core.shares.get(ALICE).is_none());
        drop(owner);
        world.close().await;
    });
}
