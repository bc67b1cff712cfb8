//! What the program is, and what it is connected to.

use eframe::egui::{RichText, Ui};

use super::{Cx, heading};
use crate::model::Status;
use crate::theme::{size, space};
use crate::widgets::{card, fact, mark::mark, strong};

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    heading(ui, &cx.t.get("page-about"), "", |_| {});
    card(cx.tokens).inner_margin(space::XL as i8).show(ui, |ui| {
        ui.set_width(520.0_f32.min(ui.available_width()));
        ui.spacing_mut().item_spacing.y = space::M;
        ui.horizontal(|ui| {
            mark(ui, 56.0);
            ui.add_space(space::S);
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = space::XXS;
                ui.label(strong(cx.t.get("product-name")).size(size::FIGURE));
                ui.label(RichText::new(cx.t.get("about-what")).color(cx.tokens.text_soft));
            });
        });
        fact(ui, &cx.t.get("about-version"), env!("CARGO_PKG_VERSION"));
        if let Status::Connected(welcome) = &cx.model.status {
            fact(ui, &cx.t.get("about-server"), &welcome.hostname);
            fact(ui, &cx.t.get("about-server-version"), &welcome.server);
            let protocol = format!("{}.{}", welcome.version.major, welcome.version.minor);
            fact(ui, &cx.t.get("about-protocol"), &protocol);
        }
        fact(ui, &cx.t.get("about-target"), &cx.model.target);
        fact(ui, &cx.t.get("about-licence"), env!("CARGO_PKG_LICENSE"));
        fact(ui, &cx.t.get("about-fonts"), &cx.t.get("about-fonts-text"));
        fact(ui, &cx.t.get("about-keys"), &cx.t.get("about-keys-text"));
    });
}
