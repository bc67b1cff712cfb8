//! The temporary black list: who failed too often within a period is shut out for a period.
//!
//! The same failed login made again within the period counts once: a mail program that knows an old password only tries it for ever.
//! IPv6 peers are counted by their /64, which one customer has whole. Lost at a restart.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Offences are counted within that period.
const PERIOD: Duration = Duration::from_mins(10);
/// A ban lasts that long.
const BAN: Duration = Duration::from_mins(15);
const LOGINS_FAILED_MAX: u32 = 20;
const RECIPIENTS_UNKNOWN_MAX: u32 = 50;
const MESSAGES_INFECTED_MAX: u32 = 5;
/// Peers that are remembered; when there are more, those are forgotten first whose period is over.
const PEERS_MAX: usize = 100_000;

/// What a peer is banned for, if it does it often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Offence {
    LoginFailed,
    RecipientUnknown,
    MessageInfected,
}

/// A ban under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// For IPv6 the first address of the /64.
    pub peer: IpAddr,
    pub offence: Offence,
    pub left: Duration,
}

impl Offence {
    pub fn name(self) -> &'static str {
        match self {
            Self::LoginFailed => "login-failed",
            Self::RecipientUnknown => "recipient-unknown",
            Self::MessageInfected => "message-infected",
        }
    }

    fn max(self) -> u32 {
        match self {
            Self::LoginFailed => LOGINS_FAILED_MAX,
            Self::RecipientUnknown => RECIPIENTS_UNKNOWN_MAX,
            Self::MessageInfected => MESSAGES_INFECTED_MAX,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Bans {
    peers: Mutex<HashMap<(IpAddr, Offence), Record>>,
}

#[derive(Debug)]
struct Record {
    since: Instant,
    count: u32,
    /// What was counted, where one attempt can be told from another. No more than `count`, which is bounded by the ban.
    attempts: Vec<u64>,
    banned_until: Option<Instant>,
}

impl Record {
    fn is_over(&self, now: Instant) -> bool {
        self.banned_until
            .map_or_else(|| now.duration_since(self.since) >= PERIOD, |until| until <= now)
    }
}

impl Bans {
    /// `attempt`: the same for the same thing done again, which counts once.
    pub(crate) fn offence(&self, peer: IpAddr, offence: Offence, attempt: Option<u64>, now: Instant) {
        let mut peers = self.peers.lock();
        if peers.len() >= PEERS_MAX {
            peers.retain(|_, record| !record.is_over(now));
        }
        if peers.len() >= PEERS_MAX {
            // Somebody commands very many addresses: counting starts again for those who are not banned yet.
            peers.retain(|_, record| record.banned_until.is_some());
        }
        let full = peers.len() >= PEERS_MAX;
        let key = (network(peer), offence);
        if full && !peers.contains_key(&key) {
            return;
        }
        let new = || Record {
            since: now,
            count: 0,
            attempts: Vec::new(),
            banned_until: None,
        };
        let record = peers.entry(key).or_insert_with(new);
        if record.is_over(now) {
            *record = new();
        }
        if record.banned_until.is_some() {
            return;
        }
        if let Some(attempt) = attempt {
            if record.attempts.contains(&attempt) {
                return;
            }
            record.attempts.push(attempt);
        }
        record.count += 1;
        if record.count >= offence.max() {
            record.banned_until = Some(now + BAN);
            record.attempts = Vec::new();
        }
    }

    /// What the peer is banned for.
    pub(crate) fn find(&self, peer: IpAddr, now: Instant) -> Option<Offence> {
        let peer = network(peer);
        let peers = self.peers.lock();
        let offences = [
            Offence::LoginFailed,
            Offence::RecipientUnknown,
            Offence::MessageInfected,
        ];
        offences.into_iter().find(|offence| {
            let until = peers
                .get(&(peer, *offence))
                .and_then(|record| record.banned_until);
            until.is_some_and(|until| until > now)
        })
    }

    pub(crate) fn list(&self, now: Instant) -> Vec<Ban> {
        let peers = self.peers.lock();
        let mut bans: Vec<_> = peers
            .iter()
            .filter_map(|((peer, offence), record)| {
                let left = record
                    .banned_until?
                    .checked_duration_since(now)
                    .filter(|left| !left.is_zero())?;
                Some(Ban {
                    peer: *peer,
                    offence: *offence,
                    left,
                })
            })
            .collect();
        bans.sort_by_key(|ban| (ban.peer, ban.offence.name()));
        bans
    }

    pub(crate) fn lift(&self, peer: IpAddr, now: Instant) -> bool {
        let banned = self.find(peer, now).is_some();
        let network = network(peer);
        self.peers.lock().retain(|(peer, _), _| *peer != network);
        banned
    }
}

fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_fails_too_often_within_the_period_is_out_for_a_while() {
        let (bans, start) = (Bans::default(), Instant::now());
        let (peer, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        for _ in 1..LOGINS_FAILED_MAX {
            bans.offence(peer, Offence::LoginFailed, None, start);
        }
        assert_eq!(bans.find(peer, start), None);
        bans.offence(peer, Offence::RecipientUnknown, None, start);
        assert_eq!(
            bans.find(peer, start),
            None,
            "offences of different kinds are not added up"
        );
        bans.offence(peer, Offence::LoginFailed, None, start);
        assert_eq!(bans.find(peer, start), Some(Offence::LoginFailed));
        assert_eq!(bans.find(other, start), None);
        assert_eq!(bans.list(start).len(), 1);
        assert_eq!(bans.find(peer, start + BAN), None);
        assert!(bans.lift(peer, start));
        assert_eq!(bans.find(peer, start), None);
    }

    // A phone that was not told of the new password must not shut its whole household out; who tries many passwords is shut out.
    #[test]
    fn the_same_stale_password_again_and_again_is_one_failure() {
        let (bans, start) = (Bans::default(), Instant::now());
        let peer = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..LOGINS_FAILED_MAX * 10 {
            bans.offence(peer, Offence::LoginFailed, Some(7), start);
            bans.offence(peer, Offence::LoginFailed, Some(8), start);
        }
        assert_eq!(bans.find(peer, start), None);
        for attempt in 100..u64::from(LOGINS_FAILED_MAX) + 98 {
            assert_eq!(bans.find(peer, start), None, "{attempt}");
            bans.offence(peer, Offence::LoginFailed, Some(attempt), start);
        }
        assert!(bans.find(peer, start).is_some());
    }

    #[test]
    fn offences_of_long_ago_do_not_count() {
        let (bans, start) = (Bans::default(), Instant::now());
        let peer = IpAddr::from([192, 0, 2, 1]);
        for number in 0..LOGINS_FAILED_MAX * 3 {
            let now = start + PERIOD * number / (LOGINS_FAILED_MAX - 1);
            bans.offence(peer, Offence::LoginFailed, None, now);
            assert_eq!(bans.find(peer, now), None, "{number}");
        }
    }

    #[test]
    fn one_customer_has_a_whole_network_of_ipv6() {
        let (bans, start) = (Bans::default(), Instant::now());
        for host in 0..u16::try_from(LOGINS_FAILED_MAX).unwrap_or(0) {
            let peer = IpAddr::from([0x2001, 0xdb8, 1, 1, 0, 0, 0, host]);
            bans.offence(peer, Offence::LoginFailed, None, start);
        }
        assert!(
            bans.find(IpAddr::from([0x2001, 0xdb8, 1, 1, 9, 9, 9, 9]), start)
                .is_some()
        );
        assert!(
            bans.find(IpAddr::from([0x2001, 0xdb8, 1, 2, 0, 0, 0, 1]), start)
                .is_none()
        );
    }
}
