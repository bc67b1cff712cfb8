//! The forms about folders: public trees, folders, and the rights on them.

use shared::model::PublicTree;
use shared::protocol::{FolderAdd, FolderRename, FolderRights, TreeAdd, TreeSet};
use shared::{Address, DomainName, Refusal, Rights};

use super::amount::show_bytes;
use super::forms::{Call, Check, Errors, required, size};

/// Public folders for a domain or a group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TreeForm {
    pub was: Option<PublicTree>,
    pub name: String,
    pub quota: String,
}

/// A new folder, or another name for one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FolderForm {
    pub user: String,
    pub was: Option<String>,
    pub name: String,
    pub special_use: String,
}

/// To whom rights are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Whom {
    #[default]
    User,
    Group,
    /// All users of a domain.
    Domain,
    Anyone,
}

/// Whose rights on a folder are which.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RightsForm {
    pub user: String,
    pub folder: String,
    /// Rights that are there already: whose they are is not changed.
    pub given: bool,
    pub whom: Whom,
    pub name: String,
    /// These rights are withheld, whoever else gives them.
    pub denied: bool,
    pub rights: Rights,
}

/// The special uses of RFC 6154 that a folder may be given.
pub const SPECIAL_USES: [&str; 6] = ["archive", "drafts", "flagged", "junk", "sent", "trash"];

impl TreeForm {
    pub fn of(tree: &PublicTree) -> Self {
        Self {
            was: Some(tree.clone()),
            name: tree.name.clone(),
            quota: tree.quota_bytes.map(show_bytes).unwrap_or_default(),
        }
    }

    pub(super) fn calls(&self) -> Result<Vec<Call>, Errors> {
        let mut check = Check::default();
        let name = check.one("name", self.name.trim(), required);
        let quota_bytes = check.optional("quota", &self.quota, size);
        let name = check.done(name)?;
        Ok(vec![match &self.was {
            Some(was) => Call::of(&TreeSet {
                tree: PublicTree {
                    quota_bytes,
                    ..was.clone()
                },
            }),
            None => Call::of(&TreeAdd {
                name: ascii(name),
                quota_bytes,
            }),
        }])
    }
}

impl FolderForm {
    pub(super) fn calls(&self) -> Result<Vec<Call>, Errors> {
        let mut check = Check::default();
        let name = check.one("name", self.name.trim(), required);
        let name = check.done(name)?;
        let user = self.user.clone();
        Ok(vec![match &self.was {
            Some(was) => Call::of(&FolderRename {
                user,
                name: was.clone(),
                to: name,
            }),
            None => {
                let special_use = (!self.special_use.is_empty()).then(|| self.special_use.clone());
                Call::of(&FolderAdd {
                    user,
                    name,
                    special_use,
                })
            }
        }])
    }
}

impl Whom {
    pub const ALL: [Self; 4] = [Self::User, Self::Group, Self::Domain, Self::Anyone];

    /// Whom an identifier means, by what name, and whether it denies.
    pub fn parse(identifier: &str) -> (Self, &str, bool) {
        let (denied, rest) = identifier
            .strip_prefix('-')
            .map_or((false, identifier), |rest| (true, rest));
        let (whom, name) = if rest == "anyone" {
            (Self::Anyone, "")
        } else if let Some(group) = rest.strip_prefix('$') {
            (Self::Group, group)
        } else if let Some(domain) = rest.strip_prefix('@') {
            (Self::Domain, domain)
        } else {
            (Self::User, rest)
        };
        (whom, name, denied)
    }
}

impl RightsForm {
    /// Rights for somebody new, to read to begin with.
    pub fn new(user: &str, folder: &str) -> Self {
        Self {
            user: user.to_owned(),
            folder: folder.to_owned(),
            rights: Rights::parse_words("reader").unwrap_or_default(),
            ..Self::default()
        }
    }

    pub fn of(user: &str, folder: &str, identifier: &str, letters: &str) -> Self {
        let (whom, name, denied) = Whom::parse(identifier);
        Self {
            given: true,
            whom,
            name: name.to_owned(),
            denied,
            rights: Rights::parse(letters).unwrap_or_default(),
            ..Self::new(user, folder)
        }
    }

    /// The folder as people name it: the first one of public folders has the name of all of them.
    pub fn place(&self) -> String {
        super::folders::shown_name(&self.user, &self.folder)
    }

    pub(super) fn calls(&self) -> Result<Vec<Call>, Errors> {
        let mut check = Check::default();
        let name = self.name.trim();
        let identifier = match self.whom {
            Whom::Anyone => Some("anyone".to_owned()),
            Whom::Group => check.one("name", name.trim_start_matches('$'), |group| {
                Ok(format!("${group}"))
            }),
            Whom::Domain => check.one("name", name.trim_start_matches('@'), |domain| {
                DomainName::parse(domain).map(|domain| format!("@{domain}"))
            }),
            Whom::User => check.one("name", name, |user| {
                Address::parse(user).map(|address| address.to_string())
            }),
        };
        if !self.given && self.rights.is_empty() {
            check.wrong("rights", Refusal::new("field-required"));
        }
        let identifier = check.done(identifier)?;
        let minus = if self.denied { "-" } else { "" };
        Ok(vec![Call::of(&FolderRights {
            user: self.user.clone(),
            name: self.folder.clone(),
            identifier: format!("{minus}{identifier}"),
            rights: self.rights.to_string(),
        })])
    }
}

/// A domain that was typed in its own script goes by its ASCII name; a group's name stays.
fn ascii(name: String) -> String {
    if name.is_ascii() || !name.contains('.') {
        return name;
    }
    DomainName::parse(&name).map_or(name, |domain| domain.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What is read from the daemon goes back to it as the same identifier.
    #[test]
    fn identifiers_are_taken_apart_and_put_together() {
        for identifier in [
            "ivan@example.test",
            "$accounts",
            "@example.test",
            "anyone",
            "-maria@example.test",
            "-$accounts",
            "-anyone",
        ] {
            let form = RightsForm::of("Public/accounts", "INBOX", identifier, "lrs");
            let params = &form.calls().unwrap()[0].params;
            assert_eq!(params["identifier"], identifier);
            assert_eq!(params["rights"], "lrs");
        }
    }

    #[test]
    fn nobody_is_given_nothing() {
        let form = RightsForm {
            rights: Rights::NONE,
            ..RightsForm::new("ivan@example.test", "Work")
        };
        let errors = form.calls().unwrap_err();
        assert_eq!(errors.keys().collect::<Vec<_>>(), ["name", "rights"]);
        let taken = RightsForm {
            rights: Rights::NONE,
            ..RightsForm::of("ivan@example.test", "Work", "anyone", "lrs")
        };
        assert_eq!(taken.calls().unwrap()[0].params["rights"], "");
    }
}
