#![allow(clippy::unwrap_used, clippy::panic)]
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use events::Events;
use shared::model::Protocol;
use shared::protocol::ServiceState;
use tls::{Tls, Trust};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::*;

const LIMIT: Duration = Duration::from_secs(20);

/// Answers each line with itself; `panic` is a fault; says goodbye when it is ended.
fn echo() -> Handler {
    Arc::new(|conn| Box::pin(echo_session(conn)))
}

async fn echo_session(mut conn: Conn) {
    conn.output().extend_from_slice(b"hello\r\n");
    loop {
        match conn.fill(LIMIT).await {
            Ok(_) => {}
            Err(ConnError::Ended) => {
                conn.output().extend_from_slice(b"bye\r\n");
                return conn.close().await;
            }
            Err(error) => return conn.session().set_reason(error.reason()),
        }
        assert!(!conn.input().starts_with(b"panic"), "as asked");
        if conn.input().starts_with(b"tls\n") {
            conn.input().clear();
            conn.output().extend_from_slice(b"go\r\n");
            conn.start_tls().await.unwrap();
        } else {
            let line = conn.input().split();
            conn.output().extend_from_slice(&line);
        }
    }
}

fn service(name: &'static str) -> ServiceConfig {
    let listener = Listener {
        address: "127.0.0.1:0".parse().unwrap(),
        implicit_tls: false,
    };
    ServiceConfig {
        name,
        protocol: Protocol::Imap,
        listeners: vec![listener],
        handler: echo(),
    }
}

fn address(net: &Net) -> SocketAddr {
    net.services()[0].listeners[0].parse().unwrap()
}

async fn connect(net: &Net) -> BufReader<TcpStream> {
    BufReader::new(TcpStream::connect(address(net)).await.unwrap())
}

async fn line(client: &mut BufReader<TcpStream>) -> String {
    let mut text = String::new();
    client.read_line(&mut text).await.unwrap();
    text
}

async fn start() -> Net {
    start_at("127.0.0.1:0").await
}

async fn start_at(address: &str) -> Net {
    let mut imap = service("imap");
    imap.listeners[0].address = address.parse().unwrap();
    Net::start(vec![imap], Arc::new(Open), None, Events::none())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_session_is_shown_counted_and_ended_with_a_farewell() {
    let net = start().await;
    let mut client = connect(&net).await;
    assert_eq!(line(&mut client).await, "hello\r\n");
    client.write_all(b"one\r\n").await.unwrap();
    assert_eq!(line(&mut client).await, "one\r\n");
    let row = net.sessions().pop().unwrap();
    assert_eq!(
        (row.service.as_str(), row.bytes_in, row.bytes_out),
        ("imap", 5, 12)
    );
    assert_eq!(net.bytes_total(), (5, 12));
    assert!(net.end(row.id, "test"));
    assert_eq!(line(&mut client).await, "bye\r\n");
    assert_eq!(line(&mut client).await, "");
    net.shutdown(LIMIT).await;
    assert!(net.sessions().is_empty());
    assert!(!net.end(row.id, "test"));
    assert_eq!(net.bytes_total(), (5, 17));
    assert_eq!((net.services()[0].active, net.services()[0].total), (0, 1));
}

#[tokio::test]
async fn a_panic_costs_one_session() {
    let net = start().await;
    let (mut first, mut second) = (connect(&net).await, connect(&net).await);
    assert_eq!(line(&mut first).await, "hello\r\n");
    assert_eq!(line(&mut second).await, "hello\r\n");
    first.write_all(b"panic\r\n").await.unwrap();
    assert_eq!(first.read_to_string(&mut String::new()).await.unwrap_or(0), 0);
    second.write_all(b"two\r\n").await.unwrap();
    assert_eq!(line(&mut second).await, "two\r\n");
}

#[tokio::test]
async fn pausing_keeps_sessions_and_stopping_ends_them() {
    // Where nobody else listens: a port that is free again may be another test's at once.
    let net = start_at("127.0.0.77:0").await;
    let mut old = connect(&net).await;
    assert_eq!(line(&mut old).await, "hello\r\n");
    net.set("imap", ServiceState::Paused, "test").await.unwrap();
    assert!(
        line(&mut connect(&net).await)
            .await
            .starts_with("* BYE [UNAVAILABLE]")
    );
    old.write_all(b"still here\r\n").await.unwrap();
    assert_eq!(line(&mut old).await, "still here\r\n");
    net.set("imap", ServiceState::Running, "test").await.unwrap();
    assert_eq!(line(&mut connect(&net).await).await, "hello\r\n");
    let was = address(&net);
    net.set("imap", ServiceState::Stopped, "test").await.unwrap();
    assert_eq!(line(&mut old).await, "bye\r\n");
    assert!(TcpStream::connect(was).await.is_err());
    assert!(net.services()[0].listeners.is_empty());
    assert!(matches!(
        net.set("x", ServiceState::Paused, "test").await,
        Err(NetError::NoSuchService(_))
    ));
}

#[tokio::test]
async fn an_occupied_port_is_named_and_nothing_is_left_open() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut occupied = service("pop3");
    occupied.listeners[0].address = taken.local_addr().unwrap();
    let net = Net::new(
        vec![service("imap"), occupied],
        Arc::new(Open),
        None,
        Events::none(),
    );
    let error = net.open_all().await.unwrap_err();
    assert!(matches!(error, NetError::Occupied(address) if address == taken.local_addr().unwrap()));
    assert!(
        net.services()
            .iter()
            .all(|row| row.state == ServiceState::Stopped && row.listeners.is_empty())
    );
}

/// Lets one session in, and nobody with a verdict.
struct Strict(Verdict);

impl Gate for Strict {
    fn connect<'a>(
        &'a self,
        _: SocketAddr,
        _: Protocol,
    ) -> Pin<Box<dyn Future<Output = Verdict> + Send + 'a>> {
        Box::pin(std::future::ready(self.0.clone()))
    }
    fn is_exempt(&self, _: IpAddr) -> bool {
        false
    }
    fn is_proxy(&self, _: IpAddr) -> bool {
        false
    }
    fn sessions_max(&self, _: &str) -> u64 {
        1
    }
    fn sessions_per_address_max(&self) -> u64 {
        1
    }
}

/// Loopback is a proxy.
struct BehindProxy;

impl Gate for BehindProxy {
    fn connect<'a>(
        &'a self,
        _: SocketAddr,
        _: Protocol,
    ) -> Pin<Box<dyn Future<Output = Verdict> + Send + 'a>> {
        Box::pin(std::future::ready(Verdict::Allow))
    }
    fn is_exempt(&self, _: IpAddr) -> bool {
        false
    }
    fn is_proxy(&self, peer: IpAddr) -> bool {
        peer.is_loopback()
    }
    fn sessions_max(&self, _: &str) -> u64 {
        10
    }
    fn sessions_per_address_max(&self) -> u64 {
        1
    }
}

/// Bans and limits would hit the proxy, and with it everybody.
#[tokio::test]
async fn behind_a_proxy_the_peer_is_whom_it_speaks_for() {
    let net = Net::start(vec![service("imap")], Arc::new(BehindProxy), None, Events::none())
        .await
        .unwrap();
    let mut sessions = Vec::new();
    for peer in ["192.0.2.1", "192.0.2.2"] {
        let mut stream = connect(&net).await;
        let header = format!("PROXY TCP4 {peer} 127.0.0.1 4000 25\r\n");
        stream.write_all(header.as_bytes()).await.unwrap();
        assert_eq!(line(&mut stream).await, "hello\r\n");
        sessions.push(stream);
    }
    let peers: Vec<String> = net.sessions().into_iter().map(|row| row.peer).collect();
    assert_eq!(peers, ["192.0.2.1:4000", "192.0.2.2:4000"]);
    let mut third = connect(&net).await;
    third
        .write_all(b"PROXY TCP4 192.0.2.1 127.0.0.1 4001 25\r\n")
        .await
        .unwrap();
    assert!(line(&mut third).await.contains("too many connections"));
    let mut bare = connect(&net).await;
    // As long as what is looked at, so that nothing unread turns the end into a reset.
    bare.write_all(b"a NOOP 1234\n").await.unwrap();
    assert_eq!(line(&mut bare).await, "", "without the header nobody is served");
    net.shutdown(LIMIT).await;
}

#[tokio::test]
async fn limits_and_verdicts_are_told_to_the_peer() {
    let gate = Arc::new(Strict(Verdict::Allow));
    let net = Net::start(vec![service("imap")], gate, None, Events::none())
        .await
        .unwrap();
    let mut first = connect(&net).await;
    assert_eq!(line(&mut first).await, "hello\r\n");
    assert!(
        line(&mut connect(&net).await)
            .await
            .starts_with("* BYE [UNAVAILABLE] too many connections")
    );
    net.shutdown(LIMIT).await;

    let refuse = Verdict::Refuse {
        temporary: false,
        text: "no\r\nthanks".to_owned(),
        reason: "listed".to_owned(),
    };
    let net = Net::start(
        vec![service("imap")],
        Arc::new(Strict(refuse)),
        None,
        Events::none(),
    )
    .await
    .unwrap();
    assert_eq!(line(&mut connect(&net).await).await, "* BYE nothanks\r\n");
    let drop = Verdict::Drop {
        reason: "listed".to_owned(),
    };
    let net = Net::start(
        vec![service("imap")],
        Arc::new(Strict(drop)),
        None,
        Events::none(),
    )
    .await
    .unwrap();
    assert_eq!(line(&mut connect(&net).await).await, "");
}

#[tokio::test]
async fn an_idle_connection_holds_no_buffers_and_a_cancelled_wait_loses_nothing() {
    let (mut client, server) = tokio::io::duplex(1024);
    let mut conn = Conn::for_test(server);
    client.write_all(b"abc").await.unwrap();
    assert_eq!(conn.fill(LIMIT).await.unwrap(), 3);
    conn.input().clear();
    {
        let waiting = conn.fill(LIMIT);
        tokio::pin!(waiting);
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(waiting.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
    }
    assert_eq!((conn.input().capacity(), conn.output().capacity()), (0, 0));
    client.write_all(b"def").await.unwrap();
    conn.fill(LIMIT).await.unwrap();
    assert_eq!(&conn.input()[..], b"def");
    assert!(
        std::mem::size_of::<Conn>() <= 320,
        "{}",
        std::mem::size_of::<Conn>()
    );
}

#[tokio::test(start_paused = true)]
async fn silence_has_a_limit() {
    let (_client, server) = tokio::io::duplex(1024);
    let mut conn = Conn::for_test(server);
    assert!(matches!(conn.fill(LIMIT).await, Err(ConnError::Timeout)));
    // A peer that does not read keeps the server no longer than the write timeout.
    conn.output().resize(4096, b'x');
    assert!(matches!(conn.flush().await, Err(ConnError::Timeout)));
}

#[tokio::test]
async fn tls_starts_clean() {
    let temp = tempfile::tempdir().unwrap();
    let (tls, _) = Tls::open(
        disk::RealDisk::shared(),
        &temp.path().join("tls"),
        "mail.example.test",
    )
    .unwrap();
    let net = Net::start(
        vec![service("imap")],
        Arc::new(Open),
        Some(tls.clone()),
        Events::none(),
    )
    .await
    .unwrap();
    let mut client = connect(&net).await;
    assert_eq!(line(&mut client).await, "hello\r\n");
    client.write_all(b"tls\n").await.unwrap();
    assert_eq!(line(&mut client).await, "go\r\n");
    let connector = tokio_rustls::TlsConnector::from(tls.client_config(Trust::Opportunistic).unwrap());
    let name = rustls::pki_types::ServerName::try_from("mail.example.test").unwrap();
    let mut secured = connector.connect(name, client.into_inner()).await.unwrap();
    secured.write_all(b"secret\r\n").await.unwrap();
    let mut answer = [0; 8];
    secured.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"secret\r\n");
    assert!(net.sessions()[0].tls);

    // What was said ahead of the handshake is never taken for said after it.
    let (mut client, server) = tokio::io::duplex(1024);
    let peer = "192.0.2.1:1".parse().unwrap();
    let mut conn = Conn::for_test_with(server, peer, Some(tls), Events::none());
    client.write_all(b"NOOP\r\n").await.unwrap();
    conn.fill(LIMIT).await.unwrap();
    assert!(conn.can_start_tls() && !conn.is_secure());
    assert!(matches!(conn.start_tls().await, Err(ConnError::Tls(_))));
    assert!(!conn.is_tls());
}
