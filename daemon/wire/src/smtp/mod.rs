//! SMTP on the wire (RFC 5321 and extensions): commands, replies, message data. Server and client side.

pub mod command;
pub mod data;
mod params;
pub mod reply;
mod xtext;

pub use command::{COMMAND_MAX_BYTES, Command, SyntaxError, parse};
pub use data::{Checker, Fault, Fed, Stuffer, Unstuffer, stuff};
pub use params::{
    AuthSender, Body, DeliverBy, MailParams, Notify, OriginalRecipient, PARAMS_MAX_COUNT, RcptParams, Ret,
};
pub use reply::{Enhanced, Reply, ReplyError, ReplyParser};
pub use xtext::{decode as xtext_decode, encode as xtext_encode};
