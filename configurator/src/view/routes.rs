//! The routes of outgoing mail, in the order in which they are asked.

use eframe::egui::Ui;
use egui_material_icons::icons::{ICON_ADD, ICON_ALT_ROUTE, ICON_DELETE, ICON_EDIT, ICON_ROUTE};
use shared::route::{Route, RouteProtocol, RouteTls};

use super::{Cx, domains, list};
use crate::model::Message;
use crate::model::dialog::About;
use crate::model::forms::{Form, RouteForm, RouteTestForm};
use crate::model::lists::ListId;
use crate::theme::size;
use crate::widgets::table::{Column, Width, text};
use crate::widgets::{Weight, button, fact, strong};

const NOTHING: list::Nothing = list::Nothing {
    icon: ICON_ALT_ROUTE,
    title: "routes-none",
    hint: "routes-none-hint",
};

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let rows = &cx.model.routes;
    let title = cx.t.get("page-routes");
    list::head(
        ui,
        cx,
        ListId::Routes,
        &title,
        ("count-routes", rows.total(), &rows.filter),
        |ui, cx| {
            if button(ui, Weight::Primary, Some(ICON_ADD), &cx.t.get("route-add")).clicked() {
                cx.send(Message::Open(Form::Route(RouteForm::new())));
            }
            if button(ui, Weight::Plain, Some(ICON_ROUTE), &cx.t.get("route-test")).clicked() {
                cx.send(Message::Open(Form::RouteTest(RouteTestForm::default())));
            }
        },
    );
    let selected = rows.selected.as_ref().and_then(|key| {
        rows.held()
            .map(|(_, route)| route)
            .find(|route| route.name == *key)
    });
    if let Some(route) = selected.cloned() {
        list::details(ui, cx, "route-details", |ui, cx| details(ui, cx, &route));
    }
    let columns = [
        Column::new("place", cx.t.get("column-place"), Width::Fixed(80.0)),
        Column::new("name", cx.t.get("column-name"), Width::Wide(150.0)),
        Column::new("", cx.t.get("column-route-to"), Width::Wide(220.0)),
        Column::new("", cx.t.get("column-route-from"), Width::Wide(180.0)),
        Column::new("", cx.t.get("column-route-hosts"), Width::Rest),
        Column::new("", cx.t.get("column-state"), Width::Fixed(110.0)),
    ];
    let seen = list::table(ui, cx, ListId::Routes, rows, (&columns, &NOTHING), cell, menu);
    if let Some(route) = seen.opened.and_then(|index| rows.row(index)) {
        cx.send(Message::Open(Form::Route(RouteForm::of(route))));
    }
}

/// Patterns or hosts, or what none of them means.
fn or(cx: &Cx<'_>, texts: &[String], nothing: &str, between: &str) -> String {
    if texts.is_empty() || texts == ["*"] {
        cx.t.get(nothing)
    } else {
        texts.join(between)
    }
}

fn cell(ui: &mut Ui, cx: &mut Cx<'_>, route: &Route, column: usize) {
    let soft = Some(cx.tokens.text_soft);
    match column {
        0 => text(ui, &route.place.to_string(), soft),
        1 => text(ui, &route.name, None),
        2 => text(ui, &or(cx, &route.to, "route-all", ", "), None),
        3 => text(ui, &or(cx, &route.from, "route-all", ", "), soft),
        4 => text(ui, &or(cx, &route.hosts, "route-direct", ", "), None),
        _ => domains::state(ui, cx, route.enabled),
    }
}

fn menu(ui: &mut Ui, cx: &mut Cx<'_>, route: &Route) {
    if ui.button(cx.t.get("edit")).clicked() {
        cx.send(Message::Open(Form::Route(RouteForm::of(route))));
    }
    if ui.button(cx.t.get("delete")).clicked() {
        cx.send(Message::Ask(About::RemoveRoute(route.name.clone())));
    }
}

fn details(ui: &mut Ui, cx: &mut Cx<'_>, route: &Route) {
    ui.label(strong(&route.name).size(size::STRONG));
    ui.horizontal_wrapped(|ui| {
        if button(ui, Weight::Plain, Some(ICON_EDIT), &cx.t.get("edit")).clicked() {
            cx.send(Message::Open(Form::Route(RouteForm::of(route))));
        }
        if button(ui, Weight::Danger, Some(ICON_DELETE), &cx.t.get("delete")).clicked() {
            cx.send(Message::Ask(About::RemoveRoute(route.name.clone())));
        }
    });
    let to = or(cx, &route.to, "route-all", "\n");
    fact(ui, &cx.t.get("column-route-to"), &to);
    let from = or(cx, &route.from, "route-all", "\n");
    fact(ui, &cx.t.get("column-route-from"), &from);
    let hosts = or(cx, &route.hosts, "route-direct", "\n");
    fact(ui, &cx.t.get("column-route-hosts"), &hosts);
    fact(ui, &cx.t.get("field-route-tls"), &cx.t.get(tls_key(route.tls)));
    fact(
        ui,
        &cx.t.get("field-route-protocol"),
        &cx.t.get(protocol_key(route.protocol)),
    );
    if !route.user.is_empty() {
        fact(ui, &cx.t.get("field-route-user"), &route.user);
    }
    if !route.comment.is_empty() {
        fact(ui, &cx.t.get("column-comment"), &route.comment);
    }
}

pub(super) fn tls_key(mode: RouteTls) -> &'static str {
    match mode {
        RouteTls::None => "route-tls-none",
        RouteTls::Opportunistic => "route-tls-opportunistic",
        RouteTls::Verified => "route-tls-verified",
        RouteTls::Dane => "route-tls-dane",
    }
}

pub(super) fn protocol_key(protocol: RouteProtocol) -> &'static str {
    match protocol {
        RouteProtocol::Smtp => "route-protocol-smtp",
        RouteProtocol::Lmtp => "route-protocol-lmtp",
    }
}
