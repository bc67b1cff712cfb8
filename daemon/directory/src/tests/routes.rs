//! Where mail goes.

use shared::model::{Alias, Group};

use super::*;

/// `local parts → remote addresses`, sorted, or the name of another resolution.
async fn route(directory: &Directory, to: &str) -> String {
    match directory.resolve(&address(to)).await.unwrap() {
        Resolution::Deliver { accounts, remote } => {
            let mut all: Vec<_> = accounts
                .iter()
                .map(|account| account.address.local().to_owned())
                .collect();
            all.extend(remote.iter().map(Address::to_string));
            all.sort();
            all.join(" ")
        }
        Resolution::Unknown => "unknown".to_owned(),
        Resolution::Disabled => "disabled".to_owned(),
        Resolution::NotLocal => "not local".to_owned(),
    }
}

async fn alias(directory: &Directory, from: &str, to: &[&str]) {
    let targets = to.iter().map(|to| address(to)).collect();
    let alias = Alias {
        address: address(from),
        targets,
        enabled: true,
        revision: 0,
    };
    directory.add_alias(alias, "test").await.unwrap();
}

#[test]
fn mail_finds_users_by_every_way_there_is() {
    on_each(async |directory, _| {
        people(directory).await;
        let domain = directory.domain(&name("a.test")).await.unwrap().unwrap();
        directory
            .set_domain(
                Domain {
                    aliases: vec![name("b.test")],
                    ..domain
                },
                "test",
            )
            .await
            .unwrap();
        alias(
            directory,
            "both@a.test",
            &["boris@a.test", "ANNA@b.test", "inner@a.test", "x@else.test"],
        )
        .await;
        alias(directory, "inner@a.test", &["anna@a.test", "X@else.test"]).await;
        alias(directory, "loop1@a.test", &["loop2@a.test"]).await;
        alias(directory, "loop2@a.test", &["loop1@a.test"]).await;
        let group = |name: &str, address: Option<Address>, members: Vec<Address>, member_groups| Group {
            name: name.to_owned(),
            description: String::new(),
            address,
            members,
            member_groups,
            revision: 0,
        };
        let inner = group("Inner", None, vec![address("boris@b.test")], Vec::new());
        directory.add_group(inner, "test").await.unwrap();
        let outer = group(
            "outer",
            Some(address("team@a.test")),
            vec![address("anna@a.test")],
            vec!["inner".to_owned()],
        );
        directory.add_group(outer, "test").await.unwrap();
        for (to, want) in [
            ("anna@a.test", "anna"),
            ("ANNA@A.TEST", "anna"),
            ("anna@b.test", "anna"),
            ("anna+tag+more@a.test", "anna"),
            ("both@b.test", "X@else.test anna boris x@else.test"),
            ("both+x@a.test", "X@else.test anna boris x@else.test"),
            ("loop1@a.test", "unknown"),
            ("team@a.test", "anna boris"),
            ("nobody@a.test", "unknown"),
            ("+tag@a.test", "unknown"),
            ("postmaster@a.test", "unknown"),
            ("anna@else.test", "not local"),
        ] {
            assert_eq!(route(directory, to).await, want, "{to}");
        }
        let (_, revision) = directory.setting_values().await.unwrap();
        directory
            .set_setting("server.postmaster", "anna@a.test", revision, "test")
            .await
            .unwrap();
        assert_eq!(route(directory, "PostMaster@b.test").await, "anna");
    });
}

#[test]
fn a_change_is_seen_by_the_next_message() {
    on_each(async |directory, _| {
        people(directory).await;
        assert_eq!(route(directory, "new@a.test").await, "unknown");
        assert_eq!(route(directory, "anna@c.test").await, "not local");
        directory
            .add_user(new_user("new@a.test", None), "test")
            .await
            .unwrap();
        assert_eq!(route(directory, "new@a.test").await, "new");
        let user = directory.user(&address("new@a.test")).await.unwrap().unwrap();
        directory
            .set_user(
                User {
                    enabled: false,
                    ..user
                },
                "test",
            )
            .await
            .unwrap();
        assert_eq!(route(directory, "new@a.test").await, "disabled");
        let domain = directory.domain(&name("a.test")).await.unwrap().unwrap();
        let domain = Domain {
            catch_all: Some(address("anna@a.test")),
            aliases: vec![name("c.test")],
            ..domain
        };
        directory.set_domain(domain, "test").await.unwrap();
        assert_eq!(route(directory, "whoever@a.test").await, "anna");
        assert_eq!(route(directory, "anna@c.test").await, "anna");
        directory
            .rename_user(&address("anna@a.test"), &address("anja@a.test"), "test")
            .await
            .unwrap();
        assert_eq!(route(directory, "anja@a.test").await, "anja");
        directory
            .remove_user(&address("anja@a.test"), "test")
            .await
            .unwrap();
        assert_eq!(route(directory, "anja@a.test").await, "unknown");
    });
}

#[test]
fn a_user_sends_as_what_leads_to_him_alone() {
    on_each(async |directory, _| {
        people(directory).await;
        alias(directory, "office@a.test", &["anna@a.test"]).await;
        let domain = directory.domain(&name("a.test")).await.unwrap().unwrap();
        directory
            .set_domain(
                Domain {
                    catch_all: Some(address("anna@a.test")),
                    ..domain
                },
                "test",
            )
            .await
            .unwrap();
        let team = |name: &str, to: &str, member: &str| Group {
            name: name.to_owned(),
            description: String::new(),
            address: Some(address(to)),
            members: vec![address(member)],
            member_groups: Vec::new(),
            revision: 0,
        };
        for group in [
            team("ours", "ours@a.test", "anna@a.test"),
            team("theirs", "theirs@a.test", "boris@b.test"),
        ] {
            directory.add_group(group, "test").await.unwrap();
        }
        let boss = Alias {
            address: address("sales+boss@a.test"),
            targets: vec![address("boris@b.test")],
            enabled: true,
            revision: 0,
        };
        directory.add_alias(boss, "test").await.unwrap();
        let anna = directory.account(&address("anna@a.test")).await.unwrap().unwrap();
        let user = directory.user(&address("anna@a.test")).await.unwrap().unwrap();
        let send_as = ["boss@else.test", "@firm.test", "sales@a.test"];
        let send_as = send_as.map(str::to_owned).to_vec();
        let user = User { send_as, ..user };
        // The session that has begun knows of it.
        directory.set_user(user.clone(), "test").await.unwrap();
        let wrong = User {
            send_as: vec!["nobody".to_owned()],
            revision: user.revision + 1,
            ..user
        };
        directory.set_user(wrong, "test").await.unwrap_err();
        for (from, may) in [
            ("Anna@a.test", true),
            ("anna+tag@a.test", true),
            ("office@a.test", true),
            ("boris@a.test", false),
            ("whoever@a.test", false),
            ("anna@else.test", false),
            ("Boss@else.test", true),
            ("any@firm.test", true),
            // Only here is what is before the plus the same mailbox.
            ("boss+tag@else.test", false),
            ("sales+tag@a.test", true),
            ("sales@a.test", true),
            ("sales2@a.test", false),
            // Somebody's own address, whatever stands behind the plus.
            ("sales+boss@a.test", false),
            ("any@sub.firm.test", false),
            ("ours@a.test", true),
            ("theirs@a.test", false),
        ] {
            assert_eq!(
                directory.may_send_as(&anna, &address(from)).await.unwrap(),
                may,
                "{from}"
            );
        }
    });
}

#[test]
fn a_database_that_is_down_says_so_and_never_no() {
    on_each(async |directory, memory| {
        people(directory).await;
        if directory.inner.placed.driver(drivers::Kind::Users).name() != "memory" {
            return;
        }
        memory.set_down(true);
        directory.resolve(&address("boris@a.test")).await.unwrap_err();
        directory.is_local_domain(&name("else.test")).await.unwrap_err();
        directory.users(None, Page::default()).await.unwrap_err();
        assert_eq!(
            code(directory.add_user(new_user("x@a.test", None), "test").await),
            "unavailable!"
        );
        memory.set_down(false);
        assert_eq!(route(directory, "boris@a.test").await, "boris");
    });
}
