//! Texts and figures in the language that is shown: Fluent by key, numbers, sizes, times and refusals.

use i18n::{Arg, Language};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use shared::Refusal;

/// The language and the clock that texts are made with. The clock is given, so that tests have theirs.
#[derive(Clone, Debug)]
pub struct Texts {
    pub language: Language,
    /// Now, in Unix seconds.
    pub now: i64,
    pub zone: TimeZone,
}

impl Texts {
    /// The text of a key.
    pub fn get(&self, key: &str) -> String {
        i18n::text(self.language, key)
    }

    /// The text of a key with its variables.
    pub fn with(&self, key: &str, args: &[(&str, Arg)]) -> String {
        i18n::format(self.language, key, args)
    }

    /// The text of a key that holds a name.
    pub fn named(&self, key: &str, name: &str) -> String {
        self.with(key, &[("name", Arg::from(name))])
    }

    /// A counted text, e.g. `3 users`; the digits are grouped as the language does.
    pub fn count(&self, key: &str, count: u64) -> String {
        self.with(
            key,
            &[
                ("count", Arg::from(count)),
                ("shown", Arg::from(self.number(count))),
            ],
        )
    }

    pub fn number(&self, number: u64) -> String {
        i18n::grouped(self.language, number)
    }

    pub fn bytes(&self, bytes: u64) -> String {
        i18n::bytes(self.language, bytes)
    }

    /// A moment in local time: the hour alone today, the day and the hour in this year, else the whole date.
    pub fn time(&self, at: i64) -> String {
        let (Ok(at), Ok(now)) = (Timestamp::from_second(at), Timestamp::from_second(self.now)) else {
            return String::new();
        };
        let (at, now) = (at.to_zoned(self.zone.clone()), now.to_zoned(self.zone.clone()));
        if at.date() == now.date() {
            return at.strftime("%H:%M:%S").to_string();
        }
        let pattern = match self.language {
            Language::En => "%Y-%m-%d %H:%M",
            Language::Ru => "%d.%m.%Y %H:%M",
        };
        at.strftime(pattern).to_string()
    }

    /// A log row's moment, to the millisecond.
    pub fn time_us(&self, at_us: i64) -> String {
        let Ok(at) = Timestamp::from_microsecond(at_us) else {
            return String::new();
        };
        let at = at.to_zoned(self.zone.clone());
        let today = Timestamp::from_second(self.now)
            .is_ok_and(|now| now.to_zoned(self.zone.clone()).date() == at.date());
        let pattern = match (today, self.language) {
            (true, _) => "%H:%M:%S%.3f",
            (false, Language::En) => "%Y-%m-%d %H:%M:%S",
            (false, Language::Ru) => "%d.%m.%Y %H:%M:%S",
        };
        at.strftime(pattern).to_string()
    }

    /// How long it lasts, in its two largest units at most: `3 min`, `2 h 5 min`, `4 days 3 h`.
    pub fn duration(&self, seconds: u64) -> String {
        let part = |key: &str, count: u64| self.with(key, &[("count", Arg::from(count))]);
        let pair = |first: String, second: Option<String>| match second {
            Some(second) => self.with(
                "duration-two",
                &[("first", Arg::from(first)), ("second", Arg::from(second))],
            ),
            None => first,
        };
        match seconds {
            0..60 => part("duration-seconds", seconds),
            60..3600 => part("duration-minutes", seconds / 60),
            3600..86_400 => {
                let minutes = seconds % 3600 / 60;
                pair(
                    part("duration-hours", seconds / 3600),
                    (minutes > 0).then(|| part("duration-minutes", minutes)),
                )
            }
            _ => {
                let hours = seconds % 86_400 / 3600;
                pair(
                    part("duration-days", seconds / 86_400),
                    (hours > 0).then(|| part("duration-hours", hours)),
                )
            }
        }
    }

    /// How long ago that was.
    pub fn age(&self, since: i64) -> String {
        self.duration(u64::try_from(self.now - since).unwrap_or_default())
    }

    /// When that will be: `in 3 min`, or `now` once it is past.
    pub fn until(&self, at: i64) -> String {
        match u64::try_from(at - self.now) {
            Ok(0) | Err(_) => self.get("time-now"),
            Ok(seconds) => self.with("time-in", &[("duration", Arg::from(self.duration(seconds)))]),
        }
    }

    /// A refusal in words. One that this program has no words for is named by its code.
    pub fn refusal(&self, refusal: &Refusal) -> String {
        let key = format!("refusal-{}", refusal.code);
        if !i18n::has(&key) {
            return self.with("error-unnamed", &[("code", Arg::from(refusal.to_string()))]);
        }
        // Numbers go as numbers, or plural forms would all be "other".
        let args: Vec<(&str, Arg)> = refusal
            .args
            .iter()
            .map(|(name, value)| {
                (
                    name.as_str(),
                    value
                        .parse::<u64>()
                        .map_or_else(|_| Arg::from(value.as_str()), Arg::from),
                )
            })
            .collect();
        self.with(&key, &args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(language: Language) -> Texts {
        Texts {
            language,
            now: 1_790_000_000,
            zone: TimeZone::UTC,
        }
    }

    #[test]
    fn durations_use_two_units_at_most() {
        for (seconds, en, ru) in [
            (0, "0 s", "0 с"),
            (59, "59 s", "59 с"),
            (180, "3 min", "3 мин"),
            (7_500, "2 h 5 min", "2 ч 5 мин"),
            (86_400, "1 day", "1 день"),
            (5 * 86_400 + 3 * 3600 + 59, "5 days 3 h", "5 дней 3 ч"),
        ] {
            assert_eq!(texts(Language::En).duration(seconds), en);
            assert_eq!(texts(Language::Ru).duration(seconds), ru);
        }
    }

    #[test]
    fn moments_say_the_day_only_when_it_is_another() {
        let en = texts(Language::En);
        assert_eq!(en.time(1_790_000_000), "14:13:20");
        assert_eq!(en.time(1_789_900_000), "2026-09-20 10:26");
        assert_eq!(texts(Language::Ru).time(1_789_900_000), "20.09.2026 10:26");
    }

    #[test]
    fn a_refusal_without_words_is_named_by_its_code() {
        let text = texts(Language::En).refusal(&Refusal::new("never-heard-of").with("x", 1));
        assert!(text.contains("never-heard-of"), "{text}");
    }
}
