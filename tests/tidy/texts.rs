//! Texts for people: the same keys and variables in every language, every key used and present, none outside Fluent.

use std::collections::{BTreeMap, BTreeSet};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use i18n::Language;

use crate::source::{literals, rust};

/// Programs that speak to people.
const SPEAKERS: &[&str] = &["daemon", "configurator", "shared", "i18n/src"];

/// Keys that are put together from a prefix and a word of the source. Behind the prefix stands a literal somewhere.
const PREFIXES: &[&str] = &[
    "cli-opt-",
    "cli-arg-",
    "cli-column-",
    "cli-state-",
    "cli-",
    "daemon-error-",
    "refusal-",
    "event-",
    "setting-",
];

/// Keys of each language with the variables of each.
fn keys() -> BTreeMap<Language, BTreeMap<String, BTreeSet<String>>> {
    let mut all: BTreeMap<Language, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (language, file, source) in i18n::sources() {
        let resource = fluent_syntax::parser::parse(source.as_str())
            .unwrap_or_else(|(_, errors)| panic!("{}/{file}: {errors:?}", language.code()));
        for entry in &resource.body {
            let Entry::Message(message) = entry else { continue };
            let mut variables = BTreeSet::new();
            let value = message
                .value
                .as_ref()
                .unwrap_or_else(|| panic!("{} has no text", message.id.name));
            collect(value, &mut variables);
            let old = all
                .entry(language)
                .or_default()
                .insert(message.id.name.to_owned(), variables);
            assert!(
                old.is_none(),
                "{}/{file}: {} stands twice",
                language.code(),
                message.id.name
            );
        }
    }
    all
}

fn collect(pattern: &Pattern<&str>, variables: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        if let PatternElement::Placeable { expression } = element {
            collect_expression(expression, variables);
        }
    }
}

fn collect_expression(expression: &Expression<&str>, variables: &mut BTreeSet<String>) {
    match expression {
        Expression::Inline(inline) => collect_inline(inline, variables),
        Expression::Select { selector, variants } => {
            collect_inline(selector, variables);
            for variant in variants {
                collect(&variant.value, variables);
            }
        }
    }
}

fn collect_inline(inline: &InlineExpression<&str>, variables: &mut BTreeSet<String>) {
    match inline {
        InlineExpression::VariableReference { id } => {
            variables.insert(id.name.to_owned());
        }
        InlineExpression::Placeable { expression } => collect_expression(expression, variables),
        InlineExpression::FunctionReference { arguments, .. } => {
            for argument in &arguments.positional {
                collect_inline(argument, variables);
            }
        }
        _ => {}
    }
}

#[test]
fn languages_have_the_same_keys_and_variables() {
    let all = keys();
    let english = &all[&Language::En];
    let russian = &all[&Language::Ru];
    let lacking = |a: &BTreeMap<String, BTreeSet<String>>, b: &BTreeMap<String, BTreeSet<String>>| {
        a.keys()
            .filter(|key| !b.contains_key(*key))
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(lacking(english, russian), Vec::<String>::new(), "only in English");
    assert_eq!(lacking(russian, english), Vec::<String>::new(), "only in Russian");
    for (key, variables) in english {
        assert_eq!(variables, &russian[key], "the variables of {key} differ");
    }
}

#[test]
fn every_event_setting_and_refusal_has_its_text() {
    let all = keys();
    let english = &all[&Language::En];
    let mut missing = Vec::new();
    for (code, fields) in events::kinds::all_codes() {
        match english.get(&format!("event-{code}")) {
            None => missing.push(format!("event-{code}")),
            Some(variables) => {
                for variable in variables {
                    assert!(
                        fields.contains(&variable.as_str()),
                        "event-{code} names {variable}, which the event lacks"
                    );
                }
            }
        }
    }
    for setting in shared::settings::SETTINGS {
        let key = format!("setting-{}", setting.key.replace('.', "-"));
        missing.extend(
            [key.clone(), format!("{key}-help")]
                .into_iter()
                .filter(|key| !english.contains_key(key)),
        );
    }
    for (name, source) in rust(SPEAKERS) {
        if name.contains("/tests/") {
            continue;
        }
        let production = source.split("#[cfg(test)]").next().unwrap_or_default();
        for (before, literal) in literals(production) {
            if ["Refusal::new(", "Fault::refused(", "Trouble::new("]
                .iter()
                .any(|call| before.ends_with(call))
            {
                let prefix = if before.ends_with("Trouble::new(") {
                    "daemon-error-"
                } else {
                    "refusal-"
                };
                let key = format!("{prefix}{literal}");
                if !english.contains_key(&key) {
                    missing.push(format!("{key} ({name})"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "no text for:\n{}", missing.join("\n"));
}

#[test]
fn every_key_is_used() {
    let mut words: BTreeSet<String> = BTreeSet::new();
    for (_, source) in rust(SPEAKERS) {
        words.extend(literals(&source).into_iter().map(|(_, literal)| literal));
    }
    let settings = shared::settings::SETTINGS
        .iter()
        .map(|setting| setting.key.replace('.', "-"));
    words.extend(settings.flat_map(|key| [format!("{key}-help"), key]));
    // The groups that settings stand in, and the special uses of folders, which the protocol writes as `\\Sent`.
    let groups = shared::settings::SETTINGS
        .iter()
        .filter_map(|setting| setting.key.split('.').next());
    words.extend(groups.map(str::to_owned));
    let special: Vec<String> = words
        .iter()
        .filter_map(|word| Some(word.strip_prefix(r"\\")?.to_lowercase()))
        .collect();
    words.extend(special);
    // A word with a hole, such as `service-{}-help`, and a word of the source that fills it.
    let holes: Vec<(&str, &str)> = words.iter().filter_map(|word| hole(word)).collect();
    let filled = |key: &str| {
        holes.iter().any(|(head, tail)| {
            let middle = key.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail));
            middle.is_some_and(|middle| words.contains(middle))
        })
    };
    let used = |key: &str| {
        if filled(key)
            || PREFIXES
                .iter()
                .any(|prefix| key.strip_prefix(prefix).is_some_and(filled))
        {
            return true;
        }
        words.contains(key) || PREFIXES.iter().any(|prefix| key.strip_prefix(prefix).is_some_and(|rest| words.contains(rest)))
            // A word of the source put behind a prefix of the source: `"page-"` and `"queue"`.
            || key.match_indices('-').any(|(at, _)| {
                let (head, tail) = key.split_at(at + 1);
                words.iter().any(|word| word.starts_with(head) && word[head.len()..].starts_with('{')) && words.contains(tail)
                    || words.contains(head) && words.contains(tail)
            })
    };
    let all = keys();
    let unused: Vec<&String> = all[&Language::En].keys().filter(|key| !used(key)).collect();
    assert!(unused.is_empty(), "no source uses {unused:?}");
}

#[test]
fn no_text_for_people_stands_in_the_source() {
    let calls = [
        "println!(",
        "eprintln!(",
        "print!(",
        ".label(",
        ".button(",
        ".heading(",
        ".on_hover_text(",
        ".hint_text(",
        "Button::new(",
        "RichText::new(",
        "Label::new(",
        ".about(",
        ".help(",
    ];
    let mut found = Vec::new();
    for (name, source) in rust(&["daemon/src", "configurator/src"]) {
        let production = source.split("#[cfg(test)]").next().unwrap_or_default();
        for (before, literal) in literals(production) {
            let before = before.trim_end();
            if calls.iter().any(|call| before.ends_with(call)) && has_words(&literal) {
                found.push(format!("{name}: {literal:?}"));
            }
        }
    }
    assert!(found.is_empty(), "texts outside Fluent:\n{}", found.join("\n"));
}

/// What stands before and behind the only `{…}` of a key that is put together; both are of letters and hyphens, and not both empty.
fn hole(word: &str) -> Option<(&str, &str)> {
    let (head, rest) = word.split_once('{')?;
    let (_, tail) = rest.split_once('}')?;
    let of_a_key = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    let enough = head.len() + tail.len() > 2 && of_a_key(head) && of_a_key(tail);
    let joined = (head.is_empty() || head.ends_with('-')) && (tail.is_empty() || tail.starts_with('-'));
    (enough && joined).then_some((head, tail))
}

/// Whether letters stand outside of `{…}`.
fn has_words(literal: &str) -> bool {
    let mut depth = 0;
    let mut letters = 0;
    for c in literal.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            c if depth == 0 && c.is_alphabetic() => letters += 1,
            _ => {}
        }
    }
    // A unit or an escape is no text.
    letters > 2
}
