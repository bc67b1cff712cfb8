//! What users would lose: mail that is not fetched, fetched twice, deleted over there before it is here, or a server that one hostile host
//! keeps busy.

mod fake;
mod imap;
mod logins;
mod pop3;
mod trouble;
mod turns;
mod visits;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use directory::{Directory, ExternalAccount, ExternalSeen};
use disk::RealDisk;
use dns::{Dns, Scripted};
use drivers::{Memory, Placed};
use events::Events;
use journal::Journal;
use mailbox::Mailboxes;
use queue::{Envelope, Outcome, Queue};
use shared::external::{External, ExternalAfter, ExternalProtocol, ExternalSecurity, ExternalState};
use shared::model::Domain;
use shared::protocol::NewUser;
use shared::{Address, DomainName};
use tls::Tls;

use crate::{Fetch, Parts, Timeouts};
use fake::Fake;

const USER: &str = "ann@example.test";
/// The account's name.
const NAME: &str = "Work";
const PASSWORD: &str = "secret";

/// A server without sessions and without delivery: what was fetched lies in the queue.
struct House {
    parts: Parts,
    fetch: Fetch,
    _dir: tempfile::TempDir,
}

impl House {
    /// With an account at that server, which is visited by hand only.
    async fn at(fake: &Fake) -> Self {
        let house = Self::new().await;
        house.account(protocol(fake), fake.port, |_| {}).await;
        house
    }

    /// The same; what is here is deleted over there.
    async fn deleting_at(fake: &Fake) -> Self {
        let house = Self::at(fake).await;
        house
            .change(|account| account.after = ExternalAfter::Delete)
            .await;
        house
    }

    /// As if what was done until now had been so many days ago.
    async fn days_pass(&self, days: i64) {
        let mut memory = self.remembered().await;
        for day in memory.folders.values_mut().flat_map(|folder| &mut folder.days) {
            day.0 -= days;
        }
        self.keep(&[], &[], Some(&memory.render())).await;
    }

    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Timeouts)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let placed = Arc::new(Placed::single(Arc::new(Memory::new())));
        let directory = Directory::open(placed, [7; 32], Events::none()).await.unwrap();
        let domain = Domain::new(DomainName::parse("example.test").unwrap());
        directory.add_domain(domain, "test").await.unwrap();
        let user = NewUser {
            address: address(USER),
            password: None,
            name: String::new(),
            quota_bytes: None,
            groups: Vec::new(),
            enabled: true,
        };
        directory.add_user(user, "test").await.unwrap();
        let mut parts = parts(dir.path(), directory);
        change(&mut parts.timeouts);
        Self {
            fetch: Fetch::start(parts.clone()),
            parts,
            _dir: dir,
        }
    }

    async fn setting(&self, key: &str, value: &str) {
        let (_, revision) = self.parts.directory.setting_values().await.unwrap();
        self.parts
            .directory
            .set_setting(key, value, revision, "test")
            .await
            .unwrap();
    }

    /// An account that is visited by hand only.
    async fn account(&self, protocol: ExternalProtocol, port: u16, change: impl FnOnce(&mut External)) {
        self.named(NAME, protocol, port, change).await;
    }

    async fn named(
        &self,
        name: &str,
        protocol: ExternalProtocol,
        port: u16,
        change: impl FnOnce(&mut External),
    ) {
        let mut external = External::new(address(USER), name);
        external.protocol = protocol;
        external.host = "127.0.0.1".to_owned();
        external.port = port;
        external.login = "ann".to_owned();
        external.security = ExternalSecurity::None;
        external.enabled = false;
        change(&mut external);
        self.parts
            .directory
            .add_external(external, Some(PASSWORD), "test")
            .await
            .unwrap();
    }

    async fn change(&self, change: impl FnOnce(&mut External)) {
        self.change_with(None, change).await;
    }

    /// With another password.
    async fn change_with(&self, password: Option<&str>, change: impl FnOnce(&mut External)) {
        let rows = self
            .parts
            .directory
            .externals(None, shared::protocol::Page::default())
            .await
            .unwrap();
        let (_, mut external) = rows.rows.into_iter().next().unwrap();
        change(&mut external);
        self.parts
            .directory
            .set_external(external, password, "test")
            .await
            .unwrap();
    }

    /// The account as it is kept.
    async fn kept(&self) -> ExternalAccount {
        let directory = &self.parts.directory;
        let owner = directory.account(&address(USER)).await.unwrap().unwrap().owner;
        let key = NAME.to_lowercase();
        directory.external(owner, &key).await.unwrap().unwrap()
    }

    /// What is kept of the folders.
    async fn remembered(&self) -> crate::memory::Memory {
        let account = self.kept().await;
        let directory = &self.parts.directory;
        let kept = directory
            .external_state(account.owner, &account.key)
            .await
            .unwrap();
        crate::memory::Memory::parse(kept.as_deref())
    }

    /// The unique ids that are kept.
    async fn seen(&self) -> Vec<ExternalSeen> {
        let account = self.kept().await;
        let directory = &self.parts.directory;
        directory
            .external_seen(account.owner, &account.key)
            .await
            .unwrap()
    }

    /// Keeps other things than a visit would.
    async fn keep(&self, seen: &[ExternalSeen], forgotten: &[String], state: Option<&str>) {
        let account = self.kept().await;
        let directory = &self.parts.directory;
        let kept = directory.keep_external(&account, seen, forgotten, state).await;
        assert!(kept.unwrap());
    }

    /// Until the accounts were read once: those that come now are visited at once.
    async fn until_known(&self) {
        while !self.fetch.inner.schedule.known.load(Ordering::Acquire) {
            tokio::task::yield_now().await;
        }
    }

    async fn visit(&self) -> ExternalState {
        self.fetch.now(&address(USER), NAME, true).await.unwrap()
    }

    /// The code of the problem of a visit.
    async fn problem(&self) -> String {
        self.visit()
            .await
            .problem
            .map_or_else(|| "fine".to_owned(), |problem| problem.code)
    }

    /// What lies in the queue, which is empty then.
    async fn taken(&self) -> Vec<(Envelope, String)> {
        let mut taken = Vec::new();
        while self.parts.queue.counts().messages > 0 {
            let job = self.parts.queue.next().await.unwrap();
            let text = job.text.read_range(&RealDisk::new(), 0, 64 << 20).unwrap();
            taken.push((
                (*job.envelope).clone(),
                String::from_utf8_lossy(&text).into_owned(),
            ));
            self.parts
                .queue
                .finish(job, vec![(0, Outcome::Stored)])
                .await
                .unwrap();
        }
        taken
    }

    /// The subjects of what was fetched.
    async fn subjects(&self) -> Vec<String> {
        let taken = self.taken().await;
        let subject = |text: &str| {
            text.split("Subject: ")
                .nth(1)
                .unwrap()
                .split("\r\n")
                .next()
                .unwrap()
                .to_owned()
        };
        taken.iter().map(|(_, text)| subject(text)).collect()
    }
}

fn parts(dir: &Path, directory: Directory) -> Parts {
    let disk = RealDisk::shared();
    let queue_dir = dir.join("queue");
    disk.create_dir_all_synced(&queue_dir).unwrap();
    let options = journal::Options::default();
    let (journal, replay) = Journal::open(disk.clone(), &queue_dir.join("journal"), options).unwrap();
    let records: Vec<_> = replay.map(Result::unwrap).collect();
    let mail = mailbox::Options::new(dir.join("mail"));
    let mailboxes = Mailboxes::open(disk.clone(), journal.clone(), &records, Events::none(), mail).unwrap();
    let options = queue::Options {
        dir: queue_dir,
        vfs: None,
        memory_max_bytes: 1 << 20,
    };
    let queue = Queue::open(disk.clone(), journal, &records, Events::none(), options).unwrap();
    let (tls, _) = Tls::open(disk, &dir.join("tls"), "mx.example.test").unwrap();
    Parts {
        queue,
        directory,
        mailboxes,
        dns: Dns::scripted(Scripted::unreachable()),
        tls,
        events: Events::none(),
        timeouts: Timeouts {
            answer: Duration::from_mins(1),
            ..Timeouts::default()
        },
    }
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn protocol(fake: &Fake) -> ExternalProtocol {
    if fake.imap {
        ExternalProtocol::Imap
    } else {
        ExternalProtocol::Pop3
    }
}

/// A certificate of another server, and its fingerprint.
fn certificate() -> (Tls, String, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let (tls, _) = Tls::open(RealDisk::shared(), dir.path(), "fake.test").unwrap();
    let pem = std::fs::read_to_string(dir.path().join("cert.pem")).unwrap();
    (tls, tls::fingerprint_of(&pem).unwrap(), dir)
}

/// A message of that subject.
fn message(subject: &str) -> Vec<u8> {
    format!("From: <bob@else.test>\r\nSubject: {subject}\r\n\r\nHello\r\n.dot\r\n").into_bytes()
}
