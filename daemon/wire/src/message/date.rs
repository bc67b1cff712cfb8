//! Dates: of the Date field (RFC 5322 §3.3, obsolete forms §4.3, and what else mail holds), of IMAP.
//!
//! Knows no clock and no time zones; leap seconds count as the second before.

use smallvec::SmallVec;

use super::lex::Lexer;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const DAY_SECONDS: i64 = 86_400;

/// A moment, with the offset from UTC in which it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// Seconds since 1970-01-01 00:00 UTC.
    pub unix: i64,
    /// Minutes east of UTC, within a day.
    pub offset: i16,
}

impl Date {
    pub fn utc(unix: i64) -> Self {
        Date { unix, offset: 0 }
    }

    /// Days since 1970-01-01 of the date as written, disregarding time and zone: what SENTON compares
    /// (RFC 3501 §6.4.4).
    pub fn local_day(&self) -> i64 {
        self.local_seconds().div_euclid(DAY_SECONDS)
    }

    /// `Wed, 17 Jul 1996 02:23:25 -0700` (RFC 5322 §3.3).
    pub fn rfc5322(&self) -> String {
        let day = self.local_day();
        let (year, month, of_month) = civil(day);
        let weekday = DAYS[(day + 4).rem_euclid(7) as usize];
        format!(
            "{weekday}, {of_month} {} {year:04} {} {}",
            month_name(month),
            self.time(),
            self.zone()
        )
    }

    /// ` 7-Jul-1996 02:44:25 -0700`: date-time of RFC 3501 §9 without its quotes.
    pub fn internal(&self) -> String {
        let (year, month, of_month) = civil(self.local_day());
        format!(
            "{of_month:2}-{}-{year:04} {} {}",
            month_name(month),
            self.time(),
            self.zone()
        )
    }

    /// `1996-07-17T09:23:25Z` (RFC 3339), in UTC.
    pub fn rfc3339(&self) -> String {
        let utc = Self::utc(self.unix);
        let (year, month, of_month) = civil(utc.local_day());
        format!("{year:04}-{month:02}-{of_month:02}T{}Z", utc.time())
    }

    fn local_seconds(&self) -> i64 {
        self.unix.saturating_add(i64::from(self.offset) * 60)
    }

    fn time(&self) -> String {
        let seconds = self.local_seconds().rem_euclid(DAY_SECONDS);
        format!(
            "{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )
    }

    fn zone(&self) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.unsigned_abs();
        format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
    }
}

/// Parses the value of a Date field.
pub fn parse(value: &[u8]) -> Option<Date> {
    parse_with(value, parse_time)
}

/// The sent date of RFC 5256 §2.2, in Unix seconds: an invalid time of a valid day counts as midnight.
pub fn sent(value: &[u8]) -> Option<i64> {
    let date = parse(value).or_else(|| parse_with(value, |_| Some((0, 0, 0))));
    date.map(|date| date.unix)
}

fn parse_with(value: &[u8], time_of: impl Fn(&str) -> Option<(u32, u32, u32)>) -> Option<Date> {
    let words = words(value);
    let mut words = words.iter().copied().peekable();
    // The day of the week says nothing; it may stand with or without its comma.
    if words
        .peek()
        .is_some_and(|word| is_letters(word) && month(word).is_none())
    {
        words.next();
    }
    let first = words.next()?;
    let (day, month) = match month(first) {
        // `Jul 17 02:23:25 1996`, as ctime and ls write it.
        Some(month) => (number(words.next()?, 2)?, month),
        None => (number(first, 2)?, month(words.next()?)?),
    };
    let third = words.next()?;
    let (year, time) = if third.contains(':') {
        let mut zone = None;
        let mut year = words.next()?;
        if number(year, 4).is_none() {
            zone = zone_minutes(year);
            year = words.next()?;
        }
        return build(full_year(year)?, month, day, time_of(third)?, zone.unwrap_or(0));
    } else {
        (full_year(third)?, words.next().map_or(Some((0, 0, 0)), time_of)?)
    };
    let offset = words.next().and_then(zone_minutes).unwrap_or(0);
    build(year, month, day, time, offset)
}

/// Parses an IMAP date-time, without its quotes: `17-Jul-1996 02:44:25 -0700` (RFC 3501 §9).
pub fn parse_internal(text: &[u8]) -> Option<Date> {
    let text = std::str::from_utf8(text).ok()?;
    let (date, rest) = text.split_at_checked(11)?;
    let (time, zone) = rest.strip_prefix(' ')?.split_once(' ')?;
    if time.len() != 8 || zone.len() != 5 || !zone.starts_with(['+', '-']) {
        return None;
    }
    let (year, month, day) = dashed(date.trim_start_matches(' '))?;
    build(year, month, day, parse_time(time)?, zone_minutes(zone)?)
}

/// Parses an IMAP date, without quotes: `1-Feb-1994` (RFC 3501 §9), to days since 1970-01-01.
pub fn parse_imap_date(text: &[u8]) -> Option<i64> {
    let (year, month, day) = dashed(std::str::from_utf8(text).ok()?)?;
    build(year, month, day, (0, 0, 0), 0).map(|date| date.local_day())
}

fn dashed(text: &str) -> Option<(i64, u32, u32)> {
    let mut parts = text.split('-');
    let (day, name, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || name.len() != 3 {
        return None;
    }
    Some((i64::from(number(year, 4)?), month(name)?, number(day, 2)?))
}

fn build(year: i64, month: u32, day: u32, time: (u32, u32, u32), offset: i16) -> Option<Date> {
    let (hour, minute, second) = time;
    let days = days_from_civil(year, month, day)?;
    let seconds = i64::from(hour * 3600 + minute * 60 + second.min(59));
    Some(Date {
        unix: days * DAY_SECONDS + seconds - i64::from(offset) * 60,
        offset,
    })
}

/// The words of a date: white space, commas and comments separate; `17-Jul-1996` is three.
fn words(value: &[u8]) -> SmallVec<[&str; 12]> {
    let mut lexer = Lexer::new(value);
    let mut words = SmallVec::new();
    while words.len() < 10 {
        lexer.skip_cfws();
        let word = lexer.take_while(|byte| byte > b' ' && byte != b',' && byte != b'(');
        if !word.is_empty() {
            let Ok(word) = std::str::from_utf8(word) else {
                continue;
            };
            let dashed = !word.starts_with('-') && word.split('-').count() == 3;
            if dashed {
                words.extend(word.split('-'));
            } else {
                words.push(word);
            }
        } else if lexer.peek().is_some() {
            lexer.bump();
        } else {
            break;
        }
    }
    words
}

fn is_letters(word: &str) -> bool {
    word.bytes()
        .all(|byte| byte.is_ascii_alphabetic() || byte >= 128 || byte == b'.')
}

fn number(word: &str, max_digits: usize) -> Option<u32> {
    let digits = !word.is_empty() && word.len() <= max_digits && word.bytes().all(|b| b.is_ascii_digit());
    if digits { word.parse().ok() } else { None }
}

fn month(word: &str) -> Option<u32> {
    let name = word.get(..3)?;
    let index = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
    is_letters(word).then_some(index as u32 + 1)
}

/// RFC 5322 §4.3: two and three digits.
fn full_year(word: &str) -> Option<i64> {
    let year = i64::from(number(word, 4)?);
    Some(match word.len() {
        1 | 2 if year < 50 => year + 2000,
        1..=3 => year + 1900,
        // RFC 5322 §3.3: 1900 or later.
        _ if year < 1900 => return None,
        _ => year,
    })
}

fn parse_time(word: &str) -> Option<(u32, u32, u32)> {
    let mut parts = word.split(':');
    let hour = number(parts.next()?, 2)?;
    let minute = number(parts.next()?, 2)?;
    let second = match parts.next() {
        // Fractions are no part of any standard, but of some mail.
        Some(text) => number(text.split('.').next()?, 2)?,
        None => 0,
    };
    (hour < 24 && minute < 60 && second <= 60 && parts.next().is_none()).then_some((hour, minute, second))
}

/// `+hhmm`, or a name (RFC 5322 §4.3; unknown names and military letters count as UTC).
fn zone_minutes(word: &str) -> Option<i16> {
    if let Some(digits) = word.strip_prefix(['+', '-']) {
        let digits = digits.replace(':', "");
        let value = i16::try_from(number(&digits, 4).filter(|_| digits.len() == 4)?).ok()?;
        let minutes = value / 100 * 60 + value % 100;
        if value % 100 > 59 || minutes >= 24 * 60 {
            return None;
        }
        return Some(if word.starts_with('-') { -minutes } else { minutes });
    }
    let hours = match word.to_ascii_uppercase().as_str() {
        "EDT" => -4,
        "EST" | "CDT" => -5,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        _ => 0,
    };
    Some(hours * 60)
}

fn month_name(month: u32) -> &'static str {
    MONTHS[(month as usize + 11) % 12]
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar; `None` if there is no such date.
fn days_from_civil(year: i64, month: u32, day: u32) -> Option<i64> {
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    if day == 0 || day > length {
        return None;
    }
    // Years begin in March here, so that the leap day is the last.
    let (month, day) = (i64::from(month), i64::from(day));
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Year, month and day of a number of days since 1970-01-01.
fn civil(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * shifted + 2) / 5 + 1) as u32;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month as u32, day)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn date_fields() {
        let same = "Wed, 17 Jul 1996 02:23:25 -0700";
        let cases = [
            ("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)", same),
            (" 17 Jul 96 02:23:25 PDT", same),
            ("Wednesday, 17-Jul-96 02:23:25 PDT", same),
            ("Wed Jul 17 02:23:25 1996", "Wed, 17 Jul 1996 02:23:25 +0000"),
            ("Wed Jul 17 02:23:25 PDT 1996", same),
            ("Wed (x), 17 (y) July 1996 02:23:25 -07:00", same),
            ("1 Jan 2000 00:00 Z", "Sat, 1 Jan 2000 00:00:00 +0000"),
            ("29 Feb 2024 23:59:60 +0530", "Thu, 29 Feb 2024 23:59:59 +0530"),
            ("31 Dec 1969 23:59:59 +0000", "Wed, 31 Dec 1969 23:59:59 +0000"),
            ("1 Jan 102 1:02:03 GMT", "Tue, 1 Jan 2002 01:02:03 +0000"),
            ("29 Feb 2023 00:00:00 +0000", "none"),
            ("32 Jan 2023 00:00:00 +0000", "none"),
            ("Mon, 04 Feb 0102 21:08:54 +0700", "none"),
            ("tomorrow", "none"),
            ("", "none"),
            ("1 Jan 2000 25:00", "none"),
        ];
        for (text, expected) in cases {
            let found = parse(text.as_bytes()).map_or("none".into(), |date| date.rfc5322());
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn sent_dates_forgive_the_time() {
        let midnight = parse(b"1 Jan 2000 00:00:00 +0000").map(|date| date.unix);
        assert_eq!(sent(b"1 Jan 2000 25:61:00 +0000"), midnight);
        assert_eq!(sent(b"1 Jan 2000 noon"), midnight);
        assert_eq!(
            sent(b"31 Dec 2000 16:01:33 -0800"),
            sent(b"1 Jan 2001 00:01:33 +0000")
        );
        // An invalid zone is UTC.
        assert_eq!(sent(b"1 Jan 2000 00:00:00 +99999"), midnight);
        assert_eq!(sent(b"30 Feb 2000 10:00"), None);
    }

    #[test]
    fn imap_dates() {
        let date = parse_internal(b" 7-Jul-1996 02:44:25 -0700").unwrap();
        assert_eq!(
            date,
            Date {
                unix: 836_732_665,
                offset: -420
            }
        );
        assert_eq!(date.internal(), " 7-Jul-1996 02:44:25 -0700");
        for bad in [
            "7-Jul-1996 02:44:25",
            "17-Jul-1996 2:44:25 +0000",
            "17-Jul-96 02:44:25 +0000",
            "",
            "1-é-1",
        ] {
            assert_eq!(parse_internal(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(parse_imap_date(b"1-Jan-1970"), Some(0));
        assert_eq!(parse_imap_date(b"01-Feb-1994"), Some(8797));
        assert_eq!(parse_imap_date(b"30-Feb-1994"), None);
    }

    #[test]
    fn days_and_dates_agree_through_all_years() {
        for day in (-800_000..3_000_000).step_by(97) {
            let (year, month, of_month) = civil(day);
            assert_eq!(days_from_civil(year, month, of_month), Some(day));
        }
    }

    #[test]
    fn extreme_moments_are_written_without_panic() {
        for unix in [i64::MIN / 2, i64::MAX / 2, i64::MAX] {
            let _ = Date { unix, offset: 1439 }.rfc5322();
        }
    }
}
