//! Dialogs: what they check, what they send, what a refusal and a conflict do.

use batpost_configurator::model::forms::{DomainForm, Form, ObtainForm, ServerCertificateForm, UserForm};
use batpost_configurator::model::lists::ListId;
use batpost_configurator::model::{Message, Page};
use batpost_configurator::theme::Choice;
use eframe::egui::{Key, Role};
use egui_kittest::kittest::Queryable as _;
use i18n::Language;
use serde_json::json;
use shared::Refusal;

use crate::played::{Stage, user};

fn fill(stage: &mut Stage, label: &str, text: &str) {
    let role = if label.starts_with("Password") {
        Role::PasswordInput
    } else {
        Role::TextInput
    };
    stage.harness.get_by_role_and_label(role, label).click();
    stage.settle();
    stage.harness.event(eframe::egui::Event::Text(text.to_owned()));
    stage.settle();
}

#[test]
fn a_new_user_is_checked_before_anything_is_sent() {
    for (language, needed) in [
        (Language::En, "This is needed."),
        (Language::Ru, "Это поле нужно заполнить."),
    ] {
        let mut stage = Stage::connected(language, Choice::Light);
        stage.go(Page::Users("example.test".to_owned()));
        let (add, save) = (i18n::text(language, "user-add"), i18n::text(language, "save"));
        stage.harness.get_by_label(&add).click();
        stage.settle();
        stage.harness.get_by_label(&save).click();
        stage.settle();
        assert_eq!(
            stage.harness.get_all_by_label(needed).count(),
            2,
            "address and password"
        );
        assert!(stage.daemon.last("user.add").is_none());
    }
}

#[test]
fn a_new_user_is_sent_with_enter() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.go(Page::Users("example.test".to_owned()));
    stage.harness.get_by_label("New user").click();
    stage.settle();
    fill(&mut stage, "Address", "new.person");
    fill(&mut stage, "Password", "correct horse");
    fill(&mut stage, "Password again", "correct horse");
    fill(&mut stage, "Quota", "1.5 GB");
    stage.harness.key_press(Key::Enter);
    stage.settle();
    let sent = &stage.daemon.last("user.add").unwrap()["user"];
    assert_eq!(sent["address"], "new.person@example.test");
    assert_eq!(sent["quota_bytes"], 1_610_612_736_u64);
    assert!(stage.harness.state().model.dialog.is_none());
    stage.harness.get_by_label("Saved.");
}

#[test]
fn a_refusal_of_the_daemon_stays_in_the_dialog() {
    let mut stage = Stage::connected(Language::Ru, Choice::Dark);
    stage.go(Page::Groups);
    stage.harness.get_by_label("Новая группа").click();
    stage.settle();
    fill(&mut stage, "Группа", "учёт");
    stage.daemon.next.push_back((
        "group.add",
        Err(Refusal::new("very-strange").with("name", "учёт")),
    ));
    stage.harness.get_by_label("Сохранить").click();
    stage.settle();
    stage
        .harness
        .get_by_label("Сервер отказал: very-strange name=учёт");
    assert!(
        stage.harness.state().model.dialog.is_some(),
        "what was typed is not lost"
    );
}

/// Two administrators must not overwrite each other silently.
#[test]
fn a_stale_revision_shows_a_conflict_and_both_ways_out() {
    for keep_mine in [false, true] {
        let mut stage = Stage::connected(Language::En, Choice::Light);
        stage.go(Page::Users("example.test".to_owned()));
        let was = serde_json::from_value(user(0)["user"].clone()).unwrap();
        stage.send(Message::Open(Form::User(UserForm::of(&was))));
        fill(&mut stage, "Name", " the Second");
        stage
            .daemon
            .next
            .push_back(("user.set", Err(Refusal::new("revision-stale"))));
        let mut theirs = user(0)["user"].clone();
        theirs["revision"] = json!(9);
        theirs["name"] = json!("Changed by another");
        stage.daemon.next.push_back(("user.get", Ok(theirs)));
        stage.harness.get_by_label("Save").click();
        stage.settle();
        stage.harness.get_by_label(
            "Somebody else changed this while you were editing it. Nothing of yours was saved.",
        );
        stage
            .harness
            .get_by_label(if keep_mine {
                "Save mine anyway"
            } else {
                "Show the newest"
            })
            .click();
        stage.settle();
        if keep_mine {
            let sent = &stage.daemon.last("user.set").unwrap()["user"];
            assert_eq!(sent["revision"], 9);
            assert_eq!(sent["name"], "Иван Петров the Second");
            assert!(stage.harness.state().model.dialog.is_none());
        } else {
            let name = stage
                .harness
                .get_by_role_and_label(Role::TextInput, "Name")
                .value();
            assert_eq!(name.as_deref(), Some("Changed by another"));
        }
    }
}

#[test]
fn escape_asks_before_it_throws_away_what_was_typed() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.go(Page::Access);
    stage.harness.get_by_label("New entry").click();
    stage.settle();
    fill(&mut stage, "Address, range or name", "198.51.100.7");
    stage.harness.key_press(Key::Escape);
    stage.settle();
    stage.harness.get_by_label("Discard what was changed?");
    stage.harness.get_by_label("Keep editing").click();
    stage.settle();
    stage.harness.get_by_label("Save").click();
    stage.settle();
    assert_eq!(
        stage.daemon.last("access.add").unwrap()["entry"],
        json!({"side": "block", "pattern": "198.51.100.7", "comment": "", "revision": 0})
    );
}

// A route would lose its password, or what was typed of it.
#[test]
fn a_route_is_changed_and_keeps_its_password() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.go(Page::Routes);
    stage.send(Message::Select(ListId::Routes, Some("archive".to_owned())));
    stage.harness.get_by_label("Edit").click_accesskit();
    stage.settle();
    let senders = stage
        .harness
        .get_by_role_and_label(Role::MultilineTextInput, "Senders");
    senders.click();
    stage.settle();
    let typed = eframe::egui::Event::Text("news@example.test, <>".to_owned());
    stage.harness.event(typed);
    stage.settle();
    stage.harness.get_by_label("Save").click();
    stage.settle();
    let sent = stage.daemon.last("route.set").unwrap();
    assert_eq!(sent["password"], json!(null));
    assert_eq!(sent["route"]["from"], json!(["news@example.test", "<>"]));
    assert_eq!(sent["route"]["to"], json!(["archive.test"]));
    assert_eq!(sent["route"]["revision"], json!(7));
    assert_eq!(sent["route"]["protocol"], json!("lmtp"));
}

// Which server it is could not be read beside the details.
#[test]
fn the_server_of_an_external_account_is_not_cut_off_by_its_details() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.go(Page::External);
    let width = |stage: &Stage| {
        let cell = stage.harness.get_by_label("imap.example.com:993");
        cell.rect().width()
    };
    let alone = width(&stage);
    let key = "ivan.petrov@example.test gmail".to_owned();
    stage.send(Message::Select(ListId::External, Some(key)));
    let beside = width(&stage);
    assert!((alone - beside).abs() < 1.0, "{alone} {beside}");
}

// An account would lose its password or its days, or could not be made at all.
#[test]
fn an_external_account_is_made_changed_and_visited() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.go(Page::External);
    let key = "ivan.petrov@example.test gmail".to_owned();
    stage.send(Message::Select(ListId::External, Some(key)));
    stage.harness.get_by_label("is deleted after 30 days");
    stage.harness.get_by_label("Fetch now").click_accesskit();
    stage.settle();
    let sent = stage.daemon.last("external.fetch").unwrap();
    assert_eq!(
        *sent,
        json!({"user": "ivan.petrov@example.test", "name": "gmail", "wait": false})
    );
    stage.harness.get_by_label("Test").click_accesskit();
    stage.settle();
    stage.harness.get_by_label(
        "imap.example.com [192.0.2.7]:993 lets the user in: SCRAM-SHA-256, TLSv1.3, 12 messages.",
    );
    stage.harness.get_by_label("Edit").click_accesskit();
    stage.settle();
    fill(&mut stage, "Port", "1993");
    stage.harness.get_by_label("Save").click();
    stage.settle();
    let sent = stage.daemon.last("external.set").unwrap();
    assert_eq!(sent["password"], json!(null));
    let external = &sent["external"];
    assert_eq!(
        (&external["into"], &external["revision"]),
        (&json!("Old mail"), &json!(7))
    );
    assert_eq!(
        (&external["port"], &external["after"]),
        (&json!(1993), &json!({"days": 30}))
    );

    stage.harness.get_by_label("New account").click();
    stage.settle();
    stage.harness.get_by_label("Save").click();
    stage.settle();
    assert!(
        stage.daemon.last("external.add").is_none(),
        "without a user, a server and a password"
    );
    for (field, typed) in [
        ("User", "anna@example.test"),
        ("Name", "old"),
        ("Server", "pop.example.net"),
        ("Login", "anna"),
        ("Password", "geheim"),
    ] {
        fill(&mut stage, field, typed);
    }
    stage.harness.get_by_label("Save").click();
    stage.settle();
    let sent = stage.daemon.last("external.add").unwrap();
    assert_eq!(sent["password"], "geheim");
    assert_eq!(sent["external"]["user"], "anna@example.test");
    assert_eq!(sent["external"]["interval_minutes"], 15);
    assert_eq!(sent["external"]["after"], "keep");
}

// Nobody would know where mail goes before it has gone.
#[test]
fn it_is_told_where_mail_would_go() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.go(Page::Routes);
    stage.harness.get_by_label("Where would mail go?").click();
    stage.settle();
    stage
        .harness
        .get_by_role_and_label(Role::TextInput, "Recipient")
        .click();
    stage.settle();
    let typed = eframe::egui::Event::Text(" old@archive.test".to_owned());
    stage.harness.event(typed);
    stage.settle();
    stage.harness.get_by_label("Show").click();
    stage.settle();
    let sent = stage.daemon.last("route.test").unwrap();
    assert_eq!(*sent, json!({"to": "old@archive.test", "from": null}));
    stage.harness.get_by_label("Mail for old@archive.test");
    stage.harness.get_by_label("The mail takes the route archive.");
    stage
        .harness
        .get_by_label("mx.archive.test, 192.0.2.9:24 (verified certificate)");
    stage.harness.get_by_label("Close").click();
    stage.settle();
    assert!(
        stage
            .harness
            .query_by_label("Mail for old@archive.test")
            .is_none()
    );
}

#[test]
fn deleting_a_user_asks_and_keeps_the_mail_unless_told_otherwise() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.go(Page::Users("example.test".to_owned()));
    stage.send(Message::Select(
        ListId::Users,
        Some("ivan.petrov@example.test".to_owned()),
    ));
    stage.harness.get_by_label("Delete").click();
    stage.settle();
    stage.harness.get_all_by_label("Delete").last().unwrap().click();
    stage.settle();
    assert_eq!(
        *stage.daemon.last("user.remove").unwrap(),
        json!({"address": "ivan.petrov@example.test", "keep_mail": true})
    );
}

#[test]
fn settings_are_checked_while_typing_and_saved_one_by_one() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.go(Page::Settings);
    stage.send(Message::Setting("outgoing.port", "70000".to_owned()));
    assert_eq!(
        stage.harness.state().model.settings.errors["outgoing.port"].code,
        "setting-out-of-range"
    );
    stage.send(Message::Setting("outgoing.port", "2525".to_owned()));
    stage.send(Message::Setting("smtp.message-size-max", "70 MB".to_owned()));
    stage.harness.get_by_label("Save").click();
    stage.settle();
    let sent: Vec<_> = stage
        .daemon
        .asked
        .iter()
        .filter(|(method, _)| method == "setting.set")
        .map(|(_, params)| params.clone())
        .collect();
    assert_eq!(
        sent,
        [
            json!({"key": "smtp.message-size-max", "value": "73400320", "revision": 7}),
            json!({"key": "outgoing.port", "value": "2525", "revision": 8}),
        ]
    );
    assert_eq!(stage.harness.state().model.settings.dirty(), 0);
}

#[test]
fn a_stale_setting_shows_the_newest_and_keeps_what_was_typed() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.go(Page::Settings);
    stage.send(Message::Setting("log.keep-days", "90".to_owned()));
    stage
        .daemon
        .next
        .push_back(("setting.set", Err(Refusal::new("revision-stale"))));
    stage.daemon.next.push_back((
        "setting.list",
        Ok(json!({"revision": 12, "values": [["log.keep-days", "60"]]})),
    ));
    stage.harness.get_by_label("Save").click();
    stage.settle();
    assert!(stage.harness.state().model.settings.conflict);
    assert_eq!(
        stage.harness.state().model.settings.value("log.keep-days"),
        Some("60")
    );
    stage.harness.get_by_label("Save").click();
    stage.settle();
    assert_eq!(
        *stage.daemon.last("setting.set").unwrap(),
        json!({"key": "log.keep-days", "value": "90", "revision": 12})
    );
}

// Whoever closes the window without having seen the password has to make another one.
#[test]
fn an_app_password_is_made_shown_once_and_removed() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.go(Page::Users("example.test".to_owned()));
    let address = user(0)["user"]["address"].as_str().unwrap_or_default().to_owned();
    stage.send(Message::Select(ListId::Users, Some(address.clone())));
    stage.settle();
    assert_eq!(
        stage.daemon.last("app-password.list").unwrap()["address"],
        address
    );
    stage.harness.get_by_label("Phone");
    // Below what the window shows without scrolling.
    stage.harness.get_by_label("New app password").click_accesskit();
    stage.settle();
    fill(&mut stage, "What it is for", "Tablet");
    stage.harness.get_by_label("Make").click();
    stage.settle();
    let sent = stage.daemon.last("app-password.add").unwrap();
    assert_eq!(
        *sent,
        json!({"address": address, "label": "Tablet", "protocols": []})
    );
    stage.harness.get_by_label("abcd-efgh-ijkm-npqr");
    stage.harness.key_press(Key::Escape);
    stage.settle();
    assert!(stage.harness.query_by_label("abcd-efgh-ijkm-npqr").is_none());
    // Below what the window shows without scrolling.
    stage
        .harness
        .get_by_label("Delete the app password Phone")
        .click_accesskit();
    stage.settle();
    stage.send(Message::Confirm);
    stage.settle();
    let sent = stage.daemon.last("app-password.remove").unwrap();
    assert_eq!(*sent, json!({"address": address, "label": "Phone"}));
}

// APOP and NTLM must not be ticked without having read what they cost.
#[test]
fn a_domain_chooses_how_its_users_log_in() {
    let mut stage = Stage::connected(Language::Ru, Choice::Dark);
    stage.go(Page::Domains);
    let domain = serde_json::from_value(json!({"name": "example.test", "revision": 3})).unwrap();
    stage.send(Message::Open(Form::Domain(DomainForm::of(&domain))));
    stage.settle();
    stage.harness.get_by_label("Обычными способами").click_accesskit();
    stage.settle();
    stage.harness.get_by_label("APOP").click_accesskit();
    stage.harness.get_by_label("NTLM").click_accesskit();
    stage.harness.get_by_label("CRAM-MD5").click_accesskit();
    stage.settle();
    for costs in ["mechanism-apop", "mechanism-ntlm"] {
        stage.harness.get_by_label(&i18n::text(Language::Ru, costs));
    }
    stage.send(Message::Save);
    stage.settle();
    let sent = &stage.daemon.last("domain.set").unwrap()["domain"]["mechanisms"];
    let sent: Vec<&str> = sent
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|name| name.as_str())
        .collect();
    assert!(
        ["APOP", "NTLM", "PLAIN"].iter().all(|name| sent.contains(name)) && !sent.contains(&"CRAM-MD5"),
        "{sent:?}"
    );
}

// Whoever can't copy the record can't have his mail checked.
#[test]
fn a_key_is_made_its_record_copied_and_then_it_signs() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.go(Page::Domains);
    stage.send(Message::Select(ListId::Domains, Some("example.test".to_owned())));
    stage.settle();
    assert_eq!(stage.daemon.last("dkim.list").unwrap()["domain"], "example.test");
    // Below what the window shows without scrolling, here and below.
    stage.harness.get_by_label("New key").click_accesskit();
    stage.settle();
    fill(&mut stage, "Selector", "s2");
    stage.harness.get_by_label("Save").click();
    stage.settle();
    let sent = stage.daemon.last("dkim.add").unwrap();
    assert_eq!(
        *sent,
        json!({"domain": "example.test", "selector": "s2", "algorithm": "rsa", "private_key": "", "active": false})
    );
    stage
        .harness
        .get_by_label("Copy the text of the TXT record")
        .click_accesskit();
    stage.settle();
    stage.harness.get_by_label("Sign with s1").click_accesskit();
    stage.settle();
    stage.send(Message::Confirm);
    stage.settle();
    let sent = stage.daemon.last("dkim.set").unwrap();
    assert_eq!(
        *sent,
        json!({"domain": "example.test", "selector": "s1", "active": true})
    );
}

#[test]
fn reports_are_sent_at_the_press_of_a_button() {
    let mut stage = Stage::connected(Language::Ru, Choice::Light);
    stage.go(Page::Queue);
    stage.harness.get_by_label("Отчёты доменам").click();
    stage.settle();
    stage.harness.get_by_label("far.test: 2 подключения (TLS-RPT)");
    stage.send(Message::Confirm);
    stage.settle();
    assert!(stage.daemon.last("report.send").is_some());
    stage
        .harness
        .get_by_label("Всё, что можно отправить, отправлено.");
}

// Somebody who can't use the command line would renew certificates by hand.
#[test]
fn certificates_are_ordered_asked_for_again_and_no_longer_renewed() {
    let mut stage = Stage::connected(Language::Ru, Choice::Light);
    stage.go(Page::Certificates);
    stage.harness.get_by_label("Получить сертификат у центра").click();
    stage.settle();
    stage.send(Message::Edit(Form::Obtain(ObtainForm {
        names: "mail.example.test, imap.example.test\nwww.example.test".to_owned(),
    })));
    stage.harness.get_by_label("Получить").click();
    stage.settle();
    let names = ["mail.example.test", "imap.example.test", "www.example.test"];
    assert_eq!(
        *stage.daemon.last("certificate.obtain").unwrap(),
        json!({"names": names, "wait": false})
    );
    stage
        .harness
        .get_by_label("imap.example.test: connection: 192.0.2.1: Connection refused");
    stage
        .harness
        .get_by_label("Запросить imap.example.test сейчас")
        .click();
    stage.settle();
    assert_eq!(
        *stage.daemon.last("certificate.obtain").unwrap(),
        json!({"names": ["imap.example.test"], "wait": false})
    );
    stage
        .harness
        .get_by_label("Больше не продлевать imap.example.test")
        .click();
    stage.settle();
    stage.send(Message::Confirm);
    stage.settle();
    assert_eq!(
        *stage.daemon.last("certificate.forget").unwrap(),
        json!({"name": "imap.example.test"})
    );
}

// Somebody whose key was stolen would look for the command line first.
#[test]
fn a_certificate_is_revoked_and_the_account_s_key_changed() {
    let mut stage = Stage::connected(Language::Ru, Choice::Light);
    stage.go(Page::Certificates);
    stage
        .harness
        .get_by_label("Отозвать сертификат mail.example.test")
        .click();
    stage.settle();
    stage.send(Message::Confirm);
    stage.settle();
    assert_eq!(
        *stage.daemon.last("certificate.revoke").unwrap(),
        json!({"name": "mail.example.test", "reason": ""})
    );
    stage.harness.get_by_label("Новый ключ учётной записи").click();
    stage.settle();
    stage.send(Message::Confirm);
    stage.settle();
    assert_eq!(*stage.daemon.last("certificate.rekey").unwrap(), json!({}));
}

#[test]
fn certificates_are_shown_taken_into_use_and_removed() {
    let mut stage = Stage::connected(Language::Ru, Choice::Light);
    stage.go(Page::Certificates);
    stage
        .harness
        .get_by_label("mail.example.test, почта.example.test");
    stage.harness.get_by_label("Новый сертификат сервера").click();
    stage.settle();
    stage.harness.get_by_label("Сохранить").click();
    stage.settle();
    stage.harness.get_by_label("Это поле нужно заполнить.");
    let pem = "-----BEGIN CERTIFICATE-----".to_owned();
    stage.send(Message::Edit(Form::ServerCertificate(ServerCertificateForm {
        pem: pem.clone(),
    })));
    stage.send(Message::Save);
    stage.settle();
    assert_eq!(
        *stage.daemon.last("certificate.add").unwrap(),
        json!({"pem": pem})
    );
    let name = "mail.example.test-0123abcd";
    let remove = format!("Удалить сертификат {name}");
    stage.harness.get_by_label(&remove).click();
    stage.settle();
    stage.send(Message::Confirm);
    stage.settle();
    assert_eq!(
        *stage.daemon.last("certificate.remove").unwrap(),
        json!({"id": name})
    );
}
