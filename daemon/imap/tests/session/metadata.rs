//! Annotations of folders and of the server.
//! # tests: METADATA LIST-METADATA

use crate::support::*;

const ANNAS: &str = "\"Other Users/anna@example.test/INBOX\"";

async fn other(world: &World) -> Client {
    let mut client = world.connect().await;
    client.ok(&format!("LOGIN {OTHER} \"{PASSWORD}\"")).await;
    client
}

#[tokio::test]
async fn entries_are_kept_and_shown() {
    let world = World::new().await;
    let mut client = world.user().await;
    client.ok("CREATE Work").await;
    client
        .ok("SETMETADATA Work (/shared/comment \"ours\" /private/comment {4+}\r\nmine /private/a/b \"x\" /private/a/b/c \"y\")")
        .await;
    assert_eq!(
        client
            .ok("GETMETADATA Work (/Shared/Comment /private/none)")
            .await,
        ["* METADATA Work (/shared/comment \"ours\" /private/none NIL)"]
    );
    assert_eq!(
        client.ok("GETMETADATA Work (DEPTH 1) /private").await,
        ["* METADATA Work (/private/comment \"mine\")"]
    );
    assert_eq!(
        client.ok("GETMETADATA (DEPTH infinity) Work /private/a").await,
        ["* METADATA Work (/private/a/b \"x\" /private/a/b/c \"y\")"]
    );
    let lines = client
        .command("GETMETADATA (MAXSIZE 1 DEPTH infinity) Work /private")
        .await;
    assert_eq!(
        lines[0],
        "* METADATA Work (/private/a/b \"x\" /private/a/b/c \"y\")"
    );
    assert!(lines[1].contains("OK [METADATA LONGENTRIES 4]"), "{lines:?}");
    // They go with the folder under its new name, and for good with the folder.
    client.ok("RENAME Work Old").await;
    assert_eq!(
        client.ok("GETMETADATA Old /shared/comment").await,
        ["* METADATA Old (/shared/comment \"ours\")"]
    );
    assert_eq!(
        client
            .ok("LIST \"\" Old RETURN (METADATA (/shared/comment /private/x))")
            .await,
        [
            "* LIST (\\HasNoChildren) \"/\" Old",
            "* METADATA Old (/shared/comment \"ours\" /private/x NIL)"
        ]
    );
    client.ok("SETMETADATA Old (/shared/comment NIL)").await;
    assert_eq!(
        client.ok("GETMETADATA Old /shared/comment").await,
        ["* METADATA Old (/shared/comment NIL)"]
    );
    client.ok("DELETE Old").await;
    client.ok("CREATE Old").await;
    assert_eq!(
        client
            .ok("GETMETADATA (DEPTH infinity) Old (/private /shared)")
            .await,
        Vec::<String>::new()
    );
    assert!(
        client
            .answer("GETMETADATA None /shared/comment")
            .await
            .starts_with("NO [NONEXISTENT]")
    );
}

#[tokio::test]
async fn entries_of_the_server_and_limits() {
    let world = World::new().await;
    let mut client = world.user().await;
    client.ok("SETMETADATA \"\" (/private/comment \"a\")").await;
    assert_eq!(
        client.ok("GETMETADATA \"\" /private/comment").await,
        ["* METADATA \"\" (/private/comment \"a\")"]
    );
    assert!(
        client
            .answer("SETMETADATA \"\" (/shared/comment \"a\")")
            .await
            .starts_with("NO [NOPERM]")
    );
    for bad in ["/other/comment", "/private", "/private//x", "/private/*"] {
        let answer = client.answer(&format!("SETMETADATA INBOX ({bad} \"a\")")).await;
        assert!(answer.starts_with("BAD"), "{bad}: {answer}");
    }
    let long = "x".repeat(16 * 1024 + 1);
    let answer = client
        .answer(&format!(
            "SETMETADATA INBOX (/private/x {{{}+}}\r\n{long})",
            long.len()
        ))
        .await;
    assert!(answer.starts_with("NO [METADATA MAXSIZE 16384]"), "{answer}");
    for number in 0..100 {
        client
            .ok(&format!("SETMETADATA INBOX (/private/x{number} \"a\")"))
            .await;
    }
    let answer = client.answer("SETMETADATA INBOX (/private/y \"a\")").await;
    assert!(answer.starts_with("NO [METADATA TOOMANY]"), "{answer}");
    client
        .ok("SETMETADATA INBOX (/private/x0 NIL /private/y \"a\")")
        .await;
    client.ok("SETMETADATA INBOX (/shared/y \"a\")").await;
    // Another user's own entries are others.
    let mut boris = other(&world).await;
    assert_eq!(
        boris.ok("GETMETADATA \"\" /private/comment").await,
        ["* METADATA \"\" (/private/comment NIL)"]
    );
}

#[tokio::test]
async fn rights_hold_for_entries() {
    let world = World::new().await;
    let mut anna = world.user().await;
    let mut boris = other(&world).await;
    anna.ok("SETMETADATA INBOX (/shared/comment \"ours\" /private/comment \"annas\")")
        .await;
    let get = format!("GETMETADATA {ANNAS} (/shared/comment /private/comment)");
    assert!(boris.answer(&get).await.starts_with("NO [NONEXISTENT]"));
    anna.ok("SETACL INBOX boris@example.test r").await;
    assert!(boris.answer(&get).await.starts_with("NO [NONEXISTENT]"));
    anna.ok("SETACL INBOX boris@example.test l").await;
    assert!(boris.answer(&get).await.starts_with("NO [NOPERM]"));
    anna.ok("SETACL INBOX boris@example.test lr").await;
    boris
        .ok(&format!("SETMETADATA {ANNAS} (/private/comment \"boriss\")"))
        .await;
    assert!(
        boris
            .answer(&format!("SETMETADATA {ANNAS} (/shared/comment \"x\")"))
            .await
            .starts_with("NO [NOPERM]")
    );
    assert_eq!(
        boris.ok(&get).await,
        [format!(
            "* METADATA {ANNAS} (/private/comment \"boriss\" /shared/comment \"ours\")"
        )]
    );
    anna.ok("SETACL INBOX boris@example.test lrw").await;
    boris
        .ok(&format!("SETMETADATA {ANNAS} (/shared/comment \"x\")"))
        .await;
    assert_eq!(
        anna.ok("GETMETADATA INBOX (/shared/comment /private/comment)")
            .await,
        ["* METADATA INBOX (/private/comment \"annas\" /shared/comment \"x\")"]
    );
}
