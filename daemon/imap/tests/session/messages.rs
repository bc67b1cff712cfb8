use crate::support::*;

#[tokio::test]
async fn flags_and_keywords() {
    let world = World::new().await;
    let mut client = world.inbox(2).await;
    let lines = client.ok("STORE 1 +FLAGS (\\Seen $Work)").await;
    assert!(
        lines[0].starts_with("* FLAGS (") && lines[0].contains("$Work"),
        "{lines:?}"
    );
    assert_eq!(lines.last().unwrap(), "* 1 FETCH (FLAGS (\\Recent \\Seen $Work))");
    assert_eq!(
        client.ok("UID STORE 1 -FLAGS (\\Seen)").await,
        ["* 1 FETCH (UID 1 FLAGS (\\Recent $Work))"]
    );
    assert!(client.ok("STORE 1:2 FLAGS.SILENT (\\Draft)").await.is_empty());
    assert_eq!(
        client.ok("FETCH 1:2 FLAGS").await,
        [
            "* 1 FETCH (FLAGS (\\Recent \\Draft))",
            "* 2 FETCH (FLAGS (\\Recent \\Draft))"
        ]
    );
    assert!(client.answer("STORE 3 FLAGS ()").await.starts_with("BAD"));
    assert!(client.answer("UID STORE 77 FLAGS ()").await.starts_with("OK"));
}

#[tokio::test]
async fn expunge_and_close() {
    let world = World::new().await;
    let mut client = world.inbox(4).await;
    client.ok("STORE 1,3 +FLAGS.SILENT (\\Deleted)").await;
    assert_eq!(client.ok("UID EXPUNGE 1:2").await, ["* 1 EXPUNGE"]);
    assert_eq!(client.ok("EXPUNGE").await, ["* 2 EXPUNGE"]);
    client.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    assert!(client.ok("CLOSE").await.is_empty());
    assert_eq!(
        client.ok("STATUS INBOX (MESSAGES)").await,
        ["* STATUS INBOX (MESSAGES 1)"]
    );
    client.ok("SELECT INBOX").await;
    client.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    client.ok("UNSELECT").await;
    assert_eq!(
        client.ok("STATUS INBOX (MESSAGES DELETED)").await,
        ["* STATUS INBOX (MESSAGES 1 DELETED 1)"]
    );
}

#[tokio::test]
async fn copy_and_move() {
    let world = World::new().await;
    let mut client = world.inbox(3).await;
    assert!(client.answer("COPY 1 None").await.starts_with("NO [TRYCREATE]"));
    client.ok("CREATE Box").await;
    client.ok("STORE 2 +FLAGS.SILENT (\\Flagged $Kept)").await;
    let answer = client.answer("COPY 1:2 Box").await;
    assert!(
        answer.starts_with("OK [COPYUID ") && answer.contains(" 1:2 1:2]"),
        "{answer}"
    );
    let lines = client.ok("UID MOVE 3,2 Box").await;
    assert!(
        lines[0].starts_with("* OK [COPYUID ") && lines[0].contains(" 2:3 3:4]"),
        "{lines:?}"
    );
    assert_eq!(lines[1..], ["* 3 EXPUNGE", "* 2 EXPUNGE"]);
    client.ok("SELECT Box").await;
    let lines = client.ok("FETCH 1:* FLAGS").await;
    assert_eq!(lines.len(), 4);
    assert!(lines[2].contains("\\Flagged $Kept"), "{lines:?}");
}

#[tokio::test]
async fn pipelined_commands_answer_in_order() {
    let world = World::new().await;
    let mut client = world.inbox(2).await;
    client
        .send("a STORE 1 +FLAGS (\\Deleted)\r\nb EXPUNGE\r\nc FETCH 1 UID\r\nd NOOP\r\ne UID SEARCH ALL\r\n")
        .await;
    let lines = client.until("e").await;
    assert_eq!(
        lines,
        [
            "* 1 FETCH (FLAGS (\\Recent \\Deleted))",
            "a OK completed",
            "* 1 EXPUNGE",
            "b OK completed",
            "* 1 FETCH (UID 2)",
            "c OK completed",
            "d OK completed",
            "* SEARCH 2",
            "e OK completed",
        ]
    );
}
