//! # tests: LIST-EXTENDED LIST-STATUS

use crate::support::*;

#[tokio::test]
async fn names_come_and_go() {
    let world = World::new().await;
    let mut client = world.user().await;
    client.ok("CREATE Work/2024/").await;
    client.ok("CREATE &BB8EMAQ,BDoEMA-").await;
    assert!(
        client
            .answer("CREATE Work/2024")
            .await
            .starts_with("NO [ALREADYEXISTS]")
    );
    assert!(client.answer("CREATE inbox").await.starts_with("NO"));
    let lines = client.ok("LIST \"\" Work*").await;
    assert_eq!(
        lines,
        [
            "* LIST (\\HasChildren) \"/\" Work",
            "* LIST (\\HasNoChildren) \"/\" Work/2024"
        ]
    );
    let lines = client.ok("LIST \"\" %").await;
    assert!(lines[0].ends_with(" INBOX"), "{lines:?}");
    assert!(
        lines.iter().any(|line| line.ends_with("&BB8EMAQ,BDoEMA-")),
        "{lines:?}"
    );
    assert!(lines.iter().any(|line| line.contains("\\Sent")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("2024")), "{lines:?}");
    client.ok("RENAME Work Old").await;
    assert_eq!(
        client.ok("LIST Old/ %").await,
        ["* LIST (\\HasNoChildren) \"/\" Old/2024"]
    );
    client.ok("DELETE Old/2024").await;
    assert!(
        client
            .answer("SELECT Old/2024")
            .await
            .starts_with("NO [NONEXISTENT]")
    );
    assert!(client.answer("DELETE INBOX").await.starts_with("NO"));
    assert_eq!(
        client.ok("LIST \"\" \"\"").await,
        ["* LIST (\\Noselect) \"/\" \"\""]
    );
    assert_eq!(
        client.ok("NAMESPACE").await,
        ["* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\")) ((\"Public/\" \"/\"))"]
    );
}

#[tokio::test]
async fn subscriptions() {
    let world = World::new().await;
    let mut client = world.user().await;
    for name in client.ok("LSUB \"\" *").await {
        let name = name.rsplit(' ').next().unwrap().to_owned();
        client.ok(&format!("UNSUBSCRIBE {name}")).await;
    }
    client.ok("CREATE a/b").await;
    client.ok("SUBSCRIBE a/b").await;
    client.ok("SUBSCRIBE gone").await;
    assert_eq!(
        client.ok("LSUB \"\" *").await,
        ["* LSUB () \"/\" a/b", "* LSUB () \"/\" gone"]
    );
    assert_eq!(
        client.ok("LSUB \"\" %").await,
        ["* LSUB (\\Noselect) \"/\" a", "* LSUB () \"/\" gone"]
    );
    assert_eq!(
        client.ok("LIST (SUBSCRIBED) \"\" *").await,
        [
            "* LIST (\\HasNoChildren \\Subscribed) \"/\" a/b",
            "* LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" gone"
        ]
    );
    assert_eq!(
        client.ok("LIST (SUBSCRIBED RECURSIVEMATCH) \"\" %").await[0],
        "* LIST (\\HasChildren) \"/\" a (\"CHILDINFO\" (\"SUBSCRIBED\"))"
    );
    client.ok("UNSUBSCRIBE a/b").await;
    assert_eq!(client.ok("LSUB \"\" *").await, ["* LSUB () \"/\" gone"]);
}

/// The hierarchy of RFC 5258 §5, example 9: a parent is listed for its children's sake only if one of them is not listed itself (§3.5).
#[tokio::test]
async fn parents_are_listed_for_children_that_are_not() {
    let world = World::new().await;
    let mut client = world.user().await;
    for name in [
        "foo2/bar1",
        "foo2/bar2",
        "baz2/bar2",
        "baz2/bar22",
        "eps2/mamba",
        "qux2/bar2",
    ] {
        client.ok(&format!("CREATE {name}")).await;
        client.ok(&format!("SUBSCRIBE {name}")).await;
    }
    client.ok("SUBSCRIBE eps2").await;
    client.ok("DELETE qux2").await;
    assert_eq!(
        client.ok("LIST (RECURSIVEMATCH SUBSCRIBED) \"\" *2").await,
        [
            "* LIST (\\HasNoChildren \\Subscribed) \"/\" baz2/bar2",
            "* LIST (\\HasNoChildren \\Subscribed) \"/\" baz2/bar22",
            "* LIST (\\HasChildren \\Subscribed) \"/\" eps2 (\"CHILDINFO\" (\"SUBSCRIBED\"))",
            "* LIST (\\HasChildren) \"/\" foo2 (\"CHILDINFO\" (\"SUBSCRIBED\"))",
            "* LIST (\\HasNoChildren \\Subscribed) \"/\" foo2/bar2",
            "* LIST (\\HasNoChildren \\Subscribed) \"/\" qux2/bar2",
        ]
    );
    let lines = client
        .ok("LIST (RECURSIVEMATCH SUBSCRIBED) \"\" %2")
        .await
        .join("\n");
    assert!(
        lines.contains("\\NonExistent \\HasChildren) \"/\" qux2 (\"CHILDINFO\" (\"SUBSCRIBED\"))")
            && lines.contains("\"/\" baz2 (\"CHILDINFO\" (\"SUBSCRIBED\"))"),
        "{lines}"
    );
    // A subscribed parent says so, whatever is listed.
    let lines = client.ok("LIST (RECURSIVEMATCH SUBSCRIBED) \"\" eps*").await;
    assert!(
        lines[0].ends_with("eps2 (\"CHILDINFO\" (\"SUBSCRIBED\"))"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn status_counts() {
    let world = World::new().await;
    let mut client = world.user().await;
    client.append("INBOX", MAIL).await;
    client.append_with("INBOX", "(\\Seen) ", MAIL).await;
    let size = MAIL.len() * 2;
    assert_eq!(
        client
            .ok("STATUS inbox (MESSAGES UNSEEN RECENT SIZE DELETED)")
            .await,
        [format!(
            "* STATUS INBOX (MESSAGES 2 UNSEEN 1 RECENT 2 SIZE {size} DELETED 0)"
        )]
    );
    assert!(
        client
            .answer("STATUS none (MESSAGES)")
            .await
            .starts_with("NO [NONEXISTENT]")
    );
    let lines = client.ok("LIST \"\" INBOX RETURN (STATUS (MESSAGES))").await;
    assert_eq!(
        lines,
        [
            "* LIST (\\HasNoChildren) \"/\" INBOX",
            "* STATUS INBOX (MESSAGES 2)"
        ]
    );
}

#[tokio::test]
async fn special_uses_are_made() {
    let world = World::new().await;
    let mut client = world.user().await;
    assert!(
        client
            .answer("CREATE x (USE (\\Nonsense))")
            .await
            .starts_with("NO [USEATTR]")
    );
    client.ok("CREATE Starred (USE (\\Flagged))").await;
    let lines = client.ok("LIST (SPECIAL-USE) \"\" Star*").await;
    assert_eq!(lines, ["* LIST (\\HasNoChildren \\Flagged) \"/\" Starred"]);
}

#[tokio::test]
async fn select_tells_what_it_must() {
    let world = World::new().await;
    let mut client = world.user().await;
    client.append_with("INBOX", "(\\Seen) ", MAIL).await;
    client.append("INBOX", MAIL).await;
    let lines = client.command("SELECT INBOX").await;
    let all = lines.join("\n");
    for part in [
        "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)",
        "[PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)]",
        "* 2 EXISTS",
        "* 2 RECENT",
        "[UNSEEN 2]",
        "[UIDNEXT 3]",
        "[UIDVALIDITY ",
        "[HIGHESTMODSEQ ",
        "OK [READ-WRITE]",
    ] {
        assert!(all.contains(part), "{part} in {all}");
    }
    // Recent messages were claimed by that SELECT.
    let mut other = world.user().await;
    let lines = other.command("EXAMINE INBOX").await.join("\n");
    assert!(
        lines.contains("* 0 RECENT") && lines.contains("[READ-ONLY]") && lines.contains("PERMANENTFLAGS ()"),
        "{lines}"
    );
    assert!(
        other
            .answer("STORE 1 +FLAGS (\\Seen)")
            .await
            .starts_with("NO [READ-ONLY]")
    );
    assert!(other.answer("EXPUNGE").await.starts_with("NO [READ-ONLY]"));
    // A SELECT that fails leaves nothing selected.
    assert!(other.answer("SELECT none").await.starts_with("NO"));
    assert!(other.answer("FETCH 1 FLAGS").await.starts_with("BAD"));
}

#[tokio::test]
async fn rev2_names_are_utf8() {
    let world = World::new().await;
    let mut client = world.user().await;
    assert_eq!(client.ok("ENABLE IMAP4rev2").await, ["* ENABLED IMAP4rev2"]);
    client.ok("CREATE \"Папка\"").await;
    assert_eq!(
        client.ok("LIST \"\" \"Пап*\"").await,
        ["* LIST (\\HasNoChildren) \"/\" \"Папка\""]
    );
    let lines = client.ok("SELECT \"Папка\"").await.join("\n");
    assert!(
        !lines.contains("RECENT") && lines.contains("* LIST () \"/\" \"Папка\""),
        "{lines}"
    );
    assert!(client.ok("SEARCH ALL").await[0].starts_with("* ESEARCH (TAG "));
}
