//! The monitor: figures, services, load, sessions, the log as it grows.

use eframe::egui::{Frame, Layout, Margin, Panel, RichText, Ui};
use egui_material_icons::icons::{ICON_CANCEL, ICON_MONITORING};
use i18n::Arg;
use shared::protocol::Monitor;

use super::{Cx, heading, list, log_table, not_yet, services, sessions};
use crate::model::lists::ListId;
use crate::model::{LogPart, Message, Page};
use crate::theme::{size, space};
use crate::widgets::plot::{self, Series};
use crate::widgets::{Weight, button, caption, card, strong};

/// How far back the plot goes, in seconds.
const PLOT_SECONDS: i64 = 300;

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let Some(now) = &cx.model.monitor.now else {
        heading(ui, &cx.t.get("page-monitor"), "", |_| {});
        not_yet(ui, cx, ICON_MONITORING);
        return;
    };
    let up = cx.t.with(
        "monitor-uptime",
        &[("duration", Arg::from(cx.t.duration(now.uptime_s)))],
    );
    heading(ui, &cx.t.get("page-monitor"), &up, |_| {});
    figures(ui, cx, now);
    ui.add_space(space::XS);
    Panel::bottom("monitor-log")
        .default_size(190.0)
        .size_range(96.0..=420.0)
        .resizable(true)
        .show_separator_line(false)
        .frame(Frame::new().inner_margin(Margin {
            top: space::S as i8,
            ..Margin::ZERO
        }))
        .show(ui, |ui| tail(ui, cx));
    Panel::top("monitor-load")
        .exact_size(256.0)
        .resizable(false)
        .show_separator_line(false)
        .frame(Frame::new().inner_margin(Margin {
            bottom: space::S as i8,
            ..Margin::ZERO
        }))
        .show(ui, |ui| {
            ui.columns(2, |columns| {
                services_card(&mut columns[0], cx, now);
                load(&mut columns[1], cx);
            });
        });
    ui.horizontal(|ui| {
        let total = cx.model.sessions.total().unwrap_or_default();
        caption(ui, &cx.t.count("count-sessions", total));
        ui.with_layout(Layout::right_to_left(eframe::egui::Align::Center), |ui| {
            if let Some(row) = sessions::selected(cx)
                && button(ui, Weight::Danger, Some(ICON_CANCEL), &cx.t.get("session-end")).clicked()
            {
                cx.send(sessions::end(row));
            }
            list::search(ui, cx, ListId::Sessions, &cx.model.sessions.filter);
        });
    });
    sessions::show(ui, cx);
}

/// The row of figures at the top.
fn figures(ui: &mut Ui, cx: &mut Cx<'_>, now: &Monitor) {
    let last = cx.model.monitor.points.back();
    let (accepted, delivered, bytes) = last.map_or((0.0, 0.0, 0.0), |point| {
        (point.accepted_per_s, point.delivered_per_s, point.bytes_per_s)
    });
    let per_second = |rate: f64| {
        let rate = i18n::decimal(cx.t.language, rate, usize::from(rate < 100.0));
        cx.t.with("per-second", &[("rate", Arg::from(rate))])
    };
    let bytes_per_second = cx.t.with(
        "per-second",
        &[("rate", Arg::from(cx.t.bytes(bytes.max(0.0) as u64)))],
    );
    let both = cx.t.bytes(now.bytes_in_total + now.bytes_out_total);
    let figures = [
        (
            "figure-sessions",
            cx.t.number(cx.model.monitor.active()),
            String::new(),
            None,
        ),
        (
            "figure-queue",
            cx.t.number(now.queue_messages),
            cx.t.get("figure-queue-open"),
            Some(Page::Queue),
        ),
        (
            "figure-accepted",
            cx.t.number(now.accepted_total),
            per_second(accepted),
            None,
        ),
        (
            "figure-delivered",
            cx.t.number(now.delivered_total),
            per_second(delivered),
            None,
        ),
        ("figure-traffic", both, bytes_per_second, None),
        ("figure-memory", cx.t.bytes(now.memory_bytes), String::new(), None),
    ];
    ui.columns(figures.len(), |columns| {
        for (ui, (key, value, beside, page)) in columns.iter_mut().zip(figures) {
            card(cx.tokens)
                .inner_margin(Margin::symmetric(space::M as i8, space::S as i8))
                .show(ui, |ui| {
                    ui.set_min_width(ui.available_width());
                    ui.spacing_mut().item_spacing.y = space::XXS;
                    ui.add(
                        eframe::egui::Label::new(
                            RichText::new(cx.t.get(key))
                                .size(size::SMALL)
                                .color(cx.tokens.text_soft),
                        )
                        .truncate(),
                    );
                    ui.add(eframe::egui::Label::new(strong(value).size(size::FIGURE)).truncate());
                    let small = RichText::new(if beside.is_empty() { " ".to_owned() } else { beside })
                        .size(size::SMALL);
                    match page {
                        None => drop(ui.label(small.color(cx.tokens.text_soft))),
                        Some(page) => {
                            if ui.link(small).clicked() {
                                cx.send(Message::Go(page));
                            }
                        }
                    }
                });
        }
    });
}

fn services_card(ui: &mut Ui, cx: &mut Cx<'_>, now: &Monitor) {
    card(cx.tokens).show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        ui.spacing_mut().item_spacing.y = space::XXS;
        caption(ui, &cx.t.get("page-services"));
        ui.add_space(space::XS);
        for row in &now.services {
            services::compact(ui, cx, row);
        }
    });
}

fn load(ui: &mut Ui, cx: &mut Cx<'_>) {
    card(cx.tokens).show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        caption(ui, &cx.t.get("monitor-load"));
        let history = &cx.model.monitor;
        let end = history.points.back().map_or(0, |point| point.at);
        let series: Vec<Series> = history
            .services
            .iter()
            .enumerate()
            .map(|(at, service)| Series {
                name: services::name(cx, service),
                color: cx.tokens.series[at % cx.tokens.series.len()],
                now: cx.t.number(history.service(service).map_or(0, |row| row.active)),
                points: history
                    .points
                    .iter()
                    .filter(|point| end - point.at <= PLOT_SECONDS)
                    .map(|point| {
                        [
                            (point.at - end) as f64,
                            point.active.get(at).copied().unwrap_or_default() as f64,
                        ]
                    })
                    .collect(),
            })
            .collect();
        let t = cx.t.clone();
        let numbers = cx.t.clone();
        plot::show(
            ui,
            "load",
            &series,
            PLOT_SECONDS as f64,
            (ui.available_height() - 48.0).max(60.0),
            move |seconds| {
                if seconds == 0 {
                    t.get("time-now")
                } else {
                    t.with("time-ago", &[("duration", Arg::from(t.duration(seconds)))])
                }
            },
            move |figure| numbers.number(figure.max(0.0) as u64),
        );
    });
}

fn tail(ui: &mut Ui, cx: &mut Cx<'_>) {
    ui.horizontal(|ui| {
        caption(ui, &cx.t.get("monitor-log"));
        ui.add_space(space::S);
        log_table::channels(ui, cx, LogPart::Tail);
        ui.with_layout(Layout::right_to_left(eframe::egui::Align::Center), |ui| {
            if button(ui, Weight::Quiet, None, &cx.t.get("log-open")).clicked() {
                cx.send(Message::Go(Page::Log));
            }
        });
    });
    log_table::show(ui, cx, LogPart::Tail);
}
