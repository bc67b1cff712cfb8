//! LANG (RFC 6856 §3): the language of the texts that people may read.

use crate::replies;
use crate::session::Session;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Language {
    #[default]
    English,
    Russian,
}

/// Tags with the names of the languages in themselves.
const LANGUAGES: &[(&str, &str, Language)] = &[
    ("en", "English", Language::English),
    ("ru", "Русский", Language::Russian),
];

pub(crate) fn lang(session: &mut Session, tag: Option<&str>) {
    let Some(tag) = tag else {
        session.ok(replies::LANGUAGES);
        for (tag, name, _) in LANGUAGES {
            session.raw(&format!("{tag} {name}\r\n"));
        }
        return session.raw(".\r\n");
    };
    // RFC 6856 §3.2: `*` is the server's default; a longer tag is served by its primary language.
    let primary = tag.split('-').next().unwrap_or_default();
    let found = match tag {
        "*" => LANGUAGES.first(),
        _ => LANGUAGES
            .iter()
            .find(|(known, ..)| known.eq_ignore_ascii_case(primary)),
    };
    match found {
        Some(&(tag, name, language)) => {
            session.language = language;
            session.raw(&format!("+OK {tag} {name}\r\n"));
        }
        None => session.err(replies::NO_SUCH_LANGUAGE),
    }
}
