//! What a driver is told of a table: its fields, keys, and how it came to its present shape.

/// Kinds of data as an administrator places them. The list is open: a name in `batpost.toml` is checked against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Settings,
    Domains,
    Users,
    Credentials,
    Groups,
    Aliases,
    Lists,
    Rules,
    Access,
    Logs,
    Folders,
    Messages,
    Queue,
}

/// The field that rises by one with each change of a row, in tables that have it.
pub(crate) const REVISION: &str = "revision";

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Flag,
    Int,
    Text,
    Bytes,
    List,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub ty: Type,
}

/// A numbered step from one shape of a table to the next; `version` is the one it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migration {
    /// The field exists from that version on.
    AddField { version: u32, field: &'static str },
}

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor {
    pub kind: Kind,
    pub table: &'static str,
    /// The version of its shape, from 1.
    pub version: u32,
    pub fields: &'static [Field],
    /// What a row is found by.
    pub key: &'static [&'static str],
    /// Further fields that no two rows share.
    pub unique: &'static [&'static str],
    /// Fields that rows are selected by.
    pub indexed: &'static [&'static str],
    /// Fields that a substring filter looks at.
    pub searchable: &'static [&'static str],
    /// Fields that a page may be sorted by; the first is the table's own order.
    pub sortable: &'static [&'static str],
    pub migrations: &'static [Migration],
}

impl Kind {
    pub const ALL: &'static [Self] = &[
        Self::Settings,
        Self::Domains,
        Self::Users,
        Self::Credentials,
        Self::Groups,
        Self::Aliases,
        Self::Lists,
        Self::Rules,
        Self::Access,
        Self::Logs,
        Self::Folders,
        Self::Messages,
        Self::Queue,
    ];

    /// The name in `batpost.toml` and in `storage show`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Domains => "domains",
            Self::Users => "users",
            Self::Credentials => "credentials",
            Self::Groups => "groups",
            Self::Aliases => "aliases",
            Self::Lists => "lists",
            Self::Rules => "rules",
            Self::Access => "access",
            Self::Logs => "logs",
            Self::Folders => "folders",
            Self::Messages => "messages",
            Self::Queue => "queue",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whether it lies in tables with descriptors; the rest has stores of its own (`mailbox`, `queue`).
    pub fn is_tabular(self) -> bool {
        !matches!(self, Self::Folders | Self::Messages | Self::Queue)
    }
}

impl Descriptor {
    pub fn position(&self, field: &str) -> Option<usize> {
        self.fields.iter().position(|candidate| candidate.name == field)
    }

    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    pub fn revisioned(&self) -> bool {
        self.position(REVISION).is_some()
    }

    /// The field that a page is sorted by: the one asked for if it is sortable, else the table's own.
    pub fn sort_field(&self, asked: &str) -> &'static str {
        let own = self
            .sortable
            .first()
            .or(self.key.first())
            .copied()
            .unwrap_or_default();
        self.sortable
            .iter()
            .copied()
            .find(|field| *field == asked)
            .unwrap_or(own)
    }
}

/// A field of a `const` descriptor.
pub(crate) const fn field(name: &'static str, ty: Type) -> Field {
    Field { name, ty }
}
