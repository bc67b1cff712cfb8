//! Which events of which mailboxes a client wants (RFC 5465 §6).

use wire::imap::{FetchItem, MailboxName, NotifyEvent, NotifyFilter, NotifyGroup};

use crate::namespace::DELIMITER;
use crate::place::{OTHER_USERS, PUBLIC};

/// A set of kinds of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Events(u8);

impl Events {
    pub(crate) const NONE: Self = Self(0);
    /// MessageNew and MessageExpunge, which are never asked for one without the other.
    pub(crate) const MESSAGES: Self = Self(1);
    pub(crate) const FLAGS: Self = Self(2);
    pub(crate) const NAMES: Self = Self(4);
    pub(crate) const SUBSCRIPTIONS: Self = Self(8);
    pub(crate) const METADATA: Self = Self(16);
    pub(crate) const SERVER_METADATA: Self = Self(32);

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Why a group can't be had.
pub(crate) struct Unsupported;

/// When the selected mailbox's events are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Not at all.
    Never,
    /// What is gone only where an EXPUNGE is allowed.
    Delayed,
    AtOnce,
}

/// What is wanted of the selected mailbox, whichever it is.
#[derive(Debug)]
pub(crate) struct OfSelected {
    pub(crate) pace: Pace,
    pub(crate) flags: bool,
    /// What is told of new messages.
    pub(crate) items: Vec<FetchItem>,
}

impl OfSelected {
    pub(crate) const NOTHING: Self = Self {
        pace: Pace::Never,
        flags: false,
        items: Vec::new(),
    };
}

#[derive(Debug)]
enum Which {
    Personal,
    Subscribed,
    Subtree(Vec<String>),
    /// With one level below the tops.
    SubtreeOne(Vec<String>),
    Mailboxes(Vec<String>),
}

#[derive(Debug)]
struct Group {
    which: Which,
    events: Events,
}

/// What is wanted of mailboxes that are not selected.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    groups: Vec<Group>,
    /// The names that the user has subscribed, sorted; only if a group asks for them.
    pub(crate) subscribed: Vec<String>,
}

/// Takes the groups of a command apart.
pub(crate) fn filter(groups: Vec<NotifyGroup>) -> Result<(OfSelected, Filter), Unsupported> {
    let mut selected = OfSelected::NOTHING;
    let mut filter = Filter::default();
    for NotifyGroup {
        filter: named,
        events,
    } in groups
    {
        let (events, items) = kinds(events)?;
        let which = match named {
            NotifyFilter::Selected | NotifyFilter::SelectedDelayed => {
                selected = OfSelected {
                    pace: match named {
                        _ if !events.has(Events::MESSAGES) => Pace::Never,
                        NotifyFilter::Selected => Pace::AtOnce,
                        _ => Pace::Delayed,
                    },
                    flags: events.has(Events::FLAGS),
                    items,
                };
                continue;
            }
            other => which(other),
        };
        filter.groups.push(Group { which, events });
    }
    Ok((selected, filter))
}

/// What a filter other than those of the selected mailbox means.
fn which(filter: NotifyFilter) -> Which {
    let names = |names: Vec<MailboxName>| names.into_iter().map(MailboxName::into_string).collect();
    match filter {
        // Those of the selected mailbox name no other.
        NotifyFilter::Selected | NotifyFilter::SelectedDelayed => Which::Mailboxes(Vec::new()),
        // RFC 5465 §6.3: any folder may be delivered to.
        NotifyFilter::Personal | NotifyFilter::Inboxes => Which::Personal,
        NotifyFilter::Subscribed => Which::Subscribed,
        NotifyFilter::Subtree(list) => Which::Subtree(names(list)),
        NotifyFilter::SubtreeOne(list) => Which::SubtreeOne(names(list)),
        NotifyFilter::Mailboxes(list) => Which::Mailboxes(names(list)),
    }
}

fn kinds(events: Vec<NotifyEvent>) -> Result<(Events, Vec<FetchItem>), Unsupported> {
    let (mut kinds, mut fetched) = (Events::NONE, Vec::new());
    for event in events {
        kinds = kinds.with(match event {
            NotifyEvent::MessageNew(items) => {
                fetched = items;
                Events::MESSAGES
            }
            NotifyEvent::MessageExpunge => Events::MESSAGES,
            NotifyEvent::FlagChange => Events::FLAGS,
            NotifyEvent::MailboxName => Events::NAMES,
            NotifyEvent::SubscriptionChange => Events::SUBSCRIPTIONS,
            NotifyEvent::MailboxMetadataChange => Events::METADATA,
            NotifyEvent::ServerMetadataChange => Events::SERVER_METADATA,
            NotifyEvent::AnnotationChange | NotifyEvent::Unknown => return Err(Unsupported),
        });
    }
    Ok((kinds, fetched))
}

/// Whether a name is another one or lies below it.
fn is_within(name: &str, top: &str) -> bool {
    top.is_empty()
        || name
            .strip_prefix(top)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(DELIMITER))
}

/// Whether a name is another one or lies right below it.
fn is_next_to(name: &str, top: &str) -> bool {
    let rest = if top.is_empty() {
        Some(name)
    } else {
        name.strip_prefix(top)
            .and_then(|rest| rest.strip_prefix(DELIMITER))
    };
    name == top || rest.is_some_and(|rest| !rest.contains(DELIMITER))
}

fn is_personal(name: &str) -> bool {
    ![OTHER_USERS, PUBLIC].iter().any(|top| is_within(name, top))
}

impl Group {
    fn concerns(&self, name: &str, subscribed: &[String]) -> bool {
        match &self.which {
            Which::Personal => is_personal(name),
            Which::Subscribed => subscribed
                .binary_search_by(|known| known.as_str().cmp(name))
                .is_ok(),
            Which::Subtree(tops) => tops.iter().any(|top| is_within(name, top)),
            Which::SubtreeOne(tops) => tops.iter().any(|top| is_next_to(name, top)),
            Which::Mailboxes(names) => names.iter().any(|known| known == name),
        }
    }

    /// Whether any mailbox at or below a name may be meant.
    fn reaches(&self, root: &str, subscribed: &[String]) -> bool {
        match &self.which {
            Which::Personal => is_personal(root),
            Which::Subscribed => subscribed.iter().any(|name| is_within(name, root)),
            Which::Subtree(tops) | Which::SubtreeOne(tops) => {
                let mut tops = tops.iter();
                tops.any(|top| is_within(root, top) || is_within(top, root))
            }
            Which::Mailboxes(names) => names.iter().any(|name| is_within(name, root)),
        }
    }
}

impl Filter {
    /// Of a search: it is about mailboxes, not events.
    pub(crate) fn of_sources(sources: Vec<NotifyFilter>) -> Self {
        let events = Events::MESSAGES;
        let groups = sources.into_iter().map(|source| Group {
            which: which(source),
            events,
        });
        Self {
            groups: groups.collect(),
            subscribed: Vec::new(),
        }
    }

    /// Whether anything is wanted of a mailbox.
    pub(crate) fn means(&self, name: &str) -> bool {
        self.wanted(name) != Events::NONE
    }

    /// The events of a mailbox that are wanted: those of all groups that name it, up to one that wants nothing of it.
    pub(crate) fn wanted(&self, name: &str) -> Events {
        let mut wanted = Events::NONE;
        for group in &self.groups {
            if group.concerns(name, &self.subscribed) {
                if group.events == Events::NONE {
                    break;
                }
                wanted = wanted.with(group.events);
            }
        }
        wanted
    }

    /// Nothing is wanted of any.
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.iter().all(|group| group.events == Events::NONE)
    }

    pub(crate) fn wants_any(&self, events: Events) -> bool {
        self.groups.iter().any(|group| group.events.has(events))
    }

    /// All events that are wanted of anything at or below a name.
    pub(crate) fn wanted_below(&self, root: &str) -> Events {
        let groups = self.groups.iter();
        groups
            .filter(|group| group.reaches(root, &self.subscribed))
            .fold(Events::NONE, |all, group| all.with(group.events))
    }

    pub(crate) fn asks_subscribed(&self) -> bool {
        self.groups
            .iter()
            .any(|group| matches!(group.which, Which::Subscribed))
    }

    /// Whether mailboxes that are not the user's own may be meant, now or later.
    pub(crate) fn leaves_home(&self) -> bool {
        let reaches = |group: &Group| {
            matches!(group.which, Which::Subscribed)
                || [OTHER_USERS, PUBLIC]
                    .iter()
                    .any(|top| group.reaches(top, &self.subscribed))
        };
        self.groups.iter().any(reaches)
    }

    /// The mailboxes that are named one by one, and the tops of the trees.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.groups
            .iter()
            .filter(|group| group.events != Events::NONE)
            .flat_map(|group| match &group.which {
                Which::Subtree(names) | Which::SubtreeOne(names) | Which::Mailboxes(names) => {
                    names.as_slice()
                }
                _ => &[],
            })
    }

    /// About how many bytes it takes.
    pub(crate) fn weight(&self) -> usize {
        let names = |names: &Vec<String>| names.iter().map(|name| 24 + name.len()).sum::<usize>();
        let groups = self.groups.iter().map(|group| {
            32 + match &group.which {
                Which::Subtree(list) | Which::SubtreeOne(list) | Which::Mailboxes(list) => names(list),
                _ => 0,
            }
        });
        groups.sum::<usize>() + names(&self.subscribed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(which: Which, events: Events) -> Group {
        Group { which, events }
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_mailbox_may_stand_in_several_groups() {
        let filter = Filter {
            groups: vec![
                group(Which::Mailboxes(names(&["Lists/Noise"])), Events::NONE),
                group(Which::Subtree(names(&["Lists"])), Events::MESSAGES),
                group(Which::Personal, Events::NAMES),
                group(Which::Subscribed, Events::FLAGS),
            ],
            subscribed: names(&["Lists", "Public/team"]),
        };
        for (name, wanted) in [
            ("Lists/Noise", Events::NONE),
            ("Lists", Events::MESSAGES.with(Events::NAMES).with(Events::FLAGS)),
            ("Lists/a/b", Events::MESSAGES.with(Events::NAMES)),
            ("Listser", Events::NAMES),
            ("Public/team", Events::FLAGS),
            ("Public/team/x", Events::NONE),
            ("Publicity", Events::NAMES),
        ] {
            assert_eq!(filter.wanted(name), wanted, "{name}");
        }
        assert_eq!(filter.wanted_below("Public/team"), Events::FLAGS);
        assert_eq!(filter.wanted_below("Public/other"), Events::NONE);
        assert!(filter.leaves_home() && filter.asks_subscribed());
    }

    #[test]
    fn one_level() {
        for (name, top, expected) in [
            ("a", "a", true),
            ("a/b", "a", true),
            ("a/b/c", "a", false),
            ("ab", "a", false),
            ("a", "", true),
            ("a/b", "", false),
        ] {
            assert_eq!(is_next_to(name, top), expected, "{name} {top}");
        }
    }

    #[test]
    fn who_else_is_meant() {
        for (which, root, expected) in [
            (Which::Personal, "Public/team", false),
            (Which::Subtree(names(&["Public"])), "Public/team", true),
            (Which::Subtree(names(&["Public/team/a"])), "Public/team", true),
            (Which::Subtree(names(&["Public/teams"])), "Public/team", false),
            (Which::Subtree(names(&[""])), "Public/team", true),
            (Which::SubtreeOne(names(&["Public"])), "Public/team", true),
            (Which::Mailboxes(names(&["Public/team/a"])), "Public/team", true),
            (Which::Mailboxes(names(&["Public"])), "Public/team", false),
        ] {
            let described = format!("{which:?} {root}");
            assert_eq!(
                group(which, Events::NAMES).reaches(root, &[]),
                expected,
                "{described}"
            );
        }
    }
}
