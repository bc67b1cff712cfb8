//! NOTIFY (RFC 5465).

use super::fetch::{FetchItem, item};
use super::lexer::{Bad, Lexer, Parsed};
use super::mailbox::{MailboxName, mailbox};

/// Which mailboxes a group of events is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotifyFilter {
    Selected,
    SelectedDelayed,
    Inboxes,
    Personal,
    Subscribed,
    Subtree(Vec<MailboxName>),
    Mailboxes(Vec<MailboxName>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotifyEvent {
    /// With what to fetch of each new message.
    MessageNew(Vec<FetchItem>),
    MessageExpunge,
    FlagChange,
    AnnotationChange,
    MailboxName,
    SubscriptionChange,
    MailboxMetadataChange,
    ServerMetadataChange,
}

/// Events of some mailboxes; none means: nothing of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifyGroup {
    pub filter: NotifyFilter,
    pub events: Vec<NotifyEvent>,
}

/// The arguments of NOTIFY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notify {
    None,
    Set { status: bool, groups: Vec<NotifyGroup> },
}

/// notify = "NOTIFY" SP ("SET" [SP "STATUS"] 1*(SP event-group) / "NONE")
pub(super) fn notify(lexer: &mut Lexer<'_>) -> Parsed<Notify> {
    lexer.sp()?;
    if lexer.eat_word("NONE") {
        return Ok(Notify::None);
    }
    if !lexer.eat_word("SET") {
        return Err(Bad("SET or NONE expected"));
    }
    lexer.sp()?;
    let status = lexer.eat_word("STATUS");
    if status {
        lexer.sp()?;
    }
    Ok(Notify::Set {
        status,
        groups: lexer.spaced(group)?,
    })
}

fn group(lexer: &mut Lexer<'_>) -> Parsed<NotifyGroup> {
    lexer.open()?;
    let filter = match lexer.word()?.as_str() {
        "SELECTED" => NotifyFilter::Selected,
        "SELECTED-DELAYED" => NotifyFilter::SelectedDelayed,
        "INBOXES" => NotifyFilter::Inboxes,
        "PERSONAL" => NotifyFilter::Personal,
        "SUBSCRIBED" => NotifyFilter::Subscribed,
        "SUBTREE" => NotifyFilter::Subtree(mailboxes(lexer)?),
        "MAILBOXES" => NotifyFilter::Mailboxes(mailboxes(lexer)?),
        _ => return Err(Bad("unknown mailbox filter")),
    };
    lexer.sp()?;
    let events = if lexer.eat_word("NONE") {
        Vec::new()
    } else {
        lexer.list(event)?
    };
    lexer.close()?;
    Ok(NotifyGroup { filter, events })
}

fn mailboxes(lexer: &mut Lexer<'_>) -> Parsed<Vec<MailboxName>> {
    lexer.sp()?;
    if lexer.peek() == Some(b'(') {
        lexer.list(mailbox)
    } else {
        Ok(vec![mailbox(lexer)?])
    }
}

fn event(lexer: &mut Lexer<'_>) -> Parsed<NotifyEvent> {
    Ok(match lexer.word()?.as_str() {
        "MESSAGENEW" => {
            let mut ahead = lexer.clone();
            let mut items = Vec::new();
            if ahead.eat(b' ') && ahead.peek() == Some(b'(') {
                items = ahead.list(item)?;
                *lexer = ahead;
            }
            NotifyEvent::MessageNew(items)
        }
        "MESSAGEEXPUNGE" => NotifyEvent::MessageExpunge,
        "FLAGCHANGE" => NotifyEvent::FlagChange,
        "ANNOTATIONCHANGE" => NotifyEvent::AnnotationChange,
        "MAILBOXNAME" => NotifyEvent::MailboxName,
        "SUBSCRIPTIONCHANGE" => NotifyEvent::SubscriptionChange,
        "MAILBOXMETADATACHANGE" => NotifyEvent::MailboxMetadataChange,
        "SERVERMETADATACHANGE" => NotifyEvent::ServerMetadataChange,
        _ => return Err(Bad("unknown event")),
    })
}
