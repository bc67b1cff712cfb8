//! The fields of a new app password, and the dialog that shows it once.

use eframe::egui::{Align, Context, Label, Layout, RichText, Ui};
use egui_material_icons::icons::ICON_CONTENT_COPY;

use super::super::{Cx, users};
use super::forms::{Drawn, several};
use super::{WIDTH, frame, title};
use crate::model::Message;
use crate::model::forms::{AppForm, CertificateForm, PROTOCOLS};
use crate::model::keys::Secret;
use crate::theme::{size, space};
use crate::widgets::field::line;
use crate::widgets::{Weight, button};

impl Drawn<'_, '_> {
    pub(super) fn app_password(&self, ui: &mut Ui, form: &mut AppForm) {
        self.row(ui, "label", "field-label", "field-label-help", |ui| {
            line(ui, "label", &mut form.label, "")
        });
        ui.label(
            RichText::new(self.get("field-opens"))
                .size(size::SMALL)
                .color(self.cx.tokens.text_soft),
        );
        ui.horizontal(|ui| {
            for protocol in PROTOCOLS {
                let mut on = form.protocols.contains(&protocol);
                let name = users::protocol_name(self.cx, protocol);
                if ui.checkbox(&mut on, name).changed() {
                    form.protocols.retain(|other| *other != protocol);
                    if on {
                        form.protocols.push(protocol);
                    }
                }
            }
        });
    }

    pub(super) fn certificate(&self, ui: &mut Ui, form: &mut CertificateForm) {
        self.row(ui, "label", "field-label", "field-label-help", |ui| {
            line(ui, "label", &mut form.label, "")
        });
        self.row(
            ui,
            "certificate",
            "field-certificate",
            "field-certificate-help",
            |ui| several(ui, "certificate", &mut form.certificate, 6),
        );
    }
}

/// The only place where an app password is ever seen.
pub(super) fn secret(ctx: &Context, cx: &mut Cx<'_>, secret: &Secret) {
    let close = frame(ctx, "secret", WIDTH, |ui| {
        title(ui, &cx.t.named("app-password-made", &secret.label));
        ui.add(Label::new(cx.t.get("app-password-made-text")).wrap());
        ui.add_space(space::M);
        let shown = RichText::new(&secret.password).monospace().size(size::TITLE);
        ui.add(Label::new(shown).selectable(true));
        ui.add_space(space::M);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if button(ui, Weight::Primary, None, &cx.t.get("close")).clicked() {
                cx.send(Message::Discard);
            }
            if button(ui, Weight::Plain, Some(ICON_CONTENT_COPY), &cx.t.get("copy")).clicked() {
                cx.send(Message::Copy(secret.password.clone()));
            }
        });
    });
    if close {
        cx.send(Message::Discard);
    }
}
