//! Capabilities that an administrator has switched off for this user or this mail program.

use shared::switches::{self, covers};
use wire::imap::Command;

use crate::session::Session;

/// What is kept of a client's name and version, in bytes.
const CLIENT_MAX_BYTES: usize = 128;

/// What this session does without.
#[derive(Default)]
pub(crate) struct Switched {
    /// `name/version` as ID told (RFC 2971 §3.3); kept only if there are rules.
    client: Option<Box<str>>,
    /// In capitals.
    off: Option<Box<[String]>>,
}

impl Session {
    /// Takes note of what the client calls itself.
    pub(crate) fn name_client(&mut self, fields: &[(String, Option<String>)]) {
        let field = |name: &str| {
            let found = fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
            found.and_then(|(_, value)| value.as_deref()).unwrap_or_default()
        };
        let mut client = format!("{}/{}", field("name").replace('/', " "), field("version"));
        client.truncate(client.floor_char_boundary(CLIENT_MAX_BYTES));
        let settings = self.server.directory.settings();
        let wanted = !settings.text("imap.capabilities-off").is_empty();
        self.switched.client = wanted.then(|| client.into());
        self.switch();
    }

    /// Looks up what is switched off: the user or the client is known now, or another.
    pub(crate) fn switch(&mut self) {
        let settings = self.server.directory.settings();
        let text = settings.text("imap.capabilities-off");
        if text.is_empty() {
            self.switched.off = None;
            return;
        }
        let user = self.user.as_ref().map(|user| user.account.address.to_string());
        let user = user.unwrap_or_default();
        let client = self.switched.client.as_deref().unwrap_or_default();
        // The setting was checked when it was set.
        let rules = switches::parse(text).unwrap_or_default();
        let of_this = rules.into_iter().filter(|rule| rule.concerns(&user, client));
        let off: Box<[String]> = of_this.flat_map(|rule| rule.off).collect();
        self.switched.off = (!off.is_empty()).then_some(off);
    }

    /// Whether this client is offered that capability, if the server has it.
    pub(crate) fn offers(&self, capability: &str) -> bool {
        let off = self.switched.off.as_deref().unwrap_or_default();
        !off.iter().any(|off| covers(off, capability))
    }

    /// A command of a capability that is switched off is answered as one that is not known.
    pub(crate) fn knows(&self, command: &Command) -> bool {
        self.switched.off.is_none() || capability_of(command).is_none_or(|name| self.offers(name))
    }

    /// The list without what is switched off.
    pub(crate) fn without_switched_off(&self, capabilities: String) -> String {
        if self.switched.off.is_none() {
            return capabilities;
        }
        let kept: Vec<&str> = capabilities.split(' ').filter(|name| self.offers(name)).collect();
        kept.join(" ")
    }
}

/// The capability that brought a command.
fn capability_of(command: &Command) -> Option<&'static str> {
    Some(match command {
        Command::Id(_) => "ID",
        Command::Enable(_) => "ENABLE",
        Command::Idle => "IDLE",
        Command::Compress(_) => "COMPRESS=DEFLATE",
        Command::Unauthenticate => "UNAUTHENTICATE",
        Command::Namespace => "NAMESPACE",
        Command::Acl(_) => "ACL",
        Command::Quota(_) => "QUOTA",
        Command::GetMetadata(_) | Command::SetMetadata(_) => "METADATA",
        Command::Notify(_) => "NOTIFY",
        Command::MultiSearch(_) => "MULTISEARCH",
        Command::Unselect => "UNSELECT",
        Command::UidExpunge(_) => "UIDPLUS",
        Command::CancelUpdate(_) => "CONTEXT",
        Command::Sort { .. } => "SORT",
        Command::Thread { .. } => "THREAD",
        Command::Move { .. } => "MOVE",
        Command::Replace { .. } => "REPLACE",
        _ => return None,
    })
}
