//! The answer of a user who is away.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use shared::Refusal;
use shared::model::{User, Vacation};
use shared::protocol::UserSet;

use super::forms::{Call, Check, Errors};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct VacationForm {
    pub was: Option<User>,
    pub enabled: bool,
    /// Days as `2026-07-31`; empty: none.
    pub starts: String,
    /// The last day.
    pub ends: String,
    pub subject: String,
    pub text: String,
    pub days: String,
}

impl VacationForm {
    pub fn of(user: &User) -> Self {
        let vacation = &user.vacation;
        Self {
            was: Some(user.clone()),
            enabled: vacation.enabled,
            starts: vacation.starts.map(|at| show(at, false)).unwrap_or_default(),
            ends: vacation.ends.map(|at| show(at, true)).unwrap_or_default(),
            subject: vacation.subject.clone(),
            text: vacation.text.clone(),
            days: vacation.days.to_string(),
        }
    }

    pub(super) fn calls(&self) -> Result<Vec<Call>, Errors> {
        let Some(was) = &self.was else {
            return Ok(Vec::new());
        };
        let mut check = Check::default();
        let starts = check.optional("starts", &self.starts, |text| day(text, false));
        let ends = check.optional("ends", &self.ends, |text| day(text, true));
        let days = check.one("days", &self.days, |text| {
            text.trim()
                .parse()
                .ok()
                .filter(|days| (1..=Vacation::DAYS_MAX).contains(days))
                .ok_or_else(|| Refusal::new("number-invalid").with("value", text))
        });
        if self.enabled && self.text.trim().is_empty() {
            check.wrong("text", Refusal::new("field-required"));
        }
        let days = check.done(days)?;
        let vacation = Vacation {
            enabled: self.enabled,
            starts,
            ends,
            subject: self.subject.trim().to_owned(),
            text: self.text.clone(),
            days,
        };
        let user = User {
            vacation,
            ..was.clone()
        };
        Ok(vec![Call::of(&UserSet { user })])
    }
}

/// The beginning of a day here, or of the day after it.
fn day(text: &str, after: bool) -> Result<i64, Refusal> {
    let wrong = || Refusal::new("date-invalid").with("date", text);
    let date: Date = text.trim().parse().map_err(|_| wrong())?;
    let date = if after {
        date.tomorrow().map_err(|_| wrong())?
    } else {
        date
    };
    let start = date.to_zoned(TimeZone::system()).map_err(|_| wrong())?;
    Ok(start.timestamp().as_second())
}

/// The reverse.
fn show(at: i64, after: bool) -> String {
    // The last second of the last day.
    let Ok(at) = jiff::Timestamp::from_second(at - i64::from(after)) else {
        return String::new();
    };
    at.to_zoned(TimeZone::system()).date().to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_day_that_was_typed_is_shown_again() {
        for (text, after) in [("2026-07-01", false), ("2026-07-31", true), ("2026-12-31", true)] {
            assert_eq!(show(day(text, after).unwrap(), after), text);
        }
        day("31.7.2026", false).unwrap_err();
    }
}
