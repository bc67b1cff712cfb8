//! Peers that mean no good, or have lost their way: what they send is bounded in memory and time, and others are served.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::*;

/// Octets on their way between client and server, far above what both hold.
const ON_THE_WAY_MAX_BYTES: usize = 1 << 20;

impl World {
    /// Whatever somebody else does.
    async fn serves_others(&self) {
        let mut other = self.user().await;
        other.ok("SELECT INBOX").await;
        other.ok("NOOP").await;
    }
}

impl Client {
    /// Everything that the server says until it closes; its clock goes as fast as nothing happens.
    async fn heard_in_time(mut self) -> String {
        let mut heard = Vec::new();
        tokio::time::pause();
        self.stream.read_to_end(&mut heard).await.unwrap();
        tokio::time::resume();
        String::from_utf8_lossy(&heard).into_owned()
    }
}

const COMMANDS: usize = 100_000;

fn many_commands() -> Vec<u8> {
    format!("{} NOOP\r\n", "t".repeat(200))
        .repeat(COMMANDS)
        .into_bytes()
}

/// A hundred thousand commands whose answers are not read wait with the client, not with us; when it reads, all are answered.
#[tokio::test]
async fn answers_that_nobody_reads_are_not_gathered() {
    let world = World::new().await;
    let mut stream = world.connect().await.stream;
    let (all, mut sent) = (many_commands(), 0);
    tokio::time::pause();
    // The clock moves only when the server waits for its client; little of the time that it would wait is spent here.
    while let Ok(written) = tokio::time::timeout(Duration::from_secs(1), stream.write(&all[sent..])).await {
        sent += written.unwrap();
    }
    tokio::time::resume();
    assert!(sent < ON_THE_WAY_MAX_BYTES, "{sent} octets were taken");
    world.serves_others().await;
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
    let mut stream = world.connect().await.stream;
    tokio::time::pause();
    let written = stream.write_all(&many_commands()).await;
    tokio::time::resume();
    assert!(written.is_err());
    world.serves_others().await;
}

/// Before the login and after it, at the beginning of a command and anywhere within one.
#[tokio::test]
async fn silence_comes_to_an_end() {
    let world = World::new().await;
    for said in [
        "",
        "a NOO",
        "a NOOP\r\nb",
        "a LOGIN {3}\r\nab",
        "a LOGIN {3+}\r\n",
        "a AUTHENTICATE CRAM-MD5\r\n",
        "a AUTHENTICATE PLAIN\r\nAAAA",
        "a LOGIN {1000000}\r\n",
        "a LOGIN {5000+}\r\nabc",
    ] {
        let mut client = world.connect().await;
        client.send(said).await;
        let heard = client.heard_in_time().await;
        assert!(heard.contains("* BYE [UNAVAILABLE]"), "{said:?}: {heard}");
    }
    for said in [
        "",
        "a NOO",
        "a APPEND INBOX {100}\r\nabc",
        "a APPEND INBOX {100+}\r\nabc",
        "a APPEND Nowhere {100+}\r\nabc",
        "a IDLE\r\n",
        "a IDLE\r\nDON",
        "a SELECT INBOX\r\nb IDLE\r\n",
        "a SELECT INBOX\r\nb FETCH 1 (FLAGS",
    ] {
        let mut client = world.user().await;
        client.send(said).await;
        let heard = client.heard_in_time().await;
        assert!(heard.contains("* BYE [UNAVAILABLE]"), "{said:?}: {heard}");
    }
    world.serves_others().await;
}

/// Who says an octet now and then holds no place for ever.
#[tokio::test]
async fn a_stranger_that_drips_is_let_go() {
    let world = World::new().await;
    let mut stream = world.connect().await.stream;
    tokio::time::pause();
    let mut minutes = 0;
    while stream.write_all(b"x").await.is_ok() {
        tokio::time::advance(Duration::from_mins(1)).await;
        minutes += 1;
        assert!(minutes < 60);
    }
    tokio::time::resume();
}

#[tokio::test]
async fn huge_literals_are_refused_when_they_are_announced() {
    let world = World::new().await;
    let gigabyte = 1 << 30;
    let mut client = world.user().await;
    for command in [
        "APPEND INBOX ",
        "SEARCH TEXT ",
        "LOGIN ",
        "APPEND INBOX (\\Seen) ~",
    ] {
        client
            .answers(&format!("{command}{{{gigabyte}}}"), "NO [TOOBIG]")
            .await;
        client.ok("NOOP").await;
    }
    for command in ["APPEND INBOX ", "SEARCH TEXT "] {
        let mut client = world.user().await;
        client.send(&format!("a {command}{{{gigabyte}+}}\r\n")).await;
        assert!(client.line().await.starts_with("* BYE [TOOBIG]"));
        assert!(client.is_closed().await);
    }
    // A stranger is heard out far less.
    let mut client = world.connect().await;
    client.send("a LOGIN {1000000+}\r\n").await;
    assert!(client.line().await.starts_with("* BYE [TOOBIG]"));
    world.serves_others().await;
}

#[tokio::test]
async fn a_line_that_never_ends_is_not_heard_out() {
    let world = World::new().await;
    let mut stream = world.connect().await.stream;
    let piece = vec![b'x'; 4096];
    let mut sent = 0;
    while stream.write_all(&piece).await.is_ok() {
        sent += piece.len();
        assert!(sent < 16 << 20);
    }
    world.serves_others().await;
}

/// Somebody who speaks TLS, HTTP or nothing at all to the port.
#[tokio::test]
async fn garbage_ends_the_session() {
    let world = World::new().await;
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\x00\x00".repeat(100);
    let request = b"GET / HTTP/1.1\r\nHost: mail.example.test\r\nAccept: */*\r\n\r\n".repeat(20);
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    })
    .take(60_000)
    .collect();
    for garbage in [hello, request, noise] {
        let mut client = world.connect().await;
        client.send_bytes(&garbage).await;
        let heard = client.heard_in_time().await;
        assert!(heard.contains("* BYE"), "{heard}");
    }
    world.serves_others().await;
}

#[tokio::test]
async fn logins_are_not_guessed_without_end() {
    let world = World::new().await;
    let stream = world.connect().await.stream;
    let (mut reading, mut writing) = tokio::io::split(stream);
    let write = async {
        // The server closes before all is said.
        let _ = writing
            .write_all("f LOGIN anna guess\r\n".repeat(10_000).as_bytes())
            .await;
    };
    let mut heard = String::new();
    tokio::join!(write, async {
        reading.read_to_string(&mut heard).await.unwrap();
    });
    let refused = heard.matches("f NO [AUTHENTICATIONFAILED]").count();
    assert!((3..100).contains(&refused), "{refused}");
    assert!(heard.ends_with("* BYE too many failed logins\r\n"), "{heard}");
    world.serves_others().await;
}

#[tokio::test]
async fn who_idles_says_done_and_nothing_else() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    for said in ["FNORD", "", "b NOOP", "DONE x"] {
        client.send(&format!("a IDLE\r\n{said}\r\n")).await;
        assert_eq!(client.line().await, "+ idling");
        assert!(client.line().await.starts_with("a BAD"), "{said}");
        client.ok("NOOP").await;
    }
    client.send("a IDLE\r\n").await;
    assert_eq!(client.line().await, "+ idling");
    client.send(&"x".repeat(1000)).await;
    assert!(client.line().await.starts_with("* BYE"));
    assert!(client.is_closed().await);
}

/// A few octets that become many: they are looked at piece by piece and let go like any line that is too long.
#[tokio::test]
async fn what_inflates_to_much_is_not_held() {
    let world = World::new().await;
    let mut client = world.user().await;
    client.ok("COMPRESS DEFLATE").await;
    let mut said = vec![b'x'; 16 << 20];
    said.extend_from_slice(b"\r\nz NOOP\r\n");
    let packed = miniz_oxide::deflate::compress_to_vec(&said, 6);
    assert!(packed.len() < said.len() / 100);
    client.send_bytes(&packed).await;
    let mut heard = Vec::new();
    let mut piece = [0; 4096];
    // Short answers go as they are, in blocks that are only stored.
    while !String::from_utf8_lossy(&heard).contains("z OK") {
        let read = client.stream.read(&mut piece).await.unwrap();
        assert!(read > 0);
        heard.extend_from_slice(&piece[..read]);
    }
    world.serves_others().await;
}

#[tokio::test]
async fn nothing_nests_too_deep() {
    let world = World::new().await;
    let mut client = world.inbox(1).await;
    let search = [
        format!("SEARCH {}ALL{}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("SEARCH {}ALL", "NOT ".repeat(60_000)),
        format!("SEARCH {}ALL", "OR ALL ".repeat(30_000)),
        format!("SORT (SUBJECT) UTF-8 {}ALL", "NOT ".repeat(60_000)),
        format!("LIST \"\" ({}", "(".repeat(100_000)),
    ];
    for command in &search {
        client.answers(command, "BAD").await;
    }
    client
        .ok(&format!("FETCH 1 BODY.PEEK[{}1]", "1.".repeat(50_000)))
        .await;
    let part = |level| format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n");
    let parts = (0..5000).map(part).collect::<Vec<String>>().concat();
    let messages = "Content-Type: message/rfc822\r\n\r\n".repeat(5000);
    for text in [parts, messages] {
        assert!(client.append("INBOX", &text).await.starts_with("OK"));
        client.ok("FETCH * (BODY BODYSTRUCTURE ENVELOPE PREVIEW)").await;
        client.ok("SEARCH TEXT nothing").await;
    }
    world.serves_others().await;
}

#[tokio::test]
async fn ten_thousand_sections() {
    let world = World::new().await;
    let mut client = world.inbox(2).await;
    let items: Vec<String> = (0..10_000).map(|n| format!("BODY.PEEK[1.{}]", n + 1)).collect();
    let lines = client.ok(&format!("FETCH 1:2 ({})", items.join(" "))).await;
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].matches("BODY[").count(), 10_000);
    let names: Vec<String> = (0..10_000).map(|n| format!("X-{n}")).collect();
    client
        .ok(&format!(
            "FETCH 1:2 BODY.PEEK[HEADER.FIELDS ({})]",
            names.join(" ")
        ))
        .await;
    client.ok(&format!("LIST \"\" {}", "*a".repeat(5000))).await;
    client.ok(&format!("LIST \"\" {}", "%*".repeat(5000))).await;
}
