//! IMAP sessions over memory, against a real mailbox store on a temporary directory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod append;
mod compress;
mod contexts;
mod every_right;
mod fetch;
mod folders;
mod grammar;
mod hostile;
mod items;
mod login;
mod messages;
mod metadata;
mod model;
mod multisearch;
mod notify;
mod qresync;
mod replace;
mod search;
mod shared;
mod sort;
mod strict;
mod support;
mod uidonly;
mod updates;
mod utf8;
