//! The model of what an administrator edits and sees: domains, users, groups, aliases, folders and their rights.
//!
//! Each record has a `revision` that rises with each change; a write names the revision it was made on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Address, DomainName, Refusal};

/// Whose mailbox database it is: a user's, a group's or a public tree's. Never reused, never changed by a rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OwnerId(pub u64);

/// A mail protocol as permissions and sessions name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    Smtp,
    Submission,
    Lmtp,
    Pop3,
    Imap,
    /// Documents for mail programs; nobody logs in there.
    Web,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    pub name: DomainName,
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default)]
    pub description: String,
    /// Other names under which all its addresses are reached.
    #[serde(default)]
    pub aliases: Vec<DomainName>,
    /// Where mail for unknown local parts goes; nowhere (refused) if `None`.
    #[serde(default)]
    pub catch_all: Option<Address>,
    /// Bytes a user may fill, unless the user has a quota of their own; `None`: no limit.
    #[serde(default)]
    pub user_quota_bytes: Option<u64>,
    /// Largest number of users; `None`: no limit.
    #[serde(default)]
    pub users_max: Option<u32>,
    /// The ways in which its users may log in, of [`crate::mechanisms::MECHANISMS`]; empty: the standard ones.
    #[serde(default)]
    pub mechanisms: Vec<String>,
    /// The language of what the server writes to its users, one of [`LANGUAGES`]; empty: the server's.
    #[serde(default)]
    pub language: String,
    #[serde(default)]
    pub revision: u64,
}

impl Domain {
    pub fn new(name: DomainName) -> Self {
        Self {
            name,
            enabled: true,
            description: String::new(),
            aliases: Vec::new(),
            catch_all: None,
            user_quota_bytes: None,
            users_max: None,
            mechanisms: Vec::new(),
            language: String::new(),
            revision: 0,
        }
    }
}

/// A user, without secrets: passwords are set by a request of their own and never shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub address: Address,
    pub owner: OwnerId,
    #[serde(default)]
    pub name: String,
    #[serde(default = "yes")]
    pub enabled: bool,
    /// `None`: the domain's.
    #[serde(default)]
    pub quota_bytes: Option<u64>,
    /// Protocols that this user may not use.
    #[serde(default)]
    pub denied_protocols: Vec<Protocol>,
    /// Copies go there.
    #[serde(default)]
    pub forward_to: Vec<Address>,
    /// Whether a message that was forwarded is kept here as well.
    #[serde(default = "yes")]
    pub forward_keep: bool,
    /// What else may stand in From and in the reverse-path of the user's mail: addresses, `@domain`, or `*` for everything; see [`send_as`].
    #[serde(default)]
    pub send_as: Vec<String>,
    /// What people who write to the user are answered while the user is away.
    #[serde(default)]
    pub vacation: Vacation,
    /// The language of what the server writes to the user, one of [`LANGUAGES`]; empty: the domain's.
    #[serde(default)]
    pub language: String,
    /// Names of the groups the user is a direct member of.
    #[serde(default)]
    pub groups: Vec<String>,
    #[serde(default)]
    pub has_password: bool,
    #[serde(default)]
    pub revision: u64,
}

/// A password that the server made for one program or device of a user. What it is was said once, when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppPassword {
    /// Tells it from the user's others, in any case.
    pub label: String,
    /// The protocols that it opens; empty: all that the user may use.
    #[serde(default)]
    pub protocols: Vec<Protocol>,
    /// Unix seconds.
    pub made_at: i64,
    /// Unix seconds, right to the hour; `None`: never.
    #[serde(default)]
    pub used_at: Option<i64>,
}

/// A certificate that a user may log in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCertificate {
    /// SHA-256, in hexadecimal digits.
    pub fingerprint: String,
    #[serde(default)]
    pub label: String,
}

/// A certificate of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Empty: the one that was there first, which can't be removed.
    pub id: String,
    pub names: Vec<String>,
    pub issuer: String,
    /// Unix seconds.
    pub not_after: i64,
    pub self_signed: bool,
    /// Those of its names for which it is served.
    pub served_for: Vec<String>,
    /// It is served to whom names no host, or one that no certificate is for.
    pub default: bool,
}

/// A certificate that the server gets by itself (ACME).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateOrder {
    /// It is called by the first one.
    pub names: Vec<String>,
    /// It is being asked for.
    pub working: bool,
    /// The certificate that is there; empty: none yet.
    pub id: String,
    /// Unix seconds.
    pub not_after: i64,
    /// Unix seconds: the renewal, or another try.
    pub next_try: i64,
    /// In a row.
    pub failures: u32,
    /// Why the last try failed.
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    pub address: Address,
    pub targets: Vec<Address>,
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default)]
    pub revision: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub name: String,
    #[serde(default)]
    pub description: String,
    /// The address under which the group itself is reached.
    #[serde(default)]
    pub address: Option<Address>,
    #[serde(default)]
    pub members: Vec<Address>,
    /// Groups whose members are members here as well.
    #[serde(default)]
    pub member_groups: Vec<String>,
    #[serde(default)]
    pub revision: u64,
}

/// An allowed or prohibited peer or address: the simple tool for those who write no rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListEntry {
    /// Which of the two lists.
    pub side: Side,
    /// An address, a range (CIDR or from-to), a host name or pattern, or a mail address or pattern.
    pub pattern: String,
    #[serde(default)]
    pub comment: String,
    #[serde(default)]
    pub revision: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Allow,
    Block,
}

/// A key that signs the mail of a domain (DKIM, RFC 6376). The private half never leaves the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DkimKey {
    pub domain: DomainName,
    /// What tells the domain's keys apart in DNS.
    pub selector: String,
    /// `rsa` or `ed25519`.
    pub algorithm: String,
    /// Whether mail is signed with it; publish the record first.
    pub active: bool,
    /// Unix seconds.
    pub created: i64,
    /// The name of the TXT record that publishes it.
    pub record_name: String,
    /// The text of that record.
    pub record: String,
    #[serde(default)]
    pub revision: u64,
}

/// Folders that belong to a domain or a group instead of a user, made by an administrator. Clients see them below `Public/<name>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicTree {
    /// The name of the domain or the group.
    pub name: String,
    pub of: TreeOf,
    #[serde(default = "nobody")]
    pub owner: OwnerId,
    /// Bytes that all its folders may fill; `None`: no limit.
    #[serde(default)]
    pub quota_bytes: Option<u64>,
    #[serde(default)]
    pub revision: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TreeOf {
    Domain,
    Group,
}

/// A folder as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// Levels separated by `/`; the inbox is `INBOX`.
    pub name: String,
    /// `\Drafts` and so on (RFC 6154), without the backslash, in lower case.
    #[serde(default)]
    pub special_use: Option<String>,
    pub messages: u64,
    pub unseen: u64,
    pub bytes: u64,
    #[serde(default)]
    pub subscribed: bool,
    /// Whose rights are which (RFC 4314 letters). Who: a user's address, a group's name with `$` before it, a domain's with `@`, or `anyone`;
    /// with `-` before it: whose rights they are never, whatever else gives them.
    #[serde(default)]
    pub rights: BTreeMap<String, String>,
}

/// An answer to those who write to a user who is away (RFC 3834). Times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vacation {
    #[serde(default)]
    pub enabled: bool,
    /// Before it nobody is answered.
    #[serde(default)]
    pub starts: Option<i64>,
    /// From it on nobody is answered.
    #[serde(default)]
    pub ends: Option<i64>,
    /// Empty: `Auto:` and the subject of the message.
    #[serde(default)]
    pub subject: String,
    #[serde(default)]
    pub text: String,
    /// Nobody is answered twice within so many days.
    #[serde(default = "week")]
    pub days: u32,
}

impl Vacation {
    /// Bytes of the text at most.
    pub const TEXT_MAX_BYTES: usize = 32 * 1024;
    pub const DAYS_MAX: u32 = 365;

    /// Whether somebody who writes now is answered.
    pub fn is_on(&self, now: i64) -> bool {
        self.enabled
            && self.starts.is_none_or(|starts| now >= starts)
            && self.ends.is_none_or(|ends| now < ends)
    }

    pub fn check(&self) -> Result<(), Refusal> {
        let wrong = |field: &str| Err(Refusal::new("vacation-invalid").field(field));
        if self.enabled && self.text.trim().is_empty() {
            return wrong("vacation_text");
        }
        if self.text.len() > Self::TEXT_MAX_BYTES {
            return wrong("vacation_text");
        }
        if self.subject.len() > 255 || self.subject.chars().any(char::is_control) {
            return wrong("vacation_subject");
        }
        if !(1..=Self::DAYS_MAX).contains(&self.days) {
            return wrong("vacation_days");
        }
        if let (Some(starts), Some(ends)) = (self.starts, self.ends)
            && starts >= ends
        {
            return wrong("vacation_ends");
        }
        Ok(())
    }
}

impl Default for Vacation {
    fn default() -> Self {
        Self {
            enabled: false,
            starts: None,
            ends: None,
            subject: String::new(),
            text: String::new(),
            days: week(),
        }
    }
}

fn week() -> u32 {
    7
}

/// The languages in which the server writes.
pub const LANGUAGES: [&str; 2] = ["en", "ru"];

/// Refuses what is neither a language nor empty.
pub fn check_language(language: &str) -> Result<(), Refusal> {
    if language.is_empty() || LANGUAGES.contains(&language) {
        return Ok(());
    }
    let refusal = Refusal::new("language-unknown").with("value", language);
    Err(refusal.field("language"))
}

/// An entry of [`User::send_as`] in its canonical form: an address, `@domain` or `*`.
pub fn send_as(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text == "*" {
        return Ok(text.to_owned());
    }
    match text.strip_prefix('@') {
        Some(domain) => DomainName::parse(domain).map(|domain| format!("@{domain}")),
        None => Address::parse(text).map(|address| address.to_string()),
    }
}

fn nobody() -> OwnerId {
    OwnerId(0)
}

fn yes() -> bool {
    true
}
