//! Questions before something that can't be taken back.

use eframe::egui::{Align, Context, Key, Label, Layout, Ui};
use egui_material_icons::icons::ICON_ERROR;
use i18n::Arg;

use super::super::Cx;
use super::{frame, title};
use crate::model::Message;
use crate::model::dialog::{About, Question};
use crate::model::dkim::DkimStep;
use crate::theme::space;
use crate::widgets::{Mood, Weight, banner, button};

pub(super) fn show(ctx: &Context, cx: &mut Cx<'_>, asked: &Question) {
    let (head, text, yes) = words(cx, &asked.about);
    let close = frame(ctx, "question", 420.0, |ui| {
        title(ui, &head);
        ui.add(Label::new(text).wrap());
        choice(ui, cx, asked);
        if asked.about == About::SendReports {
            waiting(ui, cx);
        }
        if let Some(problem) = &asked.problem {
            ui.add_space(space::S);
            banner(ui, Mood::Bad, ICON_ERROR, &problem.words(&cx.t), |_| {});
        }
        ui.add_space(space::L);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_enabled_ui(!asked.busy && cx.model.connected(), |ui| {
                if button(ui, Weight::Danger, None, &yes).clicked() {
                    cx.send(Message::Confirm);
                }
            });
            if button(ui, Weight::Plain, None, &cx.t.get("cancel")).clicked() {
                cx.send(Message::Close);
            }
        });
    });
    if close {
        cx.send(Message::Close);
    } else if ctx.memory(|memory| memory.focused().is_none())
        && ctx.input(|input| input.key_pressed(Key::Enter))
    {
        cx.send(Message::Confirm);
    }
}

fn choice(ui: &mut Ui, cx: &mut Cx<'_>, asked: &Question) {
    let key = match &asked.about {
        About::RemoveDomain { users, .. } if *users > 0 => "ask-domain-users",
        About::RemoveUsers(_) => "ask-user-keep-mail",
        About::RemoveMessages(_) => "ask-messages-bounce",
        _ => return,
    };
    ui.add_space(space::S);
    let mut on = asked.choice;
    if ui.checkbox(&mut on, cx.t.get(key)).changed() {
        cx.send(Message::Choose(on));
    }
}

/// The reports that wait, as many as there is room for.
fn waiting(ui: &mut Ui, cx: &Cx<'_>) {
    const SHOWN_MAX_COUNT: usize = 10;
    let Some(reports) = &cx.model.reports else { return };
    ui.add_space(space::S);
    if reports.is_empty() {
        ui.label(cx.t.get("reports-none"));
    }
    for report in reports.iter().take(SHOWN_MAX_COUNT) {
        let args = [
            ("name", Arg::from(report.domain.as_str())),
            ("count", Arg::from(report.count)),
        ];
        ui.label(cx.t.with(&format!("reports-{}", report.kind.word()), &args));
    }
    let more = reports.len().saturating_sub(SHOWN_MAX_COUNT);
    if more > 0 {
        ui.label(cx.t.count("and-more", more as u64));
    }
}

/// The head, the text and the name of the button.
fn words(cx: &Cx<'_>, about: &About) -> (String, String, String) {
    let delete = cx.t.get("delete");
    let named = |head: &str, text: &str, name: &str| (cx.t.get(head), cx.t.named(text, name), delete.clone());
    match about {
        About::RemoveDomain { name, users } => {
            let text = cx.t.with(
                "ask-domain-text",
                &[("name", Arg::from(name.as_str())), ("count", Arg::from(*users))],
            );
            (cx.t.get("ask-domain"), text, delete)
        }
        About::RemoveUsers(addresses) => {
            let args = [
                ("count", Arg::from(addresses.len())),
                ("name", Arg::from(addresses.join(", "))),
            ];
            (
                cx.t.with("ask-user", &args),
                cx.t.with("ask-user-text", &args),
                delete,
            )
        }
        About::RemoveAlias(address) => named("ask-alias", "ask-alias-text", address),
        About::RemoveGroup(name) => named("ask-group", "ask-group-text", name),
        About::RemoveTree(name) => named("ask-tree", "ask-tree-text", name),
        About::RemoveEntry(_, pattern) => named("ask-entry", "ask-entry-text", pattern),
        About::RemoveExternal { name, .. } => named("ask-external", "ask-external-text", name),
        About::RemoveRoute(name) => named("ask-route", "ask-route-text", name),
        About::RemoveFolder { name, .. } => named("ask-folder", "ask-folder-text", name),
        About::RemoveServerCertificate(id) => {
            named("ask-server-certificate", "ask-server-certificate-text", id)
        }
        About::ForgetCertificate(name) => (
            cx.t.get("ask-forget"),
            cx.t.named("ask-forget-text", name),
            cx.t.get("order-forget"),
        ),
        About::RevokeCertificate(name) => (
            cx.t.get("ask-revoke"),
            cx.t.named("ask-revoke-text", name),
            cx.t.get("order-revoke"),
        ),
        About::ChangeAccountKey => (
            cx.t.get("ask-account-key"),
            cx.t.get("ask-account-key-text"),
            cx.t.get("account-key-change"),
        ),
        About::RemoveCertificate { fingerprint, .. } => {
            named("ask-certificate", "ask-certificate-text", fingerprint)
        }
        About::RemoveAppPassword { label, .. } => named("ask-app-password", "ask-app-password-text", label),
        About::SendReports => (
            cx.t.get("ask-reports"),
            cx.t.get("ask-reports-text"),
            cx.t.get("reports-send"),
        ),
        About::Dkim { step, selector, .. } => match step {
            DkimStep::Remove => named("ask-dkim-remove", "ask-dkim-remove-text", selector),
            DkimStep::Enable => (
                cx.t.get("ask-dkim-enable"),
                cx.t.named("ask-dkim-enable-text", selector),
                cx.t.get("dkim-sign"),
            ),
            DkimStep::Disable => (
                cx.t.get("ask-dkim-disable"),
                cx.t.named("ask-dkim-disable-text", selector),
                cx.t.get("dkim-sign-no-more"),
            ),
        },
        About::RemoveMessages(ids) => {
            let args = [("count", Arg::from(ids.len()))];
            (
                cx.t.with("ask-messages", &args),
                cx.t.with("ask-messages-text", &args),
                delete,
            )
        }
        About::EndSession { who, .. } => (
            cx.t.get("ask-session"),
            cx.t.named("ask-session-text", who),
            cx.t.get("session-end"),
        ),
        About::StopService(service) => {
            let name = cx.t.get(&format!("service-{service}"));
            (
                cx.t.named("ask-stop", &name),
                cx.t.named("ask-stop-text", &name),
                cx.t.get("service-stop"),
            )
        }
    }
}
