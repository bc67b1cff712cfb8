//! The daemon's top floor: command lines, start and stop, what connects the rooms.

mod arguments;
pub mod ctl;
pub mod server;

/// The program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Exit codes that scripts rely on.
pub mod exit {
    pub const REFUSED: u8 = 1;
    pub const USAGE: u8 = 2;
    pub const NO_DAEMON: u8 = 3;
}
