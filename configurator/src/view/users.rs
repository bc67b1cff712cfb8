//! The users of a domain.

use eframe::egui::{RichText, Ui};
use egui_material_icons::icons::{ICON_DELETE, ICON_EDIT, ICON_FOLDER, ICON_GROUP, ICON_PERSON_ADD};
use i18n::Arg;
use shared::protocol::UserRow;

use super::{Cx, domains, keys, list};
use crate::model::dialog::About;
use crate::model::forms::{Form, UserForm, VacationForm};
use crate::model::lists::ListId;
use crate::model::{Message, Table};
use crate::theme::size;
use crate::widgets::table::{Column, Width, text};
use crate::widgets::{Mood, Weight, badge, button, fact, gauge, strong};

pub(super) const NOTHING: list::Nothing = list::Nothing {
    icon: ICON_GROUP,
    title: "users-none",
    hint: "users-none-hint",
};

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>, domain: &str) {
    let rows = &cx.model.users;
    let title = cx.t.with("users-of", &[("domain", Arg::from(readable(domain)))]);
    list::head(
        ui,
        cx,
        ListId::Users,
        &title,
        ("count-users-shown", rows.total(), &rows.filter),
        |ui, cx| {
            if button(ui, Weight::Primary, Some(ICON_PERSON_ADD), &cx.t.get("user-add")).clicked() {
                cx.send(Message::Open(Form::User(UserForm::new(domain))));
            }
        },
    );
    if let Some(row) = selected(rows).cloned() {
        list::details(ui, cx, "user-details", |ui, cx| details(ui, cx, &row));
    }
    let columns = [
        Column::new("address", cx.t.get("column-address"), Width::Wide(330.0)),
        Column::new("name", cx.t.get("column-name"), Width::Rest),
        Column::new("", cx.t.get("column-used"), Width::Wide(132.0)).right(),
        Column::new("", cx.t.get("column-groups"), Width::Wide(150.0)),
        Column::new("", cx.t.get("column-state"), Width::Fixed(108.0)),
    ];
    let seen = list::table(ui, cx, ListId::Users, rows, (&columns, &NOTHING), cell, menu);
    if let Some(row) = seen.opened.and_then(|index| rows.row(index)) {
        cx.send(Message::Open(Form::User(UserForm::of(&row.user))));
    }
}

/// A domain in the form that people read.
pub(super) fn readable(domain: &str) -> String {
    shared::DomainName::parse(domain).map_or_else(|_| domain.to_owned(), |name| name.unicode())
}

pub(super) fn selected(rows: &Table<UserRow>) -> Option<&UserRow> {
    let key = rows.selected.as_ref()?;
    rows.held()
        .map(|(_, row)| row)
        .find(|row| row.user.address.to_string() == *key)
}

fn cell(ui: &mut Ui, cx: &mut Cx<'_>, row: &UserRow, column: usize) {
    match column {
        0 => text(ui, &row.user.address.to_string(), None),
        1 => text(ui, &row.user.name, None),
        2 => usage(ui, cx, row),
        3 => text(ui, &row.user.groups.join(", "), Some(cx.tokens.text_soft)),
        _ => state(ui, cx, row),
    }
}

fn usage(ui: &mut Ui, cx: &Cx<'_>, row: &UserRow) {
    let Some(used) = row.used_bytes else {
        return text(ui, "—", Some(cx.tokens.text_faint));
    };
    text(ui, &cx.t.bytes(used), None);
    if let Some(quota) = row.user.quota_bytes.filter(|quota| *quota > 0) {
        gauge(ui, (used as f64 / quota as f64) as f32, 44.0);
    }
}

fn state(ui: &mut Ui, cx: &Cx<'_>, row: &UserRow) {
    if row.user.enabled && !row.user.has_password {
        badge(ui, Mood::Warn, &cx.t.get("state-no-password"));
    } else {
        domains::state(ui, cx, row.user.enabled);
    }
}

fn menu(ui: &mut Ui, cx: &mut Cx<'_>, row: &UserRow) {
    let address = row.user.address.to_string();
    if ui.button(cx.t.get("edit")).clicked() {
        cx.send(Message::Open(Form::User(UserForm::of(&row.user))));
    }
    if ui.button(cx.t.get("page-folders")).clicked() {
        cx.send(Message::OpenFolders(address.clone()));
    }
    if ui.button(cx.t.get("vacation")).clicked() {
        cx.send(Message::Open(Form::Vacation(VacationForm::of(&row.user))));
    }
    if ui.button(cx.t.get("copy-address")).clicked() {
        cx.send(Message::Copy(address.clone()));
    }
    if ui.button(cx.t.get("delete")).clicked() {
        cx.send(Message::Ask(About::RemoveUsers(vec![address])));
    }
}

/// In which language the server writes; `none`: what holds if none is chosen.
pub(super) fn language(ui: &mut Ui, cx: &Cx<'_>, code: &str, none: &str) {
    let mut all = i18n::Language::ALL.into_iter();
    let chosen = all.find(|language| language.code() == code);
    let shown = chosen.map_or_else(|| cx.t.get(none), |language| language.own_name().to_owned());
    fact(ui, &cx.t.get("field-language"), &shown);
}

fn details(ui: &mut Ui, cx: &mut Cx<'_>, row: &UserRow) {
    let user = &row.user;
    let address = user.address.to_string();
    ui.label(
        strong(if user.name.is_empty() {
            &address
        } else {
            &user.name
        })
        .size(size::STRONG),
    );
    if !user.name.is_empty() {
        ui.label(RichText::new(&address).color(cx.tokens.text_soft));
    }
    ui.horizontal_wrapped(|ui| {
        if button(ui, Weight::Plain, Some(ICON_EDIT), &cx.t.get("edit")).clicked() {
            cx.send(Message::Open(Form::User(UserForm::of(user))));
        }
        if button(ui, Weight::Plain, Some(ICON_FOLDER), &cx.t.get("page-folders")).clicked() {
            cx.send(Message::OpenFolders(address.clone()));
        }
        if button(ui, Weight::Danger, Some(ICON_DELETE), &cx.t.get("delete")).clicked() {
            cx.send(Message::Ask(About::RemoveUsers(vec![address.clone()])));
        }
    });
    let used = row.used_bytes.map(|used| cx.t.bytes(used)).unwrap_or_default();
    fact(ui, &cx.t.get("column-used"), &used);
    let quota = user
        .quota_bytes
        .map_or_else(|| cx.t.get("quota-of-domain"), |quota| cx.t.bytes(quota));
    fact(ui, &cx.t.get("field-quota"), &quota);
    fact(ui, &cx.t.get("column-groups"), &user.groups.join("\n"));
    let forward: Vec<String> = user.forward_to.iter().map(ToString::to_string).collect();
    fact(ui, &cx.t.get("field-forward"), &forward.join("\n"));
    if user.vacation.enabled {
        fact(ui, &cx.t.get("vacation-fact"), &user.vacation.text);
    }
    language(ui, cx, &user.language, "language-of-domain");
    if !user.send_as.is_empty() {
        fact(ui, &cx.t.get("field-send-as"), &user.send_as.join("\n"));
    }
    let denied: Vec<String> = user
        .denied_protocols
        .iter()
        .map(|protocol| protocol_name(cx, *protocol))
        .collect();
    let denied = if denied.is_empty() {
        cx.t.get("denied-none")
    } else {
        denied.join(", ")
    };
    fact(ui, &cx.t.get("field-denied"), &denied);
    let password = if user.has_password {
        "password-set"
    } else {
        "password-not-set"
    };
    fact(ui, &cx.t.get("field-password"), &cx.t.get(password));
    keys::show(ui, cx, &address);
    keys::certificates(ui, cx, &address);
}

pub(super) fn protocol_name(cx: &Cx<'_>, protocol: shared::model::Protocol) -> String {
    cx.t.get(&format!("service-{}", format!("{protocol:?}").to_lowercase()))
}
