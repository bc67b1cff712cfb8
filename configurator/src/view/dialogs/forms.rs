//! The fields of each form.

use eframe::egui::{RichText, Ui};
use shared::model::Side;

use super::super::{Cx, users};
use crate::model::dialog::Edit;
use crate::model::forms::{AliasForm, DomainForm, EntryForm, Form, GroupForm, PROTOCOLS, UserForm};
use crate::theme::{size, space};
use crate::widgets::field::{self, choice, edit, line, lines, row};

pub(super) fn title(cx: &Cx<'_>, form: &Form) -> String {
    let (key, name) = match form {
        Form::Domain(form) => pick(
            "domain-add",
            "domain-edit",
            form.was.as_ref().map(|was| was.name.unicode()),
        ),
        Form::User(form) => pick(
            "user-add",
            "user-edit",
            form.was.as_ref().map(|was| was.address.to_string()),
        ),
        Form::Alias(form) => pick(
            "alias-add",
            "alias-edit",
            form.was.as_ref().map(|was| was.address.to_string()),
        ),
        Form::Group(form) => pick(
            "group-add",
            "group-edit",
            form.was.as_ref().map(|was| was.name.clone()),
        ),
        Form::Entry(_) => ("entry-add", None),
        Form::Route(form) => pick(
            "route-add",
            "route-edit",
            form.was.as_ref().map(|was| was.name.clone()),
        ),
        Form::External(form) => pick(
            "external-add",
            "external-edit",
            form.was.as_ref().map(|was| was.name.clone()),
        ),
        Form::Tree(form) => pick(
            "tree-add",
            "tree-edit",
            form.was.as_ref().map(|was| was.name.clone()),
        ),
        Form::Folder(form) => pick("folder-add", "folder-rename", form.was.clone()),
        Form::Rights(form) => ("rights-title", Some(form.place())),
        Form::Dkim(form) => ("dkim-title", Some(form.domain.clone())),
        Form::AppPassword(form) => ("app-password-title", Some(form.user.clone())),
        Form::ServerCertificate(_) => ("certificate-add", None),
        Form::Obtain(_) => ("certificate-obtain", None),
        Form::Certificate(form) => ("user-certificate-title", Some(form.user.clone())),
        Form::Export(form) if !form.messages.is_empty() => ("queue-export-title", None),
        Form::Export(_) => ("log-export", None),
        Form::NextHost(_) => ("queue-next-host-title", None),
        Form::RouteTest(_) => ("route-test", None),
        Form::Vacation(form) => (
            "vacation-title",
            form.was.as_ref().map(|was| was.address.to_string()),
        ),
    };
    match name {
        Some(name) => cx.t.named(key, &name),
        None => cx.t.get(key),
    }
}

fn pick(add: &'static str, edit: &'static str, was: Option<String>) -> (&'static str, Option<String>) {
    if was.is_some() { (edit, was) } else { (add, None) }
}

pub(super) fn save_key(form: &Form) -> &'static str {
    match form {
        Form::Export(form) if !form.messages.is_empty() => "queue-export-do",
        Form::Export(_) => "log-export-do",
        Form::AppPassword(_) => "app-password-make",
        Form::RouteTest(_) => "route-test-do",
        Form::Obtain(_) => "certificate-obtain-do",
        _ => "save",
    }
}

pub(super) fn fields(ui: &mut Ui, cx: &Cx<'_>, form: &mut Form, edit: &Edit) {
    let drawn = Drawn { cx, edit };
    match form {
        Form::Domain(form) => drawn.domain(ui, form),
        Form::User(form) => drawn.user(ui, form),
        Form::Alias(form) => drawn.alias(ui, form),
        Form::Group(form) => drawn.group(ui, form),
        Form::Entry(form) => drawn.entry(ui, form),
        Form::Route(form) => drawn.route(ui, form),
        Form::External(form) => drawn.external(ui, form),
        Form::Tree(form) => drawn.tree(ui, form),
        Form::Folder(form) => drawn.folder(ui, form),
        Form::Rights(form) => drawn.rights(ui, form),
        Form::Dkim(form) => drawn.dkim(ui, form),
        Form::AppPassword(form) => drawn.app_password(ui, form),
        Form::Certificate(form) => drawn.certificate(ui, form),
        Form::ServerCertificate(form) => {
            drawn.row(ui, "pem", "field-pem", "field-pem-help", |ui| {
                several(ui, "pem", &mut form.pem, 12)
            });
        }
        Form::Obtain(form) => {
            drawn.row(ui, "names", "field-host-names", "field-host-names-help", |ui| {
                several(ui, "names", &mut form.names, 4)
            });
        }
        Form::Export(form) => {
            let (name, help) = if form.messages.is_empty() {
                ("field-path", "field-path-help")
            } else {
                ("field-export-folder", "field-export-folder-help")
            };
            drawn.row(ui, "path", name, help, |ui| line(ui, "path", &mut form.path, ""));
        }
        Form::Vacation(form) => drawn.vacation(ui, form),
        Form::RouteTest(form) => drawn.route_test(ui, form),
        Form::NextHost(form) => {
            drawn.row(ui, "route", "field-next-host", "field-next-host-help", |ui| {
                line(ui, "route", &mut form.route, "mail.example.com:25")
            });
        }
    }
}

pub(super) struct Drawn<'a, 'b> {
    pub(super) cx: &'a Cx<'b>,
    edit: &'a Edit,
}

impl Drawn<'_, '_> {
    pub(super) fn get(&self, key: &str) -> String {
        if key.is_empty() {
            String::new()
        } else {
            self.cx.t.get(key)
        }
    }

    pub(super) fn row(
        &self,
        ui: &mut Ui,
        field: &str,
        label: &str,
        help: &str,
        draw: impl FnOnce(&mut Ui) -> eframe::egui::Response,
    ) {
        let error = self
            .edit
            .errors
            .get(field)
            .map(|refusal| self.cx.t.refusal(refusal));
        row(ui, &self.get(label), &self.get(help), error.as_deref(), draw);
    }

    /// The local part with the domain behind it.
    fn local(&self, ui: &mut Ui, local: &mut String, domain: &str) {
        self.row(ui, "local", "field-local", "", |ui| {
            ui.horizontal(|ui| {
                let response = edit(ui, "local", local, "", 210.0, false);
                let domain = format!("@{}", users::readable(domain));
                ui.label(RichText::new(domain).color(self.cx.tokens.text_soft));
                response
            })
            .inner
        });
    }

    fn domain(&self, ui: &mut Ui, form: &mut DomainForm) {
        if form.was.is_none() {
            self.row(ui, "name", "field-domain", "field-domain-help", |ui| {
                line(ui, "name", &mut form.name, "example.com")
            });
        }
        self.row(ui, "description", "field-description", "", |ui| {
            line(ui, "description", &mut form.description, "")
        });
        self.row(
            ui,
            "aliases",
            "field-domain-aliases",
            "field-domain-aliases-help",
            |ui| several(ui, "aliases", &mut form.aliases, 2),
        );
        self.row(ui, "catch_all", "field-catch-all", "field-catch-all-help", |ui| {
            line(ui, "catch_all", &mut form.catch_all, "")
        });
        ui.horizontal_top(|ui| {
            self.row(ui, "quota", "field-user-quota", "field-quota-help", |ui| {
                edit(ui, "quota", &mut form.quota, &self.get("unlimited"), 207.0, false)
            });
            ui.add_space(space::M);
            self.row(ui, "users_max", "field-users-max", "", |ui| {
                edit(
                    ui,
                    "users_max",
                    &mut form.users_max,
                    &self.get("unlimited"),
                    207.0,
                    false,
                )
            });
        });
        self.language(ui, &mut form.language, "language-of-server");
        self.mechanisms(ui, form);
        ui.checkbox(&mut form.enabled, self.get("field-domain-enabled"));
    }

    fn user(&self, ui: &mut Ui, form: &mut UserForm) {
        let domain = form.domain.clone();
        self.local(ui, &mut form.local, &domain);
        self.row(ui, "name", "field-name", "", |ui| {
            line(ui, "name", &mut form.name, "")
        });
        let (label, hint) = if form.was.is_some() {
            ("field-new-password", self.get("password-unchanged"))
        } else {
            ("field-password", String::new())
        };
        ui.horizontal_top(|ui| {
            self.row(ui, "password", label, "", |ui| {
                edit(ui, "password", &mut form.password, &hint, 214.0, true)
            });
            ui.add_space(space::XXS);
            self.row(ui, "again", "field-again", "", |ui| {
                edit(ui, "again", &mut form.again, "", 214.0, true)
            });
        });
        let hint = self.get("quota-of-domain");
        self.row(ui, "quota", "field-quota", "field-quota-help", |ui| {
            edit(ui, "quota", &mut form.quota, &hint, 214.0, false)
        });
        self.row(ui, "groups", "column-groups", "field-groups-help", |ui| {
            several(ui, "groups", &mut form.groups, 2)
        });
        if form.was.is_some() {
            self.row(ui, "forward", "field-forward", "field-forward-help", |ui| {
                several(ui, "forward", &mut form.forward, 2)
            });
            ui.checkbox(&mut form.forward_keep, self.get("field-forward-keep"));
            self.row(ui, "send_as", "field-send-as", "field-send-as-help", |ui| {
                several(ui, "send_as", &mut form.send_as, 2)
            });
            self.language(ui, &mut form.language, "language-of-domain");
            ui.label(
                RichText::new(self.get("field-allowed"))
                    .size(size::SMALL)
                    .color(self.cx.tokens.text_soft),
            );
            ui.horizontal(|ui| {
                for protocol in PROTOCOLS {
                    let mut allowed = !form.denied.contains(&protocol);
                    if ui
                        .checkbox(&mut allowed, users::protocol_name(self.cx, protocol))
                        .changed()
                    {
                        form.denied.retain(|denied| *denied != protocol);
                        if !allowed {
                            form.denied.push(protocol);
                        }
                    }
                }
            });
        }
        ui.checkbox(&mut form.enabled, self.get("field-user-enabled"));
    }

    /// `none`: what holds if none is chosen.
    fn language(&self, ui: &mut Ui, language: &mut String, none: &str) {
        let mut all = vec![(String::new(), self.get(none))];
        all.extend(i18n::Language::ALL.map(|one| (one.code().to_owned(), one.own_name().to_owned())));
        self.row(ui, "language", "field-language", "field-language-help", |ui| {
            let (response, chosen) = choice(ui, "language", language, &all, 214.0);
            if let Some(chosen) = chosen {
                *language = chosen;
            }
            response
        });
    }

    fn alias(&self, ui: &mut Ui, form: &mut AliasForm) {
        let domain = form.domain.clone();
        self.local(ui, &mut form.local, &domain);
        self.row(ui, "targets", "column-targets", "field-targets-help", |ui| {
            several(ui, "targets", &mut form.targets, 4)
        });
        ui.checkbox(&mut form.enabled, self.get("field-alias-enabled"));
    }

    fn group(&self, ui: &mut Ui, form: &mut GroupForm) {
        self.row(ui, "name", "column-group", "", |ui| {
            line(ui, "name", &mut form.name, "")
        });
        self.row(ui, "description", "field-description", "", |ui| {
            line(ui, "description", &mut form.description, "")
        });
        self.row(
            ui,
            "address",
            "field-group-address",
            "field-group-address-help",
            |ui| line(ui, "address", &mut form.address, ""),
        );
        self.row(ui, "members", "field-members", "field-members-help", |ui| {
            several(ui, "members", &mut form.members, 5)
        });
        self.row(
            ui,
            "member_groups",
            "field-member-groups",
            "field-groups-help",
            |ui| several(ui, "member_groups", &mut form.member_groups, 2),
        );
    }

    fn entry(&self, ui: &mut Ui, form: &mut EntryForm) {
        let all = [
            (Side::Block, self.get("access-black")),
            (Side::Allow, self.get("access-white")),
        ];
        self.row(ui, "side", "field-side", "field-side-help", |ui| {
            let (response, chosen) = choice(ui, "side", &form.side, &all, field::FIELD_WIDTH);
            form.side = chosen.unwrap_or(form.side);
            response
        });
        self.row(ui, "pattern", "column-pattern", "field-pattern-help", |ui| {
            line(ui, "pattern", &mut form.pattern, "192.0.2.0/24")
        });
        self.row(ui, "comment", "column-comment", "", |ui| {
            line(ui, "comment", &mut form.comment, "")
        });
    }
}

/// A field of several lines, which is remembered as one for the Enter key.
pub(super) fn several(ui: &mut Ui, id: &str, text: &mut String, rows: usize) -> eframe::egui::Response {
    let response = lines(ui, id, text, rows);
    let key = response.id.with("lines");
    ui.memory_mut(|memory| memory.data.insert_temp(key, true));
    response
}
