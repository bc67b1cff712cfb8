//! ESEARCH: a search in several mailboxes (RFC 7377).

use super::lexer::{Bad, Lexer, Parsed};
use super::notify::{NotifyFilter, filter};
use super::search::{SearchProgram, search};

/// Where to search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    /// In the selected mailbox.
    pub selected: bool,
    /// In these; never [`NotifyFilter::Selected`].
    pub mailboxes: Vec<NotifyFilter>,
}

/// A whole ESEARCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiSearch {
    pub sources: Sources,
    pub program: SearchProgram,
}

/// esearch = "ESEARCH" [SP esearch-source-opts] [SP search-return-opts] SP search-program
pub(super) fn multi_search(lexer: &mut Lexer<'_>) -> Parsed<MultiSearch> {
    let mut ahead = lexer.clone();
    // RFC 7377 §2.1: without sources it is the selected mailbox.
    let mut sources = Sources {
        selected: true,
        mailboxes: Vec::new(),
    };
    if ahead.eat(b' ') && ahead.eat_word("IN") {
        ahead.sp()?;
        sources.selected = false;
        ahead.open()?;
        loop {
            match filter(&mut ahead)? {
                NotifyFilter::Selected => sources.selected = true,
                NotifyFilter::SelectedDelayed => return Err(Bad("unknown mailbox filter")),
                other => sources.mailboxes.push(other),
            }
            // Options of the scope would stand in parentheses; there are none yet.
            if !ahead.eat(b' ') {
                break;
            }
        }
        ahead.close()?;
        *lexer = ahead;
    }
    Ok(MultiSearch {
        sources,
        program: search(lexer)?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::mailbox::MailboxName;
    use super::*;

    fn parse(text: &str) -> Option<MultiSearch> {
        let line = format!("{text}\r\n");
        let mut lexer = Lexer::new(line.as_bytes(), false);
        let parsed = multi_search(&mut lexer).ok()?;
        lexer.end().ok()?;
        Some(parsed)
    }

    #[test]
    fn forms() {
        let parsed = parse(" UNSEEN").unwrap();
        assert!(parsed.sources.selected && parsed.sources.mailboxes.is_empty());
        let parsed = parse(" IN (mailboxes \"folder1\" subtree \"folder2\") unseen").unwrap();
        assert!(!parsed.sources.selected);
        assert_eq!(
            parsed.sources.mailboxes,
            [
                NotifyFilter::Mailboxes(vec![MailboxName::new("folder1")]),
                NotifyFilter::Subtree(vec![MailboxName::new("folder2")]),
            ]
        );
        let parsed = parse(" IN (selected subtree-one (a b) inboxes) RETURN (COUNT) subject x").unwrap();
        assert!(parsed.sources.selected && parsed.sources.mailboxes.len() == 2);
        assert!(parsed.program.returns.unwrap().count);
        for bad in [
            "",
            " IN",
            " IN ()",
            " IN () ALL",
            " IN (personal)",
            " IN (selected-delayed) ALL",
            " IN (personal ()) ALL",
            " IN (personal (depth 1)) ALL",
            " IN (mailboxes) ALL",
            " IN (everywhere) ALL",
            " IN personal ALL",
            " RETURN (ALL) IN (personal) ALL",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
