//! What changes a mailbox, one file per operation.

pub(crate) mod annotations;
pub(crate) mod append;
pub(crate) mod copy;
pub(crate) mod deliver;
pub(crate) mod expunge;
pub(crate) mod flags;
pub(crate) mod folders;
pub(crate) mod replace;
