//! Every reply of this room that is a constant, in one place, in the languages that LANG offers (RFC 6856 §3). Response codes:
//! RFC 2449 §8, RFC 3206.

use wire::pop3::SyntaxError;

use crate::lang::Language;

/// A reply's text, without the status and without the line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// Stands before the text, with its space.
    pub(crate) code: &'static str,
    en: &'static str,
    ru: &'static str,
}

impl Text {
    pub(crate) fn in_language(self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::Russian => self.ru,
        }
    }
}

const fn text(code: &'static str, en: &'static str, ru: &'static str) -> Text {
    Text { code, en, ru }
}

/// What the parser says of a line, by its English text.
const SYNTAX: &[Text] = &[
    text("", "Unknown command", "неизвестная команда"),
    text("", "Line too long", "слишком длинная строка"),
    text(
        "",
        "Bare CR, LF or NUL in a command",
        "CR, LF или NUL внутри команды",
    ),
    text("", "Wrong number of arguments", "неверное число аргументов"),
    text("", "Not a message number", "это не номер письма"),
    text("", "Bad base64", "неверный base64"),
    text("", "Argument is not UTF-8", "аргумент не в UTF-8"),
];

/// Why a line is no command.
pub(crate) fn syntax(error: SyntaxError) -> Text {
    let known = SYNTAX.iter().find(|text| text.en == error.text);
    known.copied().unwrap_or(text("", error.text, error.text))
}

pub(crate) const OK: Text = text("", "done", "готово");
pub(crate) const GO_ON: Text = text("", "send PASS", "введите PASS");
pub(crate) const LOGGED_IN: Text = text("", "logged in", "вход выполнен");
pub(crate) const CAPABILITIES: Text = text("", "capabilities follow", "возможности сервера");
pub(crate) const MECHANISMS: Text = text("", "mechanisms follow", "список механизмов");
pub(crate) const LANGUAGES: Text = text("", "languages follow", "список языков");
pub(crate) const LISTING: Text = text("", "listing follows", "список писем");
pub(crate) const MESSAGE: Text = text("", "message follows", "текст письма");
pub(crate) const BYE: Text = text("", "bye", "до свидания");
pub(crate) const READY_FOR_TLS: Text = text("", "ready to start TLS", "можно начинать TLS");
pub(crate) const UTF8_ON: Text = text("", "UTF-8 it is", "включён UTF-8");

pub(crate) const NO_SUCH_MESSAGE: Text = text("", "no such message", "нет такого письма");
pub(crate) const DELETED: Text = text(
    "",
    "the message is marked as deleted",
    "письмо помечено на удаление",
);
pub(crate) const GONE: Text = text(
    "",
    "the message was removed meanwhile",
    "письмо тем временем удалено",
);
pub(crate) const NOT_NOW: Text = text("", "not in this state", "в этом состоянии команда не работает");
pub(crate) const NEEDS_USER: Text = text("", "send USER first", "сначала введите USER");
pub(crate) const LINE_TOO_LONG: Text = text("", "line too long", "слишком длинная строка");
pub(crate) const BAD_BASE64: Text = text("", "bad base64", "неверный base64");
pub(crate) const CANCELLED: Text = text("", "authentication cancelled", "вход отменён");
pub(crate) const MALFORMED: Text = text("", "malformed authentication data", "неверные данные для входа");
pub(crate) const NO_SUCH_MECHANISM: Text = text("", "unrecognized mechanism", "неизвестный механизм");
pub(crate) const NO_APOP: Text = text("", "APOP is not enabled", "APOP не включён");
pub(crate) const NO_SUCH_LANGUAGE: Text = text("", "no such language", "нет такого языка");
pub(crate) const TLS_ALREADY: Text = text("", "TLS is on already", "TLS уже включён");
pub(crate) const TLS_UNAVAILABLE: Text = text("", "TLS is not available", "TLS недоступен");
pub(crate) const COMMANDS_BEFORE_TLS: Text = text(
    "",
    "commands were sent ahead of the TLS handshake",
    "команды пришли раньше начала TLS",
);
pub(crate) const TOO_MANY_ERRORS: Text = text("", "too many errors", "слишком много ошибок");
pub(crate) const CREDENTIALS: Text = text("[AUTH] ", "wrong user or password", "неверное имя или пароль");
pub(crate) const NOT_ALLOWED: Text = text(
    "[AUTH] ",
    "POP3 is not allowed for this user",
    "этому пользователю POP3 не разрешён",
);
pub(crate) const NEEDS_TLS: Text = text(
    "[AUTH] ",
    "encryption is required for this login",
    "для такого входа нужно шифрование",
);
pub(crate) const TOO_MANY_LOGINS: Text = text(
    "[SYS/TEMP] ",
    "too many failed logins, try again later",
    "слишком много неудачных входов, попробуйте позже",
);
pub(crate) const IN_USE: Text = text(
    "[IN-USE] ",
    "the maildrop is in use by another session",
    "почтовый ящик занят другим сеансом",
);
pub(crate) const LOGIN_DELAY: Text = text(
    "[LOGIN-DELAY] ",
    "the last login was too short a time ago",
    "с прошлого входа прошло слишком мало времени",
);
pub(crate) const TLS_AFTER_UTF8: Text = text("", "STLS comes before UTF8", "STLS должна идти раньше UTF8");
pub(crate) const UNAVAILABLE: Text = text("[SYS/TEMP] ", "try again later", "попробуйте позже");
pub(crate) const DAMAGED: Text = text(
    "[SYS/PERM] ",
    "the mailbox is damaged, tell the administrator",
    "ящик повреждён, сообщите администратору",
);
pub(crate) const NOT_REMOVED: Text = text(
    "[SYS/TEMP] ",
    "the deleted messages were not removed",
    "помеченные письма не удалены",
);
pub(crate) const CLOSING: Text = text("[SYS/TEMP] ", "the service is closing", "служба останавливается");
pub(crate) const TIMEOUT: Text = text("", "timeout", "время ожидания вышло");
