//! What is done with each input. libFuzzer runs these for hours, `cargo test` on the kept seeds and what is made of them.

pub mod address;
pub mod base64;
pub mod header;
pub mod imap_arguments;
pub mod imap_client;
pub mod imap_command;
pub mod imap_names;
pub mod message;
pub mod pop3_client;
pub mod pop3_command;
pub mod sasl;
pub mod seven_bit;
pub mod smtp_command;
pub mod smtp_data;
