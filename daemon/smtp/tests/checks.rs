//! Checks of senders: who is checked, what stands on top of the text, what the log is told.
#![allow(clippy::unwrap_used, clippy::panic)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod world;

use batpost_smtp::Role;
use dns::Scripted;
use world::{Client, ELSEWHERE, LOOPBACK, World};

const SIGNED: &str = include_str!("../../authenticity/tests/vectors/relaxed-ed25519.eml");
const KEYS: &str = include_str!("../../authenticity/tests/vectors/keys.txt");

fn table() -> Scripted {
    let keys = KEYS.lines().map(|line| line.split_once(' ').unwrap());
    keys.fold(Scripted::new(), |table, (name, text)| table.with_txt(name, text))
        .with_txt("signer.test", "v=spf1 ip4:192.0.2.7 -all")
        .with_txt("_dmarc.signer.test", "v=DMARC1; p=reject")
        .with_failure("else.test")
}

async fn send(client: &mut Client<tokio::io::DuplexStream>, sender: &str, text: &str) {
    client.say(format!("MAIL FROM:<{sender}>\r\n"), "250 2.1.0").await;
    client.say("RCPT TO:<anna@here.test>\r\n", "250 2.1.5").await;
    client.say("DATA\r\n", "354 ").await;
    let text = text.replace("\r\n.", "\r\n..");
    client.say(format!("{text}.\r\n"), "250 2.0.0").await;
}

/// The lines above what came: without the Received, whose content is looked at elsewhere.
fn top<'a>(queued: &'a str, came: &str) -> Vec<&'a str> {
    let top = queued.strip_suffix(came).unwrap();
    let (results, _) = top.split_once("Received: ").unwrap();
    results.lines().collect()
}

// Nobody would know which mail is forged.
#[tokio::test]
async fn results_stand_on_top_of_what_strangers_send() {
    let world = World::with_checks(table()).await;
    let mut client = world.hello(Role::Mx, ELSEWHERE).await;
    send(&mut client, "ann@signer.test", SIGNED).await;
    let (_, queued) = world.queued().await;
    let lines = top(&queued, SIGNED);
    assert_eq!(lines[0], "Return-Path: <ann@signer.test>");
    assert_eq!(lines[1], "Authentication-Results: mail.here.test;");
    assert_eq!(lines[2], "\tspf=pass smtp.mailfrom=ann@signer.test;");
    assert!(
        lines[3].starts_with("\tdkim=pass header.d=signer.test header.s=e "),
        "{}",
        lines[3]
    );
    assert_eq!(lines[4], "\tdmarc=pass (p=reject) header.from=signer.test");
    // The same session, the same text, another sender and a changed text; nothing is refused.
    let changed = SIGNED.replace("last line", "lost line");
    send(&mut client, "x@else.test", &changed).await;
    let (_, queued) = world.queued().await;
    let lines = top(&queued, &changed);
    assert_eq!(lines[2], "\tspf=temperror smtp.mailfrom=x@else.test;");
    assert!(
        lines[3].starts_with("\tdkim=fail (body hash does not fit)"),
        "{}",
        lines[3]
    );
    assert!(lines[4].starts_with("\tdmarc=temperror"), "{}", lines[4]);
}

/// Large texts lie in a file before the results are known.
#[tokio::test]
async fn large_texts_and_chunks_get_the_field_too() {
    let world = World::with_checks(table()).await;
    let mut client = world.hello(Role::Mx, ELSEWHERE).await;
    for lines in [1_000, 5_000, 40_000] {
        let body = "a line of text\r\n".repeat(lines);
        let text =
            format!("Authentication-Results: mail.here.test; spf=pass\r\nFrom: a@signer.test\r\n\r\n{body}");
        send(&mut client, "a@signer.test", &text).await;
        let (_, queued) = world.queued().await;
        let lines = top(&queued, &text);
        assert!(lines[1].contains("mail.here.test (1 below"), "{}", lines[1]);
        assert_eq!(lines[4], "\tdmarc=pass (p=reject) header.from=signer.test");
    }
    client.say("MAIL FROM:<a@signer.test>\r\n", "250 ").await;
    client.say("RCPT TO:<anna@here.test>\r\n", "250 ").await;
    let (first, rest) = SIGNED.split_at(300);
    client
        .say(format!("BDAT {}\r\n{first}", first.len()), "250 ")
        .await;
    client
        .say(format!("BDAT {} LAST\r\n{rest}", rest.len()), "250 ")
        .await;
    let (_, queued) = world.queued().await;
    assert!(top(&queued, SIGNED)[3].starts_with("\tdkim=pass"));
}

/// Own programs and users would wait for DNS.
#[tokio::test]
async fn own_networks_users_and_who_switched_it_off_are_not_checked() {
    let world = World::with_checks(table()).await;
    let unchecked = |queued: &str| !queued.contains("Authentication-Results");
    let mut client = world.hello(Role::Mx, LOOPBACK).await;
    send(&mut client, "ann@signer.test", SIGNED).await;
    assert!(unchecked(&world.queued().await.1));
    let mut anna = world.anna().await;
    let own = SIGNED.replace("ann@signer.test", "anna@here.test");
    send(&mut anna, "anna@here.test", &own).await;
    assert!(unchecked(&world.queued().await.1));
    world.set("smtp.sender-checks-own", "true").await;
    send(&mut client, "ann@signer.test", SIGNED).await;
    assert!(!unchecked(&world.queued().await.1));
    world.set("smtp.sender-checks", "false").await;
    send(&mut client, "ann@signer.test", SIGNED).await;
    assert!(unchecked(&world.queued().await.1));
}
