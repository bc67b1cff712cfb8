//! The line at the foot: the connection, what is under way, language, theme, notices.

use eframe::egui::{Align, Layout, RichText, Ui};
use egui_material_icons::icons::{ICON_CONTRAST, ICON_DARK_MODE, ICON_LIGHT_MODE, ICON_SYNC};
use i18n::{Arg, Language};

use super::{Cx, notices};
use crate::model::{Message, Status};
use crate::theme::{Choice, size, space};
use crate::widgets::{Weight, button, dot, icon_button};

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        ui.style_mut().override_text_style = Some(eframe::egui::TextStyle::Small);
        connection(ui, cx);
        activity(ui, cx);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            notices::bell(ui, cx);
            theme(ui, cx);
            language(ui, cx);
        });
    });
}

fn connection(ui: &mut Ui, cx: &mut Cx<'_>) {
    match &cx.model.status {
        Status::Connected(welcome) => {
            dot(ui, cx.tokens.good);
            let args = [
                ("name", Arg::from(welcome.hostname.as_str())),
                ("version", Arg::from(welcome.server.as_str())),
            ];
            ui.label(cx.t.with("status-connected", &args))
                .on_hover_text(&cx.model.target);
        }
        Status::Connecting => {
            dot(ui, cx.tokens.warn);
            ui.label(cx.t.named("status-connecting", &cx.model.target));
        }
        Status::Gone { reason, retry_at } => {
            dot(ui, cx.tokens.bad);
            let seconds = u64::try_from(retry_at - cx.t.now).unwrap_or_default();
            let text = if seconds > 0 {
                cx.t.with("status-gone", &[("duration", Arg::from(cx.t.duration(seconds)))])
            } else {
                cx.t.get("status-reconnecting")
            };
            let label = ui.label(RichText::new(text).color(cx.tokens.bad));
            if !reason.is_empty() {
                label.on_hover_text(format!("{}\n{reason}", cx.model.target));
            }
            if button(ui, Weight::Quiet, None, &cx.t.get("status-retry")).clicked() {
                cx.send(Message::Retry);
            }
        }
    }
}

fn activity(ui: &mut Ui, cx: &Cx<'_>) {
    let key = if cx.model.saving() {
        "status-saving"
    } else if cx.model.connected() && cx.model.loading() {
        "status-loading"
    } else {
        return;
    };
    ui.add_space(space::S);
    ui.label(ICON_SYNC.rich_text().size(size::BODY).color(cx.tokens.text_soft));
    ui.label(RichText::new(cx.t.get(key)).color(cx.tokens.text_soft));
}

fn theme(ui: &mut Ui, cx: &mut Cx<'_>) {
    let (icon, key) = match cx.model.theme {
        Choice::System => (ICON_CONTRAST, "theme-system"),
        Choice::Light => (ICON_LIGHT_MODE, "theme-light"),
        Choice::Dark => (ICON_DARK_MODE, "theme-dark"),
    };
    if icon_button(ui, icon, &cx.t.get(key)).clicked() {
        let at = Choice::ALL
            .iter()
            .position(|choice| *choice == cx.model.theme)
            .unwrap_or_default();
        cx.send(Message::Theme(Choice::ALL[(at + 1) % Choice::ALL.len()]));
    }
}

fn language(ui: &mut Ui, cx: &mut Cx<'_>) {
    for language in Language::ALL.into_iter().rev() {
        let here = language == cx.model.language;
        let text = RichText::new(language.own_name()).color(if here {
            cx.tokens.accent
        } else {
            cx.tokens.text_soft
        });
        let link = eframe::egui::Button::new(text).frame(false);
        if ui.add(link).clicked() && !here {
            cx.send(Message::Language(language));
        }
    }
    ui.add_space(space::XS);
}
