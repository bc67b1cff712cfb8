//! Flags: the system flags as bits, keywords as text (RFC 9051 §2.3.2).

use smallvec::SmallVec;

use super::lexer::{Bad, Lexer, Parsed};

/// How many flags one list may hold.
pub const FLAG_LIST_MAX: usize = 128;

/// System flags as bits. `\Recent` is not among them: it belongs to a session, not to a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u8);

impl Flags {
    pub const NONE: Self = Self(0);
    pub const SEEN: Self = Self(1);
    pub const ANSWERED: Self = Self(2);
    pub const FLAGGED: Self = Self(4);
    pub const DELETED: Self = Self(8);
    pub const DRAFT: Self = Self(16);
    pub const ALL: Self = Self(31);

    /// Names as they are written, with their bits.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("\\Answered", Self::ANSWERED),
        ("\\Flagged", Self::FLAGGED),
        ("\\Deleted", Self::DELETED),
        ("\\Seen", Self::SEEN),
        ("\\Draft", Self::DRAFT),
    ];

    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The flags of a message or of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlagList {
    pub system: Flags,
    /// In the case and order given, each once (compared without case).
    pub keywords: SmallVec<[String; 1]>,
}

impl FlagList {
    pub fn is_empty(&self) -> bool {
        self.system.is_empty() && self.keywords.is_empty()
    }

    pub fn has_keyword(&self, keyword: &str) -> bool {
        self.keywords
            .iter()
            .any(|known| known.eq_ignore_ascii_case(keyword))
    }

    fn add(&mut self, flag: Flag<'_>) {
        match flag {
            Flag::System(bits) => self.system = self.system.with(bits),
            Flag::Keyword(keyword) if !self.has_keyword(keyword) => self.keywords.push(keyword.to_owned()),
            Flag::Keyword(_) => {}
        }
    }
}

enum Flag<'a> {
    System(Flags),
    Keyword(&'a str),
}

/// flag-list = "(" [flag *(SP flag)] ")"
pub(super) fn flag_list(lexer: &mut Lexer<'_>) -> Parsed<FlagList> {
    lexer.open()?;
    let mut flags = FlagList::default();
    if lexer.eat(b')') {
        return Ok(flags);
    }
    bare_flags(lexer, &mut flags)?;
    lexer.close()?;
    Ok(flags)
}

/// The flags of STORE: in parentheses or bare.
pub(super) fn store_flags(lexer: &mut Lexer<'_>) -> Parsed<FlagList> {
    if lexer.peek() == Some(b'(') {
        return flag_list(lexer);
    }
    let mut flags = FlagList::default();
    bare_flags(lexer, &mut flags)?;
    Ok(flags)
}

fn bare_flags(lexer: &mut Lexer<'_>, flags: &mut FlagList) -> Parsed<()> {
    let mut count = 0;
    loop {
        count += 1;
        if count > FLAG_LIST_MAX {
            return Err(Bad("too many flags"));
        }
        flags.add(flag(lexer)?);
        if !lexer.eat(b' ') {
            return Ok(());
        }
    }
}

/// flag = "\Answered" / … / flag-keyword. `\Recent` and flags nobody defined cannot be set.
fn flag<'a>(lexer: &mut Lexer<'a>) -> Parsed<Flag<'a>> {
    if !lexer.eat(b'\\') {
        return lexer.atom().map(Flag::Keyword).map_err(|_| Bad("flag expected"));
    }
    let name = lexer.atom().map_err(|_| Bad("flag expected"))?;
    Flags::NAMES
        .iter()
        .find(|(known, _)| known.trim_start_matches('\\').eq_ignore_ascii_case(name))
        .map(|&(_, bits)| Flag::System(bits))
        .ok_or(Bad("flag cannot be set"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_flags() {
        let parse = |text: &str| flag_list(&mut Lexer::new(text.as_bytes(), false)).ok();
        assert_eq!(parse("()"), Some(FlagList::default()));
        let flags = parse("(\\Seen $Junk \\DELETED $junk NonJunk)").unwrap();
        assert_eq!(flags.system, Flags::SEEN.with(Flags::DELETED));
        assert_eq!(flags.keywords.as_slice(), ["$Junk", "NonJunk"]);
        for bad in [
            "(\\Recent)",
            "(\\*)",
            "( \\Seen)",
            "(\\Seen",
            "(\\Seen )",
            "(\\Seen  a)",
            "\\Seen",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        let many = format!("({})", vec!["a"; FLAG_LIST_MAX + 1].join(" "));
        assert_eq!(parse(&many), None);
    }
}
