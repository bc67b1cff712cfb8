//! Where mail for an address would go: the question and the answer.

use eframe::egui::{Align, Context, Label, Layout, Ui};

use egui_material_icons::icons::ICON_ERROR;

use super::super::{Cx, routes};
use super::forms::Drawn;
use super::{WIDTH, frame, title};
use crate::model::Message;
use crate::model::forms::RouteTestForm;
use crate::model::route_test::Tested;
use crate::theme::space;
use crate::widgets::field::line;
use crate::widgets::{Mood, Weight, banner, button, fact};

impl Drawn<'_, '_> {
    pub(super) fn route_test(&self, ui: &mut Ui, form: &mut RouteTestForm) {
        self.row(ui, "to", "field-test-to", "", |ui| {
            line(ui, "to", &mut form.to, "anna@example.org")
        });
        self.row(ui, "from", "field-test-from", "field-test-from-help", |ui| {
            line(ui, "from", &mut form.from, "")
        });
    }
}

pub(super) fn answer(ctx: &Context, cx: &mut Cx<'_>, tested: &Tested) {
    let answer = &tested.answer;
    let close = frame(ctx, "route-answer", WIDTH, |ui| {
        title(ui, &cx.t.named("route-test-of", &tested.to));
        let by = format!("cli-route-by-{}", answer.by);
        ui.add(Label::new(cx.t.named(&by, &answer.route)).wrap());
        if !answer.problem.is_empty() {
            ui.add_space(space::S);
            banner(ui, Mood::Bad, ICON_ERROR, &answer.problem, |_| {});
        }
        if !answer.hosts.is_empty() {
            ui.add_space(space::S);
            let lines: Vec<String> = answer
                .hosts
                .iter()
                .map(|host| {
                    format!(
                        "{}, {} ({})",
                        host.host,
                        host.address,
                        security(cx, &host.security)
                    )
                })
                .collect();
            fact(ui, &cx.t.get("column-route-hosts"), &lines.join("\n"));
            fact(
                ui,
                &cx.t.get("field-route-protocol"),
                &cx.t.get(routes::protocol_key(answer.protocol)),
            );
        }
        if !answer.user.is_empty() {
            fact(ui, &cx.t.get("field-route-user"), &answer.user);
        }
        ui.add_space(space::M);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if button(ui, Weight::Primary, None, &cx.t.get("close")).clicked() {
                cx.send(Message::Discard);
            }
        });
    });
    if close {
        cx.send(Message::Discard);
    }
}

/// What a host's certificate would have to satisfy, in words.
fn security(cx: &Cx<'_>, word: &str) -> String {
    match word {
        "none" => cx.t.get("route-tls-none"),
        "opportunistic" => cx.t.get("route-tls-opportunistic"),
        "verified" => cx.t.get("route-tls-verified"),
        "mta-sts" => "MTA-STS".to_owned(),
        "dane" => cx.t.get("route-tls-dane"),
        other => other.to_owned(),
    }
}
