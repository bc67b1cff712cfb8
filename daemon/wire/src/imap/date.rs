//! Dates and times of day as IMAP writes them (RFC 9051 §9: date, date-time).

use super::lexer::{Bad, Lexer, Parsed};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31, and within the month.
    pub day: u8,
}

impl Date {
    /// Days since 1970-01-01.
    pub fn days(self) -> i32 {
        // Counted in years that begin in March, so that the leap day is the last one.
        let year = i32::from(self.year) - i32::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month = (i32::from(self.month) + 9) % 12;
        let day_of_year = (153 * month + 2) / 5 + i32::from(self.day) - 1;
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
    }

    /// The day that many days after 1970-01-01; years outside 0 to 9999 are cut off.
    pub fn from_days(days: i32) -> Self {
        let days = i64::from(days) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        Self {
            year: year.clamp(0, 9999) as u16,
            month: month as u8,
            day: (day_of_year - (153 * shifted + 2) / 5 + 1) as u8,
        }
    }

    pub fn month_name(self) -> &'static str {
        MONTHS
            .get(usize::from(self.month).wrapping_sub(1))
            .copied()
            .unwrap_or("Jan")
    }

    fn is_real(self) -> bool {
        let leap =
            self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        let last = match self.month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return false,
        };
        (1..=last).contains(&self.day)
    }
}

/// A moment with the zone in which it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateTime {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub unix_seconds: i64,
    /// East of Greenwich.
    pub offset_minutes: i16,
}

impl DateTime {
    /// The moment, in UTC.
    pub fn utc(unix_seconds: i64) -> Self {
        Self {
            unix_seconds,
            offset_minutes: 0,
        }
    }

    /// The day, disregarding the zone it was written in (RFC 9051 §6.4.4, SENTON and ON alike).
    pub fn date(self) -> Date {
        let local = self
            .unix_seconds
            .saturating_add(i64::from(self.offset_minutes) * 60);
        Date::from_days(local.div_euclid(86_400) as i32)
    }
}

/// date = date-text / DQUOTE date-text DQUOTE
pub(super) fn date(lexer: &mut Lexer<'_>) -> Parsed<Date> {
    let quoted = lexer.eat(b'"');
    let day = lexer.number().map_err(|_| BAD_DATE)?;
    let date = month_and_year(lexer, day)?;
    if quoted {
        lexer.expect(b'"', "bad date")?;
    }
    Ok(date)
}

const BAD_DATE: Bad = Bad("bad date");

fn month_and_year(lexer: &mut Lexer<'_>, day: u32) -> Parsed<Date> {
    lexer.expect(b'-', "bad date")?;
    let name = lexer.rest().get(..3).ok_or(BAD_DATE)?;
    let month = MONTHS
        .iter()
        .position(|known| known.as_bytes().eq_ignore_ascii_case(name))
        .ok_or(BAD_DATE)?;
    skip(lexer, 3)?;
    lexer.expect(b'-', "bad date")?;
    let year = fixed(lexer, 4)?;
    let date = Date {
        year: year as u16,
        month: month as u8 + 1,
        day: u8::try_from(day).map_err(|_| BAD_DATE)?,
    };
    if date.is_real() { Ok(date) } else { Err(BAD_DATE) }
}

fn skip(lexer: &mut Lexer<'_>, count: usize) -> Parsed<()> {
    for _ in 0..count {
        let byte = lexer.peek().ok_or(BAD_DATE)?;
        lexer.eat(byte);
    }
    Ok(())
}

/// Exactly `count` digits.
fn fixed(lexer: &mut Lexer<'_>, count: usize) -> Parsed<u32> {
    let digits = lexer
        .rest()
        .get(..count)
        .and_then(super::lexer::decimal)
        .ok_or(BAD_DATE)?;
    skip(lexer, count)?;
    Ok(digits as u32)
}

/// date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
pub(super) fn date_time(lexer: &mut Lexer<'_>) -> Parsed<DateTime> {
    lexer.expect(b'"', "bad date-time")?;
    // date-day-fixed = (SP DIGIT) / 2DIGIT
    let day = if lexer.eat(b' ') {
        fixed(lexer, 1)?
    } else {
        fixed(lexer, 2)?
    };
    let date = month_and_year(lexer, day)?;
    lexer.sp()?;
    let hour = fixed(lexer, 2)?;
    lexer.expect(b':', "bad time")?;
    let minute = fixed(lexer, 2)?;
    lexer.expect(b':', "bad time")?;
    let second = fixed(lexer, 2)?;
    lexer.sp()?;
    let west = match lexer.peek() {
        Some(b'+') => false,
        Some(b'-') => true,
        _ => return Err(Bad("bad zone")),
    };
    skip(lexer, 1)?;
    let zone = fixed(lexer, 4)?;
    lexer.expect(b'"', "bad date-time")?;
    // A leap second is written as 60.
    if hour > 23 || minute > 59 || second > 60 || zone % 100 > 59 || zone > 2359 {
        return Err(Bad("bad time"));
    }
    let east = (zone / 100 * 60 + zone % 100) as i16;
    let offset_minutes = if west { -east } else { east };
    let local = i64::from(date.days()) * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
    Ok(DateTime {
        unix_seconds: local - i64::from(offset_minutes) * 60,
        offset_minutes,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn days_both_ways() {
        assert_eq!(
            Date {
                year: 1970,
                month: 1,
                day: 1
            }
            .days(),
            0
        );
        assert_eq!(
            Date {
                year: 2000,
                month: 3,
                day: 1
            }
            .days(),
            11_017
        );
        assert_eq!(
            Date {
                year: 1969,
                month: 12,
                day: 31
            }
            .days(),
            -1
        );
        for days in -200_000..200_000 {
            let date = Date::from_days(days);
            assert!(date.is_real());
            assert_eq!(date.days(), days);
        }
    }

    #[test]
    fn dates() {
        let parse = |text: &str| date(&mut Lexer::new(text.as_bytes(), false)).ok();
        assert_eq!(
            parse("1-Feb-1994"),
            Some(Date {
                year: 1994,
                month: 2,
                day: 1
            })
        );
        assert_eq!(
            parse("\"01-fEB-1994\""),
            Some(Date {
                year: 1994,
                month: 2,
                day: 1
            })
        );
        assert_eq!(
            parse("29-Feb-2024"),
            Some(Date {
                year: 2024,
                month: 2,
                day: 29
            })
        );
        for bad in [
            "29-Feb-2023",
            "0-Jan-2000",
            "32-Jan-2000",
            "1-Foo-2000",
            "1-Jan-20",
            "\"1-Jan-2000",
            "1 Jan 2000",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn date_times() {
        let parse = |text: &str| date_time(&mut Lexer::new(text.as_bytes(), false)).ok();
        let got = parse("\"17-Jul-1996 02:44:25 -0700\"").unwrap();
        assert_eq!(
            got,
            DateTime {
                unix_seconds: 837_596_665,
                offset_minutes: -420
            }
        );
        assert_eq!(
            got.date(),
            Date {
                year: 1996,
                month: 7,
                day: 17
            }
        );
        assert_eq!(parse("\" 1-Jan-1970 00:00:00 +0000\""), Some(DateTime::utc(0)));
        for bad in [
            "\"1-Jan-1970 00:00:00 +0000\"",
            "\" 1-Jan-1970 24:00:00 +0000\"",
            "\" 1-Jan-1970 00:00:00 0000\"",
            "\" 1-Jan-1970 00:00:00 +0060\"",
            " 1-Jan-1970 00:00:00 +0000",
            "\"31-Jun-1970 00:00:00 +0000\"",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
