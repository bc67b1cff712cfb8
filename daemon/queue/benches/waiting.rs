//! A million messages that wait: how long the start takes, how long looks take, and what retries cost beside them.
//!
//! `cargo bench -p batpost-queue` (`QUEUE_MESSAGES=N` for another number).
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::time::Instant;

use batpost_queue::{Envelope, Options, Origin, Outcome, Queue, Recipient};
use bytes::Bytes;
use disk::blob::Blob;
use events::Events;
use journal::Journal;
use shared::Address;
use shared::protocol::Page;

const MESSAGES: u64 = 1_000_000;
/// When all of them are due, in Unix seconds.
const LATER: i64 = 4_000_000_000;

fn open(dir: &Path) -> (Queue, f64) {
    let began = Instant::now();
    let disk = disk::RealDisk::shared();
    let (journal, replay) =
        Journal::open(disk.clone(), &dir.join("journal"), journal::Options::default()).unwrap();
    let options = Options {
        dir: dir.to_owned(),
        vfs: None,
        memory_max_bytes: 64 << 20,
    };
    let records: Vec<journal::Record> = replay.map(Result::unwrap).collect();
    let queue = Queue::open(disk, journal, &records, Events::none(), options).unwrap();
    (queue, began.elapsed().as_secs_f64())
}

fn envelope(to: &str) -> Envelope {
    Envelope {
        sender: Some(Address::parse("anna@here.test").unwrap()),
        recipients: vec![Recipient {
            address: Address::parse(to).unwrap(),
            notify: None,
            original: None,
        }],
        origin: Origin::Submission,
        user: None,
        smtputf8: false,
        eight_bit: false,
        require_tls: false,
        folder: None,
        return_full: None,
        envelope_id: None,
        session: 1,
        received: 1_700_000_000,
    }
}

async fn put_off(queue: &Queue, to: &str) {
    let text = Blob::Bytes(Bytes::from(vec![b'x'; 4096]));
    drop(queue.commit(envelope(to), text).await.unwrap());
    let job = queue.next().await.unwrap();
    let reply = "451 4.4.1 mx.else.test [192.0.2.1]: no answer in time".to_owned();
    let outcome = Outcome::PutOff {
        reply,
        at: Some(LATER),
    };
    queue.finish(job, vec![(0, outcome)]).await.unwrap();
}

/// Multiplies the one message that waits.
fn multiply(dir: &Path, count: u64) {
    let path = dir.join("waiting.db");
    let database = rusqlite::Connection::open(path).unwrap();
    database
        .execute_batch(&format!(
            "BEGIN;
             CREATE TEMP TABLE number (n INTEGER PRIMARY KEY);
             INSERT INTO number WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {count}) SELECT n FROM n;
             INSERT INTO message SELECT m.id + n, m.record, m.next_try + n % 100000, 0, m.received + n, m.size, 3,
                 'user' || n % 1000 || '@here.test', printf('%x user%d@here.test someone%d@else%d.test 451', m.id + n, n % 1000, n, n % 5000),
                 m.head, NULL FROM message m, number;
             INSERT INTO text SELECT t.id + n, t.text FROM text t, number;
             COMMIT;"
        ))
        .unwrap();
}

fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

async fn lists(queue: &Queue, count: u64) {
    let pages = [
        (
            "first page",
            Page {
                limit: 100,
                ..Page::default()
            },
        ),
        (
            "page in the middle",
            Page {
                limit: 100,
                offset: count / 2,
                ..Page::default()
            },
        ),
        (
            "by next try",
            Page {
                limit: 100,
                sort: "next_try".to_owned(),
                ..Page::default()
            },
        ),
        (
            "by sender",
            Page {
                limit: 100,
                sort: "sender".to_owned(),
                ..Page::default()
            },
        ),
        (
            "filtered",
            Page {
                limit: 100,
                filter: "someone77@".to_owned(),
                ..Page::default()
            },
        ),
    ];
    for (name, page) in pages {
        for round in ["cold", "warm"] {
            let began = Instant::now();
            let rows = queue.list(page.clone()).await.unwrap();
            println!(
                "{name}, {round}: {:.1} ms ({} of {})",
                began.elapsed().as_secs_f64() * 1e3,
                rows.rows.len(),
                rows.total
            );
        }
    }
}

#[tokio::main]
async fn main() {
    let count = std::env::var("QUEUE_MESSAGES").map_or(MESSAGES, |text| text.parse().expect("a number"));
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("queue");
    let (queue, _) = open(&dir);
    put_off(&queue, "x@else.test").await;
    queue.close().await;
    drop(queue);
    multiply(&dir, count);
    let before = resident_mib();
    let (queue, seconds) = open(&dir);
    println!(
        "start with {count} messages: {seconds:.3} s, {:.1} MiB more",
        resident_mib() - before
    );
    lists(&queue, count).await;
    let began = Instant::now();
    for number in 0..200 {
        put_off(&queue, &format!("new{number}@else.test")).await;
    }
    println!(
        "put off, one at a time: {:.2} ms each",
        began.elapsed().as_secs_f64() * 1e3 / 200.0
    );
    let looks = {
        let queue = queue.clone();
        tokio::spawn(async move {
            loop {
                let page = Page {
                    limit: 100,
                    filter: "nobody".to_owned(),
                    ..Page::default()
                };
                queue.list(page).await.unwrap();
            }
        })
    };
    let began = Instant::now();
    for number in 0..200 {
        put_off(&queue, &format!("again{number}@else.test")).await;
    }
    println!(
        "the same while somebody looks: {:.2} ms each",
        began.elapsed().as_secs_f64() * 1e3 / 200.0
    );
    looks.abort();
    println!("counted: {}", queue.counts().messages);
    queue.close().await;
}
