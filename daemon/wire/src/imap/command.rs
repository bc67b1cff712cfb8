//! The commands and their dispatch: one variant each, with typed arguments.

use std::fmt;

use super::acl::{self, AclCommand};
use super::append::{self, AppendArgs, ReplaceArgs};
use super::auth::{self, Authenticate, Secret};
use super::fetch::{self, FetchArgs};
use super::lexer::{Bad, Lexer, Parsed, Resume, utf8};
use super::list::{self, ListArgs};
use super::mailbox::{MailboxName, mailbox};
use super::metadata::{self, MetadataGet, MetadataSet};
use super::multisearch::{self, MultiSearch};
use super::notify::{self, Notify};
use super::quota::{self, QuotaCommand};
use super::search::{self, SearchProgram};
use super::select::{self, CreateArgs, SelectArgs};
use super::set::{SequenceSet, sequence_set};
use super::sort::{self, SortArgs, ThreadArgs};
use super::status::{self, StatusItem};
use super::store::{self, StoreArgs};

/// How many fields ID may carry (RFC 2971 §3.3 says 30).
pub const IDENTIFICATION_FIELDS_MAX: usize = 30;

/// The tag of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(Box<str>);

impl Tag {
    pub(super) fn new(tag: &str) -> Self {
        Self(tag.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A command with its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    pub tag: Tag,
    pub command: Command,
}

/// Why a command could not be read: for `tag BAD reason`, or `* BAD reason` where no tag could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ParseError {
    pub tag: Option<Tag>,
    pub reason: &'static str,
}

/// Every command that is known, whatever the state. `uid`: it came with the UID prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Capability,
    Noop,
    Logout,
    /// Field names and values, or nothing for NIL.
    Id(Vec<(String, Option<String>)>),

    StartTls,
    Authenticate(Authenticate),
    Login {
        user: Vec<u8>,
        password: Secret,
    },

    /// In capitals.
    Enable(Vec<String>),
    Select(SelectArgs),
    Examine(SelectArgs),
    Create(CreateArgs),
    Delete(MailboxName),
    Rename {
        from: MailboxName,
        to: MailboxName,
    },
    Subscribe(MailboxName),
    Unsubscribe(MailboxName),
    List(ListArgs),
    Lsub {
        reference: String,
        pattern: String,
    },
    Namespace,
    Status {
        mailbox: MailboxName,
        items: Vec<StatusItem>,
    },
    Append(AppendArgs),
    Idle,
    /// In capitals.
    Compress(String),
    Unauthenticate,
    /// The tags of searches that are not to be kept up to date any more (RFC 5267).
    CancelUpdate(Vec<String>),
    Acl(AclCommand),
    Quota(QuotaCommand),
    GetMetadata(MetadataGet),
    SetMetadata(MetadataSet),
    /// ESEARCH
    MultiSearch(MultiSearch),
    Notify(Notify),

    Check,
    Close,
    Unselect,
    Expunge,
    UidExpunge(SequenceSet),
    Search {
        uid: bool,
        program: SearchProgram,
    },
    Sort {
        uid: bool,
        args: SortArgs,
    },
    Thread {
        uid: bool,
        args: ThreadArgs,
    },
    Fetch {
        uid: bool,
        args: FetchArgs,
    },
    Store {
        uid: bool,
        args: StoreArgs,
    },
    Copy {
        uid: bool,
        set: SequenceSet,
        mailbox: MailboxName,
    },
    Move {
        uid: bool,
        set: SequenceSet,
        mailbox: MailboxName,
    },
    Replace {
        uid: bool,
        args: ReplaceArgs,
    },
}

/// Parses one whole command, as [`Framer`](super::Framer) delimits it.
pub fn parse(command: &[u8]) -> Result<Tagged, ParseError> {
    parse_with(command, false)
}

/// Like [`parse`]; with `utf8` mailbox names are UTF-8 (after ENABLE UTF8=ACCEPT or IMAP4rev2).
pub fn parse_with(command: &[u8], utf8: bool) -> Result<Tagged, ParseError> {
    let mut lexer = Lexer::new(command, utf8);
    let tag = tag(&mut lexer).map_err(|Bad(reason)| ParseError { tag: None, reason })?;
    let command = lexer.sp().and_then(|()| body(&mut lexer)).and_then(|command| {
        lexer.end()?;
        Ok(command)
    });
    match command {
        Ok(command) => Ok(Tagged { tag, command }),
        Err(Bad(reason)) => Err(ParseError {
            tag: Some(tag),
            reason,
        }),
    }
}

/// Whether a command that was read up to the announcement of a literal is wrong already, whatever follows.
pub fn refusal(prefix: &[u8], utf8: bool) -> Option<ParseError> {
    let mut lexer = Lexer::new(prefix, utf8);
    let tag = match tag(&mut lexer) {
        Ok(tag) => tag,
        Err(Bad(reason)) => return Some(ParseError { tag: None, reason }),
    };
    let read = lexer.sp().and_then(|()| body(&mut lexer));
    let reason = match read {
        _ if lexer.cut || lexer.resume != Resume::Start => return None,
        Ok(_) => "unexpected argument",
        Err(Bad(reason)) => reason,
    };
    Some(ParseError {
        tag: Some(tag),
        reason,
    })
}

/// A tag that ends where a tag may end; one with a forbidden character is none, not its beginning.
pub(super) fn tag(lexer: &mut Lexer<'_>) -> Parsed<Tag> {
    let tag = lexer.tag()?;
    if lexer.peek() == Some(b' ') || lexer.at_end() {
        Ok(Tag::new(tag))
    } else {
        Err(Bad("forbidden character in the tag"))
    }
}

fn body(lexer: &mut Lexer<'_>) -> Parsed<Command> {
    let word = lexer.word().map_err(|_| Bad("command expected"))?;
    let word = word.as_str();
    if word == "UID" {
        lexer.sp()?;
        let word = lexer.word().map_err(|_| Bad("command expected"))?;
        return match word.as_str() {
            "EXPUNGE" => {
                lexer.sp()?;
                sequence_set(lexer).map(Command::UidExpunge)
            }
            word => on_messages(lexer, word, true)?.ok_or(Bad("unknown UID command")),
        };
    }
    if let Some(command) = bare(word) {
        return Ok(command);
    }
    if let Some(command) = on_messages(lexer, word, false)? {
        return Ok(command);
    }
    with_arguments(lexer, word)
}

/// Commands without arguments.
fn bare(word: &str) -> Option<Command> {
    Some(match word {
        "CAPABILITY" => Command::Capability,
        "NOOP" => Command::Noop,
        "LOGOUT" => Command::Logout,
        "STARTTLS" => Command::StartTls,
        "NAMESPACE" => Command::Namespace,
        "IDLE" => Command::Idle,
        "UNAUTHENTICATE" => Command::Unauthenticate,
        "CHECK" => Command::Check,
        "CLOSE" => Command::Close,
        "UNSELECT" => Command::Unselect,
        "EXPUNGE" => Command::Expunge,
        _ => return None,
    })
}

/// Commands that the UID prefix may stand before.
fn on_messages(lexer: &mut Lexer<'_>, word: &str, uid: bool) -> Parsed<Option<Command>> {
    Ok(Some(match word {
        "FETCH" => {
            let args = fetch::fetch(lexer)?;
            // RFC 7162 §3.2.6: VANISHED only with UID FETCH.
            if args.vanished && !uid {
                return Err(Bad("VANISHED needs UID FETCH"));
            }
            // RFC 9394 §3.3
            if args.partial.is_some() && !uid {
                return Err(Bad("PARTIAL needs UID FETCH"));
            }
            Command::Fetch { uid, args }
        }
        "STORE" => Command::Store {
            uid,
            args: store::store(lexer)?,
        },
        "SEARCH" => Command::Search {
            uid,
            program: search::search(lexer)?,
        },
        "SORT" => Command::Sort {
            uid,
            args: sort::sort(lexer)?,
        },
        "THREAD" => Command::Thread {
            uid,
            args: sort::thread(lexer)?,
        },
        "COPY" => {
            let (set, mailbox) = set_and_mailbox(lexer)?;
            Command::Copy { uid, set, mailbox }
        }
        "MOVE" => {
            let (set, mailbox) = set_and_mailbox(lexer)?;
            Command::Move { uid, set, mailbox }
        }
        "REPLACE" => Command::Replace {
            uid,
            args: append::replace(lexer)?,
        },
        _ => return Ok(None),
    }))
}

/// RFC 5267 §5: "CANCELUPDATE" 1*(SP quoted)
fn cancel_update(lexer: &mut Lexer<'_>) -> Parsed<Vec<String>> {
    let mut tags = Vec::new();
    while tags.is_empty() || !lexer.at_end() {
        lexer.sp()?;
        if lexer.peek() != Some(b'"') {
            return Err(Bad("quoted tag expected"));
        }
        tags.push(utf8(lexer.string()?)?);
    }
    Ok(tags)
}

fn with_arguments(lexer: &mut Lexer<'_>, word: &str) -> Parsed<Command> {
    Ok(match word {
        "ID" => Command::Id(identification(lexer)?),
        "AUTHENTICATE" => Command::Authenticate(auth::authenticate(lexer)?),
        "LOGIN" => {
            let (user, password) = auth::login(lexer)?;
            Command::Login { user, password }
        }
        "ENABLE" => Command::Enable(enable(lexer)?),
        "SELECT" => Command::Select(select::select(lexer)?),
        "EXAMINE" => Command::Examine(select::select(lexer)?),
        "CREATE" => Command::Create(select::create(lexer)?),
        "DELETE" => Command::Delete(one_mailbox(lexer)?),
        "RENAME" => {
            let from = one_mailbox(lexer)?;
            Command::Rename {
                from,
                to: one_mailbox(lexer)?,
            }
        }
        "SUBSCRIBE" => Command::Subscribe(one_mailbox(lexer)?),
        "UNSUBSCRIBE" => Command::Unsubscribe(one_mailbox(lexer)?),
        "LIST" => Command::List(list::list(lexer)?),
        "LSUB" => {
            let (reference, pattern) = list::lsub(lexer)?;
            Command::Lsub { reference, pattern }
        }
        "STATUS" => {
            let (mailbox, items) = status::status(lexer)?;
            Command::Status { mailbox, items }
        }
        "APPEND" => Command::Append(append::append(lexer)?),
        "CANCELUPDATE" => Command::CancelUpdate(cancel_update(lexer)?),
        "COMPRESS" => {
            lexer.sp()?;
            Command::Compress(lexer.atom()?.to_ascii_uppercase())
        }
        "GETACL" => Command::Acl(acl::get_acl(lexer)?),
        "SETACL" => Command::Acl(acl::set_acl(lexer)?),
        "DELETEACL" => Command::Acl(acl::delete_acl(lexer)?),
        "LISTRIGHTS" => Command::Acl(acl::list_rights(lexer)?),
        "MYRIGHTS" => Command::Acl(acl::my_rights(lexer)?),
        "GETQUOTA" => Command::Quota(quota::get_quota(lexer)?),
        "GETQUOTAROOT" => Command::Quota(quota::get_quota_root(lexer)?),
        "SETQUOTA" => Command::Quota(quota::set_quota(lexer)?),
        "GETMETADATA" => Command::GetMetadata(metadata::get_metadata(lexer)?),
        "SETMETADATA" => Command::SetMetadata(metadata::set_metadata(lexer)?),
        "ESEARCH" => Command::MultiSearch(multisearch::multi_search(lexer)?),
        "NOTIFY" => Command::Notify(notify::notify(lexer)?),
        _ => return Err(Bad("unknown command")),
    })
}

fn one_mailbox(lexer: &mut Lexer<'_>) -> Parsed<MailboxName> {
    lexer.sp()?;
    mailbox(lexer)
}

fn set_and_mailbox(lexer: &mut Lexer<'_>) -> Parsed<(SequenceSet, MailboxName)> {
    lexer.sp()?;
    let set = sequence_set(lexer)?;
    Ok((set, one_mailbox(lexer)?))
}

/// enable = "ENABLE" 1*(SP capability)
fn enable(lexer: &mut Lexer<'_>) -> Parsed<Vec<String>> {
    lexer.sp()?;
    lexer.spaced(|lexer| lexer.atom().map(str::to_ascii_uppercase))
}

/// id-params = "(" [string SP nstring *(SP string SP nstring)] ")" / nil (RFC 2971 §4)
fn identification(lexer: &mut Lexer<'_>) -> Parsed<Vec<(String, Option<String>)>> {
    lexer.sp()?;
    if lexer.eat_word("NIL") {
        return Ok(Vec::new());
    }
    let mut count = 0;
    lexer.list_or_empty(|lexer| {
        count += 1;
        if count > IDENTIFICATION_FIELDS_MAX {
            return Err(Bad("too many fields"));
        }
        let name = utf8(lexer.string()?)?;
        lexer.sp()?;
        let value = lexer
            .nstring8()?
            .map(|value| String::from_utf8_lossy(&value).into_owned());
        Ok((name, value))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
