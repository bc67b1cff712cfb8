//! Promises over IMAP, and servers that keep none.

use shared::external::ExternalAfter;

use super::fake::{Fake, at, usual};
use super::{House, message};

#[tokio::test]
async fn what_is_kept_over_there_is_fetched_once_and_stays_unread() {
    let fake = Fake::imap(usual).await;
    fake.put("one");
    fake.put("two");
    let house = House::at(&fake).await;
    assert_eq!(house.visit().await.fetched, 2);
    let taken = house.taken().await;
    assert!(taken[0].1.contains("with IMAP id "), "{}", taken[0].1);
    fake.put("three");
    assert_eq!(house.visit().await.fetched, 1);
    assert_eq!(house.subjects().await, ["three"]);
    assert_eq!(house.visit().await.fetched, 0);
    assert_eq!(
        (
            fake.count("SELECT"),
            fake.count("UID STORE"),
            fake.count("EXAMINE")
        ),
        (0, 0, 3)
    );
}

// A new UIDVALIDITY: the numbers mean other messages now, and to believe them would lose mail.
#[tokio::test]
async fn a_folder_that_was_made_anew_is_read_anew() {
    let fake = Fake::imap(usual).await;
    fake.put("one");
    let house = House::at(&fake).await;
    house.visit().await;
    fake.model.lock().validity = 8;
    house.visit().await;
    assert_eq!(house.subjects().await, ["one", "one"]);
}

#[tokio::test]
async fn what_is_to_be_deleted_is_deleted_and_nothing_else() {
    let fake = Fake::imap(usual).await;
    fake.put("one");
    fake.put_text([message("large"), vec![b'x'; 5000]].concat());
    fake.put("three");
    let house = House::deleting_at(&fake).await;
    house.setting("smtp.message-size-max", "2000").await;
    let state = house.visit().await;
    assert_eq!((state.fetched, state.skipped_total), (2, 1));
    assert_eq!(fake.uids(), [2]);
    assert_eq!(house.visit().await.skipped_total, 1);
    assert_eq!(fake.left(), 1);
}

// What was too large while mail was kept over there was never fetched: it would be lost.
#[tokio::test]
async fn what_was_skipped_is_not_deleted_when_deleting_begins_later() {
    let fake = Fake::imap(usual).await;
    fake.put("one");
    fake.put_text([message("large"), vec![b'x'; 5000]].concat());
    let house = House::at(&fake).await;
    house.setting("smtp.message-size-max", "2000").await;
    assert_eq!(house.visit().await.fetched, 1);
    house
        .change(|account| account.after = ExternalAfter::Delete)
        .await;
    fake.put("three");
    assert_eq!(house.visit().await.fetched, 1);
    assert_eq!(fake.uids(), [2]);
}

// A server that did not give a text would lose it to us.
#[tokio::test]
async fn a_message_whose_text_was_not_given_is_not_deleted() {
    for said in ["TAG OK\r\n", "* 1 FETCH (UID 1 BODY[] NIL)\r\nTAG OK\r\n"] {
        let fake = Fake::imap(at(true, "UID FETCH 1 (UID BODY", said, false)).await;
        fake.put("one");
        fake.put("two");
        let house = House::deleting_at(&fake).await;
        house.visit().await;
        assert_eq!(house.subjects().await, ["two"], "{said}");
        assert_eq!(fake.uids(), [1], "{said}");
    }
}

// Without UIDPLUS an EXPUNGE would take what somebody else has marked.
#[tokio::test]
async fn without_uidplus_messages_are_only_marked() {
    let said = "* CAPABILITY IMAP4rev1\r\nTAG OK\r\n";
    let fake = Fake::imap(at(true, "CAPABILITY", said, false)).await;
    fake.put("one");
    let house = House::deleting_at(&fake).await;
    house.visit().await;
    assert_eq!(
        (fake.left(), fake.count("UID STORE"), fake.count("UID EXPUNGE")),
        (1, 1, 0)
    );
}

#[tokio::test]
async fn mail_is_deleted_so_many_days_after_it_was_fetched() {
    let fake = Fake::imap(usual).await;
    fake.put("old");
    let house = House::at(&fake).await;
    house
        .change(|account| account.after = ExternalAfter::Days(3))
        .await;
    house.visit().await;
    assert_eq!(fake.left(), 1);
    house.days_pass(4).await;
    fake.put("new");
    house.visit().await;
    assert_eq!(fake.uids(), [2]);
}

#[tokio::test]
async fn several_folders_go_where_they_shall() {
    let fake = Fake::imap(usual).await;
    fake.put("one");
    let house = House::at(&fake).await;
    house
        .change(|account| {
            account.folders = vec!["Работа".to_owned(), "Sent".to_owned()];
            account.into = "Old".to_owned();
            account.mark_seen = true;
        })
        .await;
    house.visit().await;
    let taken = house.taken().await;
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0].0.folder.as_deref(), Some("Old"));
    assert_eq!(
        (
            fake.count("SELECT \"&BCAEMAQxBD4EQgQw-\""),
            fake.count("SELECT \"Sent\"")
        ),
        (1, 1)
    );
    assert_eq!(fake.flags(), [["\\Seen", "\\Seen"]]);
}

// What is not here would look as if it had been read.
#[tokio::test]
async fn only_what_was_taken_is_marked_as_seen() {
    let fake = Fake::imap(at(true, "UID FETCH 4 (UID BODY", "TAG NO damaged\r\n", false)).await;
    fake.put_text([message("large"), vec![b'x'; 5000]].concat());
    fake.put("one");
    let hops = "Received: from x by y; now\r\n".repeat(70);
    fake.put_text([hops.as_bytes(), &message("hops")].concat());
    fake.put("damaged");
    let house = House::at(&fake).await;
    house.setting("smtp.message-size-max", "4000").await;
    house.change(|account| account.mark_seen = true).await;
    house.visit().await;
    assert_eq!(house.subjects().await, ["one"]);
    let none = Vec::<String>::new();
    assert_eq!(
        fake.flags(),
        [none.clone(), vec!["\\Seen".to_owned()], none.clone(), none]
    );
}

#[tokio::test]
async fn servers_that_are_none_are_told_of_and_nothing_wrong_is_taken() {
    let text = "UID FETCH 1 (UID BODY";
    for (command, said, closes, expected) in [
        ("CAPABILITY", "no response at all\r\n", false, "external-garbage"),
        ("CAPABILITY", "* BYE busy\r\n", true, "external-closed"),
        (
            "LOGIN",
            "TAG NO [AUTHENTICATIONFAILED] wrong\r\n",
            false,
            "external-login-refused",
        ),
        (
            "LOGIN",
            "TAG NO [UNAVAILABLE] later\r\n",
            false,
            "external-command-refused",
        ),
        ("EXAMINE", "* 1 EXISTS\r\nTAG OK\r\n", false, "external-garbage"),
        (
            "EXAMINE",
            "TAG NO no such folder\r\n",
            false,
            "external-command-refused",
        ),
        (
            "UID FETCH 1:*",
            "* 1 FETCH (UID\r\nTAG OK\r\n",
            false,
            "external-garbage",
        ),
        // Half a message.
        (
            text,
            "* 1 FETCH (UID 1 BODY[] {500}\r\nSubject: half\r\n\r\n",
            true,
            "external-closed",
        ),
        // More than was said.
        (
            text,
            "* 1 FETCH (UID 1 BODY[] {5}\r\nSubject: long\r\n)\r\nTAG OK\r\n",
            false,
            "external-garbage",
        ),
        // Another message.
        (
            text,
            "* 1 FETCH (UID 9 BODY[] {5}\r\nSubje)\r\nTAG OK\r\n",
            false,
            "external-garbage",
        ),
        (
            text,
            "* 1 FETCH (BODY[] {5}\r\nSubje)\r\nTAG OK\r\n",
            false,
            "external-garbage",
        ),
        // Two texts for one.
        (
            text,
            "* 1 FETCH (UID 1 BODY[] {1}\r\nx)\r\n* 1 FETCH (UID 1 BODY[] {1}\r\ny)\r\nTAG OK\r\n",
            false,
            "external-garbage",
        ),
        // A literal that nobody asked for.
        (text, "* 1 FETCH (X {9999999999}\r\n", false, "external-garbage"),
        (text, "TAG NO damaged\r\n", false, "external-command-refused"),
        ("UID FETCH 1:*", "OTHER OK done\r\n", false, "external-garbage"),
    ] {
        let fake = Fake::imap(at(true, command, said, closes)).await;
        fake.put("one");
        let house = House::at(&fake).await;
        assert_eq!(house.problem().await, expected, "{command} {said}");
        assert!(house.taken().await.is_empty(), "{command} {said}");
    }
}

// Other programs see the mailbox at the same time.
#[tokio::test]
async fn news_in_between_and_messages_that_are_gone_do_no_harm() {
    let said = "* 5 EXISTS\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* VANISHED 3\r\n* LIST () \"/\" {3}\r\na\"b\r\nTAG OK\r\n";
    let fake = Fake::imap(at(true, "UID FETCH 1 (UID BODY", said, false)).await;
    fake.put("gone");
    fake.put("there");
    let house = House::at(&fake).await;
    assert_eq!(house.problem().await, "fine");
    assert_eq!(house.subjects().await, ["there"]);
}
