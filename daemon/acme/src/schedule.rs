//! When a certificate is due, and for which names one may be asked.
//!
//! Must not know: how one is got.

use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use shared::DomainName;

use crate::AcmeError;
use crate::challenge::Kind;
use crate::error::PAUSE_MAX;
use crate::store::Wanted;

/// Names in one certificate: what authorities take at most.
const NAMES_MAX_COUNT: usize = 100;

/// A last try that lies further in the future than this shows that the clock was wrong then.
const CLOCK_TOLERANCE_S: i64 = 300;

/// Unix seconds.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// When two thirds of its life are over, and up to a thirtieth of it later: not all certificates of a house, and not those of all houses, at once.
pub(crate) fn renewal(not_before: i64, not_after: i64, dice: u64) -> i64 {
    let life = not_after.saturating_sub(not_before).max(0);
    let spread = u64::try_from(life / 30).unwrap_or(0).max(1);
    let late = i64::try_from(dice % spread).unwrap_or(0);
    not_before.saturating_add(life / 3 * 2).saturating_add(late)
}

/// When it is tried next. What was written down while the clock was far ahead must not put a renewal off for years: such a try is made now, and none lies
/// further away than the longest pause, the certificate's own time of renewal, or the authority's.
pub(crate) fn due(now: i64, wanted: &Wanted) -> i64 {
    if wanted.last_try > now.saturating_add(CLOCK_TOLERANCE_S) {
        return wanted.next_try.min(now);
    }
    let longest = later(now, PAUSE_MAX, u64::MAX);
    let latest = if wanted.id.is_empty() {
        longest
    } else {
        longest
            .max(renewal(wanted.not_before, wanted.not_after, u64::MAX))
            .max(wanted.advised.min(wanted.not_after))
    };
    wanted.next_try.min(latest)
}

/// After a success the next one begins no sooner, whatever the clocks say: a third of what is left, an hour at most, a minute at least.
pub(crate) fn not_before_again(now: i64, not_after: i64) -> i64 {
    let left = not_after.saturating_sub(now).max(0);
    now.saturating_add((left / 3).clamp(60, 3600))
}

/// How long a certificate still lives; `None`: there is none, or it is over.
pub(crate) fn left(now: i64, not_after: i64) -> Option<Duration> {
    let left = u64::try_from(not_after.saturating_sub(now)).ok()?;
    (left > 0).then(|| Duration::from_secs(left))
}

/// After a failure: the pause, and up to a tenth of it more.
pub(crate) fn later(now: i64, pause: Duration, dice: u64) -> i64 {
    let pause = pause.as_secs();
    let late = pause.saturating_add(dice % (pause / 10).max(1));
    now.saturating_add(i64::try_from(late).unwrap_or(i64::MAX))
}

/// Good enough to spread load.
pub(crate) fn dice() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}

/// The names as a certificate has them, each once, in the order in which they were given.
pub(crate) fn checked(names: &[String], kind: Kind) -> Result<Vec<String>, AcmeError> {
    let mut found: Vec<String> = Vec::new();
    for given in names {
        let wrong = || AcmeError::Name(crate::error::shown(given));
        let given = given.trim();
        let (wildcard, domain) = match given.strip_prefix("*.") {
            Some(domain) => ("*.", domain),
            None => ("", given),
        };
        let parsed = DomainName::parse(domain).map_err(|_| wrong())?;
        // Nobody vouches for the names of one house, nor for addresses.
        if !parsed.as_str().contains('.') || parsed.as_str().parse::<IpAddr>().is_ok() {
            return Err(wrong());
        }
        // RFC 8555 leaves it to the authority; all of them ask for the DNS, since the others show one host only.
        if !wildcard.is_empty() && kind != Kind::Dns {
            return Err(AcmeError::Wildcard(given.to_owned()));
        }
        let name = format!("{wildcard}{parsed}");
        if !found.contains(&name) {
            found.push(name);
        }
    }
    if found.is_empty() || found.len() > NAMES_MAX_COUNT {
        return Err(AcmeError::Name(format!("{} names", found.len())));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const DAY: i64 = 86_400;

    // Renewed too late, all mail programs complain; too early, the authority does.
    #[test]
    fn a_certificate_is_renewed_when_two_thirds_of_its_life_are_over() {
        for dice in [0, 1, 12_345_678_901, u64::MAX] {
            let at = renewal(0, 90 * DAY, dice);
            assert!((60 * DAY..63 * DAY).contains(&at), "{at}");
            assert_eq!(renewal(100, 100, dice), 100);
        }
        assert_eq!(renewal(10, 0, 7), 10);
        let at = later(1000, Duration::from_hours(1), u64::MAX);
        assert!((4600..4960).contains(&at), "{at}");
    }

    // With a clock that was a year ahead once, the certificate would end unrenewed.
    #[test]
    fn a_clock_that_was_ahead_puts_no_renewal_off() {
        let wanted = |last_try: i64, next_try: i64, id: &str| Wanted {
            id: id.to_owned(),
            not_before: 0,
            not_after: 90 * DAY,
            last_try,
            next_try,
            ..Wanted::default()
        };
        let now = 10 * DAY;
        for (last_try, next_try, id, least, most) in [
            (9 * DAY, 11 * DAY, "a", 11 * DAY, 11 * DAY),
            (0, 61 * DAY, "a", 61 * DAY, 61 * DAY),
            (400 * DAY, 401 * DAY, "a", 0, now),
            (now + 60, now + 3660, "a", now + 3660, now + 3660),
            // Written before the last try was kept.
            (0, 400 * DAY, "a", 60 * DAY, 63 * DAY),
            (0, 400 * DAY, "", 17 * DAY, 18 * DAY),
            (0, i64::MAX, "", 17 * DAY, 18 * DAY),
        ] {
            let due = due(now, &wanted(last_try, next_try, id));
            assert!((least..=most).contains(&due), "{last_try} {next_try} {id}: {due}");
        }
    }

    #[test]
    fn names_that_no_authority_can_verify_are_refused_here() {
        let one = |name: &str, kind| checked(&[name.to_owned()], kind);
        assert_eq!(
            one(" Mail.Example.ORG ", Kind::Http).unwrap(),
            ["mail.example.org"]
        );
        assert_eq!(
            one("почта.example", Kind::Http).unwrap(),
            ["xn--80a1acny.example"]
        );
        assert_eq!(one("*.example.org", Kind::Dns).unwrap(), ["*.example.org"]);
        assert!(matches!(
            one("*.example.org", Kind::TlsAlpn),
            Err(AcmeError::Wildcard(_))
        ));
        for wrong in [
            "",
            "localhost",
            "192.0.2.1",
            "a b.example",
            "*.*.example.org",
            "x@example.org",
            "*.",
        ] {
            assert!(
                matches!(one(wrong, Kind::Dns), Err(AcmeError::Name(_))),
                "{wrong}"
            );
        }
        let twice = ["a.test", "b.test", "A.test"].map(str::to_owned);
        assert_eq!(checked(&twice, Kind::Http).unwrap(), ["a.test", "b.test"]);
        let many: Vec<String> = (0..101).map(|number| format!("{number}.test")).collect();
        assert!(checked(&many, Kind::Http).is_err());
    }
}
