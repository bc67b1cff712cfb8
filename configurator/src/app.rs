//! The program as eframe runs it: carries arrivals to the model, the model's requests to the link, and draws.

use std::time::Duration;

use eframe::egui::{self, Context, Key, Modifiers, Ui};
use i18n::Language;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::link::{Arrival, Failed, Link, Outgoing};
use crate::model::{Effect, Message, Model, Page};
use crate::theme::{self, Choice};
use crate::{view, widgets};

/// Where the choices of the person are kept.
const STORAGE_KEY: &str = "choices";

/// What is remembered from one start to the next.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Choices {
    language: Option<String>,
    theme: Choice,
}

impl Choices {
    pub fn load(storage: Option<&dyn eframe::Storage>) -> Self {
        storage
            .and_then(|storage| eframe::get_value(storage, STORAGE_KEY))
            .unwrap_or_default()
    }

    pub fn language(&self) -> Option<Language> {
        Language::from_code(self.language.as_deref()?)
    }

    pub fn theme(&self) -> Choice {
        self.theme
    }
}

/// Tells the time; tests tell their own.
pub type Clock = Box<dyn Fn() -> i64>;

pub struct App {
    pub model: Model,
    /// None in tests, which play the daemon's part themselves.
    link: Option<Link>,
    clock: Clock,
    theme: Option<Choice>,
    title: String,
}

impl App {
    /// The program around a link.
    pub fn new(
        ctx: &Context,
        mut model: Model,
        link: Option<Link>,
        page: Option<Page>,
        clock: Clock,
    ) -> Self {
        theme::install(ctx);
        if let Some(page) = page {
            model.update(Message::Go(page));
        }
        Self {
            model,
            link,
            clock,
            theme: None,
            title: String::new(),
        }
    }

    /// A model with the time and zone of this machine.
    pub fn model(target: &str, language: Language, theme: Choice) -> Model {
        Model::new(
            target,
            language,
            theme,
            TimeZone::system(),
            jiff::Timestamp::now().as_second(),
        )
    }

    fn carry(&mut self) {
        if let Some(link) = &self.link {
            for arrival in link.take() {
                self.model.receive(arrival);
            }
            for outgoing in self.model.take_outbox() {
                let Err(outgoing) = link.send(outgoing) else {
                    continue;
                };
                // The link is full or gone: the person is told at once instead of waiting for nothing.
                if let Outgoing::Call { id, .. } | Outgoing::Export { id, .. } = *outgoing {
                    self.model.receive(Arrival::Answer {
                        id,
                        result: Err(Failed::Lost),
                    });
                }
            }
        }
    }

    fn keys(&mut self, ctx: &Context) {
        let modal = ctx.memory(|memory| memory.top_modal_layer().is_some());
        if modal {
            return;
        }
        if ctx.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::F)) {
            self.model.update(Message::Search);
        }
        if ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::F5)) {
            self.model.update(Message::Refresh);
        }
    }

    fn effects(&mut self, ctx: &Context) {
        for effect in self.model.take_effects() {
            match effect {
                Effect::Copy(text) => ctx.copy_text(text),
                Effect::FocusSearch => {
                    ctx.memory_mut(|memory| memory.request_focus(widgets::field::search_id()));
                }
            }
        }
        if self.theme != Some(self.model.theme) {
            self.theme = Some(self.model.theme);
            ctx.set_theme(self.model.theme.preference());
        }
        let title = self.model.texts().get("window-title");
        if title != self.title {
            ctx.send_viewport_cmd(egui::ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        self.model.tick((self.clock)());
        self.keys(ctx);
        self.carry();
        self.effects(ctx);
        if self.link.is_some() {
            // Ages and notices go on even when nothing arrives.
            ctx.request_repaint_after(Duration::from_secs(1));
        }
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        let messages = view::show(ui, &self.model);
        if messages.is_empty() {
            return;
        }
        // A look at rows that are still to come changes nothing in sight: their arrival wakes the window.
        let changed = messages
            .iter()
            .any(|message| !matches!(message, Message::Look(..)));
        for message in messages {
            self.model.update(message);
        }
        self.carry();
        self.effects(ui.ctx());
        if changed {
            ui.ctx().request_repaint();
        }
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        let choices = Choices {
            language: Some(self.model.language.code().to_owned()),
            theme: self.model.theme,
        };
        eframe::set_value(storage, STORAGE_KEY, &choices);
    }

    fn persist_egui_memory(&self) -> bool {
        false
    }
}
