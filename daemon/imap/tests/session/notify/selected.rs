//! The selected mailbox.

use super::*;

#[tokio::test]
async fn the_selected_mailbox_is_told_at_once_or_where_an_expunge_may_be() {
    let world = World::new().await;
    let mut client = world.inbox(3).await;
    let mut other = another(&world).await;
    other.ok("SELECT INBOX").await;
    client
        .ok("NOTIFY SET (SELECTED (MessageNew (UID ENVELOPE) MessageExpunge FlagChange))")
        .await;
    other.ok("STORE 2 +FLAGS.SILENT (\\Flagged)").await;
    assert_eq!(told(&mut client).await, "* 2 FETCH (UID 2 FLAGS (\\Flagged))");
    other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    assert_eq!(told(&mut client).await, "* 1 FETCH (UID 1 FLAGS (\\Deleted))");
    other.ok("EXPUNGE").await;
    assert_eq!(told(&mut client).await, "* 1 EXPUNGE");
    other.append("INBOX", MAIL).await;
    assert_eq!(told(&mut client).await, "* 3 EXISTS");
    let line = told(&mut client).await;
    assert!(
        line.starts_with("* 3 FETCH (UID 4 ENVELOPE (\"Mon, 1 Jan 2024"),
        "{line}"
    );
    // Not of the client's own.
    client.append("INBOX", MAIL).await;
    assert_eq!(said(&mut client).await, Vec::<String>::new());
    other.ok("NOOP").await;
    // Of those that nobody may see read.
    client
        .ok("NOTIFY SET (SELECTED (MessageNew (BODY[TEXT]) MessageExpunge FlagChange))")
        .await;
    other.append("INBOX", MAIL).await;
    let lines = [told(&mut client).await, told(&mut client).await];
    assert_eq!(lines[0], "* 5 EXISTS");
    assert!(lines[1].starts_with("* 5 FETCH (UID 6 BODY[TEXT] {"), "{lines:?}");
    assert!(!lines[1].contains("\\Seen"));

    // What is gone waits for a command that allows it, or for IDLE.
    client
        .ok("NOTIFY SET (SELECTED-DELAYED (MessageNew MessageExpunge FlagChange))")
        .await;
    other.ok("NOOP").await;
    other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    assert_eq!(
        told(&mut client).await,
        "* 1 FETCH (UID 2 FLAGS (\\Flagged \\Deleted))"
    );
    other.ok("EXPUNGE").await;
    other.append("INBOX", MAIL).await;
    // The number counts the one that is gone still.
    assert_eq!(told(&mut client).await, "* 6 EXISTS");
    assert_eq!(all(&mut client, "FETCH 2 UID").await, ["* 2 FETCH (UID 3)"]);
    assert_eq!(said(&mut client).await, ["* 1 EXPUNGE"]);
    client.send("i IDLE\r\n").await;
    assert_eq!(told(&mut client).await, "+ idling");
    other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    assert_eq!(told(&mut client).await, "* 1 FETCH (UID 3 FLAGS (\\Deleted))");
    other.ok("EXPUNGE").await;
    assert_eq!(told(&mut client).await, "* 1 EXPUNGE");
    client.send("DONE\r\n").await;
    client.until("i").await;
}

#[tokio::test]
async fn what_is_not_wanted_is_not_told_and_not_lost() {
    let world = World::new().await;
    let mut client = world.inbox(4).await;
    let mut other = another(&world).await;
    other.ok("SELECT INBOX").await;
    client.ok("NOTIFY NONE").await;
    other.append("INBOX", MAIL).await;
    other.ok("STORE 1 +FLAGS.SILENT (\\Flagged)").await;
    assert_eq!(said(&mut client).await, Vec::<String>::new());
    client.send("i IDLE\r\n").await;
    client.send("DONE\r\n").await;
    assert_eq!(client.until("i").await.len(), 2);
    // Its own EXPUNGE is answered, and no more than that.
    client.ok("STORE 2 +FLAGS.SILENT (\\Deleted)").await;
    assert_eq!(client.ok("EXPUNGE").await, ["* 2 EXPUNGE"]);
    assert_eq!(client.ok("UID MOVE 3 Trash").await.last().unwrap(), "* 2 EXPUNGE");
    assert_eq!(
        client.ok("FETCH 1:2 UID").await,
        ["* 1 FETCH (UID 1)", "* 2 FETCH (UID 4)"]
    );
    assert!(client.answer("FETCH 3 UID").await.starts_with("BAD"));
    // Some of it is wanted now, then all.
    let lines = all(&mut client, "NOTIFY SET (SELECTED (MessageNew MessageExpunge))").await;
    assert!(lines.contains(&"* 3 EXISTS".to_owned()), "{lines:?}");
    assert!(
        lines.contains(&"* 1 FETCH (UID 1 FLAGS (\\Flagged))".to_owned()),
        "{lines:?}"
    );
    other.ok("NOOP").await;
    other.ok("STORE 2 +FLAGS.SILENT (\\Answered)").await;
    assert_eq!(said(&mut client).await, Vec::<String>::new());
    let lines = all(
        &mut client,
        "NOTIFY SET (SELECTED (MessageNew MessageExpunge FlagChange))",
    )
    .await;
    assert!(
        lines.contains(&"* 2 FETCH (UID 4 FLAGS (\\Answered))".to_owned()),
        "{lines:?}"
    );
    // Without SELECTED there is nothing of the selected mailbox.
    client.ok("NOTIFY SET (PERSONAL (MailboxName))").await;
    other.append("INBOX", MAIL).await;
    assert_eq!(said(&mut client).await, Vec::<String>::new());
}

#[tokio::test]
async fn modseqs_and_vanished() {
    let world = World::new().await;
    let mut client = world.user().await;
    client.append("INBOX", MAIL).await;
    client.append("INBOX", MAIL).await;
    client.ok("ENABLE QRESYNC").await;
    client.ok("SELECT INBOX").await;
    client
        .ok("NOTIFY SET (SELECTED (MessageNew (FLAGS) MessageExpunge FlagChange)) (INBOXES (MessageNew MessageExpunge))")
        .await;
    let mut other = another(&world).await;
    other.ok("SELECT INBOX").await;
    other.ok("STORE 1 +FLAGS (\\Deleted)").await;
    let line = told(&mut client).await;
    assert!(line.starts_with("* 1 FETCH (UID 1 MODSEQ ("), "{line}");
    other.ok("EXPUNGE").await;
    assert_eq!(told(&mut client).await, "* VANISHED 1");
    other.append("INBOX", MAIL).await;
    assert_eq!(told(&mut client).await, "* 2 EXISTS");
    let line = told(&mut client).await;
    assert!(
        line.starts_with("* 2 FETCH (MODSEQ (") && line.contains("UID 3"),
        "{line}"
    );
    other.append("Trash", MAIL).await;
    let line = told(&mut client).await;
    assert!(
        line.starts_with("* STATUS Trash (MESSAGES 1 ") && line.contains("HIGHESTMODSEQ"),
        "{line}"
    );
}

#[tokio::test]
async fn messages_that_come_into_a_result_are_fetched() {
    let world = World::new().await;
    let mut client = world.inbox(1).await;
    let mut other = another(&world).await;
    other.ok("SELECT INBOX").await;
    let lines = client
        .ok("UID SEARCH RETURN (COUNT UPDATE (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])) FLAGGED")
        .await;
    let tag = lines[0].split('"').nth(1).unwrap().to_owned();
    let came = |uid: u32| format!("* ESEARCH (TAG \"{tag}\") UID ADDTO (0 {uid})");
    client
        .ok("NOTIFY SET (SELECTED (MessageNew (FLAGS) MessageExpunge FlagChange))")
        .await;
    // A new one: EXISTS, one FETCH of all that is wanted, ESEARCH.
    other.append_with("INBOX", "(\\Flagged) ", MAIL).await;
    assert_eq!(told(&mut client).await, "* 2 EXISTS");
    let line = told(&mut client).await;
    assert!(line.starts_with("* 2 FETCH (FLAGS (\\Flagged) UID 2 "), "{line}");
    assert!(line.contains("Subject: Hello"), "{line}");
    assert_eq!(told(&mut client).await, came(2));
    // Of a flag that was changed its FETCH is told alone.
    other.ok("STORE 1 +FLAGS.SILENT (\\Flagged)").await;
    assert_eq!(told(&mut client).await, "* 1 FETCH (UID 1 FLAGS (\\Flagged))");
    assert_eq!(told(&mut client).await, came(1));
    assert_eq!(said(&mut client).await, Vec::<String>::new());
}
