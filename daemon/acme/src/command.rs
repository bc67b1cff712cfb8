//! The administrator's program that puts records into the DNS: `PROGRAM add|remove NAME VALUE`.
//!
//! No shell has part in it. It has two minutes, then it ends with all that it has started; so it does when the order is given up. Its end is what counts:
//! something that it leaves running is not waited for, and goes on. Its first words on the standard error are what the administrator is told if it fails.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use disk::ProgramTree;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::AcmeError;
use crate::error::shown;

/// For one call.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(2);
/// The end of the words of one that has failed is waited for so long: something that it left running may hold them open.
const WORDS_TIMEOUT: Duration = Duration::from_secs(1);
/// Bytes of its complaints that are read.
const WORDS_MAX_BYTES: usize = 4096;

#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) program: PathBuf,
}

impl Command {
    pub(crate) async fn run(&self, verb: &str, name: &str, value: &str) -> Result<(), AcmeError> {
        self.run_for(TIMEOUT, verb, name, value).await
    }

    async fn run_for(&self, limit: Duration, verb: &str, name: &str, value: &str) -> Result<(), AcmeError> {
        let done = tokio::time::timeout(limit, self.call(verb, name, value)).await;
        let failed = match done {
            Ok(Ok(None)) => return Ok(()),
            Ok(Ok(Some(words))) => words,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("not done within {} s", limit.as_secs()),
        };
        Err(AcmeError::Command(format!(
            "{} {verb} {name}: {failed}",
            self.program.display()
        )))
    }

    /// What it complains of, if it fails.
    async fn call(&self, verb: &str, name: &str, value: &str) -> std::io::Result<Option<String>> {
        let mut command = tokio::process::Command::new(&self.program);
        command
            .args([verb, name, value])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        ProgramTree::prepare(command.as_std_mut());
        let mut child = command.spawn()?;
        // It is dropped before the child, whose number is its own until then. One that has ended already needs none.
        let tree = child.id().and_then(|id| ProgramTree::of(id).ok());
        let mut stderr = child.stderr.take();
        let mut words = Vec::new();
        let status = tokio::select! {
            status = child.wait() => status?,
            () = read(&mut stderr, &mut words) => child.wait().await?,
        };
        if let Some(tree) = tree {
            tree.release();
        }
        if status.success() {
            return Ok(None);
        }
        let _ = tokio::time::timeout(WORDS_TIMEOUT, read(&mut stderr, &mut words)).await;
        Ok(Some(format!(
            "{status}: {}",
            shown(&String::from_utf8_lossy(&words))
        )))
    }
}

/// Until the end. What is over the limit is read away, so that the program does not wait for a reader. May be given up and begun again.
async fn read(stderr: &mut Option<impl AsyncRead + Unpin>, words: &mut Vec<u8>) {
    let Some(stderr) = stderr else { return };
    let mut piece = [0; 1024];
    while let Ok(length @ 1..) = stderr.read(&mut piece).await {
        let room = WORDS_MAX_BYTES.saturating_sub(words.len());
        words.extend(piece.iter().take(length.min(room)));
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use std::io::Write;
    use std::path::Path;

    use super::*;

    struct Script {
        folder: tempfile::TempDir,
        command: Command,
    }

    impl Script {
        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }
    }

    /// Written by another process: a file that this one has open for writing, or a child of another test, can't be run.
    fn script(text: &str) -> Script {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        let mut writer = std::process::Command::new("sh")
            .args(["-c", "cat > \"$0\" && chmod 700 \"$0\""])
            .arg(&program)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let text = format!("#!/bin/sh\ncd '{}'\n{text}\n", folder.path().display());
        writer.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(writer.wait().unwrap().success());
        pipe(&folder.path().join("never"));
        Script {
            folder,
            command: Command { program },
        }
    }

    fn pipe(path: &Path) {
        let made = std::process::Command::new("mkfifo").arg(path).status();
        assert!(made.unwrap().success());
    }

    fn open_for_writing(path: &Path) -> std::fs::File {
        std::fs::OpenOptions::new().write(true).open(path).unwrap()
    }

    // Every order would fail at a program that has done its work, two minutes later.
    #[tokio::test]
    async fn what_a_program_leaves_running_is_not_waited_for() {
        for (exit, right) in [(0, true), (7, false)] {
            // What stays has the standard error open, and waits for the other end of a pipe.
            let script = script(&format!("(read line < never) &\necho words >&2\nexit {exit}"));
            let done = script.command.run("add", "_acme-challenge.a.test", "v").await;
            assert_eq!(done.is_ok(), right);
            if let Err(error) = done {
                let said = error.to_string();
                assert!(said.contains('7') && said.contains("words"), "{said}");
            }
            // It goes on: the pipe has a reader.
            drop(open_for_writing(&script.path("never")));
        }
    }

    // Programs that hang would become more with each try.
    #[tokio::test]
    async fn a_program_that_is_given_up_ends_with_all_that_it_started() {
        let script = script("(echo ready; read line < never) > said &\nread line < never");
        pipe(&script.path("said"));
        let mut said = tokio::net::unix::pipe::OpenOptions::new()
            .open_receiver(script.path("said"))
            .unwrap();
        let held = open_for_writing(&script.path("said"));
        let mut ready = [0; 6];
        tokio::select! {
            done = script.command.run("add", "n", "v") => panic!("{done:?}"),
            read = said.read_exact(&mut ready) => drop(read.unwrap()),
        }
        drop(held);
        // The end comes when nobody has the pipe open any more.
        assert_eq!(said.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_program_that_takes_too_long_is_told() {
        let script = script("read line < never");
        let done = script.command.run_for(Duration::ZERO, "add", "n", "v").await;
        assert!(done.unwrap_err().to_string().contains("not done within"));
    }
}
