//! External accounts: the form of one, and what is asked of one by hand.

use i18n::Arg;
use shared::external::{External, ExternalAfter, ExternalMechanism, ExternalProtocol, ExternalSecurity};
use shared::protocol::{
    ExternalAdd, ExternalAnswer, ExternalFetch, ExternalList, ExternalRow, ExternalSet, ExternalTest, Page,
};
use shared::{Address, Refusal};

use super::Model;
use super::forms::{Call, Check, Errors, Form, names, number, required};
use super::lists::ListId;
use super::said::{Said, Tone};
use crate::link::Failed;

/// What becomes of fetched mail on the other server; the days have a field of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum After {
    #[default]
    Keep,
    Delete,
    Days,
}

#[derive(Clone, Default, PartialEq)]
pub struct ExternalForm {
    pub was: Option<External>,
    pub user: String,
    pub name: String,
    pub enabled: bool,
    pub protocol: ExternalProtocol,
    pub host: String,
    /// Empty: the protocol's own.
    pub port: String,
    pub security: ExternalSecurity,
    pub certificate: String,
    pub login: String,
    /// Empty: the one that is kept.
    pub password: String,
    pub mechanism: ExternalMechanism,
    pub folders: String,
    pub into: String,
    pub interval: String,
    pub after: After,
    pub days: String,
    pub mark_seen: bool,
    pub comment: String,
}

/// Secrets appear in no log.
impl std::fmt::Debug for ExternalForm {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "ExternalForm({:?} of {:?})", self.name, self.user)
    }
}

impl ExternalForm {
    pub fn new() -> Self {
        Self {
            enabled: true,
            interval: "15".to_owned(),
            days: "7".to_owned(),
            ..Self::default()
        }
    }

    pub fn of(external: &External) -> Self {
        let (after, days) = match external.after {
            ExternalAfter::Keep => (After::Keep, 7),
            ExternalAfter::Delete => (After::Delete, 7),
            ExternalAfter::Days(days) => (After::Days, days),
        };
        Self {
            was: Some(external.clone()),
            user: external.user.to_string(),
            name: external.name.clone(),
            enabled: external.enabled,
            protocol: external.protocol,
            host: external.host.clone(),
            port: match external.port {
                0 => String::new(),
                port => port.to_string(),
            },
            security: external.security,
            certificate: external.certificate.clone(),
            login: external.login.clone(),
            password: String::new(),
            mechanism: external.mechanism,
            folders: external.folders.join("\n"),
            into: external.into.clone(),
            interval: external.interval_minutes.to_string(),
            after,
            days: days.to_string(),
            mark_seen: external.mark_seen,
            comment: external.comment.clone(),
        }
    }

    pub(super) fn calls(&self) -> Result<Vec<Call>, Errors> {
        let mut check = Check::default();
        let user = check.one("user", self.user.trim(), Address::parse);
        let port = check.optional("port", &self.port, |text| {
            let wrong = || Refusal::new("number-invalid").with("value", text);
            text.parse::<u16>().map_err(|_| wrong())
        });
        let interval = check.one("interval_minutes", self.interval.trim(), number);
        let after = match self.after {
            After::Keep => Some(ExternalAfter::Keep),
            After::Delete => Some(ExternalAfter::Delete),
            After::Days => check
                .one("after", self.days.trim(), number)
                .map(ExternalAfter::Days),
        };
        if self.was.is_none() {
            check.one("password", &self.password, required);
        }
        let (user, interval, after) =
            check.done(user.zip(interval).zip(after).map(|((a, b), c)| (a, b, c)))?;
        let external = External {
            enabled: self.enabled,
            protocol: self.protocol,
            host: self.host.clone(),
            port: port.unwrap_or(0),
            security: self.security,
            certificate: self.certificate.clone(),
            login: self.login.clone(),
            mechanism: self.mechanism,
            folders: if self.protocol == ExternalProtocol::Imap {
                names(&self.folders)
            } else {
                Vec::new()
            },
            into: self.into.clone(),
            interval_minutes: interval,
            after,
            mark_seen: self.mark_seen && self.protocol == ExternalProtocol::Imap,
            comment: self.comment.trim().to_owned(),
            revision: self.was.as_ref().map_or(0, |was| was.revision),
            ..External::new(user, self.name.trim())
        };
        let external = external.check().map_err(|refusal| {
            let field = refusal.field.clone().unwrap_or_default();
            Errors::from([(field, refusal)])
        })?;
        let password = (!self.password.is_empty()).then(|| self.password.clone());
        Ok(vec![if self.was.is_some() {
            Call::of(&ExternalSet { external, password })
        } else {
            Call::of(&ExternalAdd { external, password })
        }])
    }
}

/// What tells an account from others: its user and its name.
pub fn key(row: &ExternalRow) -> String {
    format!("{} {}", row.external.user, row.external.name)
}

impl Model {
    /// Begins a visit; how it goes comes with the changes.
    pub(super) fn fetch_external(&mut self, user: String, name: String) {
        let wait = false;
        self.ask(&ExternalFetch { user, name, wait }, |model, answer| {
            match answer {
                Ok(_) => model.notice(Tone::Good, Said::key("notice-external-fetching")),
                Err(failed) => model.notice(Tone::Bad, Said::failed(&failed)),
            }
            model.changed_here(&[ListId::External]);
        });
    }

    /// Connects and logs in, and takes nothing.
    pub(super) fn test_external(&mut self, user: String, name: String) {
        self.ask(&ExternalTest { user, name }, |model, answer| match answer {
            Ok(ExternalAnswer {
                problem: Some(problem),
                ..
            }) => model.notice(Tone::Bad, Said::Refusal(problem)),
            Ok(answer) => {
                let tls = if answer.tls.is_empty() {
                    model.texts().get("external-security-none")
                } else {
                    answer.tls
                };
                let args = vec![
                    ("server", Arg::from(answer.server)),
                    ("count", Arg::from(answer.messages)),
                    ("mechanism", Arg::from(answer.mechanism)),
                    ("tls", Arg::from(tls)),
                ];
                model.notice(Tone::Good, Said::Key("notice-external-tested", args));
            }
            Err(failed) => model.notice(Tone::Bad, Said::failed(&failed)),
        });
    }

    /// After a conflict: the account as it is now.
    pub(super) fn resolve_external(&mut self, form: ExternalForm, serial: u64, keep_mine: bool) {
        let Some(was) = form.was else { return };
        let request = ExternalList {
            user: was.user.to_string(),
            page: Page::default(),
        };
        self.ask(&request, move |model, answer| {
            let theirs = answer.and_then(|found| {
                let theirs = found.rows.into_iter().find(|row| row.external.name == was.name);
                theirs
                    .map(|row| {
                        let form = ExternalForm::of(&row.external);
                        (Form::External(form), row.external.revision)
                    })
                    .ok_or(Failed::Lost)
            });
            model.resolved(serial, keep_mine, theirs);
        });
    }
}
