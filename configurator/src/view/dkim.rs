//! Among the details of a domain: the keys that sign its mail, with the records that publish them.

use eframe::egui::{Align, Label, Layout, RichText, Ui};
use egui_material_icons::icons::{ICON_CONTENT_COPY, ICON_DELETE, ICON_KEY};
use shared::model::DkimKey;

use super::{Cx, domains};
use crate::model::Message;
use crate::model::dialog::About;
use crate::model::dkim::DkimStep;
use crate::model::forms::{DkimForm, Form};
use crate::theme::{size, space};
use crate::widgets::{Weight, button, caption, cut, icon_button, strong};

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>, domain: &str) {
    caption(ui, &cx.t.get("dkim"));
    let dkim = &cx.model.dkim;
    if let Some(failed) = &dkim.failed {
        ui.label(RichText::new(failed.words(&cx.t)).color(cx.tokens.text_soft));
    }
    if dkim.domain.as_deref() == Some(domain) {
        for key in &dkim.keys {
            row(ui, cx, key);
        }
    }
    let add = cx.t.get("dkim-add");
    if button(ui, Weight::Plain, Some(ICON_KEY), &add).clicked() {
        cx.send(Message::Open(Form::Dkim(DkimForm {
            domain: domain.to_owned(),
            ..DkimForm::default()
        })));
    }
}

fn row(ui: &mut Ui, cx: &mut Cx<'_>, key: &DkimKey) {
    let ask = |step: DkimStep| {
        Message::Ask(About::Dkim {
            step,
            domain: key.domain.to_string(),
            selector: key.selector.clone(),
        })
    };
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = space::XXS;
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let remove = cx.t.named("dkim-remove", &key.selector);
                if icon_button(ui, ICON_DELETE, &remove).clicked() {
                    cx.send(ask(DkimStep::Remove));
                }
                domains::state(ui, cx, key.active);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    cut(ui, strong(format!("{} ({})", key.selector, key.algorithm)));
                });
            });
        });
        record(ui, cx, "dkim-copy-name", &key.record_name);
        record(ui, cx, "dkim-copy-record", &key.record);
        let (word, step) = if key.active {
            ("dkim-disable", DkimStep::Disable)
        } else {
            ("dkim-enable", DkimStep::Enable)
        };
        if button(ui, Weight::Plain, None, &cx.t.named(word, &key.selector)).clicked() {
            cx.send(ask(step));
        }
        ui.add_space(space::S);
    });
}

/// A part of the TXT record, cut where there is no room, to be copied whole.
fn record(ui: &mut Ui, cx: &mut Cx<'_>, word: &str, text: &str) {
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icon_button(ui, ICON_CONTENT_COPY, &cx.t.get(word)).clicked() {
                cx.send(Message::Copy(text.to_owned()));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let shown = RichText::new(text).monospace().size(size::SMALL);
                ui.add(Label::new(shown.color(cx.tokens.text_soft)).truncate());
            });
        });
    });
}
