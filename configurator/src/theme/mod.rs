//! The program's look: tokens turned into egui's style, and the fonts.

pub mod tokens;

use std::sync::Arc;

use eframe::egui::{
    self, Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Shadow,
    Stroke, Style, TextStyle, Theme, Vec2, Visuals, style::WidgetVisuals,
};

pub use tokens::{Tokens, height, radius, size, space};

/// The family of titles, table heads and other emphasis.
pub fn strong() -> FontFamily {
    FontFamily::Name("strong".into())
}

/// Which theme a person wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Choice {
    #[default]
    System,
    Light,
    Dark,
}

impl Choice {
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    pub fn preference(self) -> egui::ThemePreference {
        match self {
            Self::System => egui::ThemePreference::System,
            Self::Light => egui::ThemePreference::Light,
            Self::Dark => egui::ThemePreference::Dark,
        }
    }
}

/// Installs fonts and both styles; once, at the start.
pub fn install(ctx: &Context) {
    ctx.set_fonts(fonts());
    egui_material_icons::initialize(ctx);
    ctx.set_style_of(Theme::Light, style(&tokens::LIGHT));
    ctx.set_style_of(Theme::Dark, style(&tokens::DARK));
}

/// The tokens of the theme that `ctx` shows now.
pub fn current(ctx: &Context) -> &'static Tokens {
    tokens::of(ctx.theme() == Theme::Dark)
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let faces: [(&str, &'static [u8]); 2] = [
        ("inter", include_bytes!("../../fonts/Inter-Regular.otf")),
        ("inter-strong", include_bytes!("../../fonts/Inter-SemiBold.otf")),
    ];
    for (name, bytes) in faces {
        fonts
            .font_data
            .insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    let plain = fonts.families.entry(FontFamily::Proportional).or_default();
    plain.insert(0, "inter".to_owned());
    let mut emphasis = plain.clone();
    emphasis.insert(0, "inter-strong".to_owned());
    fonts.families.insert(strong(), emphasis);
    fonts
}

fn style(tokens: &Tokens) -> Style {
    let text_styles = [
        (
            TextStyle::Small,
            FontId::new(size::SMALL, FontFamily::Proportional),
        ),
        (TextStyle::Body, FontId::new(size::BODY, FontFamily::Proportional)),
        (
            TextStyle::Button,
            FontId::new(size::BODY, FontFamily::Proportional),
        ),
        (TextStyle::Heading, FontId::new(size::TITLE, strong())),
        (
            TextStyle::Monospace,
            FontId::new(size::SMALL, FontFamily::Monospace),
        ),
    ];
    let mut style = Style {
        text_styles: text_styles.into(),
        ..Style::default()
    };
    let spacing = &mut style.spacing;
    spacing.item_spacing = Vec2::new(space::S, space::S);
    spacing.button_padding = Vec2::new(space::M, space::XS + 1.0);
    spacing.interact_size = Vec2::new(height::CONTROL, height::CONTROL);
    spacing.window_margin = Margin::same(space::XL as i8);
    spacing.menu_margin = Margin::same(space::XS as i8);
    spacing.icon_width = 16.0;
    spacing.icon_width_inner = 9.0;
    spacing.combo_height = 320.0;
    spacing.scroll.bar_width = 8.0;
    spacing.scroll.floating = true;
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.4;
    style.animation_time = 0.1;
    style.visuals = visuals(tokens);
    style
}

fn visuals(tokens: &Tokens) -> Visuals {
    let mut visuals = if tokens.dark {
        Visuals::dark()
    } else {
        Visuals::light()
    };
    visuals.override_text_color = None;
    visuals.weak_text_color = Some(tokens.text_soft);
    visuals.hyperlink_color = tokens.accent;
    visuals.faint_bg_color = tokens.zebra;
    visuals.extreme_bg_color = tokens.field;
    visuals.text_edit_bg_color = Some(tokens.field);
    visuals.code_bg_color = tokens.hover;
    visuals.warn_fg_color = tokens.warn;
    visuals.error_fg_color = tokens.bad;
    visuals.window_corner_radius = CornerRadius::same(radius::LARGE);
    visuals.menu_corner_radius = CornerRadius::same(radius::MEDIUM);
    visuals.window_fill = tokens.surface;
    visuals.window_stroke = Stroke::new(1.0, tokens.line);
    visuals.panel_fill = tokens.paper;
    visuals.window_shadow = Shadow {
        offset: [0, 12],
        blur: 40,
        spread: 0,
        color: tokens.shadow,
    };
    visuals.popup_shadow = Shadow {
        offset: [0, 4],
        blur: 16,
        spread: 0,
        color: tokens.shadow,
    };
    visuals.selection.bg_fill = tokens.accent_soft;
    visuals.selection.stroke = Stroke::new(1.0, tokens.accent);
    visuals.disabled_alpha = 0.5;
    visuals.striped = false;
    let widget = |fill: Color32, line: Color32, ink: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, line),
        corner_radius: CornerRadius::same(radius::MEDIUM),
        fg_stroke: Stroke::new(1.0, ink),
        expansion: 0.0,
    };
    visuals.widgets.noninteractive = widget(tokens.surface, tokens.line, tokens.text);
    visuals.widgets.inactive = widget(tokens.surface, tokens.line_strong, tokens.text);
    visuals.widgets.hovered = widget(tokens.hover, tokens.line_strong, tokens.text);
    visuals.widgets.active = widget(tokens.accent_soft, tokens.accent, tokens.text);
    visuals.widgets.open = widget(tokens.hover, tokens.line_strong, tokens.text);
    visuals
}
