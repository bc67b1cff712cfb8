//! Every page in both languages and both themes, with everything in it, with nothing in it, and without a daemon.

use batpost_configurator::link::Arrival;
use batpost_configurator::model::lists::ListId;
use batpost_configurator::model::{Message, Page, Status};
use batpost_configurator::theme::Choice;
use eframe::egui::{Key, Modifiers, Role};
use egui_kittest::kittest::Queryable as _;
use i18n::Language;
use serde_json::json;

use crate::played::{NOW, Stage, USERS, log_row};

pub(crate) fn all_pages() -> Vec<Page> {
    Page::NAMES
        .iter()
        .map(|name| match Page::parse(name).unwrap() {
            Page::Users(_) => Page::Users("example.test".to_owned()),
            Page::Aliases(_) => Page::Aliases("example.test".to_owned()),
            Page::Folders(_) => Page::Folders("example.test".to_owned()),
            page => page,
        })
        .collect()
}

/// A page that fails to draw in one language or theme would be found by the customer who uses it.
#[test]
fn every_page_is_drawn_in_both_languages_and_themes() {
    for language in Language::ALL {
        for theme in [Choice::Light, Choice::Dark] {
            let mut stage = Stage::connected(language, theme);
            for page in all_pages() {
                stage.go(page);
            }
        }
    }
}

#[test]
fn every_page_says_that_it_is_empty_and_that_the_daemon_is_gone() {
    for language in Language::ALL {
        let mut stage = Stage::new(language, Choice::Light, [1000.0, 640.0]);
        stage.daemon.empty = true;
        stage.connect();
        for page in all_pages() {
            stage.go(page);
        }
        stage.go(Page::Domains);
        let none = i18n::text(language, "domains-none");
        stage.harness.get_by_label(&none);
        stage.arrive(Arrival::Gone {
            reason: "no such file".to_owned(),
            retry_s: 8,
        });
        for page in all_pages() {
            stage.go(page);
        }
        let gone = i18n::format(
            language,
            "status-gone",
            &[(
                "duration",
                i18n::Arg::from(stage.harness.state().model.texts().duration(8)),
            )],
        );
        stage.harness.get_by_label(&gone);
    }
}

/// 100,000 users are as quick as ten only if no more than what is seen is asked for.
#[test]
fn a_list_of_100_000_asks_for_what_is_seen_only() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.go(Page::Users("example.test".to_owned()));
    stage.harness.get_by_label("100,000 users");
    stage.harness.get_by_label("ivan.petrov@example.test");
    stage.send(Message::Look(ListId::Users, USERS - 30..USERS));
    let asked: u64 = stage
        .daemon
        .asked
        .iter()
        .filter(|(method, _)| method == "user.list")
        .map(|(_, params)| params["page"]["limit"].as_u64().unwrap())
        .sum();
    assert!(asked <= 600, "{asked} rows were asked for");
    assert!(stage.harness.state().model.users.row(USERS - 1).is_some());
}

#[test]
fn search_and_sort_are_the_daemons_work() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.go(Page::Users("example.test".to_owned()));
    stage.harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
    stage.settle();
    stage.harness.get_by_label("Search").type_text("zoe.oneill3");
    stage.settle();
    assert_eq!(
        stage.daemon.last("user.list").unwrap()["page"]["filter"],
        "zoe.oneill3"
    );
    stage.harness.get_by_label("zoe.oneill33@example.test");
    stage.harness.get_by_label("Address").click();
    stage.settle();
    assert_eq!(stage.daemon.last("user.list").unwrap()["page"]["sort"], "address");
    stage.harness.get_by_label("Address").click();
    stage.settle();
    assert_eq!(
        stage.daemon.last("user.list").unwrap()["page"]["descending"],
        true
    );
}

#[test]
fn the_language_is_switched_in_place() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.go(Page::Settings);
    stage.harness.get_by_label("Largest message");
    stage.harness.get_by_label("Русский").click();
    stage.settle();
    stage.harness.get_by_label("Наибольшее письмо");
    assert_eq!(stage.harness.state().model.page, Page::Settings);
    assert!(stage.harness.query_by_label("Largest message").is_none());
}

#[test]
fn arrows_and_enter_work_in_a_list() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.go(Page::Users("example.test".to_owned()));
    for _ in 0..2 {
        stage.harness.key_press(Key::ArrowDown);
        stage.settle();
    }
    assert_eq!(
        stage.harness.state().model.users.selected.as_deref(),
        Some("maria.schmidt@example.test")
    );
    stage.harness.key_press(Key::Enter);
    stage.settle();
    stage.harness.get_by_label("User maria.schmidt@example.test");
    stage.harness.key_press(Key::Escape);
    stage.settle();
    assert!(stage.harness.state().model.dialog.is_none());
}

/// The log grows while it is watched, and what does not pass the filter stays out.
#[test]
fn the_log_grows_as_events_come() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.go(Page::Log);
    let before = stage.harness.state().model.log.rows.len();
    let mut row = log_row(1000);
    row["text"] = json!("something new happened");
    stage.arrive(Arrival::Note {
        channel: "log".to_owned(),
        params: row,
    });
    stage.settle();
    assert_eq!(stage.harness.state().model.log.rows.len(), before + 1);
    stage.harness.get_by_label("something new happened");
    stage
        .harness
        .get_by_role_and_label(Role::Button, "Security")
        .click();
    stage.settle();
    assert_eq!(
        stage.daemon.last("log.query").unwrap()["query"]["channels"],
        json!(["security"])
    );
}

#[test]
fn a_session_is_ended_after_a_question() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.harness.get_by_label("192.0.2.2:49002").click();
    stage.settle();
    stage.harness.get_by_label("End session").click();
    stage.settle();
    assert!(
        stage.daemon.last("session.end").is_none(),
        "nothing happens before the answer"
    );
    stage
        .harness
        .get_all_by_label("End session")
        .last()
        .unwrap()
        .click();
    stage.settle();
    assert_eq!(stage.daemon.last("session.end").unwrap()["id"], 1002);
}

#[test]
fn a_service_is_paused_with_one_click() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.harness.get_by_label("Pause IMAP").click();
    stage.settle();
    assert_eq!(
        *stage.daemon.last("service.set").unwrap(),
        json!({"service": "imap", "state": "paused"})
    );
    stage.harness.get_by_label("Start IMAP");
}

/// Requests of a lost connection are told as failed, and what was on the screen stays there.
#[test]
fn a_lost_daemon_is_told_and_the_rows_stay() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.go(Page::Users("example.test".to_owned()));
    stage.arrive(Arrival::Gone {
        reason: String::new(),
        retry_s: 4,
    });
    stage.settle();
    assert!(
        matches!(stage.harness.state().model.status, Status::Gone { retry_at, .. } if retry_at == NOW + 4)
    );
    stage.harness.get_by_label("ivan.petrov@example.test");
    stage.harness.get_by_label("Try now");
    let asked = stage.daemon.asked.len();
    stage.connect();
    assert!(
        stage.daemon.asked[asked..]
            .iter()
            .any(|(method, _)| method == "user.list"),
        "the list is read anew"
    );
}

#[test]
fn the_wizard_opens_on_a_new_server_and_leads_through() {
    let mut stage = Stage::new(Language::En, Choice::Light, [1280.0, 820.0]);
    stage.daemon.first_run = true;
    stage.daemon.empty = true;
    // The program may be opened before the daemon is up.
    stage.arrive(Arrival::Gone {
        reason: String::new(),
        retry_s: 1,
    });
    stage.connect();
    assert_eq!(stage.harness.state().model.page, Page::Wizard);
    stage.harness.get_by_label("Next").click();
    stage.settle();
    stage.harness.get_by_label("Next").click();
    stage.settle();
    stage.harness.get_by_label("This is needed.");
    stage.harness.get_by_label("Domain").click();
    stage.harness.get_by_label("Domain").type_text("firm.test");
    stage.settle();
    stage.harness.get_by_label("Next").click();
    stage.settle();
    assert_eq!(
        stage.daemon.last("domain.add").unwrap()["domain"]["name"],
        "firm.test"
    );
    for (field, text) in [
        ("Address", "boss"),
        ("Password", "secret 1"),
        ("Password again", "secret 1"),
    ] {
        stage.harness.get_by_label(field).click();
        stage.harness.get_by_label(field).type_text(text);
        stage.settle();
    }
    stage.harness.get_by_label("Next").click();
    stage.settle();
    assert_eq!(
        stage.daemon.last("user.add").unwrap()["user"]["address"],
        "boss@firm.test"
    );
    assert!(
        stage.harness.state().model.wizard.password.is_empty(),
        "the password is not kept"
    );
    stage.harness.get_by_label("10 mail.example.test.");
}
