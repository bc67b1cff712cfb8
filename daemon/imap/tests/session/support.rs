//! A server with two users, and a client that understands as much of IMAP as a test needs.

use std::sync::Arc;

use batpost_imap::{Server, serve};
use directory::Directory;
use disk::{RealDisk, SharedDisk};
use drivers::{Memory, Placed};
use events::Events;
use journal::Journal;
use mailbox::Mailboxes;
use net::Conn;
use queue::Queue;
use shared::model::Domain;
use shared::protocol::NewUser;
use tls::Tls;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

pub(crate) const USER: &str = "anna@example.test";
pub(crate) const OTHER: &str = "boris@example.test";
pub(crate) const PASSWORD: &str = "correct horse";

/// A message with CRLF line ends.
pub(crate) const MAIL: &str = "From: Anna <anna@example.test>\r\nTo: boris@example.test\r\nSubject: Hello\r\n\
    Date: Mon, 1 Jan 2024 10:00:00 +0000\r\nMessage-ID: <1@example.test>\r\n\r\nFirst line\r\nSecond line\r\n";

pub(crate) struct World {
    pub(crate) server: Arc<Server>,
    dir: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let disk: SharedDisk = Arc::new(RealDisk::new());
        let (journal, replay) = Journal::open(
            disk.clone(),
            &dir.path().join("journal"),
            journal::Options::default(),
        )
        .unwrap();
        drop(replay);
        let events = Events::none();
        let options = mailbox::Options::new(dir.path().join("mail"));
        let mailboxes = Mailboxes::open(disk.clone(), journal.clone(), &[], events.clone(), options).unwrap();
        let options = queue::Options {
            dir: dir.path().join("queue"),
            vfs: None,
            memory_max_bytes: 1 << 20,
        };
        let queue = Queue::open(disk.clone(), journal, &[], events.clone(), options).unwrap();
        let placed = Arc::new(Placed::single(Arc::new(Memory::new())));
        let directory = Directory::open(placed, [7; 32], events).await.unwrap();
        directory
            .add_domain(Domain::new("example.test".parse().unwrap()), "test")
            .await
            .unwrap();
        for (address, quota_bytes) in [(USER, None), (OTHER, Some(10_000))] {
            let user = NewUser {
                address: address.parse().unwrap(),
                password: Some(PASSWORD.to_owned()),
                name: String::new(),
                quota_bytes,
                groups: Vec::new(),
                enabled: true,
            };
            directory.add_user(user, "test").await.unwrap();
        }
        Self {
            server: Arc::new(Server {
                directory,
                mailboxes,
                queue,
                disk,
            }),
            dir,
        }
    }

    /// A connection; the greeting was read.
    pub(crate) async fn connect(&self) -> Client {
        let (near, far) = tokio::io::duplex(64 * 1024);
        self.greeted(near, Conn::for_test(far)).await
    }

    /// A connection from another host, to a server that has a certificate or not.
    pub(crate) async fn connect_from_afar(&self, certificate: bool) -> Client {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let dir = self.dir.path().join("tls");
        let tls = certificate.then(|| {
            Tls::open(self.server.disk.clone(), &dir, "mail.example.test")
                .unwrap()
                .0
        });
        let peer = "192.0.2.1:4000".parse().unwrap();
        self.greeted(near, Conn::for_test_with(far, peer, tls, Events::none()))
            .await
    }

    async fn greeted(&self, near: DuplexStream, conn: Conn) -> Client {
        tokio::spawn(serve(conn, self.server.clone()));
        let mut client = Client {
            stream: near,
            buffer: Vec::new(),
            number: 0,
        };
        let greeting = client.line().await;
        assert!(greeting.starts_with("* OK [CAPABILITY IMAP4rev1"), "{greeting}");
        client
    }

    /// A user's mailbox, past all sessions.
    pub(crate) async fn owner(&self, address: &str) -> mailbox::Owner {
        let account = self.server.directory.account(&address.parse().unwrap()).await;
        self.server.mailboxes.owner(account.unwrap().unwrap().owner)
    }

    /// A connection of the first user.
    pub(crate) async fn user(&self) -> Client {
        let mut client = self.connect().await;
        client.ok(&format!("LOGIN {USER} \"{PASSWORD}\"")).await;
        client
    }

    /// The same, with INBOX selected, after `count` messages were appended.
    pub(crate) async fn inbox(&self, count: usize) -> Client {
        let mut client = self.user().await;
        for _ in 0..count {
            client.append("INBOX", MAIL).await;
        }
        client.ok("SELECT INBOX").await;
        client
    }
}

pub(crate) struct Client {
    pub(crate) stream: DuplexStream,
    buffer: Vec<u8>,
    number: u32,
}

impl Client {
    pub(crate) async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// One response with its literals, without its line end.
    pub(crate) async fn line(&mut self) -> String {
        let mut from = 0;
        loop {
            let newline = self
                .buffer
                .get(from..)
                .and_then(|rest| rest.windows(2).position(|pair| pair == b"\r\n"));
            let Some(at) = newline.map(|at| from + at) else {
                self.more().await;
                continue;
            };
            let literal = self.buffer[..at].strip_suffix(b"}").and_then(|head| {
                let open = head.iter().rposition(|&byte| byte == b'{')?;
                std::str::from_utf8(&head[open + 1..]).ok()?.parse::<usize>().ok()
            });
            if let Some(size) = literal {
                from = at + 2 + size;
                while self.buffer.len() < from {
                    self.more().await;
                }
                continue;
            }
            let rest = self.buffer.split_off(at + 2);
            let mut line = std::mem::replace(&mut self.buffer, rest);
            crate::grammar::check(&line);
            line.truncate(at);
            return String::from_utf8_lossy(&line).into_owned();
        }
    }

    async fn more(&mut self) {
        let mut piece = [0; 8192];
        let read = self.stream.read(&mut piece).await.unwrap();
        assert!(
            read > 0,
            "the server closed; left: {}",
            String::from_utf8_lossy(&self.buffer)
        );
        self.buffer.extend_from_slice(&piece[..read]);
    }

    /// Whether the server has closed and said nothing more.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).await.unwrap();
        self.buffer.is_empty() && rest.is_empty()
    }

    /// Sends a command and gives all responses up to the tagged one, which is the last.
    pub(crate) async fn command(&mut self, command: &str) -> Vec<String> {
        self.number += 1;
        let tag = format!("t{}", self.number);
        self.send(&format!("{tag} {command}\r\n")).await;
        self.until(&tag).await
    }

    pub(crate) async fn until(&mut self, tag: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line().await;
            let last = line.starts_with(&format!("{tag} "));
            lines.push(line);
            if last {
                return lines;
            }
        }
    }

    /// The untagged responses of a command that must succeed.
    pub(crate) async fn ok(&mut self, command: &str) -> Vec<String> {
        let mut lines = self.command(command).await;
        let last = lines.pop().unwrap();
        assert!(last.contains(" OK "), "{command}: {last}");
        lines
    }

    /// The tagged response, without the tag.
    pub(crate) async fn answer(&mut self, command: &str) -> String {
        let last = self.command(command).await.pop().unwrap();
        last.split_once(' ').unwrap().1.to_owned()
    }

    /// A command whose tagged answer must begin so.
    pub(crate) async fn answers(&mut self, command: &str, beginning: &str) {
        let answer = self.answer(command).await;
        assert!(answer.starts_with(beginning), "{command}: {answer}");
    }

    /// Appends with a literal that waits for the go-ahead; gives the tagged response.
    pub(crate) async fn append(&mut self, name: &str, text: &str) -> String {
        self.append_with(name, "", text).await
    }

    pub(crate) async fn append_with(&mut self, name: &str, arguments: &str, text: &str) -> String {
        self.number += 1;
        let tag = format!("t{}", self.number);
        self.send(&format!("{tag} APPEND {name} {arguments}{{{}}}\r\n", text.len()))
            .await;
        let go = self.line().await;
        if !go.starts_with('+') {
            return go.split_once(' ').unwrap().1.to_owned();
        }
        self.send(text).await;
        self.send("\r\n").await;
        let last = self.until(&tag).await.pop().unwrap();
        last.split_once(' ').unwrap().1.to_owned()
    }
}
