//! Texts for people, from Fluent files: `en/*.ftl` and `ru/*.ftl`, compiled in.
//!
//! A folder of the same shape dropped beside the program (`i18n/<language>/*.ftl`) overrides texts and adds languages.
//! All languages are loaded at once, so a switch is a value. A text that a language lacks is taken from English.
//!
//! Must not know: who asks.

mod language;
mod numbers;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

pub use language::Language;
pub use numbers::{bytes, decimal, grouped};

#[derive(rust_embed::Embed)]
#[folder = "."]
#[include = "en/*.ftl"]
#[include = "ru/*.ftl"]
struct Files;

/// A variable of a text. Numbers stay numbers, so that plural forms are right.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    Text(String),
    Number(f64),
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

macro_rules! from_number {
    ($($ty:ty),*) => { $( impl From<$ty> for Arg {
        fn from(number: $ty) -> Self {
            Self::Number(number as f64)
        }
    } )* };
}
from_number!(u8, u16, u32, u64, usize, i32, i64, f64);

/// The text of a key in a language, without variables.
pub fn text(language: Language, key: &str) -> String {
    format(language, key, &[])
}

/// The text of a key in a language, with its variables. A key that no language has is returned as it is, so that the
/// fault can be seen and nothing fails for it.
pub fn format(language: Language, key: &str, args: &[(&str, Arg)]) -> String {
    let mut values = FluentArgs::with_capacity(args.len());
    for (name, value) in args {
        match value {
            Arg::Text(text) => values.set(*name, FluentValue::from(text.as_str())),
            Arg::Number(number) => values.set(*name, FluentValue::from(*number)),
        }
    }
    let texts = texts();
    let found = [language, Language::En].into_iter().find_map(|language| {
        let bundle = texts.bundles.get(&language)?;
        let pattern = bundle.get_message(key)?.value()?;
        let mut errors = Vec::new();
        Some(
            bundle
                .format_pattern(pattern, Some(&values), &mut errors)
                .into_owned(),
        )
    });
    found.unwrap_or_else(|| key.to_owned())
}

/// Whether any language has that key.
pub fn has(key: &str) -> bool {
    texts().bundles.values().any(|bundle| bundle.has_message(key))
}

/// Loads texts from a folder beside the program; call it before the first text is asked for. Returns what was wrong with the
/// files: such a file is left out.
pub fn load_overrides(folder: &Path) -> Vec<String> {
    let mut problems = Vec::new();
    let loaded = Texts::load(Some(folder), &mut problems);
    if TEXTS.set(loaded).is_err() {
        problems.push("texts were asked for before the overrides were loaded".to_owned());
    }
    problems
}

/// The compiled-in sources by language and file, for tests that compare them.
pub fn sources() -> Vec<(Language, String, String)> {
    let mut all = Vec::new();
    for path in Files::iter() {
        let Some((folder, name)) = path.split_once('/') else {
            continue;
        };
        let (Some(language), Some(file)) = (Language::from_code(folder), Files::get(&path)) else {
            continue;
        };
        all.push((
            language,
            name.to_owned(),
            String::from_utf8_lossy(&file.data).into_owned(),
        ));
    }
    all.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    all
}

struct Texts {
    bundles: BTreeMap<Language, FluentBundle<FluentResource>>,
}

static TEXTS: OnceLock<Texts> = OnceLock::new();

fn texts() -> &'static Texts {
    TEXTS.get_or_init(|| Texts::load(None, &mut Vec::new()))
}

impl Texts {
    fn load(folder: Option<&Path>, problems: &mut Vec<String>) -> Self {
        let mut bundles = BTreeMap::new();
        for language in Language::ALL {
            let mut bundle = FluentBundle::new_concurrent(vec![language.identifier()]);
            // Marks of direction are invisible in a terminal at best, and boxes at worst.
            bundle.set_use_isolating(false);
            bundles.insert(language, bundle);
        }
        let mut texts = Self { bundles };
        for (language, name, source) in sources() {
            texts.add(language, &name, source, problems);
        }
        if let Some(folder) = folder {
            for language in Language::ALL {
                texts.add_folder(language, &folder.join(language.code()), problems);
            }
        }
        texts
    }

    fn add_folder(&mut self, language: Language, folder: &Path, problems: &mut Vec<String>) {
        let Ok(files) = std::fs::read_dir(folder) else {
            return;
        };
        let mut paths: Vec<_> = files.filter_map(|file| Some(file.ok()?.path())).collect();
        paths.sort();
        for path in paths
            .iter()
            .filter(|path| path.extension().is_some_and(|e| e == "ftl"))
        {
            let name = path.display().to_string();
            match std::fs::read_to_string(path) {
                Ok(source) => self.add(language, &name, source, problems),
                Err(error) => problems.push(format!("{name}: {error}")),
            }
        }
    }

    fn add(&mut self, language: Language, name: &str, source: String, problems: &mut Vec<String>) {
        let resource = FluentResource::try_new(source).unwrap_or_else(|(resource, errors)| {
            problems.extend(errors.iter().map(|error| format!("{name}: {error}")));
            resource
        });
        if let Some(bundle) = self.bundles.get_mut(&language) {
            bundle.add_resource_overriding(resource);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plural_forms_follow_the_language() {
        for (count, want) in [
            (1, "1 письмо"),
            (2, "2 письма"),
            (5, "5 писем"),
            (21, "21 письмо"),
            (111, "111 писем"),
        ] {
            assert_eq!(
                format(Language::Ru, "count-messages", &[("count", Arg::from(count))]),
                want
            );
        }
        assert_eq!(
            format(Language::En, "count-messages", &[("count", Arg::from(1))]),
            "1 message"
        );
        assert_eq!(
            format(Language::En, "count-messages", &[("count", Arg::from(2))]),
            "2 messages"
        );
    }

    #[test]
    fn an_unknown_key_is_shown_as_it_is() {
        assert_eq!(text(Language::Ru, "no-such-key"), "no-such-key");
    }
}
