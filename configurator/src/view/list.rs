//! What the pages with a list share: head with search, table in a card, details at the right, empty states.

use eframe::egui::{Frame, Margin, Panel, ScrollArea, Ui};
use egui_material_icons::MaterialIcon;
use egui_material_icons::icons::{ICON_ERROR, ICON_SEARCH_OFF};

use super::{Cx, heading};
use crate::model::lists::{ListId, Listed};
use crate::model::{Message, Table};
use crate::theme::space;
use crate::widgets::table::{self, Column, Seen, Spec};
use crate::widgets::{card, empty, field};

/// How a list that has no rows at all is explained.
pub(super) struct Nothing {
    pub(super) icon: MaterialIcon,
    pub(super) title: &'static str,
    pub(super) hint: &'static str,
}

/// The head of a list page. `count` is the key of the counted text beside the title.
pub(super) fn head(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    list: ListId,
    title: &str,
    (count, total, filter): (&str, Option<u64>, &str),
    actions: impl FnOnce(&mut Ui, &mut Cx<'_>),
) {
    let beside = total.map(|total| cx.t.count(count, total)).unwrap_or_default();
    heading(ui, title, &beside, |ui| {
        actions(ui, cx);
        ui.add_space(space::S);
        search(ui, cx, list, filter);
    });
}

pub(super) fn search(ui: &mut Ui, cx: &mut Cx<'_>, list: ListId, filter: &str) {
    if let Some(typed) = field::search(ui, filter, &cx.t.get("search"), &cx.t.get("search-clear"), 210.0) {
        cx.send(Message::Filter(list, typed));
    }
}

/// The table of a list in a card that fills the rest of the page. `cell` draws a cell of a row that is held.
pub(super) fn table<T: Listed>(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    list: ListId,
    rows: &Table<T>,
    (columns, nothing): (&[Column], &Nothing),
    cell: impl Fn(&mut Ui, &mut Cx<'_>, &T, usize),
    menu: impl Fn(&mut Ui, &mut Cx<'_>, &T),
) -> Seen {
    let frame = card(cx.tokens).inner_margin(Margin::symmetric(0, 0));
    frame
        .show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            if let Some(failed) = &rows.failed {
                empty(ui, ICON_ERROR, &cx.t.get("list-failed"), failed);
                return Seen::default();
            }
            match rows.total() {
                Some(0) if rows.filtered() => {
                    empty(
                        ui,
                        ICON_SEARCH_OFF,
                        &cx.t.get("nothing-found"),
                        &cx.t.named("nothing-found-hint", &rows.filter),
                    );
                    return Seen::default();
                }
                Some(0) => {
                    empty(
                        ui,
                        nothing.icon,
                        &cx.t.get(nothing.title),
                        &cx.t.get(nothing.hint),
                    );
                    return Seen::default();
                }
                None if !cx.model.connected() => {
                    let title = cx.t.get("not-connected");
                    empty(
                        ui,
                        egui_material_icons::icons::ICON_CLOUD_OFF,
                        &title,
                        &cx.t.get("not-connected-hint"),
                    );
                    return Seen::default();
                }
                _ => {}
            }
            rows_of(ui, cx, list, rows, columns, &cell, &menu)
        })
        .inner
}

fn rows_of<T: Listed>(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    list: ListId,
    rows: &Table<T>,
    columns: &[Column],
    cell: &impl Fn(&mut Ui, &mut Cx<'_>, &T, usize),
    menu: &impl Fn(&mut Ui, &mut Cx<'_>, &T),
) -> Seen {
    let selected = rows.selected.as_ref().and_then(|key| {
        rows.held()
            .find(|(_, row)| row.key() == *key)
            .map(|(index, _)| index)
    });
    let id = format!("{list:?}");
    let mut spec = Spec::new(&id, columns, rows.total().unwrap_or(24));
    spec.sort = &rows.sort;
    spec.descending = rows.descending;
    spec.selected = selected;
    let fresh = || Cx {
        model: cx.model,
        t: cx.t.clone(),
        tokens: cx.tokens,
        out: Vec::new(),
    };
    let (mut cells, mut menus) = (fresh(), fresh());
    let seen = table::show(
        ui,
        &spec,
        |ui, index, column| match rows.row(index) {
            Some(row) => {
                cell(ui, &mut cells, row, column);
                true
            }
            None => false,
        },
        |ui, index| {
            if let Some(row) = rows.row(index) {
                menu(ui, &mut menus, row);
            }
        },
    );
    cx.out.append(&mut cells.out);
    cx.out.append(&mut menus.out);
    if seen.rows.clone().any(|index| rows.row(index).is_none()) || rows.total().is_none() || rows.loading() {
        cx.send(Message::Look(list, seen.rows.clone()));
    }
    if let Some(column) = seen.sorted {
        cx.send(Message::Sort(list, column));
    }
    if let Some(row) = seen.clicked.or(seen.opened).and_then(|index| rows.row(index))
        && rows.selected.as_ref() != Some(&row.key())
    {
        cx.send(Message::Select(list, Some(row.key())));
    }
    seen
}

/// The details of what is selected, at the right of the page.
pub(super) fn details(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    id: &'static str,
    draw: impl FnOnce(&mut Ui, &mut Cx<'_>),
) {
    let frame = Frame::new().inner_margin(Margin {
        left: space::L as i8,
        ..Margin::ZERO
    });
    Panel::right(id)
        .exact_size(344.0)
        .resizable(false)
        .show_separator_line(false)
        .frame(frame)
        .show(ui, |ui| {
            card(cx.tokens).show(ui, |ui| {
                let room = ui.available_size();
                ui.set_min_size(room);
                ui.set_max_width(room.x);
                ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                    ui.set_max_width(room.x);
                    ui.spacing_mut().item_spacing.y = space::M;
                    draw(ui, cx);
                });
            });
        });
}
