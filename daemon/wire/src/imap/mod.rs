//! The IMAP codec: bytes ⇄ commands, and the pieces from which responses are made.
//!
//! IMAP4rev1 (RFC 3501) and IMAP4rev2 (RFC 9051) with their extensions. [`Framer`] finds where a command
//! ends and which literals it holds; [`parse`] turns a whole command into a [`Command`]; [`render`] appends
//! the pieces of responses to a buffer. Nothing here knows of connections, states or mailboxes: whether a
//! command is allowed now is the session's business. Parsing is strict, linear and never panics; what a
//! peer could make grow (nesting, literals, lines) is bounded by the named limits.

mod acl;
mod append;
mod auth;
pub mod client;
mod command;
mod date;
mod fetch;
mod flag;
mod framer;
mod lexer;
mod list;
mod mailbox;
mod metadata;
mod multisearch;
mod notify;
mod quota;
pub mod render;
mod search;
mod select;
mod set;
mod sort;
mod status;
mod store;
mod url;

pub use acl::{AclCommand, RightsChange};
pub use append::{
    AppendArgs, AppendData, AppendMessage, AppendPrefix, CatPart, ReplaceArgs, Replaced, parse_append_prefix,
};
pub use auth::{Authenticate, Secret};
pub use command::{Command, IDENTIFICATION_FIELDS_MAX, ParseError, Tag, Tagged, parse, parse_with, refusal};
pub use date::{Date, DateTime};
pub use fetch::{FetchArgs, FetchItem, Partial, Section, SectionText};
pub use flag::{FLAG_LIST_MAX, FlagList, Flags};
pub use framer::{Frame, Framer, Limits, Line, Literal};
pub use list::{ListArgs, ListReturn, ListSelect, list_match, list_reaches};
pub use mailbox::{MailboxName, decode_utf7, encode_utf7};
pub use metadata::{MetadataDepth, MetadataGet, MetadataSet};
pub use multisearch::{MultiSearch, Sources};
pub use notify::{Notify, NotifyEvent, NotifyFilter, NotifyGroup};
pub use quota::QuotaCommand;
pub use search::{
    Charset, PartialRange, SEARCH_DEPTH_MAX, SearchKey, SearchProgram, SearchReturn, TextField,
};
pub use select::{CreateArgs, Qresync, SelectArgs, SpecialUse};
pub use set::{NumberRange, ResolvedSet, SeqNumber, SequenceSet};
pub use sort::{SortArgs, SortKey, ThreadAlgorithm, ThreadArgs};
pub use status::StatusItem;
pub use store::{StoreArgs, StoreKind};
pub use url::MessageUrl;
