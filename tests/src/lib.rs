//! Support of the whole-server tests: a daemon of one's own, dialogues, mail to send.
//!
//! Everything waits for the thing itself (a line, an end of a process), never for a time.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "support of tests: a failure is the test's failure"
)]

pub mod dialogue;
pub mod line;
pub mod mail;
pub mod programs;
pub mod server;
