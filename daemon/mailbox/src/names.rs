//! Names of folders: levels separated by `/`, INBOX in any case.

use crate::{MailboxError, Result};

/// Bytes of a whole name.
pub(crate) const NAME_MAX_BYTES: usize = 1000;
/// Levels of a name.
pub(crate) const LEVELS_MAX: usize = 32;
pub(crate) const INBOX: &str = "INBOX";

/// The name as it is kept, or that it can't be one.
pub(crate) fn canonical(name: &str) -> Result<String> {
    // RFC 3501 §6.3.3: a separator at the end only announces that levels below will be made.
    let name = name.strip_suffix('/').unwrap_or(name);
    let control = |char: char| char.is_control() || matches!(char, '\u{2028}' | '\u{2029}');
    let bad = name.is_empty()
        || name.len() > NAME_MAX_BYTES
        || name.chars().any(control)
        || name.split('/').any(str::is_empty)
        || name.split('/').count() > LEVELS_MAX;
    if bad {
        return Err(MailboxError::InvalidName);
    }
    // RFC 3501 §5.1: INBOX in any case is the same mailbox, and so is what lies below it.
    let (first, rest) = name.split_at(name.find('/').unwrap_or(name.len()));
    Ok(if first.eq_ignore_ascii_case(INBOX) {
        format!("{INBOX}{rest}")
    } else {
        name.to_owned()
    })
}

/// The levels above a name, outermost first.
pub(crate) fn parents(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').map(|(at, _)| &name[..at])
}

/// The rest of `name` if it lies below `above`.
pub(crate) fn below<'a>(name: &'a str, above: &str) -> Option<&'a str> {
    name.strip_prefix(above).filter(|rest| rest.starts_with('/'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(canonical("inBox").unwrap(), "INBOX");
        assert_eq!(canonical("inBox/a").unwrap(), "INBOX/a");
        assert_eq!(canonical("a/b/").unwrap(), "a/b");
        assert_eq!(canonical("Отправленные/2024").unwrap(), "Отправленные/2024");
        for bad in ["", "/", "/a", "a//b", "a\u{7}", "a\nb"] {
            assert!(canonical(bad).is_err(), "{bad:?}");
        }
        assert!(canonical(&"a/".repeat(40)).is_err());
        assert_eq!(parents("a/b/c").collect::<Vec<_>>(), ["a", "a/b"]);
        assert_eq!((below("a/b", "a"), below("ab", "a")), (Some("/b"), None));
    }
}
