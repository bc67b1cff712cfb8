//! A server of real rooms on a directory of its own, and a client that speaks lines.

use std::net::SocketAddr;
use std::sync::Arc;

use batpost_pop3::{Server, serve};
use directory::Directory;
use disk::blob::Blob;
use drivers::{Memory, Placed};
use events::Events;
use journal::Journal;
use mailbox::{Append, Flags, Mailboxes, Owner};
use net::Conn;
use shared::model::{Domain, Protocol};
use shared::protocol::NewUser;
use shared::{Address, DomainName};
use tls::Tls;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};

pub(crate) const ELSEWHERE: &str = "192.0.2.7:4321";
pub(crate) const LOOPBACK: &str = "127.0.0.1:4321";

pub(crate) struct World {
    pub(crate) mailboxes: Mailboxes,
    pub(crate) directory: Directory,
    pub(crate) database: Arc<Memory>,
    pub(crate) tls: Tls,
    server: Arc<Server>,
    _journal: Journal,
    _temp: tempfile::TempDir,
}

impl World {
    /// Domain `here.test` with the users `anna` and `boris` (password `pass`); Boris may not use POP3.
    pub(crate) async fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let disk = disk::RealDisk::shared();
        let database = Arc::new(Memory::new());
        let placed = Arc::new(Placed::single(database.clone()));
        let directory = Directory::open(placed, [7; 32], Events::none()).await.unwrap();
        directory
            .add_domain(Domain::new(DomainName::parse("here.test").unwrap()), "test")
            .await
            .unwrap();
        for user in ["anna@here.test", "boris@here.test"] {
            let user = NewUser {
                address: Address::parse(user).unwrap(),
                password: Some("pass".to_owned()),
                name: String::new(),
                quota_bytes: None,
                groups: Vec::new(),
                enabled: true,
            };
            directory.add_user(user, "test").await.unwrap();
        }
        let boris = Address::parse("boris@here.test").unwrap();
        let mut user = directory.user(&boris).await.unwrap().unwrap();
        user.denied_protocols = vec![Protocol::Pop3];
        directory.set_user(user, "test").await.unwrap();
        let journal_dir = temp.path().join("queue");
        let (journal, replay) =
            Journal::open(disk.clone(), &journal_dir, journal::Options::default()).unwrap();
        drop(replay);
        let options = mailbox::Options {
            workers: 2,
            ..mailbox::Options::new(temp.path().join("mail"))
        };
        let mailboxes = Mailboxes::open(disk.clone(), journal.clone(), &[], Events::none(), options).unwrap();
        let (tls, _) = Tls::open(disk.clone(), &temp.path().join("tls"), "mail.here.test").unwrap();
        let server = Server::new(directory.clone(), mailboxes.clone(), disk);
        Self {
            mailboxes,
            directory,
            database,
            tls,
            server,
            _journal: journal,
            _temp: temp,
        }
    }

    pub(crate) fn server(&self) -> Arc<Server> {
        self.server.clone()
    }

    pub(crate) async fn inbox(&self) -> Owner {
        let anna = Address::parse("anna@here.test").unwrap();
        let account = self.directory.account(&anna).await.unwrap().unwrap();
        self.mailboxes.owner(account.owner)
    }

    /// Puts texts into Anna's INBOX.
    pub(crate) async fn fill(&self, texts: &[&str]) {
        let inbox = self.inbox().await;
        let folder = inbox.folder("INBOX").await.unwrap().id;
        let messages = texts.iter().map(|text| Append {
            text: Blob::Bytes(text.as_bytes().to_vec().into()),
            flags: Flags::default(),
            keywords: Vec::new(),
            received: (1_700_000_000, 0),
            quota_bytes: None,
        });
        inbox.append(folder, messages.collect()).await.unwrap();
    }

    /// Opens a session and reads the greeting.
    pub(crate) async fn connect(&self, peer: &str) -> Client<DuplexStream> {
        let (client, server) = tokio::io::duplex(1 << 16);
        let peer: SocketAddr = peer.parse().unwrap();
        let conn = Conn::for_test_with(server, peer, Some(self.tls.clone()), Events::none());
        tokio::spawn(serve(conn, self.server.clone()));
        let mut client = Client::new(client);
        assert!(client.line().await.starts_with("+OK "));
        client
    }

    /// A session of Anna's.
    pub(crate) async fn anna(&self) -> Client<DuplexStream> {
        let mut client = self.connect(LOOPBACK).await;
        client.say("USER anna@here.test\r\n", "+OK").await;
        client.say("PASS pass\r\n", "+OK").await;
        client
    }
}

pub(crate) struct Client<S> {
    io: S,
    buffer: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(crate) fn new(io: S) -> Self {
        Self {
            io,
            buffer: Vec::new(),
        }
    }

    pub(crate) fn into_inner(self) -> S {
        assert!(
            self.buffer.is_empty(),
            "unread: {}",
            String::from_utf8_lossy(&self.buffer)
        );
        self.io
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.io.write_all(text.as_bytes()).await.unwrap();
        self.io.flush().await.unwrap();
    }

    /// One line without its end; empty at the end of the session.
    pub(crate) async fn line(&mut self) -> String {
        loop {
            if let Some(at) = self.buffer.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=at).collect();
                let line = String::from_utf8(line).unwrap();
                return line.strip_suffix("\r\n").unwrap().to_owned();
            }
            let mut piece = [0; 4096];
            let read = self.io.read(&mut piece).await.unwrap_or(0);
            if read == 0 {
                return String::new();
            }
            self.buffer.extend_from_slice(&piece[..read]);
        }
    }

    /// Says something and sees that the answer begins so.
    pub(crate) async fn say(&mut self, text: &str, expected: &str) -> String {
        self.send(text).await;
        let line = self.line().await;
        assert!(
            line.starts_with(expected),
            "{text:?} was answered {line:?}, not {expected:?}"
        );
        line
    }

    /// What follows the first line of an answer, without dots and without the end.
    pub(crate) async fn rest(&mut self) -> String {
        let mut rest = String::new();
        loop {
            let line = self.line().await;
            if line == "." {
                return rest;
            }
            rest.push_str(line.strip_prefix('.').unwrap_or(&line));
            rest.push_str("\r\n");
        }
    }

    pub(crate) async fn ask(&mut self, text: &str) -> String {
        self.say(text, "+OK").await;
        self.rest().await
    }
}
