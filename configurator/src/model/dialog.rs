//! The dialog that is open: a form with its errors and its conflict, or a question.

use std::collections::VecDeque;

use shared::model::Side;

use super::dkim::DkimStep;
use super::forms::{Call, Errors, Form};
use super::keys::Secret;
use super::route_test::Tested;
use super::said::Said;

/// What is open in front of the page.
#[derive(Clone, Debug)]
pub enum Dialog {
    Edit(Box<Edit>),
    Ask(Question),
    /// Something that is shown once.
    Secret(Secret),
    /// Where mail would go.
    RouteTested(Tested),
}

/// A form that is being filled in.
#[derive(Clone, Debug)]
pub struct Edit {
    pub form: Form,
    /// What it was when it was opened.
    pub before: Form,
    pub errors: Errors,
    /// What is wrong with the whole.
    pub problem: Option<Said>,
    /// Somebody else changed the record meanwhile.
    pub conflict: bool,
    /// Requests that are still to be made once the one under way is done.
    pub steps: VecDeque<Call>,
    pub busy: bool,
    /// It was to be closed although it was changed: the person is asked whether to.
    pub leaving: bool,
    /// Told apart from dialogs that were open before it.
    pub serial: u64,
}

impl Edit {
    pub fn new(form: Form, serial: u64) -> Self {
        Self {
            before: form.clone(),
            form,
            errors: Errors::new(),
            problem: None,
            conflict: false,
            steps: VecDeque::new(),
            busy: false,
            leaving: false,
            serial,
        }
    }

    pub fn dirty(&self) -> bool {
        self.form != self.before
    }
}

/// Something that can't be taken back, and is asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    pub about: About,
    /// The tick of the question's own choice, where it has one.
    pub choice: bool,
    pub busy: bool,
    pub problem: Option<Said>,
}

impl Question {
    pub fn new(about: About) -> Self {
        let choice = matches!(about, About::RemoveUsers(_));
        Self {
            about,
            choice,
            busy: false,
            problem: None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum About {
    RemoveDomain {
        name: String,
        users: u64,
    },
    /// The choice: their mail is kept.
    RemoveUsers(Vec<String>),
    RemoveAlias(String),
    RemoveGroup(String),
    /// Public folders of that name.
    RemoveTree(String),
    RemoveEntry(Side, String),
    RemoveRoute(String),
    RemoveExternal {
        user: String,
        name: String,
    },
    RemoveFolder {
        user: String,
        name: String,
    },
    /// The choice: the senders are told.
    RemoveMessages(Vec<String>),
    /// By its id.
    RemoveServerCertificate(String),
    /// A certificate that is renewed, by its first name.
    ForgetCertificate(String),
    /// By the first name of its order.
    RevokeCertificate(String),
    /// The one at the authority.
    ChangeAccountKey,
    RemoveCertificate {
        user: String,
        fingerprint: String,
    },
    RemoveAppPassword {
        user: String,
        label: String,
    },
    /// Sign with a key, no longer, or remove it.
    Dkim {
        step: DkimStep,
        domain: String,
        selector: String,
    },
    /// Aggregate reports to other domains, now instead of at the end of the day.
    SendReports,
    EndSession {
        id: u64,
        who: String,
    },
    StopService(String),
}
