//! Among the details of a user: app passwords and certificates.

use eframe::egui::{Align, Label, Layout, RichText, Ui};
use egui_material_icons::icons::{ICON_BADGE, ICON_DELETE, ICON_KEY};
use shared::model::AppPassword;

use super::{Cx, users};
use crate::model::Message;
use crate::model::dialog::About;
use crate::model::forms::{AppForm, CertificateForm, Form};
use crate::theme::space;
use crate::widgets::{Weight, button, caption, cut, icon_button, strong};

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>, user: &str) {
    caption(ui, &cx.t.get("app-passwords"));
    let keys = &cx.model.keys;
    if let Some(failed) = &keys.failed {
        ui.label(RichText::new(failed.words(&cx.t)).color(cx.tokens.text_soft));
    }
    if keys.user.as_deref() == Some(user) {
        for app in &keys.apps {
            row(ui, cx, user, app);
        }
    }
    let add = cx.t.get("app-password-add");
    if button(ui, Weight::Plain, Some(ICON_KEY), &add).clicked() {
        cx.send(Message::Open(Form::AppPassword(AppForm {
            user: user.to_owned(),
            ..AppForm::default()
        })));
    }
}

pub(super) fn certificates(ui: &mut Ui, cx: &mut Cx<'_>, user: &str) {
    caption(ui, &cx.t.get("user-certificates"));
    let keys = &cx.model.keys;
    if keys.user.as_deref() == Some(user) {
        for certificate in &keys.certificates {
            let name = if certificate.label.is_empty() {
                &certificate.fingerprint
            } else {
                &certificate.label
            };
            ui.horizontal(|ui| {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let remove = cx.t.named("user-certificate-remove", name);
                    if icon_button(ui, ICON_DELETE, &remove).clicked() {
                        cx.send(Message::Ask(About::RemoveCertificate {
                            user: user.to_owned(),
                            fingerprint: certificate.fingerprint.clone(),
                        }));
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        cut(ui, strong(name));
                    });
                });
            });
        }
    }
    let add = cx.t.get("user-certificate-add");
    if button(ui, Weight::Plain, Some(ICON_BADGE), &add).clicked() {
        cx.send(Message::Open(Form::Certificate(CertificateForm {
            user: user.to_owned(),
            ..CertificateForm::default()
        })));
    }
}

fn row(ui: &mut Ui, cx: &mut Cx<'_>, user: &str, app: &AppPassword) {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = space::XXS;
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let remove = cx.t.named("app-password-remove", &app.label);
                if icon_button(ui, ICON_DELETE, &remove).clicked() {
                    cx.send(Message::Ask(About::RemoveAppPassword {
                        user: user.to_owned(),
                        label: app.label.clone(),
                    }));
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    cut(ui, strong(&app.label));
                });
            });
        });
        let opens: Vec<String> = app
            .protocols
            .iter()
            .map(|protocol| users::protocol_name(cx, *protocol))
            .collect();
        let used = match app.used_at {
            Some(at) => cx.t.named("app-password-used", &cx.t.time(at)),
            None => cx.t.get("app-password-unused"),
        };
        let text = if opens.is_empty() {
            used
        } else {
            format!("{}\n{used}", opens.join(", "))
        };
        ui.add(Label::new(RichText::new(text).color(cx.tokens.text_soft)).wrap());
    });
}
