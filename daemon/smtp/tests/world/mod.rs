//! A server of real rooms on a directory of its own, and a client that speaks lines.

use std::net::SocketAddr;
use std::sync::Arc;

use batpost_smtp::{Role, Server, serve};
use directory::Directory;
use drivers::{Memory, Placed};
use events::Events;
use journal::Journal;
use net::Conn;
use policy::{By, Facts, Policy};
use queue::{Job, Outcome, Queue};
use shared::model::{Alias, Domain, ListEntry, Protocol, Side};
use shared::protocol::NewUser;
use shared::{Address, DomainName};
use tls::Tls;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};

pub(crate) const ELSEWHERE: &str = "192.0.2.7:4321";
pub(crate) const LOOPBACK: &str = "127.0.0.1:4321";

pub(crate) struct World {
    pub(crate) directory: Directory,
    pub(crate) queue: Queue,
    pub(crate) events: Events,
    pub(crate) tls: Tls,
    pub(crate) database: Arc<Memory>,
    journal: Journal,
    policy: Option<Policy>,
    server: Arc<Server>,
    temp: tempfile::TempDir,
}

impl World {
    /// Domain `here.test` with the users `anna` and `boris` (password `pass`) and the alias `info` of Anna.
    pub(crate) async fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let disk = disk::RealDisk::shared();
        let options = events::Options {
            dir: None,
            language: i18n::Language::default(),
            severity: events::Severity::Debug,
            keep_days: 1,
        };
        let events = Events::start(options).unwrap();
        let database = Arc::new(Memory::new());
        let placed = Arc::new(Placed::single(database.clone()));
        let directory = Directory::open(placed, [7; 32], events.clone()).await.unwrap();
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
        let alias = Alias {
            address: Address::parse("info@here.test").unwrap(),
            targets: vec![Address::parse("anna@here.test").unwrap()],
            enabled: true,
            revision: 0,
        };
        directory.add_alias(alias, "test").await.unwrap();
        let dir = temp.path().join("queue");
        let (journal, replay) =
            Journal::open(disk.clone(), &dir.join("journal"), journal::Options::default()).unwrap();
        drop(replay);
        let options = queue::Options {
            dir,
            vfs: None,
            memory_max_bytes: 64 << 20,
        };
        let queue = Queue::open(disk.clone(), journal.clone(), &[], events.clone(), options).unwrap();
        let (tls, _) = Tls::open(disk, &temp.path().join("tls"), "mail.here.test").unwrap();
        let server = Server::new(directory.clone(), queue.clone());
        let world = Self {
            directory,
            queue,
            events,
            tls,
            database,
            journal,
            policy: None,
            server,
            temp,
        };
        world.set("server.hostname", "mail.here.test").await;
        world
    }

    /// The same, with the lists of allowed and prohibited addresses.
    pub(crate) async fn with_policy() -> Self {
        let world = Self::new().await;
        let policy = Policy::new(world.directory.clone(), None).await.unwrap();
        let server = Server::with_policy(world.directory.clone(), world.queue.clone(), policy.clone());
        Self {
            server,
            policy: Some(policy),
            ..world
        }
    }

    /// The same, and senders are checked by what this table answers.
    pub(crate) async fn with_checks(table: dns::Scripted) -> Self {
        Self::build(table, false).await
    }

    /// The same, with mailboxes that LMTP asks for their room.
    pub(crate) async fn with_mailboxes() -> Self {
        Self::build(dns::Scripted::new(), true).await
    }

    async fn build(table: dns::Scripted, has_mailboxes: bool) -> Self {
        let world = Self::with_policy().await;
        let (directory, queue) = (world.directory.clone(), world.queue.clone());
        let policy = world.policy.clone().unwrap();
        let checks = batpost_smtp::Checks {
            dns: dns::Dns::scripted(table),
            told: Box::new(|_, _| {}),
        };
        let mailboxes = has_mailboxes.then(|| {
            let disk = disk::RealDisk::shared();
            let options = mailbox::Options::new(world.temp.path().join("mail"));
            mailbox::Mailboxes::open(disk, world.journal.clone(), &[], world.events.clone(), options).unwrap()
        });
        if let Some(mailboxes) = &mailboxes {
            // LMTP gives a mailbox a few seconds; making it is none of them.
            let boris = Address::parse("boris@here.test").unwrap();
            let boris = directory.user(&boris).await.unwrap().unwrap();
            mailboxes.owner(boris.owner).used_bytes().await.unwrap();
        }
        Self {
            server: Server::with_checks(directory, queue, policy, checks, mailboxes),
            ..world
        }
    }

    /// Puts an entry on a list and waits until it holds.
    pub(crate) async fn list(&self, side: Side, pattern: &str) {
        let entry = ListEntry {
            side,
            pattern: pattern.to_owned(),
            comment: String::new(),
            revision: 0,
        };
        self.directory.add_access(entry, "test").await.unwrap();
        let policy = self.policy.as_ref().unwrap();
        let sender = Address::parse(&pattern.replace('*', "x")).ok();
        let facts = Facts {
            sender,
            ..Facts::new(Protocol::Smtp, [192, 0, 2, 7].into())
        };
        let by = if side == Side::Allow {
            By::WhiteList
        } else {
            By::BlackList
        };
        while policy.mail_from(&facts).decided_by != by {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn set(&self, key: &str, value: &str) {
        let (_, revision) = self.directory.setting_values().await.unwrap();
        self.directory
            .set_setting(key, value, revision, "test")
            .await
            .unwrap();
    }

    pub(crate) fn server(&self) -> Arc<Server> {
        self.server.clone()
    }

    pub(crate) fn open(&self, role: Role, peer: &str) -> Client<DuplexStream> {
        let (client, server) = tokio::io::duplex(1 << 20);
        let peer: SocketAddr = peer.parse().unwrap();
        let conn = Conn::for_test_with(server, peer, Some(self.tls.clone()), self.events.clone());
        tokio::spawn(serve(conn, self.server.clone(), role));
        Client::new(client)
    }

    /// Opens a session and reads the greeting.
    pub(crate) async fn connect(&self, role: Role, peer: &str) -> Client<DuplexStream> {
        let mut client = self.open(role, peer);
        assert!(client.reply().await.starts_with("220 mail.here.test "));
        client
    }

    /// A session that said EHLO.
    pub(crate) async fn hello(&self, role: Role, peer: &str) -> Client<DuplexStream> {
        let mut client = self.connect(role, peer).await;
        client.say("EHLO client.test\r\n", "250-mail.here.test").await;
        client
    }

    /// A session of Anna's on the submission port.
    pub(crate) async fn anna(&self) -> Client<DuplexStream> {
        let mut client = self.hello(Role::Submission, LOOPBACK).await;
        // \0anna@here.test\0pass
        client
            .say("AUTH PLAIN AGFubmFAaGVyZS50ZXN0AHBhc3M=\r\n", "235 2.7.0")
            .await;
        client
    }

    /// The next queued message; it is done with then.
    pub(crate) async fn queued(&self) -> (Arc<queue::Envelope>, String) {
        let job: Job = self.queue.next().await.unwrap();
        let text = job.text.read_range(&disk::RealDisk::new(), 0, 1 << 30).unwrap();
        let envelope = job.envelope.clone();
        let done = job.due.iter().map(|&index| (index, Outcome::Stored)).collect();
        self.queue.finish(job, done).await.unwrap();
        (envelope, String::from_utf8(text.to_vec()).unwrap())
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

    pub(crate) async fn send(&mut self, text: impl AsRef<[u8]>) {
        self.io.write_all(text.as_ref()).await.unwrap();
        self.io.flush().await.unwrap();
    }

    /// One reply, all its lines; empty at the end of the session.
    pub(crate) async fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let Some(at) = self.buffer.iter().position(|&byte| byte == b'\n') else {
                if self.read().await == 0 {
                    return reply;
                }
                continue;
            };
            let line: Vec<u8> = self.buffer.drain(..=at).collect();
            reply.push_str(std::str::from_utf8(&line).unwrap());
            if line.get(3) != Some(&b'-') {
                return reply;
            }
        }
    }

    /// What one read gives.
    pub(crate) async fn read(&mut self) -> usize {
        let mut piece = vec![0; 1 << 16];
        let read = self.io.read(&mut piece).await.unwrap_or(0);
        self.buffer.extend_from_slice(&piece[..read]);
        read
    }

    pub(crate) fn unread(&self) -> &[u8] {
        &self.buffer
    }

    /// Says something and sees that the reply begins so.
    pub(crate) async fn say(&mut self, text: impl AsRef<[u8]>, expected: &str) -> String {
        self.send(&text).await;
        let reply = self.reply().await;
        assert!(
            reply.starts_with(expected),
            "{:?} was answered {reply:?}, not {expected:?}",
            String::from_utf8_lossy(text.as_ref())
        );
        reply
    }

    /// MAIL, RCPT to Anna and DATA.
    pub(crate) async fn begin(&mut self) {
        self.say("MAIL FROM:<x@else.test>\r\n", "250 2.1.0").await;
        self.say("RCPT TO:<anna@here.test>\r\n", "250 2.1.5").await;
        self.say("DATA\r\n", "354 ").await;
    }
}
