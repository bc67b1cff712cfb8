use crate::support::*;

fn subject(subject: &str) -> String {
    format!("Subject: {subject}\r\n\r\nText\r\n")
}

#[tokio::test]
async fn a_search_is_kept_up_to_date() {
    let world = World::new().await;
    let mut client = world.inbox(4).await;
    client.ok("STORE 2:3 +FLAGS.SILENT (\\Flagged)").await;
    let lines = client.ok("UID SEARCH RETURN (UPDATE COUNT) FLAGGED").await;
    assert!(lines[0].ends_with(") UID COUNT 2"), "{lines:?}");
    let tag = lines[0].split('"').nth(1).unwrap().to_owned();
    let update = |what: &str| format!("* ESEARCH (TAG \"{tag}\") UID {what}");
    // One's own changes.
    let lines = client.ok("STORE 1 +FLAGS (\\Flagged)").await;
    assert_eq!(lines.last().unwrap(), &update("ADDTO (0 1)"));
    let lines = client.ok("STORE 1:2 -FLAGS.SILENT (\\Flagged)").await;
    assert_eq!(lines, [update("REMOVEFROM (0 1:2)")]);
    // What does not concern it.
    assert_eq!(
        client.ok("STORE 4 +FLAGS.SILENT (\\Seen)").await,
        Vec::<String>::new()
    );
    // Those of others, and new messages after their EXISTS.
    let mut other = world.user().await;
    other.ok("SELECT INBOX").await;
    other.ok("STORE 4 +FLAGS (\\Flagged)").await;
    other.append_with("INBOX", "(\\Flagged) ", MAIL).await;
    let lines = client.ok("NOOP").await;
    let at = |start: &str| lines.iter().position(|line| line.starts_with(start));
    assert_eq!(lines.last().unwrap(), &update("ADDTO (0 4:5)"), "{lines:?}");
    assert!(at("* 5 EXISTS").unwrap() < lines.len() - 1 && at("* 4 FETCH").is_some());
    // What is expunged goes before the EXPUNGE is told.
    other.ok("STORE 3 +FLAGS.SILENT (\\Deleted)").await;
    other.ok("EXPUNGE").await;
    let lines = client.ok("FETCH 1 (UID)").await;
    assert!(lines.contains(&update("REMOVEFROM (0 3)")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.ends_with("EXPUNGE")));
    let lines = client.ok("NOOP").await;
    assert_eq!(lines, ["* 3 EXPUNGE"]);
    // Idle as well.
    client.send("i IDLE\r\n").await;
    assert!(client.line().await.starts_with('+'));
    other.append_with("INBOX", "(\\Flagged) ", MAIL).await;
    while client.line().await != update("ADDTO (0 6)") {}
    client.send("DONE\r\n").await;
    client.until("i").await;
    assert!(
        client
            .answer(&format!("CANCELUPDATE \"{tag}\""))
            .await
            .starts_with("OK")
    );
    let lines = client.ok("STORE 1:* +FLAGS.SILENT (\\Flagged)").await;
    assert!(lines.is_empty(), "{lines:?}");
    for wrong in [
        "CANCELUPDATE",
        "CANCELUPDATE t1",
        "CANCELUPDATE \"t1\" ",
        &format!("CANCELUPDATE \"{tag}\""),
    ] {
        assert!(client.answer(wrong).await.starts_with("BAD"), "{wrong}");
    }
}

#[tokio::test]
async fn a_sorted_result_is_kept_in_its_order() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    for name in ["delta", "bravo", "echo"] {
        client.append("INBOX", &subject(name)).await;
    }
    client.ok("NOOP").await;
    let lines = client
        .ok("UID SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 UNDELETED")
        .await;
    assert!(lines[0].ends_with(") UID ALL 2,1,3"), "{lines:?}");
    let tag = lines[0].split('"').nth(1).unwrap().to_owned();
    let update = |what: &str| format!("* ESEARCH (TAG \"{tag}\") UID {what}");
    for (name, expected) in [
        ("alpha", "ADDTO (1 4)"),
        ("charlie", "ADDTO (3 5)"),
        ("foxtrot", "ADDTO (6 6)"),
    ] {
        client.append("INBOX", &subject(name)).await;
        // The APPEND itself has told it, or this does.
        let lines = client.ok("NOOP").await;
        if !lines.is_empty() {
            assert_eq!(lines.last().unwrap(), &update(expected));
        }
    }
    // alpha 4, bravo 2, charlie 5, delta 1, echo 3, foxtrot 6
    let lines = client.ok("UID STORE 1,2,5 +FLAGS.SILENT (\\Deleted)").await;
    assert_eq!(lines.last().unwrap(), &update("REMOVEFROM (2 2,5,1)"));
    let lines = client.ok("UID STORE 1,5 -FLAGS.SILENT (\\Deleted)").await;
    let told = lines.last().unwrap();
    assert!(
        told == &update("ADDTO (2 1 2 5)") || told == &update("ADDTO (2 5,1)"),
        "{told}"
    );
    let lines = client.ok("EXPUNGE").await;
    assert!(!lines.iter().any(|line| line.contains("ESEARCH")), "{lines:?}");
    client.ok("UID STORE 3 +FLAGS.SILENT (\\Deleted)").await;
    let lines = client.ok("UID STORE 4 +FLAGS.SILENT (\\Deleted)").await;
    assert_eq!(lines.last().unwrap(), &update("REMOVEFROM (1 4)"));
}

#[tokio::test]
async fn numbers_tags_and_limits() {
    let world = World::new().await;
    let mut client = world.inbox(3).await;
    client
        .send("u SEARCH RETURN (UPDATE CONTEXT) 1:2 UNSEEN\r\n")
        .await;
    assert_eq!(client.until("u").await[0], "* ESEARCH (TAG \"u\")");
    // Message numbers are those of the command.
    client.ok("STORE 3 +FLAGS.SILENT (\\Deleted \\Seen)").await;
    client.ok("EXPUNGE").await;
    client.append("INBOX", MAIL).await;
    let mut lines = client.ok("NOOP").await;
    lines.retain(|line| line.contains("ESEARCH"));
    assert!(lines.is_empty(), "{lines:?}");
    let lines = client.ok("STORE 2 +FLAGS.SILENT (\\Seen)").await;
    assert_eq!(lines, ["* ESEARCH (TAG \"u\") REMOVEFROM (0 2)"]);
    client.send("u SORT RETURN (UPDATE) (DATE) UTF-8 ALL\r\n").await;
    assert!(client.until("u").await[0].starts_with("u BAD"));
    for number in 0..7 {
        client
            .send(&format!("u{number} SEARCH RETURN (UPDATE COUNT) ALL\r\n"))
            .await;
        assert_eq!(client.until(&format!("u{number}")).await.len(), 2);
    }
    // RFC 5267 §4.3.1: the rest is honoured.
    client
        .send("v SORT RETURN (UPDATE COUNT) (DATE) UTF-8 ALL\r\n")
        .await;
    let lines = client.until("v").await;
    assert_eq!(lines[0], "* ESEARCH (TAG \"v\") COUNT 3");
    assert!(lines[1].starts_with("* NO [NOUPDATE \"v\"] "), "{lines:?}");
    assert!(lines[2].starts_with("v OK"));
    client.ok("CANCELUPDATE \"u0\" \"u1\"").await;
    client
        .send("v SORT RETURN (UPDATE COUNT) (DATE) UTF-8 ALL\r\n")
        .await;
    assert_eq!(client.until("v").await.len(), 2);
    // Another mailbox, another life.
    client.ok("SELECT INBOX").await;
    assert!(client.answer("CANCELUPDATE \"u\"").await.starts_with("BAD"));
    assert!(client.ok("STORE 1 +FLAGS.SILENT (\\Seen)").await.is_empty());
}
