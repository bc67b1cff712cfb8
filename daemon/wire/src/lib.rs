//! Bytes ⇄ types: SMTP, IMAP, POP3, SASL and the structure of messages.
//!
//! A room of pure functions and small state machines. It does no I/O, knows no clock, is not async, and
//! panics on no input. Everything that a peer sizes is bounded by a named limit; every parser is linear in
//! its input. It decides nothing: what a command means is the business of the floors above.

pub mod address;
pub mod base64;
pub mod imap;
pub mod message;
pub mod pop3;
pub mod sasl;
pub mod smtp;
