//! Drawing: pure functions of the model that return messages, one file a page.

mod about;
mod access;
mod aliases;
mod certificates;
pub mod dialogs;
mod dkim;
mod domains;
mod external;
mod folders;
mod groups;
mod keys;
mod list;
mod log;
mod log_table;
mod monitor;
mod notices;
mod public;
mod queue;
mod routes;
mod services;
mod sessions;
mod settings;
mod status;
mod storage;
mod tree;
mod users;
mod wizard;

use eframe::egui::{Align, CentralPanel, Frame, Layout, Margin, Panel, RichText, Ui};
use egui_material_icons::MaterialIcon;

use crate::model::{Message, Model, Page};
use crate::text::Texts;
use crate::theme::{self, Tokens, size, space};
use crate::widgets::{card, empty, strong};

/// What a view draws with, and where its messages go.
pub struct Cx<'a> {
    pub model: &'a Model,
    pub t: Texts,
    pub tokens: &'static Tokens,
    pub out: Vec<Message>,
}

impl Cx<'_> {
    pub fn send(&mut self, message: Message) {
        self.out.push(message);
    }
}

/// Draws the whole window; gives what the person asked for.
pub fn show(ui: &mut Ui, model: &Model) -> Vec<Message> {
    let mut cx = Cx {
        model,
        t: model.texts(),
        tokens: theme::current(ui.ctx()),
        out: Vec::new(),
    };
    let tokens = cx.tokens;
    Panel::bottom("status")
        .exact_size(30.0)
        .resizable(false)
        .frame(
            Frame::new()
                .fill(tokens.side)
                .inner_margin(Margin::symmetric(space::M as i8, 0)),
        )
        .show(ui, |ui| status::show(ui, &mut cx));
    Panel::left("tree")
        .default_size(228.0)
        .size_range(180.0..=360.0)
        .frame(
            Frame::new()
                .fill(tokens.side)
                .inner_margin(Margin::symmetric(space::S as i8, space::M as i8)),
        )
        .show(ui, |ui| tree::show(ui, &mut cx));
    CentralPanel::no_frame()
        .frame(
            Frame::new()
                .fill(tokens.paper)
                .inner_margin(Margin::symmetric(space::XL as i8, space::L as i8)),
        )
        .show(ui, |ui| page(ui, &mut cx));
    dialogs::show(ui.ctx(), &mut cx);
    notices::toasts(ui.ctx(), &mut cx);
    cx.out
}

fn page(ui: &mut Ui, cx: &mut Cx<'_>) {
    match &cx.model.page {
        Page::Monitor => monitor::show(ui, cx),
        Page::Queue => queue::show(ui, cx),
        Page::Log => log::show(ui, cx),
        Page::Domains => domains::show(ui, cx),
        Page::Users(domain) => users::show(ui, cx, domain),
        Page::Aliases(domain) => aliases::show(ui, cx, domain),
        Page::Folders(domain) => folders::show(ui, cx, domain),
        Page::Groups => groups::show(ui, cx),
        Page::Public => public::show(ui, cx),
        Page::Access => access::show(ui, cx),
        Page::Routes => routes::show(ui, cx),
        Page::External => external::show(ui, cx),
        Page::Services => services::show(ui, cx),
        Page::Settings => settings::show(ui, cx),
        Page::Certificates => certificates::show(ui, cx),
        Page::Storage => storage::show(ui, cx),
        Page::Wizard => wizard::show(ui, cx),
        Page::About => about::show(ui, cx),
    }
}

/// The head of a page: what it is, and at the right what can be done.
fn heading(ui: &mut Ui, title: &str, beside: &str, actions: impl FnOnce(&mut Ui)) {
    let tokens = theme::current(ui.ctx());
    ui.horizontal(|ui| {
        ui.set_min_height(theme::height::CONTROL);
        ui.label(strong(title).size(size::TITLE));
        if !beside.is_empty() {
            ui.add_space(space::XS);
            ui.label(RichText::new(beside).color(tokens.text_soft));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), actions);
    });
    ui.add_space(space::XS);
}

/// In the place of what the server has not told yet.
fn not_yet(ui: &mut Ui, cx: &Cx<'_>, icon: MaterialIcon) {
    card(cx.tokens).show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        if cx.model.connected() {
            empty(ui, icon, &cx.t.get("waiting"), "");
        } else {
            let title = cx.t.get("not-connected");
            empty(ui, icon, &title, &cx.t.get("not-connected-hint"));
        }
    });
}
