//! SORT against a plain comparison of what the headers say; what is kept of headers goes with the texts.
#![allow(clippy::format_push_string)]

use std::cmp::Ordering;

use wire::imap::{SortKey, ThreadAlgorithm};
use wire::message::Order;

use super::*;

const SUBJECTS: [&str; 8] = [
    "",
    "one",
    "Re: One",
    "[list] two",
    "=?koi8-r?B?8NLJ18XU?=",
    "Fwd: =?utf-8?B?0L/RgNC40LLQtdGC?= (fwd)",
    "=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=",
    "\u{e9}t\u{e9}",
];
const ADDRESSES: [&str; 6] = [
    "",
    "anna@x.test",
    "Zoe <anna@y.test>",
    "=?utf-8?B?0JDQvdC90LA=?= <b@x.test>",
    "group: b@x.test;",
    "\"B C\" <B@x.test>",
];
const KEYS: [SortKey; 9] = [
    SortKey::Arrival,
    SortKey::Cc,
    SortKey::Date,
    SortKey::From,
    SortKey::Size,
    SortKey::Subject,
    SortKey::To,
    SortKey::DisplayFrom,
    SortKey::DisplayTo,
];

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn mail(&mut self) -> Append {
        let mut text = String::new();
        for (name, values) in [
            ("Subject", &SUBJECTS[..]),
            ("From", &ADDRESSES),
            ("To", &ADDRESSES),
            ("Cc", &ADDRESSES),
        ] {
            if self.below(5) > 0 {
                text += &format!("{name}: {}\r\n", values[self.below(values.len())]);
            }
        }
        if self.below(3) > 0 {
            text += &format!(
                "Date: {} Jan 2024 10:00:00 +0{}00\r\n",
                1 + self.below(3),
                self.below(3)
            );
        }
        text += "\r\n";
        text += &"x".repeat(self.below(4));
        if self.below(20) == 0 {
            text += &"large ".repeat(20_000);
        }
        Append {
            text: Blob::Bytes(Bytes::from(text)),
            received: (1_704_100_000 + 40_000 * self.below(5) as i64, 0),
            ..append("")
        }
    }
}

/// A message as the header says it is.
struct Plain {
    uid: Uid,
    received: i64,
    size: u64,
    order: Order,
}

fn compare(a: &Plain, b: &Plain, keys: &[(SortKey, bool)]) -> Ordering {
    for (key, reverse) in keys {
        let (x, y) = (&a.order, &b.order);
        let ordering = match key {
            SortKey::Arrival => a.received.cmp(&b.received),
            SortKey::Cc => x.cc.cmp(&y.cc),
            SortKey::Date => x.sent.unwrap_or(a.received).cmp(&y.sent.unwrap_or(b.received)),
            SortKey::From => x.from.cmp(&y.from),
            SortKey::Size => a.size.cmp(&b.size),
            SortKey::Subject => x.subject.cmp(&y.subject),
            SortKey::To => x.to.cmp(&y.to),
            SortKey::DisplayFrom => x.display_from.cmp(&y.display_from),
            SortKey::DisplayTo => x.display_to.cmp(&y.display_to),
        };
        let ordering = if *reverse { ordering.reverse() } else { ordering };
        if ordering.is_ne() {
            return ordering;
        }
    }
    a.uid.cmp(&b.uid)
}

fn rows_of_keys(dir: &Path) -> i64 {
    let conn = database(dir, ALICE);
    conn.query_row("SELECT count(*) FROM order_key", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn sorted_as_by_a_plain_comparison() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random(0x1234_5678_9abc_def1);
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        let mails: Vec<Append> = (0..300).map(|_| random.mail()).collect();
        let mut plain = Vec::new();
        for mails in mails.chunks(50) {
            let appended = owner.append(inbox, mails.to_vec()).await.unwrap();
            for (mail, appended) in mails.iter().zip(appended) {
                let Blob::Bytes(text) = &mail.text else {
                    unreachable!()
                };
                plain.push(Plain {
                    uid: appended.uid,
                    received: mail.received.0,
                    size: text.len() as u64,
                    order: Order::of(text),
                });
            }
        }
        for _ in 0..200 {
            let keys: Vec<(SortKey, bool)> = (0..=random.below(3))
                .map(|_| (KEYS[random.below(KEYS.len())], random.below(2) == 0))
                .collect();
            let mut expected: Vec<&Plain> = plain.iter().filter(|_| random.below(4) > 0).collect();
            let uids: Vec<Uid> = expected.iter().map(|message| message.uid).collect();
            expected.sort_by(|a, b| compare(a, b, &keys));
            let expected: Vec<Uid> = expected.iter().map(|message| message.uid).collect();
            let found = owner.sort(inbox, uids.clone(), keys.clone()).await.unwrap();
            assert_eq!(found, expected, "{keys:?}");

            // Put in one after the other they stand where they stand.
            let (new, old): (Vec<Uid>, Vec<Uid>) = uids.iter().partition(|_| random.below(10) == 0);
            let mut sorted = owner.sort(inbox, old, keys.clone()).await.unwrap();
            let places = owner
                .sort_into(inbox, sorted.clone(), new, keys.clone())
                .await
                .unwrap();
            for (place, uid) in places {
                sorted.insert(place, uid);
            }
            assert_eq!(sorted, expected, "{keys:?}");
        }
        world.close().await;
    });
}

#[test]
fn what_is_kept_of_headers_goes_with_them() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        owner
            .append(inbox, vec![append("b"), append("a"), append("c")])
            .await
            .unwrap();
        let subject = vec![(SortKey::Subject, false)];
        // UIDs that are not there are passed over.
        let found = owner
            .sort(inbox, vec![1, 2, 3, 4, 100], subject.clone())
            .await
            .unwrap();
        assert_eq!(found, [2, 1, 3]);
        for none in [vec![9], Vec::new()] {
            assert!(owner.sort(inbox, none, subject.clone()).await.unwrap().is_empty());
        }
        owner.remove_messages(inbox, &[2]).await.unwrap();
        world.close().await;
        assert_eq!(rows_of_keys(dir.path()), 2);

        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        owner.append(inbox, vec![append("Re: b")]).await.unwrap();
        let nodes = owner
            .thread(inbox, vec![1, 2, 3, 4], ThreadAlgorithm::References)
            .await
            .unwrap();
        let shown: Vec<_> = nodes.iter().map(|node| (node.uid, node.children)).collect();
        assert_eq!(shown, [(Some(1), 1), (Some(4), 0), (Some(3), 0)]);
        // What has gone meanwhile has no place in a sorted list, and does no harm in it.
        owner.remove_messages(inbox, &[1]).await.unwrap();
        let places = owner
            .sort_into(inbox, vec![1, 3], vec![2, 4], subject)
            .await
            .unwrap();
        assert_eq!(places, [(0, 4)]);
        world.close().await;
        assert_eq!(rows_of_keys(dir.path()), 2);
    });
}
