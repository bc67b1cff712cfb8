//! Saving a dialog's form, answering its conflicts, and carrying out what a question was answered with yes.

use serde_json::Value;
use shared::protocol::{
    AccessRemove, AliasRemove, AppPasswordRemove, CertificateForget, CertificateRekey, CertificateRemove,
    CertificateRevoke, DomainGet, DomainRemove, FolderRemove, GroupList, GroupRemove, Page as Window,
    QueueRemove, ReportSend, ServiceSet, ServiceState, SessionEnd, TreeList, TreeRemove,
    UserCertificateRemove, UserGet, UserRemove,
};
use shared::protocol::{AliasList, ExternalRemove, Failure, RouteList, RouteRemove};

use super::Model;
use super::dialog::{About, Dialog, Edit};
use super::dkim::DkimStep;
use super::forms::{
    AliasForm, Call, DomainForm, ExternalForm, Form, GroupForm, RouteForm, TreeForm, UserForm, VacationForm,
};
use super::lists::ListId;
use super::said::{Said, Tone};
use crate::link::Failed;

/// The refusal of a change that was made on an older version.
const STALE: &str = "revision-stale";

impl Model {
    /// The form of the dialog that has this number, if it is still open.
    fn edit(&mut self, serial: u64) -> Option<&mut Edit> {
        match &mut self.dialog {
            Some(Dialog::Edit(edit)) if edit.serial == serial => Some(edit),
            _ => None,
        }
    }

    pub(super) fn save(&mut self) {
        let Some(Dialog::Edit(edit)) = &mut self.dialog else {
            return;
        };
        if edit.busy {
            return;
        }
        edit.problem = None;
        edit.leaving = false;
        if let Form::Export(form) = &edit.form {
            let form = form.clone();
            self.dialog = None;
            self.export(form);
            return;
        }
        match edit.form.calls() {
            Err(errors) => edit.errors = errors,
            Ok(calls) => {
                edit.errors.clear();
                edit.steps = calls.into();
                edit.busy = true;
                let serial = edit.serial;
                self.next_step(serial);
            }
        }
    }

    /// Makes the next request of a form; closes the dialog after the last one.
    fn next_step(&mut self, serial: u64) {
        let Some(edit) = self.edit(serial) else { return };
        let Some(Call { method, params }) = edit.steps.pop_front() else {
            let lists = lists_of(&edit.form);
            let server = matches!(edit.form, Form::ServerCertificate(_) | Form::Obtain(_));
            let keys = matches!(edit.form, Form::Certificate(_));
            let dkim = matches!(edit.form, Form::Dkim(_));
            let folders = matches!(edit.form, Form::Folder(_) | Form::Rights(_));
            self.dialog = None;
            self.notice(Tone::Good, Said::key("notice-saved"));
            self.changed_here(lists);
            if folders {
                self.read_folders();
            }
            if keys {
                self.read_keys();
            }
            if server {
                self.read_certificates();
            }
            if dkim {
                self.read_dkim();
            }
            return;
        };
        self.call(method, params, true, move |model, answer| match answer {
            Ok(answer) => model.step_done(serial, answer),
            Err(failed) => model.save_failed(serial, &failed),
        });
    }

    /// An app password is told in the answer and nowhere else; of a test the answer is all there is.
    fn step_done(&mut self, serial: u64, answer: Value) {
        let Some(edit) = self.edit(serial) else { return };
        if let Form::RouteTest(form) = &edit.form {
            self.dialog = form.tested(answer).map(Dialog::RouteTested);
            return;
        }
        let secret = match &edit.form {
            Form::AppPassword(form) => form.secret(answer),
            _ => None,
        };
        self.next_step(serial);
        if let Some(secret) = secret {
            self.dialog = Some(Dialog::Secret(secret));
            self.read_keys();
        }
    }

    fn save_failed(&mut self, serial: u64, failed: &Failed) {
        let Some(edit) = self.edit(serial) else {
            self.notice(Tone::Bad, Said::failed(failed));
            return;
        };
        edit.busy = false;
        edit.steps.clear();
        if let Failed::Daemon(Failure {
            data: Some(refusal), ..
        }) = failed
        {
            if refusal.code == STALE {
                edit.conflict = true;
                return;
            }
            if let Some(field) = &refusal.field {
                edit.errors.insert(field.clone(), refusal.clone());
            }
        }
        edit.problem = Some(Said::failed(failed));
    }

    /// After a conflict: reads the record anew; takes it as it is, or puts what was typed on top of it.
    pub(super) fn resolve(&mut self, keep_mine: bool) {
        let Some(Dialog::Edit(edit)) = &mut self.dialog else {
            return;
        };
        if edit.busy {
            return;
        }
        edit.busy = true;
        let serial = edit.serial;
        match edit.form.clone() {
            Form::Domain(form) => {
                let Some(was) = form.was else { return };
                self.ask(
                    &DomainGet {
                        name: was.name.to_string(),
                    },
                    move |model, answer| {
                        let theirs =
                            answer.map(|domain| (Form::Domain(DomainForm::of(&domain)), domain.revision));
                        model.resolved(serial, keep_mine, theirs);
                    },
                );
            }
            Form::User(form) => {
                let Some(was) = form.was else { return };
                self.ask(
                    &UserGet {
                        address: was.address.to_string(),
                    },
                    move |model, answer| {
                        let theirs = answer.map(|user| (Form::User(UserForm::of(&user)), user.revision));
                        model.resolved(serial, keep_mine, theirs);
                    },
                );
            }
            Form::Vacation(form) => {
                let Some(was) = form.was else { return };
                self.ask(
                    &UserGet {
                        address: was.address.to_string(),
                    },
                    move |model, answer| {
                        let theirs =
                            answer.map(|user| (Form::Vacation(VacationForm::of(&user)), user.revision));
                        model.resolved(serial, keep_mine, theirs);
                    },
                );
            }
            Form::Alias(form) => {
                let Some(was) = form.was else { return };
                let page = Window {
                    filter: was.address.to_string(),
                    ..Window::default()
                };
                self.ask(
                    &AliasList {
                        domain: form.domain,
                        page,
                    },
                    move |model, answer| {
                        let theirs = answer.and_then(|found| {
                            let theirs = found.rows.into_iter().find(|alias| alias.address == was.address);
                            theirs
                                .map(|alias| (Form::Alias(AliasForm::of(&alias)), alias.revision))
                                .ok_or(Failed::Lost)
                        });
                        model.resolved(serial, keep_mine, theirs);
                    },
                );
            }
            Form::Route(form) => {
                let Some(was) = form.was else { return };
                let page = Window {
                    filter: was.name.clone(),
                    ..Window::default()
                };
                self.ask(&RouteList { page }, move |model, answer| {
                    let theirs = answer.and_then(|found| {
                        let theirs = found.rows.into_iter().find(|route| route.name == was.name);
                        theirs
                            .map(|route| (Form::Route(RouteForm::of(&route)), route.revision))
                            .ok_or(Failed::Lost)
                    });
                    model.resolved(serial, keep_mine, theirs);
                });
            }
            Form::External(form) => self.resolve_external(form, serial, keep_mine),
            Form::Group(form) => {
                let Some(was) = form.was else { return };
                let page = Window {
                    filter: was.name.clone(),
                    ..Window::default()
                };
                self.ask(&GroupList { page }, move |model, answer| {
                    let theirs = answer.and_then(|found| {
                        let theirs = found.rows.into_iter().find(|group| group.name == was.name);
                        theirs
                            .map(|group| (Form::Group(GroupForm::of(&group)), group.revision))
                            .ok_or(Failed::Lost)
                    });
                    model.resolved(serial, keep_mine, theirs);
                });
            }
            Form::Tree(form) => {
                let Some(was) = form.was else { return };
                let page = Window {
                    filter: was.name.clone(),
                    ..Window::default()
                };
                self.ask(&TreeList { page }, move |model, answer| {
                    let theirs = answer.and_then(|found| {
                        let theirs = found.rows.into_iter().find(|tree| tree.name == was.name);
                        theirs
                            .map(|tree| (Form::Tree(TreeForm::of(&tree)), tree.revision))
                            .ok_or(Failed::Lost)
                    });
                    model.resolved(serial, keep_mine, theirs);
                });
            }
            // These carry no revision, so they can't be stale.
            Form::Entry(_)
            | Form::Folder(_)
            | Form::Rights(_)
            | Form::AppPassword(_)
            | Form::Certificate(_)
            | Form::ServerCertificate(_)
            | Form::Obtain(_)
            | Form::Dkim(_)
            | Form::Export(_)
            | Form::NextHost(_)
            | Form::RouteTest(_) => {}
        }
    }

    pub(super) fn resolved(&mut self, serial: u64, keep_mine: bool, theirs: Result<(Form, u64), Failed>) {
        let Some(edit) = self.edit(serial) else { return };
        edit.busy = false;
        match theirs {
            Err(failed) => edit.problem = Some(Said::failed(&failed)),
            Ok((theirs, revision)) => {
                edit.conflict = false;
                edit.errors.clear();
                edit.before = theirs.clone();
                if keep_mine {
                    set_revision(&mut edit.form, revision);
                    self.save();
                } else {
                    edit.form = theirs;
                }
            }
        }
    }

    pub(super) fn confirm(&mut self) {
        let Some(Dialog::Ask(question)) = &mut self.dialog else {
            return;
        };
        if question.busy {
            return;
        }
        question.busy = true;
        question.problem = None;
        let calls = question_calls(&question.about, question.choice);
        self.confirm_next(calls.into());
    }

    fn confirm_next(&mut self, mut calls: std::collections::VecDeque<Call>) {
        let Some(Call { method, params }) = calls.pop_front() else {
            let Some(Dialog::Ask(question)) = self.dialog.take() else {
                return;
            };
            self.confirmed(&question.about);
            return;
        };
        self.call(method, params, true, move |model, answer| match answer {
            Ok(_) => model.confirm_next(calls),
            Err(failed) => {
                let said = Said::failed(&failed);
                match &mut model.dialog {
                    Some(Dialog::Ask(question)) => {
                        question.busy = false;
                        question.problem = Some(said);
                    }
                    _ => model.notice(Tone::Bad, said),
                }
            }
        });
    }

    fn confirmed(&mut self, about: &About) {
        let (said, lists): (Said, &[ListId]) = match about {
            About::RemoveDomain { name, .. } => {
                self.domains.selected = None;
                self.unfolded.remove(name);
                (
                    Said::named("notice-removed", name),
                    &[ListId::Tree, ListId::Domains],
                )
            }
            About::RemoveUsers(addresses) => {
                self.users.selected = None;
                self.users.marked.clear();
                let said = Said::Key("notice-users-removed", vec![("count", addresses.len().into())]);
                (said, &[ListId::Users, ListId::Domains])
            }
            About::RemoveAlias(address) => {
                self.aliases.selected = None;
                (Said::named("notice-removed", address), &[ListId::Aliases])
            }
            About::RemoveGroup(name) => {
                self.groups.selected = None;
                (Said::named("notice-removed", name), &[ListId::Groups])
            }
            About::RemoveTree(name) => {
                self.public.selected = None;
                self.enter_folders(None);
                (Said::named("notice-removed", name), &[ListId::Public])
            }
            About::RemoveEntry(_, pattern) => {
                self.access.selected = None;
                (Said::named("notice-removed", pattern), &[ListId::Access])
            }
            About::RemoveRoute(name) => {
                self.routes.selected = None;
                (Said::named("notice-removed", name), &[ListId::Routes])
            }
            About::RemoveExternal { name, .. } => {
                self.external.selected = None;
                (Said::named("notice-removed", name), &[ListId::External])
            }
            About::RemoveFolder { name, .. } => {
                self.folders.selected = None;
                self.read_folders();
                (Said::named("notice-removed", name), &[])
            }
            About::RemoveServerCertificate(id) => {
                self.read_certificates();
                (Said::named("notice-removed", id), &[])
            }
            About::ForgetCertificate(name) => {
                self.read_certificates();
                (Said::named("notice-forgotten", name), &[])
            }
            About::RevokeCertificate(name) => {
                self.read_certificates();
                (Said::named("notice-revoked", name), &[])
            }
            About::ChangeAccountKey => (Said::key("notice-account-key"), &[]),
            About::RemoveCertificate { fingerprint, .. } => {
                self.read_keys();
                (Said::named("notice-removed", fingerprint), &[])
            }
            About::RemoveAppPassword { label, .. } => {
                self.read_keys();
                (Said::named("notice-removed", label), &[])
            }
            About::SendReports => (Said::key("notice-reports-sent"), &[ListId::Queue]),
            About::Dkim { step, selector, .. } => {
                self.read_dkim();
                if *step == DkimStep::Remove {
                    (Said::named("notice-removed", selector), &[])
                } else {
                    (Said::key("notice-saved"), &[])
                }
            }
            About::RemoveMessages(ids) => {
                self.queue.selected = None;
                self.queue.marked.clear();
                self.message = None;
                (
                    Said::Key("notice-messages-removed", vec![("count", ids.len().into())]),
                    &[ListId::Queue],
                )
            }
            About::EndSession { who, .. } => {
                self.sessions.selected = None;
                (Said::named("notice-session-ended", who), &[ListId::Sessions])
            }
            About::StopService(service) => {
                self.monitor.expect(service, ServiceState::Stopped);
                (Said::key("notice-saved"), &[])
            }
        };
        self.notice(Tone::Good, said);
        self.changed_here(lists);
    }

    /// This program changed something: it does not wait to be told.
    pub(super) fn changed_here(&mut self, lists: &[ListId]) {
        for list in lists {
            self.table_mut(*list).refresh();
        }
        self.fetch();
    }
}

fn lists_of(form: &Form) -> &'static [ListId] {
    match form {
        Form::Domain(_) => &[ListId::Tree, ListId::Domains],
        Form::User(_) => &[ListId::Users, ListId::Domains],
        Form::Alias(_) => &[ListId::Aliases],
        Form::Group(_) => &[ListId::Groups],
        Form::Tree(_) => &[ListId::Public],
        Form::Entry(_) => &[ListId::Access],
        Form::Route(_) => &[ListId::Routes],
        Form::External(_) => &[ListId::External],
        Form::NextHost(_) => &[ListId::Queue],
        Form::Folder(_) | Form::Rights(_) => &[],
        Form::AppPassword(_)
        | Form::Certificate(_)
        | Form::ServerCertificate(_)
        | Form::Obtain(_)
        | Form::Dkim(_)
        | Form::Export(_)
        | Form::RouteTest(_) => &[],
        Form::Vacation(_) => &[ListId::Users],
    }
}

/// What was typed stays; it is made on the newest version from now on.
fn set_revision(form: &mut Form, revision: u64) {
    match form {
        Form::Domain(DomainForm { was: Some(was), .. }) => was.revision = revision,
        Form::User(UserForm { was: Some(was), .. }) => was.revision = revision,
        Form::Vacation(VacationForm { was: Some(was), .. }) => was.revision = revision,
        Form::Alias(AliasForm { was: Some(was), .. }) => was.revision = revision,
        Form::Group(GroupForm { was: Some(was), .. }) => was.revision = revision,
        Form::Tree(TreeForm { was: Some(was), .. }) => was.revision = revision,
        Form::Route(RouteForm { was: Some(was), .. }) => was.revision = revision,
        Form::External(ExternalForm { was: Some(was), .. }) => was.revision = revision,
        _ => {}
    }
}

fn question_calls(about: &About, choice: bool) -> Vec<Call> {
    match about {
        About::RemoveDomain { name, .. } => vec![Call::of(&DomainRemove {
            name: name.clone(),
            with_users: choice,
        })],
        About::RemoveUsers(addresses) => addresses
            .iter()
            .map(|address| {
                Call::of(&UserRemove {
                    address: address.clone(),
                    keep_mail: choice,
                })
            })
            .collect(),
        About::RemoveAlias(address) => vec![Call::of(&AliasRemove {
            address: address.clone(),
        })],
        About::RemoveGroup(name) => vec![Call::of(&GroupRemove { name: name.clone() })],
        About::RemoveTree(name) => vec![Call::of(&TreeRemove { name: name.clone() })],
        About::RemoveEntry(side, pattern) => {
            vec![Call::of(&AccessRemove {
                side: *side,
                pattern: pattern.clone(),
            })]
        }
        About::RemoveRoute(name) => vec![Call::of(&RouteRemove { name: name.clone() })],
        About::RemoveExternal { user, name } => vec![Call::of(&ExternalRemove {
            user: user.clone(),
            name: name.clone(),
        })],
        About::RemoveFolder { user, name } => {
            vec![Call::of(&FolderRemove {
                user: user.clone(),
                name: name.clone(),
            })]
        }
        About::RemoveServerCertificate(id) => vec![Call::of(&CertificateRemove { id: id.clone() })],
        About::ForgetCertificate(name) => vec![Call::of(&CertificateForget { name: name.clone() })],
        About::RevokeCertificate(name) => vec![Call::of(&CertificateRevoke {
            name: name.clone(),
            reason: String::new(),
        })],
        About::ChangeAccountKey => vec![Call::of(&CertificateRekey {})],
        About::RemoveCertificate { user, fingerprint } => {
            vec![Call::of(&UserCertificateRemove {
                address: user.clone(),
                fingerprint: fingerprint.clone(),
            })]
        }
        About::RemoveAppPassword { user, label } => {
            vec![Call::of(&AppPasswordRemove {
                address: user.clone(),
                label: label.clone(),
            })]
        }
        About::SendReports => vec![Call::of(&ReportSend { kind: None })],
        About::Dkim {
            step,
            domain,
            selector,
        } => vec![step.call(domain, selector)],
        About::RemoveMessages(ids) => vec![Call::of(&QueueRemove {
            ids: ids.clone(),
            bounce: choice,
        })],
        About::EndSession { id, .. } => vec![Call::of(&SessionEnd { id: *id })],
        About::StopService(service) => {
            vec![Call::of(&ServiceSet {
                service: service.clone(),
                state: ServiceState::Stopped,
            })]
        }
    }
}
