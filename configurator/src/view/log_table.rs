//! Rows of the log, and the choice of their channels: on the monitor and in the viewer.

use eframe::egui::{self, Button, FontFamily, FontId, Margin, RichText, Stroke, Ui};
use egui_material_icons::icons::ICON_RECEIPT_LONG;
use shared::protocol::LogRow;

use super::Cx;
use crate::model::log::{CHANNELS, LogState};
use crate::model::{LogMessage, LogPart, Message};
use crate::theme::{height, size, space};
use crate::widgets::table::{self, Column, Spec, Width, text};
use crate::widgets::{Mood, card, empty};

fn state<'a>(cx: &Cx<'a>, part: LogPart) -> &'a LogState {
    match part {
        LogPart::Tail => &cx.model.tail,
        LogPart::Viewer => &cx.model.log,
    }
}

/// Chips that choose channels; none chosen means all.
pub(super) fn channels(ui: &mut Ui, cx: &mut Cx<'_>, part: LogPart) {
    let chosen = &state(cx, part).channels;
    ui.spacing_mut().item_spacing.x = space::XS;
    for channel in CHANNELS {
        let on = chosen.contains(channel);
        let name = cx.t.get(&format!("channel-{channel}"));
        let (ink, ground, line) = if on {
            (cx.tokens.accent, cx.tokens.accent_soft, cx.tokens.accent)
        } else {
            (cx.tokens.text_soft, cx.tokens.surface, cx.tokens.line)
        };
        let chip = Button::new(RichText::new(&name).size(size::SMALL).color(ink))
            .fill(ground)
            .stroke(Stroke::new(1.0, line))
            .corner_radius(11)
            .min_size(egui::vec2(0.0, 22.0));
        let response = ui
            .scope(|ui| {
                ui.spacing_mut().button_padding = egui::vec2(space::S, 1.0);
                ui.spacing_mut().interact_size.y = 22.0;
                ui.add(chip)
            })
            .inner;
        response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, on, &name));
        if response.clicked() {
            cx.send(Message::Log(part, LogMessage::Channel(channel, !on)));
        }
    }
}

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>, part: LogPart) {
    let log = state(cx, part);
    card(cx.tokens).inner_margin(Margin::ZERO).show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        if log.rows.is_empty() && !log.loading {
            let (title, hint) = if !cx.model.connected() {
                ("not-connected", "not-connected-hint")
            } else if log.filtered() {
                ("nothing-found", "log-nothing-hint")
            } else {
                ("log-none", "log-none-hint")
            };
            empty(ui, ICON_RECEIPT_LONG, &cx.t.get(title), &cx.t.get(hint));
            return;
        }
        rows(ui, cx, part, log);
    });
}

fn rows(ui: &mut Ui, cx: &mut Cx<'_>, part: LogPart, log: &LogState) {
    let columns = [
        Column::new(
            "",
            cx.t.get("column-time"),
            Width::Wide(if part == LogPart::Tail { 122.0 } else { 156.0 }),
        ),
        Column::new("", cx.t.get("column-channel"), Width::Wide(112.0)),
        Column::new("", cx.t.get("column-session"), Width::Wide(76.0)).right(),
        Column::new("", cx.t.get("column-event"), Width::Rest),
    ];
    let mut spec = Spec::new(
        if part == LogPart::Tail { "tail" } else { "log" },
        &columns,
        log.rows.len() as u64,
    );
    spec.row_height = height::LOG_ROW;
    spec.stick_to_bottom = log.follow;
    spec.keys = part == LogPart::Viewer;
    spec.selected = log
        .selected
        .and_then(|seq| log.rows.binary_search_by_key(&seq, |row| row.seq).ok())
        .map(|index| index as u64);
    let seen = table::show(
        ui,
        &spec,
        |ui, index, column| match log.rows.get(index as usize) {
            Some(row) => {
                cell(ui, cx, row, column);
                true
            }
            None => false,
        },
        |_, _| {},
    );
    if let Some(row) = seen.clicked.and_then(|index| log.rows.get(index as usize)) {
        cx.send(Message::Log(part, LogMessage::Select(Some(row.seq))));
    }
    if seen.at_top && part == LogPart::Viewer && !log.complete && !log.loading && !seen.rows.is_empty() {
        cx.send(Message::Log(part, LogMessage::Older));
    }
}

pub(super) fn mood(severity: &str) -> Mood {
    match severity {
        "error" => Mood::Bad,
        "warning" => Mood::Warn,
        _ => Mood::Calm,
    }
}

fn cell(ui: &mut Ui, cx: &Cx<'_>, row: &LogRow, column: usize) {
    let ink = match row.severity.as_str() {
        "error" | "warning" => mood(&row.severity).ink(cx.tokens),
        "debug" => cx.tokens.text_soft,
        _ => cx.tokens.text,
    };
    match column {
        0 => {
            let at = RichText::new(cx.t.time_us(row.at_us))
                .font(FontId::new(size::SMALL, FontFamily::Monospace))
                .color(cx.tokens.text_soft);
            ui.add(egui::Label::new(at).truncate());
        }
        1 => text(
            ui,
            &cx.t.get(&format!("channel-{}", row.channel)),
            Some(cx.tokens.text_soft),
        ),
        2 => text(
            ui,
            &row.session.map(|id| id.to_string()).unwrap_or_default(),
            Some(cx.tokens.text_soft),
        ),
        _ => text(ui, &row.text, Some(ink)),
    }
}
