//! The settings page: the daemon's values and what a person changed of them.

use std::collections::BTreeMap;

use shared::Refusal;
use shared::protocol::SettingValues;
use shared::settings::{Kind, SETTINGS, Setting, Unit};

use super::amount::{parse_bytes, show_bytes};

#[derive(Clone, Debug, Default)]
pub struct SettingsState {
    values: BTreeMap<String, String>,
    pub revision: u64,
    pub loaded: bool,
    pub filter: String,
    /// What was typed, by key, where it differs from the daemon's value.
    edits: BTreeMap<String, String>,
    pub errors: BTreeMap<String, Refusal>,
    /// Somebody else changed settings while these were being edited.
    pub conflict: bool,
    pub busy: bool,
}

impl SettingsState {
    pub fn take(&mut self, answer: SettingValues) {
        self.values = answer.values.into_iter().collect();
        self.revision = answer.revision;
        self.loaded = true;
        let values = &self.values;
        self.edits
            .retain(|key, typed| find(key).is_some_and(|setting| shown(setting, values.get(key)) != *typed));
    }

    /// What stands in the field of a setting.
    pub fn text(&self, setting: &Setting) -> String {
        match self.edits.get(setting.key) {
            Some(typed) => typed.clone(),
            None => shown(setting, self.values.get(setting.key)),
        }
    }

    /// The daemon's value in its canonical form.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    pub fn edit(&mut self, key: &str, typed: String) {
        let Some(setting) = find(key) else { return };
        self.errors.remove(key);
        if shown(setting, self.values.get(key)) == typed {
            self.edits.remove(key);
        } else {
            if let Err(refusal) = canonical(setting, &typed) {
                self.errors.insert(key.to_owned(), refusal);
            }
            self.edits.insert(key.to_owned(), typed);
        }
    }

    pub fn edited(&self, key: &str) -> bool {
        self.edits.contains_key(key)
    }

    pub fn dirty(&self) -> usize {
        self.edits.len()
    }

    pub fn revert(&mut self) {
        self.edits.clear();
        self.errors.clear();
        self.conflict = false;
    }

    /// The next change to make, in the order of the settings.
    pub fn next_change(&self) -> Option<(&'static str, String)> {
        SETTINGS.iter().find_map(|setting| {
            let typed = self.edits.get(setting.key)?;
            Some((setting.key, canonical(setting, typed).ok()?))
        })
    }

    /// A change was made.
    pub fn saved(&mut self, key: &str, value: String, revision: u64) {
        self.values.insert(key.to_owned(), value);
        self.edits.remove(key);
        self.errors.remove(key);
        self.revision = revision;
    }
}

fn find(key: &str) -> Option<&'static Setting> {
    shared::settings::find(key)
}

fn shown(setting: &Setting, value: Option<&String>) -> String {
    let value = value.map_or(setting.default, String::as_str);
    match (setting.kind, value.parse()) {
        (
            Kind::Number {
                unit: Unit::Bytes, ..
            },
            Ok(bytes),
        ) => show_bytes(bytes),
        _ => value.to_owned(),
    }
}

fn canonical(setting: &Setting, typed: &str) -> Result<String, Refusal> {
    if let Kind::Number {
        unit: Unit::Bytes, ..
    } = setting.kind
        && let Some(bytes) = parse_bytes(typed)
    {
        return setting.validate(&bytes.to_string());
    }
    setting.validate(typed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn edits_are_kept_over_a_reading_and_end_when_they_are_what_is_there() {
        let mut state = SettingsState::default();
        state.take(SettingValues {
            values: Vec::new(),
            revision: 1,
        });
        state.edit("smtp.message-size-max", "70 MB".to_owned());
        assert_eq!(
            state.next_change(),
            Some(("smtp.message-size-max", (70 << 20).to_string()))
        );
        state.take(SettingValues {
            values: vec![("smtp.message-size-max".to_owned(), "100".to_owned())],
            revision: 2,
        });
        assert_eq!((state.dirty(), state.revision), (1, 2));
        state.edit("smtp.message-size-max", "100".to_owned());
        assert_eq!(state.dirty(), 0);
        state.edit("outgoing.port", "99999".to_owned());
        assert_eq!(state.errors["outgoing.port"].code, "setting-out-of-range");
        assert_eq!(state.next_change(), None);
    }
}
