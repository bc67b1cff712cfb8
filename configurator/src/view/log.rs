//! The log viewer: stored rows by channel, session, message and text; export to a file.

use eframe::egui::{RichText, TextEdit, Ui};
use egui_material_icons::icons::{ICON_CLOSE, ICON_CONTENT_COPY, ICON_DOWNLOAD, ICON_PAUSE, ICON_PLAY_ARROW};
use i18n::Arg;
use shared::protocol::LogRow;

use super::{Cx, heading, list, log_table};
use crate::model::forms::{ExportForm, Form};
use crate::model::{LogMessage, LogPart, Message};
use crate::theme::{size, space};
use crate::widgets::{Weight, badge, button, fact, field, icon_button, strong};

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let log = &cx.model.log;
    let count = cx.t.count("count-rows", log.rows.len() as u64);
    heading(ui, &cx.t.get("page-log"), &count, |ui| {
        if button(ui, Weight::Plain, Some(ICON_DOWNLOAD), &cx.t.get("log-export")).clicked() {
            let path = std::env::home_dir()
                .unwrap_or_default()
                .join("batpost-log.txt")
                .display()
                .to_string();
            cx.send(Message::Open(Form::Export(ExportForm {
                path,
                ..ExportForm::default()
            })));
        }
        let (icon, key) = if log.follow {
            (ICON_PAUSE, "log-pause")
        } else {
            (ICON_PLAY_ARROW, "log-follow")
        };
        if button(ui, Weight::Plain, Some(icon), &cx.t.get(key)).clicked() {
            cx.send(Message::Log(LogPart::Viewer, LogMessage::Follow(!log.follow)));
        }
        ui.add_space(space::S);
        if let Some(typed) = field::search(
            ui,
            &log.contains,
            &cx.t.get("search"),
            &cx.t.get("search-clear"),
            210.0,
        ) {
            cx.send(Message::Log(LogPart::Viewer, LogMessage::Contains(typed)));
        }
    });
    ui.horizontal_wrapped(|ui| {
        log_table::channels(ui, cx, LogPart::Viewer);
        if let Some(id) = log.session {
            let text = cx.t.with("log-of-session", &[("id", Arg::from(id.to_string()))]);
            if button(ui, Weight::Plain, Some(ICON_CLOSE), &text).clicked() {
                cx.send(Message::Log(LogPart::Viewer, LogMessage::Session(None)));
            }
        }
        if let Some(id) = &log.message {
            let text = cx.t.with("log-of-message", &[("id", Arg::from(id.as_str()))]);
            if button(ui, Weight::Plain, Some(ICON_CLOSE), &text).clicked() {
                cx.send(Message::Log(LogPart::Viewer, LogMessage::Message(None)));
            }
        }
    });
    if let Some(row) = log.selected.and_then(|seq| log.row(seq)) {
        list::details(ui, cx, "log-details", |ui, cx| details(ui, cx, row));
    }
    log_table::show(ui, cx, LogPart::Viewer);
}

fn details(ui: &mut Ui, cx: &mut Cx<'_>, row: &LogRow) {
    ui.horizontal(|ui| {
        let severity = cx.t.get(&format!("severity-{}", row.severity));
        badge(ui, log_table::mood(&row.severity), &severity);
        ui.label(RichText::new(&row.code).color(cx.tokens.text_soft));
        if icon_button(ui, ICON_CONTENT_COPY, &cx.t.get("copy")).clicked() {
            cx.send(Message::Copy(
                serde_json::to_string_pretty(row).unwrap_or_default(),
            ));
        }
    });
    ui.label(strong(&row.text).size(size::STRONG));
    fact(ui, &cx.t.get("column-time"), &cx.t.time_us(row.at_us));
    fact(
        ui,
        &cx.t.get("column-channel"),
        &cx.t.get(&format!("channel-{}", row.channel)),
    );
    if let Some(id) = row.session {
        fact(ui, &cx.t.get("column-session"), &id.to_string());
        if button(ui, Weight::Plain, None, &cx.t.get("log-only-session")).clicked() {
            cx.send(Message::Log(LogPart::Viewer, LogMessage::Session(Some(id))));
        }
    }
    if let Some(id) = &row.message {
        fact(ui, &cx.t.get("column-message"), id);
        if button(ui, Weight::Plain, None, &cx.t.get("log-only-message")).clicked() {
            cx.send(Message::Log(
                LogPart::Viewer,
                LogMessage::Message(Some(id.clone())),
            ));
        }
    }
    if !row.fields.is_null() {
        let name = ui.label(
            RichText::new(cx.t.get("log-fields"))
                .size(size::SMALL)
                .color(cx.tokens.text_soft),
        );
        let mut text = serde_json::to_string_pretty(&row.fields).unwrap_or_default();
        ui.add(
            TextEdit::multiline(&mut text)
                .code_editor()
                .interactive(false)
                .desired_width(f32::INFINITY),
        )
        .labelled_by(name.id);
    }
}
