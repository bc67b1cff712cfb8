//! Certificates that the server gets and renews by itself: ACME (RFC 8555).
//!
//! An administrator says once for which names a certificate is wanted; that is kept, and the certificate is renewed when two thirds of its life
//! are over, when the authority says (RFC 9773), or some time after a failure. One order at a time. The certificate in use stays until the new one lies whole in the folder of `tls`,
//! and no session is dropped.
//!
//! What an authority has to see is put into tables of other rooms: [`Tokens`], into which `web` looks (HTTP-01); the certificate for a handshake
//! with `acme-tls/1` in `tls` (TLS-ALPN-01, RFC 8737); or a program of the administrator's puts a record into the DNS (DNS-01).
//!
//! By hand over the room `http` rather than with a crate: what has to be done is small, and every answer has its bounds there already.
//!
//! Must not know: listeners, sessions, where settings are kept.

mod attempt;
mod busy;
mod challenge;
mod client;
mod command;
mod error;
mod jws;
mod order;
mod recall;
mod renewal;
mod schedule;
mod store;
#[cfg(test)]
mod tests;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use disk::SharedDisk;
use dns::Dns;
use events::Events;
use parking_lot::Mutex;
use tls::Tls;
use tokio::sync::Notify;

use busy::{Busy, Running};
pub use challenge::{Kind, Tokens};
pub use error::{AcmeError, Problem};
pub use recall::Reason;
use store::{Store, Wanted};

/// The clock is looked at this often at least: a machine may have slept, and settings change.
const LOOK_AGAIN_AFTER: Duration = Duration::from_mins(15);

/// What the administrator has set.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The address of the authority's directory; empty: no certificates are asked for.
    pub directory: String,
    /// `mailto:` addresses.
    pub contact: Vec<String>,
    /// The terms of service are agreed to.
    pub agree: bool,
    pub challenge: Kind,
    /// The program for DNS-01.
    pub dns_command: String,
    /// How long a record is waited for.
    pub dns_wait: Duration,
    /// A file with roots that vouch for the authority's own address, beside the machine's; empty: none.
    pub authority: String,
    /// The account's name at the authority, if it wants that.
    pub external_account: String,
}

/// What the room works with.
pub struct Parts {
    pub disk: SharedDisk,
    /// Where accounts and orders are kept.
    pub dir: PathBuf,
    pub tls: Tls,
    pub dns: Dns,
    pub events: Events,
    pub options: Arc<dyn Fn() -> Options + Send + Sync>,
    /// The key of the external account, in base64url.
    pub external_key: Arc<dyn Fn() -> Option<String> + Send + Sync>,
    /// The web's ports are open, so that HTTP-01 and TLS-ALPN-01 can be answered.
    pub web: bool,
}

/// A certificate that is wanted, as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordered {
    pub names: Vec<String>,
    /// It is being asked for.
    pub working: bool,
    /// The certificate that is there, by its name in `tls`; empty: none yet.
    pub id: String,
    /// Unix seconds.
    pub not_after: i64,
    /// Unix seconds.
    pub next_try: i64,
    /// In a row.
    pub failures: u32,
    /// Why the last try failed.
    pub reason: String,
}

/// The certificates that are wanted. Cheap to clone.
#[derive(Clone)]
pub struct Acme {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Parts,
    store: Store,
    tokens: Tokens,
    wanted: Mutex<Vec<Wanted>>,
    /// Why the list can't be read: nothing is written over it.
    broken: Mutex<Option<AcmeError>>,
    /// The orders that are worked on or wait for their turn.
    busy: Mutex<Vec<Arc<Running>>>,
    /// One order at a time.
    one: tokio::sync::Mutex<()>,
    /// Held from the last look whether a certificate is still wanted until it stands in the list: what is removed or forgotten does not come again.
    taking: tokio::sync::Mutex<()>,
    /// The list is written in the order of its changes.
    writing: tokio::sync::Mutex<()>,
    changed: Notify,
}

impl Acme {
    /// Reads what is wanted. Blocks.
    pub fn open(parts: Parts) -> Self {
        let store = Store {
            disk: parts.disk.clone(),
            dir: parts.dir.clone(),
        };
        let (wanted, broken) = match store.list() {
            Ok(wanted) => (wanted, None),
            Err(error) => {
                let reason = error.to_string();
                let event = events::kinds::server::OrdersUnreadable { reason };
                parts.events.emit(events::Scope::default(), event);
                (Vec::new(), Some(error))
            }
        };
        let inner = Inner {
            store,
            tokens: Tokens::default(),
            wanted: Mutex::new(wanted),
            broken: Mutex::new(broken),
            busy: Mutex::default(),
            one: tokio::sync::Mutex::default(),
            taking: tokio::sync::Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            changed: Notify::new(),
            parts,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// What the web has to answer.
    pub fn tokens(&self) -> Tokens {
        self.inner.tokens.clone()
    }

    /// All that is wanted, in the order in which it was asked for.
    pub fn orders(&self) -> Result<Vec<Ordered>, AcmeError> {
        if let Some(error) = &*self.inner.broken.lock() {
            return Err(error.clone());
        }
        let now = schedule::now();
        let busy = self.inner.names_at_work();
        let shown = |wanted: &Wanted| Ordered {
            names: wanted.names.clone(),
            working: busy.iter().any(|name| name == wanted.name()),
            id: wanted.id.clone(),
            not_after: wanted.not_after,
            next_try: schedule::due(now, wanted),
            failures: wanted.failures,
            reason: wanted.reason.clone(),
        };
        Ok(self.inner.wanted.lock().iter().map(shown).collect())
    }

    /// Gets a certificate for these names now, and renews it from now on. An order that begins with the same name is replaced. If it fails
    /// it is tried again later. Who asks for the same names meanwhile gets the same certificate. A list that makes no sense is put aside for it, and a new one begun. `wait`: until it is there or has failed; the order goes on if the caller does not wait for its end.
    pub async fn obtain(&self, names: &[String], wait: bool) -> Result<Ordered, AcmeError> {
        let options = (self.inner.parts.options)();
        self.inner.answerable(&options)?;
        let names = schedule::checked(names, options.challenge)?;
        let name = names.first().cloned().unwrap_or_default();
        self.inner.read_again(true).await?;
        self.inner.want(names.clone()).await?;
        // Who is asked again while it works on it only has to go on.
        if wait {
            Busy::order(&self.inner, &names).wait().await?;
        } else if !self.inner.names_at_work().contains(&name) {
            Busy::order(&self.inner, &names);
        }
        let mut orders = self.orders()?.into_iter();
        let found = orders.find(|order| order.names.first() == Some(&name));
        found.ok_or(AcmeError::Unknown)
    }

    /// Renews no longer what begins with that name; the certificate stays.
    pub async fn forget(&self, name: &str) -> Result<(), AcmeError> {
        let name = name.trim().to_ascii_lowercase();
        self.inner.read_again(false).await?;
        let _taking = self.inner.taking.lock().await;
        self.inner.drop_order(|wanted| wanted.name() == name).await
    }

    /// Removes a certificate; it does not come again by itself, also if it is just being renewed.
    pub async fn remove(&self, id: &str) -> Result<(), AcmeError> {
        // An order that can't be seen now would bring it back.
        self.inner.read_again(false).await?;
        let _taking = self.inner.taking.lock().await;
        self.inner.remove_certificate(id).await?;
        match self.inner.drop_order(|wanted| wanted.id == id).await {
            Err(AcmeError::Unknown) => Ok(()),
            done => done,
        }
    }

    /// Renews what is due, for as long as the runtime lives.
    pub async fn run(self) {
        loop {
            // It may be readable again; until then it was told of once.
            let _ = self.inner.read_again(false).await;
            let now = schedule::now();
            let off = (self.inner.parts.options)().directory.is_empty();
            let all = self.inner.wanted.lock().clone();
            let due = all
                .iter()
                .filter(|wanted| !off && schedule::due(now, wanted) <= now);
            let due: Vec<String> = due.map(|wanted| wanted.name().to_owned()).collect();
            for name in &due {
                // What came of it is an event, and stands in the list.
                Busy::look(&self.inner, name).work_if_due().await;
            }
            if !due.is_empty() {
                continue;
            }
            let looks =
                |wanted: &&Wanted| !off && renewal::next_look(now, wanted).is_some_and(|at| at <= now);
            let asked: Vec<String> = all
                .iter()
                .filter(looks)
                .map(|wanted| wanted.name().to_owned())
                .collect();
            for name in &asked {
                self.inner.follow_advice(name).await;
            }
            if !asked.is_empty() {
                continue;
            }
            let next = all
                .iter()
                .map(|wanted| {
                    let look = renewal::next_look(now, wanted).unwrap_or(i64::MAX);
                    schedule::due(now, wanted).min(look).saturating_sub(now)
                })
                .min();
            let next = next
                .and_then(|seconds| u64::try_from(seconds).ok())
                .filter(|_| !off);
            let pause = next
                .map_or(LOOK_AGAIN_AFTER, Duration::from_secs)
                .min(LOOK_AGAIN_AFTER);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.inner.changed.notified() => {}
            }
        }
    }
}
