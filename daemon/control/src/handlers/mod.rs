//! What each request does, a file for each kind of thing.

mod app_passwords;
mod certificates;
mod directory;
mod dkim;
mod external;
mod folders;
mod monitor;
mod queue;
mod reports;
mod routes;
mod server;
mod trees;
mod users;

pub(crate) use monitor::monitor;
