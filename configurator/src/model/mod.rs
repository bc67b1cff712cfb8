//! What is known of the server and what the person is about to change.
//!
//! `update` takes a message of the views, `receive` an arrival of the link; both leave requests in the outbox. Nothing
//! here reads a clock, a socket or a file: the app hands the time in and carries the outbox away.

pub mod amount;
pub mod certificates;
mod changes;
pub mod dialog;
pub mod dkim;
pub mod external;
mod folder_forms;
mod folders;
pub mod forms;
pub mod keys;
pub mod lists;
pub mod log;
mod message;
pub mod monitor;
mod next_host_form;
mod page;
mod pages;
mod route_form;
pub mod route_test;
pub mod said;
pub mod settings;
mod table;
mod update;
mod vacation_form;
pub mod wizard;

use std::collections::{BTreeSet, HashMap};

use i18n::Language;
use jiff::tz::TimeZone;
use serde_json::Value;
use shared::model::{Alias, Certificate, CertificateOrder, Group, ListEntry, PublicTree};
use shared::protocol::{
    Change, CheckReport, DomainRow, LogQuery, QueueMessage, QueueRow, ReportWaiting, Request, SessionRow,
    SettingList, Storage, StorageShow, UserRow, Welcome,
};

use crate::link::{Arrival, Failed, Outgoing};
use crate::text::Texts;
use crate::theme::Choice;

use dialog::Dialog;
use dkim::DkimKeys;
pub use folders::{Folders, is_public, public_owner, shown_name};
use keys::Keys;
use lists::ListId;
use log::LogState;
pub use message::{LogMessage, LogPart, Message, QueueAct};
use monitor::History;
pub use page::Page;
pub(crate) use pages::MESSAGE_SHOWN_MAX_BYTES;
use said::{Notice, Said, Tone};
use settings::SettingsState;
pub use table::Table;
use wizard::Wizard;

/// How long a notice stays in sight, in seconds; bad news stay longer.
const NOTICE_GOOD_S: i64 = 5;
const NOTICE_BAD_S: i64 = 15;
/// Notices kept.
const NOTICES_MAX: usize = 200;

/// The connection as a person sees it.
#[derive(Clone, Debug)]
pub enum Status {
    Connecting,
    Connected(Welcome),
    Gone { reason: String, retry_at: i64 },
}

/// What the app does for the model beside sending requests.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Copy(String),
    FocusSearch,
}

/// What is done with an answer.
type Then = Box<dyn FnOnce(&mut Model, Result<Value, Failed>) + Send>;

struct Pending {
    /// A change, as against a reading.
    change: bool,
    then: Then,
}

/// A message's text as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageText {
    pub id: String,
    pub text: String,
    /// There is more of it.
    pub is_cut: bool,
}

pub struct Model {
    pub page: Page,
    pub language: Language,
    pub theme: Choice,
    /// Unix seconds.
    pub now: i64,
    pub zone: TimeZone,
    /// Which daemon, as a person would name it.
    pub target: String,
    pub status: Status,
    pub monitor: History,
    pub tree: Table<DomainRow>,
    pub unfolded: BTreeSet<String>,
    pub domains: Table<DomainRow>,
    pub users: Table<UserRow>,
    pub aliases: Table<Alias>,
    pub groups: Table<Group>,
    pub public: Table<PublicTree>,
    pub access: Table<ListEntry>,
    pub routes: Table<shared::Route>,
    pub external: Table<shared::external::ExternalRow>,
    pub queue: Table<QueueRow>,
    pub sessions: Table<SessionRow>,
    /// The selected message of the queue, in full.
    pub message: Option<QueueMessage>,
    /// Reports to other domains that wait; `None`: nobody asked yet.
    pub reports: Option<Vec<ReportWaiting>>,
    /// The text of a message that is being read.
    pub message_text: Option<MessageText>,
    pub folders: Folders,
    pub keys: Keys,
    pub dkim: DkimKeys,
    pub tail: LogState,
    pub log: LogState,
    pub settings: SettingsState,
    pub certificates: Option<Vec<Certificate>>,
    /// Those that the server gets by itself.
    pub orders: Vec<CertificateOrder>,
    pub storage: Option<Storage>,
    pub check: Option<CheckReport>,
    pub checking: bool,
    pub wizard: Wizard,
    pub dialog: Option<Dialog>,
    pub notices: Vec<Notice>,
    /// A daemon was reached since the start; the wizard offers itself only the first time.
    greeted: bool,
    effects: Vec<Effect>,
    outbox: Vec<Outgoing>,
    pending: HashMap<u64, Pending>,
    next_id: u64,
    /// Lists that changed and are to be read anew, once a second at most.
    changed: BTreeSet<ListId>,
    settled_at: i64,
}

impl Model {
    pub fn new(target: &str, language: Language, theme: Choice, zone: TimeZone, now: i64) -> Self {
        Self {
            page: Page::default(),
            language,
            theme,
            now,
            zone,
            target: target.to_owned(),
            status: Status::Connecting,
            monitor: History::default(),
            tree: Table::default(),
            unfolded: BTreeSet::new(),
            domains: Table::default(),
            users: Table::default(),
            aliases: Table::default(),
            groups: Table::default(),
            public: Table::default(),
            access: Table::default(),
            routes: Table::default(),
            external: Table::default(),
            queue: Table::default(),
            sessions: Table::default(),
            message: None,
            reports: None,
            message_text: None,
            folders: Folders::default(),
            keys: Keys::default(),
            dkim: DkimKeys::default(),
            tail: LogState::tail(),
            log: LogState::default(),
            settings: SettingsState::default(),
            certificates: None,
            orders: Vec::new(),
            storage: None,
            check: None,
            checking: false,
            wizard: Wizard::default(),
            dialog: None,
            notices: Vec::new(),
            greeted: false,
            effects: Vec::new(),
            outbox: Vec::new(),
            pending: HashMap::new(),
            next_id: 1,
            changed: BTreeSet::new(),
            settled_at: 0,
        }
    }

    pub fn texts(&self) -> Texts {
        Texts {
            language: self.language,
            now: self.now,
            zone: self.zone.clone(),
        }
    }

    pub fn connected(&self) -> bool {
        matches!(self.status, Status::Connected(_))
    }

    /// Changes under way.
    pub fn saving(&self) -> bool {
        self.pending.values().any(|pending| pending.change)
    }

    pub fn loading(&self) -> bool {
        self.pending.values().any(|pending| !pending.change)
    }

    /// The requests to hand to the link.
    pub fn take_outbox(&mut self) -> Vec<Outgoing> {
        std::mem::take(&mut self.outbox)
    }

    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// An arrival of the link.
    pub fn receive(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Connected(welcome) => self.welcome(welcome),
            Arrival::Gone { reason, retry_s } => {
                self.status = Status::Gone {
                    reason,
                    retry_at: self.now + retry_s as i64,
                };
            }
            Arrival::Answer { id, result } => {
                if let Some(pending) = self.pending.remove(&id) {
                    (pending.then)(self, result);
                }
            }
            Arrival::Note { channel, params } => self.note(&channel, params),
        }
        self.fetch();
    }

    /// The time goes on: notices leave, changed lists are read anew.
    pub fn tick(&mut self, now: i64) {
        self.now = now;
        for notice in &mut self.notices {
            let stay_s = if notice.tone == Tone::Good {
                NOTICE_GOOD_S
            } else {
                NOTICE_BAD_S
            };
            notice.gone |= now - notice.at >= stay_s;
        }
        if now > self.settled_at && !self.changed.is_empty() {
            self.settled_at = now;
            for list in std::mem::take(&mut self.changed) {
                self.table_mut(list).refresh();
            }
            self.fetch();
        }
    }

    /// A request that reads.
    fn ask<R: Request>(
        &mut self,
        request: &R,
        then: impl FnOnce(&mut Self, Result<R::Reply, Failed>) + Send + 'static,
    ) {
        let params = serde_json::to_value(request).unwrap_or_default();
        self.call(R::METHOD, params, false, move |model, answer| {
            let typed = answer.and_then(|value| {
                serde_json::from_value(value)
                    .map_err(|error| Failed::Local(format!("{}: {error}", R::METHOD)))
            });
            then(model, typed);
        });
    }

    fn call(
        &mut self,
        method: &'static str,
        params: Value,
        change: bool,
        then: impl FnOnce(&mut Self, Result<Value, Failed>) + Send + 'static,
    ) {
        let id = self.next_id;
        self.next_id += 1;
        self.pending.insert(
            id,
            Pending {
                change,
                then: Box::new(then),
            },
        );
        self.outbox.push(Outgoing::Call { id, method, params });
    }

    pub(crate) fn notice(&mut self, tone: Tone, said: Said) {
        let id = self.next_id;
        self.next_id += 1;
        self.notices.push(Notice {
            id,
            at: self.now,
            tone,
            said,
            gone: false,
        });
        if self.notices.len() > NOTICES_MAX {
            self.notices.remove(0);
        }
    }

    /// Connected, for the first time or again: everything that was known may be old.
    fn welcome(&mut self, welcome: Welcome) {
        if welcome.first_run && !self.greeted && self.page == Page::Monitor {
            self.page = Page::Wizard;
        }
        self.greeted = true;
        if self.wizard.hostname.is_empty() {
            welcome.hostname.clone_into(&mut self.wizard.hostname);
        }
        self.status = Status::Connected(welcome);
        for list in ListId::ALL {
            self.table_mut(list).forget();
        }
        self.log_restart(LogPart::Tail);
        self.log_restart(LogPart::Viewer);
        self.read_page();
    }

    fn note(&mut self, channel: &str, params: Value) {
        match channel {
            "monitor" => {
                if let Ok(figures) = serde_json::from_value(params) {
                    self.monitor.take(figures);
                    if self.page == Page::Monitor {
                        self.changed.insert(ListId::Sessions);
                    }
                    // Once a second: how it goes on with what is being asked for.
                    if self.page == Page::Certificates && self.orders.iter().any(|order| order.working) {
                        self.read_certificates();
                    }
                }
            }
            "log" => {
                if let Ok(row) = serde_json::from_value(params) {
                    self.tail.take_new(&row);
                    self.log.take_new(&row);
                }
            }
            "queue" => {
                self.changed.insert(ListId::Queue);
            }
            "changes" => {
                if let Ok(change) = serde_json::from_value(params) {
                    self.changed_by_someone(&change);
                }
            }
            _ => {}
        }
    }

    fn changed_by_someone(&mut self, change: &Change) {
        self.changed.extend(ListId::of_change(&change.kind));
        match change.kind.as_str() {
            "setting" if !self.settings.busy && self.settings.loaded => self.read_settings(),
            "folder" => self.read_folders(),
            "app-password" | "user-certificate" => self.read_keys(),
            "dkim" => self.read_dkim(),
            "queue" => self.read_message_details(),
            _ => {}
        }
    }

    /// Reads what the page shows beside its lists.
    fn read_page(&mut self) {
        match self.page {
            Page::Settings | Page::Wizard => self.read_settings(),
            Page::Certificates => self.read_certificates(),
            Page::Storage => self.ask(&StorageShow {}, |model, answer| match answer {
                Ok(storage) => model.storage = Some(storage),
                Err(failed) => model.notice(Tone::Bad, Said::failed(&failed)),
            }),
            Page::Folders(_) | Page::Public => self.read_folders(),
            Page::Users(_) => self.read_keys(),
            Page::Domains => self.read_dkim(),
            Page::Queue => self.read_message_details(),
            _ => {}
        }
    }

    fn read_settings(&mut self) {
        self.ask(&SettingList {}, |model, answer| match answer {
            Ok(values) => model.settings.take(values),
            Err(failed) => model.notice(Tone::Bad, Said::failed(&failed)),
        });
    }

    fn log_part(&mut self, part: LogPart) -> &mut LogState {
        match part {
            LogPart::Tail => &mut self.tail,
            LogPart::Viewer => &mut self.log,
        }
    }

    fn log_restart(&mut self, part: LogPart) {
        self.log_part(part).restart();
        self.log_older(part);
    }

    fn log_older(&mut self, part: LogPart) {
        if !self.connected() {
            return;
        }
        let log = self.log_part(part);
        if log.loading || log.complete {
            return;
        }
        log.loading = true;
        let (query, version) = (log.query(), log.version);
        self.ask(&LogQuery { query }, move |model, answer| {
            let log = model.log_part(part);
            if log.version != version {
                return;
            }
            match answer {
                Ok(rows) => log.take_older(rows.rows),
                Err(failed) => {
                    log.loading = false;
                    log.complete = true;
                    model.notice(Tone::Bad, Said::failed(&failed));
                }
            }
        });
    }
}
