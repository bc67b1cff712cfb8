//! Where each kind of data lies, and the check of the mailboxes.

use eframe::egui::{RichText, ScrollArea, Spinner, Ui};
use egui_material_icons::icons::{
    ICON_BUILD, ICON_CHECK_CIRCLE, ICON_HEALTH_AND_SAFETY, ICON_STORAGE, ICON_WARNING,
};
use i18n::Arg;
use shared::protocol::CheckReport;

use super::{Cx, heading, not_yet};
use crate::model::Message;
use crate::theme::{size, space};
use crate::widgets::table::{self, Column, Spec, Width, text};
use crate::widgets::{Mood, Weight, badge, banner, button, caption, card, strong};

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    heading(ui, &cx.t.get("page-storage"), "", |ui| {
        ui.add_enabled_ui(cx.model.connected() && !cx.model.checking, |ui| {
            if button(
                ui,
                Weight::Plain,
                Some(ICON_HEALTH_AND_SAFETY),
                &cx.t.get("storage-check"),
            )
            .clicked()
            {
                cx.send(Message::CheckStorage { repair: false });
            }
        });
        if cx.model.checking {
            ui.add(Spinner::new().size(16.0));
            ui.label(cx.t.get("storage-checking"));
        }
    });
    if let Some(report) = &cx.model.check {
        result(ui, cx, report);
    }
    let Some(storage) = &cx.model.storage else {
        not_yet(ui, cx, ICON_STORAGE);
        return;
    };
    ui.horizontal_wrapped(|ui| {
        caption(ui, &cx.t.get("storage-drivers"));
        for driver in &storage.drivers {
            badge(ui, Mood::Accent, driver);
        }
    });
    let columns = [
        Column::new("", cx.t.get("column-kind"), Width::Wide(220.0)),
        Column::new("", cx.t.get("column-database"), Width::Wide(140.0)),
        Column::new("", cx.t.get("column-driver"), Width::Wide(120.0)),
        Column::new("", cx.t.get("column-location"), Width::Rest),
    ];
    card(cx.tokens).inner_margin(0).show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        let spec = Spec::new("storage", &columns, storage.kinds.len() as u64);
        table::show(
            ui,
            &spec,
            |ui, index, column| {
                let Some(kind) = storage.kinds.get(index as usize) else {
                    return false;
                };
                match column {
                    0 => text(ui, &kind_name(cx, &kind.kind), None),
                    1 => text(ui, &kind.database, None),
                    2 => text(ui, &kind.driver, None),
                    _ => text(ui, &kind.location, Some(cx.tokens.text_soft)),
                }
                true
            },
            |_, _| {},
        );
    });
}

/// A kind that this program has no word for is shown as the daemon names it.
fn kind_name(cx: &Cx<'_>, kind: &str) -> String {
    let key = format!("kind-{kind}");
    if i18n::has(&key) {
        cx.t.get(&key)
    } else {
        kind.to_owned()
    }
}

fn result(ui: &mut Ui, cx: &mut Cx<'_>, report: &CheckReport) {
    let counted = cx.t.with(
        "storage-checked",
        &[
            ("mailboxes", Arg::from(cx.t.number(report.mailboxes))),
            ("messages", Arg::from(cx.t.number(report.messages))),
            ("problems", Arg::from(report.problems.len())),
        ],
    );
    if report.problems.is_empty() {
        banner(ui, Mood::Good, ICON_CHECK_CIRCLE, &counted, |_| {});
        return;
    }
    let open = report.problems.iter().any(|problem| !problem.repaired);
    let repair = cx.t.get("storage-repair");
    let mut asked = false;
    banner(ui, Mood::Warn, ICON_WARNING, &counted, |ui| {
        if open {
            asked = button(ui, Weight::Plain, Some(ICON_BUILD), &repair).clicked();
        }
    });
    if asked {
        cx.send(Message::CheckStorage { repair: true });
    }
    card(cx.tokens).show(ui, |ui| {
        ScrollArea::vertical().max_height(180.0).show(ui, |ui| {
            for problem in &report.problems {
                ui.horizontal(|ui| {
                    let (mood, key) = if problem.repaired {
                        (Mood::Good, "problem-repaired")
                    } else {
                        (Mood::Warn, "problem-open")
                    };
                    badge(ui, mood, &cx.t.get(key));
                    ui.label(strong(&problem.owner));
                    ui.label(RichText::new(cx.t.refusal(&problem.refusal)).size(size::BODY));
                });
            }
        });
    });
    ui.add_space(space::XS);
}
