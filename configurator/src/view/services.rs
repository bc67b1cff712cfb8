//! The services: their state, their load, where they listen; start, pause, stop.

use eframe::egui::{Label, RichText, ScrollArea, Ui, Vec2};
use egui_material_icons::icons::{ICON_LAN, ICON_PAUSE, ICON_PLAY_ARROW, ICON_STOP};
use i18n::Arg;
use shared::protocol::{ServiceRow, ServiceState};

use super::{Cx, heading};
use crate::model::Message;
use crate::model::dialog::About;
use crate::theme::{size, space};
use crate::widgets::{Mood, Weight, badge, button, card, empty, fact, gauge, icon_button, strong};

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    heading(ui, &cx.t.get("page-services"), "", |_| {});
    let Some(now) = &cx.model.monitor.now else {
        card(cx.tokens).show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            empty(
                ui,
                ICON_LAN,
                &cx.t.get("not-connected"),
                &cx.t.get("not-connected-hint"),
            );
        });
        return;
    };
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for row in &now.services {
            card(cx.tokens).show(ui, |ui| service(ui, cx, row));
        }
    });
}

fn service(ui: &mut Ui, cx: &mut Cx<'_>, row: &ServiceRow) {
    ui.set_min_width(ui.available_width());
    ui.horizontal(|ui| {
        ui.label(strong(name(cx, &row.service)).size(size::STRONG));
        state(ui, cx, row.state);
        ui.with_layout(
            eframe::egui::Layout::right_to_left(eframe::egui::Align::Center),
            |ui| {
                let act = |text: &str| cx.t.get(text);
                let (start, pause, stop) = (act("service-start"), act("service-pause"), act("service-stop"));
                if row.state != ServiceState::Stopped
                    && button(ui, Weight::Danger, Some(ICON_STOP), &stop).clicked()
                {
                    cx.send(Message::Ask(About::StopService(row.service.clone())));
                }
                if row.state == ServiceState::Running
                    && button(ui, Weight::Plain, Some(ICON_PAUSE), &pause).clicked()
                {
                    cx.send(Message::Service(row.service.clone(), ServiceState::Paused));
                }
                if row.state != ServiceState::Running
                    && button(ui, Weight::Primary, Some(ICON_PLAY_ARROW), &start).clicked()
                {
                    cx.send(Message::Service(row.service.clone(), ServiceState::Running));
                }
            },
        );
    });
    ui.add(
        Label::new(
            RichText::new(cx.t.get(&format!("service-{}-help", row.service))).color(cx.tokens.text_soft),
        )
        .wrap(),
    );
    ui.add_space(space::XS);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::XL;
        let sessions = if row.service == "delivery" {
            "column-under-way"
        } else {
            "column-sessions"
        };
        fact(ui, &cx.t.get(sessions), &load(cx, row));
        fact(ui, &cx.t.get("column-total"), &cx.t.number(row.total));
        fact(ui, &cx.t.get("column-listeners"), &row.listeners.join(", "));
    });
}

pub(super) fn name(cx: &Cx<'_>, service: &str) -> String {
    cx.t.get(&format!("service-{service}"))
}

/// Active of at most.
pub(super) fn load(cx: &Cx<'_>, row: &ServiceRow) -> String {
    let args = [
        ("active", Arg::from(cx.t.number(row.active))),
        ("max", Arg::from(cx.t.number(row.max))),
    ];
    cx.t.with("active-of-max", &args)
}

pub(super) fn state(ui: &mut Ui, cx: &Cx<'_>, state: ServiceState) {
    let (mood, key) = match state {
        ServiceState::Running => (Mood::Good, "state-running"),
        ServiceState::Paused => (Mood::Warn, "state-paused"),
        ServiceState::Stopped => (Mood::Bad, "state-stopped"),
    };
    badge(ui, mood, &cx.t.get(key));
}

/// A service in one line, as the monitor shows it.
pub(super) fn compact(ui: &mut Ui, cx: &mut Cx<'_>, row: &ServiceRow) {
    ui.horizontal(|ui| {
        ui.set_min_height(26.0);
        ui.allocate_ui_with_layout(
            Vec2::new(96.0, 24.0),
            eframe::egui::Layout::left_to_right(eframe::egui::Align::Center),
            |ui| {
                ui.set_min_width(96.0);
                ui.add(Label::new(name(cx, &row.service)).truncate());
            },
        );
        state(ui, cx, row.state);
        ui.with_layout(
            eframe::egui::Layout::right_to_left(eframe::egui::Align::Center),
            |ui| {
                ui.spacing_mut().item_spacing.x = space::XXS;
                let named = |key: &str| cx.t.with(key, &[("name", Arg::from(name(cx, &row.service)))]);
                let (start, pause, stop) = (
                    named("service-start-named"),
                    named("service-pause-named"),
                    named("service-stop-named"),
                );
                ui.add_enabled_ui(row.state != ServiceState::Stopped, |ui| {
                    if icon_button(ui, ICON_STOP, &stop).clicked() {
                        cx.send(Message::Ask(About::StopService(row.service.clone())));
                    }
                });
                if row.state == ServiceState::Running {
                    if icon_button(ui, ICON_PAUSE, &pause).clicked() {
                        cx.send(Message::Service(row.service.clone(), ServiceState::Paused));
                    }
                } else if icon_button(ui, ICON_PLAY_ARROW, &start).clicked() {
                    cx.send(Message::Service(row.service.clone(), ServiceState::Running));
                }
                ui.add_space(space::S);
                gauge(ui, row.active as f32 / row.max.max(1) as f32, 56.0);
                ui.add_space(space::S);
                ui.label(load(cx, row));
            },
        );
    });
}
