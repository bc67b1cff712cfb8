//! What a folder of a million messages costs: `cargo bench -p batpost-mailbox --bench big [-- MESSAGES]`. Prints milliseconds of wall time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use batpost_mailbox::{
    Append, FlagAction, FlagChange, Flags, FolderId, Mailboxes, Options, Owner, OwnerId, Uid,
};
use bytes::Bytes;
use disk::RealDisk;
use disk::blob::Blob;
use events::Events;
use journal::{Journal, Record};

const OWNER: OwnerId = OwnerId(1);

struct World {
    boxes: Mailboxes,
    journal: Journal,
}

impl World {
    fn open(dir: &Path) -> World {
        let disk = RealDisk::shared();
        let options = journal::Options::default();
        let (journal, mut replay) = Journal::open(Arc::clone(&disk), &dir.join("queue"), options).unwrap();
        let records: Vec<Record> = replay.by_ref().collect::<Result<_, _>>().unwrap();
        let options = Options {
            epoch: replay.epoch,
            ..Options::new(dir.join("mail"))
        };
        let boxes = Mailboxes::open(disk, journal.clone(), &records, Events::none(), options).unwrap();
        World { boxes, journal }
    }

    async fn again(self, dir: &Path) -> World {
        self.boxes.close().await;
        self.journal.close().unwrap();
        World::open(dir)
    }

    fn owner(&self) -> Owner {
        self.boxes.owner(OWNER)
    }
}

fn told(what: &str, began: Instant) {
    println!("{what:50} {:9.2} ms", began.elapsed().as_secs_f64() * 1e3);
}

fn change(action: FlagAction, flags: Flags) -> FlagChange {
    FlagChange {
        action,
        flags,
        keywords: Vec::new(),
        unchanged_since: None,
        within: FlagChange::ALL,
    }
}

fn message() -> Append {
    Append {
        text: Blob::Bytes(Bytes::from_static(b"Subject: one of many\r\n\r\nHello\r\n")),
        flags: Flags::SEEN,
        keywords: Vec::new(),
        received: (0, 0),
        quota_bytes: None,
    }
}

async fn select(owner: &Owner, what: &str) {
    let began = Instant::now();
    owner.select("INBOX", true).await.unwrap();
    told(what, began);
}

async fn single(owner: &Owner, inbox: FolderId, last: Uid) {
    let began = Instant::now();
    owner.status(inbox).await.unwrap();
    told("status", began);
    for (what, action) in [("flag", FlagAction::Add), ("unflag", FlagAction::Remove)] {
        let began = Instant::now();
        owner
            .store(inbox, &[last / 2], change(action, Flags::FLAGGED))
            .await
            .unwrap();
        told(what, began);
    }
    let began = Instant::now();
    owner.append(inbox, vec![message()]).await.unwrap();
    told("append", began);
    let deleted = change(FlagAction::Add, Flags::DELETED);
    owner.store(inbox, &[last - 5], deleted).await.unwrap();
    let began = Instant::now();
    owner.expunge(inbox, None).await.unwrap();
    told("expunge one", began);
}

/// Something large while another session looks at the folder again and again: how long it waits at most.
async fn beside<T>(owner: &Owner, inbox: FolderId, what: &str, call: impl Future<Output = T>) -> T {
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let other = owner.clone();
    let watching = tokio::spawn(async move {
        let mut longest = 0.0_f64;
        while stopped.try_recv().is_err() {
            let began = Instant::now();
            other.status(inbox).await.unwrap();
            longest = longest.max(began.elapsed().as_secs_f64() * 1e3);
            tokio::task::yield_now().await;
        }
        longest
    });
    let began = Instant::now();
    let done = call.await;
    told(what, began);
    let _ = stop.send(());
    println!(
        "{:50} {:9.2} ms",
        "    others wait at most",
        watching.await.unwrap()
    );
    done
}

async fn run(dir: &Path, messages: u32) {
    let mut world = World::open(dir);
    let owner = world.owner();
    let inbox = owner.folder("INBOX").await.unwrap().id;
    owner.append(inbox, vec![message()]).await.unwrap();
    let mut there = 1;
    let began = Instant::now();
    while there < messages {
        let uids: Vec<Uid> = (1..=there.min(messages - there)).collect();
        owner.copy(inbox, &uids, &owner, inbox).await.unwrap();
        there += uids.len() as u32;
    }
    told("fill", began);
    select(&owner, "select, open").await;
    single(&owner, inbox, there).await;
    drop(owner);
    world = world.again(dir).await;
    select(&world.owner(), "select after a start").await;
    let owner = world.owner();
    single(&owner, inbox, there).await;
    let odd: Vec<Uid> = (1..=there).step_by(2).collect();
    let unseen = owner.store(inbox, &odd, change(FlagAction::Add, Flags::DELETED));
    beside(&owner, inbox, "store of every second", unseen)
        .await
        .unwrap();
    beside(
        &owner,
        inbox,
        "expunge of every second",
        owner.expunge(inbox, None),
    )
    .await
    .unwrap();
    select(&owner, "select with holes, open").await;
    drop(owner);
    world = world.again(dir).await;
    let owner = world.owner();
    select(&owner, "select with holes, after a start").await;
    let archive = owner.folder("Archive").await.unwrap().id;
    let rest: Vec<Uid> = owner.select("INBOX", true).await.unwrap().uids.iter().collect();
    beside(
        &owner,
        inbox,
        "copy of the rest",
        owner.copy(inbox, &rest, &owner, archive),
    )
    .await
    .unwrap();
    beside(
        &owner,
        inbox,
        "move of the rest",
        owner.move_to(inbox, &rest, &owner, archive),
    )
    .await
    .unwrap();
    drop(owner);
    world.boxes.close().await;
    world.journal.close().unwrap();
}

fn main() {
    let messages = std::env::args().find_map(|arg| arg.parse().ok());
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(run(dir.path(), messages.unwrap_or(1_000_000)));
}
