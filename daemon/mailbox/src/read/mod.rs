//! What looks into a mailbox, one file per operation.

pub(crate) mod changes;
pub(crate) mod fetch;
pub(crate) mod order;
pub(crate) mod preview;
pub(crate) mod search;
pub(crate) mod select;
pub(crate) mod sizes;
pub(crate) mod sort;
pub(crate) mod thread;
