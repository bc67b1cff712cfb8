//! Peers that mean no good, or have lost their way: what they send is bounded in memory and time, and others are served.
#![allow(clippy::unwrap_used, clippy::panic)]

#[allow(dead_code, reason = "the other tests use the rest")]
mod world;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use world::{Client, ELSEWHERE, LOOPBACK, World};

/// Octets on their way between client and server, far above what both hold.
const ON_THE_WAY_MAX_BYTES: usize = 1 << 20;
const COMMANDS: usize = 100_000;

async fn serves_others(world: &World) {
    let mut client = world.connect(LOOPBACK).await;
    client.say("USER anna@here.test\r\n", "+OK").await;
    client.say("PASS pass\r\n", "+OK").await;
    client.say("QUIT\r\n", "+OK").await;
}

/// Everything that the server says until it closes; its clock goes as fast as nothing happens.
async fn heard_in_time(client: Client<DuplexStream>) -> String {
    let (mut stream, mut heard) = (client.into_inner(), Vec::new());
    tokio::time::pause();
    stream.read_to_end(&mut heard).await.unwrap();
    tokio::time::resume();
    String::from_utf8_lossy(&heard).into_owned()
}

/// A hundred thousand commands whose answers are not read wait with the client, not with us; when it reads, all are answered.
#[tokio::test]
async fn answers_that_nobody_reads_are_not_gathered() {
    let world = World::new().await;
    let mut stream = world.anna().await.into_inner();
    let (all, mut sent) = ("NOOP\r\n".repeat(COMMANDS).into_bytes(), 0);
    tokio::time::pause();
    // The clock moves only when the server waits for its client.
    while let Ok(written) = tokio::time::timeout(Duration::from_mins(1), stream.write(&all[sent..])).await {
        sent += written.unwrap();
        assert!(sent < ON_THE_WAY_MAX_BYTES, "{sent} octets were taken");
    }
    tokio::time::resume();
    let (mut reading, mut writing) = tokio::io::split(stream);
    let write = async { writing.write_all(&all[sent..]).await.unwrap() };
    let read = async {
        let (mut answers, mut piece) = (0, vec![0; 65536]);
        while answers < COMMANDS {
            let read = reading.read(&mut piece).await.unwrap();
            assert!(read > 0);
            answers += String::from_utf8_lossy(&piece[..read]).matches('\n').count();
        }
    };
    tokio::join!(write, read);
}

#[tokio::test]
async fn who_never_reads_is_let_go() {
    let world = World::new().await;
    let mut stream = world.anna().await.into_inner();
    tokio::time::pause();
    let written = stream.write_all("NOOP\r\n".repeat(COMMANDS).as_bytes()).await;
    tokio::time::resume();
    assert!(written.is_err());
    serves_others(&world).await;
}

/// Before the login and after it, also in the middle of a line; nobody else waits for the maildrop then.
#[tokio::test]
async fn silence_comes_to_an_end() {
    let world = World::new().await;
    for said in ["", "USE", "AUTH CRAM-MD5\r\n", "AUTH PLAIN\r\nAAAA"] {
        let mut client = world.connect(LOOPBACK).await;
        client.send(said).await;
        let heard = heard_in_time(client).await;
        assert!(heard.contains("-ERR"), "{said:?}: {heard}");
    }
    for said in ["", "RETR", "STAT\r\nDEL"] {
        let mut client = world.anna().await;
        client.send(said).await;
        let heard = heard_in_time(client).await;
        assert!(heard.contains("-ERR"), "{said:?}: {heard}");
    }
    serves_others(&world).await;
}

#[tokio::test]
async fn lines_that_are_too_long_are_not_heard_out() {
    let world = World::new().await;
    for line in ["x".repeat(4096), format!("{}\r\n", "x".repeat(600))] {
        let mut stream = world.connect(LOOPBACK).await.into_inner();
        let mut sent = 0;
        while stream.write_all(line.as_bytes()).await.is_ok() {
            sent += line.len();
            assert!(sent < 4 << 20);
        }
    }
    serves_others(&world).await;
}

#[tokio::test]
async fn logins_are_not_guessed_without_end() {
    let world = World::new().await;
    let mut stream = world.connect(LOOPBACK).await.into_inner();
    let guesses = "USER anna@here.test\r\nPASS guess\r\n".repeat(1000);
    let mut heard = String::new();
    let (mut reading, mut writing) = tokio::io::split(&mut stream);
    tokio::join!(
        async {
            // The server closes before all is said.
            let _ = writing.write_all(guesses.as_bytes()).await;
        },
        async {
            reading.read_to_string(&mut heard).await.unwrap();
        }
    );
    let refused = heard.matches("-ERR [AUTH]").count();
    assert!((3..100).contains(&refused), "{heard}");
    serves_others(&world).await;
}

/// Somebody who speaks TLS, HTTP or nothing at all to the port.
#[tokio::test]
async fn garbage_ends_the_session() {
    let world = World::new().await;
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\x00\x00".repeat(100);
    let request = b"GET / HTTP/1.1\r\nHost: mail.here.test\r\nAccept: */*\r\n\r\n".repeat(20);
    for garbage in [hello, request] {
        let mut stream = world.connect(ELSEWHERE).await.into_inner();
        stream.write_all(&garbage).await.unwrap();
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await.unwrap();
        let heard = String::from_utf8_lossy(&heard);
        assert!(heard.lines().all(|line| line.starts_with("-ERR")), "{heard}");
    }
    serves_others(&world).await;
}

/// Numbers that are none, or of no message, cost an error each and nothing else.
#[tokio::test]
async fn numbers_out_of_range() {
    let world = World::new().await;
    world.fill(&["Subject: one\r\n\r\nbody\r\n"]).await;
    let mut client = world.anna().await;
    for command in [
        "RETR 0",
        "RETR 2",
        "RETR -1",
        "RETR 4294967297",
        "RETR 18446744073709551617",
        "TOP 1",
        "TOP 1 -1",
        "TOP 0 1",
        "DELE 0",
        "LIST 99999999999999999999",
        "UIDL 0",
        "RETR 1 1",
    ] {
        client.say(&format!("{command}\r\n"), "-ERR").await;
    }
    assert_eq!(
        client.ask("TOP 1 4294967295\r\n").await,
        "Subject: one\r\n\r\nbody\r\n"
    );
    client.say("STAT\r\n", "+OK 1 ").await;
}
