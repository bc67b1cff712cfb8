//! External accounts: mailboxes elsewhere whose mail the server fetches for its users.
//!
//! Must not know: how mail is fetched, where an account is kept.

use serde::{Deserialize, Serialize};

use crate::{Address, DomainName, Refusal};

/// Bytes of an account's login, password, comment or folder.
pub const EXTERNAL_TEXT_LENGTH_MAX_BYTES: usize = 255;
/// Folders that are fetched from one account.
pub const EXTERNAL_FOLDERS_MAX_COUNT: usize = 50;
/// Minutes between two visits.
pub const EXTERNAL_INTERVAL_MAX_MINUTES: u32 = 7 * 24 * 60;
/// Days after which mail is deleted from the other server.
pub const EXTERNAL_DAYS_MAX: u32 = 365;

/// Makes an enum that people write as a word.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident $refusal:literal $field:literal { $( $(#[$variant_doc:meta])* $variant:ident $word:literal ),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $( $(#[$variant_doc])* #[serde(rename = $word)] $variant ),* }

        impl $name {
            pub const ALL: &[Self] = &[$( Self::$variant ),*];

            pub fn word(self) -> &'static str {
                match self { $( Self::$variant => $word ),* }
            }

            pub fn parse(word: &str) -> Result<Self, Refusal> {
                let found = Self::ALL.iter().copied().find(|known| known.word() == word);
                found.ok_or_else(|| Refusal::new($refusal).with("value", word).field($field))
            }
        }
    };
}

words! {
    /// What the other server speaks.
    ExternalProtocol "external-protocol-unknown" "protocol" {
        Pop3 "pop3",
        #[default]
        Imap "imap",
    }
}

words! {
    /// Encryption towards it.
    ExternalSecurity "external-security-unknown" "security" {
        /// From the first byte on.
        #[default]
        Tls "tls",
        /// STARTTLS or STLS, or nothing is said.
        StartTls "starttls",
        /// Never: only mechanisms that don't show the password are used.
        None "none",
    }
}

words! {
    /// How the server logs in.
    ExternalMechanism "external-mechanism-unknown" "mechanism" {
        /// The best that both know.
        #[default]
        Auto "auto",
        ScramSha256 "scram-sha-256",
        CramMd5 "cram-md5",
        Plain "plain",
        /// POP3 only.
        Apop "apop",
        /// POP3's USER and PASS, IMAP's LOGIN.
        Login "login",
    }
}

/// What becomes of fetched mail on the other server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExternalAfter {
    /// It stays.
    #[default]
    Keep,
    Delete,
    /// It is deleted so many days after it was fetched.
    Days(u32),
}

/// An external account, without its password: that is set with a request and never shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    /// Whose mail it is.
    pub user: Address,
    /// Names it among the accounts of the user.
    pub name: String,
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default)]
    pub protocol: ExternalProtocol,
    pub host: String,
    /// 0: the protocol's own.
    #[serde(default)]
    pub port: u16,
    #[serde(default)]
    pub security: ExternalSecurity,
    /// Empty: the certificate must name the host and lead to an authority that is trusted. `any`: it is not looked at. Otherwise the SHA-256
    /// fingerprint of the one certificate that is taken.
    #[serde(default)]
    pub certificate: String,
    pub login: String,
    #[serde(default)]
    pub has_password: bool,
    #[serde(default)]
    pub mechanism: ExternalMechanism,
    /// IMAP: what is fetched. Empty: INBOX.
    #[serde(default)]
    pub folders: Vec<String>,
    /// Where it goes here. Empty: as mail to the user's address does.
    #[serde(default)]
    pub into: String,
    #[serde(default = "interval")]
    pub interval_minutes: u32,
    #[serde(default)]
    pub after: ExternalAfter,
    /// IMAP: what is fetched and stays is marked as seen over there.
    #[serde(default)]
    pub mark_seen: bool,
    #[serde(default)]
    pub comment: String,
    #[serde(default)]
    pub revision: u64,
}

/// How it stands with an account. Times are Unix seconds, 0 is never.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalState {
    /// The last visit's end.
    #[serde(default)]
    pub last_visit: i64,
    /// The end of the last visit without a failure.
    #[serde(default)]
    pub last_success: i64,
    /// Why the last visit failed.
    #[serde(default)]
    pub problem: Option<Refusal>,
    /// Visits that failed in a row.
    #[serde(default)]
    pub failures: u32,
    /// Of the last visit.
    #[serde(default)]
    pub fetched: u64,
    #[serde(default)]
    pub fetched_bytes: u64,
    /// Since the account was made.
    #[serde(default)]
    pub fetched_total: u64,
    /// Messages that are not taken: too large, or on their way in circles.
    #[serde(default)]
    pub skipped_total: u64,
    /// When it is visited next; 0: not by itself.
    #[serde(default)]
    pub next_visit: i64,
    #[serde(default)]
    pub is_running: bool,
}

/// An external account and how it stands with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalRow {
    #[serde(flatten)]
    pub external: External,
    pub state: ExternalState,
}

/// What a test of an external account found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalAnswer {
    /// `host [address]:port`, once a connection was made.
    pub server: String,
    /// How the connection is encrypted: `TLSv1.3` and the like; empty: not at all.
    pub tls: String,
    /// The SHA-256 fingerprint of the certificate that was shown.
    pub certificate: String,
    /// What was logged in with.
    pub mechanism: String,
    /// Messages over there, whether fetched or not.
    pub messages: u64,
    /// Why it would not work.
    pub problem: Option<Refusal>,
}

impl External {
    /// An account with everything else as if nobody had chosen.
    pub fn new(user: Address, name: &str) -> Self {
        Self {
            user,
            name: name.to_owned(),
            enabled: true,
            protocol: ExternalProtocol::default(),
            host: String::new(),
            port: 0,
            security: ExternalSecurity::default(),
            certificate: String::new(),
            login: String::new(),
            has_password: false,
            mechanism: ExternalMechanism::default(),
            folders: Vec::new(),
            into: String::new(),
            interval_minutes: interval(),
            after: ExternalAfter::default(),
            mark_seen: false,
            comment: String::new(),
            revision: 0,
        }
    }

    /// The port, chosen or the protocol's own.
    pub fn port(&self) -> u16 {
        match (self.port, self.protocol, self.security) {
            (0, ExternalProtocol::Pop3, ExternalSecurity::Tls) => 995,
            (0, ExternalProtocol::Pop3, _) => 110,
            (0, ExternalProtocol::Imap, ExternalSecurity::Tls) => 993,
            (0, ExternalProtocol::Imap, _) => 143,
            (port, ..) => port,
        }
    }

    /// What is fetched from an IMAP server.
    pub fn sources(&self) -> Vec<String> {
        if self.folders.is_empty() {
            return vec!["INBOX".to_owned()];
        }
        self.folders.clone()
    }

    /// Checks everything and brings it into its canonical form.
    pub fn check(mut self) -> Result<Self, Refusal> {
        for text in [
            &mut self.name,
            &mut self.host,
            &mut self.login,
            &mut self.into,
            &mut self.certificate,
        ] {
            *text = text.trim().to_owned();
        }
        self.folders = self
            .folders
            .iter()
            .map(|folder| folder.trim().to_owned())
            .collect();
        self.folders.retain(|folder| !folder.is_empty());
        let printable = |text: &str, max: usize| text.len() <= max && !text.chars().any(char::is_control);
        if self.name.is_empty() || !printable(&self.name, 64) {
            return Err(Refusal::new("external-name-invalid")
                .with("name", &self.name)
                .field("name"));
        }
        self.host = host(&self.host)?;
        if self.login.is_empty() {
            return Err(Refusal::new("external-login-missing").field("login"));
        }
        for (field, text) in [
            ("login", &self.login),
            ("into", &self.into),
            ("comment", &self.comment),
        ] {
            if !printable(text, EXTERNAL_TEXT_LENGTH_MAX_BYTES) {
                return Err(Refusal::new("text-invalid").with("field", field).field(field));
            }
        }
        if self.folders.len() > EXTERNAL_FOLDERS_MAX_COUNT {
            let refusal = Refusal::new("too-many").with("field", "folders");
            return Err(refusal.with("max", EXTERNAL_FOLDERS_MAX_COUNT).field("folders"));
        }
        if let Some(bad) = self
            .folders
            .iter()
            .find(|folder| !printable(folder, EXTERNAL_TEXT_LENGTH_MAX_BYTES))
        {
            let refusal = Refusal::new("text-invalid").with("field", "folders");
            return Err(refusal.with("value", bad).field("folders"));
        }
        if self.protocol == ExternalProtocol::Pop3 && !self.folders.is_empty() {
            return Err(Refusal::new("external-pop3-has-no-folders").field("folders"));
        }
        if self.protocol == ExternalProtocol::Imap && self.mechanism == ExternalMechanism::Apop {
            return Err(Refusal::new("external-apop-is-of-pop3").field("mechanism"));
        }
        self.certificate = certificate(&self.certificate)?;
        if !(1..=EXTERNAL_INTERVAL_MAX_MINUTES).contains(&self.interval_minutes) {
            let refusal =
                Refusal::new("external-interval-invalid").with("max", EXTERNAL_INTERVAL_MAX_MINUTES);
            return Err(refusal.field("interval_minutes"));
        }
        if let ExternalAfter::Days(days) = self.after
            && !(1..=EXTERNAL_DAYS_MAX).contains(&days)
        {
            let refusal = Refusal::new("external-days-invalid").with("max", EXTERNAL_DAYS_MAX);
            return Err(refusal.field("after"));
        }
        Ok(self)
    }
}

/// A host's name, or an address.
fn host(text: &str) -> Result<String, Refusal> {
    if let Ok(address) = text.trim_matches(['[', ']']).parse::<std::net::IpAddr>() {
        return Ok(address.to_string());
    }
    let found = DomainName::parse(text).map(|name| name.as_str().to_owned());
    found.map_err(|_| {
        Refusal::new("external-host-invalid")
            .with("value", text)
            .field("host")
    })
}

fn certificate(text: &str) -> Result<String, Refusal> {
    let text = text.to_ascii_lowercase();
    if text.is_empty() || text == "any" {
        return Ok(text);
    }
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    if digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(digits);
    }
    Err(Refusal::new("external-certificate-invalid").field("certificate"))
}

fn yes() -> bool {
    true
}

fn interval() -> u32 {
    15
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn account() -> External {
        let mut external = External::new(Address::parse("ann@example.test").unwrap(), "work");
        external.host = "Mail.Other.test".to_owned();
        external.login = "ann".to_owned();
        external
    }

    #[test]
    fn what_can_not_work_is_refused() {
        type Case<'a> = (&'a dyn Fn(&mut External), &'a str);
        let cases: &[Case<'_>] = &[
            (&|account| account.name = " ".to_owned(), "external-name-invalid"),
            (
                &|account| account.host = "two words".to_owned(),
                "external-host-invalid",
            ),
            (&|account| account.login = String::new(), "external-login-missing"),
            (&|account| account.login = "a\r\nb".to_owned(), "text-invalid"),
            (
                &|account| account.folders = vec!["a\nb".to_owned()],
                "text-invalid",
            ),
            (
                &|account| account.certificate = "sha1".to_owned(),
                "external-certificate-invalid",
            ),
            (
                &|account| account.interval_minutes = 0,
                "external-interval-invalid",
            ),
            (
                &|account| account.after = ExternalAfter::Days(0),
                "external-days-invalid",
            ),
            (
                &|account| account.mechanism = ExternalMechanism::Apop,
                "external-apop-is-of-pop3",
            ),
            (
                &|account| {
                    account.protocol = ExternalProtocol::Pop3;
                    account.folders = vec!["Sent".to_owned()];
                },
                "external-pop3-has-no-folders",
            ),
        ];
        for (change, code) in cases {
            let mut account = account();
            change(&mut account);
            assert_eq!(account.check().unwrap_err().code, *code);
        }
        let account = account().check().unwrap();
        assert_eq!((account.host.as_str(), account.port()), ("mail.other.test", 993));
    }

    #[test]
    fn certificates_are_named_as_people_write_them() {
        let mut account = account();
        account.certificate = format!("AB:{}", "cd".repeat(31));
        assert_eq!(
            account.check().unwrap().certificate,
            format!("ab{}", "cd".repeat(31))
        );
    }
}
