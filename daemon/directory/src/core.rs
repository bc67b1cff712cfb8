//! What all parts of the directory share: databases, caches, settings, and the one way in which a change becomes known.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use drivers::{Batch, Descriptor, Filter, Key, Kind, Placed, Query, Row, Value, kinds};
use events::kinds::server::ConfigurationChanged;
use events::{Events, Scope};
use shared::mechanisms::Mechanisms;
use shared::model::{Domain, OwnerId, User};
use shared::protocol::{Change, Page};
use shared::settings::Settings;
use shared::{Address, DomainName, Refusal};
use tokio::sync::{Mutex, Semaphore, broadcast};

use crate::cache::{Caches, Known};
use crate::oauth::OAuth;
use crate::password::{Seal, Stored, random};
use crate::srs::Srs;
use crate::{Account, ChangeError, LoginGuard, Unavailable, records};

/// Changes that a slow subscriber may be behind before it misses some.
const CHANGES_WAITING_MAX: usize = 1024;
/// Rows of a page: if none are named, and at most.
const PAGE_ROWS: u64 = 100;
const PAGE_ROWS_MAX: u64 = 10_000;
/// Rows read at a time where a whole table is gone through.
pub(crate) const PIECE_ROWS: u64 = 1000;
/// Owner numbers taken from the sequence at a time; those left at the end of a run are never used.
const OWNERS_TAKEN: u64 = 16;
/// The row of the settings that carries the revision of all.
pub(crate) const SETTINGS_REVISION_KEY: &str = "*";

pub(crate) struct Core {
    pub(crate) placed: Arc<Placed>,
    pub(crate) events: Events,
    pub(crate) caches: Caches,
    pub(crate) seal: Seal,
    pub(crate) srs: Srs,
    /// For the salts of users who do not exist.
    pub(crate) secret: [u8; 32],
    pub(crate) settings: ArcSwap<Settings>,
    pub(crate) oauth: OAuth,
    /// What any domain lets its users log in with.
    pub(crate) offered: ArcSwap<Mechanisms>,
    pub(crate) changes: broadcast::Sender<Change>,
    /// Held while something is checked and then changed, so that the check still holds.
    pub(crate) changing: Mutex<()>,
    /// Held while rights on folders and what is known of them change.
    pub(crate) sharing: Mutex<()>,
    /// Password checks that run at once.
    pub(crate) checks: Semaphore,
    /// Those that wait for it.
    pub(crate) checks_waiting: Semaphore,
    pub(crate) guard: ArcSwapOption<Arc<dyn LoginGuard>>,
    owners: Mutex<std::ops::Range<u64>>,
}

impl From<drivers::Error> for Unavailable {
    fn from(error: drivers::Error) -> Self {
        Self(error.to_string())
    }
}

impl Core {
    pub(crate) async fn open(
        placed: Arc<Placed>,
        secret: [u8; 32],
        events: Events,
    ) -> Result<Self, Unavailable> {
        placed.ensure_all().await?;
        let no_random = |_| Unavailable("the system gives no random bytes".to_owned());
        let seal = Seal::new(&secret).ok_or_else(|| Unavailable("the secret is of no use".to_owned()))?;
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let core = Self {
            placed,
            events,
            caches: Caches::new(random().map_err(no_random)?),
            seal,
            srs: Srs::new(&secret),
            secret,
            settings: ArcSwap::default(),
            oauth: OAuth::default(),
            offered: ArcSwap::default(),
            changes: broadcast::channel(CHANGES_WAITING_MAX).0,
            changing: Mutex::new(()),
            sharing: Mutex::new(()),
            checks: Semaphore::new(cores),
            checks_waiting: crate::login::checks_waiting(),
            guard: ArcSwapOption::empty(),
            owners: Mutex::new(0..0),
        };
        core.load_settings().await?;
        core.load_offered().await?;
        Ok(core)
    }

    /// Reads the settings; a value that is no longer valid stays at its default.
    pub(crate) async fn load_settings(&self) -> Result<(), Unavailable> {
        let rows = self
            .driver(&kinds::SETTING)
            .scan(&kinds::SETTING, None, None, PAGE_ROWS_MAX)
            .await?;
        let mut settings = Settings::default();
        for row in rows.iter().filter(|row| row.text("key") != SETTINGS_REVISION_KEY) {
            settings.restore(row.text("key"), row.text("value"));
        }
        self.settings.store(Arc::new(settings));
        Ok(())
    }

    /// Finds out which mechanisms any domain has on. Domains that have the standard are counted, not read.
    pub(crate) async fn load_offered(&self) -> Result<(), Unavailable> {
        let driver = self.driver(&kinds::DOMAIN);
        let own = self
            .all(&kinds::DOMAIN, Filter::equal("own_mechanisms", true))
            .await?;
        let all = driver.count(&kinds::DOMAIN, None).await?;
        let mut offered = Mechanisms::default();
        // Without a domain, too: who asks before the first one is made is told what there will be.
        if all == 0 || all > own.len() as u64 {
            offered = Mechanisms::standard();
        }
        for row in &own {
            offered = offered.and(Mechanisms::of(row.list("mechanisms")));
        }
        self.offered.store(Arc::new(offered));
        Ok(())
    }

    pub(crate) fn driver(&self, descriptor: &Descriptor) -> &Arc<dyn drivers::Driver> {
        self.placed.driver(descriptor.kind)
    }

    pub(crate) async fn get(
        &self,
        descriptor: &'static Descriptor,
        key: &str,
    ) -> Result<Option<Row>, Unavailable> {
        Ok(self.driver(descriptor).get(descriptor, vec![key.into()]).await?)
    }

    /// The rows of a filter in pieces, none left out.
    pub(crate) async fn all(
        &self,
        descriptor: &'static Descriptor,
        filter: Filter,
    ) -> Result<Vec<Row>, Unavailable> {
        let mut all: Vec<Row> = Vec::new();
        let mut after: Option<Key> = None;
        loop {
            let piece = self
                .driver(descriptor)
                .scan(descriptor, Some(filter.clone()), after, PIECE_ROWS)
                .await?;
            let complete = (piece.len() as u64) < PIECE_ROWS;
            all.extend(piece);
            if complete {
                return Ok(all);
            }
            after = all.last().map(Row::key);
        }
    }

    /// Hands every row of a table to `each`, in pieces.
    pub(crate) async fn each(
        &self,
        descriptor: &'static Descriptor,
        mut each: impl FnMut(&Row),
    ) -> Result<(), Unavailable> {
        let mut after: Option<Key> = None;
        loop {
            let piece = self
                .driver(descriptor)
                .scan(descriptor, None, after, PIECE_ROWS)
                .await?;
            piece.iter().for_each(&mut each);
            match piece.last() {
                Some(last) => after = Some(last.key()),
                None => return Ok(()),
            }
        }
    }

    /// The domain that is reached under that name. Cached.
    pub(crate) async fn domain_of(&self, name: &DomainName) -> Result<Option<Arc<Domain>>, Unavailable> {
        if let Some(found) = self.caches.domains.get(name.as_str()) {
            return Ok(found);
        }
        let epoch = self.caches.epoch();
        let mut domain = None;
        if let Some(row) = self.get(&kinds::DOMAIN_NAME, name.as_str()).await?
            && let Some(row) = self.get(&kinds::DOMAIN, row.text("domain")).await?
        {
            domain = Some(Arc::new(records::domain(&row)?));
        }
        self.caches.keep(
            &self.caches.domains,
            name.as_str().to_owned(),
            domain.clone(),
            epoch,
        );
        Ok(domain)
    }

    /// The user of that address, by any name of the domain, without plus-addresses. Cached.
    pub(crate) async fn known(&self, address: &Address) -> Result<Option<Known>, Unavailable> {
        let Some(domain) = self.domain_of(address.domain()).await? else {
            return Ok(None);
        };
        self.known_in(address.local(), &domain).await
    }

    pub(crate) async fn known_in(&self, local: &str, domain: &Domain) -> Result<Option<Known>, Unavailable> {
        let key = local_key(local, domain);
        if let Some(found) = self.caches.users.get(&key) {
            return Ok(found);
        }
        let epoch = self.caches.epoch();
        let row = self.get(&kinds::USER, &key).await?;
        let known = row
            .map(|row| records::user(&row).map(|user| known(user, domain)))
            .transpose()?;
        self.caches.keep(&self.caches.users, key, known.clone(), epoch);
        Ok(known)
    }

    /// How the user of an address may log in.
    pub(crate) async fn mechanisms_of(&self, address: &Address) -> Result<Mechanisms, Unavailable> {
        let domain = self.domain_of(address.domain()).await?;
        Ok(domain.map_or_else(Mechanisms::standard, |domain| Mechanisms::of(&domain.mechanisms)))
    }

    /// What is kept of an owner's password; nothing if there is none or it is damaged.
    pub(crate) async fn stored(&self, owner: OwnerId) -> Result<Option<Stored>, Unavailable> {
        let descriptor = &kinds::CREDENTIAL;
        let row = self
            .driver(descriptor)
            .get(descriptor, vec![owner.0.into()])
            .await?;
        Ok(row.and_then(|row| self.seal.open(owner, "", row.bytes("sealed"))))
    }

    /// The row that keeps it.
    pub(crate) fn credential(&self, owner: OwnerId, stored: &Stored) -> Result<Row, Unavailable> {
        let sealed = self.seal.seal(owner, "", stored);
        let sealed = sealed.ok_or_else(|| Unavailable("the system gives no random bytes".to_owned()))?;
        Ok(Row::new(&kinds::CREDENTIAL)
            .with("owner", owner.0)
            .with("sealed", sealed))
    }

    /// Numbers for new owners, never given before.
    pub(crate) async fn new_owners(&self, count: u64) -> Result<std::ops::Range<u64>, Unavailable> {
        let mut left = self.owners.lock().await;
        if left.end - left.start < count {
            let taken = count.max(OWNERS_TAKEN);
            let first = self.placed.driver(Kind::Users).reserve("owner", taken).await?;
            *left = first..first + taken;
        }
        let first = left.start;
        left.start += count;
        Ok(first..first + count)
    }

    /// Makes a change; `what` and `name` are what a refusal names.
    pub(crate) async fn write(&self, batch: Batch, what: &str, name: &str) -> Result<Vec<u64>, ChangeError> {
        self.placed
            .write(batch)
            .await
            .map_err(|error| refused(error, what, name))
    }

    /// Tells the caches' forgetting done, everybody who wants to know of a change.
    pub(crate) fn changed(&self, kind: &str, name: &str, action: &str, by: &str) {
        self.record(kind, name, action, by);
        self.announce(kind, name, by);
    }

    pub(crate) fn record(&self, kind: &str, name: &str, action: &str, by: &str) {
        let [kind, name, action, by] = [kind, name, action, by].map(str::to_owned);
        self.events.emit(
            Scope::default(),
            ConfigurationChanged {
                kind,
                name,
                action,
                by,
            },
        );
    }

    pub(crate) fn announce(&self, kind: &str, name: &str, by: &str) {
        let [kind, name, by] = [kind, name, by].map(str::to_owned);
        // Without a subscriber nobody wants to know.
        let _ = self.changes.send(Change { kind, name, by });
    }
}

/// The key of a local part under the domain's own name.
pub(crate) fn local_key(local: &str, domain: &Domain) -> String {
    format!("{}@{}", local.to_lowercase(), domain.name)
}

fn known(user: User, domain: &Domain) -> Known {
    let account = Account {
        address: user.address,
        owner: user.owner,
        quota_bytes: user.quota_bytes.or(domain.user_quota_bytes),
        denied: user.denied_protocols,
        forward_to: user.forward_to,
        forward_keep: user.forward_keep,
        send_as: user.send_as,
        language: if user.language.is_empty() {
            domain.language.clone()
        } else {
            user.language
        },
        vacation: user.vacation.enabled.then(|| Arc::new(user.vacation)),
    };
    Known {
        account: Arc::new(account),
        enabled: user.enabled && domain.enabled,
        mechanisms: Mechanisms::of(&domain.mechanisms),
    }
}

fn refused(error: drivers::Error, what: &str, name: &str) -> ChangeError {
    let refusal = |code: &str| ChangeError::Refused(Refusal::new(code).with("name", name));
    match error {
        drivers::Error::Duplicate { .. } => refusal(&format!("{what}-exists")),
        drivers::Error::Missing { .. } => refusal(&format!("{what}-unknown")),
        drivers::Error::Stale { .. } => refusal("revision-stale"),
        drivers::Error::ReadOnly { .. } => refusal("table-read-only"),
        drivers::Error::Unavailable(cause) => Unavailable(cause).into(),
    }
}

/// A page as a driver wants it; `sort` is a field of the table.
pub(crate) fn query(page: &Page, filter: Option<Filter>, sort: &str) -> Query {
    Query {
        filter,
        contains: page.filter.trim().to_owned(),
        sort: sort.to_owned(),
        descending: page.descending,
        offset: page.offset,
        limit: if page.limit == 0 {
            PAGE_ROWS
        } else {
            page.limit.min(PAGE_ROWS_MAX)
        },
    }
}

pub(crate) fn domain_filter(domain: Option<&DomainName>) -> Option<Filter> {
    domain.map(|domain| Filter::equal("domain", Value::from(domain.as_str())))
}
