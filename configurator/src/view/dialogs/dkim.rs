//! The fields of a new key that signs mail.

use eframe::egui::Ui;

use super::forms::{Drawn, several};
use crate::model::forms::DkimForm;
use crate::widgets::field::{self, choice, line};

impl Drawn<'_, '_> {
    pub(super) fn dkim(&self, ui: &mut Ui, form: &mut DkimForm) {
        let all = [(false, "RSA (2048)".to_owned()), (true, "Ed25519".to_owned())];
        self.row(ui, "algorithm", "field-algorithm", "field-algorithm-help", |ui| {
            let (response, chosen) = choice(ui, "algorithm", &form.ed25519, &all, field::FIELD_WIDTH);
            form.ed25519 = chosen.unwrap_or(form.ed25519);
            response
        });
        self.row(ui, "selector", "field-selector", "field-selector-help", |ui| {
            line(ui, "selector", &mut form.selector, "")
        });
        self.row(
            ui,
            "private_key",
            "field-private-key",
            "field-private-key-help",
            |ui| several(ui, "private_key", &mut form.private_key, 3),
        );
    }
}
