//! The table of sessions on the monitor.

use eframe::egui::Ui;
use egui_material_icons::icons::{ICON_LOCK, ICON_SWAP_VERT};
use shared::protocol::SessionRow;

use super::{Cx, list};
use crate::model::dialog::About;
use crate::model::lists::ListId;
use crate::model::{LogMessage, LogPart, Message, Page};
use crate::theme::size;
use crate::widgets::table::{Column, Width, text};
use crate::widgets::{Mood, badge};

const NOTHING: list::Nothing = list::Nothing {
    icon: ICON_SWAP_VERT,
    title: "sessions-none",
    hint: "sessions-none-hint",
};

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let rows = &cx.model.sessions;
    let columns = [
        Column::new("service", cx.t.get("column-service"), Width::Wide(112.0)),
        Column::new("peer", cx.t.get("column-peer"), Width::Wide(170.0)),
        Column::new("user", cx.t.get("column-user"), Width::Rest),
        Column::new("state", cx.t.get("column-doing"), Width::Wide(104.0)),
        Column::new("since", cx.t.get("column-for"), Width::Wide(86.0)).right(),
        Column::new("bytes_in", cx.t.get("column-in"), Width::Wide(80.0)).right(),
        Column::new("bytes_out", cx.t.get("column-out"), Width::Wide(84.0)).right(),
    ];
    list::table(
        ui,
        cx,
        ListId::Sessions,
        rows,
        (&columns, &NOTHING),
        cell,
        |ui, cx, row| {
            if ui.button(cx.t.get("session-end")).clicked() {
                cx.send(end(row));
            }
            if ui.button(cx.t.get("session-log")).clicked() {
                cx.send(Message::Log(LogPart::Viewer, LogMessage::Session(Some(row.id))));
                cx.send(Message::Go(Page::Log));
            }
        },
    );
}

/// The selected session, if it is still there.
pub(super) fn selected<'a>(cx: &Cx<'a>) -> Option<&'a SessionRow> {
    let key = cx.model.sessions.selected.as_ref()?;
    cx.model
        .sessions
        .held()
        .map(|(_, row)| row)
        .find(|row| row.id.to_string() == *key)
}

pub(super) fn end(row: &SessionRow) -> Message {
    let who = if row.user.is_empty() {
        row.peer.clone()
    } else {
        format!("{} ({})", row.user, row.peer)
    };
    Message::Ask(About::EndSession { id: row.id, who })
}

fn cell(ui: &mut Ui, cx: &mut Cx<'_>, row: &SessionRow, column: usize) {
    match column {
        0 => text(ui, &cx.t.get(&format!("service-{}", row.service)), None),
        1 => {
            if row.tls {
                ui.label(ICON_LOCK.rich_text().size(size::BODY).color(cx.tokens.good))
                    .on_hover_text(cx.t.get("session-tls"));
            }
            text(ui, &row.peer, None);
        }
        2 if row.user.is_empty() => text(ui, "—", Some(cx.tokens.text_faint)),
        2 => text(ui, &row.user, None),
        3 => {
            if !row.state.is_empty() {
                badge(ui, Mood::Calm, &row.state);
            }
        }
        4 => text(ui, &cx.t.age(row.since), Some(cx.tokens.text_soft)),
        5 => text(ui, &cx.t.bytes(row.bytes_in), None),
        _ => text(ui, &cx.t.bytes(row.bytes_out), None),
    }
}
