use authenticity::{Algorithm, Outcome, Reading, Secret, Spf};
use shared::model::DkimKey;
use tokio::time::Instant;

use super::fake::{Fake, Manner};
use super::*;

const FROM_ANN: &str =
    "Return-Path: <ann@example.test>\r\nFrom: ann@example.test\r\nSubject: hello\r\n\r\n.dot\r\nend\r\n";

impl House {
    /// A key of `example.test`; gives the record that publishes it.
    pub(super) async fn add_key(&self, selector: &str, algorithm: Algorithm, active: bool) -> String {
        let secret = Secret::generate(algorithm).unwrap();
        let key = DkimKey {
            domain: domain("example.test"),
            selector: selector.to_owned(),
            algorithm: "x".to_owned(),
            active,
            created: 1,
            record_name: format!("{selector}._domainkey.example.test"),
            record: secret.record.clone(),
            revision: 0,
        };
        let directory = &self.parts.directory;
        directory.add_dkim_key(key, secret.private, "test").await.unwrap();
        secret.record
    }
}

/// Whose signatures stand on a text that left, and whether they hold.
pub(super) async fn signatures(text: &str, keys: &[(&str, &str)]) -> Vec<(String, Outcome)> {
    let table = keys.iter().fold(Scripted::new(), |table, (selector, record)| {
        table.with_txt(&format!("{selector}._domainkey.example.test"), record)
    });
    let reading = Reading::new(text.as_bytes(), "else.test");
    let deadline = Instant::now() + PATIENCE;
    let results = reading
        .finish(&Dns::scripted(table), Spf::default(), deadline)
        .await;
    let told = results.dkim.into_iter().map(|dkim| (dkim.selector, dkim.result));
    told.collect()
}

/// Other servers would take our users' mail for forged.
#[tokio::test(flavor = "multi_thread")]
async fn mail_of_our_users_leaves_with_the_signatures_of_their_domain() {
    let fake = Fake::start(Manner {
        offers: &["SIZE 1000000"],
        ..Manner::default()
    })
    .await;
    let house = House::with_remote(fake.address).await;
    let rsa = house.add_key("r", Algorithm::RsaSha256, true).await;
    let ed = house.add_key("e", Algorithm::Ed25519Sha256, true).await;
    let off = house.add_key("off", Algorithm::Ed25519Sha256, false).await;
    let keys = [("r", rsa.as_str()), ("e", &ed), ("off", &off)];
    let large = FROM_ANN.to_owned() + &"a longer line of the text\r\n".repeat(20_000);
    for text in [FROM_ANN, &large] {
        house.send(&["a@remote.test", "b@remote.test"], text).await;
        house.until_empty().await;
        let sent = fake.texts().pop().unwrap();
        assert!(
            text.ends_with(sent.split_once("From: ").unwrap().1),
            "the text as it was"
        );
        let expected = [("e".to_owned(), Outcome::Pass), ("r".to_owned(), Outcome::Pass)];
        let mut found = signatures(&sent, &keys).await;
        found.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(found, expected);
        let size = fake.lines().iter().rev().find_map(|line| {
            let (_, size) = line.split_once(" SIZE=")?;
            size.parse::<usize>().ok()
        });
        assert_eq!(size, Some(sent.len()), "the size that was told");
    }
    house
        .parts
        .directory
        .set_dkim_key(&domain("example.test"), "r", false, "test")
        .await
        .unwrap();
    let sent_with = async || {
        house.send(&["a@remote.test"], FROM_ANN).await;
        house.until_empty().await;
        signatures(&fake.texts().pop().unwrap(), &keys).await
    };
    // The change is told to the service, which may come a moment later than the next message.
    while sent_with().await != [("e".to_owned(), Outcome::Pass)] {}
}

/// A signature on forged mail would vouch for it.
#[tokio::test(flavor = "multi_thread")]
async fn what_others_wrote_is_not_signed() {
    let fake = Fake::start(Manner::default()).await;
    let house = House::with_remote(fake.address).await;
    house.add_key("e", Algorithm::Ed25519Sha256, true).await;
    let from_outside = Envelope {
        origin: Origin::Smtp,
        ..envelope(&["a@remote.test"])
    };
    house.send_as(from_outside, FROM_ANN).await;
    house.until_empty().await;
    let others = FROM_ANN.replace("From: ann@example.test", "From: x@else.test");
    house.send(&["a@remote.test"], &others).await;
    house.until_empty().await;
    let two = FROM_ANN.replace("From: ann@example.test", "From: ann@example.test, x@else.test");
    house.send(&["a@remote.test"], &two).await;
    house.until_empty().await;
    assert_eq!(fake.texts().len(), 3);
    assert!(!fake.texts().concat().contains("DKIM-Signature"));
    // A server's own name is below the domain that it serves.
    let below = FROM_ANN.replace("From: ann@", "From: mailer-daemon@mx.");
    house.send(&["a@remote.test"], &below).await;
    house.until_empty().await;
    assert!(fake.texts()[3].starts_with("DKIM-Signature: v=1; a=ed25519-sha256;"));
}
