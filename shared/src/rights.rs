//! Rights on a folder (RFC 4314 §2.1) as one letter each, and whom they are given to.

use std::fmt;

/// A set of rights. The letters `c` and `d` of older clients stand for what they meant (RFC 4314 §2.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rights(u16);

impl Rights {
    pub const NONE: Self = Self(0);
    /// The folder is seen in lists.
    pub const LOOKUP: Self = Self(1);
    /// It can be selected and its messages read.
    pub const READ: Self = Self(1 << 1);
    /// \Seen is kept.
    pub const SEEN: Self = Self(1 << 2);
    /// Flags other than \Seen and \Deleted.
    pub const WRITE: Self = Self(1 << 3);
    /// Messages can be put into it.
    pub const INSERT: Self = Self(1 << 4);
    /// Mail can be sent to its address.
    pub const POST: Self = Self(1 << 5);
    /// Folders can be made below it.
    pub const CREATE: Self = Self(1 << 6);
    /// It can be removed or renamed.
    pub const DELETE: Self = Self(1 << 7);
    /// \Deleted.
    pub const DELETED: Self = Self(1 << 8);
    pub const EXPUNGE: Self = Self(1 << 9);
    /// Its rights can be given and taken.
    pub const ADMIN: Self = Self(1 << 10);
    pub const ALL: Self = Self((1 << 11) - 1);

    /// The letters in the order in which they are written.
    pub const LETTERS: [(char, Self); 11] = [
        ('l', Self::LOOKUP),
        ('r', Self::READ),
        ('s', Self::SEEN),
        ('w', Self::WRITE),
        ('i', Self::INSERT),
        ('p', Self::POST),
        ('k', Self::CREATE),
        ('x', Self::DELETE),
        ('t', Self::DELETED),
        ('e', Self::EXPUNGE),
        ('a', Self::ADMIN),
    ];

    /// What the obsolete letters stand for.
    pub const OBSOLETE: [(char, Self); 2] = [
        ('c', Self(Self::CREATE.0 | Self::DELETE.0)),
        ('d', Self(Self::DELETED.0 | Self::EXPUNGE.0)),
    ];

    /// What administrators give at once, by name: each holds the ones before it.
    pub const ROLES: [(&'static str, Self); 4] = [
        ("reader", Self(0b111)),
        ("writer", Self(0b11_1111)),
        ("editor", Self(0b11_1111_1111)),
        ("owner", Self::ALL),
    ];

    /// The set of these letters, or the first that is none.
    pub fn parse(letters: &str) -> Result<Self, char> {
        let known = || Self::LETTERS.into_iter().chain(Self::OBSOLETE);
        letters.chars().try_fold(Self::NONE, |rights, letter| {
            let found = known().find(|(known, _)| *known == letter).ok_or(letter)?;
            Ok(rights.with(found.1))
        })
    }

    /// Letters, or the name of a role, or nothing for `none`.
    pub fn parse_words(text: &str) -> Result<Self, char> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("none") {
            return Ok(Self::NONE);
        }
        let role = Self::ROLES
            .into_iter()
            .find(|(role, _)| role.eq_ignore_ascii_case(text));
        role.map_or_else(|| Self::parse(text), |(_, rights)| Ok(rights))
    }

    /// The role that is exactly this set.
    pub fn role(self) -> Option<&'static str> {
        let role = Self::ROLES.into_iter().find(|(_, rights)| *rights == self);
        role.map(|(role, _)| role)
    }

    pub fn contains(self, all: Self) -> bool {
        self.0 & all.0 == all.0
    }

    pub fn intersects(self, any: Self) -> bool {
        self.0 & any.0 != 0
    }

    #[must_use]
    pub const fn with(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    #[must_use]
    pub const fn without(self, less: Self) -> Self {
        Self(self.0 & !less.0)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The letters, with the obsolete ones for older clients.
    pub fn with_obsolete(self) -> String {
        let obsolete = Self::OBSOLETE
            .into_iter()
            .filter(|(_, rights)| self.intersects(*rights));
        self.to_string() + &obsolete.map(|(letter, _)| letter).collect::<String>()
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Self::LETTERS
            .into_iter()
            .filter(|(_, right)| self.contains(*right))
            .try_for_each(|(letter, _)| write!(out, "{letter}"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_roles() {
        assert_eq!(Rights::parse("").unwrap(), Rights::NONE);
        assert_eq!(Rights::parse("arl").unwrap().to_string(), "lra");
        assert_eq!(Rights::parse("cd").unwrap().to_string(), "kxte");
        assert_eq!(Rights::parse("lrz"), Err('z'));
        assert_eq!(Rights::parse("lrt").unwrap().with_obsolete(), "lrtd");
        assert_eq!(Rights::ALL.to_string(), "lrswipkxtea");
        let texts = Rights::ROLES.map(|(_, rights)| rights.to_string());
        assert_eq!(texts, ["lrs", "lrswip", "lrswipkxte", "lrswipkxtea"]);
        assert_eq!(Rights::parse_words("Writer").unwrap().role(), Some("writer"));
        assert_eq!(Rights::parse_words("none").unwrap(), Rights::NONE);
        assert_eq!(Rights::parse("lr").unwrap().role(), None);
        assert!(Rights::ALL.without(Rights::ADMIN).contains(Rights::POST));
    }
}
