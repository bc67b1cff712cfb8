//! The command line of BatPost: everything that the control channel can do.

use std::process::ExitCode;

fn main() -> ExitCode {
    batpost::ctl::main()
}
