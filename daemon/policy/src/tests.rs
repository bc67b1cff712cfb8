//! Verdicts on what an administrator wrote into the lists.
#![allow(clippy::unwrap_used)]

use events::{Events, Scope};
use std::sync::Arc;

use directory::{LoginContext, LoginFailure, LoginStep};
use drivers::{Memory, Placed};
use shared::model::{ListEntry, Side};

use super::*;

async fn judge(dns: Option<Dns>, entries: &[(Side, &str)]) -> (Directory, Policy) {
    let placed = Arc::new(Placed::single(Arc::new(Memory::new())));
    let directory = Directory::open(placed, [1; 32], Events::none()).await.unwrap();
    directory
        .set_setting("server.own-networks", "10.0.0.0/8, 2001:db8::/32", 0, "test")
        .await
        .unwrap();
    for (side, pattern) in entries {
        directory.add_access(entry(*side, pattern), "test").await.unwrap();
    }
    let policy = Policy::new(directory.clone(), dns).await.unwrap();
    (directory, policy)
}

fn entry(side: Side, pattern: &str) -> ListEntry {
    ListEntry {
        side,
        pattern: pattern.to_owned(),
        comment: String::new(),
        revision: 0,
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

async fn by(policy: &Policy, peer: &str) -> By {
    policy.connect(ip(peer)).await.decided_by
}

#[tokio::test]
async fn white_wins_over_black_and_both_hold_for_everybody() {
    let entries = [
        (Side::Block, "192.0.2.0/24"),
        (Side::Allow, "192.0.2.7"),
        (Side::Block, "127.0.0.9"),
    ];
    let (_directory, policy) = judge(None, &entries).await;
    let decision = policy.connect(ip("192.0.2.1")).await;
    assert_eq!(
        (decision.verdict, decision.name.as_str()),
        (Verdict::Refuse(reply::BLOCKED), "192.0.2.0-192.0.2.255")
    );
    for (peer, want) in [
        ("192.0.2.7", By::WhiteList),
        ("::ffff:192.0.2.7", By::WhiteList),
        ("::ffff:192.0.2.8", By::BlackList),
        ("127.0.0.9", By::BlackList),
        ("127.0.0.1", By::Default),
        ("192.0.3.1", By::Default),
    ] {
        assert_eq!(by(&policy, peer).await, want, "{peer}");
    }
}

#[tokio::test]
async fn a_change_of_the_lists_holds_without_a_restart() {
    let (directory, policy) = judge(None, &[]).await;
    assert_eq!(by(&policy, "192.0.2.1").await, By::Default);
    directory
        .add_access(entry(Side::Block, "192.0.2.1"), "test")
        .await
        .unwrap();
    while by(&policy, "192.0.2.1").await != By::BlackList {
        tokio::task::yield_now().await;
    }
    directory
        .remove_access(Side::Block, "192.0.2.1", "test")
        .await
        .unwrap();
    while by(&policy, "192.0.2.1").await != By::Default {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn senders_and_recipients_are_judged_unless_the_connection_is_white() {
    let (_directory, policy) = judge(
        None,
        &[(Side::Block, "@bad.test"), (Side::Allow, "good@bad.test")],
    )
    .await;
    let mut facts = Facts::new(Protocol::Smtp, ip("192.0.2.1"));
    assert!(policy.mail_from(&facts).is_allowed());
    for (sender, want) in [
        ("x@bad.test", By::BlackList),
        ("Good@bad.test", By::WhiteList),
        ("x@a.test", By::Default),
    ] {
        facts.sender = Some(Address::parse(sender).unwrap());
        facts.recipient = facts.sender.clone();
        assert_eq!(policy.mail_from(&facts).decided_by, want, "{sender}");
        assert_eq!(policy.rcpt_to(&facts).decided_by, want, "{sender}");
    }
    facts.sender = Some(Address::parse("x@bad.test").unwrap());
    facts.white = true;
    assert!(policy.mail_from(&facts).is_allowed());
    assert!(!policy.may_relay(&facts), "no list opens the relay");
    facts.user = Some(Address::parse("anna@a.test").unwrap());
    assert!(policy.may_relay(&facts));
}

#[tokio::test]
async fn failed_logins_shut_a_stranger_out_and_never_a_friend() {
    let (directory, policy) = judge(None, &[(Side::Allow, "192.0.2.7")]).await;
    let login = async |peer: &str| {
        let context = LoginContext {
            protocol: Protocol::Imap,
            peer: ip(peer),
            secure: true,
            tls: true,
            channel_bindings: Vec::new(),
            certificate: None,
            scope: Scope::default(),
        };
        // An unknown mechanism fails before a hash costs time.
        directory.login("GSSAPI", None, context).await.1
    };
    for peer in ["192.0.2.1", "192.0.2.7", "10.1.1.1", "127.0.0.1"] {
        for _ in 0..100 {
            policy.offence(ip(peer), Offence::LoginFailed);
        }
    }
    assert_eq!(policy.bans().len(), 2);
    for (peer, banned) in [
        ("192.0.2.1", true),
        ("192.0.2.7", false),
        ("10.1.1.1", false),
        ("127.0.0.1", false),
    ] {
        assert_eq!(by(&policy, peer).await == By::TemporaryList, banned, "{peer}");
        let too_many = matches!(login(peer).await, LoginStep::Failure(LoginFailure::TooMany));
        assert_eq!(too_many, banned, "{peer}");
    }
    assert!(policy.lift(ip("192.0.2.1")));
    assert_eq!(by(&policy, "192.0.2.1").await, By::Default);
}

#[tokio::test]
async fn hosts_are_known_by_their_names() {
    let table = dns::Scripted::new()
        .with_address("mail.good.test", ip("192.0.2.1"))
        .with_address("dsl-7.bad.test", ip("192.0.2.2"))
        .with_address("mail.good.test", ip("198.51.100.1"))
        .with_address("dsl-8.bad.test", ip("198.51.100.1"));
    let entries = [
        (Side::Allow, "mail.good.test"),
        (Side::Block, "*.bad.test"),
        (Side::Block, "192.0.2.0/24"),
    ];
    let (_directory, policy) = judge(Some(Dns::scripted(table)), &entries).await;
    for (peer, want) in [
        ("192.0.2.1", By::WhiteList),
        ("192.0.2.2", By::BlackList),
        ("198.51.100.1", By::WhiteList),
        ("198.51.100.2", By::Default),
    ] {
        assert_eq!(by(&policy, peer).await, want, "{peer}");
    }
    let (_directory, policy) = judge(Some(Dns::scripted(dns::Scripted::unreachable())), &entries).await;
    assert_eq!(by(&policy, "198.51.100.1").await, By::Default);
}
