//! The forms of the dialogs: what a person typed, and what becomes of it. A form is checked with the rules of `shared`
//! before anything is asked of the daemon, which checks again.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::model::{Alias, Domain, Group, ListEntry, Protocol, Side, User, send_as};
use shared::protocol::{
    AccessAdd, AliasAdd, AliasSet, DomainAdd, DomainSet, GroupAdd, GroupSet, NewUser, Request, UserAdd,
    UserPassword, UserRename, UserSet,
};
use shared::{Address, DomainName, Refusal};

use super::amount::{parse_bytes, show_bytes};
pub use super::certificates::{ObtainForm, ServerCertificateForm};
pub use super::dkim::DkimForm;
pub use super::external::ExternalForm;
pub use super::folder_forms::{FolderForm, RightsForm, SPECIAL_USES, TreeForm, Whom};
pub use super::keys::{AppForm, CertificateForm};
pub use super::next_host_form::NextHostForm;
pub use super::route_form::RouteForm;
pub use super::route_test::RouteTestForm;
pub use super::vacation_form::VacationForm;

/// A request, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub method: &'static str,
    pub params: Value,
}

impl Call {
    pub fn of<R: Request>(request: &R) -> Self {
        Self {
            method: R::METHOD,
            params: serde_json::to_value(request).unwrap_or_default(),
        }
    }
}

/// What is wrong, by field.
pub type Errors = BTreeMap<String, Refusal>;

/// A form of a dialog.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    Domain(DomainForm),
    User(UserForm),
    Alias(AliasForm),
    Group(GroupForm),
    Entry(EntryForm),
    Route(RouteForm),
    External(ExternalForm),
    Tree(TreeForm),
    Folder(FolderForm),
    Rights(RightsForm),
    AppPassword(AppForm),
    Certificate(CertificateForm),
    ServerCertificate(ServerCertificateForm),
    Obtain(ObtainForm),
    Dkim(DkimForm),
    Export(ExportForm),
    NextHost(NextHostForm),
    RouteTest(RouteTestForm),
    Vacation(VacationForm),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DomainForm {
    pub was: Option<Domain>,
    pub name: String,
    pub description: String,
    pub enabled: bool,
    pub aliases: String,
    pub catch_all: String,
    pub quota: String,
    pub users_max: String,
    /// Empty: the standard ones.
    pub mechanisms: Vec<String>,
    /// Empty: the server's.
    pub language: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserForm {
    pub was: Option<User>,
    pub local: String,
    pub domain: String,
    pub name: String,
    pub enabled: bool,
    pub password: String,
    pub again: String,
    pub quota: String,
    pub groups: String,
    pub denied: Vec<Protocol>,
    pub forward: String,
    pub forward_keep: bool,
    pub send_as: String,
    /// Empty: the domain's.
    pub language: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AliasForm {
    pub was: Option<Alias>,
    pub local: String,
    pub domain: String,
    pub targets: String,
    pub enabled: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupForm {
    pub was: Option<Group>,
    pub name: String,
    pub description: String,
    pub address: String,
    pub members: String,
    pub member_groups: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct EntryForm {
    pub side: Side,
    pub pattern: String,
    pub comment: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExportForm {
    /// A file, or a folder for messages.
    pub path: String,
    /// Messages of the queue; none: the log as it is shown.
    pub messages: Vec<String>,
}

/// The protocols that a user may be kept from.
pub const PROTOCOLS: [Protocol; 3] = [Protocol::Imap, Protocol::Pop3, Protocol::Submission];

impl DomainForm {
    pub fn new() -> Self {
        Self {
            enabled: true,
            ..Self::default()
        }
    }

    pub fn of(domain: &Domain) -> Self {
        Self {
            was: Some(domain.clone()),
            name: domain.name.unicode(),
            description: domain.description.clone(),
            enabled: domain.enabled,
            aliases: domain
                .aliases
                .iter()
                .map(DomainName::unicode)
                .collect::<Vec<_>>()
                .join("\n"),
            catch_all: domain
                .catch_all
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            quota: domain.user_quota_bytes.map(show_bytes).unwrap_or_default(),
            users_max: domain.users_max.map(|max| max.to_string()).unwrap_or_default(),
            mechanisms: domain.mechanisms.clone(),
            language: domain.language.clone(),
        }
    }

    fn calls(&self) -> Result<Vec<Call>, Errors> {
        let mut check = Check::default();
        let name = check.one("name", self.name.trim(), DomainName::parse);
        let aliases = check.many("aliases", &self.aliases, DomainName::parse);
        let catch_all = check.optional("catch_all", &self.catch_all, Address::parse);
        let user_quota_bytes = check.optional("quota", &self.quota, size);
        let users_max = check.optional("users_max", &self.users_max, number);
        let name = check.done(name)?;
        let domain = Domain {
            name,
            enabled: self.enabled,
            description: self.description.trim().to_owned(),
            aliases,
            catch_all,
            user_quota_bytes,
            users_max,
            mechanisms: self.mechanisms.clone(),
            language: self.language.clone(),
            revision: self.was.as_ref().map_or(0, |was| was.revision),
        };
        Ok(vec![if self.was.is_some() {
            Call::of(&DomainSet { domain })
        } else {
            Call::of(&DomainAdd { domain })
        }])
    }
}

impl UserForm {
    pub fn new(domain: &str) -> Self {
        Self {
            domain: domain.to_owned(),
            enabled: true,
            forward_keep: true,
            ..Self::default()
        }
    }

    pub fn of(user: &User) -> Self {
        Self {
            was: Some(user.clone()),
            local: user.address.local().to_owned(),
            domain: user.address.domain().to_string(),
            name: user.name.clone(),
            enabled: user.enabled,
            quota: user.quota_bytes.map(show_bytes).unwrap_or_default(),
            groups: user.groups.join("\n"),
            denied: user.denied_protocols.clone(),
            forward: lines(&user.forward_to),
            forward_keep: user.forward_keep,
            send_as: user.send_as.join("\n"),
            language: user.language.clone(),
            ..Self::default()
        }
    }

    /// A change of what the record holds, then of its name, then of the password: each is a request of its own.
    fn calls(&self) -> Result<Vec<Call>, Errors> {
        let mut check = Check::default();
        let address = check.one("local", &self.local, |local| address(local, &self.domain));
        let quota_bytes = check.optional("quota", &self.quota, size);
        let forward_to = check.many("forward", &self.forward, Address::parse);
        let send_as = check.many("send_as", &self.send_as, send_as);
        let groups = names(&self.groups);
        if self.was.is_none() && self.password.is_empty() {
            check.wrong("password", Refusal::new("field-required"));
        }
        if self.password != self.again {
            check.wrong("again", Refusal::new("passwords-differ"));
        }
        let address = check.done(address)?;
        let password = (!self.password.is_empty()).then(|| self.password.clone());
        let name = self.name.trim().to_owned();
        let Some(was) = &self.was else {
            let user = NewUser {
                address,
                password,
                name,
                quota_bytes,
                groups,
                enabled: self.enabled,
            };
            return Ok(vec![Call::of(&UserAdd { user })]);
        };
        let user = User {
            name,
            enabled: self.enabled,
            quota_bytes,
            denied_protocols: self.denied.clone(),
            forward_to,
            forward_keep: self.forward_keep,
            send_as,
            language: self.language.clone(),
            groups,
            ..was.clone()
        };
        let mut calls = Vec::new();
        if user != *was {
            calls.push(Call::of(&UserSet { user }));
        }
        if address != was.address {
            calls.push(Call::of(&UserRename {
                address: was.address.to_string(),
                to: address.to_string(),
            }));
        }
        if let Some(password) = password {
            calls.push(Call::of(&UserPassword {
                address: address.to_string(),
                password,
            }));
        }
        Ok(calls)
    }
}

impl AliasForm {
    pub fn new(domain: &str) -> Self {
        Self {
            domain: domain.to_owned(),
            enabled: true,
            ..Self::default()
        }
    }

    pub fn of(alias: &Alias) -> Self {
        Self {
            was: Some(alias.clone()),
            local: alias.address.local().to_owned(),
            domain: alias.address.domain().to_string(),
            targets: lines(&alias.targets),
            enabled: alias.enabled,
        }
    }

    fn calls(&self) -> Result<Vec<Call>, Errors> {
        let mut check = Check::default();
        let address = check.one("local", &self.local, |local| address(local, &self.domain));
        let targets = check.many("targets", &self.targets, Address::parse);
        if names(&self.targets).is_empty() {
            check.wrong("targets", Refusal::new("field-required"));
        }
        let address = check.done(address)?;
        let revision = self.was.as_ref().map_or(0, |was| was.revision);
        let alias = Alias {
            address,
            targets,
            enabled: self.enabled,
            revision,
        };
        Ok(vec![if self.was.is_some() {
            Call::of(&AliasSet { alias })
        } else {
            Call::of(&AliasAdd { alias })
        }])
    }
}

impl GroupForm {
    pub fn of(group: &Group) -> Self {
        Self {
            was: Some(group.clone()),
            name: group.name.clone(),
            description: group.description.clone(),
            address: group
                .address
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            members: lines(&group.members),
            member_groups: group.member_groups.join("\n"),
        }
    }

    fn calls(&self) -> Result<Vec<Call>, Errors> {
        let mut check = Check::default();
        let name = check.one("name", self.name.trim(), required);
        let address = check.optional("address", &self.address, Address::parse);
        let members = check.many("members", &self.members, Address::parse);
        let name = check.done(name)?;
        let group = Group {
            name,
            description: self.description.trim().to_owned(),
            address,
            members,
            member_groups: names(&self.member_groups),
            revision: self.was.as_ref().map_or(0, |was| was.revision),
        };
        Ok(vec![if self.was.is_some() {
            Call::of(&GroupSet { group })
        } else {
            Call::of(&GroupAdd { group })
        }])
    }
}

impl EntryForm {
    pub fn new(side: Side) -> Self {
        Self {
            side,
            pattern: String::new(),
            comment: String::new(),
        }
    }

    fn calls(&self) -> Result<Vec<Call>, Errors> {
        let mut check = Check::default();
        let pattern = check.one("pattern", self.pattern.trim(), required);
        let pattern = check.done(pattern)?;
        let entry = ListEntry {
            side: self.side,
            pattern,
            comment: self.comment.trim().to_owned(),
            revision: 0,
        };
        Ok(vec![Call::of(&AccessAdd { entry })])
    }
}

impl Form {
    /// The requests that carry the form out, in their order; what is wrong with it, by field.
    pub fn calls(&self) -> Result<Vec<Call>, Errors> {
        match self {
            Self::Domain(form) => form.calls(),
            Self::User(form) => form.calls(),
            Self::Alias(form) => form.calls(),
            Self::Group(form) => form.calls(),
            Self::Entry(form) => form.calls(),
            Self::Route(form) => form.calls(),
            Self::External(form) => form.calls(),
            Self::Tree(form) => form.calls(),
            Self::Folder(form) => form.calls(),
            Self::Rights(form) => form.calls(),
            Self::AppPassword(form) => form.calls(),
            Self::Certificate(form) => form.calls(),
            Self::ServerCertificate(form) => form.calls(),
            Self::Obtain(form) => form.calls(),
            Self::Dkim(form) => form.calls(),
            // A file is written by the link, not by the daemon.
            Self::Export(_) => Ok(Vec::new()),
            Self::NextHost(form) => Ok(form.calls()),
            Self::RouteTest(form) => form.calls(),
            Self::Vacation(form) => form.calls(),
        }
    }
}

/// Gathers what is wrong, so that a person sees all of it at once.
#[derive(Default)]
pub(super) struct Check {
    errors: Errors,
}

impl Check {
    pub(super) fn wrong(&mut self, field: &str, refusal: Refusal) {
        self.errors.entry(field.to_owned()).or_insert(refusal);
    }

    pub(super) fn one<T>(
        &mut self,
        field: &str,
        text: &str,
        parse: impl Fn(&str) -> Result<T, Refusal>,
    ) -> Option<T> {
        if text.is_empty() {
            self.wrong(field, Refusal::new("field-required"));
            return None;
        }
        parse(text).map_err(|refusal| self.wrong(field, refusal)).ok()
    }

    pub(super) fn optional<T>(
        &mut self,
        field: &str,
        text: &str,
        parse: impl Fn(&str) -> Result<T, Refusal>,
    ) -> Option<T> {
        if text.trim().is_empty() {
            None
        } else {
            self.one(field, text.trim(), parse)
        }
    }

    fn many<T>(&mut self, field: &str, text: &str, parse: impl Fn(&str) -> Result<T, Refusal>) -> Vec<T> {
        names(text)
            .iter()
            .filter_map(|item| self.one(field, item, &parse))
            .collect()
    }

    /// The value that the record can't be without, if nothing is wrong.
    pub(super) fn done<T>(self, value: Option<T>) -> Result<T, Errors> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(self.errors),
        }
    }
}

pub(super) fn required(text: &str) -> Result<String, Refusal> {
    if text.is_empty() {
        Err(Refusal::new("field-required"))
    } else {
        Ok(text.to_owned())
    }
}

pub(super) fn size(text: &str) -> Result<u64, Refusal> {
    parse_bytes(text).ok_or_else(|| Refusal::new("size-invalid").with("value", text))
}

pub(super) fn number(text: &str) -> Result<u32, Refusal> {
    text.parse()
        .map_err(|_| Refusal::new("number-invalid").with("value", text))
}

/// An address of a domain; a whole address in the field of the local part is taken if its domain is the same.
fn address(local: &str, domain: &str) -> Result<Address, Refusal> {
    let local = local.trim();
    match Address::parse(local) {
        Ok(whole) if whole.domain().as_str() == domain => Ok(whole),
        Ok(_) => Err(Refusal::new("address-invalid").with("address", local)),
        Err(_) => Address::from_parts(local, DomainName::parse(domain)?),
    }
}

fn lines(addresses: &[Address]) -> String {
    addresses
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

/// The items of a field that takes several, one a line or with commas between.
pub(super) fn names(text: &str) -> Vec<String> {
    text.split(['\n', ',', ';'])
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}
