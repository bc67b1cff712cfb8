//! What was read and is kept: accounts, domains, resolutions, and proofs of passwords that were right.
//!
//! A reader asks for the epoch before it reads and hands it in with what it keeps; a change raises the epoch first and
//! forgets then. Whatever was read before a change is therefore never found after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use moka::sync::Cache;
use sha2::Sha256;
use shared::mechanisms::Mechanisms;
use shared::model::{Domain, OwnerId, PublicTree};
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use crate::password::former::Formers;
use crate::sharing::{Identity, Nesting, Whose};
use crate::{Account, Resolution, Way};

const DOMAINS_KEPT_MAX: u64 = 20_000;
const USERS_KEPT_MAX: u64 = 50_000;
const RESOLUTIONS_KEPT_MAX: u64 = 50_000;
const SHARERS_KEPT_MAX: u64 = 10_000;
const PROOFS_KEPT_MAX: u64 = 100_000;
const FAILURES_KEPT_MAX: u64 = 10_000;
/// A table that another program writes is believed that long.
const LIFE: Duration = Duration::from_mins(1);
/// After that time a password is hashed once again.
const PROOF_LIFE: Duration = Duration::from_hours(1);

/// A user as sessions and recipients need it.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) account: Arc<Account>,
    /// The user and the domain are.
    pub(crate) enabled: bool,
    /// How the domain lets its users log in.
    pub(crate) mechanisms: Mechanisms,
}

pub(crate) struct Caches {
    epoch: AtomicU64,
    /// Becomes another when something was forgotten.
    forgotten: watch::Sender<u64>,
    /// By any name of the domain; `None`: not ours.
    pub(crate) domains: Cache<String, Option<Arc<Domain>>>,
    /// By the key of the address with the domain's own name; `None`: no such user.
    pub(crate) users: Cache<String, Option<Known>>,
    pub(crate) resolutions: Cache<String, Arc<Resolution>>,
    /// By the owner of the user.
    pub(crate) identities: Cache<String, Arc<Identity>>,
    /// One entry: the groups that each group lies in.
    pub(crate) nesting: Cache<String, Arc<Nesting>>,
    /// By the owner; `None`: nobody has it any more.
    pub(crate) whose: Cache<String, Option<Whose>>,
    /// By the name in lower case; `None`: there is no such tree.
    pub(crate) trees: Cache<String, Option<Arc<PublicTree>>>,
    /// By the owner of the user: who has shared something with that user.
    pub(crate) sharers: Cache<String, Arc<Vec<Whose>>>,
    /// One entry: the routes of outgoing mail, in their order.
    pub(crate) ways: Cache<String, Arc<Vec<Arc<Way>>>>,
    proofs: Cache<OwnerId, [u8; 32]>,
    /// Attempts that failed lately, with the epoch they failed in: a program that tries an old password for ever costs no hash each time.
    failures: Cache<u64, u64>,
    /// Stays, whatever is forgotten.
    pub(crate) formers: Formers,
    /// Random, of this run: the proofs in memory are of no use to anybody else.
    key: [u8; 32],
}

fn small<V: Clone + Send + Sync + 'static>(max: u64) -> Cache<String, V> {
    Cache::builder().max_capacity(max).time_to_live(LIFE).build()
}

impl Caches {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        let proofs = Cache::builder()
            .max_capacity(PROOFS_KEPT_MAX)
            .time_to_live(PROOF_LIFE)
            .build();
        Self {
            epoch: AtomicU64::new(0),
            forgotten: watch::channel(0).0,
            domains: Cache::builder()
                .max_capacity(DOMAINS_KEPT_MAX)
                .time_to_live(LIFE)
                .build(),
            users: Cache::builder()
                .max_capacity(USERS_KEPT_MAX)
                .time_to_live(LIFE)
                .build(),
            resolutions: Cache::builder()
                .max_capacity(RESOLUTIONS_KEPT_MAX)
                .time_to_live(LIFE)
                .build(),
            identities: small(USERS_KEPT_MAX),
            nesting: small(1),
            whose: small(USERS_KEPT_MAX),
            trees: small(DOMAINS_KEPT_MAX),
            sharers: small(SHARERS_KEPT_MAX),
            ways: small(1),
            proofs,
            failures: Cache::builder()
                .max_capacity(FAILURES_KEPT_MAX)
                .time_to_live(LIFE)
                .build(),
            formers: Formers::new(),
            key,
        }
    }

    /// Sees a new value after every change of what sessions may have been told.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.forgotten.subscribe()
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// Keeps what was read since `epoch`.
    pub(crate) fn keep<V: Clone + Send + Sync + 'static>(
        &self,
        cache: &Cache<String, V>,
        key: String,
        value: V,
        epoch: u64,
    ) {
        cache.insert(key.clone(), value);
        if self.epoch() != epoch {
            cache.invalidate(&key);
        }
    }

    /// A user, alias or group changed.
    pub(crate) fn forget_user(&self, key: &str, owner: Option<OwnerId>) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.users.invalidate(key);
        if let Some(owner) = owner {
            self.proofs.invalidate(&owner);
        }
        self.resolutions.invalidate_all();
        self.forget_sharing();
    }

    /// Who is in which group, or has shared what, changed.
    pub(crate) fn forget_sharing(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.identities.invalidate_all();
        self.nesting.invalidate_all();
        self.whose.invalidate_all();
        self.trees.invalidate_all();
        self.sharers.invalidate_all();
        self.forgotten.send_modify(|times| *times += 1);
    }

    /// Routes changed.
    pub(crate) fn forget_ways(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.ways.invalidate_all();
    }

    /// Anything may have changed.
    pub(crate) fn forget_all(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.domains.invalidate_all();
        self.users.invalidate_all();
        self.resolutions.invalidate_all();
        self.proofs.invalidate_all();
        self.ways.invalidate_all();
        self.forget_sharing();
    }

    /// Whether this very password was found right before, and nothing changed since.
    pub(crate) fn is_proved(&self, owner: OwnerId, password: &str) -> bool {
        self.proofs
            .get(&owner)
            .is_some_and(|proof| proof.ct_eq(&self.proof(owner, password)).into())
    }

    pub(crate) fn prove(&self, owner: OwnerId, password: &str, epoch: u64) {
        self.proofs.insert(owner, self.proof(owner, password));
        if self.epoch() != epoch {
            self.proofs.invalidate(&owner);
        }
    }

    /// Whether this very attempt failed right before, and nothing changed since.
    pub(crate) fn is_disproved(&self, attempt: u64) -> bool {
        self.failures.get(&attempt) == Some(self.epoch())
    }

    pub(crate) fn disprove(&self, attempt: u64, epoch: u64) {
        self.failures.insert(attempt, epoch);
    }

    /// The same for the same user and password in this run, and of no use to anybody who sees it.
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104 §2)")]
    pub(crate) fn attempt(&self, user: &str, password: &str) -> u64 {
        let mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length");
        let mac = mac.chain_update(user.to_lowercase()).chain_update([0]);
        let made: [u8; 32] = mac.chain_update(password).finalize().into_bytes().into();
        made.iter()
            .take(8)
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104 §2)")]
    fn proof(&self, owner: OwnerId, password: &str) -> [u8; 32] {
        let mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length");
        mac.chain_update(owner.0.to_be_bytes())
            .chain_update(password)
            .finalize()
            .into_bytes()
            .into()
    }
}
