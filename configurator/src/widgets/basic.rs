//! Buttons, badges, cards, figures and empty states.

use eframe::egui::{
    self, Button, Color32, CornerRadius, Frame, Label, Margin, Response, RichText, Role, Stroke, Ui, Vec2,
    WidgetInfo,
};
use egui_material_icons::MaterialIcon;

use crate::theme::{self, Tokens, height, radius, size, space};

/// How much a button stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The one thing a page or dialog is for.
    Primary,
    Plain,
    Danger,
    /// Without a frame until the pointer is on it.
    Quiet,
}

/// A button with a text, and an icon before it if there is one.
pub fn button(ui: &mut Ui, weight: Weight, icon: Option<MaterialIcon>, text: &str) -> Response {
    dressed(ui, weight, |ui| {
        let button = match icon {
            Some(icon) => Button::new((icon.rich_text().size(size::ICON), text)),
            None => Button::new(text),
        };
        let button = button
            .frame_when_inactive(weight != Weight::Quiet)
            .min_size(Vec2::new(0.0, height::CONTROL));
        // Below others it is cut at the edge; beside others the row makes room for it.
        let wrap = if ui.layout().is_horizontal() {
            egui::TextWrapMode::Extend
        } else {
            egui::TextWrapMode::Truncate
        };
        named(ui.add(button.wrap_mode(wrap)), text)
    })
}

/// A button of an icon alone; its name is its tooltip and what a screen reader says.
pub fn icon_button(ui: &mut Ui, icon: MaterialIcon, name: &str) -> Response {
    dressed(ui, Weight::Quiet, |ui| {
        ui.spacing_mut().button_padding = Vec2::splat(space::XS);
        let side = height::CONTROL - space::XS;
        let button = Button::new(icon.rich_text().size(size::ICON)).frame_when_inactive(false);
        named(ui.add(button.min_size(Vec2::splat(side))), name).on_hover_text(name)
    })
}

/// Draws with a weight's colours and puts the style back. (A scope of its own would not wrap in a row that does.)
fn dressed(ui: &mut Ui, weight: Weight, draw: impl FnOnce(&mut Ui) -> Response) -> Response {
    let before = ui.style().clone();
    dress(ui, weight, theme::current(ui.ctx()));
    let response = draw(ui);
    ui.set_style(before);
    response
}

fn dress(ui: &mut Ui, weight: Weight, tokens: &Tokens) {
    let widgets = &mut ui.visuals_mut().widgets;
    let mut fill = |rest: Color32, over: Color32, ink: Color32, line: Color32| {
        for (state, color) in [
            (&mut widgets.inactive, rest),
            (&mut widgets.hovered, over),
            (&mut widgets.active, over),
        ] {
            state.weak_bg_fill = color;
            state.bg_fill = color;
            state.bg_stroke = Stroke::new(1.0, line);
            state.fg_stroke.color = ink;
        }
    };
    match weight {
        Weight::Primary => fill(
            tokens.accent,
            tokens.accent_hover,
            tokens.on_accent,
            Color32::TRANSPARENT,
        ),
        Weight::Danger => fill(tokens.surface, tokens.bad_soft, tokens.bad, tokens.line_strong),
        Weight::Quiet => fill(
            Color32::TRANSPARENT,
            tokens.hover,
            tokens.text_soft,
            Color32::TRANSPARENT,
        ),
        Weight::Plain => {}
    }
}

/// Gives a widget the name that a screen reader says, without the sign of its icon.
pub fn named(response: Response, name: &str) -> Response {
    let enabled = response.enabled();
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, name));
    response
}

/// How a state is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Good,
    Warn,
    Bad,
    Calm,
    Accent,
}

impl Mood {
    pub fn ink(self, tokens: &Tokens) -> Color32 {
        match self {
            Self::Good => tokens.good,
            Self::Warn => tokens.warn,
            Self::Bad => tokens.bad,
            Self::Calm => tokens.text_soft,
            Self::Accent => tokens.accent,
        }
    }

    pub fn ground(self, tokens: &Tokens) -> Color32 {
        match self {
            Self::Good => tokens.good_soft,
            Self::Warn => tokens.warn_soft,
            Self::Bad => tokens.bad_soft,
            Self::Calm => tokens.hover,
            Self::Accent => tokens.accent_soft,
        }
    }
}

/// A small pill with a state in it.
pub fn badge(ui: &mut Ui, mood: Mood, text: &str) -> Response {
    let tokens = theme::current(ui.ctx());
    let font = egui::FontId::new(size::SMALL, egui::FontFamily::Proportional);
    let galley = ui
        .painter()
        .layout_no_wrap(text.to_owned(), font, mood.ink(tokens));
    let pad = Vec2::new(7.0, 3.0);
    let (rect, response) = ui.allocate_exact_size(galley.size() + pad * 2.0, egui::Sense::hover());
    ui.painter()
        .rect_filled(rect, CornerRadius::same(radius::SMALL), mood.ground(tokens));
    ui.painter().galley(rect.min + pad, galley, mood.ink(tokens));
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    response
}

/// A round spot of a state's colour.
pub fn dot(ui: &mut Ui, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(Vec2::new(10.0, 16.0), egui::Sense::empty());
    ui.painter().circle_filled(rect.center(), 4.0, color);
}

/// A surface with a thin line around it.
pub fn card(tokens: &Tokens) -> Frame {
    Frame::new()
        .fill(tokens.surface)
        .stroke(Stroke::new(1.0, tokens.line))
        .corner_radius(CornerRadius::same(radius::LARGE))
        .inner_margin(Margin::same(space::L as i8))
}

pub fn strong(text: impl Into<String>) -> RichText {
    RichText::new(text).family(theme::strong())
}

/// A small heading over a group of things.
pub fn caption(ui: &mut Ui, text: &str) {
    let tokens = theme::current(ui.ctx());
    ui.label(strong(text).size(size::SMALL).color(tokens.text_soft));
}

/// A text that is cut with an ellipsis where it does not fit.
pub fn cut(ui: &mut Ui, text: impl Into<RichText>) -> Response {
    ui.add(Label::new(text.into()).truncate())
}

/// What stands where nothing is: why, and what can be done.
pub fn empty(ui: &mut Ui, icon: MaterialIcon, title: &str, hint: &str) {
    let tokens = theme::current(ui.ctx());
    let room = ui.available_height();
    ui.vertical_centered(|ui| {
        ui.add_space((room * 0.28).clamp(space::L, 160.0));
        ui.label(icon.rich_text().size(34.0).color(tokens.text_faint));
        ui.label(strong(title).size(size::STRONG));
        if !hint.is_empty() {
            ui.set_max_width(420.0);
            ui.label(RichText::new(hint).color(tokens.text_soft));
        }
    });
}

/// A band with a message over a page or in a dialog, and what can be done about it below the text.
pub fn banner(ui: &mut Ui, mood: Mood, icon: MaterialIcon, text: &str, actions: impl FnOnce(&mut Ui)) {
    let tokens = theme::current(ui.ctx());
    Frame::new()
        .fill(mood.ground(tokens))
        .corner_radius(CornerRadius::same(radius::MEDIUM))
        .inner_margin(Margin::symmetric(space::M as i8, space::S as i8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal_top(|ui| {
                ui.label(icon.rich_text().size(size::ICON).color(mood.ink(tokens)));
                ui.vertical(|ui| {
                    ui.add(Label::new(RichText::new(text).color(mood.ink(tokens))).wrap());
                    actions(ui);
                });
            });
        });
}

/// A name and its value, one under the other lines of a details panel.
pub fn fact(ui: &mut Ui, name: &str, value: &str) {
    let tokens = theme::current(ui.ctx());
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = space::XXS;
        ui.label(RichText::new(name).size(size::SMALL).color(tokens.text_soft));
        ui.add(
            Label::new(if value.is_empty() { "—" } else { value })
                .wrap()
                .selectable(true),
        );
    });
}

/// How much of something is used, as a thin bar.
pub fn gauge(ui: &mut Ui, share: f32, width: f32) {
    let tokens = theme::current(ui.ctx());
    let (rect, _) = ui.allocate_exact_size(Vec2::new(width, 4.0), egui::Sense::empty());
    let share = share.clamp(0.0, 1.0);
    let color = if share > 0.95 {
        tokens.bad
    } else if share > 0.8 {
        tokens.warn
    } else {
        tokens.accent
    };
    ui.painter().rect_filled(rect, 2.0, tokens.line);
    let mut used = rect;
    used.set_width(rect.width() * share);
    ui.painter().rect_filled(used, 2.0, color);
}
