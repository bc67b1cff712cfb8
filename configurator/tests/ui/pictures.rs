//! Pictures of every page for whoever wants to look at them: `BATPOST_PICTURES=folder cargo test -p batpost-configurator
//! --test ui pictures -- --ignored`.

use batpost_configurator::model::Page;
use batpost_configurator::model::forms::{DomainForm, Form, RightsForm, UserForm};
use batpost_configurator::model::lists::ListId;
use batpost_configurator::model::{LogMessage, LogPart, Message};
use batpost_configurator::theme::Choice;
use i18n::Language;

use crate::pages::all_pages;
use crate::played::Stage;

fn draw(stage: &mut Stage, name: &str) {
    stage.settle();
    let folder = std::env::var("BATPOST_PICTURES").expect("BATPOST_PICTURES names a folder");
    let picture = stage.harness.render().expect("drawn");
    picture
        .save(std::path::Path::new(&folder).join(format!("{name}.png")))
        .expect("written");
}

#[test]
#[ignore = "draws pictures for people; needs a renderer"]
fn pictures() {
    let only = std::env::var("BATPOST_ONLY").unwrap_or_default();
    for (language, theme) in [(Language::En, Choice::Light), (Language::Ru, Choice::Dark)] {
        let mut stage = Stage::connected(language, theme);
        for page in all_pages() {
            let name = format!("{}-{}", page.name(), language.code());
            if !name.contains(&only) {
                continue;
            }
            stage.go(page.clone());
            match page {
                Page::Users(_) => stage.send(Message::Select(
                    ListId::Users,
                    Some("ivan.petrov@example.test".to_owned()),
                )),
                Page::Queue => stage.send(Message::Select(ListId::Queue, Some("4fK9-0001".to_owned()))),
                Page::Folders(_) => {
                    stage.send(Message::Select(
                        ListId::Users,
                        Some("ivan.petrov@example.test".to_owned()),
                    ));
                    stage.send(Message::SelectFolder(Some("INBOX".to_owned())));
                }
                Page::Public => {
                    stage.send(Message::Select(ListId::Public, Some("accounts".to_owned())));
                    stage.send(Message::SelectFolder(Some("INBOX".to_owned())));
                }
                Page::Log => stage.send(Message::Log(LogPart::Viewer, LogMessage::Select(Some(298)))),
                _ => {}
            }
            draw(&mut stage, &name);
        }
        stage.go(Page::Users("example.test".to_owned()));
        for (name, form) in [
            ("dialog-user", Form::User(UserForm::new("example.test"))),
            ("dialog-domain", Form::Domain(DomainForm::new())),
            (
                "dialog-rights",
                Form::Rights(RightsForm::new("ivan@example.test", "INBOX")),
            ),
        ] {
            if name.contains(&only) {
                stage.send(Message::Open(form));
                stage.send(Message::Save);
                draw(&mut stage, &format!("{name}-{}", language.code()));
                stage.send(Message::Discard);
            }
        }
    }
}
