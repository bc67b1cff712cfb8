//! A program that the server starts, together with all that it starts itself: one that takes too long ends as a whole.
//!
//! On Unix they are a process group, on Windows a job. What leaves its group on purpose (a daemon) is let go.
//!
//! Must not know: what the program does, who waits for it.

use std::io;
use std::process::Command;

use crate::os;

/// A running program and its children; all of them end when this is dropped.
#[derive(Debug)]
#[must_use = "the program ends when this is dropped"]
pub struct ProgramTree(Option<os::Tree>);

impl ProgramTree {
    /// Before the start.
    pub fn prepare(command: &mut Command) {
        os::prepare_tree(command);
    }

    /// Right after the start, and as long as nobody has waited for its end: afterwards the number may be another's.
    pub fn of(process_id: u32) -> io::Result<Self> {
        os::Tree::of(process_id).map(|tree| Self(Some(tree)))
    }

    /// The program has ended by itself: what it left running goes on.
    pub fn release(mut self) {
        if let Some(tree) = self.0.take() {
            tree.release();
        }
    }
}

impl Drop for ProgramTree {
    fn drop(&mut self) {
        if let Some(tree) = self.0.take() {
            tree.end();
        }
    }
}
