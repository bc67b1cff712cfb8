//! Databases: connection, dialect, migration, and the mapping of the user's own tables; rows in, rows out.
//!
//! Each kind of data (settings, domains, users, …) is one table or a few with descriptors, and is placed in a named
//! database; `batpost.toml` says which. No query joins two kinds, so any split works. A driver answers through threads of
//! its own: nothing here blocks a worker of the runtime. All drivers pass one contract suite (`contract.rs`).
//! A database that can't answer is [`Error::Unavailable`], never an empty list.
//! Must not know: mail.

#[cfg(test)]
mod contract;
mod descriptor;
mod driver;
pub mod kinds;
mod memory;
mod placed;
mod placement;
mod sqlite;
mod value;

pub use descriptor::{Descriptor, Field, Kind, Migration, Type};
pub use driver::{Answer, Batch, Driver, Error, Filter, Op, Query, Selected};
pub use memory::Memory;
pub use placed::{DRIVERS, Placed, PlacedError};
pub use placement::{Database, Mapping, Placement};
pub use sqlite::{OpenError, Sqlite};
pub use value::{Key, Row, Value};
