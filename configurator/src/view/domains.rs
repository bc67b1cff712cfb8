//! The domains.

use eframe::egui::{RichText, Ui};
use egui_material_icons::icons::{ICON_ADD, ICON_DELETE, ICON_DNS, ICON_EDIT, ICON_PERSON};
use shared::protocol::DomainRow;

use super::{Cx, dkim, list};
use crate::model::dialog::About;
use crate::model::forms::{DomainForm, Form};
use crate::model::lists::ListId;
use crate::model::{Message, Page};
use crate::theme::size;
use crate::widgets::table::{Column, Width, text};
use crate::widgets::{Mood, Weight, badge, button, fact, strong};

const NOTHING: list::Nothing = list::Nothing {
    icon: ICON_DNS,
    title: "domains-none",
    hint: "domains-none-hint",
};

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let rows = &cx.model.domains;
    let title = cx.t.get("page-domains");
    list::head(
        ui,
        cx,
        ListId::Domains,
        &title,
        ("count-domains", rows.total(), &rows.filter),
        |ui, cx| {
            if button(ui, Weight::Primary, Some(ICON_ADD), &cx.t.get("domain-add")).clicked() {
                cx.send(Message::Open(Form::Domain(DomainForm::new())));
            }
        },
    );
    if let Some(row) = list_selected(cx) {
        list::details(ui, cx, "domain-details", |ui, cx| details(ui, cx, &row));
    }
    let columns = [
        Column::new("name", cx.t.get("column-domain"), Width::Wide(220.0)),
        Column::new("", cx.t.get("column-users"), Width::Wide(110.0)).right(),
        Column::new("description", cx.t.get("column-description"), Width::Rest),
        Column::new("", cx.t.get("column-state"), Width::Fixed(110.0)),
    ];
    let seen = list::table(ui, cx, ListId::Domains, rows, (&columns, &NOTHING), cell, menu);
    if let Some(row) = seen.opened.and_then(|index| rows.row(index)) {
        cx.send(Message::Open(Form::Domain(DomainForm::of(&row.domain))));
    }
}

fn list_selected(cx: &Cx<'_>) -> Option<DomainRow> {
    let key = cx.model.domains.selected.as_ref()?;
    cx.model
        .domains
        .held()
        .find(|(_, row)| row.domain.name.as_str() == key)
        .map(|(_, row)| row.clone())
}

fn cell(ui: &mut Ui, cx: &mut Cx<'_>, row: &DomainRow, column: usize) {
    match column {
        0 => text(ui, &row.domain.name.unicode(), None),
        1 => text(ui, &cx.t.number(row.users), None),
        2 => text(ui, &row.domain.description, Some(cx.tokens.text_soft)),
        _ => state(ui, cx, row.domain.enabled),
    }
}

pub(super) fn state(ui: &mut Ui, cx: &Cx<'_>, enabled: bool) {
    if enabled {
        badge(ui, Mood::Good, &cx.t.get("state-on"));
    } else {
        badge(ui, Mood::Calm, &cx.t.get("state-off"));
    }
}

fn menu(ui: &mut Ui, cx: &mut Cx<'_>, row: &DomainRow) {
    let name = row.domain.name.to_string();
    if ui.button(cx.t.get("domain-open-users")).clicked() {
        cx.send(Message::Go(Page::Users(name.clone())));
    }
    if ui.button(cx.t.get("edit")).clicked() {
        cx.send(Message::Open(Form::Domain(DomainForm::of(&row.domain))));
    }
    if ui.button(cx.t.get("delete")).clicked() {
        cx.send(Message::Ask(About::RemoveDomain {
            name,
            users: row.users,
        }));
    }
}

fn details(ui: &mut Ui, cx: &mut Cx<'_>, row: &DomainRow) {
    let domain = &row.domain;
    ui.label(strong(domain.name.unicode()).size(size::STRONG));
    if domain.name.unicode() != domain.name.as_str() {
        ui.label(RichText::new(domain.name.as_str()).color(cx.tokens.text_soft));
    }
    ui.horizontal_wrapped(|ui| {
        if button(ui, Weight::Plain, Some(ICON_EDIT), &cx.t.get("edit")).clicked() {
            cx.send(Message::Open(Form::Domain(DomainForm::of(domain))));
        }
        if button(ui, Weight::Plain, Some(ICON_PERSON), &cx.t.get("page-users")).clicked() {
            cx.send(Message::Go(Page::Users(domain.name.to_string())));
        }
        if button(ui, Weight::Danger, Some(ICON_DELETE), &cx.t.get("delete")).clicked() {
            cx.send(Message::Ask(About::RemoveDomain {
                name: domain.name.to_string(),
                users: row.users,
            }));
        }
    });
    fact(ui, &cx.t.get("column-users"), &cx.t.number(row.users));
    fact(ui, &cx.t.get("field-description"), &domain.description);
    let aliases: Vec<String> = domain.aliases.iter().map(shared::DomainName::unicode).collect();
    fact(ui, &cx.t.get("field-domain-aliases"), &aliases.join("\n"));
    let catch_all = domain
        .catch_all
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    fact(ui, &cx.t.get("field-catch-all"), &catch_all);
    let quota = domain
        .user_quota_bytes
        .map_or_else(|| cx.t.get("unlimited"), |bytes| cx.t.bytes(bytes));
    fact(ui, &cx.t.get("field-user-quota"), &quota);
    let most = domain
        .users_max
        .map_or_else(|| cx.t.get("unlimited"), |most| cx.t.number(u64::from(most)));
    fact(ui, &cx.t.get("field-users-max"), &most);
    super::users::language(ui, cx, &domain.language, "language-of-server");
    let logins = if domain.mechanisms.is_empty() {
        cx.t.get("field-mechanisms-standard")
    } else {
        domain.mechanisms.join(", ")
    };
    fact(ui, &cx.t.get("field-mechanisms"), &logins);
    dkim::show(ui, cx, domain.name.as_str());
}
