//! The BatPost daemon.

use std::process::ExitCode;

fn main() -> ExitCode {
    batpost::server::main()
}
