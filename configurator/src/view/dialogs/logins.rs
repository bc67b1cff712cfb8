//! The ways in which a domain's users may log in, each with what it costs in safety.

use eframe::egui::{Label, RichText, Ui};
use shared::mechanisms::{MECHANISMS, Mechanisms};

use super::forms::Drawn;
use crate::model::forms::DomainForm;
use crate::theme::{size, space};

impl Drawn<'_, '_> {
    pub(super) fn mechanisms(&self, ui: &mut Ui, form: &mut DomainForm) {
        let soft = |text: String| {
            let text = RichText::new(text).size(size::SMALL);
            text.color(self.cx.tokens.text_soft)
        };
        ui.label(soft(self.get("field-mechanisms")));
        let mut standard = form.mechanisms.is_empty();
        if ui
            .checkbox(&mut standard, self.get("field-mechanisms-standard"))
            .changed()
        {
            form.mechanisms = if standard {
                Vec::new()
            } else {
                let usual = MECHANISMS.iter().filter(|mechanism| mechanism.standard);
                usual.map(|mechanism| mechanism.name.to_owned()).collect()
            };
        }
        if form.mechanisms.is_empty() {
            return;
        }
        let on = Mechanisms::of(&form.mechanisms);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = space::XXS;
            for mechanism in MECHANISMS {
                let mut ticked = on.has(mechanism.name);
                if ui.checkbox(&mut ticked, mechanism.name).changed() {
                    form.mechanisms.retain(|name| name != mechanism.name);
                    if ticked {
                        form.mechanisms.push(mechanism.name.to_owned());
                    }
                }
                let costs = self.get(mechanism.costs);
                let costs = if mechanism.standard {
                    soft(costs)
                } else {
                    RichText::new(costs).size(size::SMALL).color(self.cx.tokens.warn)
                };
                ui.add(Label::new(costs).wrap());
            }
        });
    }
}
