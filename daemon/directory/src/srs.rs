//! Reverse-paths of forwarded mail (Sender Rewriting Scheme): an address of ours that leads back to the sender, so that SPF holds for the
//! forwarding server and bounces find their way.
//!
//! `SRS0=hash=day=domain=local@ours` for a sender elsewhere; `SRS1=hash=domain==rest@ours` for one that another server has rewritten before,
//! which leads back to that server. The hash (HMAC-SHA-256 with a key of this server, 40 bits in base32) lets nobody make such addresses but
//! this server; the day lets them expire. Nothing here depends on the case of letters, which some servers change.

use std::time::{SystemTime, UNIX_EPOCH};

use ring::hmac;
use shared::{Address, DomainName};

/// Days that an address leads back.
const LIFE_DAYS: u64 = 21;
/// Days after which the count begins anew: two letters.
const DAYS: u64 = 1024;
const DAY_S: u64 = 86_400;
const HASH_LETTERS: usize = 8;
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub(crate) struct Srs {
    key: hmac::Key,
}

impl Srs {
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derived = hmac::sign(&secret, b"sender rewriting");
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()),
        }
    }

    /// The address under `domain` that leads back to `sender`. `None`: it would be too long for a mail address. `now`: Unix seconds.
    pub(crate) fn rewrite(&self, sender: &Address, domain: &DomainName, now: u64) -> Option<Address> {
        let (local, from) = (sender.local(), sender.domain());
        let local = match tagged(local) {
            Some(("SRS0", rest)) => self.first(from.as_str(), rest),
            Some((_, rest)) => {
                let (_, rest) = rest.split_once('=')?;
                let (first, rest) = rest.split_once('=')?;
                self.first(first, rest.strip_prefix(is_separator).unwrap_or(rest))
            }
            None => {
                let signed = format!("{}={from}={local}", day_letters(now));
                format!("SRS0={}={signed}", self.hash(&signed))
            }
        };
        Address::from_parts(&local, domain.clone()).ok()
    }

    /// `SRS1`; `rest` is what the first server put behind `SRS0` and a separator.
    fn first(&self, domain: &str, rest: &str) -> String {
        let signed = format!("{domain}=={rest}");
        format!("SRS1={}={signed}", self.hash(&signed))
    }

    /// Where an address of ours leads back to; `None`: it is none, was not made here, or is too old.
    pub(crate) fn reverse(&self, local: &str, now: u64) -> Option<Address> {
        let (kind, rest) = tagged(local)?;
        let (hash, signed) = rest.split_once('=')?;
        if !self.hash(signed).eq_ignore_ascii_case(hash) {
            return None;
        }
        if kind == "SRS1" {
            let (domain, rest) = signed.split_once("==")?;
            let domain = DomainName::parse(domain).ok()?;
            return Address::from_parts(&format!("SRS0={rest}"), domain).ok();
        }
        let (day, rest) = signed.split_once('=')?;
        let (domain, local) = rest.split_once('=')?;
        let age = (now / DAY_S + DAYS - day_of(day)?) % DAYS;
        let domain = DomainName::parse(domain).ok().filter(|_| age <= LIFE_DAYS)?;
        Address::from_parts(local, domain).ok()
    }

    fn hash(&self, text: &str) -> String {
        let tag = hmac::sign(&self.key, text.to_ascii_lowercase().as_bytes());
        let bits = tag.as_ref().iter().take(5);
        let bits = bits.fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        let letter = |at: usize| char::from(LETTERS[(bits >> (5 * at)) as usize & 31]);
        (0..HASH_LETTERS).map(letter).collect()
    }
}

/// Unix seconds.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// `SRS0` or `SRS1` and what stands behind the separator.
fn tagged(local: &str) -> Option<(&'static str, &str)> {
    let (head, rest) = local.split_at_checked(4)?;
    let kind = ["SRS0", "SRS1"]
        .into_iter()
        .find(|kind| head.eq_ignore_ascii_case(kind))?;
    Some((kind, rest.strip_prefix(is_separator)?))
}

fn is_separator(c: char) -> bool {
    matches!(c, '=' | '+' | '-')
}

fn day_letters(now: u64) -> String {
    let day = now / DAY_S % DAYS;
    [day >> 5, day & 31]
        .map(|digit| char::from(LETTERS[digit as usize]))
        .iter()
        .collect()
}

fn day_of(letters: &str) -> Option<u64> {
    if letters.len() != 2 {
        return None;
    }
    letters.bytes().try_fold(0, |day, letter| {
        let digit = LETTERS
            .iter()
            .position(|known| *known == letter.to_ascii_uppercase())?;
        Some(day << 5 | digit as u64)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOW: u64 = 1_795_874_885;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn domain(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    /// Bounces of forwarded mail would be lost, or anybody could send through us as he likes.
    #[test]
    fn addresses_lead_back_for_three_weeks_and_only_if_we_made_them() {
        let ours = Srs::new(&[1; 32]);
        let sent = ours
            .rewrite(&address("Ann+x=y@else.test"), &domain("here.test"), NOW)
            .unwrap();
        assert!(sent.to_string().starts_with("SRS0="), "{sent}");
        assert_eq!(
            ours.reverse(sent.local(), NOW).unwrap(),
            address("Ann+x=y@else.test")
        );
        let lower = sent.local().to_lowercase();
        assert_eq!(ours.reverse(&lower, NOW).unwrap(), address("ann+x=y@else.test"));
        assert!(ours.reverse(sent.local(), NOW + 21 * DAY_S).is_some());
        assert!(ours.reverse(sent.local(), NOW + 22 * DAY_S).is_none());
        assert!(Srs::new(&[2; 32]).reverse(sent.local(), NOW).is_none());
        let other = sent.local().replace("else.test", "evil.test");
        assert!(ours.reverse(&other, NOW).is_none());
        for bad in ["SRS0", "SRS0=", "SRS0=AAAA=BB=else.test=x", "SRS1=A=b==c", "ann"] {
            assert!(ours.reverse(bad, NOW).is_none(), "{bad}");
        }
    }

    /// Each further server would make the address longer until it is none.
    #[test]
    fn what_others_rewrote_leads_back_to_the_first_of_them() {
        let (one, two, three) = (Srs::new(&[1; 32]), Srs::new(&[2; 32]), Srs::new(&[3; 32]));
        let first = one.rewrite(&address("a@b.test"), &domain("1.test"), NOW).unwrap();
        let second = two.rewrite(&first, &domain("2.test"), NOW).unwrap();
        let third = three.rewrite(&second, &domain("3.test"), NOW).unwrap();
        assert!(third.local().starts_with("SRS1="), "{third}");
        assert_eq!(three.reverse(third.local(), NOW).unwrap(), first);
        assert_eq!(two.reverse(second.local(), NOW).unwrap(), first);
        assert_eq!(one.reverse(first.local(), NOW).unwrap(), address("a@b.test"));
        let long = address(&format!("{}@else.test", "x".repeat(50)));
        assert!(one.rewrite(&long, &domain("1.test"), NOW).is_none());
    }
}
