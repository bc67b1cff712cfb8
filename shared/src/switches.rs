//! Capabilities of IMAP that are not offered to some: the value of the setting `imap.capabilities-off`.
//!
//! Rules with `;` between them, each `client PATTERN: NAMES` or `user PATTERN: NAMES`, names with spaces between them. A
//! client's pattern is compared with the name that it gives with ID (RFC 2971), or with `name/version` if a `/` stands in it; a
//! user's with the address. `*` stands for any text; case does not matter. A name without `=` stands for all of its kind.

use crate::Refusal;

/// Names that can't be switched off: without them no client can log in, or none safely.
const KEPT: &[&str] = &["IMAP4REV1", "STARTTLS", "LOGINDISABLED", "AUTH"];

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Client,
    User,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    pub who: Who,
    pub pattern: String,
    /// In capitals.
    pub off: Vec<String>,
}

/// Reads the setting; a refusal names the rule that can't be read.
pub fn parse(text: &str) -> Result<Vec<Switch>, Refusal> {
    let rules = text.split(';').map(str::trim).filter(|rule| !rule.is_empty());
    rules
        .map(|rule| read(rule).ok_or_else(|| Refusal::new("capability-rule-invalid").with("rule", rule)))
        .collect()
}

impl Switch {
    /// Whether the rule is about this session. `client`: `name/version`, as far as it was told.
    pub fn concerns(&self, user: &str, client: &str) -> bool {
        match self.who {
            Who::User => fits(&self.pattern, user),
            Who::Client if self.pattern.contains('/') => fits(&self.pattern, client),
            Who::Client => fits(&self.pattern, client.split('/').next().unwrap_or_default()),
        }
    }
}

/// Whether a name that was switched off stands for a capability.
pub fn covers(off: &str, capability: &str) -> bool {
    let kind = capability.split('=').next().unwrap_or_default();
    off.eq_ignore_ascii_case(capability) || off.eq_ignore_ascii_case(kind)
}

fn read(rule: &str) -> Option<Switch> {
    let (head, names) = rule.rsplit_once(':')?;
    let (who, pattern) = head.trim().split_once(' ')?;
    let who = match who {
        "client" => Who::Client,
        "user" => Who::User,
        _ => return None,
    };
    let pattern = pattern.trim().to_owned();
    let off: Vec<String> = names.split_whitespace().map(str::to_ascii_uppercase).collect();
    let allowed = !off.is_empty() && !off.iter().any(|name| KEPT.iter().any(|kept| covers(kept, name)));
    (allowed && !pattern.is_empty()).then_some(Switch { who, pattern, off })
}

/// A pattern in which `*` stands for any text, compared without regard to case.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = pieces.next_back() else {
        return rest.is_empty();
    };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = rest.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rules_are_read_and_concern_whom_they_name() {
        let rules = parse(
            "client Old Mail*: QRESYNC condstore; client iPhone Mail/15.*: COMPRESS; user *@a.test:IDLE;",
        )
        .unwrap();
        assert_eq!(rules.len(), 3);
        assert_eq!(rules[0].off, ["QRESYNC", "CONDSTORE"]);
        let concerned = |user: &str, client: &str| -> Vec<bool> {
            rules.iter().map(|rule| rule.concerns(user, client)).collect()
        };
        assert_eq!(concerned("x@a.test", ""), [false, false, true]);
        assert_eq!(concerned("x@b.test", "old mailer/2"), [true, false, false]);
        assert_eq!(concerned("X@A.TEST", "iPhone Mail/15.1"), [false, true, true]);
        assert_eq!(concerned("", "iPhone Mail/16"), [false, false, false]);
        assert_eq!(parse(" ").unwrap(), []);
    }

    #[test]
    fn what_is_no_rule_or_too_much_is_refused() {
        for rule in [
            "QRESYNC",
            "client: IDLE",
            "client X:",
            "host x: IDLE",
            "user *: AUTH=PLAIN",
            "user *: STARTTLS",
            "user *: IDLE IMAP4rev1",
        ] {
            assert_eq!(parse(rule).unwrap_err().code, "capability-rule-invalid", "{rule}");
        }
    }

    #[test]
    fn a_kind_covers_all_of_it() {
        assert!(covers("THREAD", "THREAD=REFS") && covers("THREAD=REFS", "THREAD=REFS"));
        assert!(!covers("THREAD=REFS", "THREAD=ORDEREDSUBJECT") && !covers("ID", "IDLE"));
    }

    #[test]
    fn stars() {
        for (pattern, text, yes) in [
            ("*", "", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "acb", false),
            ("ab*b", "ab", false),
            ("Почта*", "почта 5", true),
            ("a", "ab", false),
        ] {
            assert_eq!(fits(pattern, text), yes, "{pattern} {text}");
        }
    }
}
