//! Which command goes where, in which state, and what may be told after it.

use shared::Rights;
use wire::imap::{Command, SearchKey, Tag};

use crate::reply::{Answer, COMPLETED, End, Outcome, uid_required, untagged};
use crate::session::{Session, Tell};

const NOT_NOW: &str = "not allowed in this state";
const LOG_IN_FIRST: &str = "log in first";
const SELECT_FIRST: &str = "select a mailbox first";
/// As the parser says it.
const UNKNOWN: &str = "unknown command";
const NOT_OFFERED: &str = "this is not offered";

/// The states of RFC 9051 §3 in which a command is allowed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Any,
    NotAuthenticated,
    Authenticated,
    Selected,
}

fn needed(command: &Command) -> State {
    match command {
        Command::Capability | Command::Noop | Command::Logout | Command::Id(_) => State::Any,
        Command::StartTls | Command::Authenticate(_) | Command::Login { .. } => State::NotAuthenticated,
        Command::Check
        | Command::Close
        | Command::Unselect
        | Command::Expunge
        | Command::CancelUpdate(_)
        | Command::UidExpunge(_)
        | Command::Search { .. }
        | Command::Sort { .. }
        | Command::Thread { .. }
        | Command::Fetch { .. }
        | Command::Store { .. }
        | Command::Copy { .. }
        | Command::Move { .. }
        | Command::Replace { .. } => State::Selected,
        _ => State::Authenticated,
    }
}

/// Everything in the selected state but leaving it.
fn needs_reading(command: &Command) -> bool {
    needed(command) == State::Selected && !matches!(command, Command::Close | Command::Unselect)
}

/// Whether it came with the UID prefix, and what may be told after it (RFC 9051 §7.5.1).
fn afterwards(command: &Command) -> (Tell, bool) {
    match command {
        Command::Fetch { uid, .. }
        | Command::Store { uid, .. }
        | Command::Search { uid, .. }
        | Command::Sort { uid, .. }
        | Command::Thread { uid, .. } => (if *uid { Tell::All } else { Tell::NoExpunge }, *uid),
        Command::Select(_)
        | Command::Examine(_)
        | Command::Close
        | Command::Unselect
        | Command::Logout
        | Command::Unauthenticate => (Tell::Nothing, false),
        Command::Copy { uid, .. } | Command::Move { uid, .. } => (Tell::All, *uid),
        Command::Replace { uid, .. } => (Tell::All, *uid),
        Command::UidExpunge(_) | Command::MultiSearch(_) => (Tell::All, true),
        _ => (Tell::All, false),
    }
}

/// Whether it speaks of message numbers (RFC 9586 §3.1).
fn has_numbers(command: &Command) -> bool {
    match command {
        Command::Search { uid, program } => !uid || names_numbers(&program.key),
        Command::Sort { uid, args } => !uid || names_numbers(&args.search),
        Command::Thread { uid, args } => !uid || names_numbers(&args.search),
        Command::MultiSearch(args) => names_numbers(&args.program.key),
        Command::Fetch { uid, .. }
        | Command::Store { uid, .. }
        | Command::Copy { uid, .. }
        | Command::Move { uid, .. }
        | Command::Replace { uid, .. } => !uid,
        _ => false,
    }
}

fn names_numbers(key: &SearchKey) -> bool {
    match key {
        SearchKey::Sequence(_) => true,
        SearchKey::And(keys) => keys.iter().any(names_numbers),
        SearchKey::Or(first, second) => names_numbers(first) || names_numbers(second),
        SearchKey::Not(key) => names_numbers(key),
        _ => false,
    }
}

/// Whether its responses tell what it has taken out of the selected mailbox.
fn takes_out(command: &Command) -> bool {
    matches!(
        command,
        Command::Expunge | Command::UidExpunge(_) | Command::Move { .. } | Command::Replace { .. }
    )
}

impl Session {
    pub(crate) fn allowed(&self, command: &Command) -> Result<(), Answer> {
        if !self.knows(command) {
            return Err(Answer::bad(UNKNOWN));
        }
        match needed(command) {
            State::Any => Ok(()),
            State::NotAuthenticated if self.user.is_none() => Ok(()),
            State::NotAuthenticated => Err(Answer::bad(NOT_NOW)),
            _ if self.user.is_none() => Err(Answer::bad(LOG_IN_FIRST)),
            State::Authenticated if self.enabled.uid_only && has_numbers(command) => Err(uid_required()),
            State::Authenticated => Ok(()),
            State::Selected if self.enabled.uid_only && has_numbers(command) => Err(uid_required()),
            State::Selected if self.view.is_some() => Ok(()),
            State::Selected => Err(Answer::bad(SELECT_FIRST)),
        }
    }

    /// Does a command and tells what there is to tell after it.
    pub(crate) async fn dispatch(&mut self, tag: &Tag, command: Command) -> Outcome {
        if let Err(answer) = self.allowed(&command) {
            self.appending = None;
            return Ok(answer);
        }
        self.renew_rights().await;
        if needs_reading(&command)
            && let Err(answer) = self.check_view(Rights::READ)
        {
            return Ok(answer);
        }
        let (tell, uid) = afterwards(&command);
        if !matches!(command, Command::Fetch { .. } | Command::Store { .. })
            && let Some(view) = &mut self.view
        {
            view.ahead = None;
        }
        self.set_expunging(takes_out(&command));
        let answer = self.execute(tag, command).await?;
        self.tell(tell, uid).await?;
        self.set_expunging(false);
        if self.is_notified() {
            self.tell_others().await?;
        }
        Ok(answer)
    }

    async fn execute(&mut self, tag: &Tag, command: Command) -> Outcome {
        match command {
            Command::Capability => {
                let capabilities = self.capabilities();
                untagged(self.conn.output(), &format!("CAPABILITY {capabilities}"));
                Ok(Answer::ok(COMPLETED))
            }
            Command::Noop | Command::Check => Ok(Answer::ok(COMPLETED)),
            Command::Logout => {
                untagged(self.conn.output(), "BYE logging out");
                Answer::ok(COMPLETED).put(self.conn.output(), tag);
                Err(End::Done)
            }
            Command::Id(fields) => Ok(self.id(&fields)),
            Command::StartTls => self.starttls(tag).await,
            Command::Authenticate(args) => self.authenticate(args).await,
            Command::Login { user, password } => self.login(&user, &password).await,
            Command::Enable(names) => Ok(self.enable(&names)),
            Command::Compress(mechanism) => self.compress(tag, &mechanism).await,
            Command::Unauthenticate => Ok(self.unauthenticate()),
            Command::Select(args) => self.select(args, false).await,
            Command::Examine(args) => self.select(args, true).await,
            Command::Append(args) => self.append_end(args).await,
            command => self.execute_on_folders(tag, command).await,
        }
    }

    async fn execute_on_folders(&mut self, tag: &Tag, command: Command) -> Outcome {
        match command {
            Command::Create(args) => self.create(args).await,
            Command::Delete(name) => self.delete(&name).await,
            Command::Rename { from, to } => self.rename(&from, &to).await,
            Command::Subscribe(name) => self.subscribe(&name, true).await,
            Command::Unsubscribe(name) => self.subscribe(&name, false).await,
            Command::List(args) => self.list(args).await,
            Command::Lsub { reference, pattern } => self.lsub(&reference, &pattern).await,
            Command::Notify(args) => self.notify(args).await,
            Command::MultiSearch(args) => self.multi_search(tag, args).await,
            Command::Namespace => Ok(self.namespace()),
            Command::Status { mailbox, items } => self.status(&mailbox, &items).await,
            Command::Quota(command) => self.quota(command).await,
            Command::Acl(command) => self.acl(command).await,
            Command::GetMetadata(args) => self.get_metadata(args).await,
            Command::SetMetadata(args) => self.set_metadata(args).await,
            command => self.execute_on_messages(tag, command).await,
        }
    }

    async fn execute_on_messages(&mut self, tag: &Tag, command: Command) -> Outcome {
        match command {
            Command::Close => self.close().await,
            Command::Unselect => {
                self.before_leaving().await?;
                Ok(self.unselect())
            }
            Command::Expunge => self.expunge(None).await,
            Command::UidExpunge(set) => self.expunge(Some(set)).await,
            Command::Search { uid, program } => self.search(tag, uid, program).await,
            Command::CancelUpdate(tags) => Ok(self.cancel_update(&tags)),
            Command::Sort { uid, args } => self.sort(tag, uid, args).await,
            Command::Thread { uid, args } => self.thread(tag, uid, args).await,
            Command::Fetch { uid, args } => self.fetch(uid, args).await,
            Command::Store { uid, args } => self.store(uid, args).await,
            Command::Replace { uid, args } => self.replace(uid, args).await,
            Command::Copy { uid, set, mailbox } => self.copy(uid, &set, &mailbox).await,
            Command::Move { uid, set, mailbox } => self.move_messages(uid, &set, &mailbox).await,
            _ => Ok(Answer::bad(NOT_OFFERED)),
        }
    }
}
