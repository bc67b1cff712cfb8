//! UIDONLY: a client that knows no message numbers neither says nor hears any.

use crate::support::*;

#[tokio::test]
async fn messages_are_known_by_their_uids() {
    let world = World::new().await;
    let mut client = world.user().await;
    for _ in 0..4 {
        client.append("INBOX", MAIL).await;
    }
    assert_eq!(client.ok("ENABLE UIDONLY").await, ["* ENABLED UIDONLY"]);
    let lines = client.ok("SELECT INBOX").await;
    assert!(!lines.iter().any(|line| line.contains("[UNSEEN")), "{lines:?}");
    assert!(lines.contains(&"* 4 EXISTS".to_owned()), "{lines:?}");
    client.ok("UID STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    assert_eq!(client.ok("EXPUNGE").await, ["* VANISHED 1"]);
    assert_eq!(client.ok("UID FETCH 2 RFC822.SIZE").await.len(), 1);
    for (command, expected) in [
        ("UID FETCH 2:3 INTERNALDATE", "* 2 UIDFETCH (INTERNALDATE \""),
        ("UID FETCH 3 (UID)", "* 3 UIDFETCH (UID 3)"),
        (
            "UID FETCH 3 (BODY.PEEK[HEADER.FIELDS (SUBJECT)])",
            "* 3 UIDFETCH (BODY[HEADER.FIELDS (SUBJECT)] {",
        ),
        ("UID STORE 2 +FLAGS (\\Flagged)", "* 2 UIDFETCH (FLAGS ("),
        ("UID SEARCH UID 3:4", "* SEARCH 3 4"),
        ("UID SEARCH RETURN (SAVE) FLAGGED", ""),
        ("UID FETCH $ (UID)", "* 2 UIDFETCH (UID 2)"),
    ] {
        let lines = client.ok(command).await;
        assert!(
            lines.first().map_or("", String::as_str).starts_with(expected),
            "{command}: {lines:?}"
        );
    }
    let lines = client.ok("UID FETCH 4 BODY[TEXT]").await;
    assert!(
        lines[0].starts_with("* 4 UIDFETCH (BODY[TEXT] {") && lines[0].contains("\\Seen"),
        "{lines:?}"
    );
    // What others do.
    let mut other = world.user().await;
    other.ok("SELECT INBOX").await;
    other.ok("STORE 2 +FLAGS.SILENT (\\Answered)").await;
    let lines = client.ok("NOOP").await;
    assert!(lines[0].starts_with("* 3 UIDFETCH (FLAGS ("), "{lines:?}");
    client
        .ok("NOTIFY SET (SELECTED (MessageNew (FLAGS) MessageExpunge FlagChange))")
        .await;
    other.append("INBOX", MAIL).await;
    assert_eq!(client.line().await, "* 4 EXISTS");
    assert!(client.line().await.ends_with(" RECENT"));
    assert!(client.line().await.starts_with("* 5 UIDFETCH (FLAGS ("));
    other.ok("UID STORE 3 +FLAGS.SILENT (\\Deleted)").await;
    assert!(client.line().await.starts_with("* 3 UIDFETCH (FLAGS ("));
    other.ok("EXPUNGE").await;
    assert_eq!(client.line().await, "* VANISHED 3");
    // MODSEQs, with the UID once.
    client.ok("ENABLE CONDSTORE").await;
    let lines = client.ok("UID STORE 4 +FLAGS.SILENT (\\Draft)").await;
    assert!(lines[0].starts_with("* 4 UIDFETCH (MODSEQ ("), "{lines:?}");
    let lines = client.ok("UID MOVE 4 Trash").await;
    assert_eq!(lines.last().unwrap(), "* VANISHED 4");
}

#[tokio::test]
async fn message_numbers_are_refused() {
    let world = World::new().await;
    let mut client = world.inbox(2).await;
    client.ok("UNSELECT").await;
    client.ok("ENABLE UIDONLY QRESYNC").await;
    let refused = "BAD [UIDREQUIRED] ";
    let select = "SELECT INBOX (QRESYNC (1 1 1:2 (1 1)))";
    assert!(client.answer(select).await.starts_with(refused));
    client.ok("SELECT INBOX").await;
    for command in [
        "FETCH 1 FLAGS",
        "FETCH $ FLAGS",
        "STORE 1 +FLAGS (\\Seen)",
        "SEARCH ALL",
        "SEARCH RETURN (COUNT) UID 1",
        "SORT (SUBJECT) UTF-8 ALL",
        "THREAD REFERENCES UTF-8 ALL",
        "COPY 1 Trash",
        "MOVE 1 Trash",
        "UID SEARCH 1",
        "UID SEARCH NOT 1:*",
        "UID SEARCH OR SEEN (ALL 1)",
        "UID SORT (SUBJECT) UTF-8 1",
        "UID THREAD REFERENCES UTF-8 1",
        "ESEARCH IN (personal) 1",
    ] {
        let answer = client.answer(command).await;
        assert!(answer.starts_with(refused), "{command}: {answer}");
    }
    client.send("r REPLACE 1 INBOX {3+}\r\nabc\r\n").await;
    let answer = client.until("r").await.pop().unwrap();
    assert!(answer.starts_with("r BAD [UIDREQUIRED] "), "{answer}");
    client
        .send("u UID REPLACE 1 INBOX {17+}\r\nSubject: x\r\n\r\nb\r\n\r\n")
        .await;
    let lines = client.until("u").await;
    assert!(lines.contains(&"* VANISHED 1".to_owned()), "{lines:?}");
    // Who logs in next begins anew.
    client.ok("UNAUTHENTICATE").await;
    client.ok(&format!("LOGIN {USER} \"{PASSWORD}\"")).await;
    client.ok("SELECT INBOX").await;
    assert_eq!(client.ok("FETCH 1 UID").await, ["* 1 FETCH (UID 2)"]);
}
