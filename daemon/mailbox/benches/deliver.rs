//! What a delivery, a listing and a search cost: `cargo bench -p batpost-mailbox`. Prints microseconds of wall time per item.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;

use batpost_mailbox::{
    Append, Delivery, FlagAction, FlagChange, Flags, Mailboxes, Options, OwnerId, Uid, Want,
};
use bytes::Bytes;
use disk::RealDisk;
use disk::blob::Blob;
use events::Events;
use journal::{Journal, Kind};
use wire::imap::{SearchKey, TextField};

const OWNERS: u64 = 20;
const PER_OWNER: u64 = 1000;
const IN_FLIGHT: u64 = 16;

fn text(number: u64) -> Blob {
    let mut text = format!(
        "Received: from a by b; Wed, 17 Jul 1996 02:23:25 -0700\r\nFrom: Ada Lovelace <ada@example.test>\r\nTo: bob@example.test\r\n\
         Subject: message {number}\r\nMessage-ID: <{number}@example.test>\r\nDate: Wed, 17 Jul 1996 02:23:25 -0700\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    );
    while text.len() < 4096 {
        text.push_str("The quick brown fox jumps over the lazy dog and goes on.\r\n");
    }
    Blob::Bytes(Bytes::from(text))
}

fn told(what: &str, items: u64, began: Instant) {
    let micros = began.elapsed().as_secs_f64() * 1e6 / items as f64;
    println!("{what:40} {micros:9.2} µs each, {items} items");
}

async fn deliver(boxes: &Mailboxes, journal: &Journal) {
    let began = Instant::now();
    let mut tasks = Vec::new();
    for lane in 0..IN_FLIGHT {
        let (boxes, journal) = (boxes.clone(), journal.clone());
        tasks.push(tokio::spawn(async move {
            for number in (lane..OWNERS * PER_OWNER).step_by(IN_FLIGHT as usize) {
                let blob = text(number);
                let Blob::Bytes(bytes) = &blob else { return };
                let record = journal.commit(Kind(2), &[bytes]).await.unwrap().id();
                let delivery = Delivery {
                    message: record,
                    target: 0,
                    folder: None,
                    text: blob,
                    received: 1_700_000_000,
                    quota_bytes: None,
                };
                boxes
                    .deliver(OwnerId(number % OWNERS + 1), delivery)
                    .await
                    .unwrap();
                journal.release(record);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    told("commit and deliver, 16 at once", OWNERS * PER_OWNER, began);
}

async fn look(boxes: &Mailboxes) {
    let owner = boxes.owner(OwnerId(1));
    let began = Instant::now();
    let selected = owner.select("INBOX", true).await.unwrap();
    told("select", selected.uids.len() as u64, began);
    let (folder, uids): (_, Vec<Uid>) = (selected.folder.id, selected.uids.iter().collect());
    let wants = [
        ("fetch flags", Want::default()),
        (
            "fetch envelopes",
            Want {
                facts: true,
                envelope: true,
                ..Want::default()
            },
        ),
        (
            "fetch headers",
            Want {
                header: true,
                ..Want::default()
            },
        ),
        (
            "fetch texts",
            Want {
                text: true,
                ..Want::default()
            },
        ),
    ];
    for (name, want) in wants {
        let began = Instant::now();
        let mut rest = uids.as_slice();
        while let Some(last) = owner
            .fetch(folder, rest, want)
            .await
            .unwrap()
            .last()
            .map(|message| message.row.uid)
        {
            rest = &rest[rest.partition_point(|uid| *uid <= last)..];
        }
        told(name, uids.len() as u64, began);
    }
    let began = Instant::now();
    for uid in &uids {
        owner
            .fetch(
                folder,
                &[*uid],
                Want {
                    text: true,
                    ..Want::default()
                },
            )
            .await
            .unwrap();
    }
    told("fetch one text at a time", uids.len() as u64, began);
    let began = Instant::now();
    for uid in &uids {
        let change = FlagChange {
            action: FlagAction::Add,
            flags: Flags::SEEN,
            keywords: Vec::new(),
            unchanged_since: None,
            within: FlagChange::ALL,
        };
        owner.store(folder, &[*uid], change).await.unwrap();
    }
    told("store, one at a time", uids.len() as u64, began);
    for (name, field) in [
        ("search FROM", TextField::Header("from".to_owned())),
        ("search BODY", TextField::Body),
    ] {
        let began = Instant::now();
        let key = Arc::new(SearchKey::Text(field, "nowhere".to_owned()));
        owner.search(folder, key, 0).await.unwrap();
        told(name, uids.len() as u64, began);
    }
}

async fn append(boxes: &Mailboxes) {
    let began = Instant::now();
    let mut tasks = Vec::new();
    for lane in 0..8 {
        let owner = boxes.owner(OwnerId(100 + lane));
        tasks.push(tokio::spawn(async move {
            let folder = owner.folder("INBOX").await.unwrap().id;
            for number in 0..PER_OWNER {
                let append = Append {
                    text: text(number),
                    flags: Flags::NONE,
                    keywords: Vec::new(),
                    received: (0, 0),
                    quota_bytes: None,
                };
                owner.append(folder, vec![append]).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    told("append, 8 at once", 8 * PER_OWNER, began);
}

fn main() {
    let dir = tempfile::tempdir().unwrap();
    let disk = RealDisk::shared();
    let (journal, replay) = Journal::open(
        Arc::clone(&disk),
        &dir.path().join("queue"),
        journal::Options::default(),
    )
    .unwrap();
    let options = Options {
        epoch: replay.epoch,
        ..Options::new(dir.path().join("mail"))
    };
    let boxes = Mailboxes::open(disk, journal.clone(), &[], Events::none(), options).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        deliver(&boxes, &journal).await;
        append(&boxes).await;
        look(&boxes).await;
        boxes.close().await;
    });
    journal.close().unwrap();
}
