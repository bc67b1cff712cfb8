//! What a message of the views does.

use std::path::PathBuf;

use super::dialog::{About, Dialog, Edit, Question};
use super::forms::ExportForm;
use super::lists::ListId;
use super::said::{Said, Tone};
use super::{Effect, LogMessage, LogPart, Message, Model, Page, Status};
use crate::link::{Export, Outgoing};

impl Model {
    pub fn update(&mut self, message: Message) {
        match message {
            Message::Go(page) => self.go(page),
            Message::Refresh => self.refresh(),
            Message::Retry => {
                self.status = Status::Connecting;
                self.outbox.push(Outgoing::Retry);
            }
            Message::Language(language) => {
                self.language = language;
                self.outbox.push(Outgoing::Language(language));
            }
            Message::Theme(theme) => self.theme = theme,
            Message::Unfold(domain) => {
                if !self.unfolded.remove(&domain) {
                    self.unfolded.insert(domain);
                }
            }
            Message::Search => self.effects.push(Effect::FocusSearch),
            Message::Copy(text) => {
                self.effects.push(Effect::Copy(text));
                self.notice(Tone::Good, Said::key("notice-copied"));
            }
            Message::CloseNotice(id) => {
                if let Some(notice) = self.notices.iter_mut().find(|notice| notice.id == id) {
                    notice.gone = true;
                }
            }
            Message::Filter(list, filter) => self.table_mut(list).set_filter(filter),
            Message::Sort(list, column) => self.table_mut(list).sort_by(column),
            Message::Look(list, rows) => self.table_mut(list).look(rows),
            Message::Select(list, key) => self.select(list, key),
            Message::Mark(list, key, on) => self.table_mut(list).mark(&key, on),
            Message::AccessSide(side) => {
                let scope = side
                    .map(|side| format!("{side:?}").to_lowercase())
                    .unwrap_or_default();
                self.table_mut(ListId::Access).enter(&scope);
            }
            Message::OpenFolders(user) => {
                let domain = user.rsplit('@').next().unwrap_or_default().to_owned();
                self.go(Page::Folders(domain));
                self.select(ListId::Users, Some(user));
            }
            Message::SelectFolder(name) => self.folders.selected = name,
            Message::Log(part, message) => self.update_log(part, message),
            other => self.update_work(other),
        }
        self.fetch();
    }

    /// Messages that open dialogs or change something at the daemon.
    fn update_work(&mut self, message: Message) {
        match message {
            Message::Open(form) => {
                self.next_id += 1;
                self.dialog = Some(Dialog::Edit(Box::new(Edit::new(form, self.next_id))));
            }
            Message::Edit(form) => {
                if let Some(Dialog::Edit(edit)) = &mut self.dialog {
                    edit.form = form;
                    edit.leaving = false;
                    if !edit.errors.is_empty() {
                        edit.errors = edit.form.calls().err().unwrap_or_default();
                    }
                }
            }
            Message::Save => self.save(),
            Message::Close => match &mut self.dialog {
                Some(Dialog::Edit(edit)) if edit.dirty() && !edit.leaving => edit.leaving = true,
                Some(Dialog::Ask(question)) if question.busy => {}
                _ => self.dialog = None,
            },
            Message::Discard => self.dialog = None,
            Message::Stay => {
                if let Some(Dialog::Edit(edit)) = &mut self.dialog {
                    edit.leaving = false;
                }
            }
            Message::TakeTheirs => self.resolve(false),
            Message::KeepMine => self.resolve(true),
            Message::Ask(about) => {
                if about == About::SendReports {
                    self.read_reports();
                }
                self.dialog = Some(Dialog::Ask(Question::new(about)));
            }
            Message::Choose(choice) => {
                if let Some(Dialog::Ask(question)) = &mut self.dialog {
                    question.choice = choice;
                }
            }
            Message::Confirm => self.confirm(),
            Message::Service(service, state) => self.set_service(service, state),
            Message::Queue(act, ids) => self.queue_act(act, ids),
            Message::ReadMessage(id) => self.read_message(id),
            Message::CloseMessage => self.message_text = None,
            Message::SettingFilter(filter) => self.settings.filter = filter,
            Message::Setting(key, typed) => self.settings.edit(key, typed),
            Message::SettingsSave => {
                self.settings.conflict = false;
                self.save_settings();
            }
            Message::SettingsRevert => self.settings.revert(),
            Message::ReloadCertificates => self.reload_certificates(),
            Message::FetchExternal(user, name) => self.fetch_external(user, name),
            Message::TestExternal(user, name) => self.test_external(user, name),
            Message::ObtainAgain(names) => self.obtain_again(names),
            Message::CheckStorage { repair } => self.check_storage(repair),
            Message::Wizard(wizard) => self.wizard = *wizard,
            Message::WizardNext => self.wizard_next(),
            Message::WizardBack => {
                if let Some(step) = self.wizard.step.previous() {
                    self.wizard.step = step;
                    self.wizard.errors.clear();
                }
            }
            // The others are taken before.
            _ => {}
        }
    }

    fn go(&mut self, page: Page) {
        let page = match page {
            Page::Users(domain) => Page::Users(self.some_domain(domain)),
            Page::Aliases(domain) => Page::Aliases(self.some_domain(domain)),
            Page::Folders(domain) => Page::Folders(self.some_domain(domain)),
            page => page,
        };
        if !page.domain().is_empty() {
            self.unfolded.insert(page.domain().to_owned());
        }
        match &page {
            Page::Users(domain) | Page::Folders(domain) => self.users.enter(domain),
            Page::Aliases(domain) => self.aliases.enter(domain),
            _ => {}
        }
        self.folders_of_page(&page);
        self.page = page;
        for list in ListId::of(&self.page) {
            if *list != ListId::Tree {
                self.table_mut(*list).refresh();
            }
        }
        if self.connected() {
            self.read_page();
        }
    }

    /// A page of a domain that was named without one is the first domain's.
    fn some_domain(&self, domain: String) -> String {
        if !domain.is_empty() {
            return domain;
        }
        self.tree
            .row(0)
            .map(|row| row.domain.name.to_string())
            .unwrap_or_default()
    }

    fn refresh(&mut self) {
        if let Status::Gone { .. } = self.status {
            self.update(Message::Retry);
            return;
        }
        for list in ListId::of(&self.page) {
            self.table_mut(*list).refresh();
        }
        if self.page == Page::Log {
            self.log_restart(LogPart::Viewer);
        }
        if self.connected() {
            self.read_page();
        }
    }

    fn select(&mut self, list: ListId, key: Option<String>) {
        self.table_mut(list).select(key.clone());
        match list {
            ListId::Queue => {
                self.message = None;
                self.read_message_details();
            }
            ListId::Users if matches!(self.page, Page::Folders(_)) => self.enter_folders(key),
            ListId::Users => self.read_keys(),
            ListId::Domains => self.read_dkim(),
            ListId::Public => self.enter_folders(key.as_deref().map(super::public_owner)),
            _ => {}
        }
    }

    fn update_log(&mut self, part: LogPart, message: LogMessage) {
        let log = self.log_part(part);
        match message {
            LogMessage::Channel(channel, true) => {
                log.channels.insert(channel.to_owned());
            }
            LogMessage::Channel(channel, false) => {
                log.channels.remove(channel);
            }
            LogMessage::Contains(text) => log.contains = text,
            LogMessage::Session(id) => log.session = id,
            LogMessage::Message(id) => log.message = id,
            LogMessage::Follow(false) => {
                log.follow = false;
                return;
            }
            LogMessage::Follow(true) => log.follow = true,
            LogMessage::Older => return self.log_older(part),
            LogMessage::Select(seq) => {
                log.selected = seq;
                return;
            }
        }
        self.log_restart(part);
    }

    /// Starts writing the log viewer's rows to a file.
    pub(super) fn export(&mut self, form: ExportForm) {
        let id = self.next_id;
        self.next_id += 1;
        let path = PathBuf::from(form.path.trim());
        let (what, notice) = if form.messages.is_empty() {
            let filter = shared::protocol::LogFilter {
                before: 0,
                ..self.log.query()
            };
            (Export::Log(filter), "notice-exported")
        } else {
            (Export::Messages(form.messages), "notice-messages-exported")
        };
        let then: super::Then = Box::new(|model, answer| match answer {
            Ok(count) => {
                let count = count.as_u64().unwrap_or_default();
                model.notice(Tone::Good, Said::Key(notice, vec![("count", count.into())]));
            }
            Err(failed) => model.notice(Tone::Bad, Said::failed(&failed)),
        });
        self.pending.insert(id, super::Pending { change: true, then });
        self.outbox.push(Outgoing::Export { id, what, path });
    }
}
