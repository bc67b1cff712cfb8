//! Whole-server tests: the real binaries on real ports, spoken to by scripts, by real mail programs and by threads that mean harm.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests: a failure is the test's failure"
)]

mod acme;
mod authenticity;
mod autoconfig;
mod capabilities;
mod certificates;
mod clients;
mod control;
mod corpus;
mod crash;
#[cfg(target_os = "linux")]
mod dane;
mod dialogues;
#[cfg(unix)]
mod dovecot;
mod external;
mod journeys;
mod logins;
mod ntlm;
mod postfix;
mod power;
#[cfg(target_os = "linux")]
mod recovery;
mod remote;
mod sizes;
mod sslyze;
mod startup;

use std::path::PathBuf;

use batpost_tests::server::{Programs, Server};

const PROGRAMS: Programs = Programs {
    batpostd: env!("CARGO_BIN_EXE_batpostd"),
    batpostctl: env!("CARGO_BIN_EXE_batpostctl"),
};

/// A running server with that many users.
fn server(users: usize) -> Server {
    Server::with_users(PROGRAMS, users)
}

/// One that listens on the ports of the web as well; it does not run yet.
fn web_server() -> Server {
    let server = Server::initialised(PROGRAMS);
    let path = server.data().join("batpost.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, config.replacen("[listen]", "[listen]\nweb = true", 1)).unwrap();
    server
}

/// The top of the repository.
fn top() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Whether the long versions of the tests are wanted.
fn long() -> bool {
    std::env::var_os("BATPOST_LONG").is_some_and(|value| !value.is_empty() && value != "0")
}

/// A small generator, so that a seed is a story.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.roll(from.len() as u64)).unwrap()]
    }
}
