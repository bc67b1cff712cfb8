use crate::support::*;

#[tokio::test]
async fn noop_tells_what_others_did() {
    let world = World::new().await;
    let mut first = world.inbox(3).await;
    let mut second = world.inbox(0).await;
    second.ok("STORE 2 +FLAGS.SILENT (\\Seen)").await;
    second.append("INBOX", MAIL).await;
    second.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    second.ok("EXPUNGE").await;
    let lines = first.ok("NOOP").await;
    assert_eq!(lines[..2], ["* 1 EXPUNGE", "* 3 EXISTS"], "{lines:?}");
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("* 1 FETCH (FLAGS (") && line.contains("\\Seen")),
        "{lines:?}"
    );
    assert!(first.ok("NOOP").await.is_empty());
}

#[tokio::test]
async fn no_expunge_while_numbers_are_in_use() {
    let world = World::new().await;
    let mut first = world.inbox(3).await;
    let mut second = world.inbox(0).await;
    second.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    second.ok("EXPUNGE").await;
    for command in ["FETCH 2 UID", "SEARCH UID 2", "STORE 2 +FLAGS (\\Flagged)"] {
        let lines = first.ok(command).await;
        assert!(
            !lines.iter().any(|line| line.ends_with("EXPUNGE")),
            "{command}: {lines:?}"
        );
        assert!(
            !lines.iter().any(|line| line.contains("1 FETCH")),
            "{command}: {lines:?}"
        );
    }
    // The text is gone, and that is said; the number is still there.
    let answer = first.answer("FETCH 1 BODY.PEEK[]").await;
    assert!(answer.starts_with("NO [EXPUNGEISSUED]"), "{answer}");
    // A UID command may tell it.
    let lines = first.ok("UID FETCH 2 UID").await;
    assert_eq!(lines, ["* 2 FETCH (UID 2)", "* 1 EXPUNGE"]);
    assert_eq!(first.ok("FETCH 1 UID").await, ["* 1 FETCH (UID 2)"]);
}

#[tokio::test]
async fn idle_pushes() {
    let world = World::new().await;
    let mut first = world.inbox(1).await;
    let mut second = world.inbox(0).await;
    first.send("i IDLE\r\n").await;
    assert!(first.line().await.starts_with('+'));
    second.append("INBOX", MAIL).await;
    assert_eq!(first.line().await, "* 2 EXISTS");
    assert!(first.line().await.ends_with("RECENT"));
    second.ok("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    assert!(first.line().await.starts_with("* 1 FETCH (FLAGS ("));
    second.ok("EXPUNGE").await;
    assert_eq!(first.line().await, "* 1 EXPUNGE");
    first.send("done\r\n").await;
    assert!(first.line().await.starts_with("i OK"));
    // DONE may come with the command.
    first.send("j IDLE\r\nDONE\r\nk IDLE\r\nx\r\n").await;
    assert!(first.line().await.starts_with('+'));
    assert!(first.line().await.starts_with("j OK"));
    assert!(first.line().await.starts_with('+'));
    assert!(first.line().await.starts_with("k BAD"));
}

#[tokio::test]
async fn a_removed_folder_ends_its_sessions() {
    let world = World::new().await;
    let mut first = world.user().await;
    first.ok("CREATE Box").await;
    first.ok("SELECT Box").await;
    let mut second = world.user().await;
    second.ok("DELETE Box").await;
    first.send("a NOOP\r\n").await;
    assert!(first.line().await.starts_with("* BYE"));
    assert!(first.is_closed().await);
}

/// Ten thousand idle clients must fit into the memory of a small machine.
#[tokio::test]
async fn a_session_is_small() {
    let world = World::new().await;
    let (_near, far) = tokio::io::duplex(64);
    let session = batpost_imap::serve(net::Conn::for_test(far), world.server.clone());
    assert!(size_of_val(&session) <= 4096, "{} bytes", size_of_val(&session));
}

/// More messages than one portion of the store has: nothing is told twice, or not at all.
#[tokio::test]
async fn commands_on_very_many_messages() {
    const MANY: usize = 2200;
    let world = World::new().await;
    let mut first = world.inbox(1).await;
    let mut there = 1;
    while there < MANY {
        let count = there.min(MANY - there);
        first.ok(&format!("COPY 1:{count} INBOX")).await;
        there += count;
    }
    assert_eq!(
        first
            .ok("SELECT INBOX")
            .await
            .iter()
            .filter(|line| **line == "* 2200 EXISTS")
            .count(),
        1
    );
    let mut second = world.inbox(0).await;
    let mut third = world.user().await;
    third.ok("ENABLE QRESYNC").await;
    third.ok("SELECT INBOX").await;

    let lines = first.ok("STORE 1:* +FLAGS (\\Flagged)").await;
    let expected: Vec<String> = (1..=MANY)
        .map(|n| format!("* {n} FETCH (FLAGS (\\Flagged"))
        .collect();
    assert_eq!(lines.len(), MANY);
    assert!(
        lines
            .iter()
            .zip(&expected)
            .all(|(line, expected)| line.starts_with(expected))
    );
    assert!(first.ok("NOOP").await.is_empty(), "its own changes are not news");
    let lines = second.ok("NOOP").await;
    assert_eq!(lines.iter().filter(|line| line.contains("Flagged")).count(), MANY);

    // A change of somebody else in the second portion.
    second.ok("STORE 1500 +FLAGS.SILENT (\\Seen)").await;
    let highest = |lines: Vec<String>| {
        let line = lines.iter().find(|line| line.contains("HIGHESTMODSEQ")).unwrap();
        line.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
            .parse::<u64>()
            .unwrap()
    };
    let before = highest(third.ok("STATUS INBOX (HIGHESTMODSEQ)").await) - 1;
    let answer = third
        .answer(&format!(
            "STORE 1:* (UNCHANGEDSINCE {before}) +FLAGS.SILENT (\\Deleted)"
        ))
        .await;
    assert!(answer.starts_with("OK [MODIFIED 1500]"), "{answer}");

    // RFC 6851 §4.3: one COPYUID names them all.
    let lines = second.ok("MOVE 1:1100 Archive").await;
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("* OK [COPYUID ") && line.contains(" 1:1100 1:1100]"))
    );
    assert_eq!(
        lines.iter().filter(|line| line.ends_with(" EXPUNGE")).count(),
        1100
    );
    let lines = first.ok("EXPUNGE").await;
    assert_eq!(
        lines.iter().filter(|line| line.ends_with(" EXPUNGE")).count(),
        MANY - 1
    );
    assert_eq!(first.ok("FETCH 1:* UID").await, ["* 1 FETCH (UID 1500)"]);
    let lines = third.ok("NOOP").await;
    assert!(
        lines.contains(&"* VANISHED 1:1499,1501:2200".to_owned()),
        "{lines:?}"
    );
    let lines = second.ok("NOOP").await;
    assert_eq!(
        lines.iter().filter(|line| line.ends_with(" EXPUNGE")).count(),
        MANY - 1101
    );
}
