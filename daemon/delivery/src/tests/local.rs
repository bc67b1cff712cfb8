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

/// The user would have it twice.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_when_the_server_died_and_put_off_then_is_stored_once() {
    let house = House::with_dns(nowhere(), &[]).await;
    house.delivery.close(PATIENCE).await;
    house.send(&["bob@example.test"], TEXT).await;
    let queue = &house.parts.queue;
    let bob = address("bob@example.test");
    let bob = house.parts.directory.account(&bob).await.unwrap().unwrap();
    let job = queue.next().await.unwrap();
    let delivery = mailbox::Delivery {
        message: job.record,
        target: 0,
        folder: None,
        text: job.text.clone(),
        received: job.envelope.received,
        quota_bytes: None,
    };
    house.parts.mailboxes.deliver(bob.owner, delivery).await.unwrap();
    // Stored, and the queue was not told.
    drop(job);
    let job = queue.next().await.unwrap();
    let put_off = queue::Outcome::PutOff {
        reply: "451 4.3.0 The mailbox can't be reached now".to_owned(),
        at: Some(now() - 1),
    };
    queue.finish(job, vec![(0, put_off)]).await.unwrap();
    // It comes back under another record.
    let _delivery = Delivery::start(house.parts.clone());
    house.until_empty().await;
    assert_eq!(house.inbox("bob@example.test").await, [TEXT]);
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
    let bob = address("bob@example.test");
    let limit = async |quota_bytes| {
        let directory = &house.parts.directory;
        let user = directory.user(&bob).await.unwrap().unwrap();
        let user = shared::model::User { quota_bytes, ..user };
        directory.set_user(user, "test").await.unwrap();
    };
    limit(Some(10)).await;
    house.send(&["bob@example.test", "cy@example.test"], TEXT).await;
    assert_eq!(house.until_put_off().await, "452 4.2.2 The mailbox is full");
    assert_eq!(house.inbox("cy@example.test").await, [TEXT]);
    limit(None).await;
    house.parts.queue.retry(&[]).await.unwrap();
    house.until_empty().await;
    assert_eq!(house.inbox("bob@example.test").await, [TEXT]);
    assert_eq!(house.inbox("cy@example.test").await, [TEXT], "not twice");
}

/// Whoever writes to somebody who is away would not know, or be told again and again, or two servers would talk for ever.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_away_answers_people_who_name_him_once() {
    let house = House::with_dns(nowhere(), &[]).await;
    for (who, text) in [
        ("bob@example.test", "Back on Monday\nBob"),
        ("ann@example.test", "Away as well"),
    ] {
        let mut user = house.parts.directory.user(&address(who)).await.unwrap().unwrap();
        user.vacation = shared::model::Vacation {
            enabled: true,
            text: text.to_owned(),
            ..shared::model::Vacation::default()
        };
        house.parts.directory.set_user(user, "test").await.unwrap();
    }
    let alias = Alias {
        address: address("sales@example.test"),
        targets: vec![address("bob@example.test")],
        enabled: true,
        revision: 0,
    };
    house.parts.directory.add_alias(alias, "test").await.unwrap();
    let message = |head: &str| format!("Return-Path: <ann@example.test>\r\n{head}\r\n\r\nhello\r\n");
    // Not for him by name, a list, and a bounce.
    house
        .send(&["bob@example.test"], &message("To: team@example.test"))
        .await;
    house
        .send(
            &["bob@example.test"],
            &message("To: bob@example.test\r\nList-Id: <x.test>"),
        )
        .await;
    let bounce = Envelope {
        sender: None,
        ..envelope(&["bob@example.test"])
    };
    house.send_as(bounce, &message("To: bob@example.test")).await;
    house.until_empty().await;
    assert!(house.inbox("ann@example.test").await.is_empty());

    let head = "To: Sales <SALES@example.test>\r\nSubject: =?utf-8?Q?=D0=BF?=\r\nMessage-ID: <1@x.test>";
    for _ in 0..2 {
        house.send(&["bob@example.test"], &message(head)).await;
        house.until_empty().await;
    }
    let answers = house.inbox("ann@example.test").await;
    let [answer] = answers.as_slice() else {
        panic!("{answers:?}")
    };
    for line in [
        "Return-Path: <>\r\n",
        "From: <bob@example.test>\r\n",
        "To: <ann@example.test>\r\n",
        "In-Reply-To: <1@x.test>\r\n",
        "Auto-Submitted: auto-replied\r\n",
        "\r\n\r\nQmFjayBvbiBNb25kYXkNCkJvYg==\r\n",
    ] {
        assert!(answer.contains(line), "{line} is missing in {answer}");
    }
    assert!(answer.contains(&format!(
        "Subject: =?utf-8?B?{}?=",
        wire::base64::encode("Auto: \u{43f}".as_bytes())
    )));
    // The answer itself was answered by nobody, though Ann is away too.
    assert_eq!(house.inbox("bob@example.test").await.len(), 5);
}
