//! A search that asks the index finds what a search without it finds, whatever has happened to the index.

use std::ops::ControlFlow;

use wire::imap::{SearchKey, TextField};
use wire::message::searchable::{Scope, pieces};
use wire::message::{Message, casemap};

use super::damage::{codes, sql};
use super::search::{count, found};
use super::*;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

const WORDS: [&str; 24] = [
    "hello",
    "World",
    "СЧЁТ",
    "счета",
    "Привет",
    "мой",
    "Straße",
    "STRASSE",
    "été",
    "日本語",
    "テスト",
    "ガラス",
    "한국어",
    "ภาษาไทย",
    "😀",
    "a\u{301}\u{323}",
    "ﬁne",
    "１２３",
    "x-y_z",
    "user@example.test",
    "don't",
    "Ωμέγα",
    "ß",
    "0",
];
const CHARSETS: [(&str, &encoding_rs::Encoding); 8] = [
    ("utf-8", encoding_rs::UTF_8),
    ("koi8-r", encoding_rs::KOI8_R),
    ("windows-1251", encoding_rs::WINDOWS_1251),
    ("iso-2022-jp", encoding_rs::ISO_2022_JP),
    ("gb18030", encoding_rs::GB18030),
    ("big5", encoding_rs::BIG5),
    ("euc-kr", encoding_rs::EUC_KR),
    ("iso-8859-1", encoding_rs::WINDOWS_1252),
];

fn prose(random: &mut Random, words: usize) -> String {
    let mut text = String::new();
    for _ in 0..words {
        for _ in 0..=random.below(3) / 2 {
            text.push_str(random.pick(&WORDS));
        }
        text.push_str(random.pick(&[" ", " ", ", ", "\r\n", "-", "", ". "]));
    }
    if random.below(30) == 0 {
        text.push_str(&random.pick(&["Q1", "語", "Ж"]).repeat(50 + random.below(100)));
    }
    text
}

fn encoded(random: &mut Random, name: &str, encoding: &'static encoding_rs::Encoding, text: &str) -> Vec<u8> {
    let (bytes, _, _) = encoding.encode(text);
    let kind = random.pick(&["plain", "html"]);
    let mut part = format!("Content-Type: text/{kind}; charset={name}\r\n").into_bytes();
    if random.below(2) == 0 {
        part.extend_from_slice(b"Content-Transfer-Encoding: base64\r\n\r\n");
        part.extend_from_slice(wire::base64::encode(&bytes).as_bytes());
    } else {
        part.extend_from_slice(b"\r\n");
        part.extend_from_slice(&bytes);
    }
    part.extend_from_slice(b"\r\n");
    part
}

fn mail(random: &mut Random) -> Vec<u8> {
    let (name, encoding) = CHARSETS[random.below(CHARSETS.len())];
    let subject = prose(random, 3).replace("\r\n", " ");
    let subject = wire::base64::encode(&encoding.encode(&subject).0);
    let mut mail =
        format!("From: Ada <ada@example.test>\r\nSubject: =?{name}?b?{subject}?=\r\n").into_bytes();
    let words = 5 + random.below(40);
    let text = prose(random, words);
    if random.below(2) == 0 {
        mail.extend(encoded(random, name, encoding, &text));
        return mail;
    }
    mail.extend_from_slice(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n");
    mail.extend(encoded(random, name, encoding, &text));
    let file = prose(random, 1).replace(|char: char| !char.is_ascii_alphanumeric(), "_");
    mail.extend_from_slice(
        format!("--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename*=utf-8\'\'%D0%A1{file}.png\r\n\r\nAAAA\r\n").as_bytes(),
    );
    let nested = prose(random, 4);
    mail.extend_from_slice(
        format!("--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\n{nested}\r\n--b--\r\n")
            .as_bytes(),
    );
    mail
}

/// A part of a text that is there, or one that may be.
fn needle(random: &mut Random, mails: &[Vec<u8>]) -> String {
    if random.below(4) == 0 {
        let words = 1 + random.below(2);
        return prose(random, words);
    }
    let mail = &mails[random.below(mails.len())];
    let mut text = String::new();
    let _ = pieces(mail, &Message::parse(mail), Scope::All, &mut |piece| {
        text.push_str(piece);
        ControlFlow::Continue(())
    });
    let chars: Vec<char> = text.chars().collect();
    let most = if random.below(3) == 0 { 40 } else { 6 };
    let len = 1 + random.below(most);
    let from = random.below(chars.len());
    chars.iter().skip(from).take(len).collect()
}

fn key(field: TextField, needle: &str) -> SearchKey {
    SearchKey::Text(field, needle.to_owned())
}

/// With the index, and without.
async fn both(world: &World, owner: &Owner, key: &SearchKey) -> (Vec<Uid>, Vec<Uid>) {
    let with = found(owner, key.clone()).await;
    world.boxes.set_indexing(false);
    let without = found(owner, key.clone()).await;
    world.boxes.set_indexing(true);
    (with, without)
}

fn of(text: Vec<u8>) -> Append {
    Append {
        text: Blob::Bytes(Bytes::from(text)),
        ..append("")
    }
}

async fn agree(
    world: &World,
    owner: &Owner,
    random: &mut Random,
    mails: &[Vec<u8>],
    needles: usize,
    seed: u64,
) {
    let mut hits = 0;
    for _ in 0..needles {
        let needle = needle(random, mails);
        for field in [TextField::Body, TextField::Text] {
            let (with, without) = both(world, owner, &key(field.clone(), &needle)).await;
            assert_eq!(with, without, "seed {seed}: {field:?} {needle:?}");
            hits += with.len();
        }
        let not = SearchKey::Not(Box::new(SearchKey::Or(
            Box::new(key(TextField::Body, &needle)),
            Box::new(key(TextField::Text, "счёт")),
        )));
        let (with, without) = both(world, owner, &not).await;
        assert_eq!(with, without, "seed {seed}: not {needle:?}");
    }
    assert!(hits > needles / 2, "seed {seed}: the needles are found");
}

#[test]
fn a_search_with_an_index_finds_what_one_without_finds() {
    let seeds = match std::env::var("INDEX_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => vec![1, 2],
    };
    for seed in seeds {
        println!("seed {seed}");
        let dir = tempfile::tempdir().unwrap();
        runtime().block_on(async {
            let mut random = Random(seed);
            let world = World::real(dir.path());
            world.boxes.handle.core.index.by_hand();
            let owner = world.boxes.owner(ALICE);
            let inbox = owner.folder("INBOX").await.unwrap().id;
            let mut mails = Vec::new();
            // Indexed in several steps, with something expunged between them, and the last not at all.
            for step in 0..5 {
                let new: Vec<Vec<u8>> = (0..12).map(|_| mail(&mut random)).collect();
                owner
                    .append(inbox, new.iter().cloned().map(of).collect())
                    .await
                    .unwrap();
                mails.extend(new);
                if step < 4 {
                    owner.index().await.unwrap();
                }
                let gone = (0..2)
                    .map(|_| 1 + random.below(mails.len()) as Uid)
                    .collect::<std::collections::BTreeSet<_>>();
                owner
                    .remove_messages(inbox, &gone.into_iter().collect::<Vec<_>>())
                    .await
                    .unwrap();
            }
            agree(&world, &owner, &mut random, &mails, 25, seed).await;
            owner.index().await.unwrap();
            agree(&world, &owner, &mut random, &mails, 25, seed).await;
            assert_eq!(owner.check(false).await.unwrap().problems, []);
            world.close().await;
        });
    }
}

/// Compared with the folded text itself, which is put together in another way.
#[test]
fn what_is_found_is_in_the_text() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        world.boxes.handle.core.index.by_hand();
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        let bodies = [
            "Hello World",
            "ПРИВЕТ, мир",
            "Straße",
            "日本語のテスト",
            "a\u{323}\u{301}",
            "ｶﾞラス",
            "😀😁",
            "мой",
            "e\u{301}te\u{301}",
            "x",
            "no\r\nbreak",
            "under_score",
            "한국어",
        ];
        let mails = bodies.map(|body| {
            of(format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n").into_bytes())
        });
        owner.append(inbox, mails.to_vec()).await.unwrap();
        for round in 0..2 {
            for needle in [
                "hello",
                "LO WOR",
                "o",
                "привет",
                "ПРИВЕТ, М",
                "strasse",
                "ß",
                "日本",
                "本語の",
                "語",
                "テ",
                "ạ\u{301}",
                "ガ",
                "😁",
                "😀😁",
                "мои",
                "été",
                "ÉTÉ",
                "o\r\nb",
                "r_s",
                "_",
                "국",
                "국어",
                "zz",
                "x",
                "ll",
            ] {
                let folded = casemap::casemap(needle);
                let expected: Vec<Uid> = (1..)
                    .zip(bodies)
                    .filter(|(_, body)| casemap::casemap(body).contains(&folded))
                    .map(|(uid, _)| uid)
                    .collect();
                assert_eq!(
                    found(&owner, key(TextField::Body, needle)).await,
                    expected,
                    "round {round}: {needle}"
                );
            }
            owner.index().await.unwrap();
        }
        world.close().await;
    });
}

#[test]
fn the_index_follows_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        world.boxes.handle.core.index.by_hand();
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        for part in 0..40 {
            let mails = (0..10).map(|number| append(&format!("number{}", part * 10 + number)));
            owner.append(inbox, mails.collect()).await.unwrap();
            owner.index().await.unwrap();
        }
        assert!(count(&owner, "ix_segment").await < 16);
        assert_eq!(found(&owner, key(TextField::Body, "number399")).await, [400]);
        let most: Vec<Uid> = (1..=390).collect();
        owner.remove_messages(inbox, &most).await.unwrap();
        assert_eq!(count(&owner, "ix_gone").await, 390);
        owner.index().await.unwrap();
        assert!(
            count(&owner, "ix_gone").await < 100,
            "what is gone goes from the index"
        );
        assert_eq!(
            found(&owner, key(TextField::Text, "number39")).await,
            (391..=400).collect::<Vec<_>>()
        );
        sql(&owner, "UPDATE ix_lists SET data = x'0705'").await;
        assert_eq!(
            codes(&owner, true).await,
            [("mailbox-index-damaged".to_owned(), true)]
        );
        assert!(count(&owner, "ix_segment").await > 0, "it was made anew");
        assert_eq!(owner.check(false).await.unwrap().problems, []);
        assert_eq!(found(&owner, key(TextField::Body, "number399")).await, [400]);
        world.close().await;
    });
}

/// Indexing that is broken off anywhere goes on; a search in between is right.
#[test]
fn a_power_cut_while_texts_are_indexed_loses_nothing() {
    let mut done = 0;
    for trial in 0..24 {
        let disk = SimDisk::new(trial);
        runtime().block_on(async {
            let world = World::simulated(&disk, &format!("index-{trial}")).unwrap();
            let owner = world.boxes.owner(ALICE);
            let inbox = owner.folder("INBOX").await.unwrap().id;
            for part in 0..3 {
                let mails = (0..80).map(|number| append(&format!("number{}x", part * 80 + number)));
                owner.append(inbox, mails.collect()).await.unwrap();
            }
            disk.crash_at(disk.steps() + 1 + trial * 7);
            done += u32::from(owner.index().await.is_ok());
            disk.power_cut();
        });
        let disk = disk.restart();
        runtime().block_on(async {
            let world = World::simulated(&disk, &format!("index-{trial}-again")).unwrap();
            let owner = world.boxes.owner(ALICE);
            for round in 0..2 {
                let (with, without) = both(&world, &owner, &key(TextField::Body, "number1")).await;
                assert_eq!(with, without, "{trial} {round}");
                assert_eq!(with.len(), 111);
                owner.index().await.unwrap();
                assert_eq!(owner.check(false).await.unwrap().problems, []);
            }
            world.close().await;
        });
    }
    assert!(done < 24, "some were broken off");
}
