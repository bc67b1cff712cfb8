//! What the views and the keyboard ask of the model.

use std::ops::Range;

use i18n::Language;
use shared::model::Side;
use shared::protocol::ServiceState;

use super::dialog::About;
use super::forms::Form;
use super::lists::ListId;
use super::page::Page;
use super::wizard::Wizard;
use crate::theme::Choice;

#[derive(Clone, Debug)]
pub enum Message {
    Go(Page),
    /// Everything on the page is read anew.
    Refresh,
    /// Connect now.
    Retry,
    Language(Language),
    Theme(Choice),
    /// Opens or closes a domain in the tree.
    Unfold(String),
    /// The search field of the page is to be typed into.
    Search,
    Copy(String),
    CloseNotice(u64),

    Filter(ListId, String),
    Sort(ListId, &'static str),
    Look(ListId, Range<u64>),
    Select(ListId, Option<String>),
    Mark(ListId, String, bool),

    Open(Form),
    Edit(Form),
    Save,
    /// Closes the dialog; one that was changed asks first.
    Close,
    /// Closes it whatever was typed.
    Discard,
    /// Goes on with a form that was to be closed.
    Stay,
    /// After a conflict: what the other wrote is taken over, or written over.
    TakeTheirs,
    KeepMine,
    Ask(About),
    Choose(bool),
    Confirm,

    Service(String, ServiceState),
    Queue(QueueAct, Vec<String>),
    ReadMessage(String),
    CloseMessage,

    OpenFolders(String),
    SelectFolder(Option<String>),

    Log(LogPart, LogMessage),

    SettingFilter(String),
    Setting(&'static str, String),
    SettingsSave,
    SettingsRevert,

    ReloadCertificates,
    /// Of a user, by its name.
    FetchExternal(String, String),
    TestExternal(String, String),
    /// Gets a certificate for these names again.
    ObtainAgain(Vec<String>),
    CheckStorage {
        repair: bool,
    },
    AccessSide(Option<Side>),

    Wizard(Box<Wizard>),
    WizardNext,
    WizardBack,
}

/// What is done to messages of the queue without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueAct {
    Retry,
    Hold,
    Release,
}

/// Which of the two logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogPart {
    /// The monitor's.
    Tail,
    Viewer,
}

#[derive(Clone, Debug)]
pub enum LogMessage {
    Channel(&'static str, bool),
    Contains(String),
    Session(Option<u64>),
    Message(Option<String>),
    Follow(bool),
    Older,
    Select(Option<u64>),
}
