//! The first-run wizard.

use eframe::egui::{self, Label, RichText, ScrollArea, Ui, Vec2};
use egui_material_icons::icons::{
    ICON_ARROW_BACK, ICON_ARROW_FORWARD, ICON_CHECK, ICON_CONTENT_COPY, ICON_ERROR, ICON_WARNING,
};
use i18n::Arg;
use shared::protocol::ServiceState;

use super::{Cx, heading, services};
use crate::model::Message;
use crate::model::wizard::{Record, Step, Wizard};
use crate::theme::{size, space};
use crate::widgets::{Mood, Weight, badge, banner, button, card, field, icon_button, strong};

/// Ports of the services as the rest of the world expects them.
const PORTS: [(&str, &str, &str); 4] = [
    ("smtp", "25", "port-why-smtp"),
    ("submission", "465, 587", "port-why-submission"),
    ("imap", "993, 143", "port-why-imap"),
    ("pop3", "995, 110", "port-why-pop3"),
];

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    heading(ui, &cx.t.get("page-wizard"), "", |_| {});
    card(cx.tokens).inner_margin(space::XL as i8).show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        steps(ui, cx);
        ui.add_space(space::L);
        let mut wizard = cx.model.wizard.clone();
        let room = ui.available_height() - 56.0;
        ScrollArea::vertical()
            .max_height(room)
            .auto_shrink(false)
            .show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = space::M;
                body(ui, cx, &mut wizard);
            });
        if wizard != cx.model.wizard {
            cx.send(Message::Wizard(Box::new(wizard)));
        }
        ui.add_space(space::M);
        foot(ui, cx);
    });
}

fn steps(ui: &mut Ui, cx: &Cx<'_>) {
    let now = cx.model.wizard.step;
    ui.horizontal_wrapped(|ui| {
        for (at, step) in Step::ALL.into_iter().enumerate() {
            let (ground, ink) = if step <= now {
                (cx.tokens.accent, cx.tokens.on_accent)
            } else {
                (cx.tokens.hover, cx.tokens.text_soft)
            };
            let (rect, _) = ui.allocate_exact_size(Vec2::splat(24.0), egui::Sense::empty());
            ui.painter().circle_filled(rect.center(), 12.0, ground);
            let (sign, font) = if step < now {
                (
                    ICON_CHECK.codepoint.to_owned(),
                    egui::FontId::new(15.0, ICON_CHECK.font_family()),
                )
            } else {
                (
                    (at + 1).to_string(),
                    egui::FontId::new(size::BODY, crate::theme::strong()),
                )
            };
            ui.painter()
                .text(rect.center(), egui::Align2::CENTER_CENTER, sign, font, ink);
            let name = RichText::new(cx.t.get(title(step)));
            ui.label(if step == now {
                name.family(crate::theme::strong())
            } else {
                name.color(cx.tokens.text_soft)
            });
            ui.add_space(space::M);
        }
    });
}

fn title(step: Step) -> &'static str {
    match step {
        Step::Server => "wizard-server",
        Step::Domain => "wizard-domain",
        Step::Mailbox => "wizard-mailbox",
        Step::Records => "wizard-records",
        Step::Ports => "wizard-ports",
    }
}

fn intro(ui: &mut Ui, cx: &Cx<'_>, key: &str) {
    ui.scope(|ui| {
        ui.set_max_width(640.0);
        ui.add(Label::new(RichText::new(cx.t.get(key)).color(cx.tokens.text_soft)).wrap());
    });
}

fn body(ui: &mut Ui, cx: &mut Cx<'_>, wizard: &mut Wizard) {
    ui.label(strong(cx.t.get(title(wizard.step))).size(size::TITLE));
    let (model, t) = (cx.model, cx.t.clone());
    let error = |field: &str| model.wizard.errors.get(field).map(|refusal| t.refusal(refusal));
    match wizard.step {
        Step::Server => {
            intro(ui, cx, "wizard-server-text");
            field::row(
                ui,
                &cx.t.get("field-hostname"),
                &cx.t.get("field-hostname-help"),
                error("hostname").as_deref(),
                |ui| field::line(ui, "hostname", &mut wizard.hostname, "mail.example.com"),
            );
        }
        Step::Domain => {
            intro(ui, cx, "wizard-domain-text");
            field::row(
                ui,
                &cx.t.get("field-domain"),
                &cx.t.get("field-domain-help"),
                error("domain").as_deref(),
                |ui| field::line(ui, "domain", &mut wizard.domain, "example.com"),
            );
        }
        Step::Mailbox => mailbox(ui, cx, wizard),
        Step::Records => records(ui, cx, wizard),
        Step::Ports => ports(ui, cx),
    }
    if let Some(error) = error("step") {
        banner(ui, Mood::Bad, ICON_ERROR, &error, |_| {});
    }
}

fn mailbox(ui: &mut Ui, cx: &Cx<'_>, wizard: &mut Wizard) {
    intro(ui, cx, "wizard-mailbox-text");
    let error = |field: &str| {
        cx.model
            .wizard
            .errors
            .get(field)
            .map(|refusal| cx.t.refusal(refusal))
    };
    let domain = format!("@{}", wizard.domain.trim());
    field::row(
        ui,
        &cx.t.get("field-local"),
        "",
        error("local").as_deref(),
        |ui| {
            ui.horizontal(|ui| {
                let response = field::edit(ui, "local", &mut wizard.local, "", 200.0, false);
                ui.label(RichText::new(&domain).color(cx.tokens.text_soft));
                response
            })
            .inner
        },
    );
    field::row(ui, &cx.t.get("field-name"), "", None, |ui| {
        field::line(ui, "name", &mut wizard.name, "")
    });
    field::row(
        ui,
        &cx.t.get("field-password"),
        "",
        error("password").as_deref(),
        |ui| field::edit(ui, "password", &mut wizard.password, "", 260.0, true),
    );
    field::row(
        ui,
        &cx.t.get("field-again"),
        "",
        error("again").as_deref(),
        |ui| field::edit(ui, "again", &mut wizard.again, "", 260.0, true),
    );
}

fn records(ui: &mut Ui, cx: &mut Cx<'_>, wizard: &Wizard) {
    intro(ui, cx, "wizard-records-text");
    let records = wizard.records();
    for record in &records {
        self::record(ui, cx, record);
    }
    if button(
        ui,
        Weight::Plain,
        Some(ICON_CONTENT_COPY),
        &cx.t.get("wizard-copy-all"),
    )
    .clicked()
    {
        let text: Vec<String> = records.iter().map(|record| line(cx, record)).collect();
        cx.send(Message::Copy(text.join("\n")));
    }
    banner(ui, Mood::Accent, ICON_WARNING, &cx.t.get("wizard-ptr"), |_| {});
}

fn value(cx: &Cx<'_>, record: &Record) -> String {
    if record.value.is_empty() {
        cx.t.get("dns-your-address")
    } else {
        record.value.clone()
    }
}

fn line(cx: &Cx<'_>, record: &Record) -> String {
    format!("{}\tIN\t{}\t{}", record.name, record.kind, value(cx, record))
}

fn record(ui: &mut Ui, cx: &mut Cx<'_>, record: &Record) {
    let frame = card(cx.tokens)
        .fill(cx.tokens.zebra)
        .inner_margin(egui::Margin::symmetric(space::M as i8, space::S as i8));
    frame.show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = space::XXS;
        ui.horizontal(|ui| {
            badge(ui, Mood::Accent, record.kind);
            ui.label(RichText::new(&record.name).monospace());
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let name = cx.t.with(
                    "copy-record",
                    &[
                        ("kind", Arg::from(record.kind)),
                        ("name", Arg::from(record.name.as_str())),
                    ],
                );
                if icon_button(ui, ICON_CONTENT_COPY, &name).clicked() {
                    cx.send(Message::Copy(line(cx, record)));
                }
            });
        });
        ui.add(
            Label::new(
                RichText::new(value(cx, record))
                    .monospace()
                    .color(cx.tokens.accent),
            )
            .selectable(true),
        );
        ui.label(
            RichText::new(cx.t.get(record.why))
                .size(size::SMALL)
                .color(cx.tokens.text_soft),
        );
    });
}

fn ports(ui: &mut Ui, cx: &Cx<'_>) {
    intro(ui, cx, "wizard-ports-text");
    for (service, ports, why) in PORTS {
        card(cx.tokens)
            .fill(cx.tokens.zebra)
            .inner_margin(egui::Margin::symmetric(space::M as i8, space::S as i8))
            .show(ui, |ui| {
                ui.set_min_width(ui.available_width());
                ui.spacing_mut().item_spacing.y = space::XXS;
                ui.horizontal(|ui| {
                    ui.label(strong(services::name(cx, service)));
                    ui.label(cx.t.with("wizard-port", &[("ports", Arg::from(ports))]));
                    match cx.model.monitor.service(service) {
                        Some(row) if row.state == ServiceState::Running => {
                            let at = [("addresses", Arg::from(row.listeners.join(", ")))];
                            badge(ui, Mood::Good, &cx.t.with("wizard-listens", &at));
                        }
                        _ => drop(badge(ui, Mood::Warn, &cx.t.get("wizard-listens-not"))),
                    }
                });
                ui.label(
                    RichText::new(cx.t.get(why))
                        .size(size::SMALL)
                        .color(cx.tokens.text_soft),
                );
            });
    }
    banner(ui, Mood::Warn, ICON_WARNING, &cx.t.get("wizard-port25"), |_| {});
}

fn foot(ui: &mut Ui, cx: &mut Cx<'_>) {
    let wizard = &cx.model.wizard;
    ui.horizontal(|ui| {
        if wizard.step.previous().is_some()
            && button(ui, Weight::Plain, Some(ICON_ARROW_BACK), &cx.t.get("back")).clicked()
        {
            cx.send(Message::WizardBack);
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let (icon, key) = if wizard.step.next().is_some() {
                (ICON_ARROW_FORWARD, "next")
            } else {
                (ICON_CHECK, "finish")
            };
            ui.add_enabled_ui(cx.model.connected() && !wizard.busy, |ui| {
                if button(ui, Weight::Primary, Some(icon), &cx.t.get(key)).clicked() {
                    cx.send(Message::WizardNext);
                }
            });
            if wizard.busy {
                ui.label(RichText::new(cx.t.get("status-saving")).color(cx.tokens.text_soft));
            }
        });
    });
}
