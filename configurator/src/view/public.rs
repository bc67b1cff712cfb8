//! The public folders of domains and groups: which have some at the left, the folders and the rights on them at the right.

use eframe::egui::{Panel, Ui};
use egui_material_icons::icons::{
    ICON_ADD, ICON_CREATE_NEW_FOLDER, ICON_DELETE, ICON_EDIT, ICON_FOLDER_SHARED,
};
use shared::model::{PublicTree, TreeOf};

use super::{Cx, folders, heading, list, users};
use crate::model::Message;
use crate::model::dialog::About;
use crate::model::forms::{Form, TreeForm};
use crate::model::lists::ListId;
use crate::widgets::table::{Column, Width, text};
use crate::widgets::{Weight, button};

const NOTHING: list::Nothing = list::Nothing {
    icon: ICON_FOLDER_SHARED,
    title: "public-none",
    hint: "public-none-hint",
};

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let selected = selected(cx).cloned();
    heading(ui, &cx.t.get("page-public"), "", |ui| {
        if button(ui, Weight::Primary, Some(ICON_ADD), &cx.t.get("tree-add")).clicked() {
            cx.send(Message::Open(Form::Tree(TreeForm::default())));
        }
        let Some(tree) = &selected else { return };
        let add = cx.t.get("folder-add");
        if button(ui, Weight::Plain, Some(ICON_CREATE_NEW_FOLDER), &add).clicked() {
            folders::add(cx);
        }
        if button(ui, Weight::Plain, Some(ICON_EDIT), &cx.t.get("tree-limit")).clicked() {
            cx.send(Message::Open(Form::Tree(TreeForm::of(tree))));
        }
        if button(ui, Weight::Danger, Some(ICON_DELETE), &cx.t.get("tree-remove")).clicked() {
            cx.send(Message::Ask(About::RemoveTree(tree.name.clone())));
        }
    });
    Panel::left("public-trees")
        .exact_size(300.0)
        .resizable(false)
        .show_separator_line(false)
        .frame(folders::side())
        .show(ui, |ui| trees(ui, cx));
    folders::content(ui, cx, ("public-choose", "public-choose-hint"));
}

fn trees(ui: &mut Ui, cx: &mut Cx<'_>) {
    let rows = &cx.model.public;
    list::search(ui, cx, ListId::Public, &rows.filter);
    let columns = [
        Column::new("", cx.t.get("column-public"), Width::Rest),
        Column::new("quota_bytes", cx.t.get("column-limit"), Width::Wide(96.0)).right(),
    ];
    let seen = list::table(
        ui,
        cx,
        ListId::Public,
        rows,
        (&columns, &NOTHING),
        cell,
        |ui, cx, tree| {
            if ui.button(cx.t.get("tree-limit")).clicked() {
                cx.send(Message::Open(Form::Tree(TreeForm::of(tree))));
            }
            if ui.button(cx.t.get("tree-remove")).clicked() {
                cx.send(Message::Ask(About::RemoveTree(tree.name.clone())));
            }
        },
    );
    if let Some(tree) = seen.opened.and_then(|index| rows.row(index)) {
        cx.send(Message::Open(Form::Tree(TreeForm::of(tree))));
    }
}

fn selected<'a>(cx: &Cx<'a>) -> Option<&'a PublicTree> {
    let key = cx.model.public.selected.as_ref()?;
    let mut held = cx.model.public.held().map(|(_, tree)| tree);
    held.find(|tree| tree.name == *key)
}

fn cell(ui: &mut Ui, cx: &mut Cx<'_>, tree: &PublicTree, column: usize) {
    if column == 0 {
        let (name, of) = match tree.of {
            TreeOf::Domain => (users::readable(&tree.name), "tree-of-domain"),
            TreeOf::Group => (tree.name.clone(), "tree-of-group"),
        };
        text(ui, &name, None);
        text(ui, &cx.t.get(of), Some(cx.tokens.text_faint));
        return;
    }
    match tree.quota_bytes {
        Some(bytes) => text(ui, &cx.t.bytes(bytes), None),
        None => text(ui, "—", Some(cx.tokens.text_faint)),
    }
}
