//! The table: a head that sorts, virtual rows, selection by mouse and keyboard. Rows that are not held are drawn as
//! faint bars until they come.

use std::ops::Range;

use eframe::egui::{
    self, Align, Color32, Key, Layout, Modifiers, Response, RichText, Sense, Stroke, Ui, UiBuilder, Vec2,
};
use egui_extras::{Column as Track, TableBuilder, TableRow};
use egui_material_icons::icons::{ICON_ARROW_DOWNWARD, ICON_ARROW_UPWARD};

use crate::theme::{self, Tokens, height, size, space};
use crate::widgets::strong;

/// How wide a column is, in points.
#[derive(Clone, Copy, Debug)]
pub enum Width {
    /// Can be dragged.
    Wide(f32),
    Fixed(f32),
    /// What the others leave.
    Rest,
}

/// The least width of a column that a person may change, and of one that gets the rest.
const WIDE_MIN_POINTS: f32 = 48.0;
const REST_MIN_POINTS: f32 = 80.0;
/// Steps of the room in which columns are measured anew.
const ROOM_STEP_POINTS: f32 = 24.0;

/// How much of their width the wide columns get, so that all fit into the room.
fn share(columns: &[Column], room: f32) -> f32 {
    let (mut wide, mut others) = (0.0, 0.0);
    for column in columns {
        match column.width {
            Width::Wide(points) => wide += points,
            Width::Fixed(points) => others += points,
            Width::Rest => others += REST_MIN_POINTS,
        }
    }
    if wide <= 0.0 {
        return 1.0;
    }
    ((room - others) / wide).clamp(0.1, 1.0)
}

#[derive(Clone, Debug)]
pub struct Column {
    /// The daemon's name of it for sorting; empty: it can't be sorted by.
    pub key: &'static str,
    pub title: String,
    pub width: Width,
    /// Numbers stand at the right.
    pub right: bool,
}

impl Column {
    pub fn new(key: &'static str, title: String, width: Width) -> Self {
        Self {
            key,
            title,
            width,
            right: false,
        }
    }

    pub fn right(mut self) -> Self {
        self.right = true;
        self
    }
}

pub struct Spec<'a> {
    pub id: &'a str,
    pub columns: &'a [Column],
    pub total: u64,
    pub sort: &'a str,
    pub descending: bool,
    /// The index of the selected row, if it is known.
    pub selected: Option<u64>,
    pub row_height: f32,
    pub stick_to_bottom: bool,
    /// Whether arrow keys move the selection.
    pub keys: bool,
}

impl<'a> Spec<'a> {
    pub fn new(id: &'a str, columns: &'a [Column], total: u64) -> Self {
        Self {
            id,
            columns,
            total,
            sort: "",
            descending: false,
            selected: None,
            row_height: height::ROW,
            stick_to_bottom: false,
            keys: true,
        }
    }
}

/// What was done with the table.
#[derive(Debug, Default)]
pub struct Seen {
    /// Rows in sight.
    pub rows: Range<u64>,
    pub sorted: Option<&'static str>,
    pub clicked: Option<u64>,
    /// By a double click or Enter.
    pub opened: Option<u64>,
    /// Scrolled to the top.
    pub at_top: bool,
}

/// Draws it. `cell` draws one cell and says whether the row is held; `menu` fills a row's context menu.
pub fn show(
    ui: &mut Ui,
    spec: &Spec<'_>,
    mut cell: impl FnMut(&mut Ui, u64, usize) -> bool,
    mut menu: impl FnMut(&mut Ui, u64),
) -> Seen {
    let tokens = theme::current(ui.ctx());
    let mut seen = Seen::default();
    let moved = if spec.keys {
        keys(ui, spec, &mut seen)
    } else {
        None
    };
    let selected = moved.or(spec.selected);
    ui.spacing_mut().item_spacing = Vec2::new(0.0, 0.0);
    // Columns are told apart by their alignment, not by lines; the selected row keeps its ink.
    ui.visuals_mut().widgets.noninteractive.bg_stroke = Stroke::NONE;
    ui.visuals_mut().selection.stroke.color = tokens.text;
    let line_y = ui.cursor().top() + height::HEADER;
    let (left, right) = (ui.max_rect().left(), ui.max_rect().right());
    let share = share(spec.columns, right - left);
    // The table remembers its widths: where there is too little room it is another one, a new one with every step of the room.
    let room = (share < 1.0).then(|| ((right - left) / ROOM_STEP_POINTS) as i64);
    let mut builder = TableBuilder::new(ui)
        .id_salt((spec.id, room))
        .striped(true)
        .sense(Sense::CLICK)
        .auto_shrink(false)
        .min_scrolled_height(0.0)
        .stick_to_bottom(spec.stick_to_bottom)
        .cell_layout(Layout::left_to_right(Align::Center));
    for column in spec.columns {
        builder = builder.column(match column.width {
            Width::Wide(points) => Track::initial(points * share)
                .at_least(WIDE_MIN_POINTS)
                .clip(true)
                .resizable(true),
            Width::Fixed(points) => Track::exact(points).clip(true),
            Width::Rest => Track::remainder().at_least(REST_MIN_POINTS).clip(true),
        });
    }
    if let Some(row) = moved {
        builder = builder.scroll_to_row(usize::try_from(row).unwrap_or_default(), None);
    }
    let mut first_last: Option<(u64, u64)> = None;
    let output = builder
        .header(height::HEADER, |row| head(row, spec, tokens, &mut seen))
        .body(|body| {
            body.rows(
                spec.row_height,
                usize::try_from(spec.total).unwrap_or(usize::MAX),
                |mut row| {
                    let index = row.index() as u64;
                    first_last = Some((first_last.map_or(index, |(first, _)| first.min(index)), index));
                    row.set_selected(selected == Some(index));
                    for (at, column) in spec.columns.iter().enumerate() {
                        row.col(|ui| draw_cell(ui, column, tokens, |ui| cell(ui, index, at)));
                    }
                    let response = row.response();
                    take_clicks(&response, index, &mut seen);
                    response.context_menu(|ui| menu(ui, index));
                },
            );
        });
    seen.at_top = output.state.clamped_offset().y <= spec.row_height;
    seen.rows = first_last.map_or(0..0, |(first, last)| first..last + 1);
    ui.painter()
        .hline(left..=right, line_y, Stroke::new(1.0, tokens.line));
    seen
}

fn take_clicks(response: &Response, index: u64, seen: &mut Seen) {
    if response.double_clicked() {
        seen.opened = Some(index);
    }
    if response.clicked() || response.secondary_clicked() {
        seen.clicked = Some(index);
    }
}

/// The padding of a cell, and a faint bar where the row has not come yet.
fn draw_cell(ui: &mut Ui, column: &Column, tokens: &Tokens, mut draw: impl FnMut(&mut Ui) -> bool) {
    let layout = if column.right {
        Layout::right_to_left(Align::Center)
    } else {
        Layout::left_to_right(Align::Center)
    };
    let rect = ui.max_rect().shrink2(Vec2::new(space::S, 0.0));
    ui.scope_builder(UiBuilder::new().max_rect(rect).layout(layout), |ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        if !draw(ui) {
            let bar = egui::Rect::from_center_size(rect.center(), Vec2::new(rect.width() * 0.8, 6.0));
            ui.painter().rect_filled(bar, 3.0, tokens.line);
        }
    });
}

fn head(mut row: TableRow<'_, '_>, spec: &Spec<'_>, tokens: &Tokens, seen: &mut Seen) {
    for column in spec.columns {
        let sorted = !column.key.is_empty() && spec.sort == column.key;
        let (_, response) = row.col(|ui| {
            draw_cell(ui, column, tokens, |ui| {
                let ink = if sorted { tokens.accent } else { tokens.text_soft };
                let title = strong(&column.title).size(size::SMALL).color(ink);
                ui.add(egui::Label::new(title).truncate());
                if sorted {
                    let icon = if spec.descending {
                        ICON_ARROW_DOWNWARD
                    } else {
                        ICON_ARROW_UPWARD
                    };
                    ui.label(icon.rich_text().size(13.0).color(tokens.accent));
                }
                true
            });
        });
        if !column.key.is_empty() {
            let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
            if response.clicked() {
                seen.sorted = Some(column.key);
            }
        }
    }
}

/// Arrow keys, page keys, Home, End and Enter, while nothing else is typed into.
fn keys(ui: &Ui, spec: &Spec<'_>, seen: &mut Seen) -> Option<u64> {
    if spec.total == 0
        || ui
            .ctx()
            .memory(|memory| memory.focused().is_some() || memory.top_modal_layer().is_some())
    {
        return None;
    }
    let page = ((ui.available_height() / spec.row_height) as u64)
        .saturating_sub(2)
        .max(1);
    let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    if let Some(selected) = spec.selected
        && pressed(Key::Enter)
    {
        seen.opened = Some(selected);
        return None;
    }
    let now = spec.selected;
    let last = spec.total - 1;
    let to = if pressed(Key::ArrowDown) {
        now.map_or(0, |now| now + 1)
    } else if pressed(Key::ArrowUp) {
        now.map_or(0, |now| now.saturating_sub(1))
    } else if pressed(Key::PageDown) {
        now.unwrap_or_default() + page
    } else if pressed(Key::PageUp) {
        now.unwrap_or_default().saturating_sub(page)
    } else if pressed(Key::Home) {
        0
    } else if pressed(Key::End) {
        last
    } else {
        return None;
    };
    let to = to.min(last);
    seen.clicked = Some(to);
    Some(to)
}

/// A cell of plain text.
pub fn text(ui: &mut Ui, text: &str, color: Option<Color32>) {
    let mut rich = RichText::new(text);
    if let Some(color) = color {
        rich = rich.color(color);
    }
    ui.add(egui::Label::new(rich).truncate());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last columns would lie over the panel beside the table.
    #[test]
    fn columns_fit_into_the_room() {
        let column = |width| Column::new("", String::new(), width);
        let columns = [
            column(Width::Wide(330.0)),
            column(Width::Rest),
            column(Width::Wide(132.0)),
            column(Width::Wide(150.0)),
            column(Width::Fixed(108.0)),
        ];
        assert!((share(&columns, 1000.0) - 1.0).abs() < f32::EPSILON);
        let narrow = share(&columns, 660.0);
        assert!(narrow * 612.0 + 80.0 + 108.0 <= 660.1, "{narrow}");
        assert!((share(&columns[1..2], 10.0) - 1.0).abs() < f32::EPSILON);
    }
}
