#![allow(clippy::unwrap_used)]

use std::net::IpAddr;
use std::time::Duration;

use dns::{Dns, Scripted};
use shared::Address;
use tokio::time::Instant;

use super::check;
use crate::questions::Questions;

/// What a peer at that address is told for `user@<domain>` (or for the EHLO name).
async fn ask(table: &Scripted, peer: &str, sender: Option<&str>, helo: &str) -> &'static str {
    let dns = Dns::scripted(table.clone());
    let questions = Questions::new(&dns, Instant::now() + Duration::from_mins(1));
    let sender = sender.map(|sender| Address::parse(sender).unwrap());
    check(peer.parse::<IpAddr>().unwrap(), helo, sender.as_ref(), &questions)
        .await
        .result
        .name()
}

fn with(records: &[(&str, &str)]) -> Scripted {
    let table = Scripted::new()
        .with_address("mail.a.test", "192.0.2.10".parse().unwrap())
        .with_address("mail.a.test", "2001:db8::10".parse().unwrap())
        .with_address("only-4.test", "192.0.2.99".parse().unwrap())
        .with_address("10.2.0.192.in-addr._spf.a.test", "127.0.0.2".parse().unwrap())
        .with_address("user.a.test", "127.0.0.2".parse().unwrap())
        .with_mx("a.test", 10, "mail.a.test")
        .with_failure("down.test");
    records
        .iter()
        .fold(table, |table, (name, text)| table.with_txt(name, text))
}

// Mail that a domain stands by would count as forged, or forged mail as good.
#[tokio::test]
async fn records_say_who_may_send() {
    for (record, peer, expected) in [
        ("v=spf1 -all", "192.0.2.10", "fail"),
        ("v=spf1", "192.0.2.10", "neutral"),
        ("V=SPF1 ~ALL", "192.0.2.10", "softfail"),
        ("v=spf10 -all", "192.0.2.10", "none"),
        ("v=spf1 ?all", "192.0.2.10", "neutral"),
        ("v=spf1 mx -all", "192.0.2.10", "pass"),
        ("v=spf1 mx -all", "2001:db8::10", "pass"),
        ("v=spf1 mx -all", "192.0.2.11", "fail"),
        ("v=spf1 mx/31 -all", "192.0.2.11", "pass"),
        ("v=spf1 mx//126 -all", "2001:db8::13", "pass"),
        ("v=spf1 mx/31//64 -all", "192.0.2.12", "fail"),
        ("v=spf1 a:mail.a.test -all", "::ffff:192.0.2.10", "pass"),
        ("v=spf1 ip4:192.0.2.0/24 -all", "192.0.2.200", "pass"),
        ("v=spf1 ip4:0.0.0.0/0 -all", "203.0.113.5", "pass"),
        ("v=spf1 ip6:2001:db8::/32 -all", "2001:db8:1::1", "pass"),
        ("v=spf1 ip6:2001:db8::/32 -all", "192.0.2.1", "fail"),
        ("v=spf1 exists:%{ir}.%{v}._spf.%{d} -all", "192.0.2.10", "pass"),
        ("v=spf1 exists:%{l}.%{d2} -all", "192.0.2.1", "pass"),
        ("v=spf1 ptr -all", "192.0.2.10", "pass"),
        ("v=spf1 ptr:other.test -all", "192.0.2.10", "fail"),
        ("v=spf1 exists:%{p}.nowhere.test -all", "192.0.2.10", "fail"),
        ("v=spf1 include:good.test -all", "192.0.2.50", "pass"),
        ("v=spf1 include:good.test -all", "192.0.2.51", "fail"),
        ("v=spf1 include:nothing.test -all", "192.0.2.50", "permerror"),
        ("v=spf1 redirect=good.test", "192.0.2.50", "pass"),
        ("v=spf1 redirect=nothing.test", "192.0.2.50", "permerror"),
        ("v=spf1 include:down.test -all", "192.0.2.50", "temperror"),
        ("v=spf1 a:down.test -all", "192.0.2.50", "temperror"),
        ("v=spf1 unknown=%{s} ip4:192.0.2.1 -all", "192.0.2.1", "pass"),
        // Faults, also behind what matches.
        ("v=spf1 ip4:192.0.2.1 nonsense -all", "192.0.2.1", "permerror"),
        ("v=spf1 ip4:192.0.2.256", "192.0.2.1", "permerror"),
        ("v=spf1 ip4:192.0.2.1/33", "192.0.2.1", "permerror"),
        ("v=spf1 ip4:192.0.2.1/024", "192.0.2.1", "permerror"),
        ("v=spf1 a:%{c}.test", "192.0.2.1", "permerror"),
        ("v=spf1 a:%x.test", "192.0.2.1", "permerror"),
        ("v=spf1 all:x", "192.0.2.1", "permerror"),
        ("v=spf1 include", "192.0.2.1", "permerror"),
        ("v=spf1 a:single", "192.0.2.1", "permerror"),
        (
            "v=spf1 redirect=good.test redirect=good.test",
            "192.0.2.50",
            "permerror",
        ),
        // Two questions may lead to nothing, not three.
        ("v=spf1 a:x.test a:y.test ip4:192.0.2.1", "192.0.2.1", "pass"),
        (
            "v=spf1 a:x.test a:y.test a:z.test ip4:192.0.2.1",
            "192.0.2.1",
            "permerror",
        ),
        // A name without an address of the peer's family is one of these.
        (
            "v=spf1 a:only-4.test a:x.test a:y.test ip6:2001:db8::1",
            "2001:db8::1",
            "permerror",
        ),
        ("v=spf1 include:loop.test -all", "192.0.2.1", "permerror"),
    ] {
        let table = with(&[
            ("a.test", record),
            ("good.test", "v=spf1 ip4:192.0.2.50 -all"),
            ("loop.test", "v=spf1 include:loop.test -all"),
        ]);
        let found = ask(&table, peer, Some("user@a.test"), "client.test").await;
        assert_eq!(found, expected, "{record} for {peer}");
    }
}

#[tokio::test]
async fn without_a_sender_the_name_in_ehlo_is_asked_about() {
    let table = with(&[
        ("client.test", "v=spf1 ip4:192.0.2.1 -all"),
        ("two.test", "v=spf1 -all"),
        ("two.test", "v=spf1 +all"),
    ]);
    assert_eq!(ask(&table, "192.0.2.1", None, "client.test").await, "pass");
    assert_eq!(ask(&table, "192.0.2.2", None, "client.test").await, "fail");
    assert_eq!(ask(&table, "192.0.2.2", None, "[192.0.2.2]").await, "none");
    assert_eq!(
        ask(&table, "192.0.2.2", Some("x@two.test"), "").await,
        "permerror"
    );
    assert_eq!(ask(&table, "192.0.2.2", Some("x@nothing.test"), "").await, "none");
    assert_eq!(
        ask(&table, "192.0.2.2", Some("x@down.test"), "").await,
        "temperror"
    );
}

/// Ten terms may ask, however they are nested.
#[tokio::test]
async fn eleven_questions_are_an_error() {
    for (count, expected) in [(10, "pass"), (11, "permerror")] {
        let many: String = (0..count).map(|_| "a:mail.a.test ").collect();
        let record = format!("v=spf1 {many}ip4:192.0.2.77 -all");
        let table = with(&[("a.test", &record)]);
        assert_eq!(
            ask(&table, "192.0.2.77", Some("user@a.test"), "x").await,
            expected
        );
    }
}
