#![allow(clippy::unwrap_used, clippy::panic)]
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;

/// A clamd that takes one stream, gives `answer`, and returns what it was sent.
async fn fake_clamd(answer: &'static [u8]) -> (String, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let task = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut command = [0; 10];
        socket.read_exact(&mut command).await.unwrap();
        assert_eq!(&command, b"zINSTREAM\0");
        let mut text = Vec::new();
        loop {
            let length = socket.read_u32().await.unwrap() as usize;
            if length == 0 {
                break;
            }
            let at = text.len();
            text.resize(at + length, 0);
            socket.read_exact(&mut text[at..]).await.unwrap();
        }
        socket.write_all(answer).await.unwrap();
        text
    });
    (address, task)
}

fn plugin(kind: Kind, on_failure: OnFailure) -> Plugin {
    let timeout = Duration::from_mins(5);
    Plugin {
        name: "p".to_owned(),
        kind,
        timeout,
        size_max_bytes: 1 << 30,
        on_failure,
    }
}

fn scanner(plugins: Vec<Plugin>) -> Scanner {
    Scanner::new(disk::RealDisk::shared(), plugins)
}

fn failed(reason: &str) -> Verdict {
    Verdict::Failed {
        plugin: "p".to_owned(),
        reason: reason.to_owned(),
    }
}

#[tokio::test]
async fn clamd_sees_the_whole_text_and_its_answer_counts() {
    let infected = Verdict::Infected {
        plugin: "p".to_owned(),
        name: "Eicar-Test".to_owned(),
    };
    for (answer, expected) in [
        (&b"stream: OK\0"[..], Verdict::Clean),
        (b"stream: Eicar-Test FOUND\0", infected),
        (
            b"INSTREAM size limit exceeded. ERROR\0",
            failed("an answer that means nothing: INSTREAM size limit exceeded. ERROR"),
        ),
        (b"", failed("an answer that means nothing: ")),
    ] {
        let (address, task) = fake_clamd(answer).await;
        let text = Bytes::from(vec![b'x'; PIECE_BYTES * 2 + 1]);
        let scanner = scanner(vec![plugin(Kind::Clamd(Clamd::Tcp(address)), OnFailure::Fail)]);
        assert_eq!(scanner.scan(&Blob::Bytes(text.clone())).await, expected);
        assert_eq!(task.await.unwrap(), text);
    }
}

#[tokio::test]
async fn a_text_in_a_file_is_read_in_pieces() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("text");
    std::fs::write(&path, vec![b'y'; PIECE_BYTES + 7]).unwrap();
    let file = disk::blob::BlobFile {
        path,
        len: (PIECE_BYTES + 7) as u64,
    };
    let (address, task) = fake_clamd(b"stream: OK\0").await;
    let scanner = scanner(vec![plugin(Kind::Clamd(Clamd::Tcp(address)), OnFailure::Fail)]);
    assert_eq!(scanner.scan(&Blob::File(file.into())).await, Verdict::Clean);
    assert_eq!(task.await.unwrap().len(), PIECE_BYTES + 7);
}

#[tokio::test]
async fn a_scanner_that_is_down_is_passed_over_or_not_as_asked() {
    let nowhere = || Kind::Clamd(Clamd::Tcp("127.0.0.1:1".to_owned()));
    let text = Blob::Bytes(Bytes::from_static(b"text"));
    assert_eq!(
        scanner(vec![plugin(nowhere(), OnFailure::Pass)])
            .scan(&text)
            .await,
        Verdict::Clean
    );
    let verdict = scanner(vec![plugin(nowhere(), OnFailure::Fail)])
        .scan(&text)
        .await;
    assert!(matches!(verdict, Verdict::Failed { .. }), "{verdict:?}");
    let mut small = plugin(nowhere(), OnFailure::Fail);
    small.size_max_bytes = 3;
    assert_eq!(scanner(vec![small]).scan(&text).await, Verdict::Clean);
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_says_it_by_exit_code_and_output() {
    let shell = |script: &str| {
        let arguments = vec!["-c".to_owned(), script.to_owned()];
        let (clean_codes, infected_codes) = (vec![0], vec![1]);
        let command = Command {
            program: "/bin/sh".into(),
            arguments,
            clean_codes,
            infected_codes,
            name_after: "FOUND: ".to_owned(),
        };
        plugin(Kind::Command(command), OnFailure::Fail)
    };
    let infected = |name: &str| Verdict::Infected {
        plugin: "p".to_owned(),
        name: name.to_owned(),
    };
    for (script, expected) in [
        ("test \"$(cat)\" = text", Verdict::Clean),
        (
            "cat > /dev/null; echo x; echo FOUND: Worm; exit 1",
            infected("Worm"),
        ),
        ("exit 1", infected("unnamed")),
        ("exit 3", failed("an answer that means nothing: exit code 3")),
        (
            "kill -9 $$",
            failed("an answer that means nothing: killed by a signal"),
        ),
    ] {
        let verdict = scanner(vec![shell(script)])
            .scan(&Blob::Bytes(Bytes::from_static(b"text")))
            .await;
        assert_eq!(verdict, expected, "{script}");
    }
    let mut slow = shell("sleep 600");
    slow.timeout = Duration::from_millis(50);
    assert_eq!(
        scanner(vec![slow]).scan(&Blob::Bytes(Bytes::new())).await,
        failed("no answer in time")
    );
}
