//! The BatPost daemon.

use std::process::ExitCode;

/// Password hashes and message texts come and go in large pieces, which the system's allocator of Linux keeps in an arena per thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    batpost::server::main()
}
