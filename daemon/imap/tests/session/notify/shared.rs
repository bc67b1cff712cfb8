//! Folders of others.

use super::*;

#[tokio::test]
async fn folders_of_others_come_and_go_with_the_rights() {
    let world = World::new().await;
    let mut client = world.user().await;
    let mut other = boris(&world).await;
    other.ok("CREATE Plans").await;
    other.ok("CREATE Secret").await;
    let plans = format!("\"Other Users/{OTHER}/Plans\"");
    client
        .ok("NOTIFY SET (SUBTREE \"Other Users\" (MailboxName MessageNew MessageExpunge MailboxMetadataChange))")
        .await;
    other.append("Plans", MAIL).await;
    assert_eq!(said(&mut client).await, Vec::<String>::new());
    other.ok(&format!("SETACL Plans {USER} l")).await;
    assert_eq!(
        told(&mut client).await,
        format!("* LIST (\\NoAccess \\HasNoChildren) \"/\" {plans}")
    );
    // What may only be listed tells nothing of what is in it.
    other.append("Plans", MAIL).await;
    other.ok("SETMETADATA Plans (/shared/comment \"x\")").await;
    assert_eq!(said(&mut client).await, Vec::<String>::new());
    let lines = client
        .ok(&format!(
            "NOTIFY SET STATUS (MAILBOXES {plans} (MailboxName MessageNew MessageExpunge))"
        ))
        .await;
    assert_eq!(lines, [format!("* LIST (\\NoAccess) \"/\" {plans}")]);
    client
        .ok("NOTIFY SET STATUS (SUBTREE \"Other Users\" (MailboxName MessageNew MessageExpunge MailboxMetadataChange))")
        .await;
    other.ok(&format!("SETACL Plans {USER} lr")).await;
    assert_eq!(
        told(&mut client).await,
        format!("* LIST (\\HasNoChildren) \"/\" {plans}")
    );
    other.append("Plans", MAIL).await;
    assert!(
        told(&mut client)
            .await
            .starts_with(&format!("* STATUS {plans} (MESSAGES 3 "))
    );
    other.append("Secret", MAIL).await;
    other
        .ok("SETMETADATA Plans (/shared/comment \"x\" /private/comment \"mine\")")
        .await;
    assert_eq!(
        told(&mut client).await,
        format!("* METADATA {plans} /shared/comment")
    );
    // A folder below has the rights of the one above.
    other.ok("CREATE Plans/2024").await;
    assert_eq!(
        told(&mut client).await,
        format!("* LIST (\\HasNoChildren) \"/\" \"Other Users/{OTHER}/Plans/2024\"")
    );
    assert!(told(&mut client).await.starts_with("* STATUS"));
    other.ok("RENAME Plans/2024 Old").await;
    let old = format!("\"Other Users/{OTHER}/Old\"");
    assert_eq!(
        told(&mut client).await,
        format!("* LIST (\\HasNoChildren) \"/\" {old} (\"OLDNAME\" (\"Other Users/{OTHER}/Plans/2024\"))")
    );
    assert!(told(&mut client).await.starts_with("* STATUS"));
    other.ok("DELETE Old").await;
    assert_eq!(
        told(&mut client).await,
        format!("* LIST (\\NonExistent) \"/\" {old}")
    );
    other.ok("CREATE Hidden").await;
    other.ok("RENAME Hidden Hidden2").await;
    other.ok("DELETE Hidden2").await;
    other.ok(&format!("DELETEACL Plans {USER}")).await;
    assert_eq!(
        told(&mut client).await,
        format!("* LIST (\\NonExistent) \"/\" {plans}")
    );
    other.append("Plans", MAIL).await;
    assert_eq!(said(&mut client).await, Vec::<String>::new());
}

#[tokio::test]
async fn who_asks_for_messages_alone_hears_of_the_access_to_them() {
    let world = World::new().await;
    let mut client = world.user().await;
    let mut other = boris(&world).await;
    other.ok("CREATE Plans").await;
    let plans = format!("\"Other Users/{OTHER}/Plans\"");
    client
        .ok(&format!(
            "NOTIFY SET (MAILBOXES {plans} (MessageNew MessageExpunge))"
        ))
        .await;
    other.ok(&format!("SETACL Plans {USER} lr")).await;
    assert_eq!(
        told(&mut client).await,
        format!("* LIST (\\HasNoChildren) \"/\" {plans}")
    );
    other.append("Plans", MAIL).await;
    assert!(
        told(&mut client)
            .await
            .starts_with(&format!("* STATUS {plans} (MESSAGES 1 "))
    );
    other.ok(&format!("SETACL Plans {USER} r")).await;
    assert_eq!(
        told(&mut client).await,
        format!("* LIST (\\NoAccess) \"/\" {plans}")
    );
}

async fn set_members(world: &World, members: &[&str]) {
    let directory = &world.server.directory;
    let page = Default::default();
    let mut group = directory.groups(page).await.unwrap().rows.remove(0);
    group.members = members.iter().map(|member| member.parse().unwrap()).collect();
    directory.set_group(group, "test").await.unwrap();
}

#[tokio::test]
async fn who_enters_a_group_sees_what_is_shared_with_it() {
    let world = World::new().await;
    world.group("team", &[], &[]).await;
    let mut other = boris(&world).await;
    other.ok("CREATE Plans").await;
    other.ok("SETACL Plans $team lr").await;
    let mut client = world.user().await;
    client
        .ok("NOTIFY SET (SUBTREE \"Other Users\" (MailboxName))")
        .await;
    let plans = format!("\"Other Users/{OTHER}/Plans\"");
    set_members(&world, &[USER]).await;
    assert_eq!(
        told(&mut client).await,
        format!("* LIST (\\HasNoChildren) \"/\" {plans}")
    );
    set_members(&world, &[]).await;
    assert_eq!(
        told(&mut client).await,
        format!("* LIST (\\NonExistent) \"/\" {plans}")
    );
}

#[tokio::test]
async fn public_folders_are_watched_by_those_who_may_see_them() {
    let world = World::new().await;
    world.group("Sales", &[OTHER], &[]).await;
    let sales = world.tree("sales", None).await;
    world.give(&sales, "INBOX", "$Sales", "lrik").await;
    let mut client = world.user().await;
    let mut other = boris(&world).await;
    for watcher in [&mut client, &mut other] {
        watcher
            .ok("NOTIFY SET (SUBTREE Public (MailboxName MessageNew MessageExpunge)) (PERSONAL NONE)")
            .await;
    }
    let mut writer = boris(&world).await;
    writer.append("Public/Sales", MAIL).await;
    assert!(
        told(&mut other)
            .await
            .starts_with("* STATUS Public/Sales (MESSAGES 1 ")
    );
    writer.ok("CREATE Public/Sales/Offers").await;
    assert_eq!(
        told(&mut other).await,
        "* LIST (\\HasNoChildren) \"/\" Public/Sales/Offers"
    );
    assert!(
        told(&mut other)
            .await
            .starts_with("* STATUS Public/Sales/Offers (MESSAGES 0 ")
    );
    // Who is in no group hears of nothing, until all may look.
    assert_eq!(said(&mut client).await, Vec::<String>::new());
    world.give(&sales, "Offers", "anyone", "lr").await;
    assert_eq!(
        told(&mut client).await,
        "* LIST (\\HasNoChildren) \"/\" Public/Sales/Offers"
    );
    writer.append("Public/Sales", MAIL).await;
    writer.append("Public/Sales/Offers", MAIL).await;
    assert!(
        told(&mut client)
            .await
            .starts_with("* STATUS Public/Sales/Offers (MESSAGES 1 ")
    );
    assert_eq!(said(&mut client).await, Vec::<String>::new());
    // A tree that is removed is gone for those who saw something of it.
    let directory = &world.server.directory;
    directory.remove_tree("sales", "test").await.unwrap();
    assert_eq!(
        told(&mut client).await,
        "* LIST (\\NonExistent) \"/\" Public/Sales/Offers"
    );
}
