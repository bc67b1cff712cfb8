//! What this room seals, it and others can verify. With `ARC_OUT=DIR` set the messages are left there for another implementation.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use batpost_authenticity::{Algorithm, Outcome, Reading, Results, Sealing, Secret, SigningKey, Spf};
use dns::{Dns, Scripted};
use shared::DomainName;
use tokio::time::Instant;

const TEXT: &str = include_str!("vectors/relaxed-rsa.eml");
const CHAIN: &str = include_str!("vectors/arc-2.eml");
const KEYS: &str = include_str!("vectors/keys.txt");

struct World {
    table: Scripted,
    keys: Arc<[SigningKey]>,
}

impl World {
    fn new(algorithm: Algorithm) -> Self {
        let domain = DomainName::parse("here.test").unwrap();
        let secret = Secret::generate(algorithm).unwrap();
        let table = KEYS
            .lines()
            .map(|line| line.split_once(' ').unwrap())
            .chain([("s._domainkey.here.test", secret.record.as_str())])
            .fold(Scripted::new(), |table, (name, text)| table.with_txt(name, text));
        if let Ok(dir) = std::env::var("ARC_OUT") {
            let keys = format!("{KEYS}s._domainkey.here.test {}\n", secret.record);
            std::fs::write(format!("{dir}/{}.keys", algorithm.name()), keys).unwrap();
        }
        let key = SigningKey::open(&domain, "s", &secret.private).unwrap();
        Self {
            table,
            keys: Arc::from([key]),
        }
    }

    async fn results(&self, text: &str) -> Results {
        let reading = Reading::new(text.as_bytes(), "mx.here.test");
        let deadline = Instant::now() + Duration::from_mins(1);
        reading
            .finish(&Dns::scripted(self.table.clone()), Spf::default(), deadline)
            .await
    }

    /// Takes a message in and hands it on, sealed; `None`: it is not sealed.
    async fn pass(&self, text: &str) -> Option<String> {
        let text = self.results(text).await.field("mx.here.test") + "Received: from x\r\n" + text;
        let header = text.find("\r\n\r\n").unwrap() + 4;
        let mut sealing = Sealing::new(&text.as_bytes()[..header], "mx.here.test", self.keys.clone())?;
        for piece in text.as_bytes()[header..].chunks(9) {
            sealing.feed(piece);
        }
        let fields = String::from_utf8(sealing.finish(1_795_874_885)?).unwrap();
        Some(fields + "Delivered-To: b@here.test\r\n" + &text)
    }
}

/// Whoever gets forwarded mail would not learn that it was good when it came.
#[tokio::test]
async fn chains_are_begun_and_continued() {
    let world = World::new(Algorithm::RsaSha256);
    for (text, len) in [(TEXT, 1), (CHAIN, 3)] {
        let sealed = world.pass(text).await.unwrap();
        if let Ok(dir) = std::env::var("ARC_OUT") {
            std::fs::write(format!("{dir}/{len}.eml"), &sealed).unwrap();
        }
        let results = world.results(&sealed).await;
        assert_eq!((results.arc.result, results.arc.len), (Outcome::Pass, len));
        assert_eq!(results.arc.signer.unwrap().as_str(), "here.test");
        assert!(sealed.contains(&format!(
            "ARC-Authentication-Results: i={len}; mx.here.test;\r\n\tspf=none"
        )));
        assert!(sealed.contains("\tdkim=pass header.d=signer.test"));
        // Through this server once more.
        let again = world.pass(&sealed).await.unwrap();
        assert_eq!(world.results(&again).await.arc.len, len + 1);
        let changed = sealed.replace("last line", "lost line");
        assert_eq!(world.results(&changed).await.arc.result, Outcome::Fail);
    }
}

/// This server's word would stand for what it never looked at.
#[tokio::test]
async fn broken_chains_and_unchecked_mail_are_not_sealed() {
    let world = World::new(Algorithm::Ed25519Sha256);
    assert!(
        world
            .pass(&CHAIN.replace("last line", "lost line"))
            .await
            .is_none()
    );
    let keys = || world.keys.clone();
    assert!(Sealing::new(TEXT.as_bytes(), "mx.here.test", keys()).is_none());
    let others = format!("Authentication-Results: mx.else.test;\r\n\tspf=pass\r\n{TEXT}");
    assert!(Sealing::new(others.as_bytes(), "mx.here.test", keys()).is_none());
    let below = format!("Received: x\r\nAuthentication-Results: mx.here.test;\r\n\tspf=pass\r\n{TEXT}");
    assert!(Sealing::new(below.as_bytes(), "mx.here.test", keys()).is_none());
}
