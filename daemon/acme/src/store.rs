//! What must survive a restart: the accounts and their keys, and which certificates are wanted.
//!
//! ```text
//! acme/account-<authority>.json   the account at one authority: its key is here before the authority hears of it, so that a crash
//!                                 between the two finds the same account again; so is the key that is to take its place
//! acme/certificates.json          which names are wanted, what there is for them, when the next try is; one that makes no sense is
//!                                 put aside as certificates.json.damaged-<Unix seconds> before another is written
//! acme/order-<name>.json          an order of which only the certificate is missing, and the certificate's key
//! ```
//!
//! Nobody but the server may look into the folder. Every file is replaced in one step.
//!
//! Must not know: the protocol.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use disk::SharedDisk;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::AcmeError;
use crate::jws::{AccountKey, digest};

const LIST_FILE: &str = "certificates.json";

/// An account at an authority.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    /// Whose it is, for people.
    pub(crate) directory: String,
    /// PKCS #8, in base64.
    key: String,
    /// Its address there; empty: the authority may not know it yet.
    #[serde(default)]
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) contact: Vec<String>,
    /// The key that is to take the place of the other; not empty: whether the authority has heard of it is not known.
    #[serde(default)]
    next_key: String,
}

impl Account {
    pub(crate) fn new(directory: &str) -> Result<Self, AcmeError> {
        Ok(Self {
            directory: directory.to_owned(),
            key: STANDARD.encode(AccountKey::generate()?),
            url: String::new(),
            contact: Vec::new(),
            next_key: String::new(),
        })
    }

    pub(crate) fn key(&self) -> Result<AccountKey, AcmeError> {
        read_key(&self.key)
    }

    /// The key that may have taken the place of the other.
    pub(crate) fn next_key(&self) -> Result<Option<AccountKey>, AcmeError> {
        if self.next_key.is_empty() {
            return Ok(None);
        }
        read_key(&self.next_key).map(Some)
    }

    pub(crate) fn begin_change(&mut self) -> Result<(), AcmeError> {
        self.next_key = STANDARD.encode(AccountKey::generate()?);
        Ok(())
    }

    pub(crate) fn end_change(&mut self, changed: bool) {
        let next = std::mem::take(&mut self.next_key);
        if changed {
            self.key = next;
        }
    }
}

fn read_key(key: &str) -> Result<AccountKey, AcmeError> {
    let key = STANDARD.decode(key);
    AccountKey::read(&key.map_err(|error| AcmeError::Disk(format!("the account's key: {error}")))?)
}

/// A certificate that is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// The first one is what the order is called by.
    pub(crate) names: Vec<String>,
    /// What is there for them: its folder; empty if nothing is yet.
    #[serde(default)]
    pub(crate) id: String,
    /// Its life in Unix seconds.
    #[serde(default)]
    pub(crate) not_before: i64,
    #[serde(default)]
    pub(crate) not_after: i64,
    /// Unix seconds; 0: at once.
    #[serde(default)]
    pub(crate) next_try: i64,
    /// In a row.
    #[serde(default)]
    pub(crate) failures: u32,
    #[serde(default)]
    pub(crate) reason: String,
    /// When it was last tried, in Unix seconds; 0: not known.
    #[serde(default)]
    pub(crate) last_try: i64,
    /// When the authority is asked next whether it wants another time, in Unix seconds.
    #[serde(default)]
    pub(crate) next_look: i64,
    /// Until when it wants the certificate renewed, in Unix seconds; 0: it has not said.
    #[serde(default)]
    pub(crate) advised: i64,
}

impl Wanted {
    pub(crate) fn name(&self) -> &str {
        self.names.first().map(String::as_str).unwrap_or_default()
    }
}

/// An order that the authority is asked to fulfil.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// The authority; empty until it is kept.
    #[serde(default)]
    pub(crate) directory: String,
    pub(crate) names: Vec<String>,
    pub(crate) url: String,
    /// The certificate's, in PEM.
    pub(crate) key: String,
    /// How often it was taken up again.
    #[serde(default)]
    pub(crate) tries: u32,
}

impl Pending {
    pub(crate) fn new(names: &[String], url: String, key: String) -> Self {
        Self {
            directory: String::new(),
            names: names.to_vec(),
            url,
            key,
            tries: 0,
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
struct List {
    #[serde(default)]
    certificates: Vec<Wanted>,
}

/// The folder. Everything here blocks.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) disk: SharedDisk,
    pub(crate) dir: PathBuf,
}

impl Store {
    pub(crate) fn list(&self) -> Result<Vec<Wanted>, AcmeError> {
        let list: Option<List> = self.read(LIST_FILE)?;
        let mut found = list.unwrap_or_default().certificates;
        found.retain(|wanted| !wanted.names.is_empty());
        Ok(found)
    }

    pub(crate) fn keep_list(&self, wanted: Vec<Wanted>) -> Result<(), AcmeError> {
        self.write(LIST_FILE, &List { certificates: wanted })
    }

    /// Puts a list away that makes no sense, so that nothing is written over it. Gives its new name.
    pub(crate) fn put_aside(&self, now: i64) -> Result<PathBuf, AcmeError> {
        let from = self.dir.join(LIST_FILE);
        let to = self.dir.join(format!("{LIST_FILE}.damaged-{now}"));
        let moved = self.disk.rename(&from, &to);
        let moved = moved.and_then(|()| self.disk.sync_dir(&self.dir));
        moved.map(|()| to).map_err(|error| trouble(&from, &error))
    }

    /// The order by that name of which only the certificate is missing. One that can't be read costs a new order, nothing else.
    pub(crate) fn pending(&self, name: &str) -> Option<Pending> {
        self.read(&order_file(name)).unwrap_or_default()
    }

    pub(crate) fn keep_pending(&self, pending: &Pending) -> Result<(), AcmeError> {
        let name = pending.names.first().map(String::as_str).unwrap_or_default();
        self.write(&order_file(name), pending)
    }

    pub(crate) fn drop_pending(&self, name: &str) -> Result<(), AcmeError> {
        let path = self.dir.join(order_file(name));
        match self.disk.remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(trouble(&path, &error)),
            _ => Ok(()),
        }
    }

    /// The account at an authority.
    pub(crate) fn account(&self, directory: &str) -> Result<Option<Account>, AcmeError> {
        self.read(&account_file(directory))
    }

    pub(crate) fn keep_account(&self, account: &Account) -> Result<(), AcmeError> {
        self.write(&account_file(&account.directory), account)
    }

    /// A file of the administrator's.
    pub(crate) fn authority(&self, path: &str) -> Result<Vec<u8>, AcmeError> {
        let path = Path::new(path);
        self.disk.read(path).map_err(|error| trouble(path, &error))
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, AcmeError> {
        let path = self.dir.join(name);
        match self.disk.read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| AcmeError::Damaged(format!("{}: {error}", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(trouble(&path, &error)),
        }
    }

    fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<(), AcmeError> {
        let path = self.dir.join(name);
        let bytes = serde_json::to_vec_pretty(value);
        let bytes = bytes.map_err(|error| AcmeError::Disk(error.to_string()))?;
        // The folder is closed before a key is in it.
        let written = self
            .disk
            .create_dir_all_synced(&self.dir)
            .and_then(|()| self.make_private(&self.dir))
            .and_then(|()| self.disk.write_atomic(&path, &bytes))
            .and_then(|()| self.make_private(&path));
        written.map_err(|error| trouble(&path, &error))
    }

    /// Nothing is to be done on a disk that is not the machine's own.
    fn make_private(&self, path: &Path) -> io::Result<()> {
        self.disk
            .real_path(path)
            .map_or(Ok(()), |real| disk::set_private_permissions(&real))
    }
}

fn trouble(path: &Path, error: &io::Error) -> AcmeError {
    AcmeError::Disk(format!("{}: {error}", path.display()))
}

fn account_file(directory: &str) -> String {
    format!("account-{}.json", short(directory))
}

fn order_file(name: &str) -> String {
    format!("order-{}.json", short(name))
}

/// A part of a file's name that tells texts apart.
fn short(text: &str) -> String {
    let mut first = [0; 8];
    first.copy_from_slice(digest(text).split_at(8).0);
    format!("{:016x}", u64::from_be_bytes(first))
}
