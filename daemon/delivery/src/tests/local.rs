use shared::model::Alias;
use shared::protocol::ServiceState;

use super::*;

fn nowhere() -> Dns {
    Dns::scripted(Scripted::unreachable())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_gets_a_message_once_however_many_addresses_lead_there() {
    let house = House::with_dns(nowhere(), &[]).await;
    let targets = vec![address("bob@example.test"), address("cy@example.test")];
    let alias = Alias {
        address: address("team@example.test"),
        targets,
        enabled: true,
        revision: 0,
    };
    house.parts.directory.add_alias(alias, "test").await.unwrap();
    house
        .send(
            &["bob@example.test", "team@example.test", "bob@example.test"],
            TEXT,
        )
        .await;
    house.until_empty().await;
    assert_eq!(house.inbox("bob@example.test").await, [TEXT]);
    assert_eq!(house.inbox("cy@example.test").await, [TEXT]);
    assert!(house.inbox("ann@example.test").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_service_takes_nothing_and_goes_on_when_it_runs() {
    let house = House::with_dns(nowhere(), &[]).await;
    house.delivery.set_state(ServiceState::Paused);
    for _ in 0..50 {
        house.send(&["bob@example.test"], TEXT).await;
    }
    // Workers that already waited may have taken one each; a new start takes up the rest.
    house.delivery.set_state(ServiceState::Running);
    house.until_empty().await;
    assert_eq!(house.inbox("bob@example.test").await.len(), 50);
    assert_eq!(house.delivery.figures().total, 50);
    house.delivery.close(PATIENCE).await;
    assert_eq!(house.delivery.figures().active, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarding_goes_on_as_a_message_of_its_own_and_never_in_circles() {
    let house = House::with_dns(nowhere(), &[]).await;
    for (from, to, keep) in [
        ("bob@example.test", "cy@example.test", true),
        ("cy@example.test", "bob@example.test", false),
    ] {
        let mut user = house.parts.directory.user(&address(from)).await.unwrap().unwrap();
        user.forward_to = vec![address(to)];
        user.forward_keep = keep;
        house.parts.directory.set_user(user, "test").await.unwrap();
    }
    house.send(&["bob@example.test"], TEXT).await;
    house.until_empty().await;
    let bob = house.inbox("bob@example.test").await;
    assert!(bob.contains(&TEXT.to_owned()), "{bob:?}");
    assert!(
        bob[1].starts_with(
            "Return-Path: <ann@example.test>\r\nDelivered-To: cy@example.test\r\nDelivered-To: bob@"
        ),
        "{bob:?}"
    );
    assert_eq!(bob.len(), 2);
    assert!(
        house.inbox("ann@example.test").await[0].contains("Status: 5.4.6"),
        "the circle is told"
    );
}

/// Nobody would ever read it, and nobody may lose it either.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_mailbox_puts_off_and_keeps_the_message() {
    let house = House::with_dns(nowhere(), &[]).await;
    let mut user = house
        .parts
        .directory
        .user(&address("bob@example.test"))
        .await
        .unwrap()
        .unwrap();
    user.quota_bytes = Some(10);
    house.parts.directory.set_user(user, "test").await.unwrap();
    house.send(&["bob@example.test", "cy@example.test"], TEXT).await;
    assert_eq!(house.until_put_off().await, "452 4.2.2 The mailbox is full");
    assert_eq!(house.inbox("cy@example.test").await, [TEXT]);
    let mut user = house
        .parts
        .directory
        .user(&address("bob@example.test"))
        .await
        .unwrap()
        .unwrap();
    user.quota_bytes = None;
    house.parts.directory.set_user(user, "test").await.unwrap();
    house.parts.queue.retry(&[]).await.unwrap();
    house.until_empty().await;
    assert_eq!(house.inbox("bob@example.test").await, [TEXT]);
    assert_eq!(house.inbox("cy@example.test").await, [TEXT], "not twice");
}
