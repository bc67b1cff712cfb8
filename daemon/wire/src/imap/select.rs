//! SELECT and EXAMINE with CONDSTORE and QRESYNC (RFC 7162 §3.1.8, §3.2.5); CREATE with USE (RFC 6154 §3).

use super::lexer::{Bad, Lexer, Parsed};
use super::mailbox::{MailboxName, mailbox};
use super::set::{SequenceSet, known_set};

/// What a client that resynchronises knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qresync {
    pub uid_validity: u32,
    pub mod_seq: u64,
    pub known_uids: Option<SequenceSet>,
    /// Some message numbers and their UIDs, pairwise.
    pub matches: Option<(SequenceSet, SequenceSet)>,
}

/// The arguments of SELECT and EXAMINE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectArgs {
    pub mailbox: MailboxName,
    pub condstore: bool,
    pub qresync: Option<Qresync>,
}

/// Special uses of a mailbox (RFC 6154 §2, RFC 8457).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpecialUse {
    All,
    Archive,
    Drafts,
    Flagged,
    Junk,
    Sent,
    Trash,
    Important,
}

impl SpecialUse {
    pub const EVERY: [Self; 8] = [
        Self::All,
        Self::Archive,
        Self::Drafts,
        Self::Flagged,
        Self::Junk,
        Self::Sent,
        Self::Trash,
        Self::Important,
    ];

    /// The attribute, with its backslash.
    pub fn attribute(self) -> &'static str {
        match self {
            Self::All => "\\All",
            Self::Archive => "\\Archive",
            Self::Drafts => "\\Drafts",
            Self::Flagged => "\\Flagged",
            Self::Junk => "\\Junk",
            Self::Sent => "\\Sent",
            Self::Trash => "\\Trash",
            Self::Important => "\\Important",
        }
    }
}

/// The arguments of CREATE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateArgs {
    pub mailbox: MailboxName,
    pub special_uses: Vec<SpecialUse>,
    /// A use was asked for that nobody defined: NO [USEATTR].
    pub unknown_use: bool,
}

/// select = "SELECT" SP mailbox [select-params]
pub(super) fn select(lexer: &mut Lexer<'_>) -> Parsed<SelectArgs> {
    lexer.sp()?;
    let mut args = SelectArgs {
        mailbox: mailbox(lexer)?,
        condstore: false,
        qresync: None,
    };
    if lexer.eat(b' ') {
        lexer.list(|lexer| parameter(lexer, &mut args))?;
    }
    Ok(args)
}

fn parameter(lexer: &mut Lexer<'_>, args: &mut SelectArgs) -> Parsed<()> {
    match lexer.word()?.as_str() {
        "CONDSTORE" => args.condstore = true,
        "QRESYNC" if args.qresync.is_none() => {
            lexer.sp()?;
            args.qresync = Some(qresync(lexer)?);
        }
        _ => return Err(Bad("unknown select parameter")),
    }
    Ok(())
}

/// "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP "(" numbers SP uids ")"] ")"
fn qresync(lexer: &mut Lexer<'_>) -> Parsed<Qresync> {
    lexer.open()?;
    let uid_validity = lexer.nz_number()?;
    lexer.sp()?;
    let mod_seq = lexer.number64()?;
    let mut args = Qresync {
        uid_validity,
        mod_seq,
        known_uids: None,
        matches: None,
    };
    if lexer.eat(b' ') {
        let mut more = true;
        if lexer.peek() != Some(b'(') {
            args.known_uids = Some(known_set(lexer)?);
            more = lexer.eat(b' ');
        }
        if more {
            lexer.open()?;
            let numbers = known_set(lexer)?;
            lexer.sp()?;
            args.matches = Some((numbers, known_set(lexer)?));
            lexer.close()?;
        }
    }
    lexer.close()?;
    Ok(args)
}

/// create = "CREATE" SP mailbox [SP "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")"]
pub(super) fn create(lexer: &mut Lexer<'_>) -> Parsed<CreateArgs> {
    lexer.sp()?;
    let mut args = CreateArgs {
        mailbox: mailbox(lexer)?,
        special_uses: Vec::new(),
        unknown_use: false,
    };
    if lexer.eat(b' ') {
        lexer.open()?;
        if !lexer.eat_word("USE") {
            return Err(Bad("unknown create parameter"));
        }
        lexer.sp()?;
        lexer.list_or_empty(|lexer| {
            lexer.expect(b'\\', "special use expected")?;
            let name = lexer.atom()?;
            let known = SpecialUse::EVERY
                .into_iter()
                .find(|special| special.attribute()[1..].eq_ignore_ascii_case(name));
            match known {
                Some(special) if !args.special_uses.contains(&special) => args.special_uses.push(special),
                Some(_) => {}
                None => args.unknown_use = true,
            }
            Ok(())
        })?;
        lexer.close()?;
    }
    Ok(args)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn whole<T>(text: &str, parser: fn(&mut Lexer<'_>) -> Parsed<T>) -> Option<T> {
        let line = format!(" {text}\r\n");
        let mut lexer = Lexer::new(line.as_bytes(), false);
        let args = parser(&mut lexer).ok()?;
        lexer.end().ok()?;
        Some(args)
    }

    #[test]
    fn select_parameters() {
        assert!(whole("INBOX (CONDSTORE)", select).unwrap().condstore);
        let args = whole(
            "INBOX (QRESYNC (67890007 90060115194045000 41:211,214:541 (1,3 1,3)))",
            select,
        )
        .unwrap();
        let qresync = args.qresync.unwrap();
        assert_eq!(
            (qresync.uid_validity, qresync.mod_seq),
            (67_890_007, 90_060_115_194_045_000)
        );
        assert!(qresync.known_uids.is_some() && qresync.matches.is_some());
        assert!(
            whole("INBOX (QRESYNC (1 2 (1 1)))", select)
                .unwrap()
                .qresync
                .unwrap()
                .known_uids
                .is_none()
        );
        for bad in [
            "INBOX ()",
            "INBOX (FOO)",
            "INBOX CONDSTORE",
            "INBOX (QRESYNC (1))",
            "INBOX (QRESYNC (1 2 *))",
            "",
            "a b",
        ] {
            assert_eq!(whole(bad, select), None, "{bad}");
        }
    }

    #[test]
    fn create_uses() {
        let args = whole("Drafts (USE (\\Drafts \\sent \\Sent))", create).unwrap();
        assert_eq!(args.special_uses, [SpecialUse::Drafts, SpecialUse::Sent]);
        assert!(whole("a (USE (\\Foo))", create).unwrap().unknown_use);
        assert!(whole("a ()", create).is_none());
    }
}
