//! The fields of a route.

use eframe::egui::Ui;
use shared::route::{RouteProtocol, RouteTls};

use super::forms::{Drawn, several};
use crate::model::forms::RouteForm;
use crate::view::routes::{protocol_key, tls_key};
use crate::widgets::field::{choice, edit, line};

/// Width of a field that shares its line with another.
const HALF_WIDTH: f32 = 214.0;

impl Drawn<'_, '_> {
    pub(super) fn route(&self, ui: &mut Ui, form: &mut RouteForm) {
        ui.horizontal(|ui| {
            ui.vertical(|ui| {
                // A route is found by its name: that is chosen once.
                if form.was.is_none() {
                    self.row(ui, "name", "field-route-name", "", |ui| {
                        edit(ui, "name", &mut form.name, "", HALF_WIDTH, false)
                    });
                }
            });
            ui.vertical(|ui| {
                self.row(ui, "place", "field-route-place", "field-route-place-help", |ui| {
                    edit(ui, "place", &mut form.place, "100", 80.0, false)
                });
            });
        });
        self.row(ui, "to", "field-route-to", "field-route-to-help", |ui| {
            several(ui, "to", &mut form.to, 2)
        });
        self.row(ui, "from", "field-route-from", "field-route-from-help", |ui| {
            several(ui, "from", &mut form.from, 2)
        });
        self.row(ui, "hosts", "field-route-hosts", "field-route-hosts-help", |ui| {
            several(ui, "hosts", &mut form.hosts, 2)
        });
        ui.horizontal(|ui| {
            ui.vertical(|ui| {
                let all = RouteTls::ALL.map(|mode| (mode, self.get(tls_key(mode))));
                self.row(ui, "tls", "field-route-tls", "", |ui| {
                    let (response, chosen) = choice(ui, "tls", &form.tls, &all, HALF_WIDTH);
                    form.tls = chosen.unwrap_or(form.tls);
                    response
                });
            });
            ui.vertical(|ui| {
                let all = [RouteProtocol::Smtp, RouteProtocol::Lmtp]
                    .map(|protocol| (protocol, self.get(protocol_key(protocol))));
                self.row(ui, "protocol", "field-route-protocol", "", |ui| {
                    let (response, chosen) = choice(ui, "protocol", &form.protocol, &all, HALF_WIDTH);
                    form.protocol = chosen.unwrap_or(form.protocol);
                    response
                });
            });
        });
        let kept = form.was.as_ref().is_some_and(|was| was.has_password);
        ui.horizontal(|ui| {
            ui.vertical(|ui| {
                self.row(ui, "user", "field-route-user", "", |ui| {
                    edit(ui, "user", &mut form.user, "", HALF_WIDTH, false)
                });
            });
            ui.vertical(|ui| {
                let hint = if kept {
                    self.get("password-unchanged")
                } else {
                    String::new()
                };
                self.row(ui, "password", "field-password", "", |ui| {
                    edit(ui, "password", &mut form.password, &hint, HALF_WIDTH, true)
                });
            });
        });
        self.row(ui, "comment", "column-comment", "", |ui| {
            line(ui, "comment", &mut form.comment, "")
        });
        ui.checkbox(&mut form.enabled, self.get("field-route-enabled"));
    }
}
