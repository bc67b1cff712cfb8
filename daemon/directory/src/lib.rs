//! Who exists and may do what: domains, users, groups, aliases, lists of allowed and prohibited peers, credentials, settings; with caches.
//!
//! Reads configuration through `drivers`; a database that is down is [`Unavailable`], never "no such user".
//! Must not know: sessions, mail.

use std::net::IpAddr;
use std::sync::Arc;

use events::Events;
use shared::model::{Alias, Domain, Group, ListEntry, OwnerId, Protocol, Side, User};
use shared::protocol::{ImportReport, NewUser, Page, Rows, UserRow, DomainRow};
use shared::settings::Settings;
use shared::{Address, DomainName, Refusal};

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
}

/// What an address of a recipient leads to.
#[derive(Clone, Debug)]
pub enum Resolution {
    /// Mailboxes of users here (an alias or group may lead to several) and addresses elsewhere.
    Deliver { accounts: Vec<Arc<Account>>, remote: Vec<Address> },
    /// The domain is ours and knows no such address.
    Unknown,
    /// It exists but takes no mail now.
    Disabled,
    /// The domain is not ours.
    NotLocal,
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
    pub scope: events::Scope,
}

/// A step of a login.
pub enum LoginStep {
    /// Send this (not yet in base64) and come back with the answer.
    Challenge(Vec<u8>),
    /// `final_data` is to be sent as a last challenge, or with the success where the protocol allows it.
    Success { account: Arc<Account>, final_data: Option<Vec<u8>> },
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

/// A login under way.
pub struct Login {
    _private: (),
}

impl Login {
    /// The peer's answer, base64 already decoded.
    pub async fn step(&mut self, response: &[u8]) -> LoginStep {
        let _ = response;
        todo!()
    }
}

/// The directory. Cheap to clone.
#[derive(Clone)]
pub struct Directory {
    _inner: Arc<()>,
}

impl Directory {
    /// Opens the directory on the placed databases (`drivers::Placed`) and makes what is missing.
    pub async fn open(placed: Arc<drivers::Placed>, secret: [u8; 32], events: Events) -> Result<Self, Unavailable> {
        let _ = (placed, secret, events);
        todo!()
    }

    /// The settings as they are now. Never waits.
    pub fn settings(&self) -> Arc<Settings> {
        todo!()
    }

    /// Sees a new value after every change; its argument is the kind that changed (`domain`, `user`, …) and its name.
    pub fn changes(&self) -> tokio::sync::broadcast::Receiver<shared::protocol::Change> {
        todo!()
    }

    /// Where mail to an address goes: users, aliases (followed to any depth of at most 16), domain aliases, catch-all, plus-addresses, forwarding not included.
    pub async fn resolve(&self, address: &Address) -> Result<Resolution, Unavailable> {
        let _ = address;
        todo!()
    }

    pub async fn is_local_domain(&self, domain: &DomainName) -> Result<bool, Unavailable> {
        let _ = domain;
        todo!()
    }

    pub async fn account(&self, address: &Address) -> Result<Option<Arc<Account>>, Unavailable> {
        let _ = address;
        todo!()
    }

    /// Whether a user may send with that address in the reverse-path or From: own address, plus-addresses, aliases that lead to the user.
    pub async fn may_send_as(&self, account: &Account, address: &Address) -> Result<bool, Unavailable> {
        let _ = (account, address);
        todo!()
    }

    /// Mechanisms to offer on a connection, best first.
    pub fn mechanisms(&self, context: &LoginContext) -> Vec<&'static str> {
        let _ = context;
        todo!()
    }

    /// Begins a SASL login (RFC 4422). `initial`: the initial response, base64 decoded.
    pub async fn login(&self, mechanism: &str, initial: Option<&[u8]>, context: LoginContext) -> (Login, LoginStep) {
        let _ = (mechanism, initial, context);
        todo!()
    }

    /// IMAP's LOGIN and POP3's USER and PASS.
    pub async fn login_plain(&self, user: &str, password: &str, context: LoginContext) -> LoginStep {
        let _ = (user, password, context);
        todo!()
    }

    // Administration. `by` names who makes the change.

    pub async fn domains(&self, page: Page) -> Result<Rows<DomainRow>, Unavailable> {
        let _ = page;
        todo!()
    }
    pub async fn domain(&self, name: &DomainName) -> Result<Option<Domain>, Unavailable> {
        let _ = name;
        todo!()
    }
    pub async fn add_domain(&self, domain: Domain, by: &str) -> Result<u64, ChangeError> {
        let _ = (domain, by);
        todo!()
    }
    pub async fn set_domain(&self, domain: Domain, by: &str) -> Result<u64, ChangeError> {
        let _ = (domain, by);
        todo!()
    }
    /// Returns the owners whose mailboxes are to be removed with it.
    pub async fn remove_domain(&self, name: &DomainName, with_users: bool, by: &str) -> Result<Vec<OwnerId>, ChangeError> {
        let _ = (name, with_users, by);
        todo!()
    }

    pub async fn users(&self, domain: Option<&DomainName>, page: Page) -> Result<Rows<UserRow>, Unavailable> {
        let _ = (domain, page);
        todo!()
    }
    pub async fn user(&self, address: &Address) -> Result<Option<User>, Unavailable> {
        let _ = address;
        todo!()
    }
    pub async fn add_user(&self, user: NewUser, by: &str) -> Result<User, ChangeError> {
        let _ = (user, by);
        todo!()
    }
    pub async fn set_user(&self, user: User, by: &str) -> Result<u64, ChangeError> {
        let _ = (user, by);
        todo!()
    }
    pub async fn rename_user(&self, address: &Address, to: &Address, by: &str) -> Result<u64, ChangeError> {
        let _ = (address, to, by);
        todo!()
    }
    pub async fn set_password(&self, address: &Address, password: &str, by: &str) -> Result<(), ChangeError> {
        let _ = (address, password, by);
        todo!()
    }
    /// Returns the owner whose mailbox is to be removed or kept.
    pub async fn remove_user(&self, address: &Address, by: &str) -> Result<OwnerId, ChangeError> {
        let _ = (address, by);
        todo!()
    }
    pub async fn import_users(&self, csv: &str, create_domains: bool, by: &str) -> Result<ImportReport, ChangeError> {
        let _ = (csv, create_domains, by);
        todo!()
    }

    pub async fn aliases(&self, domain: Option<&DomainName>, page: Page) -> Result<Rows<Alias>, Unavailable> {
        let _ = (domain, page);
        todo!()
    }
    pub async fn add_alias(&self, alias: Alias, by: &str) -> Result<u64, ChangeError> {
        let _ = (alias, by);
        todo!()
    }
    pub async fn set_alias(&self, alias: Alias, by: &str) -> Result<u64, ChangeError> {
        let _ = (alias, by);
        todo!()
    }
    pub async fn remove_alias(&self, address: &Address, by: &str) -> Result<(), ChangeError> {
        let _ = (address, by);
        todo!()
    }

    pub async fn groups(&self, page: Page) -> Result<Rows<Group>, Unavailable> {
        let _ = page;
        todo!()
    }
    pub async fn add_group(&self, group: Group, by: &str) -> Result<u64, ChangeError> {
        let _ = (group, by);
        todo!()
    }
    pub async fn set_group(&self, group: Group, by: &str) -> Result<u64, ChangeError> {
        let _ = (group, by);
        todo!()
    }
    pub async fn remove_group(&self, name: &str, by: &str) -> Result<(), ChangeError> {
        let _ = (name, by);
        todo!()
    }

    pub async fn access(&self, side: Option<Side>, page: Page) -> Result<Rows<ListEntry>, Unavailable> {
        let _ = (side, page);
        todo!()
    }
    pub async fn add_access(&self, entry: ListEntry, by: &str) -> Result<u64, ChangeError> {
        let _ = (entry, by);
        todo!()
    }
    pub async fn remove_access(&self, side: Side, pattern: &str, by: &str) -> Result<(), ChangeError> {
        let _ = (side, pattern, by);
        todo!()
    }

    /// Values of all settings and the revision of the table.
    pub async fn setting_values(&self) -> Result<(Vec<(String, String)>, u64), Unavailable> {
        todo!()
    }
    pub async fn set_setting(&self, key: &str, value: &str, revision: u64, by: &str) -> Result<u64, ChangeError> {
        let _ = (key, value, revision, by);
        todo!()
    }
}
