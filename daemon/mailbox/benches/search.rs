//! What searches cost with and without an index, and what the index costs: `cargo bench -p batpost-mailbox --bench search [MESSAGES]`.
//! Words are drawn from 4,000, early ones far more often, as in the load generator's messages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;

use batpost_mailbox::{Append, Flags, FolderId, Mailboxes, Options, Owner, OwnerId};
use bytes::Bytes;
use disk::RealDisk;
use disk::blob::Blob;
use events::Events;
use journal::Journal;
use wire::imap::{SearchKey, TextField};

const MESSAGES: usize = 10_000;
const TEXTS: usize = 500;
const TEXT_BYTES: usize = 4096;
const STARTS: [&str; 16] = [
    "b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "st", "tr", "pl",
];
const ENDS: [&str; 12] = ["a", "e", "i", "o", "u", "an", "er", "in", "on", "us", "al", "ek"];

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as usize % limit
    }
}

fn words(random: &mut Random) -> Vec<String> {
    let mut word = || {
        let syllables = 1 + random.below(2) + random.below(3);
        (0..syllables)
            .map(|_| [STARTS[random.below(STARTS.len())], ENDS[random.below(ENDS.len())]].concat())
            .collect()
    };
    (0..4000).map(|_| word()).collect()
}

fn text(random: &mut Random, words: &[String]) -> String {
    let mut pick = || {
        let limit = random.below(words.len()) + 1;
        let limit = random.below(limit) + 1;
        words[random.below(limit)].as_str()
    };
    let mut text = format!(
        "From: \"{} {}\" <{}@example.test>\r\nTo: bob@example.test\r\nSubject: {} {} {}\r\nDate: 17 Jul 2025 02:23:25 +0000\r\n\
         Content-Type: text/plain; charset=utf-8\r\n",
        pick(),
        pick(),
        pick(),
        pick(),
        pick(),
        pick()
    );
    text.push_str("\r\n");
    while text.len() < TEXT_BYTES {
        text.push_str(pick());
        text.push_str(if text.len() % 70 < 5 { "\r\n" } else { " " });
    }
    text
}

async fn fill(owner: &Owner, folder: FolderId, texts: &[String], messages: usize) {
    for first in (0..messages).step_by(100) {
        let append = |number: usize| Append {
            text: Blob::Bytes(Bytes::from(format!(
                "Message-ID: <{number}.{:x}@load.example.test>\r\n{}",
                number * 7919,
                texts[number % texts.len()]
            ))),
            flags: Flags::NONE,
            keywords: Vec::new(),
            received: (0, 0),
            quota_bytes: None,
        };
        let messages = (first..(first + 100).min(messages)).map(append).collect();
        owner.append(folder, messages).await.unwrap();
    }
}

/// One round of searches: milliseconds of one, and messages a second.
async fn round(owner: &Owner, folder: FolderId, what: &str, messages: usize, keys: &[SearchKey]) {
    let began = Instant::now();
    let mut hits = 0;
    for key in keys {
        hits += owner
            .search(folder, Arc::new(key.clone()), 0)
            .await
            .unwrap()
            .len();
    }
    let each = began.elapsed().as_secs_f64() / keys.len() as f64;
    println!(
        "{what:44} {:9.3} ms each, {:11.0} messages/s, {} hits each",
        each * 1e3,
        messages as f64 / each,
        hits / keys.len()
    );
}

async fn measure(boxes: &Mailboxes, messages: usize) {
    let mut random = Random(42);
    let words = words(&mut random);
    let texts: Vec<String> = (0..TEXTS).map(|_| text(&mut random, &words)).collect();
    let owner = boxes.owner(OwnerId(1));
    let folder = owner.folder("INBOX").await.unwrap().id;
    fill(&owner, folder, &texts, messages).await;
    let long: Vec<&String> = words.iter().filter(|word| word.len() >= 6).collect();
    let keys = |field: TextField, count: usize, with: &str| -> Vec<SearchKey> {
        let words = long.iter().step_by(long.len() / count).take(count);
        words
            .map(|word| SearchKey::Text(field.clone(), format!("{word}{with}")))
            .collect()
    };
    let from = || TextField::Header("FROM".to_owned());
    boxes.set_indexing(false);
    round(
        &owner,
        folder,
        "FROM, the first time",
        messages,
        &keys(from(), 1, ""),
    )
    .await;
    round(&owner, folder, "FROM", messages, &keys(from(), 50, "")).await;
    round(
        &owner,
        folder,
        "BODY without index",
        messages,
        &keys(TextField::Body, 4, ""),
    )
    .await;
    round(
        &owner,
        folder,
        "BODY without index, in none",
        messages,
        &keys(TextField::Body, 4, "qq"),
    )
    .await;
    boxes.set_indexing(true);
    let began = Instant::now();
    owner.index().await.unwrap();
    let micros = began.elapsed().as_secs_f64() * 1e6 / messages as f64;
    println!("{:44} {micros:9.1} µs a message", "indexing");
    round(&owner, folder, "BODY", messages, &keys(TextField::Body, 50, "")).await;
    round(
        &owner,
        folder,
        "BODY, in none",
        messages,
        &keys(TextField::Body, 50, "qq"),
    )
    .await;
    round(&owner, folder, "TEXT", messages, &keys(TextField::Text, 50, "")).await;
    let two: Vec<SearchKey> = (1..20)
        .map(|number| {
            SearchKey::Text(
                TextField::Body,
                format!("{} {}", words[number], words[number + 1]),
            )
        })
        .collect();
    round(&owner, folder, "BODY of two words", messages, &two).await;
    let letters = ["st", "a", "q"].map(|text| SearchKey::Text(TextField::Body, text.to_owned()));
    round(&owner, folder, "BODY of one or two letters", messages, &letters).await;
}

fn main() {
    let messages = std::env::args().find_map(|argument| argument.parse().ok());
    let dir = tempfile::tempdir().unwrap();
    let disk = RealDisk::shared();
    let queue = dir.path().join("queue");
    let (journal, replay) = Journal::open(Arc::clone(&disk), &queue, journal::Options::default()).unwrap();
    let options = Options {
        epoch: replay.epoch,
        ..Options::new(dir.path().join("mail"))
    };
    let boxes = Mailboxes::open(disk, journal.clone(), &[], Events::none(), options).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        measure(&boxes, messages.unwrap_or(MESSAGES)).await;
        boxes.close().await;
    });
    journal.close().unwrap();
}
