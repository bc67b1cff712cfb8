//! What is known of other hosts: who is left alone for a while, and how many connections each gets.
//!
//! Every host has its own places, so that one that hangs takes no more than its share of `outgoing.concurrency`. Who finds no place waits in memory: half
//! as many at one host as there is room left for all, so that no host fills it; the others go back to the queue. A host that says 421, or puts off one message after the other, gets fewer places, and one
//! more after each message that it takes. A host that can't be reached rests, each time twice as long.
//!
//! Must not know: what is said to a host.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use shared::settings::Settings;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Hosts remembered.
const HOSTS_MAX_COUNT: usize = 10_000;
/// Messages that may wait in memory for a place at one host, however little room is left.
const WAITING_MIN_COUNT: usize = 50;
/// Seconds until a message comes again for which there is no room, if the host took another one in the last of them, and if not.
const BUSY_RETRY_S: i64 = 5;
const STUCK_RETRY_S: i64 = 30;
/// Messages put off in a row by which a host loses half its places.
const PUT_OFF_IN_A_ROW: u32 = 3;
/// Milliseconds that a message waits in memory because of the host's rate; longer in the queue.
const RATE_WAIT_MAX_MS: i64 = 5000;

/// What an administrator allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) places: usize,
    /// Messages a minute; 0: as many as there are.
    pub(crate) rate: u64,
    /// Seconds.
    pub(crate) rest_first: i64,
    pub(crate) rest_max: i64,
}

impl Limits {
    pub(crate) fn from_settings(settings: &Settings) -> Self {
        let seconds = |key: &str| settings.number(key).min(i64::MAX as u64) as i64;
        Self {
            places: settings.number("outgoing.host-concurrency").max(1) as usize,
            rate: settings.number("outgoing.host-rate"),
            rest_first: seconds("outgoing.rest-first"),
            rest_max: seconds("outgoing.rest-max"),
        }
    }
}

/// Why a host is not tried now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotNow {
    /// It could not be reached lately.
    Rests(String),
    /// It has as much to do as it may have; come again at that time (Unix seconds).
    Busy(i64),
}

#[derive(Debug, Default)]
pub(crate) struct Hosts {
    all: Mutex<HashMap<SocketAddr, Arc<Host>>>,
}

#[derive(Debug)]
pub(crate) struct Host {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Places that exist, taken or free.
    places: usize,
    /// Places that should exist.
    wanted: usize,
    put_off_in_a_row: u32,
    /// Times in a row that it could not be reached.
    failures: u32,
    rests_until: i64,
    reason: String,
    /// When the next message may go, in Unix milliseconds.
    next_at_ms: i64,
    /// When it took a message last (Unix seconds).
    took_at: i64,
}

/// A place at a host, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) host: Arc<Host>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Hosts {
    /// Waits for a place. `room`: messages for which there is room in memory. `now_ms`: Unix milliseconds.
    pub(crate) async fn place(
        &self,
        address: SocketAddr,
        limits: Limits,
        room: usize,
        now_ms: i64,
    ) -> Result<Place, NotNow> {
        let host = self.host(address, limits, now_ms / 1000);
        host.state.lock().rests(now_ms / 1000)?;
        if let Ok(permit) = host.places.clone().try_acquire_owned() {
            return Ok(host.taken(permit));
        }
        let before = host.waiting.fetch_add(1, Ordering::Relaxed);
        let waits = Waits(&host.waiting);
        if before >= WAITING_MIN_COUNT.max(room / 2) {
            return Err(NotNow::Busy(host.state.lock().again(now_ms / 1000)));
        }
        let permit = host.places.clone().acquire_owned().await;
        drop(waits);
        let permit = permit.map_err(|_| NotNow::Busy(now_ms / 1000))?;
        let place = host.taken(permit);
        // What happened to those before may have shown that it is down.
        let rests = place.host.state.lock().rests(crate::now());
        rests.map(|()| place)
    }

    /// Hosts that rest may be tried now.
    pub(crate) fn wake(&self) {
        for host in self.all.lock().values() {
            host.state.lock().rests_until = 0;
        }
    }

    fn host(&self, address: SocketAddr, limits: Limits, now: i64) -> Arc<Host> {
        let mut all = self.all.lock();
        if let Some(host) = all.get(&address) {
            host.allow(limits.places);
            return host.clone();
        }
        if all.len() >= HOSTS_MAX_COUNT {
            all.retain(|_, host| Arc::strong_count(host) > 1 || host.state.lock().is_worth_keeping(now));
        }
        let host = Arc::new(Host::new(limits.places));
        if all.len() < HOSTS_MAX_COUNT {
            all.insert(address, host.clone());
        }
        host
    }
}

/// One that waits; also one that gives up waiting.
struct Waits<'a>(&'a AtomicUsize);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Host {
    fn new(places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            waiting: AtomicUsize::new(0),
            state: Mutex::new(State {
                places,
                wanted: places,
                put_off_in_a_row: 0,
                failures: 0,
                rests_until: 0,
                reason: String::new(),
                next_at_ms: 0,
                took_at: 0,
            }),
        }
    }

    fn taken(self: Arc<Self>, permit: OwnedSemaphorePermit) -> Place {
        Place {
            host: self,
            permit: Some(permit),
        }
    }

    /// The administrator's limit may have become smaller; larger it grows by messages that are taken.
    fn allow(&self, places: usize) {
        let mut state = self.state.lock();
        state.wanted = state.wanted.min(places);
    }

    /// Milliseconds to wait before the next message goes.
    pub(crate) fn turn(&self, limits: Limits, now_ms: i64) -> Result<i64, NotNow> {
        if limits.rate == 0 {
            return Ok(0);
        }
        let mut state = self.state.lock();
        let wait = (state.next_at_ms - now_ms).max(0);
        if wait > RATE_WAIT_MAX_MS {
            return Err(NotNow::Busy(state.next_at_ms / 1000 + 1));
        }
        state.next_at_ms = now_ms + wait + 60_000 / limits.rate.min(60_000) as i64;
        Ok(wait)
    }

    /// It could not be reached: until when (Unix seconds) it rests.
    pub(crate) fn failed(&self, reason: &str, limits: Limits, now: i64) -> i64 {
        let mut state = self.state.lock();
        // Those that were on their way when it went down say no more than the first of them.
        if state.rests_until > now {
            return state.rests_until;
        }
        let rest = limits
            .rest_first
            .saturating_mul(1 << state.failures.min(20))
            .min(limits.rest_max);
        state.failures = state.failures.saturating_add(1);
        state.rests_until = now.saturating_add(rest);
        reason.clone_into(&mut state.reason);
        state.rests_until
    }

    /// It answers.
    pub(crate) fn works(&self) {
        let mut state = self.state.lock();
        state.failures = 0;
        state.rests_until = 0;
    }

    /// It took a message.
    pub(crate) fn took(&self, limits: Limits, now: i64) {
        let mut state = self.state.lock();
        state.took_at = now;
        state.put_off_in_a_row = 0;
        if state.wanted < limits.places {
            state.wanted += 1;
        }
        if state.places < state.wanted {
            state.places += 1;
            self.places.add_permits(1);
        }
    }

    /// It put a message off, or (`at_once`) said that there is too much of us. Gives the places that are left, if they became fewer.
    pub(crate) fn put_off(&self, at_once: bool) -> Option<usize> {
        let mut state = self.state.lock();
        state.put_off_in_a_row += 1;
        if !at_once && state.put_off_in_a_row < PUT_OFF_IN_A_ROW {
            return None;
        }
        state.put_off_in_a_row = 0;
        let wanted = (state.wanted / 2).max(1);
        let fewer = wanted < state.wanted;
        state.wanted = wanted;
        let free = self.places.forget_permits(state.places.saturating_sub(wanted));
        state.places -= free;
        fewer.then_some(wanted)
    }
}

impl State {
    fn rests(&self, now: i64) -> Result<(), NotNow> {
        if self.rests_until > now {
            return Err(NotNow::Rests(self.reason.clone()));
        }
        Ok(())
    }

    /// When a message comes again for which there is no room.
    fn again(&self, now: i64) -> i64 {
        let moves = now - self.took_at <= BUSY_RETRY_S;
        now + if moves { BUSY_RETRY_S } else { STUCK_RETRY_S }
    }

    fn is_worth_keeping(&self, now: i64) -> bool {
        self.rests_until > now || self.next_at_ms / 1000 > now
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else { return };
        let mut state = self.host.state.lock();
        if state.places > state.wanted {
            state.places -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LIMITS: Limits = Limits {
        places: 4,
        rate: 0,
        rest_first: 60,
        rest_max: 300,
    };

    fn address() -> SocketAddr {
        "127.0.0.1:25".parse().unwrap()
    }

    async fn taken(hosts: &Hosts) -> Vec<Place> {
        let mut taken = Vec::new();
        loop {
            let place = hosts.place(address(), LIMITS, 0, 1000);
            // Ready at once, or it would have to wait for one of those here.
            let mut place = std::pin::pin!(place);
            let ready = std::future::poll_fn(|cx| std::task::Poll::Ready(place.as_mut().poll(cx)));
            match ready.await {
                std::task::Poll::Ready(place) => taken.push(place.unwrap()),
                std::task::Poll::Pending => return taken,
            }
        }
    }

    /// A host that is down would be tried as often as there are messages for it, or never again.
    #[tokio::test]
    async fn a_host_that_is_down_rests_twice_as_long_each_time() {
        let hosts = Hosts::default();
        let mut now = 1000;
        for rest in [60, 120, 240, 300, 300] {
            let place = hosts.place(address(), LIMITS, 0, now * 1000).await.unwrap();
            assert_eq!(place.host.failed("no answer", LIMITS, now), now + rest);
            assert_eq!(
                place.host.failed("again", LIMITS, now),
                now + rest,
                "one failure, not two"
            );
            let rests = hosts.place(address(), LIMITS, 0, (now + rest - 1) * 1000).await;
            assert_eq!(rests.unwrap_err(), NotNow::Rests("no answer".to_owned()));
            hosts.wake();
            let place = hosts.place(address(), LIMITS, 0, (now + rest - 1) * 1000).await;
            assert!(place.is_ok(), "an administrator wants it now");
            now += rest;
        }
        let place = hosts.place(address(), LIMITS, 0, now * 1000).await.unwrap();
        place.host.works();
        assert_eq!(place.host.failed("no answer", LIMITS, now), now + 60);
    }

    /// A host that says that it has enough of us would close its door altogether.
    #[tokio::test]
    async fn a_host_that_has_enough_gets_fewer_connections_and_more_again() {
        let hosts = Hosts::default();
        let places = taken(&hosts).await;
        assert_eq!(places.len(), 4);
        let host = places[0].host.clone();
        assert_eq!(host.put_off(false), None);
        assert_eq!(host.put_off(false), None);
        assert_eq!(host.put_off(false), Some(2), "three in a row");
        drop(places);
        assert_eq!(taken(&hosts).await.len(), 2);
        assert_eq!(host.put_off(true), Some(1), "it said so");
        assert_eq!(host.put_off(true), None, "one is the least");
        assert_eq!(taken(&hosts).await.len(), 1);
        host.took(LIMITS, 0);
        assert_eq!(taken(&hosts).await.len(), 2);
        for _ in 0..10 {
            host.took(LIMITS, 0);
        }
        assert_eq!(taken(&hosts).await.len(), 4, "never more than allowed");
        let fewer = Limits { places: 3, ..LIMITS };
        drop(hosts.place(address(), fewer, 0, 1000).await.unwrap());
        assert_eq!(host.state.lock().wanted, 3);
    }

    #[test]
    fn messages_go_at_the_rate_that_is_set() {
        let host = Host::new(1);
        let limits = Limits { rate: 30, ..LIMITS };
        let turns: Vec<_> = (0..5).map(|_| host.turn(limits, 100_000)).collect();
        assert_eq!(
            turns,
            [
                Ok(0),
                Ok(2000),
                Ok(4000),
                Err(NotNow::Busy(107)),
                Err(NotNow::Busy(107))
            ]
        );
        assert_eq!(host.turn(limits, 106_000), Ok(0));
        assert_eq!(Host::new(1).turn(LIMITS, 0), Ok(0));
    }

    /// One host's messages would fill the memory, and come back from the queue too late or too often.
    #[tokio::test]
    async fn who_finds_no_room_comes_again_soon_if_the_host_moves() {
        let hosts = Hosts::default();
        let places = taken(&hosts).await;
        let host = places[0].host.clone();
        host.waiting.store(WAITING_MIN_COUNT, Ordering::Relaxed);
        let busy = async |room| hosts.place(address(), LIMITS, room, 100_000).await.unwrap_err();
        assert_eq!(busy(0).await, NotNow::Busy(130));
        host.took(LIMITS, 98);
        assert_eq!(busy(2 * WAITING_MIN_COUNT).await, NotNow::Busy(105));
        assert_eq!(host.waiting.load(Ordering::Relaxed), WAITING_MIN_COUNT);
        let more = hosts.place(address(), LIMITS, 4 * WAITING_MIN_COUNT, 100_000);
        let mut more = std::pin::pin!(more);
        let waits = std::future::poll_fn(|cx| std::task::Poll::Ready(more.as_mut().poll(cx))).await;
        assert!(waits.is_pending(), "there is room");
    }
}
