//! The server's certificates: for which names each is served, and until when.

use eframe::egui::{ScrollArea, Ui};
use egui_material_icons::icons::{ICON_ADD, ICON_BLOCK, ICON_DELETE, ICON_KEY, ICON_REFRESH, ICON_VERIFIED};
use i18n::Arg;
use shared::model::{Certificate, CertificateOrder};

use super::{Cx, heading, not_yet};
use crate::model::Message;
use crate::model::dialog::About;
use crate::model::forms::{Form, ObtainForm, ServerCertificateForm};
use crate::theme::{size, space};
use crate::widgets::{Mood, Weight, badge, button, card, fact, icon_button, strong};

/// Days before its end from which on a certificate stands out.
const SOON_DAYS: i64 = 14;
const DAY_S: i64 = 86_400;

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    heading(ui, &cx.t.get("page-certificates"), "", |ui| {
        ui.add_enabled_ui(cx.model.connected(), |ui| {
            let obtain = cx.t.get("certificate-obtain");
            if button(ui, Weight::Primary, Some(ICON_ADD), &obtain).clicked() {
                cx.send(Message::Open(Form::Obtain(ObtainForm::default())));
            }
            if button(ui, Weight::Plain, Some(ICON_ADD), &cx.t.get("certificate-add")).clicked() {
                cx.send(Message::Open(Form::ServerCertificate(
                    ServerCertificateForm::default(),
                )));
            }
            let reload = cx.t.get("certificate-reload");
            if button(ui, Weight::Plain, Some(ICON_REFRESH), &reload).clicked() {
                cx.send(Message::ReloadCertificates);
            }
            if !cx.model.orders.is_empty() {
                let change = cx.t.get("account-key");
                if button(ui, Weight::Plain, Some(ICON_KEY), &change).clicked() {
                    cx.send(Message::Ask(About::ChangeAccountKey));
                }
            }
        });
    });
    let Some(certificates) = &cx.model.certificates else {
        not_yet(ui, cx, ICON_VERIFIED);
        return;
    };
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for certificate in certificates {
            card(cx.tokens).show(ui, |ui| {
                ui.set_min_width(ui.available_width());
                one(ui, cx, certificate);
            });
            ui.add_space(space::S);
        }
        for order in &cx.model.orders {
            card(cx.tokens).show(ui, |ui| {
                ui.set_min_width(ui.available_width());
                one_order(ui, cx, order);
            });
            ui.add_space(space::S);
        }
    });
}

/// What the server gets by itself.
fn one_order(ui: &mut Ui, cx: &mut Cx<'_>, order: &CertificateOrder) {
    let name = order.names.first().cloned().unwrap_or_default();
    ui.horizontal(|ui| {
        ui.label(strong(cx.t.named("order-title", &order.names.join(", "))).size(size::STRONG));
        if order.working {
            badge(ui, Mood::Calm, &cx.t.get("order-working"));
        } else if order.failures > 0 {
            badge(ui, Mood::Warn, &cx.t.get("order-failed"));
        }
        let again = cx.t.named("order-again", &name);
        if icon_button(ui, ICON_REFRESH, &again).clicked() {
            cx.send(Message::ObtainAgain(order.names.clone()));
        }
        if !order.id.is_empty() {
            let revoke = cx.t.named("order-revoke-one", &name);
            if icon_button(ui, ICON_BLOCK, &revoke).clicked() {
                cx.send(Message::Ask(About::RevokeCertificate(name.clone())));
            }
        }
        let forget = cx.t.named("order-forget-one", &name);
        if icon_button(ui, ICON_DELETE, &forget).clicked() {
            cx.send(Message::Ask(About::ForgetCertificate(name.clone())));
        }
    });
    if !order.working {
        fact(ui, &cx.t.get("order-next-try"), &cx.t.time(order.next_try));
    }
    if !order.reason.is_empty() {
        fact(ui, &cx.t.get("order-reason"), &order.reason);
    }
}

fn one(ui: &mut Ui, cx: &mut Cx<'_>, certificate: &Certificate) {
    ui.horizontal(|ui| {
        ui.label(strong(certificate.names.join(", ")).size(size::STRONG));
        let days = (certificate.not_after - cx.model.now).div_euclid(DAY_S);
        if days < 0 {
            badge(ui, Mood::Bad, &cx.t.get("certificate-ended"));
        } else if days < SOON_DAYS {
            let text = cx.t.with("certificate-ends-soon", &[("days", Arg::from(days))]);
            badge(ui, Mood::Warn, &text);
        }
        if certificate.self_signed {
            badge(ui, Mood::Calm, &cx.t.get("certificate-self-signed"));
        }
        if !certificate.id.is_empty() {
            let remove = cx.t.named("certificate-remove", &certificate.id);
            if icon_button(ui, ICON_DELETE, &remove).clicked() {
                cx.send(Message::Ask(About::RemoveServerCertificate(
                    certificate.id.clone(),
                )));
            }
        }
    });
    fact(ui, &cx.t.get("certificate-issuer"), &certificate.issuer);
    fact(
        ui,
        &cx.t.get("certificate-end"),
        &cx.t.time(certificate.not_after),
    );
    let mut served = certificate.served_for.clone();
    if certificate.default {
        served.push(cx.t.get("certificate-default"));
    }
    let served = if served.is_empty() {
        cx.t.get("certificate-served-never")
    } else {
        served.join(", ")
    };
    fact(ui, &cx.t.get("certificate-served"), &served);
}
