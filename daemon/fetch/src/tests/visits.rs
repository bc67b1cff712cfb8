//! Encryption, quota, loops, users who are gone: what holds whatever the protocol.

use std::sync::Arc;

use shared::external::{ExternalProtocol, ExternalSecurity};

use super::fake::{Act, Fake, usual};
use super::{House, NAME, USER, address, certificate, message, protocol};

// Somebody in between would get the password.
#[tokio::test]
async fn a_wrong_certificate_gets_no_password() {
    for imap in [false, true] {
        for (security, at_once) in [(ExternalSecurity::Tls, true), (ExternalSecurity::StartTls, false)] {
            let (tls, fingerprint, _dir) = certificate();
            let fake = Fake::start(imap, Some(tls), at_once, usual).await;
            fake.put("one");
            let house = House::new().await;
            house
                .account(protocol(&fake), fake.port, |account| account.security = security)
                .await;
            assert_eq!(house.problem().await, "external-tls");
            house
                .change(|account| account.certificate = "00".repeat(32))
                .await;
            assert_eq!(house.problem().await, "external-tls");
            let answer = house.fetch.test(&address(USER), NAME).await.unwrap();
            assert_eq!(
                answer.certificate, fingerprint,
                "an administrator sees whom he could believe"
            );
            assert_eq!(fake.count("PASS") + fake.count("LOGIN"), 0);
            house.change(|account| account.certificate = fingerprint).await;
            let answer = house.fetch.test(&address(USER), NAME).await.unwrap();
            assert_eq!(
                (answer.problem, answer.messages, answer.tls.as_str()),
                (None, 1, "TLSv1_3")
            );
            assert_eq!(house.problem().await, "fine");
            house
                .change(|account| account.certificate = "any".to_owned())
                .await;
            assert_eq!(house.problem().await, "fine");
            assert_eq!(house.subjects().await, ["one"]);
        }
    }
}

#[tokio::test]
async fn encryption_that_is_asked_for_and_not_offered_ends_the_visit() {
    for imap in [false, true] {
        let fake = Fake::start(imap, None, false, usual).await;
        let house = House::new().await;
        house
            .account(protocol(&fake), fake.port, |account| {
                account.security = ExternalSecurity::StartTls;
            })
            .await;
        assert_eq!(house.problem().await, "external-no-tls");
        assert_eq!(fake.count("PASS") + fake.count("LOGIN"), 0);
    }
}

// Here it would wait in the queue until it is given up, and be gone over there.
#[tokio::test]
async fn mail_for_a_full_mailbox_stays_where_it_is() {
    for imap in [false, true] {
        let fake = Fake::start(imap, None, false, usual).await;
        fake.put("one");
        fake.put("two");
        let house = House::at(&fake).await;
        let mut user = house.parts.directory.user(&address(USER)).await.unwrap().unwrap();
        user.quota_bytes = Some(message("one").len() as u64 + 10);
        house.parts.directory.set_user(user, "test").await.unwrap();
        let state = house.visit().await;
        assert_eq!(
            (state.fetched, state.problem.unwrap().code.as_str()),
            (1, "external-mailbox-full")
        );
        let mut user = house.parts.directory.user(&address(USER)).await.unwrap().unwrap();
        user.quota_bytes = None;
        house.parts.directory.set_user(user, "test").await.unwrap();
        assert_eq!(house.visit().await.fetched, 1);
        assert_eq!(house.subjects().await, ["one", "two"]);
    }
}

// A user who forwards to the very mailbox that is fetched would get everything for ever.
#[tokio::test]
async fn mail_that_goes_in_circles_is_left_there() {
    let fake = Fake::pop3(usual).await;
    let circle = "Delivered-To: ann@example.test\r\nReceived: from x by localhost with ESMTP id 1; now\r\n";
    fake.put_text([circle.as_bytes(), &message("circle")].concat());
    let hops = "Received: from x by y; now\r\n".repeat(70);
    fake.put_text([hops.as_bytes(), &message("hops")].concat());
    fake.put("straight");
    let house = House::at(&fake).await;
    assert_eq!(house.visit().await.skipped_total, 2);
    assert_eq!(house.visit().await.skipped_total, 2);
    assert_eq!(house.subjects().await, ["straight"]);
    assert_eq!(fake.count("RETR 1"), 1);
}

#[tokio::test]
async fn reverse_path_and_line_ends_are_as_they_should_be() {
    let fake = Fake::imap(usual).await;
    fake.put_text(b"Return-Path: <bob@else.test>\nSubject: bare\n\nlines\0 and\rmore".to_vec());
    let house = House::at(&fake).await;
    house.visit().await;
    let taken = house.taken().await;
    let (envelope, text) = &taken[0];
    assert_eq!(envelope.sender, Some(address("bob@else.test")));
    let notify = envelope.recipients[0].notify.unwrap();
    assert!(
        !notify.failure && !notify.delay,
        "a stranger would get a bounce for mail that was sent elsewhere"
    );
    assert!(
        text.starts_with("Return-Path: <bob@else.test>\r\nReceived: "),
        "{text}"
    );
    assert!(
        text.ends_with("Return-Path: <bob@else.test>\r\nSubject: bare\r\n\r\nlines and\r\nmore\r\n"),
        "{text:?}"
    );
}

#[tokio::test]
async fn accounts_go_with_their_user_and_outlive_a_rename() {
    let fake = Fake::pop3(usual).await;
    fake.put("one");
    let house = House::at(&fake).await;
    house.visit().await;
    let directory = &house.parts.directory;
    let renamed = address("anna@example.test");
    directory
        .rename_user(&address(USER), &renamed, "test")
        .await
        .unwrap();
    fake.put("two");
    let state = house.fetch.now(&renamed, NAME, true).await.unwrap();
    assert_eq!((state.fetched, state.fetched_total), (1, 2));
    assert_eq!(
        house.taken().await.last().unwrap().0.recipients[0].address,
        renamed
    );
    let owner = directory.account(&renamed).await.unwrap().unwrap().owner;
    directory.remove_user(&renamed, "test").await.unwrap();
    assert!(directory.external(owner, "work").await.unwrap().is_none());
    assert!(directory.external_seen(owner, "work").await.unwrap().is_empty());
    assert_eq!(directory.external_state(owner, "work").await.unwrap(), None);
}

// Another mailbox has other messages, whatever their ids.
#[tokio::test]
async fn another_login_is_another_mailbox() {
    let fake = Fake::imap(usual).await;
    fake.put("one");
    let house = House::at(&fake).await;
    house.visit().await;
    house
        .change(|account| account.comment = "a remark".to_owned())
        .await;
    assert_eq!(house.visit().await.fetched, 0);
    house.change(|account| account.login = "bob".to_owned()).await;
    assert_eq!(house.visit().await.fetched, 1);
}

#[tokio::test]
async fn an_account_in_use_is_visited_by_itself() {
    let fake = Fake::pop3(usual).await;
    fake.put("one");
    let house = House::new().await;
    house.until_known().await;
    let mut changes = house.parts.directory.changes();
    house
        .account(ExternalProtocol::Pop3, fake.port, |account| {
            account.enabled = true;
        })
        .await;
    while changes.recv().await.unwrap().kind != "external-state" {}
    assert_eq!(house.subjects().await, ["one"]);
    let owner = house.kept().await.owner;
    let state = house.fetch.state(owner, "work").await.unwrap();
    let minutes = (state.next_visit - state.last_visit) / 60;
    assert!((13..=17).contains(&minutes), "{minutes}");
    house
        .parts
        .directory
        .remove_external(&address(USER), NAME, "test")
        .await
        .unwrap();
}

// Two visits at once would fetch everything twice.
#[tokio::test]
async fn an_account_is_visited_once_at_a_time() {
    let began = Arc::new(tokio::sync::Notify::new());
    let told = began.clone();
    // It never answers.
    let fake = Fake::pop3(move |_, line| {
        if line != "LIST" {
            return Act::Usual;
        }
        told.notify_one();
        Act::Say(Vec::new())
    })
    .await;
    let house = House::at(&fake).await;
    house.fetch.now(&address(USER), NAME, false).await.unwrap();
    began.notified().await;
    let state = house.fetch.now(&address(USER), NAME, false).await.unwrap();
    assert!(state.is_running);
    assert_eq!(fake.count("LIST"), 1);
}
