//! The fields of the answer while a user is away.

use eframe::egui::Ui;

use super::forms::{Drawn, several};
use crate::model::forms::VacationForm;
use crate::widgets::field::{edit, line};

/// Lines of the text that are seen at once.
const TEXT_LINES: usize = 7;

impl Drawn<'_, '_> {
    pub(super) fn vacation(&self, ui: &mut Ui, form: &mut VacationForm) {
        ui.checkbox(&mut form.enabled, self.get("field-vacation-enabled"));
        ui.horizontal(|ui| {
            ui.vertical(|ui| {
                self.row(ui, "starts", "field-vacation-starts", "", |ui| {
                    edit(ui, "starts", &mut form.starts, "2026-07-01", 130.0, false)
                });
            });
            ui.vertical(|ui| {
                self.row(ui, "ends", "field-vacation-ends", "", |ui| {
                    edit(ui, "ends", &mut form.ends, "2026-07-31", 130.0, false)
                });
            });
        });
        self.row(
            ui,
            "subject",
            "field-vacation-subject",
            "field-vacation-subject-help",
            |ui| line(ui, "subject", &mut form.subject, ""),
        );
        self.row(ui, "text", "field-vacation-text", "", |ui| {
            several(ui, "text", &mut form.text, TEXT_LINES)
        });
        self.row(
            ui,
            "days",
            "field-vacation-days",
            "field-vacation-days-help",
            |ui| edit(ui, "days", &mut form.days, "7", 60.0, false),
        );
    }
}
