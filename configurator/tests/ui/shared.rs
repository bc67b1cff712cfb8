//! Public folders and rights on folders: what is shown in words goes to the daemon as it wants it.

use ::shared::Refusal;
use batpost_configurator::model::forms::{Form, RightsForm};
use batpost_configurator::model::lists::ListId;
use batpost_configurator::model::{Message, Page};
use batpost_configurator::theme::Choice;
use eframe::egui::Role;
use egui_kittest::kittest::Queryable as _;
use i18n::Language;
use serde_json::json;

use crate::played::Stage;

fn click(stage: &mut Stage, label: &str) {
    stage.harness.get_by_label(label).click();
    stage.settle();
}

fn fill(stage: &mut Stage, label: &str, text: &str) {
    stage
        .harness
        .get_by_role_and_label(Role::TextInput, label)
        .click();
    stage.settle();
    stage.harness.event(eframe::egui::Event::Text(text.to_owned()));
    stage.settle();
}

fn public(language: Language) -> Stage {
    let mut stage = Stage::connected(language, Choice::Light);
    stage.go(Page::Public);
    stage
}

#[test]
fn public_folders_are_made_limited_and_removed() {
    let mut stage = public(Language::En);
    click(&mut stage, "New public folders");
    click(&mut stage, "Save");
    stage.harness.get_by_label("This is needed.");
    fill(&mut stage, "Domain or group", "почта.example");
    fill(&mut stage, "Limit for all these folders", "2 GB");
    click(&mut stage, "Save");
    assert_eq!(
        *stage.daemon.last("tree.add").unwrap(),
        json!({"name": "xn--80a1acny.example", "quota_bytes": 2_147_483_648_u64})
    );
    stage.send(Message::Select(ListId::Public, Some("example.test".to_owned())));
    assert_eq!(
        stage.daemon.last("folder.list").unwrap()["user"],
        "Public/example.test"
    );
    stage.harness.get_by_role_and_label(Role::Button, "Limit").click();
    stage.settle();
    fill(&mut stage, "Limit for all these folders", "1 MB");
    click(&mut stage, "Save");
    let tree = &stage.daemon.last("tree.set").unwrap()["tree"];
    assert_eq!(
        *tree,
        json!({"name": "example.test", "of": "domain", "owner": 78, "quota_bytes": 1_048_576, "revision": 7})
    );
    click(&mut stage, "Remove all");
    assert!(
        stage.daemon.last("tree.remove").is_none(),
        "nothing before the answer"
    );
    click(&mut stage, "Delete");
    assert_eq!(
        *stage.daemon.last("tree.remove").unwrap(),
        json!({"name": "example.test"})
    );
    assert!(stage.harness.state().model.folders.user.is_none());
}

#[test]
fn a_limit_that_another_changed_is_asked_about() {
    let mut stage = public(Language::En);
    stage.send(Message::Select(ListId::Public, Some("example.test".to_owned())));
    stage.harness.get_by_role_and_label(Role::Button, "Limit").click();
    stage.settle();
    fill(&mut stage, "Limit for all these folders", "1 MB");
    stage
        .daemon
        .next
        .push_back(("tree.set", Err(Refusal::new("revision-stale"))));
    let theirs =
        json!({"total": 1, "rows": [{"name": "example.test", "of": "domain", "owner": 78, "revision": 9}]});
    stage.daemon.next.push_back(("tree.list", Ok(theirs)));
    click(&mut stage, "Save");
    click(&mut stage, "Save mine anyway");
    assert_eq!(stage.daemon.last("tree.set").unwrap()["tree"]["revision"], 9);
}

#[test]
fn public_folders_are_folders_like_a_users() {
    let mut stage = public(Language::En);
    stage.send(Message::Select(ListId::Public, Some("accounts".to_owned())));
    click(&mut stage, "New folder");
    fill(&mut stage, "Folder", "Notes");
    click(&mut stage, "Save");
    assert_eq!(
        *stage.daemon.last("folder.add").unwrap(),
        json!({"user": "Public/accounts", "name": "Notes", "special_use": null})
    );
    stage.send(Message::SelectFolder(Some("INBOX".to_owned())));
    assert!(
        stage.harness.query_by_label("Rename").is_none(),
        "the first one stays"
    );
    stage.send(Message::SelectFolder(Some("Отчёты/2026".to_owned())));
    stage.harness.get_by_label("Nobody.");
    click(&mut stage, "Delete");
    stage.harness.get_all_by_label("Delete").last().unwrap().click();
    stage.settle();
    assert_eq!(
        *stage.daemon.last("folder.remove").unwrap(),
        json!({"user": "Public/accounts", "name": "Отчёты/2026"})
    );
}

#[test]
fn rights_are_told_by_role_and_by_letter() {
    for (language, words) in [
        (
            Language::En,
            [
                "Editor: also deletes messages, makes and deletes folders (lrswipkxte)",
                "All users of example.test",
                "Never: maria@example.test",
                "sees the folder (l)\nreads messages (r)",
            ],
        ),
        (
            Language::Ru,
            [
                "Редактор: ещё удаляет письма, создаёт и удаляет папки (lrswipkxte)",
                "Все пользователи example.test",
                "Никогда: maria@example.test",
                "видит папку (l)\nчитает письма (r)",
            ],
        ),
    ] {
        let mut stage = public(language);
        stage.send(Message::Select(ListId::Public, Some("accounts".to_owned())));
        stage.send(Message::SelectFolder(Some("INBOX".to_owned())));
        for text in words {
            stage.harness.get_by_label(text);
        }
    }
}

/// A role sets its letters, a letter more is a choice of one's own; a user's folder is no different.
#[test]
fn rights_are_given_by_role_and_by_letter() {
    let mut stage = Stage::connected(Language::En, Choice::Light);
    stage.go(Page::Folders("example.test".to_owned()));
    let user = "ivan.petrov@example.test";
    stage.send(Message::Select(ListId::Users, Some(user.to_owned())));
    stage.send(Message::SelectFolder(Some("Archive".to_owned())));
    click(&mut stage, "Give rights");
    stage.harness.get_by_role_and_label(Role::ComboBox, "Who").click();
    stage.settle();
    click(&mut stage, "Group");
    fill(&mut stage, "Name of the group", "accounts");
    stage.harness.get_by_role_and_label(Role::ComboBox, "May").click();
    stage.settle();
    click(&mut stage, "Writer: also sets flags and adds messages");
    click(&mut stage, "makes folders in it (k)");
    click(&mut stage, "Save");
    assert_eq!(
        *stage.daemon.last("folder.rights").unwrap(),
        json!({"user": user, "name": "Archive", "identifier": "$accounts", "rights": "lrswipk"})
    );
}

#[test]
fn rights_are_taken_away_from_whom_they_were_given() {
    let mut stage = public(Language::En);
    let form = RightsForm::of("Public/accounts", "INBOX", "-maria@example.test", "lr");
    stage.send(Message::Open(Form::Rights(form)));
    stage.harness.get_by_label("Rights on Public/accounts");
    stage.harness.get_by_role_and_label(Role::ComboBox, "May").click();
    stage.settle();
    click(&mut stage, "Nothing: the rights are taken away");
    stage
        .harness
        .get_by_label("All rights of maria@example.test are taken away.");
    click(&mut stage, "Save");
    assert_eq!(
        *stage.daemon.last("folder.rights").unwrap(),
        json!({"user": "Public/accounts", "name": "INBOX", "identifier": "-maria@example.test", "rights": ""})
    );
}
