//! QUOTA commands (RFC 9208).

use super::lexer::{Bad, Lexer, Parsed};
use super::mailbox::{MailboxName, mailbox};

/// The commands of the extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuotaCommand {
    Get {
        root: String,
    },
    GetRoot {
        mailbox: MailboxName,
    },
    /// Resource names in capitals with their limits.
    Set {
        root: String,
        limits: Vec<(String, u64)>,
    },
}

pub(super) fn get_quota(lexer: &mut Lexer<'_>) -> Parsed<QuotaCommand> {
    lexer.sp()?;
    Ok(QuotaCommand::Get { root: lexer.text()? })
}

pub(super) fn get_quota_root(lexer: &mut Lexer<'_>) -> Parsed<QuotaCommand> {
    lexer.sp()?;
    Ok(QuotaCommand::GetRoot {
        mailbox: mailbox(lexer)?,
    })
}

/// setquota = "SETQUOTA" SP quota-root-name SP setquota-list
pub(super) fn set_quota(lexer: &mut Lexer<'_>) -> Parsed<QuotaCommand> {
    lexer.sp()?;
    let root = lexer.text()?;
    lexer.sp()?;
    let limits = lexer.list_or_empty(|lexer| {
        let resource = lexer
            .atom()
            .map_err(|_| Bad("resource expected"))?
            .to_ascii_uppercase();
        lexer.sp()?;
        Ok((resource, lexer.number64()?))
    })?;
    Ok(QuotaCommand::Set { root, limits })
}
