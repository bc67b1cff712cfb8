//! Sessions over memory against real rooms: directory and mailbox.
#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use rustls::pki_types::ServerName;
use tls::Trust;
use tokio_rustls::TlsConnector;
use world::{Client, ELSEWHERE, LOOPBACK, World};

const ONE: &str = "Subject: one\r\n\r\nfirst\r\n.dot\r\n..\r\nlast\r\n";
const TWO: &str = "Subject: two\r\n\r\nbody\r\n";

#[tokio::test]
async fn messages_are_listed_read_and_removed_at_quit() {
    let world = World::new().await;
    world.fill(&[ONE, TWO, ONE]).await;
    let mut client = world.anna().await;
    let octets = ONE.len() * 2 + TWO.len();
    client.say("STAT\r\n", &format!("+OK 3 {octets}")).await;
    let sizes = format!("1 {}\r\n2 {}\r\n3 {}\r\n", ONE.len(), TWO.len(), ONE.len());
    assert_eq!(client.ask("LIST\r\n").await, sizes);
    client.say("LIST 2\r\n", &format!("+OK 2 {}", TWO.len())).await;
    assert_eq!(client.ask("RETR 1\r\n").await, ONE);
    assert_eq!(client.ask("RETR 2\r\n").await, TWO);
    assert_eq!(client.ask("RETR 3\r\n").await, ONE);
    assert_eq!(client.ask("RETR 1\r\n").await, ONE);
    assert_eq!(client.ask("TOP 1 0\r\n").await, "Subject: one\r\n\r\n");
    assert_eq!(
        client.ask("TOP 1 2\r\n").await,
        "Subject: one\r\n\r\nfirst\r\n.dot\r\n"
    );
    assert_eq!(client.ask("TOP 1 99\r\n").await, ONE);
    client.say("DELE 2\r\n", "+OK").await;
    client.say("DELE 2\r\n", "-ERR").await;
    client.say("RETR 2\r\n", "-ERR").await;
    client.say("RETR 4\r\n", "-ERR").await;
    client.say("STAT\r\n", &format!("+OK 2 {}", ONE.len() * 2)).await;
    client.say("RSET\r\n", "+OK").await;
    client.say("STAT\r\n", "+OK 3 ").await;
    client.say("DELE 1\r\n", "+OK").await;
    let uids = client.ask("UIDL\r\n").await;
    let second = uids
        .lines()
        .next()
        .unwrap()
        .strip_prefix("2 ")
        .unwrap()
        .to_owned();
    client.say("UIDL 2\r\n", &format!("+OK 2 {second}")).await;
    client.say("QUIT\r\n", "+OK").await;
    assert_eq!(client.line().await, "");
    // The same message has the same id in the next session, under another number.
    let mut client = world.anna().await;
    assert_eq!(
        client.ask("UIDL\r\n").await.lines().next().unwrap(),
        format!("1 {second}")
    );
    client.say("STAT\r\n", "+OK 2 ").await;
}

// A line that breaks must not cost anybody mail.
#[tokio::test]
async fn without_quit_nothing_is_removed() {
    let world = World::new().await;
    world.fill(&[ONE]).await;
    let mut client = world.anna().await;
    client.say("DELE 1\r\n", "+OK").await;
    drop(client);
    let mut client = entered(&world).await;
    client.say("STAT\r\n", "+OK 1 ").await;
}

/// A session of Anna's, once the one before has let go.
async fn entered(world: &World) -> Client<tokio::io::DuplexStream> {
    loop {
        let mut client = world.connect(LOOPBACK).await;
        client.say("USER anna@here.test\r\n", "+OK").await;
        client.send("PASS pass\r\n").await;
        let line = client.line().await;
        if line.starts_with("+OK") {
            return client;
        }
        assert!(line.starts_with("-ERR [IN-USE]"), "{line}");
    }
}

#[tokio::test]
async fn one_session_has_the_maildrop() {
    let world = World::new().await;
    let mut first = world.anna().await;
    let mut second = world.connect(LOOPBACK).await;
    second.say("USER anna@here.test\r\n", "+OK").await;
    second.say("PASS pass\r\n", "-ERR [IN-USE]").await;
    first.say("QUIT\r\n", "+OK").await;
    second.say("USER anna@here.test\r\n", "+OK").await;
    second.say("PASS pass\r\n", "+OK").await;
}

// A client that lost its line and comes back at once is not told that it is in its own way.
#[tokio::test]
async fn a_login_waits_for_a_session_that_ends() {
    let world = World::new().await;
    let first = world.anna().await;
    let mut second = world.connect(LOOPBACK).await;
    second.say("USER anna@here.test\r\n", "+OK").await;
    second.send("PASS pass\r\n").await;
    drop(first);
    assert!(second.line().await.starts_with("+OK"));
}

#[tokio::test]
async fn unique_ids_outlive_what_other_programs_do() {
    let world = World::new().await;
    world.fill(&[ONE, TWO]).await;
    let mut client = world.anna().await;
    let before = client.ask("UIDL\r\n").await;
    client.say("QUIT\r\n", "+OK").await;
    let owner = world.inbox().await;
    let inbox = owner.folder("INBOX").await.unwrap().id;
    let archive = owner.folder("Archive").await.unwrap().id;
    owner.copy(inbox, &[2], &owner, inbox).await.unwrap();
    owner.move_to(inbox, &[1, 2], &owner, archive).await.unwrap();
    owner.move_to(archive, &[1], &owner, inbox).await.unwrap();
    // The copy of the second, and the first, which was away.
    let mut client = world.anna().await;
    let after = client.ask("UIDL\r\n").await;
    let id = |list: &str, number: usize| list.lines().nth(number - 1).unwrap()[2..].to_owned();
    assert_eq!((id(&after, 1), id(&after, 2)), (id(&before, 2), id(&before, 1)));
    client.say("QUIT\r\n", "+OK").await;
    // Two of one text are told apart.
    owner.copy(inbox, &[4], &owner, inbox).await.unwrap();
    let mut client = world.anna().await;
    let after = client.ask("UIDL\r\n").await;
    assert_eq!(id(&after, 2), id(&before, 1));
    assert!(
        id(&after, 3).starts_with(&format!("{}.", id(&before, 1))),
        "{after}"
    );
    let third = id(&after, 3);
    client.say("UIDL 3\r\n", &format!("+OK 3 {third}")).await;
}

#[tokio::test]
async fn every_mechanism_with_and_without_an_initial_response() {
    use wire::sasl::{Mechanism, client::Client as Sasl};
    let world = World::new().await;
    for mechanism in Mechanism::ALL {
        // These want TLS, a certificate, an identity provider, or a domain that turns them on.
        let off = matches!(mechanism, Mechanism::External | Mechanism::Ntlm);
        if mechanism.needs_channel_binding() || mechanism.is_token() || off {
            continue;
        }
        let mut client = world.connect(LOOPBACK).await;
        client.say(&format!("AUTH {}\r\n", mechanism.name()), "+ ").await;
        client.say("*\r\n", "-ERR authentication cancelled").await;
        if Sasl::new(mechanism, "", "", "").is_none() {
            continue;
        }
        for initial in [true, false] {
            let mut sasl = Sasl::new(mechanism, "anna@here.test", "pass", "nonce").unwrap();
            let mut client = world.connect(LOOPBACK).await;
            let first = sasl.initial();
            let mut waiting = first.clone().filter(|_| !initial);
            let first = first.filter(|_| initial).map(|text| match text.as_slice() {
                b"" => " =".to_owned(),
                text => format!(" {}", wire::base64::encode(text)),
            });
            let first = first.unwrap_or_default();
            client
                .send(&format!("AUTH {}{first}\r\n", mechanism.name()))
                .await;
            loop {
                let line = client.line().await;
                let Some(challenge) = line.strip_prefix("+ ") else {
                    assert!(line.starts_with("+OK"), "{} {initial}: {line}", mechanism.name());
                    break;
                };
                let challenge = wire::base64::decode(challenge.trim_end().as_bytes()).unwrap();
                let response = waiting
                    .take()
                    .unwrap_or_else(|| sasl.respond(&challenge).unwrap());
                client
                    .send(&format!("{}\r\n", wire::base64::encode(&response)))
                    .await;
            }
            client.say("STAT\r\n", "+OK").await;
            client.say("QUIT\r\n", "+OK").await;
        }
    }
}

#[tokio::test]
async fn headers_in_utf8_are_shown_to_those_who_ask_for_them() {
    let world = World::new().await;
    let mail = "Subject: \u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}\r\nFrom: a@here.test\r\n\r\n.\u{442}\r\n";
    let large = format!("{mail}{}", "a long line of text\r\n".repeat(10_000));
    world.fill(&[mail, ONE, &large]).await;
    let mut client = world.connect(LOOPBACK).await;
    client.say("UTF8\r\n", "+OK").await;
    client.say("STLS\r\n", "-ERR").await;
    client.say("USER anna@here.test\r\n", "+OK").await;
    client.say("PASS pass\r\n", "+OK").await;
    client.say("LIST 1\r\n", &format!("+OK 1 {}", mail.len())).await;
    assert_eq!(client.ask("RETR 1\r\n").await, mail);
    assert_eq!(client.ask("RETR 3\r\n").await, large);
    client.say("QUIT\r\n", "+OK").await;
    let mut client = world.anna().await;
    for (number, body) in [(1, ".\u{442}\r\n"), (3, "a long line of text\r\n")] {
        let shown = client.ask(&format!("RETR {number}\r\n")).await;
        assert!(
            shown.starts_with("Subject: =?") && shown.ends_with(body),
            "{shown}"
        );
        client
            .say(
                &format!("LIST {number}\r\n"),
                &format!("+OK {number} {}", shown.len()),
            )
            .await;
        let header = client.ask(&format!("TOP {number} 0\r\n")).await;
        assert!(header.is_ascii() && shown.starts_with(&header), "{header}");
    }
    client.say("LIST 2\r\n", &format!("+OK 2 {}", ONE.len())).await;
    assert_eq!(client.ask("RETR 2\r\n").await, ONE);
}

#[tokio::test]
async fn what_the_settings_say_is_told_and_kept() {
    let world = World::new().await;
    let mut client = world.connect(LOOPBACK).await;
    let offered = client.ask("CAPA\r\n").await;
    for line in [
        "EXPIRE NEVER\r\n",
        "LOGIN-DELAY 0\r\n",
        "IMPLEMENTATION BatPost\r\n",
    ] {
        assert!(offered.contains(line), "{offered}");
    }
    for (key, value) in [
        ("pop3.login-delay", "86400"),
        ("pop3.expire-days", "7"),
        ("pop3.implementation", ""),
    ] {
        let (_, revision) = world.directory.setting_values().await.unwrap();
        world
            .directory
            .set_setting(key, value, revision, "test")
            .await
            .unwrap();
    }
    let offered = client.ask("CAPA\r\n").await;
    assert!(
        offered.contains("EXPIRE 7\r\n") && offered.contains("LOGIN-DELAY 86400\r\n"),
        "{offered}"
    );
    assert!(!offered.contains("IMPLEMENTATION"), "{offered}");
    world.anna().await.say("QUIT\r\n", "+OK").await;
    client.say("USER anna@here.test\r\n", "+OK").await;
    client.say("PASS pass\r\n", "-ERR [LOGIN-DELAY]").await;
    // A wrong password is told as such, whatever the time.
    client.say("USER anna@here.test\r\n", "+OK").await;
    client.say("PASS wrong\r\n", "-ERR [AUTH]").await;
}

#[tokio::test]
async fn logins_say_no_more_than_they_must() {
    let world = World::new().await;
    let mut client = world.connect(LOOPBACK).await;
    client.say("STAT\r\n", "-ERR not in this state").await;
    client.say("PASS pass\r\n", "-ERR send USER").await;
    for (user, password, expected) in [
        ("anna@here.test", "wrong", "-ERR [AUTH] wrong user or password"),
        ("nobody@here.test", "pass", "-ERR [AUTH] wrong user or password"),
        ("boris@here.test", "pass", "-ERR [AUTH] POP3 is not allowed"),
    ] {
        client.say(&format!("USER {user}\r\n"), "+OK").await;
        client.say(&format!("PASS {password}\r\n"), expected).await;
    }
    client.say("APOP anna@here.test 0123\r\n", "-ERR").await;
    client.say("AUTH PLAIN\r\n", "+ ").await;
    client.say("*\r\n", "-ERR").await;
    client
        .say("AUTH PLAIN AGFubmFAaGVyZS50ZXN0AHBhc3M=\r\n", "+OK")
        .await;
    client
        .say("USER anna@here.test\r\n", "-ERR not in this state")
        .await;
    // A directory that is down is no wrong password.
    let mut client = world.connect(LOOPBACK).await;
    client.say("USER never-seen@here.test\r\n", "+OK").await;
    world.database.set_down(true);
    client.say("PASS pass\r\n", "-ERR [SYS/TEMP]").await;
}

#[tokio::test]
async fn passwords_are_not_asked_for_in_the_clear_and_tls_begins_anew() {
    let world = World::new().await;
    let mut client = world.connect(ELSEWHERE).await;
    let offered = client.ask("CAPA\r\n").await;
    assert!(
        offered.contains("STLS\r\n") && !offered.contains("\r\nUSER\r\n") && !offered.contains("PLAIN"),
        "{offered}"
    );
    assert!(
        offered.contains("SASL ") && offered.contains("PIPELINING\r\n"),
        "{offered}"
    );
    client.say("USER anna@here.test\r\n", "-ERR [AUTH]").await;
    client.say("STLS\r\n", "+OK").await;
    let connector = TlsConnector::from(world.tls.client_config(Trust::Opportunistic).unwrap());
    let name = ServerName::try_from("mail.here.test").unwrap();
    let mut client = Client::new(connector.connect(name, client.into_inner()).await.unwrap());
    let offered = client.ask("CAPA\r\n").await;
    assert!(
        offered.contains("\r\nUSER\r\n") && !offered.contains("STLS"),
        "{offered}"
    );
    client.say("USER anna@here.test\r\n", "+OK").await;
    client.say("PASS pass\r\n", "+OK").await;

    let mut client = world.connect(ELSEWHERE).await;
    client.say("STLS\r\nUSER anna@here.test\r\n", "-ERR").await;
    assert_eq!(client.line().await, "");
}

#[tokio::test]
async fn many_commands_at_once_are_answered_in_order() {
    let world = World::new().await;
    let texts: Vec<String> = (0..150)
        .map(|number| format!("Subject: {number}\r\n\r\n{number}\r\n"))
        .collect();
    world
        .fill(&texts.iter().map(String::as_str).collect::<Vec<_>>())
        .await;
    let mut client = world.anna().await;
    let all: String = (1..=150)
        .flat_map(|number| ["RETR ".to_owned(), number.to_string(), "\r\n".to_owned()])
        .collect();
    client.send(&all).await;
    for text in &texts {
        assert!(client.line().await.starts_with("+OK"));
        assert_eq!(client.rest().await, *text);
    }
}

#[tokio::test]
async fn a_large_message_and_one_that_an_imap_session_removed() {
    let world = World::new().await;
    let large = format!(
        "Subject: large\r\n\r\n{}",
        "..a line of a large message\r\n".repeat(30_000)
    );
    world.fill(&[TWO, &large, TWO]).await;
    let mut client = world.anna().await;
    assert_eq!(client.ask("RETR 2\r\n").await, large);
    assert_eq!(
        client.ask("TOP 2 1\r\n").await,
        "Subject: large\r\n\r\n..a line of a large message\r\n"
    );
    let inbox = world.inbox().await;
    let selected = inbox.select("INBOX", false).await.unwrap();
    inbox
        .remove_messages(selected.folder.id, &[selected.uids.nth(0).unwrap()])
        .await
        .unwrap();
    client.say("RETR 1\r\n", "-ERR").await;
    assert_eq!(client.ask("RETR 3\r\n").await, TWO);
}

#[tokio::test]
async fn errors_have_an_end_and_languages_a_beginning() {
    let world = World::new().await;
    let mut client = world.connect(LOOPBACK).await;
    client.say("UTF8\r\n", "+OK").await;
    assert!(client.ask("LANG\r\n").await.contains("ru "));
    client.say("LANG ru\r\n", "+OK ru ").await;
    client.say("STAT\r\n", "-ERR в этом состоянии").await;
    client.say("LANG xx\r\n", "-ERR").await;
    client.say("LANG *\r\n", "+OK en").await;
    for _ in 0..18 {
        client.say("XYZZY\r\n", "-ERR").await;
    }
    client.say("XYZZY\r\n", "-ERR").await;
    assert!(client.line().await.starts_with("-ERR too many errors"));
    assert_eq!(client.line().await, "");
}

#[tokio::test]
async fn what_a_session_costs_is_small() {
    let world = World::new().await;
    let (_client, server) = tokio::io::duplex(1);
    let future = batpost_pop3::serve(net::Conn::for_test(server), world.server());
    assert!(
        std::mem::size_of_val(&future) <= 2048,
        "{} bytes",
        std::mem::size_of_val(&future)
    );
}
