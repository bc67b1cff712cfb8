//! The groups.

use eframe::egui::{RichText, Ui};
use egui_material_icons::icons::{ICON_DELETE, ICON_EDIT, ICON_GROUP_ADD, ICON_GROUPS};
use shared::model::Group;

use super::{Cx, list};
use crate::model::Message;
use crate::model::dialog::About;
use crate::model::forms::{Form, GroupForm};
use crate::model::lists::ListId;
use crate::theme::size;
use crate::widgets::table::{Column, Width, text};
use crate::widgets::{Weight, button, fact, strong};

const NOTHING: list::Nothing = list::Nothing {
    icon: ICON_GROUPS,
    title: "groups-none",
    hint: "groups-none-hint",
};

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let rows = &cx.model.groups;
    let title = cx.t.get("page-groups");
    list::head(
        ui,
        cx,
        ListId::Groups,
        &title,
        ("count-groups", rows.total(), &rows.filter),
        |ui, cx| {
            if button(ui, Weight::Primary, Some(ICON_GROUP_ADD), &cx.t.get("group-add")).clicked() {
                cx.send(Message::Open(Form::Group(GroupForm::default())));
            }
        },
    );
    let selected = rows.selected.as_ref().and_then(|key| {
        rows.held()
            .map(|(_, group)| group)
            .find(|group| group.name == *key)
    });
    if let Some(group) = selected.cloned() {
        list::details(ui, cx, "group-details", |ui, cx| details(ui, cx, &group));
    }
    let columns = [
        Column::new("name", cx.t.get("column-group"), Width::Wide(200.0)),
        Column::new("", cx.t.get("column-address"), Width::Wide(220.0)),
        Column::new("", cx.t.get("column-members"), Width::Wide(110.0)).right(),
        Column::new("description", cx.t.get("column-description"), Width::Rest),
    ];
    let seen = list::table(
        ui,
        cx,
        ListId::Groups,
        rows,
        (&columns, &NOTHING),
        cell,
        |ui, cx, group| {
            if ui.button(cx.t.get("edit")).clicked() {
                cx.send(Message::Open(Form::Group(GroupForm::of(group))));
            }
            if ui.button(cx.t.get("delete")).clicked() {
                cx.send(Message::Ask(About::RemoveGroup(group.name.clone())));
            }
        },
    );
    if let Some(group) = seen.opened.and_then(|index| rows.row(index)) {
        cx.send(Message::Open(Form::Group(GroupForm::of(group))));
    }
}

fn cell(ui: &mut Ui, cx: &mut Cx<'_>, group: &Group, column: usize) {
    match column {
        0 => text(ui, &group.name, None),
        1 => {
            let address = group
                .address
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            text(ui, &address, Some(cx.tokens.text_soft));
        }
        2 => text(
            ui,
            &cx.t
                .number((group.members.len() + group.member_groups.len()) as u64),
            None,
        ),
        _ => text(ui, &group.description, Some(cx.tokens.text_soft)),
    }
}

fn details(ui: &mut Ui, cx: &mut Cx<'_>, group: &Group) {
    ui.label(strong(&group.name).size(size::STRONG));
    if !group.description.is_empty() {
        ui.label(RichText::new(&group.description).color(cx.tokens.text_soft));
    }
    ui.horizontal_wrapped(|ui| {
        if button(ui, Weight::Plain, Some(ICON_EDIT), &cx.t.get("edit")).clicked() {
            cx.send(Message::Open(Form::Group(GroupForm::of(group))));
        }
        if button(ui, Weight::Danger, Some(ICON_DELETE), &cx.t.get("delete")).clicked() {
            cx.send(Message::Ask(About::RemoveGroup(group.name.clone())));
        }
    });
    let address = group
        .address
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    fact(ui, &cx.t.get("field-group-address"), &address);
    let members: Vec<String> = group.members.iter().map(ToString::to_string).collect();
    fact(ui, &cx.t.get("field-members"), &members.join("\n"));
    fact(
        ui,
        &cx.t.get("field-member-groups"),
        &group.member_groups.join("\n"),
    );
}
