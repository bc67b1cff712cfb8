//! Messages that another implementation signed and sealed (dkimpy), with the keys that it used, as this room sees them.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::time::Duration;

use batpost_authenticity::{Outcome, Reading, Results, Spf};
use dns::{Dns, Scripted};
use shared::{Address, DomainName};
use tokio::time::Instant;

fn vector(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(name);
    std::fs::read_to_string(path).unwrap()
}

/// DNS with the keys, and more records.
fn table(more: &[(&str, &str)]) -> Scripted {
    let keys = vector("keys.txt");
    let keys = keys.lines().map(|line| line.split_once(' ').unwrap());
    keys.chain(more.iter().copied())
        .fold(Scripted::new(), |table, (name, text)| table.with_txt(name, text))
}

async fn read(table: Scripted, text: &str, spf: Spf) -> Results {
    let header = text.find("\r\n\r\n").unwrap() + 4;
    let mut reading = Reading::new(&text.as_bytes()[..(header + 5).min(text.len())], "mx.here.test");
    // However it is cut.
    for piece in text.as_bytes()[(header + 5).min(text.len())..].chunks(7) {
        reading.feed(piece);
    }
    let deadline = Instant::now() + Duration::from_mins(1);
    reading.finish(&Dns::scripted(table), spf, deadline).await
}

fn domain(name: &str) -> DomainName {
    DomainName::parse(name).unwrap()
}

/// Mail of honest senders would count as forged.
#[tokio::test]
async fn signatures_of_others_hold_and_break_with_the_text() {
    for name in ["simple", "relaxed", "mixed"] {
        for algorithm in ["rsa", "ed25519"] {
            let text = vector(&format!("{name}-{algorithm}.eml"));
            let results = read(table(&[]), &text, Spf::default()).await;
            let found: Vec<_> = results
                .dkim
                .iter()
                .map(|dkim| (dkim.result, dkim.reason))
                .collect();
            assert_eq!(found, [(Outcome::Pass, "")], "{name} {algorithm}");
            assert_eq!(
                results.signers().collect::<Vec<_>>(),
                [&domain("signer.test")],
                "{name} {algorithm}"
            );
            for (from, to, reason) in [
                ("last line", "lost line", "body hash does not fit"),
                ("Subject: A", "Subject: B", "signature does not fit"),
                ("From: Ann", "From: Bob", "signature does not fit"),
                ("b=", "b=AAAA", "signature does not fit"),
            ] {
                let text = text.replacen(from, to, 1);
                let results = read(table(&[]), &text, Spf::default()).await;
                let found = (results.dkim[0].result, results.dkim[0].reason);
                assert_eq!(found, (Outcome::Fail, reason), "{name} {algorithm} {from}");
            }
        }
    }
}

/// Lines added below a signed length are allowed by the signer; what the signature says of itself is not.
#[tokio::test]
async fn a_signed_length_leaves_the_rest_open() {
    let text = vector("mixed-rsa.eml") + "an advertisement\r\n";
    let results = read(table(&[]), &text, Spf::default()).await;
    assert_eq!(results.dkim[0].result, Outcome::Pass);
    let text = vector("relaxed-rsa.eml") + "an advertisement\r\n";
    let results = read(table(&[]), &text, Spf::default()).await;
    assert_eq!(results.dkim[0].result, Outcome::Fail);
}

#[tokio::test]
async fn what_is_wrong_with_a_signature_or_its_key_is_told() {
    let text = vector("relaxed-rsa.eml");
    let name = "r._domainkey.signer.test";
    for (record, result, reason) in [
        (None, Outcome::PermError, "no key"),
        (Some("v=DKIM1; p="), Outcome::PermError, "key revoked"),
        (Some("v=DKIM2; p=AAAA"), Outcome::PermError, "key does not fit"),
        (Some("k=ed25519; p=AAAA"), Outcome::PermError, "key does not fit"),
        (Some("p=AAAA"), Outcome::PermError, "key does not fit"),
    ] {
        let table = match record {
            Some(record) => Scripted::new().with_txt(name, record),
            None => Scripted::new(),
        };
        let results = read(table, &text, Spf::default()).await;
        assert_eq!(
            (results.dkim[0].result, results.dkim[0].reason),
            (result, reason),
            "{record:?}"
        );
    }
    let results = read(table(&[]).with_failure(name), &text, Spf::default()).await;
    assert_eq!(results.dkim[0].result, Outcome::TempError);
    for (from, to, result) in [
        ("v=1;", "v=2;", Outcome::Neutral),
        ("a=rsa-sha256", "a=rsa-sha1", Outcome::PermError),
        ("d=signer.test", "d=signer.test; d=x.test", Outcome::Neutral),
        ("h=from", "h=x; hh=from", Outcome::PermError),
        ("q=dns/txt", "q=http", Outcome::Neutral),
        ("i=@signer.test", "i=@other.test", Outcome::PermError),
        ("v=1;", "v=1; x=1;", Outcome::Fail),
    ] {
        assert!(text.contains(from), "{from} is not in {text}");
        let results = read(table(&[]), &text.replace(from, to), Spf::default()).await;
        assert_eq!(results.dkim[0].result, result, "{to}: {}", results.dkim[0].reason);
    }
}

/// A mailing list's word on a message would be lost, or a forged one believed.
#[tokio::test]
async fn chains_of_others_hold_and_break() {
    for (name, len) in [("arc-1.eml", 1), ("arc-2.eml", 2)] {
        let text = vector(name);
        let results = read(table(&[]), &text, Spf::default()).await;
        assert_eq!(
            (results.arc.result, results.arc.len),
            (Outcome::Pass, len),
            "{name}"
        );
        assert_eq!(results.arc.signer, Some(domain("forwarder.test")));
        for (from, to) in [
            ("last line", "lost line"),
            ("spf=pass", "spf=fail"),
            ("i=1; a=rsa", "i=3; a=rsa"),
            ("cv=none", "cv=fail"),
        ] {
            let results = read(table(&[]), &text.replacen(from, to, 1), Spf::default()).await;
            assert_eq!(results.arc.result, Outcome::Fail, "{name} {from}");
        }
        let table = table(&[]).with_failure("r._domainkey.forwarder.test");
        let results = read(table, &text, Spf::default()).await;
        assert_eq!(results.arc.result, Outcome::TempError, "{name}");
    }
}

/// What the recipient sees as the sender is what has to be vouched for.
#[tokio::test]
async fn dmarc_wants_the_domain_in_from() {
    let pass = |name: &str| Spf {
        result: Outcome::Pass,
        domain: Some(domain(name)),
        sender: Some(Address::parse(&format!("x@{name}")).unwrap()),
    };
    let text = "From: a@mail.signer.test\r\n\r\n";
    for (records, spf, result, wish) in [
        (&[][..], pass("signer.test"), Outcome::None, "none"),
        (
            &[("_dmarc.signer.test", "v=DMARC1; p=reject; sp=quarantine")],
            pass("other.signer.test"),
            Outcome::Pass,
            "quarantine",
        ),
        (
            &[("_dmarc.signer.test", "v=DMARC1; p=reject")],
            pass("signer.test.evil.test"),
            Outcome::Fail,
            "reject",
        ),
        (
            &[("_dmarc.signer.test", "v=DMARC1; p=reject; aspf=s")],
            pass("signer.test"),
            Outcome::Fail,
            "reject",
        ),
        (
            &[
                ("_dmarc.mail.signer.test", "v=DMARC1; p=none; psd=n"),
                ("_dmarc.signer.test", "v=DMARC1; p=reject"),
            ],
            pass("signer.test"),
            Outcome::Fail,
            "none",
        ),
        (
            &[
                ("_dmarc.signer.test", "v=DMARC1; p=reject"),
                ("_dmarc.signer.test", "v=DMARC1; p=none"),
            ],
            pass("x.test"),
            Outcome::None,
            "none",
        ),
        (
            &[("_dmarc.test", "v=DMARC1; p=reject; psd=y")],
            pass("other.test"),
            Outcome::Fail,
            "reject",
        ),
        (
            &[("_dmarc.signer.test", "v=DMARC1; p=bogus")],
            pass("x.test"),
            Outcome::None,
            "none",
        ),
    ] {
        let results = read(table(records), text, spf).await;
        let found = (results.dmarc.result, results.dmarc.wish.name());
        assert_eq!(found, (result, wish), "{records:?}");
    }
    let strict = [("_dmarc.signer.test", "v=DMARC1; p=reject; adkim=s")];
    let results = read(table(&strict), &vector("relaxed-rsa.eml"), Spf::default()).await;
    assert_eq!(results.dmarc.result, Outcome::Pass);
    assert!(results.dmarc.dkim_aligned && !results.dmarc.spf_aligned);
    // Nobody could be asked: no verdict.
    let table = table(&strict).with_failure("_dmarc.mail.signer.test");
    let results = read(table, text, Spf::default()).await;
    assert_eq!(results.dmarc.result, Outcome::TempError);
}

/// A recipient's program would believe what the sender wrote.
#[tokio::test]
async fn the_field_tells_all_results_and_warns_of_forged_ones() {
    let text = format!(
        "Authentication-Results: MX.here.test; dkim=pass\r\nAuthentication-Results: else.test; dkim=pass\r\n{}",
        vector("relaxed-ed25519.eml")
    );
    let records = [("_dmarc.signer.test", "v=DMARC1; p=quarantine")];
    let spf = Spf {
        result: Outcome::SoftFail,
        domain: Some(domain("signer.test")),
        sender: Some(Address::parse("ann@signer.test").unwrap()),
    };
    let results = read(table(&records), &text, spf).await;
    let field = results.field("mx.here.test");
    let signature = &results.dkim[0].signature;
    assert_eq!(
        field,
        format!(
            "Authentication-Results: mx.here.test (1 below in this name came with the message and mean nothing);\r\n\
             \tspf=softfail smtp.mailfrom=ann@signer.test;\r\n\
             \tdkim=pass header.d=signer.test header.s=e header.a=ed25519-sha256 header.b=\"{signature}\";\r\n\
             \tdmarc=pass (p=quarantine) header.from=signer.test\r\n"
        )
    );
}

/// A server that answers nothing must not hold mail up for ever, and is no reason to call it forged.
#[tokio::test(start_paused = true)]
async fn time_is_limited() {
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let dns = Dns::new(&dns::Config {
        servers: vec![silent.local_addr().unwrap()],
        timeout_ms: Some(3_600_000),
        ..dns::Config::default()
    });
    let reading = Reading::new(vector("arc-2.eml").as_bytes(), "mx.here.test");
    let deadline = Instant::now() + Duration::from_secs(20);
    let results = reading.finish(&dns, Spf::default(), deadline).await;
    assert_eq!(results.dkim[0].result, Outcome::TempError);
    assert_eq!(results.arc.result, Outcome::TempError);
    assert_eq!(results.dmarc.result, Outcome::TempError);
}
