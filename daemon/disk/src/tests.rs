//! The contract on both disks, what the simulated one loses, and SQLite on top of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod contract;
mod loss;
mod sqlite;
