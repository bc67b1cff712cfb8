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
    /// Of the tree only the top and the level below it (RFC 7377).
    SubtreeOne(Vec<MailboxName>),
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
    /// One that is not known: it is no mistake of grammar to ask for it.
    Unknown,
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
    let groups = lexer.spaced(group)?;
    let of_selected = |group: &&NotifyGroup| {
        matches!(
            group.filter,
            NotifyFilter::Selected | NotifyFilter::SelectedDelayed
        )
    };
    // RFC 5465 §6.1
    if groups.iter().filter(of_selected).count() > 1 {
        return Err(Bad("the selected mailbox stands twice"));
    }
    Ok(Notify::Set { status, groups })
}

fn group(lexer: &mut Lexer<'_>) -> Parsed<NotifyGroup> {
    lexer.open()?;
    let filter = filter(lexer)?;
    lexer.sp()?;
    let events = if lexer.eat_word("NONE") {
        Vec::new()
    } else {
        lexer.list(event)?
    };
    lexer.close()?;
    let group = NotifyGroup { filter, events };
    check(&group)?;
    Ok(group)
}

/// RFC 5465 §5, §8: which events may stand together.
fn check(group: &NotifyGroup) -> Parsed<()> {
    let has = |event: &NotifyEvent| group.events.contains(event);
    let fetched = group.events.iter().find_map(|event| match event {
        NotifyEvent::MessageNew(items) => Some(!items.is_empty()),
        _ => None,
    });
    if fetched.is_some() != has(&NotifyEvent::MessageExpunge) {
        return Err(Bad("MessageNew and MessageExpunge go together"));
    }
    let changes = has(&NotifyEvent::FlagChange) || has(&NotifyEvent::AnnotationChange);
    if changes && fetched.is_none() {
        return Err(Bad("MessageNew and MessageExpunge expected"));
    }
    if matches!(
        group.filter,
        NotifyFilter::Selected | NotifyFilter::SelectedDelayed
    ) {
        let others = [
            NotifyEvent::MailboxName,
            NotifyEvent::SubscriptionChange,
            NotifyEvent::MailboxMetadataChange,
            NotifyEvent::ServerMetadataChange,
        ];
        if others.iter().any(has) {
            return Err(Bad("the selected mailbox has only events of messages"));
        }
    } else if fetched == Some(true) {
        return Err(Bad("only messages of the selected mailbox are fetched"));
    }
    Ok(())
}

/// filter-mailboxes (RFC 5465 §8, RFC 7377 §4)
pub(super) fn filter(lexer: &mut Lexer<'_>) -> Parsed<NotifyFilter> {
    Ok(match lexer.word()?.as_str() {
        "SELECTED" => NotifyFilter::Selected,
        "SELECTED-DELAYED" => NotifyFilter::SelectedDelayed,
        "INBOXES" => NotifyFilter::Inboxes,
        "PERSONAL" => NotifyFilter::Personal,
        "SUBSCRIBED" => NotifyFilter::Subscribed,
        "SUBTREE" => NotifyFilter::Subtree(mailboxes(lexer)?),
        "SUBTREE-ONE" => NotifyFilter::SubtreeOne(mailboxes(lexer)?),
        "MAILBOXES" => NotifyFilter::Mailboxes(mailboxes(lexer)?),
        _ => return Err(Bad("unknown mailbox filter")),
    })
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
        // event-ext = atom
        _ => NotifyEvent::Unknown,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Notify> {
        let line = format!(" {text}\r\n");
        let mut lexer = Lexer::new(line.as_bytes(), false);
        let parsed = notify(&mut lexer).ok()?;
        lexer.end().ok()?;
        Some(parsed)
    }

    #[test]
    fn forms() {
        assert_eq!(parse("none"), Some(Notify::None));
        let parsed = parse(
            "SET STATUS (selected-delayed (MessageNew (UID BODY.PEEK[HEADER.FIELDS (FROM)]) MessageExpunge FlagChange)) \
             (subtree (Lists inbox) (MailboxName)) (mailboxes a NONE)",
        );
        let Some(Notify::Set { status: true, groups }) = parsed else {
            panic!("{parsed:?}");
        };
        assert_eq!(groups.len(), 3);
        assert!(matches!(&groups[0].events[0], NotifyEvent::MessageNew(items) if items.len() == 2));
        let names = ["Lists", "INBOX"].map(MailboxName::new);
        assert_eq!(groups[1].filter, NotifyFilter::Subtree(names.to_vec()));
        assert!(groups[2].events.is_empty());
        // An event of the future is understood; it is not offered.
        let Some(Notify::Set { groups, .. }) = parse("SET (personal (MessageMood))") else {
            panic!("an unknown event");
        };
        assert_eq!(groups[0].events, [NotifyEvent::Unknown]);
    }

    #[test]
    fn what_may_not_stand_together() {
        for bad in [
            "",
            "SET",
            "SET STATUS",
            "NONE x",
            "SET (selected)",
            "SET (selected ())",
            "SET (everything NONE)",
            "SET (subtree (MailboxName))",
            "SET (mailboxes () (MailboxName))",
            "SET (personal MailboxName)",
            "SET (personal (MessageNew))",
            "SET (personal (MessageExpunge))",
            "SET (personal (FlagChange))",
            "SET (personal (AnnotationChange MessageNew))",
            "SET (personal (MessageNew (UID) MessageExpunge))",
            "SET (selected (MessageNew () MessageExpunge))",
            "SET (selected (MailboxName))",
            "SET (selected NONE) (selected-delayed NONE)",
            "SET (personal NONE)(selected NONE)",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
