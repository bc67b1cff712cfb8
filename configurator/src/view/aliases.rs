//! The aliases of a domain.

use eframe::egui::Ui;
use egui_material_icons::icons::{ICON_ADD, ICON_ALTERNATE_EMAIL, ICON_DELETE, ICON_EDIT};
use i18n::Arg;
use shared::model::Alias;

use super::{Cx, domains, list, users};
use crate::model::Message;
use crate::model::dialog::About;
use crate::model::forms::{AliasForm, Form};
use crate::model::lists::ListId;
use crate::theme::size;
use crate::widgets::table::{Column, Width, text};
use crate::widgets::{Weight, button, fact, strong};

const NOTHING: list::Nothing = list::Nothing {
    icon: ICON_ALTERNATE_EMAIL,
    title: "aliases-none",
    hint: "aliases-none-hint",
};

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>, domain: &str) {
    let rows = &cx.model.aliases;
    let title =
        cx.t.with("aliases-of", &[("domain", Arg::from(users::readable(domain)))]);
    list::head(
        ui,
        cx,
        ListId::Aliases,
        &title,
        ("count-aliases", rows.total(), &rows.filter),
        |ui, cx| {
            if button(ui, Weight::Primary, Some(ICON_ADD), &cx.t.get("alias-add")).clicked() {
                cx.send(Message::Open(Form::Alias(AliasForm::new(domain))));
            }
        },
    );
    let selected = rows.selected.as_ref().and_then(|key| {
        rows.held()
            .map(|(_, alias)| alias)
            .find(|alias| alias.address.to_string() == *key)
    });
    if let Some(alias) = selected.cloned() {
        list::details(ui, cx, "alias-details", |ui, cx| details(ui, cx, &alias));
    }
    let columns = [
        Column::new("address", cx.t.get("column-address"), Width::Wide(260.0)),
        Column::new("", cx.t.get("column-targets"), Width::Rest),
        Column::new("", cx.t.get("column-state"), Width::Fixed(110.0)),
    ];
    let seen = list::table(
        ui,
        cx,
        ListId::Aliases,
        rows,
        (&columns, &NOTHING),
        cell,
        |ui, cx, alias| {
            menu(ui, cx, alias);
        },
    );
    if let Some(alias) = seen.opened.and_then(|index| rows.row(index)) {
        cx.send(Message::Open(Form::Alias(AliasForm::of(alias))));
    }
}

fn targets(alias: &Alias, between: &str) -> String {
    alias
        .targets
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(between)
}

fn cell(ui: &mut Ui, cx: &mut Cx<'_>, alias: &Alias, column: usize) {
    match column {
        0 => text(ui, &alias.address.to_string(), None),
        1 => text(ui, &targets(alias, ", "), Some(cx.tokens.text_soft)),
        _ => domains::state(ui, cx, alias.enabled),
    }
}

fn menu(ui: &mut Ui, cx: &mut Cx<'_>, alias: &Alias) {
    if ui.button(cx.t.get("edit")).clicked() {
        cx.send(Message::Open(Form::Alias(AliasForm::of(alias))));
    }
    if ui.button(cx.t.get("delete")).clicked() {
        cx.send(Message::Ask(About::RemoveAlias(alias.address.to_string())));
    }
}

fn details(ui: &mut Ui, cx: &mut Cx<'_>, alias: &Alias) {
    ui.label(strong(alias.address.to_string()).size(size::STRONG));
    ui.horizontal_wrapped(|ui| {
        if button(ui, Weight::Plain, Some(ICON_EDIT), &cx.t.get("edit")).clicked() {
            cx.send(Message::Open(Form::Alias(AliasForm::of(alias))));
        }
        if button(ui, Weight::Danger, Some(ICON_DELETE), &cx.t.get("delete")).clicked() {
            cx.send(Message::Ask(About::RemoveAlias(alias.address.to_string())));
        }
    });
    fact(ui, &cx.t.get("column-targets"), &targets(alias, "\n"));
}
