//! Who exists and may do what: domains, users, groups, aliases, lists of allowed and prohibited peers, credentials, settings; with caches.
//!
//! Reads configuration through `drivers`; a database that is down is [`Unavailable`], never "no such user".
//! Must not know: sessions, mail.

mod admin;
mod cache;
mod core;
mod external;
mod login;
mod oauth;
mod password;
mod records;
mod resolve;
mod sharing;
mod srs;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use events::Events;
use shared::model::{OwnerId, Protocol, Vacation};
use shared::settings::Settings;
use shared::{Address, DomainName, Refusal, Route};

pub use admin::reports::ReportRow;
pub use external::{ExternalAccount, ExternalSeen, ExternalTurn};
pub use login::Login;
pub use oauth::Provider;
pub use sharing::{Identity, Whose};

/// The configuration can't be read now: a temporary failure (4xx, NO [UNAVAILABLE]), never a "no".
#[derive(Debug, Clone, thiserror::Error)]
#[error("the directory can't be reached now: {0}")]
pub struct Unavailable(pub String);

/// A change was refused, or could not be made now.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChangeError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What a user's session needs to know. Cached.
#[derive(Clone, Debug)]
pub struct Account {
    pub address: Address,
    pub owner: OwnerId,
    pub quota_bytes: Option<u64>,
    pub denied: Vec<Protocol>,
    pub forward_to: Vec<Address>,
    pub forward_keep: bool,
    /// What else the user may send as: [`User::send_as`].
    pub send_as: Vec<String>,
    /// The language of what the server writes to the user; empty: the server's.
    pub language: String,
    /// An answer that is switched on; whether it is time for it is another question.
    pub vacation: Option<Arc<Vacation>>,
}

/// What an address of a recipient leads to.
#[derive(Clone, Debug)]
pub enum Resolution {
    /// Mailboxes of users here (an alias or group may lead to several) and addresses elsewhere.
    Deliver {
        accounts: Vec<Arc<Account>>,
        remote: Vec<Address>,
    },
    /// The domain is ours and knows no such address.
    Unknown,
    /// It exists but takes no mail now.
    Disabled,
    /// The domain is not ours.
    NotLocal,
}

/// A route with what it logs in with. Cached.
pub struct Way {
    pub route: Route,
    pub password: Option<String>,
}

/// Who is asked before a login is tried, and told how it ended.
pub trait LoginGuard: Send + Sync {
    /// Whether that peer may try.
    fn may_try(&self, peer: IpAddr) -> bool;
    /// A wrong user or password. `attempt`: the same for the same user with the same password, where that is known: the peer said it, or it is one that
    /// was good once. A program that knows an old password and tries it for ever is no attack, and finds out nothing by it.
    fn failed(&self, peer: IpAddr, attempt: Option<u64>);
}

/// What the authentication of a peer is told of its connection.
#[derive(Clone, Debug)]
pub struct LoginContext {
    pub protocol: Protocol,
    pub peer: IpAddr,
    /// TLS or loopback: plaintext mechanisms are allowed.
    pub secure: bool,
    pub tls: bool,
    /// Channel binding data by type, under TLS.
    pub channel_bindings: Vec<(&'static str, Vec<u8>)>,
    /// Who the peer has shown to be by a certificate.
    pub certificate: Option<tls::ClientCertificate>,
    pub scope: events::Scope,
}

/// A step of a login.
pub enum LoginStep {
    /// Send this (not yet in base64) and come back with the answer.
    Challenge(Vec<u8>),
    /// What the mechanism says last was a challenge before, which the client answers with an empty line: SMTP, IMAP and POP3 have no room for it beside
    /// their success (RFC 4954 §4, RFC 9051 §6.2.2, RFC 5034 §4).
    Success {
        account: Arc<Account>,
    },
    Failure(LoginFailure),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginFailure {
    /// Wrong user, wrong password, disabled: never said which.
    Credentials,
    /// A plaintext mechanism on an insecure connection.
    NeedsTls,
    /// No such mechanism here.
    Mechanism,
    Malformed,
    Cancelled,
    /// This user may not use this protocol.
    Protocol,
    /// Too many failures from this peer.
    TooMany,
    Unavailable,
}

/// The directory. Cheap to clone.
#[derive(Clone)]
pub struct Directory {
    inner: Arc<core::Core>,
}

impl Directory {
    /// Opens the directory on the placed databases (`drivers::Placed`) and makes what is missing.
    pub async fn open(
        placed: Arc<drivers::Placed>,
        secret: [u8; 32],
        events: Events,
    ) -> Result<Self, Unavailable> {
        let inner = core::Core::open(placed, secret, events).await?;
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The settings as they are now. Never waits.
    pub fn settings(&self) -> Arc<Settings> {
        self.inner.settings.load_full()
    }

    /// Sees a new value after every change; its argument is the kind that changed (`domain`, `user`, …) and its name.
    pub fn changes(&self) -> tokio::sync::broadcast::Receiver<shared::protocol::Change> {
        self.inner.changes.subscribe()
    }

    /// The address under `by`'s domain from which mail that `by` forwards is to leave, so that it leads back to `sender`; `None`: it stays as it
    /// is, being an address of ours or too long. Such addresses are resolved as if they were aliases.
    pub async fn forwarding_sender(
        &self,
        sender: &Address,
        by: &Address,
        now: u64,
    ) -> Result<Option<Address>, Unavailable> {
        if self.is_local_domain(sender.domain()).await? {
            return Ok(None);
        }
        Ok(self.inner.srs.rewrite(sender, by.domain(), now))
    }

    /// Where mail to an address goes (an address of the domain's own `postmaster` that nobody has leads to the setting
    /// `server.postmaster`): users, aliases (followed to any depth of at most 16), domain aliases, catch-all, plus-addresses, forwarding not included.
    pub async fn resolve(&self, address: &Address) -> Result<Resolution, Unavailable> {
        resolve::resolve(&self.inner, address).await
    }

    pub async fn is_local_domain(&self, domain: &DomainName) -> Result<bool, Unavailable> {
        Ok(self.inner.domain_of(domain).await?.is_some())
    }

    pub async fn account(&self, address: &Address) -> Result<Option<Arc<Account>>, Unavailable> {
        Ok(self.inner.known(address).await?.map(|known| known.account))
    }

    /// Whether a user may send with that address in the reverse-path or From: own address, plus-addresses, aliases that lead to
    /// the user, addresses of groups the user is in, and what an administrator allowed by name.
    pub async fn may_send_as(&self, account: &Account, address: &Address) -> Result<bool, Unavailable> {
        resolve::may_send_as(&self.inner, account, address).await
    }

    /// Whether that is an address of this very user: own address, plus-addresses and aliases, but no group.
    pub async fn is_address_of(&self, account: &Account, address: &Address) -> Result<bool, Unavailable> {
        resolve::is_address_of(&self.inner, account, address, false).await
    }

    /// Who a user is in respect of rights on folders: groups, nested ones too. Cached; see [`Self::epoch`].
    pub async fn identity(&self, account: &Account) -> Result<Arc<Identity>, Unavailable> {
        sharing::identity(&self.inner, account).await
    }

    /// Sees a new value after every change of users, groups, trees, settings or of who has shared something.
    pub fn watch(&self) -> tokio::sync::watch::Receiver<u64> {
        self.inner.caches.watch()
    }

    /// Rises with every change of users, groups or trees. What was learnt before may be asked for anew.
    pub fn epoch(&self) -> u64 {
        self.inner.caches.epoch()
    }

    /// What a person writes to name a user (`anna@example.com`), a group (`$name`), a domain's users (`@example.com`) or everybody (`anyone`,
    /// `authenticated`), with `-` before it for what is denied, in the form that a mailbox keeps. `None`: there is nobody of that name.
    pub async fn identifier(&self, written: &str) -> Result<Option<String>, Unavailable> {
        sharing::identifier(&self.inner, written).await
    }

    /// The reverse. `None`: whoever that was is gone.
    pub async fn identifier_name(&self, kept: &str) -> Result<Option<String>, Unavailable> {
        sharing::identifier_name(&self.inner, kept).await
    }

    /// Whose mailbox that is.
    pub async fn whose(&self, owner: OwnerId) -> Result<Option<Whose>, Unavailable> {
        sharing::whose(&self.inner, owner).await
    }

    /// Those who have given a user rights on something: perhaps too many, never too few.
    pub async fn sharers(&self, account: &Account) -> Result<Arc<Vec<Whose>>, Unavailable> {
        sharing::sharers(&self.inner, account).await
    }

    /// Changes rights of an owner, and with them what [`Self::sharers`] knows. `gains`: the identifier that may be given some. `change` makes the
    /// change and gives all identifiers that have rights of this owner after it.
    pub async fn change_shares<E: From<ChangeError>>(
        &self,
        owner: OwnerId,
        gains: Option<&str>,
        change: impl Future<Output = Result<BTreeSet<String>, E>>,
    ) -> Result<(), E> {
        sharing::change(&self.inner, owner, gains, change).await
    }

    /// Whether any domain lets its users log in that way: a name of [`shared::mechanisms`].
    pub fn offers(&self, mechanism: &str) -> bool {
        self.inner.offered.load().has(mechanism)
    }

    /// POP3's APOP. `timestamp`: that of the greeting, with its angle brackets.
    pub async fn login_apop(
        &self,
        user: &str,
        digest: &str,
        timestamp: &str,
        context: LoginContext,
    ) -> LoginStep {
        login::apop(self, user, digest, timestamp, context).await
    }

    /// Mechanisms to offer on a connection, best first: what any domain has on.
    pub fn mechanisms(&self, context: &LoginContext) -> Vec<&'static str> {
        login::mechanisms(&self.inner, context)
    }

    /// Begins a SASL login (RFC 4422). `initial`: the initial response, base64 decoded.
    pub async fn login(
        &self,
        mechanism: &str,
        initial: Option<&[u8]>,
        context: LoginContext,
    ) -> (Login, LoginStep) {
        Login::begin(self, mechanism, initial, context).await
    }

    /// IMAP's LOGIN and POP3's USER and PASS.
    pub async fn login_plain(&self, user: &str, password: &str, context: LoginContext) -> LoginStep {
        login::plain(self, user, password, context).await
    }

    /// Lets somebody judge each login before it is tried, and hear how it ended (`policy` does).
    pub fn set_guard(&self, guard: Arc<dyn LoginGuard>) {
        self.inner.guard.store(Some(Arc::new(guard)));
    }

    /// Lets somebody ask the identity provider whose tokens are taken.
    pub fn set_provider(&self, provider: Arc<dyn Provider>) {
        self.inner.oauth.set_provider(provider);
    }
}
