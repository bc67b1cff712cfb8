//! Running mail programs.

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Runs a program to its end with that standard input and checks that it succeeded.
pub fn run(command: &mut Command, input: &[u8]) -> Output {
    let done = try_run(command, input);
    assert!(
        done.status.success(),
        "{command:?}: {}\n{}\n{}",
        done.status,
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    done
}

/// The same without a check.
pub fn try_run(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("the input is piped");
    let input = input.to_vec();
    // In a thread of its own, so that neither side waits for the other.
    let writer = std::thread::spawn(move || {
        // A program that reads nothing may end before this is written.
        let _ = stdin.write_all(&input);
    });
    let done = child.wait_with_output().expect("the program ends");
    writer.join().expect("the writer ends");
    done
}
