//! The control channel's messages: JSON-RPC 2.0, one message a line, over the local socket or named pipe.
//!
//! A client says [`Hello`] first. Lists are paged, filtered and sorted by the daemon. A change carries the revision of
//! what it was made on and is refused (`revision-stale`) if that is no longer the newest. Notifications have the methods
//! `monitor`, `log`, `queue` and `changes`; what a slow reader missed is counted, never kept without bound.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Refusal;
use crate::external::{External, ExternalState};
pub use crate::external::{ExternalAnswer, ExternalRow};
use crate::model::{
    Alias, AppPassword, Certificate, CertificateOrder, DkimKey, Domain, Folder, Group, ListEntry, Protocol,
    PublicTree, Side, User, UserCertificate,
};
pub use crate::report::{ReportKind, ReportWaiting};
use crate::route::Route;
pub use crate::route::{RouteAnswer, RouteHost};

/// The version of this protocol; a daemon refuses a client of another major version.
pub const VERSION: Version = Version { major: 1, minor: 0 };

/// Longest line in bytes, either way.
pub const LINE_LENGTH_MAX_BYTES: usize = 16 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub major: u16,
    pub minor: u16,
}

/// A request: its method's name and what it answers.
pub trait Request: Serialize + DeserializeOwned + Send {
    const METHOD: &'static str;
    type Reply: Serialize + DeserializeOwned + Send;
}

/// A JSON-RPC request or notification on the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    pub jsonrpc: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    pub method: String,
    #[serde(default)]
    pub params: Value,
}

/// A JSON-RPC answer on the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    pub jsonrpc: String,
    pub id: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

/// Why a request failed. `code` is JSON-RPC's; `data` is the refusal for a person where there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub code: i32,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Refusal>,
}

/// JSON-RPC codes in use.
pub mod code {
    pub const PARSE: i32 = -32_700;
    pub const INVALID_REQUEST: i32 = -32_600;
    pub const METHOD_NOT_FOUND: i32 = -32_601;
    pub const INVALID_PARAMS: i32 = -32_602;
    pub const INTERNAL: i32 = -32_603;
    /// Refused for a reason that `data` names.
    pub const REFUSED: i32 = 1;
}

/// Which part of a list is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// A substring of what identifies or describes a row, in any case; empty: all rows.
    #[serde(default)]
    pub filter: String,
    /// The name of a column; empty: the list's own order.
    #[serde(default)]
    pub sort: String,
    #[serde(default)]
    pub descending: bool,
    #[serde(default)]
    pub offset: u64,
    /// At most 10,000; 0: 100.
    #[serde(default)]
    pub limit: u64,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows<T> {
    /// Rows that the filter lets through, on all pages.
    pub total: u64,
    pub rows: Vec<T>,
}

/// The empty answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {}

/// The answer to a change: the new revision of what was changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    pub revision: u64,
}

/// Declares requests: `Name "method" => Reply { fields }`.
macro_rules! requests {
    ($( $(#[$doc:meta])* $name:ident $method:literal => $reply:ty { $( $(#[$fdoc:meta])* $field:ident : $ty:ty ),* $(,)? } )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Serialize, Deserialize)]
            pub struct $name { $( $(#[$fdoc])* pub $field: $ty ),* }
            impl Request for $name {
                const METHOD: &'static str = $method;
                type Reply = $reply;
            }
        )*
        /// Every method there is.
        pub const METHODS: &[&str] = &[$($method),*];
    };
}

requests! {
    /// The first request of a connection.
    Hello "hello" => Welcome {
        version: Version,
        /// What the client is, e.g. `batpostctl`.
        client: String,
        /// `en` or `ru`: the language of texts in log rows and refusals.
        #[serde(default)]
        language: String,
    }
    /// Starts pushing notifications of these channels: `monitor`, `log`, `queue`, `changes`.
    Subscribe "subscribe" => Done { channels: Vec<String> }
    Unsubscribe "unsubscribe" => Done { channels: Vec<String> }
    /// The monitor's figures once, as the `monitor` channel pushes them.
    MonitorGet "monitor.get" => Monitor {}

    DomainList "domain.list" => Rows<DomainRow> { #[serde(default)] page: Page }
    DomainGet "domain.get" => Domain { name: String }
    DomainAdd "domain.add" => Changed { domain: Domain }
    DomainSet "domain.set" => Changed { domain: Domain }
    /// Refused (`domain-not-empty`) while it has users, unless `with_users`.
    DomainRemove "domain.remove" => Done { name: String, #[serde(default)] with_users: bool }

    UserList "user.list" => Rows<UserRow> {
        /// Only this domain's; empty: all.
        #[serde(default)]
        domain: String,
        #[serde(default)]
        page: Page,
    }
    UserGet "user.get" => User { address: String }
    UserAdd "user.add" => Changed { user: NewUser }
    UserSet "user.set" => Changed { user: User }
    UserRename "user.rename" => Changed { address: String, to: String }
    UserPassword "user.password" => Done { address: String, password: String }
    /// The mail is removed with the user unless `keep_mail`.
    UserRemove "user.remove" => Done { address: String, #[serde(default)] keep_mail: bool }
    /// The text of a CSV file with a header line.
    UserImport "user.import" => ImportReport { csv: String, #[serde(default)] create_domains: bool }

    AppPasswordList "app-password.list" => Vec<AppPassword> { address: String }
    /// The answer is the only place where the password is ever told.
    AppPasswordAdd "app-password.add" => NewAppPassword {
        address: String,
        label: String,
        #[serde(default)]
        protocols: Vec<Protocol>,
    }
    AppPasswordRemove "app-password.remove" => Done { address: String, label: String }

    UserCertificateList "user-certificate.list" => Vec<UserCertificate> { address: String }
    /// Lets the user log in by a certificate (EXTERNAL): one in PEM, or the SHA-256 fingerprint of one.
    UserCertificateAdd "user-certificate.add" => UserCertificate {
        address: String,
        #[serde(default)]
        label: String,
        certificate: String,
    }
    UserCertificateRemove "user-certificate.remove" => Done { address: String, fingerprint: String }

    /// Mailboxes elsewhere whose mail is fetched; `user` empty: those of all.
    ExternalList "external.list" => Rows<ExternalRow> { #[serde(default)] user: String, #[serde(default)] page: Page }
    ExternalAdd "external.add" => Changed { external: External, #[serde(default)] password: Option<String> }
    /// Without a password the old one stays; the empty one takes it away.
    ExternalSet "external.set" => Changed { external: External, #[serde(default)] password: Option<String> }
    ExternalRemove "external.remove" => Done { user: String, name: String }
    /// Visits it now; the answer comes at the end of that, or, without `wait`, at once.
    ExternalFetch "external.fetch" => ExternalState { user: String, name: String, #[serde(default = "yes")] wait: bool }
    /// Connects and logs in, and takes nothing.
    ExternalTest "external.test" => ExternalAnswer { user: String, name: String }

    AliasList "alias.list" => Rows<Alias> { #[serde(default)] domain: String, #[serde(default)] page: Page }
    AliasAdd "alias.add" => Changed { alias: Alias }
    AliasSet "alias.set" => Changed { alias: Alias }
    AliasRemove "alias.remove" => Done { address: String }

    GroupList "group.list" => Rows<Group> { #[serde(default)] page: Page }
    GroupAdd "group.add" => Changed { group: Group }
    GroupSet "group.set" => Changed { group: Group }
    GroupRemove "group.remove" => Done { name: String }

    /// In all requests for folders, `user` is a user's address, or `Public/NAME` for the public folders of that domain or group. The first folder of
    /// those is `INBOX`: it stands for `Public/NAME` itself.
    FolderList "folder.list" => Rows<Folder> { user: String }
    FolderAdd "folder.add" => Done { user: String, name: String, #[serde(default)] special_use: Option<String> }
    FolderRename "folder.rename" => Done { user: String, name: String, to: String }
    FolderRemove "folder.remove" => Done { user: String, name: String }
    /// Gives rights (RFC 4314 letters or a role, see [`crate::Rights::parse_words`]; empty: takes them away) on a folder to a user, `$group`, `@domain` or
    /// `anyone`; with `-` before it, they are denied, whoever gives them.
    FolderRights "folder.rights" => Done { user: String, name: String, identifier: String, rights: String }

    /// Domains and groups that have public folders.
    TreeList "tree.list" => Rows<PublicTree> { #[serde(default)] page: Page }
    /// Makes public folders for a domain (its users may read them) or a group (its members may use them) of that name.
    TreeAdd "tree.add" => Changed { name: String, #[serde(default)] quota_bytes: Option<u64> }
    /// Sets the quota.
    TreeSet "tree.set" => Changed { tree: PublicTree }
    /// Removes all of them with their messages.
    TreeRemove "tree.remove" => Done { name: String }

    AccessList "access.list" => Rows<ListEntry> { #[serde(default)] side: Option<Side>, #[serde(default)] page: Page }
    AccessAdd "access.add" => Changed { entry: ListEntry }
    AccessRemove "access.remove" => Done { side: Side, pattern: String }

    /// Keys that sign mail (DKIM); `domain` empty: all.
    DkimList "dkim.list" => Rows<DkimKey> { #[serde(default)] domain: String, #[serde(default)] page: Page }
    DkimGet "dkim.get" => DkimKey { domain: String, selector: String }
    /// Makes a key, or takes one that was made elsewhere.
    DkimAdd "dkim.add" => DkimKey {
        domain: String,
        /// Empty: one is chosen.
        #[serde(default)]
        selector: String,
        /// `rsa` (2048 bits) or `ed25519`; empty: `rsa`. Of a key that is taken, its own counts.
        #[serde(default)]
        algorithm: String,
        /// PEM (PKCS #8 or PKCS #1); empty: a key is made.
        #[serde(default)]
        private_key: String,
        /// Signs at once; otherwise once `dkim.set` says so.
        #[serde(default)]
        active: bool,
    }
    DkimSet "dkim.set" => Changed { domain: String, selector: String, active: bool }
    DkimRemove "dkim.remove" => Done { domain: String, selector: String }

    /// Routes of outgoing mail, in the order in which they are asked.
    RouteList "route.list" => Rows<Route> { #[serde(default)] page: Page }
    RouteAdd "route.add" => Changed { route: Route, #[serde(default)] password: Option<String> }
    /// Without a password the old one stays; the empty one takes it away.
    RouteSet "route.set" => Changed { route: Route, #[serde(default)] password: Option<String> }
    RouteRemove "route.remove" => Done { name: String }
    /// Where mail for that address would go now. Asks the DNS, connects to nobody. Without a sender: a bounce.
    RouteTest "route.test" => RouteAnswer { to: String, #[serde(default)] from: Option<String> }

    /// Aggregate reports to other domains that wait to be sent.
    ReportList "report.list" => Rows<ReportWaiting> {}
    /// Sends what waits now, the day that is not over too; gives the reports that were sent. Without a kind: all.
    ReportSend "report.send" => Count { #[serde(default)] kind: Option<ReportKind> }

    QueueList "queue.list" => Rows<QueueRow> { #[serde(default)] page: Page }
    QueueShow "queue.show" => QueueMessage { id: String }
    /// Tries at once; without ids: everything.
    QueueRetry "queue.retry" => Count { #[serde(default)] ids: Vec<String> }
    QueueHold "queue.hold" => Count { ids: Vec<String> }
    QueueRelease "queue.release" => Count { ids: Vec<String> }
    /// `bounce`: the sender is told.
    QueueRemove "queue.remove" => Count { ids: Vec<String>, #[serde(default)] bounce: bool }
    /// Sends by another host (`host` or `host:port`) and tries at once; without `route`: the usual way again.
    QueueRoute "queue.route" => Count { ids: Vec<String>, #[serde(default)] route: Option<String> }
    /// The message's text, in base64: all of it, or `limit` bytes from `offset` on.
    QueueRead "queue.read" => Text64 { id: String, #[serde(default)] offset: u64, #[serde(default)] limit: Option<u64> }

    SessionList "session.list" => Rows<SessionRow> { #[serde(default)] page: Page }
    SessionEnd "session.end" => Done { id: u64 }

    ServiceList "service.list" => Rows<ServiceRow> {}
    ServiceSet "service.set" => Done { service: String, state: ServiceState }

    /// Stored log rows, newest last.
    LogQuery "log.query" => Rows<LogRow> { #[serde(default)] query: LogFilter }

    CertificateList "certificate.list" => Vec<Certificate> {}
    /// Takes a certificate into use: one PEM text with the certificate, its chain and its key.
    CertificateAdd "certificate.add" => Certificate { pem: String }
    CertificateRemove "certificate.remove" => Done { id: String }
    /// Reads the folder of certificates anew.
    CertificateReload "certificate.reload" => Done {}
    /// Gets a certificate for these names from the authority that the settings name, now, and renews it from now on. An order that begins with the
    /// same name is replaced. `wait`: answer when it is there or has failed.
    CertificateObtain "certificate.obtain" => CertificateOrder { names: Vec<String>, #[serde(default)] wait: bool }
    /// What is renewed, and what is tried again.
    CertificateOrders "certificate.orders" => Vec<CertificateOrder> {}
    /// Renews no longer what begins with that name. The certificate stays.
    CertificateForget "certificate.forget" => Done { name: String }
    /// Has the authority declare that the certificate of that order is no longer to be believed, and gets another one at once. `reason`: `key-compromise`,
    /// `affiliation-changed`, `superseded`, `cessation-of-operation`, or `unspecified`, which empty means too.
    CertificateRevoke "certificate.revoke" => Done { name: String, #[serde(default)] reason: String }
    /// Gives the account at the authority a new key.
    CertificateRekey "certificate.rekey" => Done {}

    SettingList "setting.list" => SettingValues {}
    SettingSet "setting.set" => Changed { key: String, value: String, revision: u64 }

    StorageShow "storage.show" => Storage {}
    /// Verifies mailboxes (all, or one user's) and repairs what can be repaired if asked.
    Check "check" => CheckReport { #[serde(default)] user: Option<String>, #[serde(default)] repair: bool }
    /// Stops the daemon cleanly.
    Shutdown "shutdown" => Done {}
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Welcome {
    pub version: Version,
    /// The program's version.
    pub server: String,
    pub hostname: String,
    /// True until the first domain exists: the configurator offers its wizard.
    pub first_run: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DomainRow {
    #[serde(flatten)]
    pub domain: Domain,
    pub users: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserRow {
    #[serde(flatten)]
    pub user: User,
    /// Bytes in the mailbox, if it is known without opening it.
    pub used_bytes: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewUser {
    pub address: crate::Address,
    /// `None`: the user can't log in until one is set. `{SCHEME}hash` is taken as a hash.
    #[serde(default)]
    pub password: Option<String>,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub quota_bytes: Option<u64>,
    #[serde(default)]
    pub groups: Vec<String>,
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// An app password that was just made, in four groups of four letters. It works as it is written, hyphens included.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewAppPassword {
    pub password: String,
}

/// Secrets appear in no log.
impl std::fmt::Debug for NewAppPassword {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("NewAppPassword(…)")
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ImportReport {
    pub imported: u64,
    /// Lines that were not imported, in order; the first 1,000.
    pub refused: Vec<ImportError>,
    pub refused_total: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportError {
    /// Counted from 1, the header line included.
    pub line: u64,
    pub refusal: Refusal,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub count: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Text64 {
    pub base64: String,
}

/// One message of the queue. Times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRow {
    pub id: String,
    /// Empty: a bounce or another message that the server must not answer.
    pub sender: String,
    /// The first few.
    pub recipients: Vec<String>,
    pub recipients_total: u64,
    pub size: u64,
    pub arrived: i64,
    pub next_try: Option<i64>,
    pub attempts: u32,
    pub held: bool,
    /// The last answer of a remote host or the last error.
    pub last_reply: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueMessage {
    #[serde(flatten)]
    pub row: QueueRow,
    /// Where an administrator sends it, whatever its recipients' domains say.
    #[serde(default)]
    pub route: Option<String>,
    pub states: Vec<RecipientState>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientState {
    pub address: String,
    /// `waiting`, `delivered`, `failed`.
    pub state: String,
    pub attempts: u32,
    pub last_reply: String,
    pub next_try: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    pub id: u64,
    pub service: String,
    pub protocol: Protocol,
    pub peer: String,
    pub user: String,
    /// What it is doing, e.g. `IDLE` or `DATA`: a word of the protocol.
    pub state: String,
    pub tls: bool,
    pub since: i64,
    pub bytes_in: u64,
    pub bytes_out: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceState {
    /// Accepts sessions.
    Running,
    /// Keeps its sessions and takes no new ones.
    Paused,
    /// No sessions, ports closed.
    Stopped,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRow {
    /// `smtp`, `submission`, `lmtp`, `pop3`, `imap`, `delivery`.
    pub service: String,
    pub state: ServiceState,
    pub active: u64,
    pub max: u64,
    /// Sessions (for delivery: messages) since the start.
    pub total: u64,
    /// Addresses it listens on.
    pub listeners: Vec<String>,
}

/// What the monitor shows; pushed once a second on the `monitor` channel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Monitor {
    pub at: i64,
    pub uptime_s: u64,
    pub services: Vec<ServiceRow>,
    pub queue_messages: u64,
    pub accepted_total: u64,
    pub delivered_total: u64,
    pub bytes_in_total: u64,
    pub bytes_out_total: u64,
    pub memory_bytes: u64,
    /// Pushes that this reader was too slow for.
    pub missed: u64,
}

/// Pushed on the `changes` channel when something of this kind changed: read it anew.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Change {
    /// `domain`, `user`, `alias`, `group`, `folder`, `access`, `dkim`, `route`, `external`, `setting`, `service`, `session`, `queue`.
    pub kind: String,
    pub name: String,
    pub by: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRow {
    /// Rises by one with each row; pages are cut by it.
    pub seq: u64,
    /// Unix time in microseconds.
    pub at_us: i64,
    /// `smtp`, `pop3`, `imap`, `delivery`, `security`, `errors`, `drivers`, `application`.
    pub channel: String,
    /// `debug`, `info`, `warning`, `error`.
    pub severity: String,
    /// The event's stable code.
    pub code: String,
    pub session: Option<u64>,
    /// The queue id of the message concerned.
    pub message: Option<String>,
    /// In the reader's language.
    pub text: String,
    pub fields: Value,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
pub struct LogFilter {
    /// Empty: all.
    #[serde(default)]
    pub channels: Vec<String>,
    #[serde(default)]
    pub session: Option<u64>,
    #[serde(default)]
    pub message: Option<String>,
    /// A substring of the text or a field.
    #[serde(default)]
    pub contains: String,
    /// Only rows before that `seq`; 0: the newest.
    #[serde(default)]
    pub before: u64,
    /// At most 10,000; 0: 200.
    #[serde(default)]
    pub limit: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SettingValues {
    /// Every setting with its value, in the order of `settings::SETTINGS`.
    pub values: Vec<(String, String)>,
    pub revision: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Storage {
    pub kinds: Vec<Placing>,
    /// Drivers that this build has.
    pub drivers: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Placing {
    pub kind: String,
    pub database: String,
    pub driver: String,
    pub location: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CheckReport {
    pub mailboxes: u64,
    pub messages: u64,
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Problem {
    pub owner: String,
    pub refusal: Refusal,
    pub repaired: bool,
}

fn yes() -> bool {
    true
}
