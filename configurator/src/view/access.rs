//! The black and white lists.

use eframe::egui::Ui;
use egui_material_icons::icons::{ICON_ADD, ICON_DELETE, ICON_SHIELD};
use shared::model::{ListEntry, Side};

use super::{Cx, list};
use crate::model::Message;
use crate::model::dialog::About;
use crate::model::forms::{EntryForm, Form};
use crate::model::lists::{ListId, entry_key};
use crate::widgets::table::{Column, Width, text};
use crate::widgets::{Mood, Weight, badge, button, field};

const NOTHING: list::Nothing = list::Nothing {
    icon: ICON_SHIELD,
    title: "access-none",
    hint: "access-none-hint",
};

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let rows = &cx.model.access;
    let title = cx.t.get("page-access");
    let side = match rows.scope.as_str() {
        "allow" => Some(Side::Allow),
        "block" => Some(Side::Block),
        _ => None,
    };
    list::head(
        ui,
        cx,
        ListId::Access,
        &title,
        ("count-entries", rows.total(), &rows.filter),
        |ui, cx| {
            if button(ui, Weight::Primary, Some(ICON_ADD), &cx.t.get("entry-add")).clicked() {
                cx.send(Message::Open(Form::Entry(EntryForm::new(
                    side.unwrap_or(Side::Block),
                ))));
            }
            let selected = rows.selected.as_ref().and_then(|key| {
                rows.held()
                    .map(|(_, entry)| entry)
                    .find(|entry| entry_key(entry) == *key)
            });
            if let Some(entry) = selected
                && button(ui, Weight::Danger, Some(ICON_DELETE), &cx.t.get("delete")).clicked()
            {
                cx.send(Message::Ask(About::RemoveEntry(
                    entry.side,
                    entry.pattern.clone(),
                )));
            }
            let all = [
                (None, cx.t.get("access-both")),
                (Some(Side::Allow), cx.t.get("access-white")),
                (Some(Side::Block), cx.t.get("access-black")),
            ];
            let (response, chosen) = field::choice(ui, "access-side", &side, &all, 140.0);
            let name = cx.t.get("field-side");
            response
                .widget_info(|| eframe::egui::WidgetInfo::labeled(eframe::egui::Role::ComboBox, true, &name));
            if let Some(side) = chosen {
                cx.send(Message::AccessSide(side));
            }
        },
    );
    let columns = [
        Column::new("", cx.t.get("column-list"), Width::Wide(150.0)),
        Column::new("pattern", cx.t.get("column-pattern"), Width::Wide(300.0)),
        Column::new("comment", cx.t.get("column-comment"), Width::Rest),
    ];
    list::table(
        ui,
        cx,
        ListId::Access,
        rows,
        (&columns, &NOTHING),
        cell,
        |ui, cx, entry| {
            if ui.button(cx.t.get("delete")).clicked() {
                cx.send(Message::Ask(About::RemoveEntry(
                    entry.side,
                    entry.pattern.clone(),
                )));
            }
        },
    );
}

fn cell(ui: &mut Ui, cx: &mut Cx<'_>, entry: &ListEntry, column: usize) {
    match (column, entry.side) {
        (0, Side::Allow) => drop(badge(ui, Mood::Good, &cx.t.get("side-allow"))),
        (0, Side::Block) => drop(badge(ui, Mood::Bad, &cx.t.get("side-block"))),
        (1, _) => text(ui, &entry.pattern, None),
        _ => text(ui, &entry.comment, Some(cx.tokens.text_soft)),
    }
}
