//! The queue: messages that wait, the selected one with its recipients, and what can be done with them.

use eframe::egui::{RichText, Ui};
use egui_material_icons::icons::{
    ICON_ALT_ROUTE, ICON_DELETE, ICON_DESCRIPTION, ICON_DOWNLOAD, ICON_OUTBOX, ICON_PAUSE, ICON_PLAY_ARROW,
    ICON_RECEIPT_LONG, ICON_REPLAY,
};
use i18n::Arg;
use shared::protocol::{QueueMessage, QueueRow, RecipientState};

use super::{Cx, list};
use crate::model::dialog::About;
use crate::model::forms::{ExportForm, Form, NextHostForm};
use crate::model::lists::ListId;
use crate::model::{LogMessage, LogPart, Message, Page, QueueAct};
use crate::theme::{size, space};
use crate::widgets::table::{Column, Width, text};
use crate::widgets::{Mood, Weight, badge, button, caption, fact, icon_button, strong};

const NOTHING: list::Nothing = list::Nothing {
    icon: ICON_OUTBOX,
    title: "queue-none",
    hint: "queue-none-hint",
};

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let rows = &cx.model.queue;
    let title = cx.t.get("page-queue");
    list::head(
        ui,
        cx,
        ListId::Queue,
        &title,
        ("count-messages-shown", rows.total(), &rows.filter),
        |ui, cx| {
            actions(ui, cx);
        },
    );
    let open = cx
        .model
        .message
        .as_ref()
        .filter(|message| rows.selected.as_ref() == Some(&message.row.id));
    if let Some(message) = open {
        list::details(ui, cx, "queue-details", |ui, cx| details(ui, cx, message));
    }
    let column = |key, name, width| Column::new(key, cx.t.get(name), width);
    let mark = Column::new("", String::new(), Width::Fixed(40.0));
    let arrived = column("arrived", "column-arrived", Width::Wide(96.0));
    let sender = column("sender", "column-sender", Width::Wide(160.0));
    let next_try = column("next_try", "column-next-try", Width::Wide(112.0));
    if open.is_some() {
        // What the details say is left out beside them.
        let recipients = column("recipients", "column-recipients", Width::Rest);
        let columns = [mark, arrived, sender, recipients, next_try];
        let cell = |ui: &mut Ui, cx: &mut Cx<'_>, row: &QueueRow, at| match at {
            4 => next_try_cell(ui, cx, row),
            _ => cell(ui, cx, row, at),
        };
        list::table(ui, cx, ListId::Queue, rows, (&columns, &NOTHING), cell, menu);
        return;
    }
    let columns = [
        mark,
        arrived,
        sender,
        column("recipients", "column-recipients", Width::Wide(224.0)),
        column("size", "column-size", Width::Wide(76.0)).right(),
        column("attempts", "column-attempts", Width::Wide(84.0)).right(),
        next_try,
        column("", "column-last-reply", Width::Rest),
    ];
    list::table(ui, cx, ListId::Queue, rows, (&columns, &NOTHING), cell, menu);
}

/// Messages that actions are for: the marked ones, else the selected one.
fn chosen(cx: &Cx<'_>) -> Vec<String> {
    let rows = &cx.model.queue;
    if rows.marked.is_empty() {
        rows.selected.iter().cloned().collect()
    } else {
        rows.marked.iter().cloned().collect()
    }
}

fn actions(ui: &mut Ui, cx: &mut Cx<'_>) {
    let ids = chosen(cx);
    if ids.is_empty() {
        let any = cx.model.queue.total().unwrap_or_default() > 0;
        if any && button(ui, Weight::Plain, Some(ICON_REPLAY), &cx.t.get("queue-retry-all")).clicked() {
            cx.send(Message::Queue(QueueAct::Retry, Vec::new()));
        }
        if button(ui, Weight::Plain, None, &cx.t.get("reports")).clicked() {
            cx.send(Message::Ask(About::SendReports));
        }
        return;
    }
    if button(ui, Weight::Danger, Some(ICON_DELETE), &cx.t.get("delete")).clicked() {
        cx.send(Message::Ask(About::RemoveMessages(ids.clone())));
    }
    if icon_button(ui, ICON_DOWNLOAD, &cx.t.get("queue-export")).clicked() {
        cx.send(export(ids.clone()));
    }
    if icon_button(ui, ICON_ALT_ROUTE, &cx.t.get("queue-next-host")).clicked() {
        cx.send(next_host(ids.clone()));
    }
    for (act, icon, key) in [
        (QueueAct::Release, ICON_PLAY_ARROW, "queue-release"),
        (QueueAct::Hold, ICON_PAUSE, "queue-hold"),
        (QueueAct::Retry, ICON_REPLAY, "queue-retry"),
    ] {
        if button(ui, Weight::Plain, Some(icon), &cx.t.get(key)).clicked() {
            cx.send(Message::Queue(act, ids.clone()));
        }
    }
}

fn cell(ui: &mut Ui, cx: &mut Cx<'_>, row: &QueueRow, column: usize) {
    match column {
        0 => {
            let mut on = cx.model.queue.marked.contains(&row.id);
            let tick = ui.checkbox(&mut on, "");
            let name = cx.t.named("queue-mark", &row.id);
            tick.widget_info(|| {
                eframe::egui::WidgetInfo::selected(eframe::egui::Role::CheckBox, true, on, &name)
            });
            if tick.changed() {
                cx.send(Message::Mark(ListId::Queue, row.id.clone(), on));
            }
        }
        1 => text(ui, &cx.t.time(row.arrived), None),
        2 if row.sender.is_empty() => text(ui, &cx.t.get("sender-none"), Some(cx.tokens.text_soft)),
        2 => text(ui, &row.sender, None),
        3 => {
            let more = row.recipients_total.saturating_sub(row.recipients.len() as u64);
            let mut shown = row.recipients.join(", ");
            if more > 0 {
                shown = format!("{shown} {}", cx.t.count("and-more", more));
            }
            text(ui, &shown, None);
        }
        4 => text(ui, &cx.t.bytes(row.size), None),
        5 => text(ui, &cx.t.number(u64::from(row.attempts)), None),
        6 => next_try_cell(ui, cx, row),
        _ => text(ui, &row.last_reply, Some(cx.tokens.text_soft)),
    }
}

fn next_try_cell(ui: &mut Ui, cx: &Cx<'_>, row: &QueueRow) {
    if row.held {
        badge(ui, Mood::Warn, &cx.t.get("state-held"));
    } else if let Some(at) = row.next_try {
        text(ui, &cx.t.until(at), Some(cx.tokens.text_soft));
    }
}

fn menu(ui: &mut Ui, cx: &mut Cx<'_>, row: &QueueRow) {
    let ids = vec![row.id.clone()];
    for (act, key) in [
        (QueueAct::Retry, "queue-retry"),
        (QueueAct::Hold, "queue-hold"),
        (QueueAct::Release, "queue-release"),
    ] {
        if ui.button(cx.t.get(key)).clicked() {
            cx.send(Message::Queue(act, ids.clone()));
        }
    }
    if ui.button(cx.t.get("queue-next-host")).clicked() {
        cx.send(next_host(ids.clone()));
    }
    if ui.button(cx.t.get("queue-export")).clicked() {
        cx.send(export(ids.clone()));
    }
    if ui.button(cx.t.get("delete")).clicked() {
        cx.send(Message::Ask(About::RemoveMessages(ids)));
    }
}

fn next_host(ids: Vec<String>) -> Message {
    Message::Open(Form::NextHost(NextHostForm {
        ids,
        route: String::new(),
    }))
}

fn export(messages: Vec<String>) -> Message {
    let folder = std::env::home_dir().unwrap_or_default().join("batpost-queue");
    Message::Open(Form::Export(ExportForm {
        path: folder.display().to_string(),
        messages,
    }))
}

fn details(ui: &mut Ui, cx: &mut Cx<'_>, message: &QueueMessage) {
    let row = &message.row;
    let sender = if row.sender.is_empty() {
        cx.t.get("sender-none")
    } else {
        row.sender.clone()
    };
    ui.label(strong(sender).size(size::STRONG));
    ui.label(RichText::new(&row.id).monospace().color(cx.tokens.text_soft));
    ui.horizontal_wrapped(|ui| {
        if button(ui, Weight::Plain, Some(ICON_DESCRIPTION), &cx.t.get("queue-read")).clicked() {
            cx.send(Message::ReadMessage(row.id.clone()));
        }
        if button(ui, Weight::Plain, Some(ICON_RECEIPT_LONG), &cx.t.get("page-log")).clicked() {
            cx.send(Message::Log(
                LogPart::Viewer,
                LogMessage::Message(Some(row.id.clone())),
            ));
            cx.send(Message::Go(Page::Log));
        }
    });
    fact(ui, &cx.t.get("column-arrived"), &cx.t.time(row.arrived));
    fact(ui, &cx.t.get("column-size"), &cx.t.bytes(row.size));
    if let Some(route) = &message.route {
        fact(ui, &cx.t.get("field-next-host"), route);
    }
    fact(ui, &cx.t.get("column-last-reply"), &row.last_reply);
    caption(ui, &cx.t.count("count-recipients", message.states.len() as u64));
    for state in &message.states {
        recipient(ui, cx, state);
    }
}

fn recipient(ui: &mut Ui, cx: &Cx<'_>, state: &RecipientState) {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = space::XXS;
        ui.horizontal(|ui| {
            let mood = match state.state.as_str() {
                "delivered" => Mood::Good,
                "failed" => Mood::Bad,
                _ => Mood::Calm,
            };
            badge(ui, mood, &cx.t.get(&format!("recipient-{}", state.state)));
            text(ui, &state.address, None);
        });
        let mut tries = cx.t.count("count-attempts", u64::from(state.attempts));
        if let Some(at) = state.next_try {
            tries += &cx.t.with("attempts-next", &[("when", Arg::from(cx.t.until(at)))]);
        }
        if state.attempts > 0 || state.next_try.is_some() {
            let tries = RichText::new(tries).size(size::SMALL).color(cx.tokens.text_soft);
            ui.label(tries);
        }
        if !state.last_reply.is_empty() {
            let reply = RichText::new(&state.last_reply)
                .size(size::SMALL)
                .color(cx.tokens.text_soft);
            ui.add(eframe::egui::Label::new(reply).wrap().selectable(true));
        }
    });
}
