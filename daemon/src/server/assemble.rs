//! Puts the rooms together, lowest first, and takes them apart again.
//!
//! The order at the start: logs, keys, control socket, configuration, journal, mailboxes (which replay it), queue, delivery,
//! and last the ports. The stop is the same backwards; the journal's clean mark is the last thing that is written.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use acme::Acme;
use control::Context;
use delivery::{Delivery, Parts, Timeouts};
use directory::Directory;
use disk::SharedDisk;
use dns::Dns;
use drivers::Placed;
use events::kinds::server::{CertificateDamaged, CertificateMade, Started, Stopping};
use events::kinds::store::{JournalReplayed, StoreFailed, StoreResumed, StoreStopped};
use events::{Events, Scope, Severity};
use fetch::Fetch;
use http::Http;
use i18n::Language;
use journal::{Journal, Record};
use mailbox::Mailboxes;
use net::{Conn, Handler, Listener, Net, ServiceConfig};
use policy::Policy;
use queue::Queue;
use shared::model::Protocol;
use shared::protocol::{ServiceRow, ServiceState};
use smtp::Role;
use tls::Tls;
use tokio::sync::watch;

use super::authority;
use super::config::{Config, PORTS};
use super::expiry;
use super::gate::DaemonGate;
use super::provider::Provider;
use super::secret::secret;
use super::trouble::Trouble;

/// Bytes of accepted texts that the queue holds in memory.
const QUEUE_MEMORY_MAX_BYTES: usize = 64 << 20;
/// How long sessions and deliveries have to come to their end at a stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running server.
pub(super) struct Server {
    pub(super) config: Config,
    pub(super) directory: Directory,
    net: Net,
    delivery: Delivery,
    fetch: Fetch,
    queue: Queue,
    mailboxes: Mailboxes,
    journal: Journal,
    tls: Tls,
    events: Events,
    disk: SharedDisk,
    data: PathBuf,
}

/// Starts everything. `stop` is what the control channel sets to stop the daemon.
pub(super) async fn start(
    disk: &SharedDisk,
    data: &Path,
    stop: watch::Sender<bool>,
) -> Result<Server, Trouble> {
    let started = Instant::now();
    // Fewer files than wished for is no reason not to start.
    let _ = disk::raise_open_file_limit();
    let config = Config::read(disk, data)?;
    let key = secret(disk, data, false)?;
    let events = logs(data)?;
    let control = control::Server::bind(data)
        .await
        .map_err(|error| Trouble::new("control").with("reason", error))?;
    let placed = Placed::open(&config.placement(), disk, data)
        .map_err(|error| Trouble::store("configuration", error))?;
    let placed = Arc::new(placed);
    let opened = Directory::open(Arc::clone(&placed), key, events.clone()).await;
    let directory = opened.map_err(|error| Trouble::store("configuration", error))?;
    follow_settings(&directory, &events);
    tokio::spawn(super::space::watch(disk.clone(), data.to_owned(), events.clone()));

    let stores = {
        let (disk, data, events) = (disk.clone(), data.to_owned(), events.clone());
        blocking(move || stores(&disk, &data, &events)).await?
    };
    follow_indexing(&directory, &stores.mailboxes);
    let tls = {
        let (disk, dir) = (disk.clone(), data.join("tls"));
        let hostname = directory.settings().text("server.hostname").to_owned();
        let events = events.clone();
        blocking(move || certificates(disk, &dir, &hostname, &events)).await?
    };
    let dns = Dns::new(&config.dns.clone().unwrap_or_default());
    let http = Http::new(dns.clone()).with_roots(tls.roots());
    directory.set_provider(Arc::new(Provider {
        http: http.clone(),
        disk: disk.clone(),
        secret: secret_file(disk, data, "oauth"),
    }));
    follow_client_certificates(&directory, &tls, &events);
    tokio::spawn(expiry::watch(tls.clone(), events.clone()));
    let parts = authority::parts(&config, disk, data, (&directory, &tls, &dns), &events);
    let acme = blocking(move || Ok(Acme::open(parts))).await?;
    let delivery = Delivery::start(Parts {
        queue: stores.queue.clone(),
        directory: directory.clone(),
        mailboxes: stores.mailboxes.clone(),
        dns: dns.clone(),
        tls: tls.clone(),
        disk: disk.clone(),
        events: events.clone(),
        smarthost_password: secret_file(disk, data, "smarthost"),
        timeouts: Timeouts::default(),
        http,
        sts_dir: data.join("mta-sts"),
    });
    let fetch = Fetch::start(fetch::Parts {
        queue: stores.queue.clone(),
        directory: directory.clone(),
        mailboxes: stores.mailboxes.clone(),
        dns: dns.clone(),
        tls: tls.clone(),
        events: events.clone(),
        timeouts: fetch::Timeouts::default(),
    });
    let judge = Policy::new(directory.clone(), Some(dns.clone())).await;
    let policy = judge.map_err(|error| Trouble::store("configuration", error))?;
    let gate = Arc::new(DaemonGate {
        directory: directory.clone(),
        policy: policy.clone(),
    });
    let checks = {
        let delivery = delivery.clone();
        smtp::Checks {
            dns: dns.clone(),
            told: Box::new(move |results, peer| delivery.checked(results, peer)),
        }
    };
    let services = services(
        &config,
        &directory,
        &stores,
        &policy,
        (checks, acme.tokens()),
        disk,
    );
    let net = Net::new(services, gate, Some(tls.clone()), events.clone());
    net.add_external(Arc::new(DeliveryService(delivery.clone())));
    let context = Context {
        data: data.to_owned(),
        directory: directory.clone(),
        mailboxes: stores.mailboxes.clone(),
        queue: stores.queue.clone(),
        net: net.clone(),
        tls: tls.clone(),
        acme: acme.clone(),
        placed,
        events: events.clone(),
        started,
        version: crate::VERSION,
        stop,
        disk: disk.clone(),
        delivery: delivery.clone(),
        fetch: fetch.clone(),
    };
    tokio::spawn(control.run(Arc::new(context)));
    let Stores {
        journal,
        mailboxes,
        queue,
    } = stores;
    let server = Server {
        config,
        directory,
        net,
        delivery,
        fetch,
        queue,
        mailboxes,
        journal,
        tls,
        events,
        disk: disk.clone(),
        data: data.to_owned(),
    };
    if let Err(error) = server.net.open_all().await {
        // All but the ports is there: without a clean end the next start would have to take this for a crash.
        let trouble = Trouble::from(error);
        let language = Language::from_code(server.directory.settings().text("server.language"));
        server.stop(&trouble.text(language.unwrap_or_default())).await;
        return Err(trouble);
    }
    let event = Started {
        version: crate::VERSION.to_owned(),
        data: data.display().to_string(),
    };
    server.events.emit(Scope::default(), event);
    // An authority finds the ports open from here on.
    tokio::spawn(acme.run());
    Ok(server)
}

impl Server {
    /// Stops everything in order, for a reason that the log is told (`request`: somebody asked for it). What can't be written any more is in the log; the next start replays the journal.
    pub(super) async fn stop(&self, reason: &str) {
        self.events.emit(
            Scope::default(),
            Stopping {
                reason: reason.to_owned(),
            },
        );
        self.net.shutdown(PATIENCE).await;
        self.fetch.close(PATIENCE).await;
        self.delivery.close(PATIENCE).await;
        self.queue.close().await;
        self.mailboxes.close().await;
        let (journal, events) = (self.journal.clone(), self.events.clone());
        let closed = blocking(move || {
            if let Err(error) = journal.close() {
                let event = StoreFailed {
                    store: "journal".to_owned(),
                    reason: error.to_string(),
                };
                events.emit(Scope::default(), event);
            }
            events.flush();
            Ok(())
        });
        // The task only fails if it panicked, which the journal's next open takes for an unclean stop.
        let _ = closed.await;
    }

    /// Waits until the store stops taking anything because a write or sync has failed; the cause.
    pub(super) async fn until_failed(&self) -> String {
        tokio::select! {
            cause = self.journal.until_failed() => cause.to_string(),
            cause = self.mailboxes.until_failed() => cause,
            cause = self.queue.until_failed() => cause,
        }
    }

    /// Whether the disk takes a file, so that opening the store anew may help.
    pub(super) async fn takes_files(&self) -> bool {
        let (disk, data) = (self.disk.clone(), self.data.clone());
        let tried = blocking(move || {
            super::space::probe(&disk, &data.join("queue"))
                .map_err(|error| Trouble::unwritable(&data, &error))
        });
        tried.await.is_ok()
    }

    pub(super) fn tell_store_stopped(&self, reason: &str) {
        let reason = reason.to_owned();
        self.events.emit(Scope::default(), StoreStopped { reason });
    }

    pub(super) fn tell_store_resumed(&self, reason: &str) {
        let reason = reason.to_owned();
        self.events.emit(Scope::default(), StoreResumed { reason });
    }

    /// Reads the certificates anew; those in use stay if they can't be read.
    pub(super) fn reload_certificates(&self) {
        let (tls, events) = (self.tls.clone(), self.events.clone());
        tokio::task::spawn_blocking(move || tell_damage(tls.reload(), &events));
    }
}

/// Tells of a certificate that could not be read.
fn tell_damage(read: Result<(), tls::TlsError>, events: &Events) {
    if let Err(error) = read {
        let reason = error.to_string();
        events.emit(Scope::default(), CertificateDamaged { reason });
    }
}

/// Runs something that blocks, off the runtime's threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Trouble::new("start").with("reason", error)),
    }
}

fn logs(data: &Path) -> Result<Events, Trouble> {
    let dir = data.join("log");
    let options = events::Options {
        dir: Some(dir.clone()),
        language: Language::of_environment(),
        severity: Severity::Info,
        keep_days: 30,
    };
    Events::start(options).map_err(|error| Trouble::unwritable(&dir, &error))
}

/// The log is written in the server's language and kept as long as the settings say, also when they change.
fn follow_settings(directory: &Directory, events: &Events) {
    let (directory, events) = (directory.clone(), events.clone());
    tokio::spawn(async move {
        let mut changes = directory.changes();
        loop {
            let settings = directory.settings();
            if let Some(language) = Language::from_code(settings.text("server.language")) {
                events.set_language(language);
            }
            events.set_keep_days(settings.number("log.keep-days") as u32);
            // Whatever changed: reading the settings costs nothing. The end of the feed is the end of the server.
            if let Err(tokio::sync::broadcast::error::RecvError::Closed) = changes.recv().await {
                return;
            }
        }
    });
}

/// Clients are asked for certificates as long as the settings say so.
fn follow_client_certificates(directory: &Directory, tls: &Tls, events: &Events) {
    let (directory, tls, events) = (directory.clone(), tls.clone(), events.clone());
    tokio::spawn(async move {
        let mut changes = directory.changes();
        loop {
            let (tls, on) = (tls.clone(), directory.settings().flag("tls.client-certificates"));
            let asked = tokio::task::spawn_blocking(move || tls.ask_clients(on)).await;
            if let Ok(asked) = asked {
                tell_damage(asked, &events);
            }
            if let Err(tokio::sync::broadcast::error::RecvError::Closed) = changes.recv().await {
                return;
            }
        }
    });
}

/// Texts are indexed for searches as long as the settings say so.
fn follow_indexing(directory: &Directory, mailboxes: &Mailboxes) {
    let (directory, mailboxes) = (directory.clone(), mailboxes.clone());
    tokio::spawn(async move {
        let mut changes = directory.changes();
        loop {
            mailboxes.set_indexing(directory.settings().flag("imap.index"));
            if let Err(tokio::sync::broadcast::error::RecvError::Closed) = changes.recv().await {
                return;
            }
        }
    });
}

struct Stores {
    journal: Journal,
    mailboxes: Mailboxes,
    queue: Queue,
}

/// Opens the journal and replays it into mailboxes and queue. Blocks.
fn stores(disk: &SharedDisk, data: &Path, events: &Events) -> Result<Stores, Trouble> {
    let dir = data.join("queue");
    let options = journal::Options {
        first_id: first_id(),
        ..journal::Options::default()
    };
    let (journal, replay) = Journal::open(disk.clone(), &dir.join("journal"), options)
        .map_err(|error| Trouble::store("journal", error))?;
    for damage in &replay.damage {
        let reason = format!("{}: {:x}–{:x}", damage.file, damage.first.0, damage.last.0);
        events.emit(
            Scope::default(),
            StoreFailed {
                store: "journal".to_owned(),
                reason,
            },
        );
    }
    let (clean, epoch) = (replay.clean, replay.epoch);
    let records: Vec<Record> = replay
        .collect::<Result<_, _>>()
        .map_err(|error| Trouble::store("journal", error))?;
    if !clean {
        events.emit(
            Scope::default(),
            JournalReplayed {
                records: records.len() as u64,
            },
        );
    }
    // Before the mailboxes apply anything: what a newer version wrote is left as it is.
    queue::check_formats(&dir, &records).map_err(|error| Trouble::store("queue", error))?;
    let queue_dir = dir.clone();
    let options = mailbox::Options {
        epoch,
        queued_text: Some(Arc::new(move |record: &Record| {
            queue::text_of(&queue_dir, record)
        })),
        ..mailbox::Options::new(data.join("mail"))
    };
    let mailboxes = Mailboxes::open(disk.clone(), journal.clone(), &records, events.clone(), options)
        .map_err(|error| Trouble::store("mailboxes", error))?;
    let options = queue::Options {
        dir,
        vfs: None,
        memory_max_bytes: QUEUE_MEMORY_MAX_BYTES,
    };
    let queue = Queue::open(disk.clone(), journal.clone(), &records, events.clone(), options)
        .map_err(|error| Trouble::store("queue", error))?;
    Ok(Stores {
        journal,
        mailboxes,
        queue,
    })
}

/// The first number of a journal that has no files: of the time, so that numbers that mailboxes may know from a journal that was
/// deleted don't come again.
fn first_id() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(1, |since| since.as_secs() << 16)
}

fn certificates(disk: SharedDisk, dir: &Path, hostname: &str, events: &Events) -> Result<Tls, Trouble> {
    let opened = Tls::open(disk, dir, hostname);
    let (tls, found) = opened.map_err(|error| Trouble::new("certificate").with("reason", error))?;
    if found == tls::Found::Made {
        events.emit(
            Scope::default(),
            CertificateMade {
                host: hostname.to_owned(),
            },
        );
    }
    Ok(tls)
}

/// A password of this server elsewhere stands alone in a file of `keys/`; read when it is needed.
pub(super) fn secret_file(
    disk: &SharedDisk,
    data: &Path,
    name: &str,
) -> Arc<dyn Fn() -> Option<String> + Send + Sync> {
    let (disk, path): (SharedDisk, PathBuf) = (disk.clone(), data.join("keys").join(name));
    Arc::new(move || {
        let text = String::from_utf8(disk.read(&path).ok()?).ok()?;
        Some(text.trim_end_matches(['\r', '\n']).to_owned())
    })
}

type Session = Pin<Box<dyn Future<Output = ()> + Send>>;

fn services(
    config: &Config,
    directory: &Directory,
    stores: &Stores,
    policy: &Policy,
    (checks, tokens): (smtp::Checks, acme::Tokens),
    disk: &SharedDisk,
) -> Vec<ServiceConfig> {
    let (queue, policy) = (stores.queue.clone(), policy.clone());
    let smtp = smtp::Server::with_checks(
        directory.clone(),
        queue,
        policy,
        checks,
        Some(stores.mailboxes.clone()),
    );
    let imap = Arc::new(imap::Server {
        directory: directory.clone(),
        mailboxes: stores.mailboxes.clone(),
        queue: stores.queue.clone(),
        disk: disk.clone(),
    });
    let pop3 = pop3::Server::new(directory.clone(), stores.mailboxes.clone(), disk.clone());
    let smtp_as = |role: Role| -> Handler {
        let smtp = Arc::clone(&smtp);
        Arc::new(move |conn: Conn| -> Session { Box::pin(smtp::serve(conn, Arc::clone(&smtp), role)) })
    };
    let imap: Handler = Arc::new(move |conn| -> Session { Box::pin(imap::serve(conn, Arc::clone(&imap))) });
    let pop3: Handler = Arc::new(move |conn| -> Session { Box::pin(pop3::serve(conn, Arc::clone(&pop3))) });
    let web = web::Server::new(directory.clone(), reaches(config), tokens);
    let web: Handler = Arc::new(move |conn| -> Session { Box::pin(web::serve(conn, Arc::clone(&web))) });
    let all = [
        ("smtp", Protocol::Smtp, smtp_as(Role::Mx)),
        ("submission", Protocol::Submission, smtp_as(Role::Submission)),
        ("lmtp", Protocol::Lmtp, smtp_as(Role::Lmtp)),
        ("pop3", Protocol::Pop3, pop3),
        ("imap", Protocol::Imap, imap),
        ("web", Protocol::Web, web),
    ];
    let service = |(name, protocol, handler): (&'static str, Protocol, Handler)| {
        let ports = PORTS.iter().filter(|port| port.service == name);
        let listeners = ports
            .flat_map(|port| {
                let addresses = config.addresses(*port).into_iter();
                addresses.map(|address| Listener {
                    address,
                    implicit_tls: port.tls,
                })
            })
            .collect();
        ServiceConfig {
            name,
            protocol,
            listeners,
            handler,
        }
    };
    // Without ports there is no service on the web.
    let offered =
        |(_, protocol, _): &(&str, Protocol, Handler)| *protocol != Protocol::Web || config.listen.web;
    all.into_iter().filter(offered).map(service).collect()
}

/// How mail programs reach this server: TLS from the first byte before STARTTLS (RFC 8314 §3).
fn reaches(config: &Config) -> Vec<web::Reach> {
    let mut found = Vec::new();
    for (protocol, service) in [
        (Protocol::Imap, web::Service::Imap),
        (Protocol::Pop3, web::Service::Pop3),
        (Protocol::Submission, web::Service::Submission),
    ] {
        let mut ports: Vec<_> = PORTS.iter().filter(|port| port.protocol == protocol).collect();
        ports.sort_by_key(|port| !port.tls);
        found.extend(ports.into_iter().map(|port| web::Reach {
            service,
            port: port.number.saturating_add(config.listen.port_offset),
            tls: port.tls,
        }));
    }
    found
}

/// Delivery beside the services that have ports.
struct DeliveryService(Delivery);

impl net::ExternalService for DeliveryService {
    fn row(&self) -> ServiceRow {
        let figures = self.0.figures();
        ServiceRow {
            service: "delivery".to_owned(),
            state: self.0.state(),
            active: figures.active,
            max: figures.max,
            total: figures.total,
            listeners: Vec::new(),
        }
    }

    fn set(&self, state: ServiceState) {
        self.0.set_state(state);
    }
}
