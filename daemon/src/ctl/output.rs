//! Showing answers: tables for people, JSON for scripts.

use i18n::{Arg, Language};
use jiff::Timestamp;
use serde::Serialize;

use crate::arguments::{say, warn};

/// How answers are shown.
#[derive(Clone, Copy)]
pub(super) struct Output {
    pub(super) language: Language,
    pub(super) json: bool,
}

impl Output {
    /// The text `cli-<key>`.
    pub(super) fn text(self, key: &str) -> String {
        i18n::text(self.language, &format!("cli-{key}"))
    }

    /// Shows an answer: as JSON, or as `people` tells it.
    pub(super) fn show<T: Serialize>(self, answer: &T, people: impl FnOnce(&T)) {
        if !self.json {
            people(answer);
            return;
        }
        match serde_json::to_string_pretty(answer) {
            Ok(text) => drop(say(&text)),
            Err(error) => warn(&error.to_string()),
        }
    }

    /// Says that something was done.
    pub(super) fn say(self, key: &str, args: &[(&str, Arg)]) {
        say(&i18n::format(self.language, &format!("cli-{key}"), args));
    }

    /// Prints rows under the headings `cli-column-<name>`.
    pub(super) fn table(self, columns: &[&str], rows: &[Vec<String>]) {
        let heads: Vec<String> = columns
            .iter()
            .map(|name| self.text(&format!("column-{name}")))
            .collect();
        let mut widths: Vec<usize> = heads.iter().map(|head| head.chars().count()).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        say(&line(&heads, &widths));
        for row in rows {
            if !say(&line(row, &widths)) {
                return;
            }
        }
    }

    /// Prints names and values under each other.
    pub(super) fn facts(self, facts: &[(&str, String)]) {
        let names: Vec<String> = facts
            .iter()
            .map(|(name, _)| self.text(&format!("column-{name}")))
            .collect();
        let width = names
            .iter()
            .map(|name| name.chars().count())
            .max()
            .unwrap_or_default();
        for (name, (_, value)) in names.iter().zip(facts) {
            let gap = " ".repeat(width - name.chars().count());
            say(&format!("{name}{gap}  {}", harmless(value)));
        }
    }

    /// Says how many rows there are beyond those shown.
    pub(super) fn rest(self, shown: usize, total: u64) {
        let more = total.saturating_sub(shown as u64);
        if more > 0 {
            self.say("more-rows", &[("count", Arg::from(more))]);
        }
    }

    pub(super) fn yes_no(self, value: bool) -> String {
        self.text(if value { "yes" } else { "no" })
    }

    pub(super) fn bytes(self, size: u64) -> String {
        i18n::bytes(self.language, size)
    }
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut out = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        let cell = harmless(cell);
        out.push_str(&cell);
        out.push_str(&" ".repeat(width.saturating_sub(cell.chars().count()) + 2));
    }
    out.truncate(out.trim_end().len());
    out
}

/// What peers sent is shown here, too: nothing of it may steer the terminal.
pub(super) fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Unix seconds as local time.
pub(super) fn time(seconds: i64) -> String {
    let Ok(at) = Timestamp::from_second(seconds) else {
        return String::new();
    };
    at.to_zoned(jiff::tz::TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}
