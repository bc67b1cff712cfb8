//! What somebody is told who watches all of a mailbox.

use std::sync::Arc;

use tokio::sync::Notify;

use super::*;

fn append(text: &str) -> Append {
    Append {
        text: Blob::Bytes(Bytes::copy_from_slice(text.as_bytes())),
        flags: Flags::NONE,
        keywords: Vec::new(),
        received: (0, 0),
        quota_bytes: None,
    }
}

#[tokio::test]
async fn the_outcome_is_told_once_and_not_to_its_maker() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::real(dir.path());
    let (mine, other) = (world.boxes.owner(ALICE).by(1), world.boxes.owner(ALICE).by(2));
    let bell = Arc::new(Notify::new());
    let mut feed = mine.feed(&bell);
    assert_eq!(feed.read(), Ok(Told::default()));
    let inbox = mine.folder("INBOX").await.unwrap().id;
    for _ in 0..3 {
        other.append(inbox, vec![append("x")]).await.unwrap();
        // Another owner is opened, this one's database closed: nothing is lost by that.
        world.boxes.owner(BOB).folders().await.unwrap();
    }
    bell.notified().await;
    let told = feed.read().unwrap();
    assert_eq!(told.folders.len(), 1);
    let touched = &told.folders[0];
    assert_eq!((&*touched.name, touched.status.messages), ("INBOX", 3));
    assert!(touched.messages && !touched.flags);
    assert_eq!(feed.read(), Ok(Told::default()));

    // Between two of others' changes the reader's own is not told, and does not hide theirs.
    let flag = || FlagChange {
        action: FlagAction::Add,
        flags: Flags::SEEN,
        keywords: Vec::new(),
        unchanged_since: None,
        within: FlagChange::ALL,
    };
    mine.store(inbox, &[1], flag()).await.unwrap();
    assert_eq!(feed.read(), Ok(Told::default()));
    other.store(inbox, &[2], flag()).await.unwrap();
    mine.store(inbox, &[3], flag()).await.unwrap();
    let told = feed.read().unwrap();
    assert_eq!(told.folders.len(), 1);
    assert!(told.folders[0].flags && !told.folders[0].messages);
    assert_eq!(told.folders[0].status.unseen, 0);

    mine.create("a", None).await.unwrap();
    assert!(feed.read().unwrap().own);
    other.rename("a", "b").await.unwrap();
    other.subscribe("b", true).await.unwrap();
    other.subscribe("b", true).await.unwrap();
    other.delete("b").await.unwrap();
    let told = feed.read().unwrap();
    let shown: Vec<String> = told
        .happenings
        .iter()
        .map(|happening| format!("{happening:?}"))
        .collect();
    assert_eq!(shown.len(), 3, "{shown:?}");
    for (shown, kind) in shown.iter().zip(["Renamed", "Subscribed", "Removed"]) {
        assert!(shown.starts_with(kind), "{shown}");
    }
    // Of a folder that is gone there are no counters.
    assert_eq!(told.folders, []);
    world.close().await;
}

#[tokio::test]
async fn who_is_too_far_behind_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::real(dir.path());
    let owner = world.boxes.owner(ALICE);
    let bell = Arc::new(Notify::new());
    let (mut late, mut prompt) = (owner.feed(&bell), owner.feed(&bell));
    for number in 0..=HAPPENINGS_MAX {
        owner.subscribe("x", number % 2 == 0).await.unwrap();
        assert_eq!(prompt.read().unwrap().happenings.len(), 1);
    }
    assert_eq!(late.read(), Err(Missed));
    // With the last reader everything is let go; a new one begins with what is new.
    drop((late, prompt));
    assert_eq!(owner.feed(&bell).read(), Ok(Told::default()));
    world.close().await;
}
