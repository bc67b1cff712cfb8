//! What the pages ask of the daemon beside their lists and dialogs: services, the queue, settings, storage,
//! the wizard.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use shared::model::Domain;
use shared::protocol::{
    Check, DomainAdd, Failure, NewUser, QueueHold, QueueRead, QueueRelease, QueueRetry, QueueShow,
    ReportList, ServiceSet, ServiceState, SettingSet, UserAdd,
};
use shared::{DomainName, Refusal};

use super::forms::Call;
use super::lists::ListId;
use super::said::{Said, Tone};
use super::wizard::Step;
use super::{MessageText, Model, Page, QueueAct, Status};
use crate::link::Failed;

/// Bytes of a message's text that are shown.
pub(crate) const MESSAGE_SHOWN_MAX_BYTES: usize = 256 * 1024;

impl Model {
    pub(super) fn set_service(&mut self, service: String, state: ServiceState) {
        let call = Call::of(&ServiceSet {
            service: service.clone(),
            state,
        });
        self.call(
            call.method,
            call.params,
            true,
            move |model, answer| match answer {
                Ok(_) => model.monitor.expect(&service, state),
                Err(failed) => model.notice(Tone::Bad, Said::failed(&failed)),
            },
        );
    }

    pub(super) fn queue_act(&mut self, act: QueueAct, ids: Vec<String>) {
        let (call, key) = match act {
            QueueAct::Retry => (Call::of(&QueueRetry { ids }), "notice-queue-retried"),
            QueueAct::Hold => (Call::of(&QueueHold { ids }), "notice-queue-held"),
            QueueAct::Release => (Call::of(&QueueRelease { ids }), "notice-queue-released"),
        };
        self.call(
            call.method,
            call.params,
            true,
            move |model, answer| match answer {
                Ok(count) => {
                    let count = count
                        .get("count")
                        .and_then(serde_json::Value::as_u64)
                        .unwrap_or_default();
                    model.notice(Tone::Good, Said::Key(key, vec![("count", count.into())]));
                    model.queue.marked.clear();
                    model.changed_here(&[ListId::Queue]);
                    model.read_message_details();
                }
                Err(failed) => model.notice(Tone::Bad, Said::failed(&failed)),
            },
        );
    }

    /// Reads the selected message of the queue in full.
    pub(super) fn read_message_details(&mut self) {
        let Some(id) = self
            .queue
            .selected
            .clone()
            .filter(|_| self.page == Page::Queue && self.connected())
        else {
            return;
        };
        self.ask(&QueueShow { id: id.clone() }, move |model, answer| {
            if model.queue.selected.as_ref() == Some(&id) {
                // A message that was delivered meanwhile is no longer there, which is no fault.
                model.message = answer.ok();
            }
        });
    }

    /// The reports that wait, for the question whether to send them.
    pub(super) fn read_reports(&mut self) {
        self.reports = None;
        self.ask(&ReportList {}, |model, answer| match answer {
            Ok(reports) => model.reports = Some(reports.rows),
            Err(failed) => model.notice(Tone::Bad, Said::failed(&failed)),
        });
    }

    pub(super) fn read_message(&mut self, id: String) {
        self.ask(
            &QueueRead {
                id: id.clone(),
                offset: 0,
                limit: Some(MESSAGE_SHOWN_MAX_BYTES as u64 + 1),
            },
            move |model, answer| match answer {
                Ok(text) => {
                    let mut bytes = STANDARD.decode(text.base64).unwrap_or_default();
                    let is_cut = bytes.len() > MESSAGE_SHOWN_MAX_BYTES;
                    bytes.truncate(MESSAGE_SHOWN_MAX_BYTES);
                    let text = String::from_utf8_lossy(&bytes).replace('\r', "");
                    model.message_text = Some(MessageText { id, text, is_cut });
                }
                Err(failed) => model.notice(Tone::Bad, Said::failed(&failed)),
            },
        );
    }

    /// Saves the next changed setting, until there is none.
    pub(super) fn save_settings(&mut self) {
        let Some((key, value)) = self.settings.next_change() else {
            if std::mem::take(&mut self.settings.busy) {
                self.notice(Tone::Good, Said::key("notice-saved"));
            }
            return;
        };
        self.settings.busy = true;
        let request = SettingSet {
            key: key.to_owned(),
            value: value.clone(),
            revision: self.settings.revision,
        };
        let call = Call::of(&request);
        self.call(
            call.method,
            call.params,
            true,
            move |model, answer| match answer {
                Ok(changed) => {
                    let revision = changed
                        .get("revision")
                        .and_then(serde_json::Value::as_u64)
                        .unwrap_or_default();
                    model.settings.saved(key, value, revision);
                    model.save_settings();
                }
                Err(failed) => {
                    model.settings.busy = false;
                    model.setting_refused(key, &failed);
                }
            },
        );
    }

    fn setting_refused(&mut self, key: &'static str, failed: &Failed) {
        match failed {
            Failed::Daemon(Failure {
                data: Some(refusal), ..
            }) if refusal.code == "revision-stale" => {
                // What the other one wrote is read; what was typed here stays typed, to be saved or not.
                self.settings.conflict = true;
                self.read_settings();
            }
            Failed::Daemon(Failure {
                data: Some(refusal), ..
            }) => {
                self.settings.errors.insert(key.to_owned(), refusal.clone());
            }
            other => self.notice(Tone::Bad, Said::failed(other)),
        }
    }

    pub(super) fn check_storage(&mut self, repair: bool) {
        if self.checking {
            return;
        }
        self.checking = true;
        self.ask(&Check { user: None, repair }, |model, answer| {
            model.checking = false;
            match answer {
                Ok(report) => model.check = Some(report),
                Err(failed) => model.notice(Tone::Bad, Said::failed(&failed)),
            }
        });
    }

    /// Carries out the wizard's step and goes to the next one.
    pub(super) fn wizard_next(&mut self) {
        if self.wizard.busy {
            return;
        }
        if let Err(errors) = self.wizard.check() {
            self.wizard.errors = errors;
            return;
        }
        self.wizard.errors.clear();
        let call = match self.wizard.step {
            Step::Server => self.wizard_server(),
            Step::Domain => self.wizard_domain(),
            Step::Mailbox => self.wizard_mailbox(),
            Step::Records => None,
            Step::Ports => {
                self.update(super::Message::Go(Page::Monitor));
                return;
            }
        };
        let Some(call) = call else {
            return self.wizard_step_done();
        };
        self.wizard.busy = true;
        self.call(call.method, call.params, true, |model, answer| {
            model.wizard.busy = false;
            match answer {
                Ok(_) => model.wizard_made(),
                Err(failed) => {
                    let refusal = match failed {
                        Failed::Daemon(Failure {
                            data: Some(refusal), ..
                        }) => refusal,
                        other => {
                            let words = Said::failed(&other).words(&model.texts());
                            Refusal::new("other").with("text", words)
                        }
                    };
                    model.wizard.errors.insert("step".to_owned(), refusal);
                }
            }
        });
    }

    fn wizard_server(&mut self) -> Option<Call> {
        let value = self.wizard.hostname.trim().to_owned();
        match &self.status {
            Status::Connected(welcome) if welcome.hostname == value => None,
            _ => {
                // The revision is read with the settings; a wizard that meets another administrator says so.
                let revision = self.settings.revision;
                Some(Call::of(&SettingSet {
                    key: "server.hostname".to_owned(),
                    value,
                    revision,
                }))
            }
        }
    }

    fn wizard_domain(&mut self) -> Option<Call> {
        let name = DomainName::parse(self.wizard.domain.trim()).ok()?;
        let made = self.wizard.domain_made.as_deref() == Some(name.as_str());
        (!made).then(|| {
            Call::of(&DomainAdd {
                domain: Domain::new(name),
            })
        })
    }

    fn wizard_mailbox(&mut self) -> Option<Call> {
        let address = self.wizard.address().ok()?;
        if self.wizard.mailbox_made.as_deref() == Some(&address.to_string()) {
            return None;
        }
        let user = NewUser {
            address,
            password: Some(self.wizard.password.clone()),
            name: self.wizard.name.trim().to_owned(),
            quota_bytes: None,
            groups: Vec::new(),
            enabled: true,
        };
        Some(Call::of(&UserAdd { user }))
    }

    fn wizard_made(&mut self) {
        match self.wizard.step {
            Step::Server => {
                let hostname = self.wizard.hostname.trim().to_owned();
                if let Status::Connected(welcome) = &mut self.status {
                    welcome.hostname = hostname;
                }
                self.read_settings();
            }
            Step::Domain => {
                let name = DomainName::parse(self.wizard.domain.trim())
                    .map(String::from)
                    .ok();
                self.wizard.domain_made = name;
                self.changed_here(&[ListId::Tree, ListId::Domains]);
            }
            Step::Mailbox => {
                self.wizard.mailbox_made = self.wizard.address().map(|address| address.to_string()).ok();
                self.wizard.password.clear();
                self.wizard.again.clear();
                self.changed_here(&[ListId::Users, ListId::Domains, ListId::Tree]);
            }
            Step::Records | Step::Ports => {}
        }
        self.wizard_step_done();
    }

    fn wizard_step_done(&mut self) {
        if let Some(step) = self.wizard.step.next() {
            self.wizard.step = step;
        }
    }
}
