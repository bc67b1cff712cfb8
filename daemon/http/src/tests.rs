//! What a caller would lose: a server that hangs, floods or lies would hold up or mislead the one who asks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use dns::Scripted;
use parking_lot::Mutex;
use tls::Tls;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// A web server that says the same to everyone, and what it was asked.
struct Fake {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// `{}` in the answer is the server's own port. An answer that ends in `…` never ends.
    async fn start(answers: &[(&str, &str)], tls: Option<Tls>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answers: Arc<Vec<(String, String)>> = Arc::new(
            answers
                .iter()
                .map(|(path, answer)| {
                    (
                        (*path).to_owned(),
                        answer.replace("{}", &address.port().to_string()),
                    )
                })
                .collect(),
        );
        let asked = Arc::new(Mutex::new(Vec::new()));
        let all = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answers, asked, tls) = (answers.clone(), all.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => {
                            if let Ok(stream) = tls.acceptor().tokio().accept(stream).await {
                                serve(stream, &answers, &asked).await;
                            }
                        }
                        None => serve(stream, &answers, &asked).await,
                    }
                });
            }
        });
        Self { address, asked }
    }

    fn url(&self, path: &str) -> String {
        format!("http://web.test:{}{path}", self.address.port())
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answers: &[(String, String)],
    asked: &Mutex<Vec<String>>,
) {
    let mut input = Vec::new();
    while !input.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut piece = [0; 1024];
        match stream.read(&mut piece).await {
            Ok(read) if read > 0 => input.extend_from_slice(&piece[..read]),
            _ => return,
        }
    }
    let text = String::from_utf8(input).unwrap();
    let path = text.split(' ').nth(1).unwrap().to_owned();
    asked.lock().push(text);
    let answer = answers.iter().find(|(of, _)| *of == path);
    let answer = answer.map_or("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", |(_, a)| a);
    let (answer, hangs) = match answer.strip_suffix('…') {
        Some(answer) => (answer, true),
        None => (answer, false),
    };
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.flush().await;
    if hangs {
        std::future::pending::<()>().await;
    }
    let _ = stream.shutdown().await;
}

fn client() -> Http {
    let table = Scripted::new()
        .with_address("web.test", "127.0.0.1".parse().unwrap())
        .with_failure("down.test");
    Http::new(Dns::scripted(table))
}

async fn get(url: &str, limits: &Limits) -> Result<Answer, HttpError> {
    client().send(Request::get(url)?, limits).await
}

fn few(body_max_bytes: usize, redirects_max_count: usize) -> Limits {
    Limits {
        body_max_bytes,
        redirects_max_count,
        ..Limits::default()
    }
}

#[tokio::test]
async fn what_is_asked_arrives_and_what_is_answered_comes_back() {
    let answer = "HTTP/1.1 201 Created\r\nReplay-Nonce: abc\r\nContent-Type: Text/Plain; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    let fake = Fake::start(&[("/a?b=c", answer)], None).await;
    let request = Request::post(&fake.url("/a?b=c"), "application/json", "{}")
        .unwrap()
        .header("Accept", "text/plain");
    let answer = client().send(request, &Limits::default()).await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (201, &b"abcde"[..]));
    assert_eq!(answer.header("replay-nonce"), Some("abc"));
    assert_eq!(answer.content_type(), "text/plain");
    let asked = fake.asked.lock()[0].to_ascii_lowercase();
    let host = format!("host: web.test:{}\r\n", fake.address.port());
    for part in [
        "post /a?b=c http/1.1\r\n",
        &host,
        "content-type: application/json\r\n",
        "content-length: 2\r\n",
        "accept: text/plain\r\n",
    ] {
        assert!(asked.contains(part), "{part} in {asked}");
    }
}

#[tokio::test]
async fn a_server_that_floods_hangs_or_talks_nonsense_is_given_up() {
    let fake = Fake::start(
        &[
            ("/large", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n…"),
            ("/chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n0123456789012345678901234567890123456789012345678901234567890123\r\n…"),
            ("/endless", "HTTP/1.1 200 OK\r\n\r\n0123456789012345678901234567890123456789012345678901234567890123…"),
            ("/hangs", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na…"),
            ("/cut", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na"),
            ("/nonsense", "220 mail.test ESMTP\r\n"),
        ],
        None,
    )
    .await;
    let large = |error: &HttpError| matches!(error, HttpError::TooLarge(50));
    let unreadable = |error: &HttpError| matches!(error, HttpError::Answer(_));
    type Expected<'a> = &'a dyn Fn(&HttpError) -> bool;
    let cases: [(&str, Expected<'_>); 5] = [
        ("/chunks", &large),
        ("/endless", &large),
        ("/cut", &unreadable),
        ("/nonsense", &unreadable),
        ("/hangs", &|error| matches!(error, HttpError::Timeout)),
    ];
    for (path, expected) in cases {
        let mut limits = few(50, 0);
        if path == "/hangs" {
            limits.total = Duration::from_millis(200);
        }
        let error = get(&fake.url(path), &limits).await.unwrap_err();
        assert!(expected(&error), "{path}: {error}");
    }
}

#[tokio::test]
async fn redirections_lead_only_where_they_may() {
    let fake = Fake::start(
        &[
            (
                "/1",
                "HTTP/1.1 302 Found\r\nLocation: /2\r\nContent-Length: 0\r\n\r\n",
            ),
            (
                "/2",
                "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:{}/3\r\nContent-Length: 0\r\n\r\n",
            ),
            ("/3", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
            (
                "/file",
                "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
            ),
        ],
        None,
    )
    .await;
    let none = get(&fake.url("/1"), &few(50, 0)).await.unwrap();
    assert_eq!(none.status, 302, "nothing is followed unasked");
    assert!(matches!(
        get(&fake.url("/1"), &few(50, 1)).await,
        Err(HttpError::Redirect)
    ));
    assert!(matches!(
        get(&fake.url("/file"), &few(50, 5)).await,
        Err(HttpError::Redirect)
    ));
    fake.asked.lock().clear();
    let request = Request::get(&fake.url("/1"))
        .unwrap()
        .header("Authorization", "Bearer secret");
    let answer = client().send(request, &few(50, 2)).await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (200, &b"ok"[..]));
    let told: Vec<bool> = fake
        .asked
        .lock()
        .iter()
        .map(|asked| asked.contains("secret"))
        .collect();
    assert_eq!(told, [true, true, false], "another host is told no secret");
}

/// A policy or a key would be taken from whoever answers.
#[tokio::test]
async fn a_certificate_must_lead_to_a_root_and_name_the_host() {
    let dir = tempfile::tempdir().unwrap();
    let (tls, _) = Tls::open(disk::RealDisk::shared(), dir.path(), "good.test").unwrap();
    let root = std::fs::read(dir.path().join("cert.pem")).unwrap();
    let fake = Fake::start(
        &[("/", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")],
        Some(tls),
    )
    .await;
    let known = client()
        .with_address("good.test", fake.address)
        .with_address("other.test", fake.address);
    let knows = known.clone().with_pem_roots(&root).unwrap();
    for (client, host, works) in [
        (&knows, "good.test", true),
        (&knows, "other.test", false),
        (&known, "good.test", false),
    ] {
        let request = Request::get(&format!("https://{host}/")).unwrap();
        match client.send(request, &Limits::default()).await {
            Ok(answer) => assert!(works && answer.status == 200, "{host}"),
            // A machine without roots has none to believe.
            Err(HttpError::Certificate(_) | HttpError::Tls(_)) => assert!(!works, "{host}"),
            Err(other) => panic!("{host}: {other}"),
        }
    }
}

#[tokio::test]
async fn what_is_no_address_or_has_none_is_said_so() {
    for url in [
        "ftp://web.test/",
        "web.test",
        "http://user:secret@web.test/",
        "mailto:a@b.test",
    ] {
        let error = Request::get(url).unwrap_err();
        assert!(
            matches!(error, HttpError::Url(_)) && !error.to_string().contains("secret"),
            "{error}"
        );
    }
    for url in ["http://nowhere.test/", "http://down.test/"] {
        assert!(
            matches!(get(url, &Limits::default()).await, Err(HttpError::Dns(_))),
            "{url}"
        );
    }
}
