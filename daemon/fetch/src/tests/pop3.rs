//! Promises over POP3, and servers that keep none.

use shared::external::{ExternalAfter, ExternalMechanism};

use super::fake::{Act, Fake, at, usual};
use super::{House, USER, message};

// Some servers number their mail anew once it is deleted: the next message would be deleted unread.
#[tokio::test]
async fn an_id_that_comes_again_is_another_message() {
    let fake = Fake::pop3(usual).await;
    let house = House::deleting_at(&fake).await;
    for subject in ["one", "two", "three"] {
        fake.put(subject);
        fake.model.lock().mails[0].unique = "1".to_owned();
        assert_eq!(house.visit().await.fetched, 1, "{subject}");
        assert_eq!(house.subjects().await, [subject]);
        assert_eq!(fake.left(), 0);
    }
}

// A user would get the same mail at each visit, or lose it over there.
#[tokio::test]
async fn what_is_kept_over_there_is_fetched_once() {
    let fake = Fake::pop3(usual).await;
    fake.put("one");
    fake.put("two");
    let house = House::at(&fake).await;
    let state = house.visit().await;
    assert_eq!((state.fetched, state.problem), (2, None));
    let taken = house.taken().await;
    let (envelope, text) = &taken[0];
    assert_eq!(envelope.sender, None);
    assert_eq!(envelope.recipients[0].address.to_string(), USER);
    assert!(text.starts_with(
        "Return-Path: <>\r\nReceived: from 127.0.0.1 ([127.0.0.1])\r\n\tby localhost with POP3 id "
    ));
    assert!(text.ends_with("Subject: one\r\n\r\nHello\r\n.dot\r\n"), "{text}");
    fake.put("three");
    assert_eq!(house.visit().await.fetched, 1);
    assert_eq!(house.subjects().await, ["three"]);
    assert_eq!((fake.left(), fake.count("RETR"), fake.count("DELE")), (3, 3, 0));
}

#[tokio::test]
async fn what_is_to_be_deleted_is_deleted_after_it_is_here() {
    let fake = Fake::pop3(usual).await;
    fake.put("one");
    let house = House::deleting_at(&fake).await;
    assert_eq!(house.visit().await.fetched, 1);
    assert_eq!((house.subjects().await, fake.left()), (vec!["one".to_owned()], 0));
}

#[tokio::test]
async fn mail_is_deleted_so_many_days_after_it_was_fetched() {
    let fake = Fake::pop3(usual).await;
    fake.put("old");
    let house = House::at(&fake).await;
    house
        .change(|account| account.after = ExternalAfter::Days(3))
        .await;
    house.visit().await;
    fake.put("new");
    house.visit().await;
    assert_eq!(fake.left(), 2);
    // As if it had been four days ago.
    let mut old = house.seen().await;
    old.retain(|seen| seen.mark == "id1");
    old[0].at -= 4 * 86_400;
    house.keep(&old, &[], None).await;
    house.visit().await;
    assert_eq!(fake.uids(), [2]);
    assert_eq!(house.subjects().await, ["old", "new"]);
    house.visit().await;
    assert_eq!(house.seen().await.len(), 1);
}

// The connection is lost before QUIT: nothing is deleted over there, and nothing may come twice.
#[tokio::test]
async fn a_connection_that_is_lost_before_the_end_brings_nothing_twice() {
    let fake = Fake::pop3(|_, line| match line {
        "QUIT" => Act::SayAndClose(Vec::new()),
        _ => Act::Usual,
    })
    .await;
    fake.put("one");
    let house = House::deleting_at(&fake).await;
    assert_eq!(house.problem().await, "external-closed");
    assert_eq!(house.problem().await, "external-closed");
    assert_eq!(
        (
            house.subjects().await.len(),
            fake.count("RETR"),
            fake.count("DELE")
        ),
        (1, 1, 2)
    );
}

#[tokio::test]
async fn half_a_message_is_none() {
    let fake = Fake::pop3(|_, line| match line {
        "RETR 1" => Act::SayAndClose(b"+OK\r\nSubject: half\r\n\r\nHel".to_vec()),
        _ => Act::Usual,
    })
    .await;
    fake.put("half");
    let house = House::at(&fake).await;
    assert_eq!(house.problem().await, "external-closed");
    assert!(house.taken().await.is_empty());
}

// A crash after the message is durable and before the mark is: it comes once more rather than never.
#[tokio::test]
async fn a_crash_before_the_mark_fetches_again_and_loses_nothing() {
    let fake = Fake::pop3(usual).await;
    fake.put("one");
    let house = House::at(&fake).await;
    house.visit().await;
    house.keep(&[], &["id1".to_owned()], None).await;
    house.visit().await;
    assert_eq!(house.subjects().await, ["one", "one"]);
}

#[tokio::test]
async fn a_message_that_is_too_large_is_told_of_once_and_holds_up_nobody() {
    let fake = Fake::pop3(usual).await;
    fake.put_text([message("large"), vec![b'x'; 5000]].concat());
    fake.put("small");
    let house = House::deleting_at(&fake).await;
    house.setting("smtp.message-size-max", "2000").await;
    let state = house.visit().await;
    assert_eq!((state.fetched, state.skipped_total, state.problem), (1, 1, None));
    assert_eq!(
        (
            house.visit().await.skipped_total,
            fake.count("RETR 1"),
            fake.left()
        ),
        (1, 0, 1)
    );
    // With more room it comes.
    house.setting("smtp.message-size-max", "20000").await;
    house.visit().await;
    assert_eq!(
        (house.subjects().await, fake.left()),
        (vec!["small".to_owned(), "large".to_owned()], 0)
    );
}

// LIST says little, RETR has no end.
#[tokio::test]
async fn a_message_that_is_larger_than_was_said_is_cut_off() {
    let fake = Fake::pop3(|_, line| match line {
        "LIST" => Act::Say(b"+OK\r\n1 10\r\n2 10\r\n.\r\n".to_vec()),
        "RETR 1" => Act::Say([b"+OK\r\n".to_vec(), vec![b'x'; 50_000]].concat()),
        _ => Act::Usual,
    })
    .await;
    fake.put("endless");
    fake.put("small");
    let house = House::at(&fake).await;
    house.setting("smtp.message-size-max", "20000").await;
    assert_eq!(house.visit().await.skipped_total, 1);
    assert_eq!(house.visit().await.fetched, 1);
    assert_eq!(
        (house.subjects().await, fake.count("RETR 1")),
        (vec!["small".to_owned()], 1)
    );
}

#[tokio::test]
async fn without_unique_ids_only_what_is_deleted_is_fetched() {
    let fake = Fake::pop3(at(false, "UIDL", "-ERR what?\r\n", false)).await;
    fake.put("one");
    let house = House::at(&fake).await;
    assert_eq!(house.problem().await, "external-no-unique-ids");
    house
        .change(|account| account.after = ExternalAfter::Delete)
        .await;
    assert_eq!(house.problem().await, "fine");
    assert_eq!((house.subjects().await, fake.left()), (vec!["one".to_owned()], 0));
}

#[tokio::test]
async fn servers_that_are_none_are_told_of() {
    for (command, said, expected) in [
        ("", b"220 mail.test ESMTP\r\n".to_vec(), "external-garbage"),
        ("", b"-ERR go away\r\n".to_vec(), "external-command-refused"),
        ("", vec![b'x'; 100_000], "external-garbage"),
        ("CAPA", vec![b'x'; 100_000], "external-garbage"),
        ("LIST", b"+OK\r\none 1\r\n.\r\n".to_vec(), "external-garbage"),
        (
            "LIST",
            b"+OK\r\n1 99999999999999999999999\r\n.\r\n".to_vec(),
            "external-garbage",
        ),
        (
            "UIDL",
            b"+OK\r\n1 two words\r\n.\r\n".to_vec(),
            "external-garbage",
        ),
        (
            "UIDL",
            [b"+OK\r\n1 ".to_vec(), vec![b'x'; 300], b"\r\n.\r\n".to_vec()].concat(),
            "external-garbage",
        ),
        ("RETR 1", b"+ what\r\n".to_vec(), "external-garbage"),
        (
            "PASS secret",
            b"-ERR [AUTH] no\r\n".to_vec(),
            "external-login-refused",
        ),
        (
            "PASS secret",
            b"-ERR [IN-USE] busy\r\n".to_vec(),
            "external-command-refused",
        ),
    ] {
        let fake = Fake::pop3(at(false, command, said.clone(), false)).await;
        fake.put("one");
        let house = House::at(&fake).await;
        assert_eq!(
            house.problem().await,
            expected,
            "{command} {}",
            said[..said.len().min(40)].escape_ascii()
        );
        assert!(house.taken().await.is_empty(), "{command}");
        let state = house.visit().await;
        assert_eq!((state.failures, state.last_success), (2, 0));
    }
}

#[tokio::test]
async fn apop_shows_no_password_and_a_refusal_falls_back_on_this_machine() {
    let fake = Fake::pop3(usual).await;
    let house = House::at(&fake).await;
    assert_eq!(house.problem().await, "fine");
    assert_eq!((fake.count("APOP ann "), fake.count("PASS")), (1, 1));
    house
        .change(|account| account.mechanism = ExternalMechanism::Apop)
        .await;
    assert_eq!(house.problem().await, "external-login-refused");
    assert_eq!(fake.count("PASS"), 1);
}
