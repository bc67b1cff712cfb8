//! COMPRESS and UNAUTHENTICATE: what changes under and around a session.

use miniz_oxide::DataFormat;
use miniz_oxide::deflate::core::{CompressorOxide, create_comp_flags_from_zip_params};
use miniz_oxide::inflate::stream::InflateState;
use miniz_oxide::{MZFlush, MZStatus, StreamResult, deflate, inflate};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::support::*;

/// Deflates what comes from `plain` and inflates what comes from `server`, until one of them ends.
async fn relay(mut plain: DuplexStream, mut server: DuplexStream) {
    let mut deflater = CompressorOxide::new(create_comp_flags_from_zip_params(9, -15, 0));
    let mut inflater = InflateState::new(DataFormat::Raw);
    let (mut said, mut heard) = (vec![0; 4096], vec![0; 4096]);
    loop {
        tokio::select! {
            read = plain.read(&mut said) => {
                let read = read.unwrap();
                let mut out = vec![0; 8192];
                let StreamResult { bytes_consumed, bytes_written, status } =
                    deflate::stream::deflate(&mut deflater, &said[..read], &mut out, MZFlush::Sync);
                assert_eq!((bytes_consumed, status), (read, Ok(MZStatus::Ok)));
                if read == 0 || server.write_all(&out[..bytes_written]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut heard) => {
                let Ok(read @ 1..) = read else { return };
                let mut rest = &heard[..read];
                loop {
                    let mut out = vec![0; 65536];
                    let done = inflate::stream::inflate(&mut inflater, rest, &mut out, MZFlush::None);
                    rest = &rest[done.bytes_consumed..];
                    plain.write_all(&out[..done.bytes_written]).await.unwrap();
                    match done.status {
                        Ok(MZStatus::Ok) if done.bytes_written == out.len() || !rest.is_empty() => {}
                        Ok(MZStatus::Ok) | Err(miniz_oxide::MZError::Buf) => break,
                        other => panic!("{other:?}"),
                    }
                }
            }
        }
    }
}

/// Switches compression on; what the client says and hears from here on goes through it.
async fn compress(client: &mut Client) {
    assert!(client.answer("COMPRESS DEFLATE").await.starts_with("OK"));
    let (near, far) = tokio::io::duplex(64 * 1024);
    let server = std::mem::replace(&mut client.stream, near);
    tokio::spawn(relay(far, server));
}

#[tokio::test]
async fn a_compressed_session_says_the_same() {
    let world = World::new().await;
    let mut client = world.inbox(1).await;
    let offered = client.ok("CAPABILITY").await.remove(0);
    assert!(offered.contains(" COMPRESS=DEFLATE"), "{offered}");
    assert!(client.answer("COMPRESS LZW").await.starts_with("BAD"));
    compress(&mut client).await;
    let offered = client.ok("CAPABILITY").await.remove(0);
    assert!(!offered.contains("COMPRESS"), "{offered}");
    assert!(
        client
            .answer("COMPRESS DEFLATE")
            .await
            .starts_with("NO [COMPRESSIONACTIVE]")
    );
    let body = client.ok("FETCH 1 BODY.PEEK[]").await.remove(0);
    assert!(body.contains(MAIL), "{body}");
    // Longer than what is sent uncompressed, in both directions and both ways of literals.
    let long = MAIL.repeat(400);
    assert!(client.append("INBOX", &long).await.starts_with("OK"));
    for _ in 0..2 {
        let body = client.ok("FETCH 2 BODY.PEEK[]").await;
        assert!(body.concat().contains(&long));
    }
    let lines = client.command("LOGOUT").await;
    assert!(lines[0].starts_with("* BYE"));
}

#[tokio::test]
async fn news_reach_an_idle_compressed_session_also_after_it_rested() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    let mut other = world.user().await;
    compress(&mut client).await;
    // Many folders: a compressor is made for the long answer.
    for n in 0..40 {
        client
            .ok(&format!("CREATE folder-with-a-long-name-{n}-to-be-listed"))
            .await;
    }
    client.ok("LIST \"\" *").await;
    client.send("i IDLE\r\n").await;
    assert!(client.line().await.starts_with("+ "));
    // The session's clock goes ahead of the machine's; silence goes by.
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(5)).await;
    tokio::time::resume();
    other.append("INBOX", MAIL).await;
    assert_eq!(client.line().await, "* 1 EXISTS");
    client.line().await;
    client.send("DONE\r\n").await;
    assert!(client.line().await.starts_with("i OK"));
    assert!(client.ok("LIST \"\" *").await.len() > 40);
}

#[tokio::test]
async fn what_is_no_deflate_ends_the_session_and_no_other() {
    let world = World::new().await;
    let mut client = world.user().await;
    assert!(client.answer("COMPRESS DEFLATE").await.starts_with("OK"));
    client.send("a NOOP\r\n").await;
    assert!(client.is_closed().await);
    world.user().await.ok("NOOP").await;
}

#[tokio::test]
async fn compress_waits_for_a_user() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let offered = client.ok("CAPABILITY").await.remove(0);
    assert!(!offered.contains("COMPRESS") && !offered.contains("UNAUTHENTICATE"));
    assert!(client.answer("COMPRESS DEFLATE").await.starts_with("BAD"));
    assert!(client.answer("UNAUTHENTICATE").await.starts_with("BAD"));
}

#[tokio::test]
async fn unauthenticate_forgets_the_user_and_keeps_the_connection() {
    let world = World::new().await;
    let mut client = world.inbox(1).await;
    client.ok("ENABLE CONDSTORE IMAP4rev2").await;
    client.ok("STORE 1 +FLAGS (\\Deleted)").await;
    compress(&mut client).await;
    let answer = client.answer("UNAUTHENTICATE").await;
    assert!(answer.starts_with("OK [CAPABILITY IMAP4rev1"), "{answer}");
    assert!(
        answer.contains(" AUTH=") && !answer.contains("COMPRESS"),
        "{answer}"
    );
    // Under compression there is no place for TLS below it.
    assert!(!answer.contains("STARTTLS"), "{answer}");
    assert!(client.answer("UNAUTHENTICATE").await.starts_with("BAD"));
    assert!(client.answer("SELECT INBOX").await.starts_with("BAD"));
    client.ok(&format!("LOGIN {OTHER} \"{PASSWORD}\"")).await;
    assert!(client.answer("FETCH 1 FLAGS").await.starts_with("BAD"));
    let lines = client.ok("SELECT INBOX").await;
    assert!(lines.contains(&"* 0 EXISTS".to_owned()) && lines.contains(&"* 0 RECENT".to_owned()));
    // Nothing was expunged when the first user's mailbox was let go.
    client.ok("UNAUTHENTICATE").await;
    client.ok(&format!("LOGIN {USER} \"{PASSWORD}\"")).await;
    assert!(client.ok("SELECT INBOX").await.contains(&"* 1 EXISTS".to_owned()));
    let flags = client.ok("FETCH 1 FLAGS").await.remove(0);
    assert!(!flags.contains("MODSEQ"), "{flags}");
}

#[tokio::test]
async fn a_compressed_session_is_told_between_commands() {
    let world = World::new().await;
    let mut client = world.inbox(0).await;
    let mut other = world.user().await;
    compress(&mut client).await;
    client
        .ok("NOTIFY SET (SELECTED (MessageNew (BODY.PEEK[]) MessageExpunge)) (PERSONAL (MailboxName))")
        .await;
    let long = MAIL.repeat(400);
    other.append("INBOX", &long).await;
    assert_eq!(client.line().await, "* 1 EXISTS");
    assert!(client.line().await.ends_with(" RECENT"));
    assert!(client.line().await.contains(&long));
    for number in 0..20 {
        other.ok(&format!("CREATE f{number}")).await;
        assert!(client.line().await.ends_with(&format!(" f{number}")));
    }
    client.ok("NOOP").await;
}
