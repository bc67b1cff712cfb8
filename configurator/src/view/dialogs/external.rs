//! The fields of an external account.

use eframe::egui::Ui;
use shared::external::{ExternalMechanism, ExternalProtocol, ExternalSecurity};

use super::forms::{Drawn, several};
use crate::model::external::After;
use crate::model::forms::ExternalForm;
use crate::view::external::{mechanism_key, protocol_key, security_key};
use crate::widgets::field::{choice, edit, line};

/// Width of a field that shares its line with another.
const HALF_WIDTH: f32 = 214.0;

impl Drawn<'_, '_> {
    pub(super) fn external(&self, ui: &mut Ui, form: &mut ExternalForm) {
        // An account is found by its user and its name: they are chosen once.
        if form.was.is_none() {
            let (user, name) = (&mut form.user, &mut form.name);
            halves(
                ui,
                |ui| {
                    self.row(ui, "user", "field-external-user", "", |ui| {
                        edit(ui, "user", user, "anna@example.org", HALF_WIDTH, false)
                    });
                },
                |ui| {
                    self.row(ui, "name", "field-external-name", "", |ui| {
                        edit(ui, "name", name, "", HALF_WIDTH, false)
                    });
                },
            );
        }
        self.server(ui, form);
        self.login(ui, form);
        self.mail(ui, form);
        self.row(ui, "comment", "column-comment", "", |ui| {
            line(ui, "comment", &mut form.comment, "")
        });
        ui.checkbox(&mut form.enabled, self.get("field-external-enabled"));
    }

    fn server(&self, ui: &mut Ui, form: &mut ExternalForm) {
        ui.horizontal(|ui| {
            ui.vertical(|ui| {
                let all = ExternalProtocol::ALL
                    .iter()
                    .map(|protocol| (*protocol, self.get(protocol_key(*protocol))))
                    .collect::<Vec<_>>();
                self.row(ui, "protocol", "field-route-protocol", "", |ui| {
                    let (response, chosen) = choice(ui, "protocol", &form.protocol, &all, HALF_WIDTH);
                    form.protocol = chosen.unwrap_or(form.protocol);
                    response
                });
            });
            ui.vertical(|ui| {
                let all = ExternalSecurity::ALL
                    .iter()
                    .map(|security| (*security, self.get(security_key(*security))))
                    .collect::<Vec<_>>();
                self.row(ui, "security", "field-route-tls", "", |ui| {
                    let (response, chosen) = choice(ui, "security", &form.security, &all, HALF_WIDTH);
                    form.security = chosen.unwrap_or(form.security);
                    response
                });
            });
        });
        let usual = usual_port(form.protocol, form.security);
        let (host, port) = (&mut form.host, &mut form.port);
        halves(
            ui,
            |ui| {
                self.row(ui, "host", "field-external-host", "", |ui| {
                    edit(ui, "host", host, "imap.example.com", HALF_WIDTH, false)
                });
            },
            |ui| {
                self.row(ui, "port", "field-external-port", "", |ui| {
                    edit(ui, "port", port, usual, 80.0, false)
                });
            },
        );
    }

    fn login(&self, ui: &mut Ui, form: &mut ExternalForm) {
        let kept = form.was.as_ref().is_some_and(|was| was.has_password);
        let hint = if kept {
            self.get("password-unchanged")
        } else {
            String::new()
        };
        let (login, password) = (&mut form.login, &mut form.password);
        halves(
            ui,
            |ui| {
                self.row(ui, "login", "field-external-login", "", |ui| {
                    edit(ui, "login", login, "", HALF_WIDTH, false)
                });
            },
            |ui| {
                self.row(ui, "password", "field-password", "", |ui| {
                    edit(ui, "password", password, &hint, HALF_WIDTH, true)
                });
            },
        );
        let all = ExternalMechanism::ALL
            .iter()
            .map(|mechanism| (*mechanism, self.get(mechanism_key(*mechanism))))
            .collect::<Vec<_>>();
        self.row(ui, "mechanism", "field-external-mechanism", "", |ui| {
            let (response, chosen) = choice(ui, "mechanism", &form.mechanism, &all, HALF_WIDTH);
            form.mechanism = chosen.unwrap_or(form.mechanism);
            response
        });
        if form.security != ExternalSecurity::None {
            self.row(
                ui,
                "certificate",
                "field-external-certificate",
                "field-external-certificate-help",
                |ui| line(ui, "certificate", &mut form.certificate, ""),
            );
        }
    }

    fn mail(&self, ui: &mut Ui, form: &mut ExternalForm) {
        if form.protocol == ExternalProtocol::Imap {
            self.row(
                ui,
                "folders",
                "field-external-folders",
                "field-external-folders-help",
                |ui| several(ui, "folders", &mut form.folders, 2),
            );
        }
        self.row(
            ui,
            "into",
            "field-external-into",
            "field-external-into-help",
            |ui| line(ui, "into", &mut form.into, ""),
        );
        self.row(ui, "interval_minutes", "field-external-interval", "", |ui| {
            edit(ui, "interval", &mut form.interval, "15", 80.0, false)
        });
        let all = [
            (After::Keep, self.get("external-after-keep")),
            (After::Delete, self.get("external-after-delete")),
            (After::Days, self.get("external-after-days")),
        ];
        self.row(ui, "after", "field-external-after", "", |ui| {
            let (response, chosen) = choice(ui, "after", &form.after, &all, HALF_WIDTH * 2.0);
            form.after = chosen.unwrap_or(form.after);
            response
        });
        if form.after == After::Days {
            self.row(ui, "after", "field-external-days", "", |ui| {
                edit(ui, "days", &mut form.days, "7", 80.0, false)
            });
        }
        if form.protocol == ExternalProtocol::Imap {
            ui.checkbox(&mut form.mark_seen, self.get("field-external-mark-seen"));
        }
    }
}

/// Two fields in a line.
fn halves(ui: &mut Ui, left: impl FnOnce(&mut Ui), right: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        ui.vertical(left);
        ui.vertical(right);
    });
}

/// What stands for a port that nobody chose.
fn usual_port(protocol: ExternalProtocol, security: ExternalSecurity) -> &'static str {
    match (protocol, security) {
        (ExternalProtocol::Pop3, ExternalSecurity::Tls) => "995",
        (ExternalProtocol::Pop3, _) => "110",
        (ExternalProtocol::Imap, ExternalSecurity::Tls) => "993",
        (ExternalProtocol::Imap, _) => "143",
    }
}
