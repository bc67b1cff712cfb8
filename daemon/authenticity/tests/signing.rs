//! What this room signs, it and others can verify. With `DKIM_OUT=DIR` set the messages are left there for another implementation.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use batpost_authenticity::{Algorithm, KeyFault, Outcome, Reading, Secret, Signing, SigningKey, Spf};
use dns::{Dns, Scripted};
use shared::DomainName;
use tokio::time::Instant;

const TEXT: &str = "Received: from x\r\nFrom: Ann <ann@signer.test>\r\nTo: bob@else.test\r\nTo: twice@else.test\r\nSubject: Folded\r\n  subject\r\n\
    Content-Type: text/plain\r\n\r\n Leading,  two  spaces \r\n\r\n.dot\r\nlast line\r\n\r\n\r\n";

/// The text with its signatures, and DNS with the keys.
fn signed(keys: &[(&str, Secret)], text: &str) -> (String, Scripted) {
    let domain = DomainName::parse("signer.test").unwrap();
    let open: Arc<[SigningKey]> = keys
        .iter()
        .map(|(selector, secret)| SigningKey::open(&domain, selector, &secret.private).unwrap())
        .collect();
    let table = keys.iter().fold(Scripted::new(), |table, (selector, secret)| {
        table.with_txt(&format!("{selector}._domainkey.signer.test"), &secret.record)
    });
    let header = text.find("\r\n\r\n").unwrap() + 4;
    let mut signing = Signing::new(&text.as_bytes()[..header], open);
    for piece in text.as_bytes()[header..].chunks(5) {
        signing.feed(piece);
    }
    let fields = String::from_utf8(signing.finish(1_795_874_885)).unwrap();
    (fields + text, table)
}

async fn results(text: &str, table: Scripted) -> Vec<Outcome> {
    let reading = Reading::new(text.as_bytes(), "mx.here.test");
    let deadline = Instant::now() + Duration::from_mins(1);
    let results = reading
        .finish(&Dns::scripted(table), Spf::default(), deadline)
        .await;
    results.dkim.iter().map(|dkim| dkim.result).collect()
}

fn both() -> Vec<(&'static str, Secret)> {
    vec![
        ("r", Secret::generate(Algorithm::RsaSha256).unwrap()),
        ("e", Secret::generate(Algorithm::Ed25519Sha256).unwrap()),
    ]
}

/// Other servers would take our users' mail for forged.
#[tokio::test]
async fn signatures_hold_until_somebody_changes_what_they_cover() {
    let keys = both();
    let (text, table) = signed(&keys, TEXT);
    if let Ok(dir) = std::env::var("DKIM_OUT") {
        let record = |(selector, secret): &(&str, Secret)| {
            format!("{selector}._domainkey.signer.test {}\n", secret.record)
        };
        std::fs::write(format!("{dir}/signed.eml"), &text).unwrap();
        std::fs::write(
            format!("{dir}/keys.txt"),
            keys.iter().map(record).collect::<String>(),
        )
        .unwrap();
    }
    assert!(text.lines().all(|line| line.len() <= 78), "{text}");
    assert_eq!(results(&text, table.clone()).await, [Outcome::Pass; 2]);
    for (from, to) in [
        ("last line", "lost line"),
        ("Subject: Folded", "Subject: Other"),
        // A second one on top, or one where there was none.
        ("From: Ann", "From: evil@else.test\r\nFrom: Ann"),
        ("Subject: Folded", "Subject: x\r\nSubject: Folded"),
        ("Content-Type", "Date: today\r\nContent-Type"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_eq!(results(&changed, table.clone()).await, [Outcome::Fail; 2], "{to}");
    }
    let traced = format!(
        "Received: from us\r\n{}",
        text.replace("Folded\r\n  subject", "Folded  subject ")
    );
    assert_eq!(
        results(&traced, table).await,
        [Outcome::Pass; 2],
        "a server on the way"
    );
}

#[tokio::test]
async fn a_message_without_a_body_is_signed() {
    let (text, table) = signed(&both(), "From: ann@signer.test\r\n\r\n");
    assert_eq!(results(&text, table).await, [Outcome::Pass; 2]);
}

/// Keys of another server would have to be given up, and with them the records in DNS.
#[tokio::test]
async fn keys_of_other_programs_are_taken_from_pem() {
    for (pem, algorithm) in [
        (include_str!("keys/rsa-pkcs1.pem"), Algorithm::RsaSha256),
        (include_str!("keys/rsa-pkcs8.pem"), Algorithm::RsaSha256),
        (include_str!("keys/ed25519.pem"), Algorithm::Ed25519Sha256),
    ] {
        let secret = Secret::from_pem(pem).unwrap();
        assert_eq!(secret.algorithm, algorithm);
        let (text, table) = signed(&[("k", secret)], TEXT);
        assert_eq!(results(&text, table).await, [Outcome::Pass]);
    }
    for bad in [
        "",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        include_str!("keys/rsa-1024.pem"),
    ] {
        assert_eq!(Secret::from_pem(bad).err(), Some(KeyFault::Unreadable));
    }
}
