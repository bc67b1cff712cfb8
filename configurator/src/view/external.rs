//! Mailboxes elsewhere whose mail is fetched for users.

use eframe::egui::Ui;
use egui_material_icons::icons::{
    ICON_ADD, ICON_DELETE, ICON_DOWNLOAD, ICON_EDIT, ICON_MOVE_TO_INBOX, ICON_WIFI_TETHERING,
};
use shared::external::{External, ExternalAfter, ExternalMechanism, ExternalProtocol, ExternalSecurity};
use shared::protocol::ExternalRow;

use super::{Cx, list};
use crate::model::Message;
use crate::model::dialog::About;
use crate::model::external::key;
use crate::model::forms::{ExternalForm, Form};
use crate::model::lists::ListId;
use crate::theme::size;
use crate::widgets::table::{Column, Width, text};
use crate::widgets::{Mood, Weight, badge, button, fact, strong};

const NOTHING: list::Nothing = list::Nothing {
    icon: ICON_MOVE_TO_INBOX,
    title: "external-none",
    hint: "external-none-hint",
};

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let rows = &cx.model.external;
    let title = cx.t.get("page-external");
    list::head(
        ui,
        cx,
        ListId::External,
        &title,
        ("count-external", rows.total(), &rows.filter),
        |ui, cx| {
            if button(ui, Weight::Primary, Some(ICON_ADD), &cx.t.get("external-add")).clicked() {
                cx.send(Message::Open(Form::External(ExternalForm::new())));
            }
        },
    );
    let selected = rows
        .selected
        .as_ref()
        .and_then(|wanted| rows.held().map(|(_, row)| row).find(|row| key(row) == *wanted));
    if let Some(row) = selected.cloned() {
        list::details(ui, cx, "external-details", |ui, cx| details(ui, cx, &row));
    }
    let columns = [
        Column::new("", cx.t.get("column-user"), Width::Wide(220.0)),
        Column::new("", cx.t.get("column-name"), Width::Rest),
        Column::new("host", cx.t.get("external-server"), Width::Wide(230.0)),
        Column::new("", cx.t.get("external-last"), Width::Wide(130.0)),
        Column::new("", cx.t.get("column-state"), Width::Fixed(130.0)),
    ];
    let seen = list::table(ui, cx, ListId::External, rows, (&columns, &NOTHING), cell, menu);
    if let Some(row) = seen.opened.and_then(|index| rows.row(index)) {
        cx.send(Message::Open(Form::External(ExternalForm::of(&row.external))));
    }
}

/// A moment, or that it never was.
fn moment(cx: &Cx<'_>, at: i64) -> String {
    if at == 0 {
        cx.t.get("external-never")
    } else {
        cx.t.time(at)
    }
}

fn server(external: &External) -> String {
    format!("{}:{}", external.host, external.port())
}

fn cell(ui: &mut Ui, cx: &mut Cx<'_>, row: &ExternalRow, column: usize) {
    let soft = Some(cx.tokens.text_soft);
    match column {
        0 => text(ui, &row.external.user.to_string(), None),
        1 => text(ui, &row.external.name, None),
        2 => text(ui, &server(&row.external), soft),
        3 => text(ui, &moment(cx, row.state.last_visit), soft),
        _ => state(ui, cx, row),
    }
}

fn state(ui: &mut Ui, cx: &Cx<'_>, row: &ExternalRow) {
    let (mood, word) = if row.state.is_running {
        (Mood::Calm, "external-running")
    } else if !row.external.enabled {
        (Mood::Calm, "state-off")
    } else if row.state.problem.is_some() {
        (Mood::Bad, "external-fails")
    } else {
        (Mood::Good, "state-on")
    };
    badge(ui, mood, &cx.t.get(word));
}

fn menu(ui: &mut Ui, cx: &mut Cx<'_>, row: &ExternalRow) {
    let (user, name) = (row.external.user.to_string(), row.external.name.clone());
    if ui.button(cx.t.get("external-fetch")).clicked() {
        cx.send(Message::FetchExternal(user.clone(), name.clone()));
    }
    if ui.button(cx.t.get("external-test")).clicked() {
        cx.send(Message::TestExternal(user.clone(), name.clone()));
    }
    if ui.button(cx.t.get("edit")).clicked() {
        cx.send(Message::Open(Form::External(ExternalForm::of(&row.external))));
    }
    if ui.button(cx.t.get("delete")).clicked() {
        cx.send(Message::Ask(About::RemoveExternal { user, name }));
    }
}

fn details(ui: &mut Ui, cx: &mut Cx<'_>, row: &ExternalRow) {
    let (external, state) = (&row.external, &row.state);
    let (user, name) = (external.user.to_string(), external.name.clone());
    ui.label(strong(&external.name).size(size::STRONG));
    ui.horizontal_wrapped(|ui| {
        if button(
            ui,
            Weight::Plain,
            Some(ICON_DOWNLOAD),
            &cx.t.get("external-fetch"),
        )
        .clicked()
        {
            cx.send(Message::FetchExternal(user.clone(), name.clone()));
        }
        let test = cx.t.get("external-test");
        if button(ui, Weight::Plain, Some(ICON_WIFI_TETHERING), &test).clicked() {
            cx.send(Message::TestExternal(user.clone(), name.clone()));
        }
        if button(ui, Weight::Plain, Some(ICON_EDIT), &cx.t.get("edit")).clicked() {
            cx.send(Message::Open(Form::External(ExternalForm::of(external))));
        }
        if button(ui, Weight::Danger, Some(ICON_DELETE), &cx.t.get("delete")).clicked() {
            cx.send(Message::Ask(About::RemoveExternal {
                user: user.clone(),
                name: name.clone(),
            }));
        }
    });
    let problem = state.problem.as_ref().map(|problem| cx.t.refusal(problem));
    fact(
        ui,
        &cx.t.get("external-result"),
        &problem.unwrap_or_else(|| cx.t.get("cli-external-fine")),
    );
    fact(ui, &cx.t.get("column-user"), &user);
    let kind = format!(
        "{}, {}",
        cx.t.get(protocol_key(external.protocol)),
        cx.t.get(security_key(external.security))
    );
    fact(
        ui,
        &cx.t.get("external-server"),
        &format!("{}\n{kind}", server(external)),
    );
    fact(ui, &cx.t.get("field-external-login"), &external.login);
    fact(ui, &cx.t.get("external-last"), &moment(cx, state.last_visit));
    fact(ui, &cx.t.get("external-next"), &moment(cx, state.next_visit));
    fact(
        ui,
        &cx.t.get("external-fetched"),
        &cx.t.number(state.fetched_total),
    );
    if state.skipped_total > 0 {
        fact(
            ui,
            &cx.t.get("external-skipped"),
            &cx.t.number(state.skipped_total),
        );
    }
    let after = match external.after {
        ExternalAfter::Keep => cx.t.get("external-after-keep"),
        ExternalAfter::Delete => cx.t.get("external-after-delete"),
        ExternalAfter::Days(days) => cx.t.with("external-after-in-days", &[("count", days.into())]),
    };
    fact(ui, &cx.t.get("field-external-after"), &after);
    if !external.into.is_empty() {
        fact(ui, &cx.t.get("field-external-into"), &external.into);
    }
    if !external.comment.is_empty() {
        fact(ui, &cx.t.get("column-comment"), &external.comment);
    }
}

pub(super) fn protocol_key(protocol: ExternalProtocol) -> &'static str {
    match protocol {
        ExternalProtocol::Pop3 => "external-protocol-pop3",
        ExternalProtocol::Imap => "external-protocol-imap",
    }
}

pub(super) fn security_key(security: ExternalSecurity) -> &'static str {
    match security {
        ExternalSecurity::Tls => "external-security-tls",
        ExternalSecurity::StartTls => "external-security-starttls",
        ExternalSecurity::None => "external-security-none",
    }
}

pub(super) fn mechanism_key(mechanism: ExternalMechanism) -> &'static str {
    match mechanism {
        ExternalMechanism::Auto => "external-mechanism-auto",
        ExternalMechanism::ScramSha256 => "external-mechanism-scram",
        ExternalMechanism::CramMd5 => "external-mechanism-cram",
        ExternalMechanism::Plain => "external-mechanism-plain",
        ExternalMechanism::Apop => "external-mechanism-apop",
        ExternalMechanism::Login => "external-mechanism-login",
    }
}
