//! ACL commands (RFC 4314).

use super::lexer::{Bad, Lexer, Parsed};
use super::mailbox::{MailboxName, mailbox};

/// What SETACL does with the rights it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RightsChange {
    Replace,
    Add,
    Remove,
}

/// The commands of the extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AclCommand {
    Set {
        mailbox: MailboxName,
        identifier: String,
        change: RightsChange,
        rights: String,
    },
    Delete {
        mailbox: MailboxName,
        identifier: String,
    },
    Get {
        mailbox: MailboxName,
    },
    ListRights {
        mailbox: MailboxName,
        identifier: String,
    },
    MyRights {
        mailbox: MailboxName,
    },
}

pub(super) fn get_acl(lexer: &mut Lexer<'_>) -> Parsed<AclCommand> {
    Ok(AclCommand::Get {
        mailbox: argument(lexer)?,
    })
}

pub(super) fn my_rights(lexer: &mut Lexer<'_>) -> Parsed<AclCommand> {
    Ok(AclCommand::MyRights {
        mailbox: argument(lexer)?,
    })
}

pub(super) fn delete_acl(lexer: &mut Lexer<'_>) -> Parsed<AclCommand> {
    let mailbox = argument(lexer)?;
    Ok(AclCommand::Delete {
        mailbox,
        identifier: identifier(lexer)?,
    })
}

pub(super) fn list_rights(lexer: &mut Lexer<'_>) -> Parsed<AclCommand> {
    let mailbox = argument(lexer)?;
    Ok(AclCommand::ListRights {
        mailbox,
        identifier: identifier(lexer)?,
    })
}

/// setacl = "SETACL" SP mailbox SP identifier SP mod-rights
pub(super) fn set_acl(lexer: &mut Lexer<'_>) -> Parsed<AclCommand> {
    let mailbox = argument(lexer)?;
    let identifier = identifier(lexer)?;
    lexer.sp()?;
    let text = lexer.text()?;
    let (change, rights) = match text.as_bytes().first() {
        Some(b'+') => (RightsChange::Add, text.get(1..)),
        Some(b'-') => (RightsChange::Remove, text.get(1..)),
        _ => (RightsChange::Replace, Some(text.as_str())),
    };
    let rights = rights.unwrap_or_default();
    // RFC 4314 §2: rights are lower-case letters and digits.
    if !rights
        .bytes()
        .all(|right| right.is_ascii_lowercase() || right.is_ascii_digit())
    {
        return Err(Bad("unknown right"));
    }
    Ok(AclCommand::Set {
        mailbox,
        identifier,
        change,
        rights: rights.to_owned(),
    })
}

fn argument(lexer: &mut Lexer<'_>) -> Parsed<MailboxName> {
    lexer.sp()?;
    mailbox(lexer)
}

fn identifier(lexer: &mut Lexer<'_>) -> Parsed<String> {
    lexer.sp()?;
    lexer.text()
}
