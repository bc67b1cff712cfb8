//! Notices: shown for a while in the corner, and all of them behind the bell.

use eframe::egui::{
    self, Align2, Area, Context, Frame, Id, Label, Margin, Order, RichText, ScrollArea, Stroke, Ui, Vec2,
};
use egui_material_icons::icons::{ICON_CHECK_CIRCLE, ICON_CLOSE, ICON_ERROR, ICON_NOTIFICATIONS};

use super::Cx;
use crate::model::Message;
use crate::model::said::{Notice, Tone};
use crate::theme::{size, space};
use crate::widgets::{Mood, card, icon_button};

/// Notices in sight at once.
const SHOWN_MAX: usize = 4;

fn mood(notice: &Notice) -> (Mood, egui_material_icons::MaterialIcon) {
    match notice.tone {
        Tone::Good => (Mood::Good, ICON_CHECK_CIRCLE),
        Tone::Bad => (Mood::Bad, ICON_ERROR),
    }
}

pub(super) fn toasts(ctx: &Context, cx: &mut Cx<'_>) {
    let shown: Vec<Notice> = cx
        .model
        .notices
        .iter()
        .rev()
        .filter(|notice| !notice.gone)
        .take(SHOWN_MAX)
        .cloned()
        .collect();
    if shown.is_empty() {
        return;
    }
    Area::new(Id::unique("toasts"))
        .order(Order::Foreground)
        .anchor(Align2::RIGHT_BOTTOM, Vec2::new(-space::L, -42.0))
        .show(ctx, |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            for notice in shown.iter().rev() {
                toast(ui, cx, notice);
            }
        });
}

fn toast(ui: &mut Ui, cx: &mut Cx<'_>, notice: &Notice) {
    let (mood, icon) = mood(notice);
    let ink = mood.ink(cx.tokens);
    card(cx.tokens)
        .stroke(Stroke::new(1.0, cx.tokens.line_strong))
        .inner_margin(Margin::symmetric(space::M as i8, space::S as i8))
        .shadow(ui.visuals().popup_shadow)
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.set_max_width(400.0);
                ui.label(icon.rich_text().size(size::ICON).color(ink));
                ui.add(Label::new(notice.said.words(&cx.t)).wrap());
                if icon_button(ui, ICON_CLOSE, &cx.t.get("close")).clicked() {
                    cx.send(Message::CloseNotice(notice.id));
                }
            });
        });
}

/// The bell with the list of everything that was told.
pub(super) fn bell(ui: &mut Ui, cx: &mut Cx<'_>) {
    let response = icon_button(ui, ICON_NOTIFICATIONS, &cx.t.get("notices"));
    egui::Popup::menu(&response)
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
            ui.set_width(380.0);
            Frame::new()
                .inner_margin(Margin::same(space::S as i8))
                .show(ui, |ui| {
                    if cx.model.notices.is_empty() {
                        ui.label(RichText::new(cx.t.get("notices-none")).color(cx.tokens.text_soft));
                        return;
                    }
                    ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
                        for notice in cx.model.notices.iter().rev() {
                            let (mood, icon) = mood(notice);
                            ui.horizontal(|ui| {
                                ui.label(icon.rich_text().size(size::BODY).color(mood.ink(cx.tokens)));
                                let at = RichText::new(cx.t.time(notice.at))
                                    .size(size::SMALL)
                                    .color(cx.tokens.text_soft);
                                ui.label(at);
                                ui.add(Label::new(notice.said.words(&cx.t)).wrap());
                            });
                        }
                    });
                });
        });
}
