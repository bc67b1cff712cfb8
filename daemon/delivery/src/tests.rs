//! What senders and recipients would lose: mail that is not delivered, delivered twice, or given up in silence.

mod connections;
mod dmarc;
mod fake;
mod forward;
mod hostile;
mod local;
mod remote;
mod reports;
mod routes;
mod security;
mod seven_bit;
mod sign;
mod tls_report;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use directory::Directory;
use disk::RealDisk;
use disk::blob::Blob;
use dns::{Dns, Scripted};
use drivers::{Memory, Placed};
use events::Events;
use http::Http;
use journal::Journal;
use mailbox::{Mailboxes, Want};
use queue::{Envelope, Notify, Origin, Queue, Recipient};
use shared::model::Domain;
use shared::protocol::NewUser;
use shared::{Address, DomainName};
use tls::Tls;

use crate::{Delivery, Parts, Timeouts, now};

/// Nothing that is waited for takes longer, however slow the machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server without sessions.
struct House {
    parts: Parts,
    delivery: Delivery,
    /// What delivery tells of itself.
    events: Events,
    _dir: tempfile::TempDir,
}

impl House {
    /// With the users `ann`, `bob` and `cy` of `example.test`; `remote.test` leads to the address.
    async fn with_remote(remote: SocketAddr) -> Self {
        let overrides = BTreeMap::from([(domain("remote.test"), remote)]);
        Self::with_dns(
            Dns::scripted(Scripted::unreachable()).with_overrides(overrides),
            &[],
        )
        .await
    }

    /// The same; a command that is not answered within that time fails.
    async fn with_remote_and_patience(remote: SocketAddr, command: Duration) -> Self {
        let dns = Dns::scripted(Scripted::unreachable())
            .with_overrides(BTreeMap::from([(domain("remote.test"), remote)]));
        Self::build_with(dns, &[], None, |parts| parts.timeouts.command = command).await
    }

    async fn with_dns(dns: Dns, settings: &[(&str, &str)]) -> Self {
        Self::build(dns, settings, None, |http| http).await
    }

    /// `roots`: a PEM text of authorities that outgoing connections believe. `http`: where web servers are.
    async fn build(
        dns: Dns,
        settings: &[(&str, &str)],
        roots: Option<&str>,
        http: impl FnOnce(Http) -> Http,
    ) -> Self {
        Self::build_with(dns, settings, roots, |parts| {
            parts.http = http(parts.http.clone());
        })
        .await
    }

    async fn build_with(
        dns: Dns,
        settings: &[(&str, &str)],
        roots: Option<&str>,
        change: impl FnOnce(&mut Parts),
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let placed = Arc::new(Placed::single(Arc::new(Memory::new())));
        let directory = Directory::open(placed, [7; 32], Events::none()).await.unwrap();
        directory
            .add_domain(Domain::new(domain("example.test")), "test")
            .await
            .unwrap();
        for user in ["ann", "bob", "cy"] {
            let address = address(&format!("{user}@example.test"));
            let user = NewUser {
                address,
                password: None,
                name: String::new(),
                quota_bytes: None,
                groups: Vec::new(),
                enabled: true,
            };
            directory.add_user(user, "test").await.unwrap();
        }
        for (key, value) in [("server.hostname", "mx.example.test")].iter().chain(settings) {
            let (_, revision) = directory.setting_values().await.unwrap();
            directory.set_setting(key, value, revision, "test").await.unwrap();
        }
        if let Some(roots) = roots {
            std::fs::create_dir(dir.path().join("tls")).unwrap();
            std::fs::write(dir.path().join("tls/roots.pem"), roots).unwrap();
        }
        let mut parts = open(dir.path(), directory, dns);
        change(&mut parts);
        let events = Events::start(events::Options {
            dir: None,
            language: i18n::Language::En,
            severity: events::Severity::Debug,
            keep_days: 1,
        })
        .unwrap();
        parts.events = events.clone();
        let delivery = Delivery::start(parts.clone());
        Self {
            parts,
            delivery,
            events,
            _dir: dir,
        }
    }

    async fn send(&self, recipients: &[&str], text: &str) -> u64 {
        self.send_as(envelope(recipients), text).await
    }

    async fn send_as(&self, envelope: Envelope, text: &str) -> u64 {
        self.parts
            .queue
            .commit(envelope, Blob::Bytes(text.to_owned().into()))
            .await
            .unwrap()
            .id()
            .0
    }

    /// Waits until the queue looks as wanted.
    async fn until(&self, what: &str, done: impl AsyncFn(&Queue) -> bool) {
        let mut watch = self.parts.queue.watch();
        let wait = async {
            while !done(&self.parts.queue).await {
                watch.changed().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .unwrap_or_else(|_| panic!("{what}"));
    }

    async fn until_empty(&self) {
        self.until("the queue is empty", async |queue| queue.counts().messages == 0)
            .await;
    }

    /// Waits until a message was put off, and gives the reply that is shown for it.
    async fn until_put_off(&self) -> String {
        self.until("put off", async |queue| put_off(queue).await.is_some())
            .await;
        put_off(&self.parts.queue).await.unwrap()
    }

    /// The texts in a user's INBOX.
    async fn inbox(&self, user: &str) -> Vec<String> {
        let account = self
            .parts
            .directory
            .account(&address(user))
            .await
            .unwrap()
            .unwrap();
        let owner = self.parts.mailboxes.owner(account.owner);
        let selected = owner.select("INBOX", false).await.unwrap();
        let uids: Vec<u32> = selected.uids.iter().collect();
        let want = Want {
            text: true,
            ..Want::default()
        };
        let fetched = owner.fetch(selected.folder.id, &uids, want).await.unwrap();
        let read = |blob: Blob| {
            String::from_utf8(blob.read_range(&RealDisk::new(), 0, 1 << 20).unwrap().to_vec()).unwrap()
        };
        fetched
            .into_iter()
            .map(|message| read(message.text.unwrap()))
            .collect()
    }
}

/// The reply for the first recipient who waits for another try, the one before having ended.
async fn put_off(queue: &Queue) -> Option<String> {
    for row in queue.list(shared::protocol::Page::default()).await.unwrap().rows {
        // Perhaps it has gone since.
        let Ok(message) = queue.show(row.id.parse().unwrap()).await else {
            continue;
        };
        let waits = message
            .states
            .into_iter()
            .find(|state| state.state == "waiting" && state.attempts > 0);
        if let Some(state) = waits {
            return Some(state.last_reply);
        }
    }
    None
}

fn open(dir: &Path, directory: Directory, dns: Dns) -> Parts {
    let disk = RealDisk::shared();
    let queue_dir = dir.join("queue");
    disk.create_dir_all_synced(&queue_dir).unwrap();
    let (journal, replay) = Journal::open(
        disk.clone(),
        &queue_dir.join("journal"),
        journal::Options::default(),
    )
    .unwrap();
    let records: Vec<_> = replay.map(Result::unwrap).collect();
    let mail = mailbox::Options::new(dir.join("mail"));
    let mailboxes = Mailboxes::open(disk.clone(), journal.clone(), &records, Events::none(), mail).unwrap();
    let options = queue::Options {
        dir: queue_dir,
        vfs: None,
        memory_max_bytes: 1 << 20,
    };
    let queue = Queue::open(disk.clone(), journal, &records, Events::none(), options).unwrap();
    let (tls, _) = Tls::open(disk.clone(), &dir.join("tls"), "mx.example.test").unwrap();
    let (dns_for_http, roots) = (dns.clone(), tls.roots());
    Parts {
        queue,
        directory,
        mailboxes,
        dns,
        tls,
        disk,
        events: Events::none(),
        smarthost_password: Arc::new(|| Some("secret".to_owned())),
        timeouts: Timeouts::default(),
        http: Http::new(dns_for_http).with_roots(roots),
        sts_dir: dir.join("mta-sts"),
    }
}

/// A certificate for that name, with its PEM text.
fn certificate(name: &str) -> (Tls, String) {
    let dir = tempfile::tempdir().unwrap();
    let (tls, _) = Tls::open(RealDisk::shared(), dir.path(), name).unwrap();
    let pem = std::fs::read_to_string(dir.path().join("cert.pem")).unwrap();
    (tls, pem)
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn domain(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn envelope(recipients: &[&str]) -> Envelope {
    let recipient = |text: &&str| Recipient {
        address: address(text),
        notify: None,
        original: None,
    };
    Envelope {
        sender: Some(address("ann@example.test")),
        recipients: recipients.iter().map(recipient).collect(),
        origin: Origin::Submission,
        user: None,
        smtputf8: false,
        eight_bit: false,
        require_tls: false,
        folder: None,
        return_full: None,
        envelope_id: None,
        session: 1,
        received: now(),
    }
}

const TEXT: &str = "Return-Path: <ann@example.test>\r\nSubject: hello\r\n\r\n.dot\r\nend\r\n";
/// What leaves the house of it.
const TEXT_OUT: &str = "Subject: hello\r\n\r\n.dot\r\nend\r\n";

/// One message that makes us stumble would end the worker, and the others after that.
#[tokio::test]
async fn a_panic_is_caught_where_it_is() {
    let fails = async |number: usize| {
        tokio::task::yield_now().await;
        [1, 2][number]
    };
    assert_eq!(crate::caught(fails(1)).await, Ok(2));
    let said = crate::caught(fails(2)).await.unwrap_err();
    assert!(said.contains("out of bounds"), "{said}");
}
