//! Ways to log in, as a domain's policy names them.
//!
//! The `-PLUS` variants of a mechanism go with it. IMAP's LOGIN and POP3's USER and PASS send the password as PLAIN does and go with that.

use crate::Refusal;

/// One way to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mechanism {
    pub name: &'static str,
    /// On where a domain says nothing.
    pub standard: bool,
    /// The Fluent message that says what it costs in safety.
    pub costs: &'static str,
}

const fn standard(name: &'static str, costs: &'static str) -> Mechanism {
    Mechanism {
        name,
        standard: true,
        costs,
    }
}

/// All of them, safest first.
pub const MECHANISMS: &[Mechanism] = &[
    standard("EXTERNAL", "mechanism-external"),
    standard("SCRAM-SHA-256", "mechanism-scram-sha-256"),
    standard("SCRAM-SHA-1", "mechanism-scram-sha-1"),
    standard("OAUTHBEARER", "mechanism-oauthbearer"),
    standard("XOAUTH2", "mechanism-xoauth2"),
    standard("PLAIN", "mechanism-plain"),
    standard("LOGIN", "mechanism-login"),
    standard("DIGEST-MD5", "mechanism-digest-md5"),
    standard("CRAM-MD5", "mechanism-cram-md5"),
    // What the server has to keep of the password is nearly the password.
    Mechanism {
        name: "NTLM",
        standard: false,
        costs: "mechanism-ntlm",
    },
    // The server has to keep the password itself.
    Mechanism {
        name: "APOP",
        standard: false,
        costs: "mechanism-apop",
    },
];

/// A set of mechanisms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mechanisms(u32);

impl Mechanisms {
    /// Those that are on where a domain says nothing.
    pub fn standard() -> Self {
        let on = MECHANISMS.iter().filter(|mechanism| mechanism.standard);
        Self::of_names(on.map(|mechanism| mechanism.name))
    }

    /// What a domain's list means: an empty one the standard, and names that are not known here nothing.
    pub fn of(list: &[String]) -> Self {
        if list.is_empty() {
            return Self::standard();
        }
        Self::of_names(list.iter().map(String::as_str))
    }

    pub fn has(self, name: &str) -> bool {
        place(name).is_some_and(|place| self.0 & (1 << place) != 0)
    }

    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn of_names<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self(names.filter_map(place).fold(0, |set, place| set | 1 << place))
    }
}

/// A domain's list as a person gave it, in the order and spelling of [`MECHANISMS`].
pub fn validate(list: &[String]) -> Result<Vec<String>, Refusal> {
    if let Some(unknown) = list
        .iter()
        .find(|name| name.ends_with("-PLUS") || place(name).is_none())
    {
        return Err(Refusal::new("mechanism-unknown")
            .with("name", unknown)
            .field("mechanisms"));
    }
    let known = MECHANISMS
        .iter()
        .filter(|mechanism| list.iter().any(|name| name.eq_ignore_ascii_case(mechanism.name)));
    Ok(known.map(|mechanism| mechanism.name.to_owned()).collect())
}

fn place(name: &str) -> Option<usize> {
    let name = name.to_ascii_uppercase();
    let name = name.strip_suffix("-PLUS").unwrap_or(&name);
    MECHANISMS.iter().position(|mechanism| mechanism.name == name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_list_means_what_it_names_and_an_empty_one_the_standard() {
        let list = |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
        let standard = Mechanisms::of(&[]);
        assert!(standard.has("PLAIN") && standard.has("scram-sha-1-plus") && !standard.has("APOP"));
        assert!(!standard.has("NTLM"));
        let own = Mechanisms::of(&list(&["APOP", "SCRAM-SHA-256", "NEWER"]));
        assert!(own.has("APOP") && own.has("SCRAM-SHA-256-PLUS") && !own.has("PLAIN") && !own.has("NEWER"));
        assert!(own.and(standard).has("PLAIN") && own.and(standard).has("APOP"));
        assert_eq!(
            validate(&list(&["apop", "ntlm", "Plain"])).unwrap(),
            ["PLAIN", "NTLM", "APOP"]
        );
        assert_eq!(
            validate(&list(&["GSSAPI"])).unwrap_err().code,
            "mechanism-unknown"
        );
        assert_eq!(
            validate(&list(&["SCRAM-SHA-1-PLUS"])).unwrap_err().code,
            "mechanism-unknown"
        );
        assert!(validate(&[]).unwrap().is_empty());
    }
}
