//! Commands on messages: how they are written, and what they make of the reference.

use super::reference::{FlagSet, Reference};
use super::shadow::{Rules, Shadow, numbers};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Add,
    Remove,
    Replace,
}

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Noop,
    Fetch {
        body: bool,
    },
    Store {
        action: Action,
        flags: FlagSet,
        silent: bool,
        since: Option<u64>,
    },
    Expunge {
        all: bool,
    },
    Copy {
        to: String,
        moves: bool,
    },
    Append {
        to: String,
        flags: FlagSet,
    },
    Search,
}

/// A command with the messages that it is about.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) command: Command,
    /// By UID, or by number.
    pub(crate) uid: bool,
    pub(crate) uids: Vec<u32>,
}

/// What is to be checked when the answer is there.
#[derive(Default)]
pub(crate) struct Expected {
    /// UIDs that fail UNCHANGEDSINCE.
    modified: Vec<u32>,
    pub(crate) refused: bool,
    /// UIDs whose flags a STORE changes.
    pub(crate) changed: Vec<u32>,
}

fn list(flags: &FlagSet) -> String {
    flags.iter().cloned().collect::<Vec<_>>().join(" ")
}

fn join(numbers: impl Iterator<Item = u32>) -> String {
    numbers
        .map(|number| number.to_string())
        .collect::<Vec<_>>()
        .join(",")
}

fn combined(action: Action, old: &FlagSet, flags: &FlagSet) -> FlagSet {
    match action {
        Action::Add => old | flags,
        Action::Remove => old - flags,
        Action::Replace => flags.clone(),
    }
}

impl Step {
    pub(crate) fn text(&self, shadow: Option<&Shadow>) -> String {
        let set = match shadow {
            Some(shadow) if !self.uid => join(
                self.uids
                    .iter()
                    .filter_map(|uid| shadow.index(*uid))
                    .map(|at| at as u32 + 1),
            ),
            _ => join(self.uids.iter().copied()),
        };
        let prefix = if self.uid { "UID " } else { "" };
        match &self.command {
            Command::Noop => "NOOP".to_owned(),
            Command::Search => format!("{prefix}SEARCH UNSEEN"),
            Command::Fetch { body: false } => format!("{prefix}FETCH {set} (UID FLAGS)"),
            Command::Fetch { body: true } => format!("{prefix}FETCH {set} (UID BODY[HEADER])"),
            Command::Store {
                action,
                flags,
                silent,
                since,
            } => {
                let since = since.map_or(String::new(), |since| format!("(UNCHANGEDSINCE {since}) "));
                let sign = ["+", "-", ""][*action as usize];
                let silent = if *silent { ".SILENT" } else { "" };
                format!("{prefix}STORE {set} {since}{sign}FLAGS{silent} ({})", list(flags))
            }
            Command::Expunge { all: true } => "EXPUNGE".to_owned(),
            Command::Expunge { all: false } => format!("UID EXPUNGE {set}"),
            Command::Copy { to, moves } => {
                format!("{prefix}{} {set} {to}", if *moves { "MOVE" } else { "COPY" })
            }
            Command::Append { to, flags } => {
                format!(
                    "APPEND {to} ({}) {{{}+}}\r\n{}",
                    list(flags),
                    super::TEXT.len(),
                    super::TEXT
                )
            }
        }
    }

    pub(crate) fn rules(&self) -> Rules {
        let by_number = matches!(
            self.command,
            Command::Fetch { .. } | Command::Store { .. } | Command::Search
        );
        Rules {
            no_expunge: by_number && !self.uid,
            news_only: matches!(self.command, Command::Noop),
            late: false,
            own: by_number,
        }
    }

    /// Does it to the reference.
    pub(crate) fn apply(&self, reference: &mut Reference, shadow: Option<&Shadow>) -> Expected {
        let mut expected = Expected::default();
        if let Command::Append { to, flags } = &self.command {
            let to = reference.names[to];
            reference.put(to, flags.clone());
            return expected;
        }
        let Some(shadow) = shadow else {
            return expected;
        };
        let folder = shadow.folder;
        let there = |reference: &Reference| -> Vec<u32> {
            let messages = &reference.boxes[folder].messages;
            let known = self
                .uids
                .iter()
                .copied()
                .filter(|uid| shadow.index(*uid).is_some());
            known.filter(|uid| messages.contains_key(uid)).collect()
        };
        let there = there(reference);
        let writes = !matches!(
            self.command,
            Command::Noop | Command::Fetch { .. } | Command::Search | Command::Copy { moves: false, .. }
        );
        if writes && shadow.read_only {
            expected.refused = true;
            return expected;
        }
        match &self.command {
            Command::Fetch { body: true } if !shadow.read_only => {
                let seen = FlagSet::from(["\\Seen".to_owned()]);
                for uid in there {
                    let flags = &reference.boxes[folder].messages[&uid].flags | &seen;
                    reference.set(folder, uid, flags);
                }
            }
            Command::Store {
                action, flags, since, ..
            } => {
                for uid in there {
                    let message = &reference.boxes[folder].messages[&uid];
                    if since.is_some_and(|since| message.modseq > since) {
                        expected.modified.push(uid);
                        continue;
                    }
                    let flags = combined(*action, &message.flags, flags);
                    if flags != message.flags {
                        expected.changed.push(uid);
                    }
                    reference.set(folder, uid, flags);
                }
            }
            Command::Expunge { all } => {
                let deleted = |flags: &FlagSet| flags.contains("\\Deleted");
                reference.boxes[folder]
                    .messages
                    .retain(|uid, message| !deleted(&message.flags) || !(*all || there.contains(uid)));
            }
            Command::Copy { to, moves } => {
                let to = reference.names[to];
                for uid in there {
                    let flags = reference.boxes[folder].messages[&uid].flags.clone();
                    if *moves {
                        reference.boxes[folder].messages.remove(&uid);
                    }
                    reference.put(to, flags);
                }
            }
            _ => {}
        }
        expected
    }

    /// The tagged answer is what the reference says; and the client knows what it has done.
    pub(crate) fn end(
        &self,
        answer: &str,
        expected: &Expected,
        reference: &Reference,
        shadow: Option<&mut Shadow>,
    ) {
        let Some(shadow) = shadow else {
            assert!(answer.contains(" OK "), "{answer}");
            return;
        };
        let folder = &reference.boxes[shadow.folder];
        let some_gone = self.uids.iter().any(|uid| !folder.messages.contains_key(uid));
        if expected.refused {
            assert!(answer.contains(" NO "), "{answer}");
            return;
        }
        assert!(
            answer.contains(" OK ") || (answer.contains(" NO [EXPUNGEISSUED]") && some_gone),
            "{answer}"
        );
        match &self.command {
            Command::Search => self.check_search(folder, shadow),
            Command::Store {
                action,
                flags,
                silent,
                since,
            } => {
                let modified = answer.split_once("[MODIFIED ").map_or("", |(_, rest)| rest);
                let modified = numbers(modified.split_once(']').map_or("", |(set, _)| set));
                let uids: Vec<u32> = if self.uid {
                    modified
                } else {
                    let uid = |number: &u32| shadow.messages[*number as usize - 1].uid;
                    modified.iter().filter_map(uid).collect()
                };
                if since.is_some() {
                    assert_eq!(uids, expected.modified, "{answer}");
                }
                for uid in self.uids.iter().filter(|uid| *silent && !uids.contains(uid)) {
                    let Some(at) = shadow.index(*uid) else { continue };
                    let known = &mut shadow.messages[at];
                    if let (Some(old), Some(message)) = (&known.flags, folder.messages.get(uid)) {
                        // What it was told before, changed by what it has done.
                        known.flags = Some(combined(*action, old, flags));
                        known.version = message.version;
                    }
                }
            }
            _ => {}
        }
    }

    fn check_search(&self, folder: &super::reference::Box, shadow: &Shadow) {
        let mut expected = Vec::new();
        for (number, known) in (1..).zip(&shadow.messages) {
            let Some(uid) = known.uid else { continue };
            let unseen = |flags: &FlagSet| !flags.contains("\\Seen");
            if folder
                .messages
                .get(&uid)
                .is_some_and(|message| unseen(&message.flags))
            {
                expected.push(if self.uid { uid } else { number });
            }
        }
        if self.uid {
            // An EXPUNGE may have come after the result.
            assert!(
                expected.iter().all(|uid| shadow.found.contains(uid)),
                "{:?}",
                shadow.found
            );
        } else {
            assert_eq!(shadow.found, expected);
        }
    }
}
