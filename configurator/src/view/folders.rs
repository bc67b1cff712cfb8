//! The folders of a domain's users: who at the left, what and whose rights at the right.

use eframe::egui::{Align, Frame, Label, Layout, Margin, Panel, RichText, Ui};
use egui_material_icons::icons::{
    ICON_CREATE_NEW_FOLDER, ICON_DELETE, ICON_DRIVE_FILE_RENAME_OUTLINE, ICON_EDIT, ICON_ERROR, ICON_FOLDER,
    ICON_KEY,
};
use i18n::Arg;
use shared::Rights;
use shared::model::Folder;

use super::{Cx, heading, list, users};
use crate::model::dialog::About;
use crate::model::forms::{FolderForm, Form, RightsForm, Whom};
use crate::model::lists::ListId;
use crate::model::{Message, is_public, shown_name};
use crate::theme::{size, space};
use crate::widgets::table::{self, Column, Spec, Width, text};
use crate::widgets::{Weight, button, caption, card, cut, empty, fact, icon_button, strong};

/// A table of folders of this width has names and messages only, in points.
const NARROW: f32 = 480.0;

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>, domain: &str) {
    let title =
        cx.t.with("folders-of", &[("domain", Arg::from(users::readable(domain)))]);
    heading(ui, &title, "", |ui| {
        let text = cx.t.get("folder-add");
        if cx.model.folders.user.is_some()
            && button(ui, Weight::Primary, Some(ICON_CREATE_NEW_FOLDER), &text).clicked()
        {
            add(cx);
        }
    });
    Panel::left("folder-users")
        .default_size(280.0)
        .size_range(200.0..=420.0)
        .show_separator_line(false)
        .frame(side())
        .show(ui, |ui| owners(ui, cx));
    content(ui, cx, ("folders-choose", "folders-choose-hint"));
}

/// The frame of the list at the left.
pub(super) fn side() -> Frame {
    Frame::new().inner_margin(Margin {
        right: space::L as i8,
        ..Margin::ZERO
    })
}

/// Opens the form of a new folder of the owner in sight.
pub(super) fn add(cx: &mut Cx<'_>) {
    if let Some(user) = cx.model.folders.user.clone() {
        cx.send(Message::Open(Form::Folder(FolderForm {
            user,
            ..FolderForm::default()
        })));
    }
}

/// The folders of the owner in sight with the details of the selected one; `choose` says what to do where there is none.
pub(super) fn content(ui: &mut Ui, cx: &mut Cx<'_>, choose: (&str, &str)) {
    let Some(user) = cx.model.folders.user.clone() else {
        card(cx.tokens).show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            empty(ui, ICON_FOLDER, &cx.t.get(choose.0), &cx.t.get(choose.1));
        });
        return;
    };
    if let Some(folder) = selected(cx).cloned() {
        list::details(ui, cx, "folder-details", |ui, cx| details(ui, cx, &user, &folder));
    }
    card(cx.tokens).inner_margin(Margin::ZERO).show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        if let Some(failed) = &cx.model.folders.failed {
            empty(ui, ICON_ERROR, &cx.t.get("list-failed"), &failed.words(&cx.t));
            return;
        }
        if let Some(rows) = &cx.model.folders.rows {
            folders(ui, cx, &user, rows);
        }
    });
}

fn owners(ui: &mut Ui, cx: &mut Cx<'_>) {
    list::search(ui, cx, ListId::Users, &cx.model.users.filter);
    let columns = [Column::new("address", cx.t.get("column-user"), Width::Rest)];
    list::table(
        ui,
        cx,
        ListId::Users,
        &cx.model.users,
        (&columns, &users::NOTHING),
        |ui, _, row, _| text(ui, &row.user.address.to_string(), None),
        |_, _, _| {},
    );
}

fn selected<'a>(cx: &Cx<'a>) -> Option<&'a Folder> {
    let name = cx.model.folders.selected.as_ref()?;
    cx.model
        .folders
        .rows
        .as_ref()?
        .iter()
        .find(|folder| folder.name == *name)
}

fn folders(ui: &mut Ui, cx: &mut Cx<'_>, user: &str, rows: &[Folder]) {
    let mut columns = vec![
        Column::new("", cx.t.get("column-folder"), Width::Rest),
        Column::new("", cx.t.get("column-messages"), Width::Wide(96.0)).right(),
    ];
    // Beside the details the names need the room; the details have the rest.
    if ui.available_width() > NARROW {
        columns.push(Column::new("", cx.t.get("column-unseen"), Width::Wide(104.0)).right());
        columns.push(Column::new("", cx.t.get("column-size"), Width::Wide(84.0)).right());
    }
    let mut spec = Spec::new("folders", &columns, rows.len() as u64);
    spec.selected = cx
        .model
        .folders
        .selected
        .as_ref()
        .and_then(|name| rows.iter().position(|folder| folder.name == *name))
        .map(|index| index as u64);
    let seen = table::show(
        ui,
        &spec,
        |ui, index, column| match rows.get(index as usize) {
            Some(folder) => {
                cell(ui, cx, user, folder, column);
                true
            }
            None => false,
        },
        |_, _| {},
    );
    if let Some(folder) = seen.clicked.and_then(|index| rows.get(index as usize)) {
        cx.send(Message::SelectFolder(Some(folder.name.clone())));
    }
}

fn cell(ui: &mut Ui, cx: &Cx<'_>, user: &str, folder: &Folder, column: usize) {
    match column {
        0 => {
            let depth = folder.name.matches('/').count();
            ui.add_space(depth as f32 * space::L);
            ui.label(
                ICON_FOLDER
                    .rich_text()
                    .size(size::STRONG)
                    .color(cx.tokens.text_soft),
            );
            // The first of public folders has their name in full.
            let shown = shown_name(user, &folder.name);
            let leaf = match folder.name.rsplit_once('/') {
                Some((_, leaf)) => leaf,
                None => &shown,
            };
            text(ui, leaf, None);
            if let Some(special) = &folder.special_use {
                text(
                    ui,
                    &cx.t.get(&format!("special-{special}")),
                    Some(cx.tokens.text_faint),
                );
            }
        }
        1 => text(ui, &cx.t.number(folder.messages), None),
        2 => text(ui, &cx.t.number(folder.unseen), None),
        _ => text(ui, &cx.t.bytes(folder.bytes), None),
    }
}

fn details(ui: &mut Ui, cx: &mut Cx<'_>, user: &str, folder: &Folder) {
    let root = is_public(user) && folder.name == "INBOX";
    ui.label(strong(shown_name(user, &folder.name)).size(size::STRONG));
    let beside = if root {
        cx.t.get("public-root")
    } else {
        user.to_owned()
    };
    ui.label(RichText::new(beside).color(cx.tokens.text_soft));
    if !root {
        change(ui, cx, user, &folder.name);
    }
    fact(ui, &cx.t.get("column-messages"), &cx.t.number(folder.messages));
    fact(ui, &cx.t.get("column-unseen"), &cx.t.number(folder.unseen));
    fact(ui, &cx.t.get("column-size"), &cx.t.bytes(folder.bytes));
    rights(ui, cx, user, folder);
}

fn change(ui: &mut Ui, cx: &mut Cx<'_>, user: &str, name: &str) {
    let rename = cx.t.get("rename");
    ui.horizontal_wrapped(|ui| {
        if button(ui, Weight::Plain, Some(ICON_DRIVE_FILE_RENAME_OUTLINE), &rename).clicked() {
            cx.send(Message::Open(Form::Folder(FolderForm {
                user: user.to_owned(),
                was: Some(name.to_owned()),
                name: name.to_owned(),
                ..FolderForm::default()
            })));
        }
        if button(ui, Weight::Danger, Some(ICON_DELETE), &cx.t.get("delete")).clicked() {
            cx.send(Message::Ask(About::RemoveFolder {
                user: user.to_owned(),
                name: name.to_owned(),
            }));
        }
    });
}

/// Who may do what: a role, or each right.
fn rights(ui: &mut Ui, cx: &mut Cx<'_>, user: &str, folder: &Folder) {
    caption(ui, &cx.t.get("folder-rights"));
    if folder.rights.is_empty() {
        let nobody = if is_public(user) {
            "folder-rights-nobody"
        } else {
            "folder-rights-none"
        };
        ui.label(RichText::new(cx.t.get(nobody)).color(cx.tokens.text_soft));
    }
    for (who, letters) in &folder.rights {
        given(ui, cx, (user, &folder.name), who, letters);
    }
    if button(ui, Weight::Plain, Some(ICON_KEY), &cx.t.get("rights-add")).clicked() {
        cx.send(Message::Open(Form::Rights(RightsForm::new(user, &folder.name))));
    }
}

/// What one has, and the button to change it.
fn given(ui: &mut Ui, cx: &mut Cx<'_>, (user, folder): (&str, &str), who: &str, letters: &str) {
    let name = whose(cx, who);
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = space::XXS;
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let edit = cx.t.named("rights-edit", &name);
                if icon_button(ui, ICON_EDIT, &edit).clicked() {
                    let form = RightsForm::of(user, folder, who, letters);
                    cx.send(Message::Open(Form::Rights(form)));
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    cut(ui, strong(&name));
                });
            });
        });
        let words = RichText::new(words(cx, letters)).color(cx.tokens.text_soft);
        ui.add(Label::new(words).wrap().selectable(true));
    });
}

/// Whose rights they are, in words.
fn whose(cx: &Cx<'_>, identifier: &str) -> String {
    let (whom, name, denied) = Whom::parse(identifier);
    let who = match whom {
        Whom::Anyone => cx.t.get("rights-of-anyone"),
        Whom::Group => cx.t.named("rights-of-group", name),
        Whom::Domain => cx.t.named("rights-of-domain", &users::readable(name)),
        Whom::User => name.to_owned(),
    };
    if denied {
        cx.t.named("rights-denied", &who)
    } else {
        who
    }
}

/// Rights as a role with its letters, or each in plain words.
fn words(cx: &Cx<'_>, letters: &str) -> String {
    let rights = Rights::parse(letters).unwrap_or_default();
    if let Some(role) = rights.role() {
        return format!("{} ({rights})", cx.t.get(&format!("role-{role}-long")));
    }
    let known = Rights::LETTERS
        .into_iter()
        .filter(|(_, right)| rights.contains(*right));
    let words = known.map(|(letter, _)| format!("{} ({letter})", cx.t.get(&format!("right-{letter}"))));
    words.collect::<Vec<_>>().join("\n")
}
