use authenticity::{Algorithm, Outcome};
use disk::blob::BlobFile;
use shared::route::RouteProtocol;
use tokio::sync::OnceCell;
use wire::message::{Message, decode};

use super::fake::{Fake, Manner};
use super::routes::{route, with_routes};
use super::sign::signatures;
use super::*;

const LETTER: &str = "Return-Path: <ann@example.test>\r\nFrom: ann@example.test\r\nSubject: hello\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
const BODY: &str = ".été\r\nПривет\r\n";

/// A host that takes 7 bits alone.
async fn old_host() -> Fake {
    Fake::start(Manner {
        offers: &["SIZE 2000000"],
        ..Manner::default()
    })
    .await
}

fn decoded(text: &str) -> String {
    let root = Message::parse(text.as_bytes()).root;
    let body = decode::transfer(&text.as_bytes()[root.body], &root.encoding).unwrap();
    String::from_utf8(body.into_owned()).unwrap()
}

/// The text would arrive with every eighth bit gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_8bitmime_gets_seven_bits_under_a_signature_that_holds() {
    let fake = old_host().await;
    let house = House::with_remote(fake.address).await;
    let record = house.add_key("e", Algorithm::Ed25519Sha256, true).await;
    let large = LETTER.to_owned() + &BODY.repeat(20_000);
    for text in [LETTER.to_owned() + BODY, large] {
        house.send(&["a@remote.test", "b@remote.test"], &text).await;
        house.until_empty().await;
        let sent = fake.texts().pop().unwrap();
        assert!(sent.is_ascii());
        assert_eq!(decoded(&sent), text[LETTER.len()..]);
        let found = signatures(&sent, &[("e", &record)]).await;
        assert_eq!(found, [("e".to_owned(), Outcome::Pass)]);
        let size = fake.lines().iter().rev().find_map(|line| {
            let (_, size) = line.split_once(" SIZE=")?;
            size.parse::<usize>().ok()
        });
        assert_eq!(size, Some(sent.len()), "the size that was told");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_behind_lmtp_gets_seven_bits_too() {
    let fake = Fake::start(Manner {
        offers: &["PIPELINING"],
        lmtp: Some(&[]),
        ..Manner::default()
    })
    .await;
    let mut lmtp = route("lmtp", &["box.test"], &[], &fake.address.to_string());
    lmtp.protocol = RouteProtocol::Lmtp;
    let house = with_routes(Dns::scripted(Scripted::new()), &[], vec![(lmtp, None)]).await;
    house.send(&["a@box.test"], &(LETTER.to_owned() + BODY)).await;
    house.until_empty().await;
    let sent = fake.texts().pop().unwrap();
    assert!(sent.is_ascii());
    assert_eq!(decoded(&sent), BODY);
}

/// Whoever takes 8 bits gets what was written, signatures of others with it.
#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_take_eight_bits_get_the_text_as_it_is() {
    for offers in [&["8BITMIME"][..], &["SMTPUTF8"]] {
        let fake = Fake::start(Manner {
            offers,
            ..Manner::default()
        })
        .await;
        let house = House::with_remote(fake.address).await;
        house.send(&["a@remote.test"], &(LETTER.to_owned() + BODY)).await;
        house.until_empty().await;
        assert!(fake.texts()[0].ends_with(&format!("8bit\r\n\r\n{BODY}")));
    }
}

/// A signed text that was changed looks forged; a sender who hears nothing believes that it arrived.
#[tokio::test(flavor = "multi_thread")]
async fn what_cant_be_converted_comes_back() {
    let fake = old_host().await;
    let house = House::with_remote(fake.address).await;
    let signed = "Return-Path: <ann@example.test>\r\nFrom: ann@example.test\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n\
        --b\r\n\r\nété\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n";
    house.send(&["a@remote.test"], signed).await;
    house.until_empty().await;
    let bounce = house.inbox("ann@example.test").await.pop().unwrap();
    assert!(bounce.contains("\r\nStatus: 5.6.3\r\n"), "{bounce}");
    assert!(bounce.contains("The host takes only 7-bit text"), "{bounce}");
    assert!(fake.texts().is_empty());
}

/// Whoever looks for the trouble would look at the other host, and the mail would go to its second exchanger, which is no better off.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_cant_be_read_is_no_fault_of_the_host() {
    // One has to read it before it says anything, the other once the host waits for it.
    for fake in [old_host().await, Fake::start(Manner::default()).await] {
        let house = House::with_remote(fake.address).await;
        let mail = crate::remote::Mail {
            id: events::MessageId(1),
            envelope: Arc::new(envelope(&["a@remote.test"])),
            text: Blob::File(Arc::new(BlobFile {
                path: "gone".into(),
                len: 10,
            })),
            skip: 0,
            top: Vec::new(),
            header_is_ascii: true,
            seven_bit: OnceCell::new(),
        };
        let target = crate::remote::Target {
            host: "mx.remote.test".to_owned(),
            address: fake.address,
            protocol: RouteProtocol::Smtp,
            security: crate::security::Security::OPPORTUNISTIC,
            login: None,
            about: None,
        };
        let found = crate::transaction::attempt(&house.delivery.inner, &mail, &target, &[0]).await;
        let put_off = crate::verdict::Verdict::put_off(crate::verdict::replies::QUEUE);
        assert_eq!(found.ok(), Some(vec![(0, put_off)]));
        assert!(fake.texts().is_empty());
    }
}
