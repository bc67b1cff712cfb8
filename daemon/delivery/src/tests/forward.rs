use authenticity::Algorithm;
use shared::model::Alias;

use super::fake::{Fake, Manner};
use super::*;

/// A house whose `bob` forwards to `b@remote.test`.
async fn forwarding(fake: &Fake, settings: &[(&str, &str)]) -> House {
    let overrides = BTreeMap::from([
        (domain("remote.test"), fake.address),
        (domain("else.test"), fake.address),
    ]);
    let dns = Dns::scripted(Scripted::unreachable()).with_overrides(overrides);
    let house = House::with_dns(dns, settings).await;
    let directory = &house.parts.directory;
    let mut bob = directory
        .user(&address("bob@example.test"))
        .await
        .unwrap()
        .unwrap();
    bob.forward_to = vec![address("b@remote.test")];
    directory.set_user(bob, "test").await.unwrap();
    house
}

fn from_outside(sender: Option<&str>) -> Envelope {
    Envelope {
        sender: sender.map(address),
        origin: Origin::Smtp,
        ..envelope(&["bob@example.test"])
    }
}

/// The reverse-path of the last transaction.
fn last_sender(fake: &Fake) -> String {
    let lines = fake.lines();
    let line = lines.iter().rev().find(|line| line.starts_with("MAIL ")).unwrap();
    line.split(['<', '>']).nth(1).unwrap().to_owned()
}

/// Whoever is reached by two names would get everything twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_goes_once_however_many_addresses_lead_to_who_forwards() {
    let fake = Fake::start(Manner::default()).await;
    let house = forwarding(&fake, &[]).await;
    let team = Alias {
        address: address("team@example.test"),
        targets: vec![address("bob@example.test"), address("cy@example.test")],
        enabled: true,
        revision: 0,
    };
    house.parts.directory.add_alias(team, "test").await.unwrap();
    let to = ["bob@example.test", "team@example.test", "bob+x@example.test"];
    house.send(&to, TEXT).await;
    house.until_empty().await;
    assert_eq!(fake.texts().len(), 1, "{:?}", fake.texts());
}

/// Others would take forwarded mail for forged, and the sender would never hear that it did not arrive.
#[tokio::test(flavor = "multi_thread")]
async fn forwarded_mail_leaves_with_an_address_of_ours_that_leads_back() {
    let fake = Fake::start(Manner::default()).await;
    let house = forwarding(&fake, &[]).await;
    let text = "Return-Path: <x@else.test>\r\nFrom: x@else.test\r\n\r\nhello\r\n";
    house.send_as(from_outside(Some("x@else.test")), text).await;
    house.until_empty().await;
    let sender = last_sender(&fake);
    assert!(
        sender.starts_with("SRS0=") && sender.ends_with("=else.test=x@example.test"),
        "{sender}"
    );
    assert_eq!(
        fake.texts(),
        ["Delivered-To: bob@example.test\r\nFrom: x@else.test\r\n\r\nhello\r\n"]
    );
    // The bounce.
    let bounce = Envelope {
        sender: None,
        ..from_outside(None)
    };
    let bounce = Envelope {
        recipients: envelope(&[&sender]).recipients,
        ..bounce
    };
    house
        .send_as(bounce, "Return-Path: <>\r\nSubject: failed\r\n\r\n")
        .await;
    house.until_empty().await;
    assert_eq!(last_sender(&fake), "");
    assert!(fake.lines().contains(&"RCPT TO:<x@else.test>".to_owned()));
    // What nobody made leads nowhere.
    let forged = sender.replace("else.test", "evil.test");
    let found = house.parts.directory.resolve(&address(&forged)).await.unwrap();
    assert!(matches!(found, directory::Resolution::Unknown), "{found:?}");
    // Mail of users here needs no other address.
    house.send(&["bob@example.test"], TEXT).await;
    house.until_empty().await;
    assert_eq!(last_sender(&fake), "ann@example.test");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sender_stays_if_it_is_wished_so() {
    let fake = Fake::start(Manner::default()).await;
    let house = forwarding(&fake, &[("forward.srs", "false")]).await;
    house.send_as(from_outside(Some("x@else.test")), TEXT).await;
    house.until_empty().await;
    assert_eq!(last_sender(&fake), "x@else.test");
}

/// Whoever gets forwarded mail would not learn that it was good when it came.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_checked_when_it_came_is_sealed() {
    let fake = Fake::start(Manner::default()).await;
    let house = forwarding(&fake, &[]).await;
    house.add_key("r", Algorithm::RsaSha256, true).await;
    let checked = "Authentication-Results: mx.example.test;\r\n\tspf=pass smtp.mailfrom=x@else.test;\r\n\tdkim=none;\r\n\tdmarc=none\r\n";
    let below = "Received: from x\r\nFrom: x@else.test\r\n\r\nhello\r\n";
    let text = format!("Return-Path: <x@else.test>\r\n{checked}{below}");
    house.send_as(from_outside(Some("x@else.test")), &text).await;
    house.until_empty().await;
    let sent = fake.texts().pop().unwrap();
    assert!(
        sent.starts_with("ARC-Seal: i=1; a=rsa-sha256; cv=none;\r\n\td=example.test; s=r; "),
        "{sent}"
    );
    let rest = "ARC-Authentication-Results: i=1; mx.example.test;\r\n\tspf=pass smtp.mailfrom=x@else.test;\r\n\tdkim=none;\r\n\tdmarc=none\r\n\
                Delivered-To: bob@example.test\r\n";
    assert!(sent.ends_with(&format!("{rest}{checked}{below}")), "{sent}");
    // Not what came unchecked, with the same field from somebody else.
    let forged = format!("Return-Path: <x@else.test>\r\nReceived: by us\r\n{checked}{below}");
    house.send_as(from_outside(Some("x@else.test")), &forged).await;
    house.until_empty().await;
    assert!(!fake.texts().pop().unwrap().contains("ARC-"));
}
