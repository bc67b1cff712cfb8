//! What `batpost.toml` says of databases: which there are, which kind lies where, and which tables are somebody else's.
//!
//! ```toml
//! [databases.main]
//! driver = "sqlite"
//! path = "config.db"
//!
//! [placing]
//! users = "main"
//!
//! [mapping.user]
//! table = "staff"
//! read_only = true
//! columns = { key = "mail", address = "mail", owner = "id", name = "full_name" }
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The name of the database where everything lies that is placed nowhere else.
pub(crate) const MAIN: &str = "main";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placement {
    #[serde(default = "main_only")]
    pub databases: BTreeMap<String, Database>,
    /// The database of a kind; a kind that is missing here lies in `main`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub placing: BTreeMap<String, String>,
    /// By the name of our table, e.g. `user`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mapping: BTreeMap<String, Mapping>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite` or, for trying things out, `memory`.
    pub driver: String,
    /// Relative to the data directory.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Whether each commit is synced before it is answered; logs may do without.
    #[serde(default = "yes")]
    pub durable: bool,
}

/// A table of the user's own in place of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    pub table: String,
    /// The column of each field; a field that is missing here is empty, and not written.
    pub columns: BTreeMap<String, String>,
    #[serde(default)]
    pub read_only: bool,
}

/// Everything in `main`, which is `config.db` in the data directory.
impl Default for Placement {
    fn default() -> Self {
        Self {
            databases: main_only(),
            placing: BTreeMap::new(),
            mapping: BTreeMap::new(),
        }
    }
}

fn main_only() -> BTreeMap<String, Database> {
    let main = Database {
        driver: "sqlite".to_owned(),
        path: "config.db".to_owned(),
        durable: true,
    };
    BTreeMap::from([(MAIN.to_owned(), main)])
}

fn yes() -> bool {
    true
}
