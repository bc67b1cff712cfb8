//! The reference: what the mailbox is, kept as simply as can be, and compared with the store after every step.

use std::collections::{BTreeMap, BTreeSet};

use mailbox::{Flags, Owner, Row};

pub(crate) type FlagSet = BTreeSet<String>;

#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    pub(crate) flags: FlagSet,
    pub(crate) modseq: u64,
    /// What the flags were before the last change.
    pub(crate) before: FlagSet,
    /// How often it was changed.
    pub(crate) version: u64,
    /// The session that saw it as recent and may claim it.
    pub(crate) recent_for: Option<u64>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Box {
    pub(crate) messages: BTreeMap<u32, Message>,
    pub(crate) uid_next: u32,
    pub(crate) uid_validity: u32,
    pub(crate) highest: u64,
    /// What was changed since it was compared.
    touched: BTreeSet<u32>,
}

/// Folders by a number that stays with them when they are renamed.
pub(crate) struct Reference {
    pub(crate) names: BTreeMap<String, usize>,
    pub(crate) boxes: Vec<Box>,
    owner: Owner,
}

impl Reference {
    pub(crate) fn new(owner: Owner) -> Self {
        Self {
            names: BTreeMap::new(),
            boxes: Vec::new(),
            owner,
        }
    }

    pub(crate) async fn add(&mut self, name: &str) {
        let folder = self.owner.folder(name).await.unwrap();
        let known = self
            .boxes
            .iter()
            .all(|known| known.uid_validity < folder.uid_validity);
        assert!(known || self.boxes.len() < 2, "a UIDVALIDITY was given twice");
        self.names.insert(name.to_owned(), self.boxes.len());
        self.boxes.push(Box {
            uid_next: 1,
            uid_validity: folder.uid_validity,
            ..Box::default()
        });
    }

    pub(crate) fn put(&mut self, folder: usize, flags: FlagSet) -> u32 {
        let folder = &mut self.boxes[folder];
        let uid = folder.uid_next;
        folder.uid_next += 1;
        let message = Message {
            flags,
            version: 1,
            ..Message::default()
        };
        folder.messages.insert(uid, message);
        folder.touched.insert(uid);
        uid
    }

    /// Sets flags of a message, if it is there and this changes them.
    pub(crate) fn set(&mut self, folder: usize, uid: u32, flags: FlagSet) {
        let folder = &mut self.boxes[folder];
        if let Some(message) = folder.messages.get_mut(&uid)
            && message.flags != flags
        {
            message.before = std::mem::replace(&mut message.flags, flags);
            message.version += 1;
            folder.touched.insert(uid);
        }
    }

    /// The store is as the reference says, and MODSEQs have risen where something was changed and nowhere else.
    pub(crate) async fn compare(&mut self) {
        for (name, &at) in &self.names {
            let folder = self.owner.folder(name).await.unwrap();
            let reference = &mut self.boxes[at];
            assert_eq!(folder.uid_validity, reference.uid_validity, "{name}");
            let now = self.owner.changes(folder.id, 0, u32::MAX, false).await.unwrap();
            let (rows, next) = self.owner.rows(folder.id, vec![(0, u32::MAX)], 0).await.unwrap();
            assert!(next.is_none());
            assert!(
                rows.iter()
                    .map(|row| row.uid)
                    .eq(reference.messages.keys().copied()),
                "{name}"
            );
            assert!(now.uids.iter().eq(reference.messages.keys().copied()), "{name}");
            for (row, (uid, message)) in rows.iter().zip(&mut reference.messages) {
                assert_eq!(flags(row, &now.keywords), message.flags, "{name} {uid}");
                if reference.touched.contains(uid) {
                    assert!(
                        row.modseq > reference.highest,
                        "{name} {uid}: MODSEQ has not risen"
                    );
                } else {
                    assert_eq!(
                        row.modseq, message.modseq,
                        "{name} {uid}: MODSEQ of what is the same"
                    );
                }
                message.modseq = row.modseq;
            }
            assert!(now.highest_modseq >= reference.highest);
            reference.highest = now.highest_modseq;
            reference.touched.clear();
        }
    }
}

fn flags(row: &Row, keywords: &[String]) -> FlagSet {
    let system = Flags::NAMES.iter().filter(|(_, flag)| row.flags.contains(*flag));
    let keywords = keywords
        .iter()
        .enumerate()
        .filter(|(bit, _)| row.keywords >> bit & 1 == 1);
    system
        .map(|(name, _)| (*name).to_owned())
        .chain(keywords.map(|(_, name)| name.clone()))
        .collect()
}
