//! What a client believes of its selected folder, from nothing but what it was told.

use std::collections::BTreeMap;

use super::reference::{Box, FlagSet};

/// A message as a client knows it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) uid: Option<u32>,
    pub(crate) flags: Option<FlagSet>,
    /// The version in the reference when the flags were told.
    pub(crate) version: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Shadow {
    pub(crate) folder: usize,
    pub(crate) read_only: bool,
    /// This selection among all.
    pub(crate) number: u64,
    pub(crate) messages: Vec<Known>,
    /// The highest MODSEQ that was told.
    pub(crate) highest: u64,
    pub(crate) found: Vec<u32>,
    /// What a silent STORE is changing: the client knows what becomes of it.
    pub(crate) silent: Vec<u32>,
}

/// What may come now.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rules {
    /// EXPUNGE and VANISHED are forbidden.
    pub(crate) no_expunge: bool,
    /// Lines may speak of what has changed again since.
    pub(crate) late: bool,
    /// What others have done may be told as it was before this command.
    pub(crate) own: bool,
    /// No FETCH may tell what the client knows.
    pub(crate) news_only: bool,
}

/// The numbers of a set.
pub(crate) fn numbers(set: &str) -> Vec<u32> {
    let range = |part: &str| {
        let (from, to) = part.split_once(':').unwrap_or((part, part));
        from.parse::<u32>().unwrap()..=to.parse().unwrap()
    };
    set.split(',')
        .filter(|part| !part.is_empty())
        .flat_map(range)
        .collect()
}

fn after<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    Some(line.split_once(word)?.1)
}

fn number_after(line: &str, word: &str) -> Option<u64> {
    let rest = after(line, word)?;
    let end = rest
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}

impl Shadow {
    pub(crate) fn index(&self, uid: u32) -> Option<usize> {
        self.messages.iter().position(|known| known.uid == Some(uid))
    }

    /// Believes an untagged line, if the reference can't call it a lie.
    pub(crate) fn hear(&mut self, line: &str, folder: &mut Box, rules: Rules) {
        if let Some(modseq) = number_after(line, "MODSEQ (").or(number_after(line, "HIGHESTMODSEQ ")) {
            self.highest = self.highest.max(modseq);
        }
        if let Some(set) = line.strip_prefix("* VANISHED (EARLIER) ") {
            for uid in numbers(set) {
                assert!(!folder.messages.contains_key(&uid), "{uid} has not vanished");
                self.messages.retain(|known| known.uid != Some(uid));
            }
        } else if let Some(set) = line.strip_prefix("* VANISHED ") {
            assert!(!rules.no_expunge, "{line}");
            self.name(folder);
            for uid in numbers(set) {
                let at = self.index(uid).expect("vanished twice");
                assert!(!folder.messages.contains_key(&uid), "{uid} has not vanished");
                self.messages.remove(at);
            }
        } else if let Some(found) = line.strip_prefix("* SEARCH") {
            self.found = found
                .split_whitespace()
                .map_while(|word| word.parse().ok())
                .collect();
        } else {
            self.hear_number(line, folder, rules);
        }
    }

    fn hear_number(&mut self, line: &str, folder: &mut Box, rules: Rules) {
        let mut words = line.splitn(4, ' ').skip(1);
        let (Some(Ok(number)), Some(word)) = (words.next().map(str::parse::<usize>), words.next()) else {
            return;
        };
        match word {
            "EXPUNGE" => {
                assert!(!rules.no_expunge, "{line}");
                assert!((1..=self.messages.len()).contains(&number), "{line}");
                let gone = self.messages.remove(number - 1);
                if let Some(uid) = gone.uid {
                    assert!(!folder.messages.contains_key(&uid), "{line}: {uid} is there");
                }
            }
            "EXISTS" => {
                assert!(
                    number >= self.messages.len(),
                    "{line}: there were {}",
                    self.messages.len()
                );
                self.messages.resize(number, Known::default());
                if !rules.late {
                    self.name(folder);
                }
            }
            "RECENT" => {}
            "FETCH" => self.hear_fetch(line, number, folder, rules),
            _ => panic!("{line}"),
        }
    }

    fn hear_fetch(&mut self, line: &str, number: usize, folder: &mut Box, rules: Rules) {
        assert!(
            (1..=self.messages.len()).contains(&number),
            "{line}: there are {}",
            self.messages.len()
        );
        let known = &mut self.messages[number - 1];
        if let Some(uid) = number_after(line, "UID ") {
            let uid = uid as u32;
            assert!(
                known.uid.is_none_or(|known| known == uid),
                "{line}: this is {known:?}"
            );
            known.uid = Some(uid);
        }
        let Some(flags) = after(line, "FLAGS (").and_then(|rest| rest.split_once(')')) else {
            return;
        };
        let mut flags: FlagSet = flags.0.split_whitespace().map(str::to_owned).collect();
        let recent = flags.remove("\\Recent");
        let message = known.uid.and_then(|uid| folder.messages.get_mut(&uid));
        if let Some(message) = message {
            let before = rules.own && flags == message.before;
            if !rules.late && !before {
                assert_eq!(flags, message.flags, "{line}");
                if rules.news_only {
                    assert!(known.version < message.version, "{line}: told twice");
                }
                if let Some(modseq) = number_after(line, "MODSEQ (") {
                    assert!(message.modseq <= modseq, "{line}: {}", message.modseq);
                }
            }
            let only_own = known.version + 1 == message.version && !before;
            let silent = known.uid.is_some_and(|uid| self.silent.contains(&uid));
            assert!(
                !(silent && only_own && known.flags.is_some()),
                "{line}: the echo of a silent STORE"
            );
            known.version = message.version - u64::from(before);
            if recent && !self.read_only {
                let first = *message.recent_for.get_or_insert(self.number);
                assert_eq!(first, self.number, "{line}: recent for two sessions");
            }
        }
        known.flags = Some(flags);
    }

    /// New messages come in the order of their UIDs after those that are known.
    pub(crate) fn name(&mut self, folder: &Box) {
        let unnamed: Vec<usize> = (0..self.messages.len())
            .filter(|&at| self.messages[at].uid.is_none())
            .collect();
        let Some(&first) = unnamed.first() else { return };
        let new: Vec<u32> = if first + unnamed.len() == self.messages.len() {
            let known = &self.messages[..first];
            let last = known.iter().filter_map(|known| known.uid).max().unwrap_or(0);
            folder.messages.range(last + 1..).map(|(uid, _)| *uid).collect()
        } else {
            // Some were named by what was told of them since.
            assert_eq!(
                self.messages.len(),
                folder.messages.len(),
                "EXISTS is wrong: {self:?}"
            );
            let uids: Vec<u32> = folder.messages.keys().copied().collect();
            unnamed.iter().map(|&at| uids[at]).collect()
        };
        assert_eq!(unnamed.len(), new.len(), "EXISTS is wrong: {self:?} {new:?}");
        for (at, uid) in unnamed.into_iter().zip(new) {
            self.messages[at].uid = Some(uid);
            self.messages[at].version = folder.messages[&uid].version;
        }
    }

    /// The client knows all there is, and nothing else.
    pub(crate) fn is_in_step(&mut self, folder: &Box, with_expunges: bool) {
        self.name(folder);
        let known: Vec<u32> = self.messages.iter().filter_map(|known| known.uid).collect();
        if with_expunges {
            assert!(
                known.iter().eq(folder.messages.keys()),
                "{known:?}, but {:?}",
                folder.messages.keys()
            );
        } else {
            let there: Vec<u32> = known
                .into_iter()
                .filter(|uid| folder.messages.contains_key(uid))
                .collect();
            assert!(
                there.iter().eq(folder.messages.keys()),
                "not told of new messages"
            );
        }
        for known in &self.messages {
            let message = known.uid.and_then(|uid| folder.messages.get(&uid));
            if let (Some(message), Some(flags)) = (message, &known.flags) {
                assert_eq!(*flags, message.flags, "UID {:?}", known.uid);
            }
        }
    }
}

/// What a client keeps of a folder that it has left, by UIDVALIDITY.
pub(crate) type Kept = BTreeMap<u32, (u64, Vec<Known>)>;
