//! Rows of a form: a label, a field that carries the label's name, and what is wrong with it.

use eframe::egui::{self, ComboBox, Margin, Response, RichText, Stroke, TextEdit, Ui};
use egui_material_icons::icons::{ICON_CLOSE, ICON_EXPAND_MORE, ICON_SEARCH};

use crate::theme::{self, height, size, space};
use crate::widgets::icon_button;

/// How wide fields of a form are, in points.
pub const FIELD_WIDTH: f32 = 440.0;

/// A form row. `draw` draws the field and gives its response, which is tied to the label.
pub fn row(
    ui: &mut Ui,
    label: &str,
    help: &str,
    error: Option<&str>,
    draw: impl FnOnce(&mut Ui) -> Response,
) {
    let tokens = theme::current(ui.ctx());
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = space::XS;
        let name = ui.label(RichText::new(label).size(size::SMALL).color(tokens.text_soft));
        ui.scope(|ui| {
            if error.is_some() {
                let widgets = &mut ui.visuals_mut().widgets;
                for state in [&mut widgets.inactive, &mut widgets.hovered, &mut widgets.active] {
                    state.bg_stroke = Stroke::new(1.0, tokens.bad);
                }
            }
            let _ = draw(ui).labelled_by(name.id);
        });
        match error {
            Some(error) => drop(ui.label(RichText::new(error).size(size::SMALL).color(tokens.bad))),
            None if !help.is_empty() => {
                drop(ui.label(RichText::new(help).size(size::SMALL).color(tokens.text_faint)));
            }
            None => {}
        }
    });
}

/// A field of one line.
pub fn line(ui: &mut Ui, id: &str, text: &mut String, hint: &str) -> Response {
    edit(ui, id, text, hint, FIELD_WIDTH, false)
}

pub fn edit(ui: &mut Ui, id: &str, text: &mut String, hint: &str, width: f32, password: bool) -> Response {
    let tokens = theme::current(ui.ctx());
    let hint = RichText::new(hint).color(tokens.text_faint);
    ui.add(
        TextEdit::singleline(text)
            .id_salt(id)
            .hint_text(hint)
            .password(password)
            .desired_width(width.min(ui.available_width()))
            .align(egui::Align2::LEFT_CENTER)
            .margin(Margin::symmetric(space::S as i8, 6))
            .min_size(egui::vec2(0.0, height::CONTROL)),
    )
}

/// A field of several lines.
pub fn lines(ui: &mut Ui, id: &str, text: &mut String, rows: usize) -> Response {
    ui.add(
        TextEdit::multiline(text)
            .id_salt(id)
            .desired_rows(rows)
            .desired_width(FIELD_WIDTH.min(ui.available_width()))
            .margin(Margin::symmetric(space::S as i8, 6)),
    )
}

/// A choice of several; gives the new one if it was changed.
pub fn choice<T: Clone + PartialEq>(
    ui: &mut Ui,
    id: &str,
    now: &T,
    all: &[(T, String)],
    width: f32,
) -> (Response, Option<T>) {
    let shown = all
        .iter()
        .find(|(value, _)| value == now)
        .map_or("", |(_, text)| text.as_str());
    let mut chosen = None;
    let response = ComboBox::from_id_salt(id)
        .selected_text(shown)
        .width(width)
        .icon(|ui, rect, visuals, _| {
            let font = egui::FontId::new(18.0, ICON_EXPAND_MORE.font_family());
            let ink = visuals.fg_stroke.color;
            ui.painter().text(
                rect.center(),
                egui::Align2::CENTER_CENTER,
                ICON_EXPAND_MORE.codepoint,
                font,
                ink,
            );
        })
        .show_ui(ui, |ui| {
            for (value, text) in all {
                if ui.selectable_label(value == now, text).clicked() && value != now {
                    chosen = Some(value.clone());
                }
            }
        })
        .response;
    (response, chosen)
}

/// The search field of a page. Gives the new text if it was changed.
pub fn search(ui: &mut Ui, text: &str, name: &str, clear: &str, width: f32) -> Option<String> {
    let tokens = theme::current(ui.ctx());
    let mut typed = text.to_owned();
    let id = search_id();
    let response = ui.add(
        TextEdit::singleline(&mut typed)
            .id(id)
            .prefix(ICON_SEARCH.rich_text().size(16.0).color(tokens.text_faint))
            .hint_text(RichText::new(name).color(tokens.text_faint))
            .desired_width(width)
            .align(egui::Align2::LEFT_CENTER)
            .margin(Margin::symmetric(space::S as i8, 6))
            .min_size(egui::vec2(0.0, height::CONTROL)),
    );
    let focused = response.has_focus();
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, name));
    if focused && ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, egui::Key::Escape)) {
        ui.memory_mut(|memory| memory.surrender_focus(id));
        return (!text.is_empty()).then(String::new);
    }
    if !text.is_empty() && icon_button(ui, ICON_CLOSE, clear).clicked() {
        return Some(String::new());
    }
    (typed != text).then_some(typed)
}

/// The search field's identity: one is on a page.
pub fn search_id() -> egui::Id {
    egui::Id::unique("page-search")
}
