//! The queue: what an administrator does with messages reaches the daemon as it was meant.

use batpost_configurator::link::Export;
use batpost_configurator::model::forms::{ExportForm, Form, NextHostForm};
use batpost_configurator::model::lists::ListId;
use batpost_configurator::model::{Message, Page};
use batpost_configurator::theme::Choice;
use egui_kittest::kittest::Queryable as _;
use i18n::Language;
use serde_json::json;

use crate::played::Stage;

const FIRST: &str = "4fK9-0000";
const SECOND: &str = "4fK9-0001";

fn queue(language: Language) -> Stage {
    let mut stage = Stage::connected(language, Choice::Light);
    stage.go(Page::Queue);
    stage
}

/// Two messages marked.
fn marked(language: Language) -> Stage {
    let mut stage = queue(language);
    for id in [FIRST, SECOND] {
        stage.send(Message::Mark(ListId::Queue, id.to_owned(), true));
    }
    stage.settle();
    stage
}

/// A button that does something else, or nothing, with mail that waits.
#[test]
fn each_button_asks_for_what_it_says() {
    for (label, method) in [
        ("Доставить сейчас", "queue.retry"),
        ("Задержать", "queue.hold"),
        ("Отпустить", "queue.release"),
    ] {
        let mut stage = marked(Language::Ru);
        stage.harness.get_by_label(label).click();
        stage.settle();
        let sent = stage.daemon.last(method);
        assert_eq!(
            sent.unwrap_or_else(|| panic!("{method}")),
            &json!({"ids": [FIRST, SECOND]})
        );
    }
    let mut stage = queue(Language::En);
    stage.harness.get_by_label("Try all now").click();
    stage.settle();
    assert_eq!(stage.daemon.last("queue.retry").unwrap(), &json!({"ids": []}));
}

#[test]
fn removing_asks_and_bounces_only_if_wanted() {
    for bounce in [false, true] {
        let mut stage = marked(Language::En);
        stage.harness.get_by_label("Delete").click();
        stage.settle();
        assert!(stage.daemon.last("queue.remove").is_none(), "without a question");
        let question = "Tell the sender that it was not delivered";
        stage.harness.get_by_label(question);
        stage.send(Message::Choose(bounce));
        stage.send(Message::Confirm);
        stage.settle();
        assert_eq!(
            stage.daemon.last("queue.remove").unwrap(),
            &json!({"ids": [FIRST, SECOND], "bounce": bounce})
        );
    }
}

#[test]
fn marked_messages_go_by_another_host() {
    let mut stage = marked(Language::En);
    stage.harness.get_by_label("Send by another host…").click();
    stage.settle();
    stage.send(Message::Edit(Form::NextHost(NextHostForm {
        ids: vec![FIRST.to_owned(), SECOND.to_owned()],
        route: " relay.test:2525 ".to_owned(),
    })));
    stage.send(Message::Save);
    stage.settle();
    assert_eq!(
        stage.daemon.last("queue.route").unwrap(),
        &json!({"ids": [FIRST, SECOND], "route": "relay.test:2525"})
    );
}

#[test]
fn marked_messages_are_saved_to_a_folder() {
    let mut stage = marked(Language::Ru);
    stage.harness.get_by_label("Сохранить в папку…").click();
    stage.settle();
    stage.harness.get_by_label("Сохранить письма в папку");
    stage.send(Message::Edit(Form::Export(ExportForm {
        path: " /srv/kept ".to_owned(),
        messages: vec![FIRST.to_owned(), SECOND.to_owned()],
    })));
    stage.send(Message::Save);
    stage.settle();
    let messages = Export::Messages(vec![FIRST.to_owned(), SECOND.to_owned()]);
    assert_eq!(stage.daemon.exports, [(messages, "/srv/kept".into())]);
    stage.harness.get_by_label("Сохранены 2 письма.");
}

/// One would wait for mail that nobody tries any more.
#[test]
fn a_message_shows_each_recipient_with_the_next_try_and_its_text() {
    let mut stage = queue(Language::En);
    stage.send(Message::Select(ListId::Queue, Some(SECOND.to_owned())));
    stage.settle();
    stage.harness.get_by_label("2 attempts, the next in 5 min");
    stage.harness.get_by_label("1 attempt");
    stage.harness.get_by_label("Show text").click();
    stage.settle();
    let asked = stage.daemon.last("queue.read").unwrap();
    assert_eq!(asked["id"], SECOND);
    stage.harness.get_by_label(&format!("Message {SECOND}"));
    assert!(stage.harness.query_by_label_contains("Only the first").is_none());
    stage.send(Message::CloseMessage);
    // Of a large one the beginning.
    stage.daemon.large = true;
    stage.harness.get_by_label("Show text").click();
    stage.settle();
    stage.harness.get_by_label_contains("Only the first 256");
}
