//! STATUS items (RFC 9051 §6.3.11; RFC 7162, 7889, 8438, 8474, 9208).

use super::lexer::{Bad, Lexer, Parsed};
use super::mailbox::{MailboxName, mailbox};

/// One item of STATUS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusItem {
    Messages,
    Recent,
    UidNext,
    UidValidity,
    Unseen,
    Deleted,
    Size,
    HighestModSeq,
    AppendLimit,
    MailboxId,
    DeletedStorage,
}

impl StatusItem {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Messages => "MESSAGES",
            Self::Recent => "RECENT",
            Self::UidNext => "UIDNEXT",
            Self::UidValidity => "UIDVALIDITY",
            Self::Unseen => "UNSEEN",
            Self::Deleted => "DELETED",
            Self::Size => "SIZE",
            Self::HighestModSeq => "HIGHESTMODSEQ",
            Self::AppendLimit => "APPENDLIMIT",
            Self::MailboxId => "MAILBOXID",
            Self::DeletedStorage => "DELETED-STORAGE",
        }
    }
}

const ALL: [StatusItem; 11] = [
    StatusItem::Messages,
    StatusItem::Recent,
    StatusItem::UidNext,
    StatusItem::UidValidity,
    StatusItem::Unseen,
    StatusItem::Deleted,
    StatusItem::Size,
    StatusItem::HighestModSeq,
    StatusItem::AppendLimit,
    StatusItem::MailboxId,
    StatusItem::DeletedStorage,
];

/// "(" status-att *(SP status-att) ")"; each once.
pub(super) fn status_items(lexer: &mut Lexer<'_>) -> Parsed<Vec<StatusItem>> {
    let mut items = Vec::new();
    lexer.list(|lexer| {
        let word = lexer.word()?;
        let item = ALL.into_iter().find(|item| item.name() == word.as_str());
        let item = item.ok_or(Bad("unknown status item"))?;
        if !items.contains(&item) {
            items.push(item);
        }
        Ok(())
    })?;
    Ok(items)
}

/// status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"
pub(super) fn status(lexer: &mut Lexer<'_>) -> Parsed<(MailboxName, Vec<StatusItem>)> {
    lexer.sp()?;
    let name = mailbox(lexer)?;
    lexer.sp()?;
    Ok((name, status_items(lexer)?))
}
