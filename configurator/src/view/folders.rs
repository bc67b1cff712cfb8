//! The folders of a domain's users: who at the left, what and whose rights at the right.

use eframe::egui::{Frame, Margin, Panel, RichText, Ui};
use egui_material_icons::icons::{
    ICON_CREATE_NEW_FOLDER, ICON_DELETE, ICON_DRIVE_FILE_RENAME_OUTLINE, ICON_ERROR, ICON_FOLDER, ICON_KEY,
};
use i18n::Arg;
use shared::model::Folder;

use super::{Cx, heading, list, users};
use crate::model::Message;
use crate::model::dialog::About;
use crate::model::forms::{FolderForm, Form, RIGHTS, RightsForm};
use crate::model::lists::ListId;
use crate::theme::{size, space};
use crate::widgets::table::{self, Column, Spec, Width, text};
use crate::widgets::{Weight, button, caption, card, empty, fact, strong};

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>, domain: &str) {
    let title =
        cx.t.with("folders-of", &[("domain", Arg::from(users::readable(domain)))]);
    heading(ui, &title, "", |ui| {
        let Some(user) = &cx.model.folders.user else {
            return;
        };
        if button(
            ui,
            Weight::Primary,
            Some(ICON_CREATE_NEW_FOLDER),
            &cx.t.get("folder-add"),
        )
        .clicked()
        {
            cx.send(Message::Open(Form::Folder(FolderForm {
                user: user.clone(),
                ..FolderForm::default()
            })));
        }
    });
    Panel::left("folder-users")
        .default_size(280.0)
        .size_range(200.0..=420.0)
        .show_separator_line(false)
        .frame(Frame::new().inner_margin(Margin {
            right: space::L as i8,
            ..Margin::ZERO
        }))
        .show(ui, |ui| owners(ui, cx));
    let Some(user) = cx.model.folders.user.clone() else {
        card(cx.tokens).show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            empty(
                ui,
                ICON_FOLDER,
                &cx.t.get("folders-choose"),
                &cx.t.get("folders-choose-hint"),
            );
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
            folders(ui, cx, rows);
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

fn folders(ui: &mut Ui, cx: &mut Cx<'_>, rows: &[Folder]) {
    let columns = [
        Column::new("", cx.t.get("column-folder"), Width::Rest),
        Column::new("", cx.t.get("column-messages"), Width::Wide(96.0)).right(),
        Column::new("", cx.t.get("column-unseen"), Width::Wide(104.0)).right(),
        Column::new("", cx.t.get("column-size"), Width::Wide(84.0)).right(),
    ];
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
                cell(ui, cx, folder, column);
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

fn cell(ui: &mut Ui, cx: &Cx<'_>, folder: &Folder, column: usize) {
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
            let leaf = folder.name.rsplit('/').next().unwrap_or(&folder.name);
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
    let name = folder.name.clone();
    ui.label(strong(&name).size(size::STRONG));
    ui.label(RichText::new(user).color(cx.tokens.text_soft));
    ui.horizontal_wrapped(|ui| {
        if button(
            ui,
            Weight::Plain,
            Some(ICON_DRIVE_FILE_RENAME_OUTLINE),
            &cx.t.get("rename"),
        )
        .clicked()
        {
            let form = FolderForm {
                user: user.to_owned(),
                was: Some(name.clone()),
                name: name.clone(),
                ..FolderForm::default()
            };
            cx.send(Message::Open(Form::Folder(form)));
        }
        if button(ui, Weight::Danger, Some(ICON_DELETE), &cx.t.get("delete")).clicked() {
            cx.send(Message::Ask(About::RemoveFolder {
                user: user.to_owned(),
                name: name.clone(),
            }));
        }
    });
    fact(ui, &cx.t.get("column-messages"), &cx.t.number(folder.messages));
    fact(ui, &cx.t.get("column-size"), &cx.t.bytes(folder.bytes));
    caption(ui, &cx.t.get("folder-rights"));
    if folder.rights.is_empty() {
        ui.label(RichText::new(cx.t.get("folder-rights-none")).color(cx.tokens.text_soft));
    }
    for (who, letters) in &folder.rights {
        fact(ui, &whose(cx, who), &words(cx, letters));
        if button(
            ui,
            Weight::Quiet,
            Some(ICON_KEY),
            &cx.t.with("rights-edit", &[("name", Arg::from(whose(cx, who)))]),
        )
        .clicked()
        {
            let form = RightsForm {
                user: user.to_owned(),
                folder: name.clone(),
                identifier: who.clone(),
                rights: letters.clone(),
            };
            cx.send(Message::Open(Form::Rights(form)));
        }
    }
    if button(ui, Weight::Plain, Some(ICON_KEY), &cx.t.get("rights-add")).clicked() {
        let form = RightsForm {
            user: user.to_owned(),
            folder: name,
            identifier: String::new(),
            rights: "lrs".to_owned(),
        };
        cx.send(Message::Open(Form::Rights(form)));
    }
}

/// Whose rights they are, in words.
fn whose(cx: &Cx<'_>, identifier: &str) -> String {
    match identifier.strip_prefix('$') {
        Some(group) => cx.t.named("rights-of-group", group),
        None if identifier == "anyone" => cx.t.get("rights-of-anyone"),
        None => identifier.to_owned(),
    }
}

/// Rights as plain words.
fn words(cx: &Cx<'_>, letters: &str) -> String {
    let known: Vec<String> = RIGHTS
        .into_iter()
        .filter(|letter| letters.contains(*letter))
        .map(|letter| cx.t.get(&format!("right-{letter}")))
        .collect();
    known.join("\n")
}
