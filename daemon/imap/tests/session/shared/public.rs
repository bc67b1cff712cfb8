//! Public trees.

use super::*;

#[tokio::test]
async fn public_trees() {
    let world = World::new().await;
    world.group("Sales", &[OTHER], &[]).await;
    let sales = world.tree("sales", Some(5_000)).await;
    let domain = world.tree("example.test", None).await;
    world.give(&sales, "INBOX", "$Sales", "lrswipkte").await;
    world.give(&domain, "INBOX", "@example.test", "lr").await;
    let mut boris = world.other().await;
    let mut anna = world.user().await;
    assert_eq!(
        boris.ok("LIST \"\" Public/* RETURN ()").await,
        [
            "* LIST (\\HasNoChildren) \"/\" Public/Sales",
            "* LIST (\\HasNoChildren) \"/\" Public/example.test"
        ]
    );
    assert_eq!(
        anna.ok("LIST \"\" Public* RETURN ()").await,
        [
            "* LIST (\\NonExistent \\HasChildren) \"/\" Public",
            "* LIST (\\HasNoChildren) \"/\" Public/example.test"
        ]
    );
    boris.ok("CREATE Public/Sales/Offers/2026").await;
    assert_eq!(
        boris.ok("MYRIGHTS Public/Sales/Offers").await,
        ["* MYRIGHTS Public/Sales/Offers lrswipktecd"]
    );
    assert!(boris.append("Public/Sales/Offers", MAIL).await.starts_with("OK"));
    boris
        .answers("APPEND Public/Sales/None {2+}\r\nx\n", "NO [TRYCREATE]")
        .await;
    anna.answers("APPEND Public/example.test/None {2+}\r\nx\n", "NO [NONEXISTENT]")
        .await;
    anna.answers("CREATE Public/example.test/x", "NO [NOPERM]").await;
    anna.answers("SELECT Public/Sales", "NO [NONEXISTENT]").await;
    anna.answers("SELECT Public/Sales/INBOX", "NO [NONEXISTENT]")
        .await;
}

#[tokio::test]
async fn public_trees_have_limits() {
    let world = World::new().await;
    world.group("Sales", &[OTHER], &[]).await;
    let sales = world.tree("sales", Some(5_000)).await;
    world.give(&sales, "INBOX", "$Sales", "lrswipkte").await;
    let mut boris = world.other().await;
    boris.ok("CREATE Public/Sales/Offers").await;
    let mut anna = world.user().await;
    boris.append("Public/Sales/Offers", MAIL).await;
    // The tree's own limit.
    assert_eq!(
        boris.ok("GETQUOTAROOT Public/Sales/Offers").await,
        [
            "* QUOTAROOT Public/Sales/Offers Public/Sales",
            "* QUOTA Public/Sales (STORAGE 1 4)"
        ]
    );
    assert_eq!(
        boris.ok("GETQUOTA Public/Sales").await,
        ["* QUOTA Public/Sales (STORAGE 1 4)"]
    );
    anna.answers("GETQUOTA Public/Sales", "NO [NONEXISTENT]").await;
    anna.answers("SETQUOTA \"\" (STORAGE 9)", "NO [NOPERM]").await;
    let large = format!("Subject: large\r\n\r\n{}\r\n", "x".repeat(4_900));
    assert!(
        boris
            .append("Public/Sales/Offers", &large)
            .await
            .starts_with("NO [OVERQUOTA]")
    );
    boris.append("INBOX", &large).await;
    boris.ok("SELECT INBOX").await;
    boris.answers("COPY 1 Public/Sales", "NO [OVERQUOTA]").await;
    boris.answers("MOVE 1 Public/Sales", "NO [OVERQUOTA]").await;
}

#[tokio::test]
async fn public_folders_stay_in_their_tree() {
    let world = World::new().await;
    world.group("Sales", &[OTHER], &[]).await;
    let sales = world.tree("sales", Some(5_000)).await;
    world.give(&sales, "INBOX", "$Sales", "lrswipkte").await;
    let mut boris = world.other().await;
    boris.ok("CREATE Public/Sales/Offers").await;
    // RENAME within a tree needs `x`, and never leaves it.
    boris
        .answers("RENAME Public/Sales/Offers Public/Sales/Old", "NO [NOPERM]")
        .await;
    world.give(&sales, "Offers", "$Sales", "lrx").await;
    boris.ok("RENAME Public/Sales/Offers Public/Sales/Deep/Old").await;
    assert_eq!(
        boris.ok("MYRIGHTS Public/Sales/Deep").await,
        ["* MYRIGHTS Public/Sales/Deep lrswipktecd"]
    );
    boris
        .answers("RENAME Public/Sales/Deep/Old Mine", "NO [CANNOT]")
        .await;
    boris.answers("DELETE Public/Sales", "NO [NOPERM]").await;
    // A domain or group can't go while it has public folders.
    let removed = world.server.directory.remove_group("Sales", "test").await;
    assert!(removed.is_err());
}

#[tokio::test]
async fn deleted_storage_is_counted() {
    let world = World::new().await;
    let mut client = world.inbox(3).await;
    client.ok("STORE 1:2 +FLAGS (\\Deleted)").await;
    assert_eq!(
        client.ok("STATUS INBOX (DELETED DELETED-STORAGE)").await,
        ["* STATUS INBOX (DELETED 2 DELETED-STORAGE 1)"]
    );
}
