//! What is seen of the folders of others, and messages that go from one owner to another.

use super::*;

#[tokio::test]
async fn messages_go_between_owners() {
    let world = World::new().await;
    let mut anna = world.inbox(3).await;
    let mut boris = world.other().await;
    anna.ok("SETACL INBOX boris@example.test lrswite").await;
    boris.ok(&format!("SELECT {ANNAS}")).await;
    boris.answers("COPY 1:2 INBOX", "OK [COPYUID ").await;
    let lines = boris.ok("MOVE 3 INBOX").await;
    assert!(
        lines[0].starts_with("* OK [COPYUID ") && lines[1] == "* 3 EXPUNGE",
        "{lines:?}"
    );
    assert_eq!(
        boris.ok("STATUS INBOX (MESSAGES)").await,
        ["* STATUS INBOX (MESSAGES 3)"]
    );
    boris.ok("SELECT INBOX").await;
    boris.ok(&format!("MOVE 1:3 {ANNAS}")).await;
    assert_eq!(
        anna.ok("STATUS INBOX (MESSAGES)").await[0],
        "* STATUS INBOX (MESSAGES 5)"
    );
    // The second user may fill 10,000 bytes: what does not fit is not copied.
    let large = format!("Subject: large\r\n\r\n{}\r\n", "x".repeat(9_000));
    anna.append("INBOX", &large).await;
    boris.append("INBOX", &large).await;
    boris.ok(&format!("SELECT {ANNAS}")).await;
    boris.answers("COPY 6 INBOX", "NO [OVERQUOTA]").await;
    boris.answers("MOVE 6 INBOX", "NO [OVERQUOTA]").await;
    boris.ok("SELECT INBOX").await;
    boris.answers("COPY 1 Archive", "NO [OVERQUOTA]").await;
    boris.ok("MOVE 1 Archive").await;
}

#[tokio::test]
async fn lists_show_what_may_be_seen() {
    let world = World::new().await;
    let mut anna = world.user().await;
    let mut boris = world.other().await;
    assert_eq!(boris.ok("LIST \"\" \"Other*\"").await, Vec::<String>::new());
    anna.ok("CREATE Work/Secret/Open").await;
    anna.ok("SETACL Sent boris@example.test lr").await;
    anna.ok("SETACL Work/Secret/Open boris@example.test lk").await;
    anna.ok("SETACL Work boris@example.test r").await;
    assert_eq!(
        boris.ok("NAMESPACE").await,
        ["* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\")) ((\"Public/\" \"/\"))"]
    );
    let root = "Other Users/anna@example.test";
    assert_eq!(
        boris.ok("LIST \"\" \"Other Users*\" RETURN ()").await,
        [
            "* LIST (\\NonExistent \\HasChildren) \"/\" \"Other Users\"".to_owned(),
            format!("* LIST (\\NonExistent \\HasChildren) \"/\" \"{root}\""),
            format!("* LIST (\\HasNoChildren) \"/\" \"{root}/Sent\""),
            format!("* LIST (\\NonExistent \\HasChildren) \"/\" \"{root}/Work\""),
            format!("* LIST (\\NonExistent \\HasChildren) \"/\" \"{root}/Work/Secret\""),
            format!("* LIST (\\HasNoChildren) \"/\" \"{root}/Work/Secret/Open\""),
        ]
    );
    let lines = boris.ok("LIST \"\" %").await;
    assert!(
        lines.contains(&"* LIST (\\Noselect \\HasChildren) \"/\" \"Other Users\"".to_owned()),
        "{lines:?}"
    );
    let lines = boris
        .ok("LIST \"\" \"Other Users/%/%\" RETURN (MYRIGHTS STATUS (MESSAGES))")
        .await;
    assert_eq!(
        lines[..3],
        [
            format!("* LIST (\\HasNoChildren) \"/\" \"{root}/Sent\""),
            format!("* MYRIGHTS \"{root}/Sent\" lr"),
            format!("* STATUS \"{root}/Sent\" (MESSAGES 0)"),
        ]
    );
    let own = boris.ok("LIST \"\" INBOX RETURN (MYRIGHTS)").await;
    assert_eq!(own[1], "* MYRIGHTS INBOX lrswipkxteacd");
    // Subscriptions are the subscriber's.
    boris.ok(&format!("SUBSCRIBE \"{root}/Sent\"")).await;
    let lines = boris.ok("LSUB \"\" \"Other*\"").await;
    assert_eq!(lines, [format!("* LSUB () \"/\" \"{root}/Sent\"")]);
    let lines = boris
        .ok("LIST (SUBSCRIBED RECURSIVEMATCH) \"\" \"Other Users/%\"")
        .await;
    assert_eq!(
        lines,
        [format!(
            "* LIST (\\NonExistent \\HasChildren) \"/\" \"{root}\" (\"CHILDINFO\" (\"SUBSCRIBED\"))"
        )]
    );
    anna.ok("DELETEACL Sent boris@example.test").await;
    let lines = boris.ok("LIST (SUBSCRIBED) \"\" \"Other*\"").await;
    assert_eq!(
        lines,
        [format!(
            "* LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" \"{root}/Sent\""
        )]
    );
    boris.ok(&format!("UNSUBSCRIBE \"{root}/Sent\"")).await;
    // New folders have the rights of the one above.
    boris.ok(&format!("CREATE \"{root}/Work/Secret/Open/New\"")).await;
    assert_eq!(
        boris
            .ok(&format!("MYRIGHTS \"{root}/Work/Secret/Open/New\""))
            .await,
        [format!("* MYRIGHTS \"{root}/Work/Secret/Open/New\" lkc")]
    );
    // What is not there, is hidden, or belongs to nobody, can't be told apart.
    for name in ["Work/Secret", "None", "Work"] {
        let answer = boris.answer(&format!("GETACL \"{root}/{name}\"")).await;
        assert!(answer.starts_with("NO [NONEXISTENT]"), "{name}: {answer}");
    }
    for name in ["Other Users/nobody@example.test/x", "Other Users/x", "Public/x/y"] {
        for command in ["CREATE", "RENAME Trash"] {
            let answer = boris.answer(&format!("{command} \"{name}\"")).await;
            assert!(answer.starts_with("NO [NOPERM]"), "{command} {name}: {answer}");
        }
    }
    anna.ok("DELETE Work/Secret/Open/New").await;
    anna.ok("DELETE Work/Secret/Open").await;
    assert_eq!(boris.ok("LIST \"\" \"Other*\"").await, Vec::<String>::new());
}
