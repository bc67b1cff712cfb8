//! Databases: connection, dialect, migration, and the mapping of the user's own tables; rows in, rows out.
//!
//! Each kind of data (settings, domains, users, …) is a table with a descriptor and is placed in a named database;
//! `batpost.toml` says which. No query joins two kinds. All drivers pass one contract suite.
//! Must not know: mail.

/// The databases by name and which kind lies where.
pub struct Placed {
    _private: (),
}
